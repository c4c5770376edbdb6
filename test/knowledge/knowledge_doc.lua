#!/usr/bin/env lua5.4
--- Follows doc/knowledge.md to the letter, in a copy of the repository: writes its files, runs its commands, and compares what they print.
--
-- ```rules FILE          what stands in a file of rules
-- ```text NAME           a file to write; >>NAME: lines to append
-- ```lua FILE            lines to insert behind `local ROWS = {`
-- ```console             commands behind `$ `, each with what it prints: `...` stands for any text in a line, alone in one for any lines

local t = require "tap"

local function read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read("a")
  file:close()
  return text
end

local function write(path, text, mode)
  local file = assert(io.open(path, mode or "wb"))
  file:write(text)
  file:close()
end

local function output_of(command)
  local pipe = assert(io.popen(command))
  local text = pipe:read("a")
  return text, pipe:close()
end

local folder = output_of("mktemp -d"):gsub("\n", "")
-- With their times, so that make finds the cores up to date; recordings are many and only read.
local COPY = [[
  mkdir FOLDER/test && cp -a lua nselib csrc doc Makefile scripts FOLDER &&
  cp -a test/run test/*.lua test/knowledge FOLDER/test && ln -s "$PWD/test/transcripts" FOLDER/test/]]
assert(os.execute((COPY:gsub("FOLDER", folder))))

-- Blocks with a language, in order: {kind, name, text}.
local function blocks_of(text)
  local list = {}
  for kind, name, body in text:gmatch("\n```(%l+) ?([^\n]*)\n(.-\n)```%f[\n]") do list[#list + 1] = { kind = kind, name = name, body = body } end
  return list
end

-- Commands and what they print: array of {command, lines}.
local function commands_of(body)
  local list = {}
  for line in body:gmatch("([^\n]*)\n") do
    local command = line:match("^%$ (.*)$")
    if command then
      list[#list + 1] = { command = command, lines = {} }
    else
      table.insert(list[#list].lines, line)
    end
  end
  return list
end

local function line_matches(want, got)
  local pattern = want:gsub("%p", "%%%0"):gsub("%%%.%%%.%%%.", ".-")
  return got:find("^" .. pattern .. "$") ~= nil
end

-- Whether the wanted lines from `i` on match the lines got from `j` on.
local function lines_match(want, got, i, j)
  if i > #want then return j > #got end
  if want[i]:find("^%s*%.%.%.$") then
    for next_line = j, #got + 1 do
      if lines_match(want, got, i + 1, next_line) then return true end
    end
    return false
  end
  return got[j] ~= nil and line_matches(want[i], got[j]) and lines_match(want, got, i + 1, j + 1)
end

local function run(one)
  local output, ok = output_of(("cd %s && { %s\n} 2>&1"):format(folder, one.command))
  t.ok(ok, one.command .. " failed: " .. output)
  local got = {}
  for line in output:gmatch("([^\n]*)\n") do got[#got + 1] = line end
  t.ok(lines_match(one.lines, got, 1, 1), ("it prints otherwise than the document says:\n%s"):format(output))
end

local FOLLOW = {
  rules = function(block) t.has(read("nselib/data/deepid/" .. block.name), block.body, true) end,
  text = function(block)
    local appended = block.name:match("^>>(.*)$")
    write(folder .. "/" .. (appended or block.name), block.body, appended and "ab" or "wb")
  end,
  lua = function(block)
    local path, mark = folder .. "/" .. block.name, "local ROWS = {\n"
    local text = read(path)
    local _, at = text:find(mark, 1, true)
    t.ok(at, "no " .. mark)
    write(path, text:sub(1, at) .. block.body .. text:sub(at + 1))
  end,
  console = function(block)
    for _, one in ipairs(commands_of(block.body)) do run(one) end
  end,
}

local blocks = blocks_of(read("doc/knowledge.md"))
t.test("the document has steps to follow", function() t.ok(#blocks > 8, "few") end)
for _, block in ipairs(blocks) do
  t.test(block.kind .. ": " .. (block.name ~= "" and block.name or block.body:match("[^\n]*")), function() FOLLOW[block.kind](block) end)
end

os.execute("rm -rf " .. folder)
t.done()
