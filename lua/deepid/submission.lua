--- Nmap's service fingerprints, `SF-Port25-TCP:V=7.93%I=7%...%r(NULL,2B,"220\x20...")...;`, as it prints them for submission.
--
-- Nmap wraps them over lines that begin with `SF:`, anywhere, escapes the bytes of each reply, and cuts long replies (900 bytes), though
-- it gives their whole length, in hexadecimal.

local escape = require "deepid.escape"
local reply = require "deepid.reply"

local M = {}

-- What Nmap's probes say behind the greeting that they do not wait for, and the step whose first line is the same.
local PROBES = {
  NULL = { step = nil, sent = "" },
  Hello = { step = "ehlo", sent = "EHLO\r\n" },
  Help = { step = "help", sent = "HELP\r\n" },
  GetRequest = { step = "http", sent = "GET / HTTP/1.0\r\n\r\n" },
}

-- Nmap escapes as escape.visible does, and further a quote, the signs of a regex, and a NUL as \0.
local function unescape(text)
  text = text:gsub("\\(.)", function(letter)
    if letter == "0" then return "\\x00" end
    if letter:find("[%w\\]") then return nil end
    return letter
  end)
  return escape.bytes(text)
end

-- The first reply only: Nmap's GetRequest asks for a second one with its empty line.
local function first_reply(bytes) return (reply.split(bytes)) end

local function new_step(name, connection, sent, bytes, whole)
  return { step = name, connection = connection, tls = "none", sent = sent, reply = bytes,
    ["end"] = not whole and "limit" or reply.complete(bytes) and "reply" or "timeout" }
end

-- The steps that one probe's reply shows.
local function add_probe(transcript, probe, bytes, whole, connection)
  local known = PROBES[probe]
  local greeting, rest = reply.split(bytes)
  local steps = transcript.steps
  steps[#steps + 1] = new_step("greeting", connection, "", greeting, whole or rest ~= "")
  if rest == "" then return end
  if known and known.step then
    local answer = first_reply(rest)
    steps[#steps + 1] = new_step(known.step, connection, known.sent, answer, whole or #answer < #rest)
  else
    transcript.left_out[#transcript.left_out + 1] = probe
  end
end

local ENTITIES = { quot = '"', amp = "&", lt = "<", gt = ">", apos = "'" }

local function unescape_xml(text)
  return (text:gsub("&#x(%x%x?);", function(hex) return string.char(tonumber(hex, 16)) end):gsub("&(%l+);", ENTITIES))
end

-- Every blob of a text, its lines joined; in Nmap's XML each is an attribute, on one line.
local function blobs(text)
  local list, current = {}, nil
  for value in text:gmatch('%sservicefp="(.-)"') do list[#list + 1] = unescape_xml(value) end
  for line in (text .. "\n"):gmatch("(.-)\r?\n") do
    local first, more = line:match("^%s*(SF%-Port.*)$"), line:match("^%s*SF:(.*)$")
    if first then
      list[#list + 1] = first
      current = #list
    elseif more and current then
      list[current] = list[current] .. more
    else
      current = nil
    end
  end
  return list
end

local function read_blob(blob)
  local port = blob:match("^SF%-Port(%d+)%-TCP:")
  if not port then return nil, "not Nmap's fingerprint of a TCP port" end
  if not blob:find(";%s*$") then return nil, "the fingerprint of port " .. port .. " has no end; are all of its SF: lines there?" end
  local transcript = { record = "transcript", port = tonumber(port), steps = {}, left_out = {} }
  local connection = 0
  for probe, length, quoted in blob:gmatch('%%r%(([%w_-]+),(%x+),"(.-)"%)%f[%%;]') do
    local bytes, message = unescape(quoted)
    if not bytes then return nil, probe .. ": " .. message end
    connection = connection + 1
    add_probe(transcript, probe, bytes, #bytes == tonumber(length, 16), connection)
  end
  if connection == 0 then return nil, "the fingerprint of port " .. port .. " holds no reply" end
  return transcript
end

--- Whether a text holds a fingerprint.
function M.found(text) return ("\n" .. text):find("\n%s*SF%-Port%d+%-") ~= nil or text:find('%sservicefp="SF%-Port%d+%-') ~= nil end

--- Reads the fingerprints in a text, such as Nmap's normal output or its XML.
--
-- Each probe is a connection, its first reply the greeting. What follows is taken where Nmap's probe says what a step of ours says: Hello
-- (without a name, so many servers refuse it), Help, GetRequest. The transcript's `left_out` names the other probes that were answered.
--
-- @return array of transcripts, array of messages
function M.parse(text)
  local list, problems = {}, {}
  for _, blob in ipairs(blobs(text)) do
    local transcript, message = read_blob(blob)
    if transcript then list[#list + 1] = transcript else problems[#problems + 1] = message end
  end
  return list, problems
end

return M
