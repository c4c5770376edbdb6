--- A draft against everything known: the examples of all rules, the rules themselves, and the recordings.

local signatures = require "deepid.signatures"
local trace_rules = require "deepid.trace_rules"
local transcript = require "deepid.transcript"

local M = {}

-- Beside a checkout's lua/; an installed smtp-deepid has none.
local RECORDINGS = (debug.getinfo(1, "S").source:match("^@(.*)/") or ".") .. "/../../test/transcripts"

local known -- the recordings, once read

local function add_replies(recording, read)
  for _, step in ipairs(read.steps) do
    local replies = recording.replies[step.step] or {}
    recording.replies[step.step] = replies
    if step.reply ~= "" and not replies[step.reply] then
      replies[step.reply] = true
      replies[#replies + 1] = step.reply
    end
  end
end

-- Array of {path, product, replies: by step, arrays of distinct ones}.
local function recordings()
  if known then return known end
  known = {}
  local pipe = io.popen(("ls '%s'/*.md 2>/dev/null"):format((RECORDINGS:gsub("'", "'\\''"))))
  for path in pipe and pipe:lines() or function() end do
    local file = io.open(path, "rb")
    local read, facts = transcript.from_markdown(file:read("a"), path)
    file:close()
    if read then
      known[#known + 1] = { path = path:match("[^/]*$"), product = facts.product, replies = {} }
      add_replies(known[#known], read)
    end
  end
  if pipe then pipe:close() end
  return known
end

-- Every example of the other rules that answers the draft's step.
local function examples_of(list, draft)
  local found = {}
  for _, rule in ipairs(list) do
    for _, example in ipairs(rule.examples) do
      local bytes = example.steps[draft.step]
      if bytes then found[#found + 1] = { rule = rule, bytes = bytes } end
    end
  end
  return found
end

-- The rules that the draft would rob, and the example that comes nearest to it without matching.
local function compare_examples(fpset, set, draft, examples)
  local robbed, nearest = {}, nil
  for _, example in ipairs(examples) do
    if #set:match(example.bytes) > 0 then
      if robbed[#robbed] ~= example.rule then robbed[#robbed + 1] = example.rule end
    elseif example.bytes:sub(1, 3) == draft.examples[1]:sub(1, 3) then -- another code comes nowhere near
      local near = trace_rules.nearness(fpset, draft, example.bytes)
      if near and (not nearest or near.done > nearest.done) then nearest = { done = near.done, bytes = example.bytes, rule = example.rule } end
    end
  end
  return robbed, nearest
end

-- The rules that answer the draft's examples today.
local function answered_by(knowledge, draft)
  local found, seen = {}, {}
  for _, bytes in ipairs(draft.examples) do
    local steps = { { step = draft.step, sent = "", reply = bytes, ["end"] = "reply" } }
    for _, hit in ipairs((signatures.hits(knowledge.steps, { steps = steps }))) do
      if not seen[hit.rule] then found[#found + 1] = hit.rule end
      seen[hit.rule] = true
    end
  end
  return found
end

local function matched_recordings(set, draft, all)
  local found = {}
  for _, recording in ipairs(all) do
    for _, reply in ipairs(recording.replies[draft.step] or {}) do
      if found[#found] ~= recording and #set:match(reply) > 0 then found[#found + 1] = recording end
    end
  end
  return found
end

--- Checks a draft.
--
-- @param fpset      the core's
-- @param knowledge  from <code>knowledge.load</code>
-- @param draft      from <code>draft.draft</code>
-- @param samples    what it was made from
-- @return table: `robbed` (rules of which it matches an example), `answered` (rules that match its examples), `nearest` ({bytes, rule} or nil),
-- `recordings` (those it matches), `examples` and `looked_at` (how many there were)
-- @return nil and a message when the pattern does not compile, or misses a sample
function M.check(fpset, knowledge, draft, samples)
  local set, errors = fpset({ { pattern = draft.pattern, slot = 0 } })
  if #errors > 0 then return nil, errors[1].message end
  local fits = #set:match("") == 0
  for _, list in ipairs({ samples, draft.examples }) do
    for _, sample in ipairs(list) do fits = fits and #set:match(sample.reply or sample) > 0 end
  end
  if not fits then return nil, "the samples have too little in common for one rule" end
  local examples, all = examples_of(knowledge.rules, draft), recordings()
  local robbed, nearest = compare_examples(fpset, set, draft, examples)
  return { robbed = robbed, nearest = nearest, answered = answered_by(knowledge, draft), recordings = matched_recordings(set, draft, all),
    examples = #examples, looked_at = #all }
end

return M
