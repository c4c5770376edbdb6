--- Replies to study, from whatever a user has: saved scans, recordings, Nmap's fingerprints, raw replies.

local escape = require "deepid.escape"
local submission = require "deepid.submission"
local transcript = require "deepid.transcript"

local M = {}

local function read_all(path)
  local file, message = io.stdin, nil
  if path ~= "-" then file, message = io.open(path, "rb") end
  if not file then return nil, message end
  local text = file:read("a")
  if path ~= "-" then file:close() end
  return text
end

-- A raw line: its bytes, escapes read, and the address before a tab where there is one.
local function raw_line(text)
  local address, rest = text:match("^([%x:.]+)\t(.*)$")
  text = rest or text
  return { address = address, bytes = escape.bytes(text) or text }
end

-- Raw lines as replies: `250-` asks for the line that follows (RFC 5321 4.2.1), as it stands in a file that nc wrote.
local function join_lines(lines)
  local replies, open = {}, nil
  for _, line in ipairs(lines) do
    if open then
      open.bytes = open.bytes .. "\r\n" .. line.bytes
    else
      replies[#replies + 1] = line
    end
    local going_on = line.bytes:find("^%d%d%d%-") and not line.bytes:find("\n", 1, true)
    open = going_on and replies[#replies] or nil
  end
  return replies
end

local function read_lines(path, text, step)
  local list, problems, raw, number = {}, {}, {}, 0
  for line in (text .. "\n"):gmatch("(.-)\r?\n") do
    number = number + 1
    if line:find("^%s*{") then
      local made, message = transcript.from_line(line)
      if made then list[#list + 1] = made end
      if message then problems[#problems + 1] = ("%s:%d: %s"):format(path, number, message) end
    elseif line:find("%S") then
      raw[#raw + 1] = raw_line(line)
    end
  end
  for _, one in ipairs(join_lines(raw)) do
    list[#list + 1] = transcript.from_greeting(one.bytes, one.address)
    list[#list].steps[1].step = step
  end
  return list, problems
end

--- Reads a file of samples.
--
-- A recording (NAME.md); JSON lines as smtp-deepid.save writes them; Nmap's output with a service fingerprint in it; else raw replies, one
-- a line, with the escapes \r \n \t \\ \xHH, or lines as they came, where `220-` goes on in the next line.
--
-- @param path  "-" for standard input
-- @param step  (optional) what raw replies answer; default greeting
-- @return array of transcripts, array of messages
-- @return nil and a message when the file cannot be read
function M.read(path, step)
  local text, message = read_all(path)
  if not text then return nil, message end
  if path:find("%.md$") then
    local made, wrong = transcript.from_markdown(text, path)
    return { made }, { not made and wrong or nil }
  end
  if submission.found(text) then
    local list, problems = submission.parse(text)
    for i, problem in ipairs(problems) do problems[i] = path .. ": " .. problem end
    return list, problems
  end
  return read_lines(path, text, step or "greeting")
end

return M
