--- The `deepid` command.

local authoring = require "deepid.authoring"
local compare = require "deepid.compare"
local deepid = require "deepid"
local escape = require "deepid.escape"
local intake = require "deepid.intake"
local keys = require "deepid.keys"

local M = {}

local USAGE = [[
usage: deepid identify [--json] [--second-opinion PROBES] FILE...
       deepid survey [--json] [--keys] FILE...
       deepid partial -o STATE FILE...
       deepid merge [--json] [--keys] STATE... | -o STATE STATE...
       deepid compare [--json] HERE THERE
       deepid explain [--step STEP] [--near N] FILE...
       deepid draft [--step STEP] [--product NAME] [--id ID] [--role ROLE] [--cite TEXT] FILE...
       deepid lint [RULES...]
       deepid help

identify  says what each transcript shows, one result each, in order. FILE (or -
          for standard input) holds one a line: a greeting, an address, a tab and
          a greeting, or a JSON transcript as smtp-deepid.save writes them. In a
          greeting, \r \n \t \\ and \xHH are escapes. A file NAME.md is a recording.
  --json                   one JSON port result a line
  --second-opinion PROBES  ask this nmap-service-probes where our rules are silent
survey    says who answered: the targets, something in their place, or nobody, and
          why. FILE as for identify, but each greeting with its address, and no
          recordings; scans of one place together. Millions of greetings do: what
          does not fit into some 60 MB goes to unnamed files in TMPDIR (or /tmp).
  --keys                   and the commonest host names, greetings (as they are, and
                           without what differs from host to host), dialects, EHLO
                           keywords, certificate keys and refusals, counted
partial   reads a part of what survey would read, and writes what is needed of it to
          the file STATE: what the verdict asks of each host, not the replies. What
          sessions are is named now, what lines of greetings are by merge.
merge     says what survey says of all that the states were made from, whatever the
          parts and their order; or writes all of it to one STATE (-o).
compare   the same of two scans of the same targets, made from two places.
explain   which rules match, which nearly do, and where those break (doc/knowledge.md). FILE
          as for identify, or what Nmap prints for submission (SF-Port25-TCP:...),
          in its normal output or its XML.
  --step STEP              what raw replies answer: greeting (default), ehlo, help, ...
  --near N                 near misses shown for each reply (3)
draft     proposes a rule for replies that no rule knows, checked against all examples,
          and the line for Nmap's own file. FILE and --step as for explain; each
          option overrides a guess, but for --cite: where the samples come from
lint      checks rule files; without names, those that came with smtp-deepid

Exit status: 0 well; 1 something could not be read or is wrong; 2 bad usage.
]]

local function complain(message) io.stderr:write("deepid: ", message, "\n") end

-- The transcript in one line of a file; nil alone for lines that hold none.
local function read_line(line)
  if line:find("^%s*{") then return deepid.transcript.from_line(line) end
  if not line:find("%S") then return nil end
  local address, greeting = line:match("^([%x:.]+)\t(.*)$")
  greeting = greeting or line
  return deepid.transcript.from_greeting(escape.bytes(greeting) or greeting, address)
end

local function show(result, options)
  if options.json then
    io.write(deepid.json.encode(result), "\n")
  else
    local address = result.address or "-"
    io.write(("%s port %d\n  %s\n"):format(address, result.port or 25, table.concat(deepid.report.lines(result), "\n  ")))
  end
end

local function identify_recording(engine, path, text, options)
  local transcript, message = deepid.transcript.from_markdown(text, path)
  if not transcript then
    complain(message)
    return false
  end
  show(engine:identify(transcript), options)
  return true
end

local function identify_lines(engine, path, file, options)
  local ok, number = true, 0
  for line in file:lines() do
    number = number + 1
    local transcript, message = read_line((line:gsub("\r$", "")))
    if transcript then
      show(engine:identify(transcript), options)
    elseif message then
      complain(("%s:%d: %s"):format(path, number, message))
      ok = false
    end
  end
  return ok
end

local function identify_file(engine, path, options)
  local file, message = io.stdin, nil
  if path ~= "-" then file, message = io.open(path, "rb") end
  if not file then
    complain(message)
    return false
  end
  local ok
  if path:find("%.md$") then
    ok = identify_recording(engine, path, file:read("a"), options)
  else
    ok = identify_lines(engine, path, file, options)
  end
  if path ~= "-" then file:close() end
  return ok
end

local function usage_error(message)
  complain(message)
  io.stderr:write(USAGE)
  return 2
end

local COMMANDS = {}

-- Splits words into options and file names. `known` maps an option to true, or to "value" where a word follows it.
-- @return options, paths; or nil and a message
local function read_words(words, known)
  local options, paths, i = {}, {}, 1
  while words[i] do
    local name = words[i]:match("^%-%-(..+)$") or words[i]:match("^%-([^-])$")
    if name and known[name] == "value" then
      i = i + 1
      if not words[i] then return nil, words[i - 1] .. " needs a value" end
      options[name] = words[i]
    elseif name and known[name] then
      options[name] = true
    elseif words[i]:find("^%-.") then
      return nil, "unknown option " .. words[i]
    else
      paths[#paths + 1] = words[i]
    end
    i = i + 1
  end
  return options, paths
end

-- Opens the engine; its problems are told, and are no reason to stop.
local function open_engine(options)
  local engine, message = deepid.open(options)
  for _, problem in ipairs(engine and engine.problems or { message }) do complain(problem) end
  return engine
end

function COMMANDS.identify(args)
  local options, paths = read_words(args, { json = true, ["second-opinion"] = "value" })
  if not options then return usage_error(paths) end
  if #paths == 0 then return usage_error("identify needs a file") end
  local engine = open_engine({ second_opinion = options["second-opinion"] })
  if not engine then return 1 end
  local ok = #engine.problems == 0
  for _, path in ipairs(paths) do ok = identify_file(engine, path, options) and ok end
  for _, problem in ipairs(engine.second_opinion and engine.second_opinion.problems or {}) do complain(problem) end
  return ok and 0 or 1
end

-- Reads files into one survey.
-- @return survey, or nil when a file cannot be opened; whether all of it could be read
local function read_survey(engine, paths)
  local survey, ok = deepid.survey.new(engine), true
  for _, path in ipairs(paths) do
    local problems, message = intake.file(path, survey)
    if not problems then
      complain(message)
      return nil, false
    end
    for _, problem in ipairs(problems) do complain(problem) end
    ok = ok and #problems == 0
  end
  return survey, ok
end

-- Reads states into one survey.
-- @return survey, or nil when one of them cannot be taken
local function read_states(engine, paths)
  local survey = deepid.survey.new(engine)
  for _, path in ipairs(paths) do
    local ok, message = survey:load(path)
    if not ok then
      complain(message)
      return nil
    end
  end
  return survey
end

local function show_survey(survey, options)
  local object, message = deepid.verdict.judge(survey)
  if not object then
    complain(message)
    return false
  end
  if options.keys then
    collectgarbage() -- of what the verdict was made from nothing is asked any more
    object.keys = keys.commonest(survey)
  end
  if options.json then
    io.write(deepid.json.encode(object), "\n")
  else
    local lines = deepid.words.lines(object)
    for _, line in ipairs(keys.lines(object.keys or {})) do lines[#lines + 1] = line end
    io.write(table.concat(lines, "\n"), "\n")
  end
  return true
end

local function save_survey(survey, path)
  local ok, message = survey:save(path)
  if not ok then complain(message) end
  return ok
end

function COMMANDS.survey(args)
  local options, paths = read_words(args, { json = true, keys = true })
  if not options then return usage_error(paths) end
  if #paths == 0 then return usage_error("survey needs a file") end
  local engine = open_engine()
  local survey, ok = nil, false
  if engine then survey, ok = read_survey(engine, paths) end
  return survey and show_survey(survey, options) and ok and 0 or 1
end

function COMMANDS.partial(args)
  local options, paths = read_words(args, { o = "value" })
  if not options then return usage_error(paths) end
  if not options.o or #paths == 0 then return usage_error("partial needs a state to write (-o STATE) and a file to read") end
  local engine = open_engine()
  local survey, ok = nil, false
  if engine then survey, ok = read_survey(engine, paths) end
  return survey and save_survey(survey, options.o) and ok and 0 or 1
end

function COMMANDS.merge(args)
  local options, paths = read_words(args, { json = true, keys = true, o = "value" })
  if not options then return usage_error(paths) end
  if #paths == 0 then return usage_error("merge needs a state") end
  if options.o and (options.json or options.keys) then return usage_error("merge says its verdict (--json, --keys) or writes a state (-o), not both") end
  local engine = open_engine()
  local survey = engine and read_states(engine, paths)
  if not survey then return 1 end
  if options.o then return save_survey(survey, options.o) and 0 or 1 end
  return show_survey(survey, options) and 0 or 1
end

function COMMANDS.compare(args)
  local options, paths = read_words(args, { json = true })
  if not options then return usage_error(paths) end
  if #paths ~= 2 then return usage_error("compare needs two files") end
  local engine = open_engine()
  local here, here_ok = nil, false
  if engine then here, here_ok = read_survey(engine, { paths[1] }) end
  local there, there_ok = nil, false
  if here then there, there_ok = read_survey(engine, { paths[2] }) end
  if not there then return 1 end
  local result, message = compare.judge(here, there)
  if not result then
    complain(message)
    return 1
  end
  if options.json then
    io.write(deepid.json.encode(result), "\n")
  else
    io.write(table.concat(compare.lines(result, paths[1], paths[2]), "\n"), "\n")
  end
  return here_ok and there_ok and 0 or 1
end

function COMMANDS.lint(paths)
  local knowledge = require "deepid.knowledge"
  local lib, message = require("deepid.core").load()
  local folder, missing = knowledge.find()
  if not lib or (#paths == 0 and not folder) then
    complain(message or missing)
    return 1
  end
  if #paths == 0 then
    for i, name in ipairs(knowledge.FILES) do paths[i] = folder .. "/" .. name end
  end
  local problems, rules, examples = require("deepid.lint").check(paths, lib.fpset)
  for _, problem in ipairs(problems) do print(problem) end
  print(("%d rules, %d examples, %d problems"):format(rules, examples, #problems))
  return #problems == 0 and 0 or 1
end

authoring.add_commands(COMMANDS, { read_words = read_words, usage_error = usage_error, complain = complain })

function COMMANDS.help()
  io.write(USAGE)
  return 0
end

-- Lua lets its garbage grow to a multiple of what is in use, and makes more while it is slowly tidied up; in millions of hosts that is most of the memory.
local GARBAGE_PERCENT, TIDYING_PERCENT = 110, 400

--- Runs the command.
--
-- @param args  array of command line words
-- @return exit status
function M.main(args)
  local command = COMMANDS[args[1] or ""]
  if not command then return usage_error(args[1] and "unknown command " .. args[1] or "no command") end
  collectgarbage("setpause", GARBAGE_PERCENT)
  collectgarbage("setstepmul", TIDYING_PERCENT)
  return command(table.move(args, 2, #args, 1, {}))
end

return M
