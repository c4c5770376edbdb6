--- The `deepid` command.

local deepid = require "deepid"
local escape = require "deepid.escape"

local M = {}

local USAGE = [[
usage: deepid identify [--json] [--second-opinion PROBES] FILE...
       deepid lint [RULES...]
       deepid help

identify  says what each transcript shows, one result each, in order. FILE (or -
          for standard input) holds one a line: a greeting, an address, a tab and
          a greeting, or a JSON transcript as smtp-deepid.save writes them. In a
          greeting, \r \n \t \\ and \xHH are escapes. A file NAME.md is a recording.
  --json                   one JSON port result a line
  --second-opinion PROBES  ask this nmap-service-probes where our rules are silent
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

function COMMANDS.identify(args)
  local options, paths, i = {}, {}, 1
  while args[i] do
    if args[i] == "--json" then
      options.json = true
    elseif args[i] == "--second-opinion" then
      i = i + 1
      options.second_opinion = args[i]
      if not args[i] then return usage_error("--second-opinion needs a file") end
    elseif args[i]:find("^%-.") then
      return usage_error("unknown option " .. args[i])
    else
      paths[#paths + 1] = args[i]
    end
    i = i + 1
  end
  if #paths == 0 then return usage_error("identify needs a file") end
  local engine, message = deepid.open({ second_opinion = options.second_opinion })
  if not engine then
    complain(message)
    return 1
  end
  for _, problem in ipairs(engine.problems) do complain(problem) end
  local ok = #engine.problems == 0
  for _, path in ipairs(paths) do ok = identify_file(engine, path, options) and ok end
  for _, problem in ipairs(engine.second_opinion and engine.second_opinion.problems or {}) do complain(problem) end
  return ok and 0 or 1
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

function COMMANDS.help()
  io.write(USAGE)
  return 0
end

--- Runs the command.
--
-- @param args  array of command line words
-- @return exit status
function M.main(args)
  local command = COMMANDS[args[1] or ""]
  if not command then return usage_error(args[1] and "unknown command " .. args[1] or "no command") end
  return command(table.move(args, 2, #args, 1, {}))
end

return M
