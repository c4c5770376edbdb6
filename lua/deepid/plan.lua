--- What to do next in a session: a pure function of the transcript so far.
--
-- The rules, in the order in which they bind: nothing is sent before the greeting is whole, nor on a connection on which a reply asked
-- for a message (354); a greeting that is not 2xx gets QUIT alone; no connection is asked for more errors than the server is
-- known to bear, however few where nothing is known, whatever it answered; every connection that is still in step ends with QUIT.

local reply = require "deepid.reply"
local steps = require "deepid.steps"

local M = {}

-- Of a server that nobody knows, once it went on after one (`usually_bears`): msmtpd and microMTA hang up at the first, the next at the third (chasquid and Courier; test/transcripts).
M.MOST_ERRORS = 2
M.MOST_ERRORS_KNOWN = { adaptive = 4, full = 8 } -- however many the server is known to bear
M.MOST_CONNECTIONS = { greeting = 4, adaptive = 6, full = 44 }
M.MOST_ASKED = 12 -- of steps after the hello at depth adaptive, HELP among them
M.MOST_FOR_QUESTIONS = 5 -- connections at depth adaptive, where one does not settle it
M.RETRY_PAUSE_MS = 3000

local HELLO = { ehlo = true, helo = true, lhlo = true }
local IMPLICIT_TLS_PORTS = { [465] = true } -- RFC 8314 7.3
local LMTP_PORTS = { [24] = true } -- as Cyrus and Dovecot show it in their examples
local PLAIN_PORTS = { [24] = true, [25] = true, [587] = true } -- TLS at once here would be talking before the greeting

-- What may be asked at each depth: after a hello, in the order of the catalogue; alone; and before any hello. STARTTLS is
-- apart: steps in clear text come first, since a handshake that fails takes the connection with it.
local ASKED = { adaptive = { hello = {}, alone = {}, connect = {} }, full = { hello = {}, alone = {}, connect = {} } }
local EARLY = { refusal = {}, connect = {} } -- before any hello, by what must hold
local IS_QUESTION = {} -- what is asked in clear text or inside TLS, whichever answers
local COST, NEEDS_SENDER = {}, {} -- errors; after MAIL alone
for _, step in ipairs(steps.catalogue) do
  local makes_context = HELLO[step.name] or step.name == "starttls" or step.name == "quit"
  local is_early = EARLY[step.after] ~= nil
  local place = is_early and "connect" or step.alone and "alone" or "hello"
  IS_QUESTION[step.name] = not is_early and not makes_context
  COST[step.name], NEEDS_SENDER[step.name] = step.errors, step.after == "mail"
  local is_asked = step.say and not makes_context and step.after ~= "authntlm" and step.depth ~= "record"
  if is_asked and is_early then table.insert(EARLY[step.after], step.name) end
  for depth, asked in pairs(ASKED) do
    if is_asked and step.after ~= "refusal" and (step.depth == "adaptive" or step.depth == depth) then table.insert(asked[place], step.name) end
  end
end

-- What a server is asked that takes no hello, at any depth.
local WITHOUT_HELLO = table.move(EARLY.connect, 1, #EARLY.connect, #EARLY.refusal + 1, EARLY.refusal)

-- Replies after which the server hangs up: RFC 5321 3.8; Postfix, reject_code 521.
local GOING = { ["421"] = true, ["521"] = true }

local function code_of(step) return reply.code(step.reply) or "" end
local function is_accepted(step) return code_of(step):find("^2") ~= nil end
local function is_refused(step) return code_of(step):find("^5") ~= nil end

-- A 3xx reply but for STARTTLS's: the server waits for a message or a secret.
local function asks_for_more(step) return code_of(step):find("^3") ~= nil end

local function offers_starttls(step)
  if not step.reply:upper():find("STARTTLS", 1, true) then return false end
  for _, extension in ipairs(reply.extensions(step.reply)) do
    if extension:upper():find("^STARTTLS%s*$") then return true end
  end
  return false
end

-- Whether it was asked, and the answer counts: what a server that insists on TLS refuses in clear text is asked again inside.
local function is_answered(name, now) return now.sent[name] and not (now.inside and now.refused[name]) end

-- Notes whether the server insists on TLS: it says so (RFC 3207 4), or hangs up on whatever it is asked in clear text.
local function note_refusal(now, step)
  now.refused[step.step] = nil
  if step.tls ~= "none" then return end
  local hung_up = step.reply == "" and (step["end"] == "close" or step["end"] == "reset")
  if code_of(step) == "530" or (hung_up and now.takes_tls and not now.answers) then
    now.refused[step.step], now.insists = true, true
  elseif step.reply ~= "" then
    now.answers = true
  end
end

-- Whether a server stalls, or hangs up before it took a hello. To hang up at a question is an answer.
local function breaks_off(now, step)
  local ending = step["end"]
  if ending == "reply" or ending == "error" or step.step == "quit" or now.refused[step.step] then return false end
  return not (now.spoken and (ending == "close" or ending == "reset"))
end

-- Notes one step in the summary of its connection.
local function note(now, step)
  local name = step.step
  now.last, now.inside = step, step.tls == "starttls"
  now.secured = now.secured or now.inside
  if not (HELLO[name] or name == "greeting" or name == "quit" or is_answered(name, now)) then now.news = true end
  now.sent[name] = true
  if IS_QUESTION[name] then note_refusal(now, step) end
  now.broken = now.broken or breaks_off(now, step)
  if step.reply ~= "" then now.bears = math.max(now.bears, now.errors) end
  if name ~= "greeting" and code_of(step):find("^[45]") then now.errors = now.errors + math.max(1, steps.by_name[name].replies or 1) end
  if HELLO[name] then
    now.hello, now.sender = step, false
    now.knows_ehlo = now.knows_ehlo or (name == "ehlo" and code_of(step) ~= "" and not code_of(step):find("^50"))
    if is_accepted(step) and (name ~= "helo" or not now.spoken) then now.spoken = name end
    now.offered = step.tls == "none" and is_accepted(step) and offers_starttls(step)
    now.takes_tls = now.takes_tls or now.offered
  elseif name == "starttls" then
    now.offered = false
    if is_accepted(step) then now.hello = nil end -- RFC 3207 4.2: what was said before TLS is forgotten
  elseif name == "wiz" and is_accepted(step) then
    now.wizard = true
  elseif name:find("^mail") and is_accepted(step) and code_of(step) ~= "221" then -- not a farewell
    now.sender, now.takes_mail = true, now.takes_mail or name == "mail"
  elseif name == "rset" then
    now.sender = false
  end
end

-- By transcript, since one only grows: its summary so far.
local SUMMARIES = setmetatable({}, { __mode = "k" })

-- The session so far, and its last connection: the errors it was asked for and the hello that counts.
local function summary(transcript)
  local now, all = SUMMARIES[transcript], transcript.steps
  if not now or now.last ~= all[now.count] then
    now = { count = 0, connection = 0, bears = 0, connections = { none = 0, implicit = 0 }, sent = {}, refused = {} }
    SUMMARIES[transcript] = now
  end
  for i = now.count + 1, #all do
    local step = all[i]
    if step.connection ~= now.connection then
      -- The second of a full session hears HELO; any other that brings nothing new says that no more is to be had.
      now.stalled = now.stalled or (now.connection > 2 and not now.news)
      now.news, now.connection, now.greeting, now.errors, now.hello, now.offered, now.sender = false, step.connection, step, 0, nil, false, false
      now.connections[step.tls] = now.connections[step.tls] + 1
    end
    note(now, step)
    now.count = i
  end
  return now
end

-- What an NTLM exchange is continued with at depth full: our empty message, then the sign that gives it up (RFC 4954 4).
local NTLM_NEXT = { authntlm = "ntlm", ntlm = "cancel" }

local function next_of_ntlm(step, options)
  return options.depth == "full" and code_of(step) == "334" and step["end"] == "reply" and NTLM_NEXT[step.step] or nil
end

-- In step with us: the server answered, and may be asked again. One that let a step time out can still be told QUIT.
local function is_open(step)
  if step.step == "quit" or asks_for_more(step) or code_of(step) == "221" then return false end
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
    if not now.sent[name] and not (name == "lhlo" and now.knows_ehlo) then return name end
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

-- Whether every hello was refused, and none is left to try: one that knows EHLO speaks no LMTP (RFC 2033 4.1).
local function takes_no_hello(now) return not now.spoken and now.sent.helo and (now.sent.lhlo or now.knows_ehlo) end

-- Of a server that nobody knows: one error more than it was seen to go on after.
local function usually_bears(now) return math.min(M.MOST_ERRORS, now.bears + 1) end

-- How many errors this server may be asked for on one connection, if it were so many when nobody knows it.
local function allowance(transcript, options, usual)
  local known = options.errors and options.errors(transcript, usual) or M.MOST_ERRORS
  return math.min(known, M.MOST_ERRORS_KNOWN[options.depth])
end

-- Once a session; on each connection to a server that insists on it.
local function wants_tls(now) return now.offered and (not now.sent.starttls or (now.insists and now.secured)) end

local function is_wanted(name, now)
  if name == "starttls" then return wants_tls(now) end
  if is_answered(name, now) then return false end
  if name == "shell" then return not now.wizard end -- a sendmail that takes WIZ in earnest would open one
  return true
end

-- An error is kept in reserve for a STARTTLS that is still to come, but where a single one is allowed: the server offered it, so it will hardly be an error.
local function reserve(now, allowed) return wants_tls(now) and allowed >= M.MOST_ERRORS and COST.starttls or 0 end

local function is_affordable(name, now, allowed, kept)
  local cost = COST[name]
  if cost == 0 then return now.errors < allowed end
  return now.errors + cost + kept <= allowed
end

-- Whether STARTTLS itself comes next, where it is wanted.
local function can_start_tls(now, allowed)
  return is_wanted("starttls", now) and is_affordable("starttls", now, math.max(allowed, M.MOST_ERRORS), 0)
end

-- The questions of one depth; of a server that takes no hello those that need none.
local function questions(depth, now) return takes_no_hello(now) and WITHOUT_HELLO or ASKED[depth].hello end

-- Of these steps those that may be asked now: is_wanted and is_affordable of each, whose conditions are looked up once, for every step asks this.
local function askable(names, now, allowed)
  local list, count, sent, refused = {}, 0, now.sent, now.inside and now.refused or {}
  local left, sender, wizard = allowed - now.errors, now.sender, now.wizard
  local room = left - reserve(now, allowed)
  for i = 1, #names do
    local name = names[i]
    local cost = COST[name]
    local fits = cost == 0 and left > 0 or cost > 0 and cost <= room
    if fits and (not sent[name] or refused[name]) and (sender or not NEEDS_SENDER[name]) and not (wizard and name == "shell") then
      count = count + 1
      list[count] = name
    end
  end
  return list
end

-- The steps asked so far that tell something, beside the hello.
local function count_asked(now)
  local count = 0
  for _, name in ipairs(questions("adaptive", now)) do
    if now.sent[name] and name ~= "rset" then count = count + 1 end
  end
  return count
end

-- The next step at depth adaptive: HELP, which tells most, then what the adviser names; without one, an unknown verb.
local function choose(transcript, now, options, allowed)
  local names = askable(questions("adaptive", now), now, allowed)
  if names[1] == nil or count_asked(now) >= M.MOST_ASKED then return nil end
  for _, name in ipairs(names) do
    if name == "help" or name == "earlyhelp" then return name end
  end
  if options.choose then return options.choose(transcript, names) end
  for _, name in ipairs(names) do
    if name == "unknown" then return name end
  end
end

-- Whether a fresh connection could still ask this after its hello.
local function is_open_question(name, now)
  return is_wanted(name, now) and (not NEEDS_SENDER[name] or now.takes_mail or not is_answered("mail", now))
end

-- At depth full STARTTLS is said where it was not offered as well: how it is refused tells releases apart.
local function is_starttls_open(now) return not now.sent.starttls and now.greeting.tls == "none" end

-- The next step at depth full: what needs the sender that is open, else the next of the catalogue, else a sender for what needs one.
local function next_of_all(now, allowed)
  local names = askable(questions("full", now), now, allowed)
  for _, name in ipairs(names) do
    if NEEDS_SENDER[name] then return name end
  end
  if names[1] then return names[1] end
  if takes_no_hello(now) then return nil end
  for _, name in ipairs(ASKED.full.hello) do
    local is_possible = NEEDS_SENDER[name] and is_open_question(name, now) and not now.sender
    if is_possible and is_affordable(name, now, allowed, reserve(now, allowed)) then return "mail" end
  end
  if is_starttls_open(now) and is_affordable("starttls", now, allowed, 0) then return "starttls" end
  local is_fresh = now.last == now.hello and now.connection > 1
  return is_fresh and askable(ASKED.full.alone, now, allowed)[1] or nil
end

local function next_question(transcript, now, options, allowed)
  local name = choose(transcript, now, options, allowed)
  if name or options.depth ~= "full" then return name end
  return next_of_all(now, allowed)
end

-- Whether it is to be seen first that this server goes on after an error, by what costs none: then it might be asked for one more.
local function is_in_doubt(transcript, now, options, allowed)
  if now.bears > 0 or now.errors ~= 1 or allowed ~= 1 or now.sent.rset then return false end
  local then_allowed = allowance(transcript, options, M.MOST_ERRORS)
  return then_allowed > 1 and (wants_tls(now) or next_question(transcript, now, options, then_allowed) ~= nil)
end

local function next_asked(transcript, now, options)
  local last = now.last.step
  if steps.by_name[last] and steps.by_name[last].alone then return nil end
  local allowed = allowance(transcript, options, usually_bears(now))
  -- On a connection that may end at its first error, TLS comes before questions.
  local is_short = now.insists or (now.connection > 1 and now.bears == 0)
  if is_short and can_start_tls(now, allowed) then return "starttls" end
  local name = next_question(transcript, now, options, allowed)
  -- A sender that was accepted would colour the next reply.
  if name and now.sender and not NEEDS_SENDER[name] then return "rset" end
  if name then return name end
  if is_in_doubt(transcript, now, options, allowed) then return "rset" end
  return can_start_tls(now, allowed) and "starttls" or nil
end

-- The session as another connection finds it when it is ready for questions.
local function afresh(now)
  local inside = now.insists and (now.secured or now.offered) or false
  return setmetatable({ errors = 0, offered = false, sender = false, inside = inside }, { __index = now })
end

local function has_more(now)
  if now.stalled then return false end
  if takes_no_hello(now) then return askable(WITHOUT_HELLO, now, math.huge)[1] ~= nil end
  if is_starttls_open(now) then return true end
  local fresh = afresh(now)
  for _, list in ipairs { ASKED.full.hello, ASKED.full.alone } do
    for _, name in ipairs(list) do
      if is_open_question(name, fresh) then return true end
    end
  end
  return false
end

-- What is asked before any hello has a connection of its own, in a full session when all else was asked.
local function next_early(now, options)
  if options.depth ~= "full" or now.last ~= now.greeting or now.connection == 1 or has_more(now) then return nil end
  for _, name in ipairs(ASKED.full.connect) do
    if not now.sent[name] then return name end
  end
end

local function next_step(transcript, now, options)
  local last = now.last
  if last["end"] == "timeout" or GOING[code_of(last)] then return "quit" end
  if options.depth == "greeting" or not is_accepted(now.greeting) then return "quit" end
  if last.step == "wiz" and is_accepted(last) then return "quit" end
  if steps.by_name[last.step].after == "connect" and not HELLO[last.step] and last.step ~= "greeting" and not (takes_no_hello(now) and is_refused(last)) then
    return "quit"
  end
  return next_early(now, options) or next_hello(transcript, now, options) or next_asked(transcript, now, options) or "quit"
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

-- Whether a session has something left that another connection could ask.
local function is_unfinished(transcript, now, options)
  if options.depth == "greeting" or not is_accepted(now.greeting) or now.greeting["end"] ~= "reply" then return false end
  if options.depth == "adaptive" then
    -- One that a refusal of clear text ended is not counted; a server that breaks off, or tells nothing more, is left alone.
    local most = M.MOST_FOR_QUESTIONS + (now.insists and 1 or 0)
    if now.broken or now.connection >= most or not (now.news or now.connection == 1) then return false end
    if now.takes_tls and not now.sent.starttls then return true end
    return options.choose ~= nil and choose(transcript, afresh(now), options, allowance(transcript, options, usually_bears(now))) ~= nil
  end
  if not now.sent.helo and not is_lmtp(transcript, now) then return true end
  if has_more(now) then return true end
  for _, name in ipairs(ASKED.full.connect) do
    if not now.sent[name] then return true end
  end
  return false
end

local function next_connection(transcript, now, options)
  local number = now.connection + 1
  if number > M.MOST_CONNECTIONS[options.depth] or (code_of(now.last) == "354" and not now.spoken) then return nil end
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
--   to speak ("ssl", "none", nil where it did not ask); <code>choose</code> (optional) function of the transcript and an array of steps'
--   names: the one that tells most, or nil where none is worth asking; <code>errors</code> (optional) function of the transcript: how
--   many errors it may be asked for; <code>retry_pause_ms</code>
-- @return <code>{connect=n, tls=, pause_ms=}</code>: drop what is open, wait, connect and read the greeting;
--   or <code>{step=name, connection=n}</code>: send that step and read its reply
-- @return nil when the session is over
function M.next(transcript, options)
  local now = summary(transcript)
  if now.connection == 0 then return { connect = 1, tls = first_tls(transcript, options), pause_ms = 0 } end
  local ntlm = next_of_ntlm(now.last, options)
  if ntlm then return { step = ntlm, connection = now.connection } end
  if is_open(now.last) then return { step = next_step(transcript, now, options), connection = now.connection } end
  return next_connection(transcript, now, options)
end

return M
