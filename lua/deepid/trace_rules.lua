--- Which rules match a transcript, which nearly do, and where those break.

local breakpoint = require "deepid.breakpoint"
local derived = require "deepid.derived"
local regex = require "deepid.regex"
local signatures = require "deepid.signatures"
local wording = require "deepid.wording"

local M = {}

-- A rule is near when it got through so much of its fixed text, or has a telling word in common with the reply.
local NEAR = 0.6

local function count_bytes(fixed) return #fixed:gsub("%z", "") end

local function count_shared(words, reply)
  local there, count = wording.telling(reply), 0
  for word in pairs(words) do
    if there[word] then count = count + 1 end
  end
  return count
end

--- How near a pattern comes to a reply that it does not match.
--
-- @return {broke, done, shared}: where it breaks (deepid.breakpoint), the share of its fixed text that it got through, how many telling
-- words it has in common with the reply
-- @return nil when that cannot be told
function M.nearness(fpset, pattern, reply)
  local tree = regex.parse(pattern.pattern, pattern.flags)
  local broke = tree and breakpoint.find(fpset, pattern, reply)
  if not broke or not broke.node then return nil end
  local text, before = regex.fixed_text(tree, broke.node.from)
  local total = count_bytes(text)
  local done = total > 0 and count_bytes(text:sub(1, before)) / total or 0
  return { broke = broke, done = done, shared = count_shared(wording.telling(text), reply) }
end

local function compile_alone(fpset, pattern)
  local set, errors = fpset({ { pattern = pattern.pattern, flags = pattern.flags, slot = 0 } })
  return #errors == 0 and set
end

local function nearest_first(a, b)
  if a.shared ~= b.shared then return a.shared > b.shared end
  if a.done ~= b.done then return a.done > b.done end
  return a.rule.order < b.rule.order
end

local function rule_trace(fpset, rule, step, winners)
  local set = compile_alone(fpset, rule)
  if not set then return nil end
  local hit = set:match(step.reply)[1]
  if hit then return { rule = rule, hit = hit, first = winners[rule] and rule or winners[rule.role .. tostring(rule.soft or false)] } end
  local near = M.nearness(fpset, rule, step.reply)
  if near and (near.shared > 0 or near.done >= NEAR) then
    near.rule = rule
    return near
  end
end

-- Which rule answered for each role, hard and soft apart, in one reply.
local function winners_of(hits, step)
  local winners = {}
  for _, hit in ipairs(hits) do
    if hit.step == step then
      local key = hit.rule.role .. tostring(hit.rule.soft or false)
      winners[hit.rule], winners[key] = true, winners[key] or hit.rule
    end
  end
  return winners
end

local function step_trace(fpset, list, step, hits)
  local trace = { step = step, matched = {}, near = {} }
  local winners = winners_of(hits, step)
  for _, rule in ipairs(list) do
    if not rule.conditions and not rule.bad and rule.step == step.step then
      local found = rule_trace(fpset, rule, step, winners)
      if found then table.insert(found.broke and trace.near or trace.matched, found) end
    end
  end
  table.sort(trace.near, nearest_first)
  return trace
end

-- One condition of a rule over several steps: {condition, state, near, step}; `state` is "holds", "fails" or "unknown".
local function condition_trace(fpset, condition, steps)
  local set = compile_alone(fpset, condition)
  local trace, observed = { condition = condition }, false
  for _, step in ipairs(steps) do
    if set and step.step == condition.step and step.reply ~= "" then
      observed = observed or step["end"] == "reply"
      if set:match(step.reply)[1] then
        trace.state, trace.step = condition.kind == "forbid" and "fails" or "holds", step
        return trace
      end
      trace.near, trace.step = M.nearness(fpset, condition, step.reply), step
    end
  end
  local missing = condition.kind == "forbid" and "holds" or "fails"
  trace.state = observed and missing or "unknown"
  return trace
end

-- A rule over several steps; nil when nothing but its `forbid`s holds.
local function composite_trace(fpset, rule, steps, matched)
  local trace, holds = { rule = rule, matched = matched, conditions = {} }, 0
  for i, condition in ipairs(rule.conditions) do
    local one = condition_trace(fpset, condition, steps)
    trace.conditions[i] = one
    if one.state == "holds" and condition.kind ~= "forbid" then holds = holds + 1 end
  end
  trace.share = holds / #rule.conditions
  return (matched or holds > 0) and trace or nil
end

--- Traces all rules over a transcript.
--
-- @param fpset       the core's
-- @param knowledge   from <code>knowledge.load</code>
-- @param transcript  see DESIGN.md
-- @return array, a step with a reply each: {step, matched = array of {rule, hit, first (the rule that answers for its
-- role; nil where the connection does not count)}, near = array of
-- {rule, broke, done, shared}, nearest first}
-- @return array of the rules over several steps of which at least one condition holds: {rule, matched, share (of its conditions that
-- hold), conditions}
function M.trace(fpset, knowledge, transcript)
  local hits = signatures.hits(knowledge.steps, transcript)
  local steps, composites, matched = {}, {}, {}
  for _, hit in ipairs(hits) do matched[hit.rule] = true end
  for _, step in ipairs(transcript.steps) do
    if step.reply ~= "" then steps[#steps + 1] = step_trace(fpset, knowledge.rules, step, hits) end
  end
  local all = table.move(transcript.steps, 1, #transcript.steps, 1, {})
  for _, step in ipairs(derived.steps(transcript)) do all[#all + 1] = step end
  for _, rule in ipairs(knowledge.rules) do
    if rule.conditions and not rule.bad then
      composites[#composites + 1] = composite_trace(fpset, rule, all, matched[rule] or false)
    end
  end
  return steps, composites
end

return M
