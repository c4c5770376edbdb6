--- What to do next in a session: a pure function of the transcript so far.
--
-- The rules, in the order in which they bind: nothing is sent before the greeting is whole, nor after a reply that asks
-- for a message (354); a greeting that is not 2xx gets QUIT alone; no connection is asked for more than two errors,
-- whatever the server answered; every connection that is still in step ends with QUIT.

local reply = require "deepid.reply"
local steps = require "deepid.steps"

local M = {}

M.MOST_ERRORS = 2
M.MOST_CONNECTIONS = 4
M.RETRY_PAUSE_MS = 3000

-- Asked in this order, each once, each where the connection can still afford it. Steps in clear text come first, since
-- a TLS handshake that fails takes the connection with it; HTTP comes last, since Postfix hangs up on it.
local ASKED = {
  greeting = {},
  adaptive = { "help", "unknown", "starttls" },
  full = { "noop", "help", "rset", "vrfy", "unknown", "wiz", "shell", "kill", "starttls", "http" },
}

local HELLO = { ehlo = true, helo = true, lhlo = true }
local IMPLICIT_TLS_PORTS = { [465] = true } -- RFC 8314 7.3
local LMTP_PORTS = { [24] = true } -- as Cyrus and Dovecot show it in their examples
local PLAIN_PORTS = { [24] = true, [25] = true, [587] = true } -- TLS at once here would be talking before the greeting

local function code_of(step) return reply.parse(step.reply).code or "" end
local function is_accepted(step) return code_of(step):find("^2") ~= nil end
local function is_refused(step) return code_of(step):find("^5") ~= nil end
local function asks_for_message(step) return code_of(step) == "354" end

local function offers_starttls(step)
  for _, extension in ipairs(reply.extensions(step.reply)) do
    if extension:upper():find("^STARTTLS%s*$") then return true end
  end
  return false
end

-- Notes one step in the summary of its connection.
local function note(now, step)
  now.last, now.sent[step.step] = step, true
  if step.step ~= "greeting" and code_of(step):find("^[45]") then now.errors = now.errors + 1 end
  if HELLO[step.step] then
    now.hello = step
    if is_accepted(step) then now.spoken = step.step end
    now.offered = step.tls == "none" and is_accepted(step) and offers_starttls(step)
  elseif step.step == "starttls" then
    now.offered = false
    if is_accepted(step) then now.hello = nil end -- RFC 3207 4.2: what was said before TLS is forgotten
  elseif step.step == "wiz" and is_accepted(step) then
    now.wizard = true
  end
end

-- The session so far, and its last connection: the errors it was asked for and the hello that counts.
local function summary(transcript)
  local now = { connection = 0, connections = { none = 0, implicit = 0 }, sent = {} }
  for _, step in ipairs(transcript.steps) do
    if step.connection ~= now.connection then
      now.connection, now.greeting, now.errors, now.hello, now.offered = step.connection, step, 0, nil, false
      now.connections[step.tls] = now.connections[step.tls] + 1
    end
    note(now, step)
  end
  return now
end

-- In step with us: the server answered, and may be asked again. One that let a step time out can still be told QUIT.
local function is_open(step)
  if step.step == "quit" or asks_for_message(step) or code_of(step) == "221" then return false end
  return step["end"] == "reply" or (step["end"] == "timeout" and step.step ~= "greeting")
end

-- LMTP by its name, in the greeting or in Nmap's word for the service; on its usual port unless it says SMTP.
local function is_lmtp(transcript, now)
  local greeting = now.greeting.reply
  return transcript.service == "lmtp" or greeting:find("%f[%a]LMTP%f[%A]") ~= nil
    or (LMTP_PORTS[transcript.port] ~= nil and not greeting:find("SMTP", 1, true))
end

local function first_hello(transcript, now, options)
  -- A full session hears the answer to HELO as well, on its second connection.
  if options.depth == "full" and now.connection > 1 and not now.sent.helo and not is_lmtp(transcript, now) then return "helo" end
  if now.spoken then return now.spoken end
  -- What was refused on an earlier connection is not asked again; a server that refused all is asked without.
  for _, name in ipairs(is_lmtp(transcript, now) and { "lhlo", "ehlo" } or { "ehlo", "helo", "lhlo" }) do
    if not now.sent[name] then return name end
  end
end

-- The hello to send next, or nil when one was accepted or none is left to try.
local function next_hello(transcript, now, options)
  local last, tried = now.hello, now.sent
  if not last then return first_hello(transcript, now, options) end
  if not is_refused(last) or now.errors >= M.MOST_ERRORS then return nil end
  if last.step == "lhlo" then return not tried.ehlo and "ehlo" or nil end
  if not tried.lhlo and last.reply:upper():find("LHLO", 1, true) then return "lhlo" end
  return not tried.helo and "helo" or nil
end

local function is_wanted(name, transcript, now, options)
  if now.sent[name] then return false end
  if name == "starttls" then return now.offered end
  if name == "shell" then return not now.wizard end -- a sendmail that takes WIZ in earnest would open one
  if name == "unknown" and options.depth == "adaptive" and options.settled then return not options.settled(transcript) end
  return true
end

-- An error is kept in reserve for a STARTTLS that is still to come.
local function is_affordable(name, now)
  local cost = steps.by_name[name].errors
  if cost == 0 then return now.errors < M.MOST_ERRORS end
  local reserve = name ~= "starttls" and now.offered and not now.sent.starttls and steps.by_name.starttls.errors or 0
  return now.errors + cost + reserve <= M.MOST_ERRORS
end

local function next_asked(transcript, now, options)
  for _, name in ipairs(ASKED[options.depth]) do
    if is_wanted(name, transcript, now, options) and is_affordable(name, now) then return name end
  end
end

local function next_step(transcript, now, options)
  local last = now.last
  if last["end"] == "timeout" or code_of(last) == "421" then return "quit" end
  if options.depth == "greeting" or not is_accepted(now.greeting) then return "quit" end
  if last.step == "wiz" and is_accepted(last) then return "quit" end
  return next_hello(transcript, now, options) or next_asked(transcript, now, options) or "quit"
end

local function first_tls(transcript, options)
  if options.tunnel then return options.tunnel == "ssl" and "implicit" or "none" end
  return IMPLICIT_TLS_PORTS[transcript.port] and "implicit" or "none"
end

-- The other way to speak to a port that did not speak the first one, or nil.
local function other_tls(transcript, now, options)
  local greeting = now.greeting
  if greeting.tls == "implicit" then
    return greeting["end"] == "error" and now.connections.none == 0 and options.tunnel ~= "ssl" and "none" or nil
  end
  if now.connections.implicit > 0 then return nil end
  -- A TLS record (RFC 8446 5.1): an alert or a handshake message, in answer to nothing.
  local is_tls = greeting.reply:find("^[\21\22]\3[\0-\4]") ~= nil
  local is_mute = greeting.reply == "" and greeting["end"] == "timeout"
    and options.tunnel == nil and not PLAIN_PORTS[transcript.port]
  return (is_tls or is_mute) and "implicit" or nil
end

-- 421, or closed without a word: perhaps only because Nmap was here a moment ago.
local function is_busy(greeting)
  local closed = greeting["end"] == "close" or greeting["end"] == "reset"
  return code_of(greeting) == "421" or (closed and greeting.reply == "")
end

-- Whether a full session has something left that another connection could ask.
local function is_unfinished(transcript, now, options)
  if options.depth ~= "full" or not is_accepted(now.greeting) or now.greeting["end"] ~= "reply" then return false end
  if not now.sent.helo and not is_lmtp(transcript, now) then return true end
  for _, name in ipairs(ASKED.full) do
    if is_wanted(name, transcript, now, options) then return true end
  end
  return false
end

local function next_connection(transcript, now, options)
  local number = now.connection + 1
  if number > M.MOST_CONNECTIONS or asks_for_message(now.last) then return nil end
  local tls = other_tls(transcript, now, options)
  if tls then return { connect = number, tls = tls, pause_ms = 0 } end
  tls = now.greeting.tls
  if is_busy(now.greeting) and now.connections[tls] == 1 then
    return { connect = number, tls = tls, pause_ms = options.retry_pause_ms or M.RETRY_PAUSE_MS }
  end
  if is_unfinished(transcript, now, options) then return { connect = number, tls = tls, pause_ms = 0 } end
  return nil
end

--- The next thing to do.
--
-- @param transcript  the transcript so far (DESIGN.md); without steps at first
-- @param options     <code>depth</code> ("greeting", "adaptive" or "full"); <code>tunnel</code> what Nmap found the port
--   to speak ("ssl", "none", nil where it did not ask); <code>settled</code> (optional) function of the transcript: true
--   where product and version are known; <code>retry_pause_ms</code>
-- @return <code>{connect=n, tls=, pause_ms=}</code>: drop what is open, wait, connect and read the greeting;
--   or <code>{step=name, connection=n}</code>: send that step and read its reply
-- @return nil when the session is over
function M.next(transcript, options)
  local now = summary(transcript)
  if now.connection == 0 then return { connect = 1, tls = first_tls(transcript, options), pause_ms = 0 } end
  if is_open(now.last) then return { step = next_step(transcript, now, options), connection = now.connection } end
  return next_connection(transcript, now, options)
end

return M
