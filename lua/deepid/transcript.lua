--- Transcripts in and out: a greeting, a saved record, a recording in Markdown.

local escape = require "deepid.escape"
local json = require "deepid.json"

local M = {}

local ENDS = { reply = true, timeout = true, close = true, reset = true, limit = true, error = true }
local MOST_STEPS = 1000

--- A transcript of one greeting.
--
-- @param greeting  raw bytes; a missing line end is added
-- @param address   (optional) whose it is
-- @param port      (optional) default 25
function M.from_greeting(greeting, address, port)
  if not greeting:find("\n$") then greeting = greeting .. "\r\n" end
  return {
    record = "transcript", address = address, port = port or 25,
    steps = { { step = "greeting", connection = 1, tls = "none", sent = "", reply = greeting, ["end"] = "reply" } },
  }
end

local function check_step(step, i)
  if type(step) ~= "table" then return ("step %d is not an object"):format(i) end
  if type(step.step) ~= "string" then return ("step %d has no name"):format(i) end
  for _, name in ipairs({ "sent", "reply" }) do
    if step[name] ~= nil and type(step[name]) ~= "string" then return ("step %d: %s is not a string"):format(i, name) end
  end
  for _, name in ipairs({ "at", "ms", "first_ms", "connection" }) do
    if step[name] ~= nil and type(step[name]) ~= "number" then return ("step %d: %s is not a number"):format(i, name) end
  end
  if step["end"] ~= nil and not ENDS[step["end"]] then return ("step %d: unknown end"):format(i) end
end

local function check_certificate(certificate)
  if certificate == nil then return end
  if type(certificate) ~= "table" then return "the certificate is not an object" end
  for _, name in ipairs({ "subject", "spki_sha256" }) do
    if certificate[name] ~= nil and type(certificate[name]) ~= "string" then return "certificate: " .. name .. " is not a string" end
  end
  for _, name in ipairs(type(certificate.names) == "table" and certificate.names or {}) do
    if type(name) ~= "string" then return "certificate: a name is not a string" end
  end
end

--- Checks a decoded record and fills in what may be left out.
--
-- @return the transcript
-- @return nil and a message
function M.from_record(record)
  if type(record) ~= "table" or type(record.steps) ~= "table" then return nil, "not a transcript: it has no steps" end
  if #record.steps > MOST_STEPS then return nil, ("more than %d steps"):format(MOST_STEPS) end
  if record.address ~= nil and type(record.address) ~= "string" then return nil, "the address is not a string" end
  if record.port ~= nil and math.type(record.port) ~= "integer" then return nil, "the port is not a whole number" end
  local message = check_certificate(record.certificate)
  for i, step in ipairs(record.steps) do
    message = message or check_step(step, i)
    if message then return nil, message end
    step.sent, step.reply = step.sent or "", step.reply or ""
    step["end"] = step["end"] or "reply"
  end
  if message then return nil, message end
  return record
end

--- Reads one line of a saved scan.
--
-- @return the transcript
-- @return nil when the line is another kind of record
-- @return nil and a message when it is broken
function M.from_line(line)
  local record, message = json.decode(line)
  if type(record) ~= "table" then return nil, message or "not a JSON object" end
  if record.record ~= nil and record.record ~= "transcript" then return nil end
  return M.from_record(record)
end

local function start_step(text)
  local name, settings = text:match("^%-%- (%l+)(.*)$")
  if not name then return nil end
  local step = { step = name, sent = "", reply = "", connection = 1, tls = "none", ["end"] = "reply" }
  for key, value in settings:gmatch("([%w_]+)=(%S+)") do step[key] = tonumber(value) or value end
  return step
end

local function add_line(transcript, line)
  local step = start_step(line)
  if step then
    transcript.steps[#transcript.steps + 1] = step
    return
  end
  local side, text = line:match("^([CS]) (.*)$")
  step = transcript.steps[#transcript.steps]
  if not (side and step) then return "expected -- STEP, C or S" end
  local bytes, message = escape.bytes(text)
  if not bytes then return message end
  local key = side == "C" and "sent" or "reply"
  step[key] = step[key] .. bytes
end

--- Reads a recording (DESIGN.md, "Recordings").
--
-- @param text  Markdown
-- @param file  its name, for messages
-- @return the transcript, and its list of facts as a table
-- @return nil and a message
function M.from_markdown(text, file)
  local transcript, facts = { record = "transcript", port = 25, steps = {} }, {}
  local inside, number = false, 0
  for line in (text .. "\n"):gmatch("(.-)\r?\n") do
    number = number + 1
    if line:find("^```") then
      inside = not inside and line:find("^```transcript%s*$") ~= nil
    elseif inside and line:find("%S") then
      local message = add_line(transcript, line)
      if message then return nil, ("%s:%d: %s"):format(file, number, message) end
    elseif not inside then
      local key, value = line:match("^%- ([%l_ ]+): (.*)$")
      if key then facts[key] = value end
    end
  end
  if #transcript.steps == 0 then return nil, file .. ": no transcript in it" end
  transcript.address, transcript.port = facts.address, tonumber(facts.port) or 25
  return transcript, facts
end

return M
