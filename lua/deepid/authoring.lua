--- The commands for people who write rules: `deepid explain` and `deepid draft`.

local core = require "deepid.core"
local draft = require "deepid.draft"
local draft_check = require "deepid.draft_check"
local draft_words = require "deepid.draft_words"
local escape = require "deepid.escape"
local identify = require "deepid.identify"
local knowledge = require "deepid.knowledge"
local lint = require "deepid.lint"
local report = require "deepid.report"
local rules = require "deepid.rules"
local samples = require "deepid.samples"
local trace_dialect = require "deepid.trace_dialect"
local trace_rules = require "deepid.trace_rules"
local trace_words = require "deepid.trace_words"

local M = {}

local MOST_NEAR = 3 -- near misses shown for each reply

-- What is said of a transcript, part by part: each a function of (tools, transcript, options) that returns an array of lines.
local function answer_lines(tools, transcript)
  local lines = {}
  for i, line in ipairs(report.lines(identify.identify(tools.knowledge, transcript))) do lines[i] = "  " .. line end
  if transcript.left_out and #transcript.left_out > 0 then
    lines[#lines + 1] = "  left out: Nmap's probes " .. table.concat(transcript.left_out, ", ") .. ", which say what no step of ours says"
  end
  return lines
end

local function rule_lines(tools, transcript, options)
  local steps, composites = trace_rules.trace(tools.fpset, tools.knowledge, transcript)
  return trace_words.lines(steps, composites, options.near)
end

local function dialect_lines(tools, transcript) return trace_dialect.lines(tools.knowledge, transcript) end

local EXPLAINS = { answer_lines, rule_lines, dialect_lines }

local function open_tools(complain)
  local lib, message = core.load()
  local known, missing = knowledge.load(nil, { texts = true })
  if not lib or not known then return complain(message or missing) end
  for _, problem in ipairs(known.problems) do complain(problem) end
  return { fpset = lib.fpset, knowledge = known }
end

-- All samples of the files; whether all could be read.
local function read_samples(paths, step, complain)
  local all, ok = {}, true
  for _, path in ipairs(paths) do
    local list, problems = samples.read(path, step)
    if not list then list, problems = {}, { problems } end
    for _, problem in ipairs(problems) do
      complain(problem)
      ok = false
    end
    for _, one in ipairs(list) do all[#all + 1] = one end
  end
  return all, ok
end

local function explain(options, paths, complain)
  local tools = open_tools(complain)
  if not tools then return 1 end
  local list, ok = read_samples(paths, options.step, complain)
  for _, transcript in ipairs(list) do
    print(("%s port %d"):format(escape.visible(transcript.address or "-"), transcript.port or 25))
    for _, part in ipairs(EXPLAINS) do
      for _, line in ipairs(part(tools, transcript, options)) do print(line) end
    end
  end
  return ok and #list > 0 and 0 or 1
end

-- The replies to one step, each once, and what was asked.
local function replies_to(step, list)
  local found, seen = {}, {}
  for _, transcript in ipairs(list) do
    for _, one in ipairs(transcript.steps) do
      if one.step == step and one["end"] == "reply" and not seen[one.reply] then
        seen[one.reply] = true
        found[#found + 1] = { reply = one.reply, sent = one.sent }
      end
    end
  end
  return found
end

-- What the linter says of the block alone.
local function lint_block(lines, fpset)
  local list, problems = rules.parse(table.concat(lines, "\n"), "draft")
  for i, rule in ipairs(list) do rule.order = i end
  return table.move(problems, 1, #problems, 1, lint.check_list(list, fpset))
end

local function show_draft(made, checked, replies, options, fpset)
  local cite = options.cite or ("%d sample%s seen by the author; say here of which servers, and how that is known"):format(#replies, #replies == 1 and "" or "s")
  local block = draft_words.block(made, checked, cite, fpset)
  print(table.concat(draft_words.notes(made, checked, #replies), "\n"))
  print(table.concat(block, "\n"))
  local probe, line = draft_words.for_nmap(made, replies[1].sent)
  print(probe and ("\n# For Nmap's own file, below `%s`:\n# %s"):format(probe, line) or "\n# No line for Nmap's own file: " .. line .. ".")
  return lint_block(block, fpset)
end

local function run_draft(options, paths, complain)
  local tools = open_tools(complain)
  if not tools then return 1 end
  local list, ok = read_samples(paths, options.step, complain)
  local replies, taken = replies_to(options.step, list), {}
  for _, rule in ipairs(tools.knowledge.rules) do taken[rule.id] = true end
  local made, message = draft.draft(replies, { step = options.step, product = options.product, id = options.id, role = options.role, taken = taken })
  local checked
  if made then checked, message = draft_check.check(tools.fpset, tools.knowledge, made, replies) end
  if not checked then return complain(message) or 1 end
  local problems = show_draft(made, checked, replies, options, tools.fpset)
  for _, problem in ipairs(problems) do complain(problem) end
  return ok and #problems == 0 and #checked.robbed == 0 and 0 or 1
end

--- Adds the commands to a table of commands.
--
-- @param commands  name -> function of an array of words that returns an exit status
-- @param shell     what the command line offers: read_words, usage_error, complain
function M.add_commands(commands, shell)
  function commands.explain(args)
    local options, paths = shell.read_words(args, { step = "value", near = "value" })
    if not options then return shell.usage_error(paths) end
    if #paths == 0 then return shell.usage_error("explain needs a file") end
    options.near = math.tointeger(tonumber(options.near or MOST_NEAR))
    if not options.near then return shell.usage_error("--near takes a number") end
    return explain(options, paths, shell.complain)
  end

  function commands.draft(args)
    local options, paths = shell.read_words(args, { step = "value", product = "value", id = "value", role = "value", cite = "value" })
    if not options then return shell.usage_error(paths) end
    if #paths == 0 then return shell.usage_error("draft needs a file") end
    options.step = options.step or "greeting"
    return run_draft(options, paths, shell.complain)
  end
end

return M
