--- Reads files into a survey: saved scans, and plain lines of an address, a tab and a greeting.

local facts = require "deepid.facts"
local json = require "deepid.json"
local transcript = require "deepid.transcript"

local M = {}

local BLOCK = 1 << 18 -- bytes that are read at a time
local MOST_PROBLEMS = 100 -- of a file, that are told one by one

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
  if not facts.is_address(address) then return nil, address .. " is no address" end
  return { record = "greeting", address = address, greeting = greeting }
end

-- The record in a line; nil alone where it holds none.
local function from_line(line)
  if line:find("^%s*{") then return from_json(line) end
  if not line:find("%S") then return nil end
  return from_plain(line)
end

-- Whole lines, some at a time; nil at the end; nil and a message where the file cannot be read.
local function next_block(file)
  local block, message = file:read(BLOCK)
  if not block then return nil, message end
  return block .. (file:read("L") or "")
end

-- Lists of greetings the core reads by itself; the other lines are read here.
local function read(file, path, survey)
  local problems, number, broken = {}, 0, 0
  local block, message = next_block(file)
  while block do
    local count, others = survey:add_lines(block)
    if not count then return nil, others .. "; with TMPDIR=FOLDER another folder is used" end
    for i = 1, #others, 2 do
      local record, problem = from_line(others[i + 1])
      if record then survey:add(record) end
      if problem then broken = broken + 1 end
      if problem and broken <= MOST_PROBLEMS then problems[broken] = ("%s:%d: %s"):format(path, number + others[i], problem) end
    end
    number = number + count
    block, message = next_block(file)
  end
  if message then return nil, ("%s: %s"):format(path, message) end
  if broken > MOST_PROBLEMS then problems[#problems + 1] = ("%s: and %d more lines that cannot be read"):format(path, broken - MOST_PROBLEMS) end
  return problems
end

--- Reads a file into a survey.
--
-- @param path    "-" for standard input
-- @param survey  deepid.survey
-- @return array of messages about lines that could not be read
-- @return nil and a message when the file cannot be opened, or the survey cannot take it
function M.file(path, survey)
  local file, message = io.stdin, nil
  if path ~= "-" then file, message = io.open(path, "rb") end
  if not file then return nil, message end
  local problems, broken = read(file, path, survey)
  if path ~= "-" then file:close() end
  return problems, broken
end

return M
