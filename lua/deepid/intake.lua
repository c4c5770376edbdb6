--- Reads files into a survey: saved scans, and plain lines of an address, a tab and a greeting.

local escape = require "deepid.escape"
local json = require "deepid.json"
local transcript = require "deepid.transcript"

local M = {}

-- Most greetings are told from others by few templates: what a text was found to be is kept, so many.
local MOST_KEPT = 10000

-- The record in a JSON line.
local function from_json(line)
  local record, message = json.decode(line)
  if type(record) ~= "table" then return nil, message or "not a JSON object" end
  if record.record == "scan" or record.record == "host" then return record end
  if record.record ~= nil and record.record ~= "transcript" then return nil end
  return transcript.from_record(record)
end

local function from_plain(line)
  local address, greeting = line:match("^([%x:.]+)\t(.*)$")
  if not address then return nil, "neither a JSON record nor an address, a tab and a greeting" end
  return transcript.from_greeting(escape.bytes(greeting) or greeting, address)
end

--- Reads one line.
--
-- @return record
-- @return nil where it holds none
-- @return nil and a message where it is broken
function M.line(line)
  if line:find("^%s*{") then return from_json(line) end
  if not line:find("%S") then return nil end
  return from_plain(line)
end

-- Identifies a transcript; the same lone greeting once only.
local function identify(engine, record, kept)
  local greeting = #record.steps == 1 and record.steps[1].reply
  if greeting and kept[greeting] then return kept[greeting] end
  local result = engine:identify(record)
  if greeting and kept.count < MOST_KEPT then kept[greeting], kept.count = result, kept.count + 1 end
  return result
end

--- Reads a file into a survey.
--
-- @param path    "-" for standard input
-- @param survey  deepid.survey
-- @param engine  (optional) what <code>deepid.open</code> gave: names products, and texts that give interceptors away
-- @return array of messages about lines that could not be read
-- @return nil and a message when the file cannot be opened
function M.file(path, survey, engine)
  local file, message = io.stdin, nil
  if path ~= "-" then file, message = io.open(path, "rb") end
  if not file then return nil, message end
  local problems, number, kept = {}, 0, { count = 0 }
  for line in file:lines() do
    number = number + 1
    local record, problem = M.line((line:gsub("\r$", "")))
    if record then
      survey:add(record, engine and record.steps and identify(engine, record, kept))
    elseif problem then
      problems[#problems + 1] = ("%s:%d: %s"):format(path, number, problem)
    end
  end
  if path ~= "-" then file:close() end
  return problems
end

return M
