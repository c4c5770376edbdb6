-- The plan of a session: scripted servers, and what the plan does with each.

local plan = require "deepid.plan"
local steps = require "deepid.steps"
local t = require "tap"

local MOST_ACTIONS = 400 -- a plan that does not end must not hang the test

-- What a server of the script answers: {reply, end, error} for "step", or for "step#n" its n-th time in the session.
-- In clear text `clear` answers, where there is one.
local function answer(server, name, times, tls)
  local clear = tls == "none" and server.clear
  local said = clear and (clear[name] or clear.other) or server[name .. "#" .. times] or server[name] or server.other
  if type(said) == "string" then return said, "reply" end
  return said[1], said[2]
end

-- Runs the plan against the server; returns the actions as words ("1:" starts connection 1) and the transcript.
local function run(server, options, transcript)
  transcript = transcript or {}
  transcript.steps, transcript.port = {}, transcript.port or 25
  options.depth = options.depth or "adaptive"
  local words, times, tls = {}, {}, "none"
  for _ = 1, MOST_ACTIONS do
    local action = plan.next(transcript, options)
    if not action then return table.concat(words, " "), transcript end
    local name = action.step or "greeting"
    times[name] = (times[name] or 0) + 1
    tls = action.tls or tls
    local reply, ending = answer(server, name, times[name], tls)
    transcript.steps[#transcript.steps + 1] =
      { step = name, connection = action.connect or action.connection, tls = tls, reply = reply, ["end"] = ending }
    if name == "starttls" and reply:find("^220") and ending == "reply" then tls = "starttls" end
    local where = action.connect and ("%d%s:"):format(action.connect, action.tls == "implicit" and "s" or "")
    words[#words + 1] = where or name
    if where and action.pause_ms > 0 then words[#words] = "wait " .. where end
  end
  error("the plan does not end: " .. table.concat(words, " "))
end

local function server(changes)
  local base = {
    greeting = "220 mx.example.org ESMTP\r\n", ehlo = "250-mx.example.org\r\n250 HELP\r\n", helo = "250 mx.example.org\r\n",
    lhlo = "250-mx.example.org\r\n250 PIPELINING\r\n", help = "214 read the RFC\r\n", noop = "250 ok\r\n",
    rset = "250 ok\r\n", vrfy = "252 try\r\n", starttls = "220 go ahead\r\n", quit = "221 bye\r\n", other = "500 what?\r\n",
  }
  for name, said in pairs(changes or {}) do base[name] = said end
  return base
end

local OFFER = "250-mx.example.org\r\n250-starttls\r\n250 HELP\r\n"
local SECURE = { ["ehlo#1"] = OFFER }
local function secure(changes)
  changes["ehlo#1"] = OFFER
  return server(changes)
end
local settled = function() return nil end -- nothing is worth asking
local function first_open(_, open) return open[1] end

local CASES = {
  { "greeting depth says goodbye at once", server(), { depth = "greeting" }, "1: quit" },
  { "adaptive asks for a second answer", server(), {}, "1: ehlo help unknown quit" },
  { "a settled answer saves the unknown verb", server(), { choose = settled }, "1: ehlo help quit" },
  { "STARTTLS is taken where it is offered", server(SECURE), {}, "1: ehlo help unknown starttls ehlo quit" },
  { "an error is kept in reserve for STARTTLS", secure { help = "502 no\r\n" }, {},
    "1: ehlo help starttls ehlo unknown quit" },
  { "a STARTTLS that is refused is the last error", secure { help = "502 no\r\n", starttls = "454 no key\r\n" }, {},
    "1: ehlo help starttls quit" },
  { "a TLS handshake that fails ends the session", secure { starttls = { "220 go\r\n", "error" } }, {},
    "1: ehlo help unknown starttls" },
  { "STARTTLS as part of another word is no offer", server { ehlo = "250-x\r\n250 XSTARTTLS\r\n" }, { choose = settled },
    "1: ehlo help quit" },
  { "EHLO refused: HELO", server { ehlo = "500 what?\r\n" }, {}, "1: ehlo helo help unknown quit" },
  { "EHLO refused for now is not asked for as HELO", server { ehlo = "450 later\r\n" }, { choose = settled },
    "1: ehlo help quit" },
  { "EHLO and HELO refused: two errors, goodbye", server { ehlo = "500 a\r\n", helo = "500 b\r\n" }, {}, "1: ehlo helo quit" },
  { "an LMTP server asks for LHLO", server { ehlo = "500 5.5.1 This is LMTP: use LHLO\r\n" }, {}, "1: ehlo lhlo help unknown quit" },
  { "an LMTP greeting", server { greeting = "220 x LMTP Cyrus\r\n" }, { choose = settled }, "1: lhlo help quit" },
  { "XLMTPD is no LMTP", server { greeting = "220 x XLMTPD\r\n" }, { choose = settled }, "1: ehlo help quit" },
  { "a greeting that is not 2xx", server { greeting = "554 go away\r\n" }, {}, "1: quit" },
  { "rblsmtpd shows its refusal to HELP", server { help = "451 blocked\r\n", unknown = "451 blocked\r\n" }, {},
    "1: ehlo help unknown quit" },
  { "421 in mid-session", server { help = "421 too long\r\n" }, {}, "1: ehlo help quit" },
  { "521 in mid-session", server { help = "521 go\r\n" }, {}, "1: ehlo help quit" },
  { "354 where no message was offered", server { ehlo = "354 go ahead\r\n" }, { depth = "full" }, "1: ehlo" },
  { "221 means that the peer is going", server { help = "221 bye\r\n" }, {}, "1: ehlo help" },
  { "a step without an answer", server { help = { "", "timeout" } }, {}, "1: ehlo help quit" },
  { "more than we keep", server { ehlo = { "250-a\r\n", "limit" } }, {}, "1: ehlo" },
  { "a reset", server { ehlo = { "250-a\r\n", "reset" } }, {}, "1: ehlo" },
  { "no greeting: nothing is said", server { greeting = { "", "timeout" } }, {}, "1:" },
  { "half a greeting: nothing is said", server { greeting = { "220-wa", "timeout" } }, {}, "1:" },
  { "closed at once: one retry", server { ["greeting#1"] = { "", "close" } }, { depth = "greeting" }, "1: wait 2: quit" },
  { "closed at once twice", server { greeting = { "", "reset" } }, {}, "1: wait 2:" },
  { "421 at first", server { ["greeting#1"] = "421 busy\r\n" }, { depth = "greeting" }, "1: quit wait 2: quit" },
  { "closed after a word is no reason to retry", server { greeting = { "554 no", "close" } }, {}, "1:" },
  { "a connection that cannot be made", server { greeting = { "", "error" } }, {}, "1:" },
}
for _, case in ipairs(CASES) do
  t.test(case[1], function() t.eq(run(case[2], case[3]), case[4]) end)
end

local MUTE = { greeting = { "", "timeout" } }
local NO_TLS = { ["greeting#1"] = { "", "error" } }
local ALERT = { ["greeting#1"] = { "\21\3\1\0\2\2\40", "close" } }
local TLS_CASES = {
  { "465 is TLS from the start", 465, server(), {}, "1s: quit" },
  { "465 that does not shake hands is tried in clear", 465, server(NO_TLS), {}, "1s: 2: quit" },
  { "465 that Nmap found to be plain", 465, server(), { tunnel = "none" }, "1: quit" },
  { "any port that Nmap found to be TLS", 2465, server(), { tunnel = "ssl" }, "1s: quit" },
  { "TLS known, and failed: no second try in clear", 2465, server(NO_TLS), { tunnel = "ssl" }, "1s:" },
  { "a mute port may speak TLS", 2525, server(MUTE), {}, "1: 2s:" },
  { "a mute port 25 does not", 25, server(MUTE), {}, "1:" },
  { "a mute port that Nmap knows as plain does not", 2525, server(MUTE), { tunnel = "none" }, "1:" },
  { "a TLS alert for a greeting", 25, server(ALERT), {}, "1: 2s: quit" },
  { "each way once", 465, server { greeting = { "", "error" } }, {}, "1s: 2:" },
}
for _, case in ipairs(TLS_CASES) do
  t.test(case[1], function()
    case[4].depth = "greeting"
    t.eq(run(case[3], case[4], { port = case[2] }), case[5])
  end)
end

t.test("a service that Nmap calls lmtp hears LHLO, and EHLO when it refuses", function()
  t.eq(run(server(), { choose = settled }, { service = "lmtp" }), "1: lhlo help quit")
  t.eq(run(server { lhlo = "500 no\r\n" }, { choose = settled }, { service = "lmtp" }), "1: lhlo ehlo help quit")
end)

t.test("port 24 is LMTP unless it says SMTP", function()
  t.eq(run(server { greeting = "220 mx ready\r\n" }, { choose = settled }, { port = 24 }), "1: lhlo help quit")
  t.eq(run(server(), { choose = settled }, { port = 24 }), "1: ehlo help quit")
end)

t.test("a hello that was refused is not asked again on another connection", function()
  local changes = { ehlo = "500 a\r\n", helo = "500 b\r\n", earlyhelp = "214 help\r\n" }
  t.has(run(server(changes), { depth = "full" }), "^1: ehlo helo quit 2: lhlo help unknown ")
  changes.lhlo = "500 c\r\n"
  local words = run(server(changes), { depth = "full" })
  t.eq(words, "1: ehlo helo quit 2: lhlo earlyhelp earlyunknown quit 3: earlyauth http quit 4: ehlorubbish ehlolower quit 5: earlymail quit")
  t.eq(select(2, words:gsub("%f[%a]ehlo%f[%A]", "")), 1)
end)

t.test("a server that takes no hello for a reason is no LMTP server, and is asked what needs none", function()
  local changes = { ehlo = "550 not you\r\n", helo = "550 not you\r\n", earlyhelp = "214 help\r\n", earlymail = "250 ok\r\n" }
  t.eq(run(server(changes), { choose = first_open }), "1: ehlo helo quit 2: earlyhelp earlyunknown earlyauth quit 3: http ehlorubbish quit 4: ehlolower earlymail quit")
  t.eq(run(server(changes), { depth = "full" }), "1: ehlo helo quit 2: earlyhelp earlyunknown earlyauth quit 3: http ehlorubbish quit 4: ehlolower earlymail quit")
end)

t.test("a greeting that did not come whole is not waited for again, even in full", function()
  t.eq(run(server { greeting = { "220 mx ESM", "timeout" } }, { depth = "full" }), "1:")
end)

t.test("inside TLS, STARTTLS is not asked for", function()
  t.eq(run(server { ehlo = OFFER }, { choose = settled }, { port = 465 }), "1s: ehlo help quit")
  t.ok(not run(server { ehlo = OFFER }, { depth = "full" }, { port = 465 }):find("starttls", 1, true))
end)

-- Every step of the catalogue that full depth sends, but for those that a server without MAIL, or LMTP, is not asked.
local function check_whole(words, but)
  for _, step in ipairs(steps.catalogue) do
    if step.say and step.depth ~= "record" and step.after ~= "authntlm" and step.after ~= "refusal" and not but[step.name] then t.has(words .. " ", " " .. step.name .. " ") end
    if step.depth == "record" then t.ok(not (words .. " "):find(" " .. step.name .. " "), step.name .. " is for the recorder alone") end
  end
end

t.test("a question answered with 354 ends the connection, and the next one asks on", function()
  local words = run(server { help = "354 go on\r\n" }, { depth = "full" })
  t.has(words, "^1: ehlo help 2: helo unknown ")
  check_whole(words, { lhlo = true, rcptnull = true, rcptunclosed = true })
end)

t.test("a farewell to MAIL is no sender", function()
  local words = run(server { mail = "221 bye\r\n", vrfy = { "", "close" } }, { depth = "full" })
  t.ok(select(2, (words .. " "):gsub(" mail ", "")) == 1, words)
  check_whole(words, { lhlo = true, rcptnull = true, rcptunclosed = true })
end)

t.test("full sends the whole catalogue", function()
  local words = run(server(SECURE), { depth = "full" })
  t.has(words, "^1: ehlo help unknown noop rset starttls ehlo vrfy wiz quit 2: helo shell kill quit 3: ehlo ")
  check_whole(words, { lhlo = true, rcptnull = true, rcptunclosed = true })
  words = run(server { mail = "250 ok\r\n", starttls = "454 no\r\n" }, { depth = "full" })
  t.has(words, " mail rcptnull quit 14: ehlo mail rcptunclosed rset starttls quit ")
  check_whole(words, { lhlo = true })
end)

t.test("full asks first what tells most: a server may hang up, or cease to answer, before the end", function()
  local wanted = { bdat = true, etrn = true }
  local function choose(_, names)
    for _, name in ipairs(names) do
      if wanted[name] then return name end
    end
  end
  local words = run(server(), { depth = "full", choose = choose })
  t.has(words, "^1: ehlo help bdat etrn quit 2: helo unknown noop ")
  check_whole(words, { lhlo = true, rcptnull = true, rcptunclosed = true })
end)

t.test("a sender is taken back before anything else is asked", function()
  local words = run(server { mailparam = "250 ok\r\n" }, { depth = "full", errors = function() return 100 end })
  t.has(words, " mailparam rcptnull rcptunclosed rset ")
end)

t.test("a server that is known to bear more is asked for more on one connection", function()
  local words = run(server(), { depth = "full", errors = function() return 100 end })
  t.has(words, "^1: ehlo help unknown noop rset vrfy wiz shell kill ehloagain rsetarg helptopic ")
  t.eq(plan.MOST_ERRORS_KNOWN.full, 8)
  words = run(server(), { depth = "full", errors = function() return 1 end })
  t.has(words, "^1: ehlo help unknown quit 2: helo noop rset vrfy wiz quit 3: ehlo shell quit ")
end)

local NEEDS_TLS = "530 5.7.0 Must issue a STARTTLS command first\r\n"
local HANGS_UP = { "", "reset" }
-- A server that says nothing of itself in clear text, but for hello, STARTTLS and goodbye.
local function insisting(refusal)
  local clear = { greeting = "220 mx ESMTP\r\n", ehlo = OFFER, helo = "250 mx\r\n", starttls = "220 go ahead\r\n", quit = "221 bye\r\n", other = refusal }
  return server { clear = clear, mail = "250 ok\r\n" }
end

t.test("a server that hangs up on questions, or answers 530, is asked inside TLS, from the start", function()
  t.has(run(insisting(HANGS_UP), { choose = first_open }), "^1: ehlo help 2: ehlo starttls ehlo help unknown ")
  t.has(run(insisting { "", "close" }, { choose = first_open }), "^1: ehlo help 2: ehlo starttls ehlo help unknown ")
  t.has(run(insisting(NEEDS_TLS), { choose = first_open }), "^1: ehlo help starttls ehlo help unknown quit 2: ehlo starttls ehlo ")
  t.eq(run(insisting(NEEDS_TLS), { choose = settled }), "1: ehlo help starttls ehlo help quit")
  t.eq(run(insisting(HANGS_UP), { choose = settled }), "1: ehlo help 2: ehlo starttls ehlo help quit")
end)

t.test("to hang up at a question is an answer; at a hello, or to stall, is the end", function()
  local one = function() return 1 end
  t.eq(run(server { unknown = { "", "close" } }, { choose = first_open, errors = one }), "1: ehlo help unknown 2: ehlo ehloagain quit "
    .. "3: ehlo rsetarg quit 4: ehlo helptopic quit 5: ehlo mailbracket quit")
  t.eq(run(server { ehlo = { "", "close" } }, { choose = first_open }), "1: ehlo")
  t.eq(run(server { unknown = { "", "timeout" } }, { choose = first_open }), "1: ehlo help unknown quit")
  t.eq(run(server { ["ehlo#2"] = { "", "reset" } }, { choose = first_open, errors = one }), "1: ehlo help unknown quit 2: ehlo")
end)

t.test("the connection that a refusal of clear text cost is made up for", function()
  local one = function() return 1 end
  t.eq(run(insisting(HANGS_UP), { choose = first_open, errors = one }), "1: ehlo help 2: ehlo starttls ehlo help unknown quit "
    .. "3: ehlo starttls ehlo ehloagain quit 4: ehlo starttls ehlo rsetarg quit 5: ehlo starttls ehlo helptopic quit 6: ehlo starttls ehlo mailbracket quit")
  t.ok(not run(server(), { choose = first_open, errors = one }):find("6:", 1, true))
end)

t.test("whom nobody knows is asked for one error until it went on after that, which RSET shows", function()
  local function errors(_, usual) return usual end
  local function session(answers, depth) return run(server(answers), { depth = depth, choose = first_open, errors = errors }) end
  t.has(session { help = "500 a\r\n" }, "^1: ehlo help rset unknown quit 2: ehlo ehloagain rsetarg quit ")
  t.has(session { help = "500 a\r\n", ehlo = OFFER }, "^1: ehlo help rset starttls ehlo unknown quit ")
  t.has(session { help = "500 a\r\n", rset = "500 a\r\n", ehlo = OFFER }, "^1: ehlo help rset quit 2: ehlo unknown starttls ehlo ")
  t.eq(run(server { help = "500 a\r\n", rset = "500 a\r\n", ehlo = OFFER }, { choose = settled, errors = errors }), "1: ehlo help rset quit 2: ehlo starttls ehlo quit")
  t.has(session { help = { "500 a\r\n", "close" }, ehlo = OFFER }, "^1: ehlo help 2: ehlo starttls ehlo ")
  t.has(session { help = "500 a\r\n", rset = { "", "close" }, quit = { "", "close" } }, "^1: ehlo help rset 2: ehlo unknown quit 3: ehlo ehloagain quit ")
  t.has(session { help = { "500 a\r\n", "close" } }, "^1: ehlo help 2: ehlo unknown rset ehloagain quit ")
  local words = session({ quit = { "", "close" }, rset = { "", "close" } }, "full")
  check_whole(words, { lhlo = true, rcptnull = true, rcptunclosed = true, longline = true, overlong = true, pair = true })
end)

-- The questions of full depth that had an answer inside TLS.
local function answered_inside(transcript)
  local names = {}
  for _, step in ipairs(transcript.steps) do
    if step.tls == "starttls" then names[#names + 1] = step.step end
  end
  return table.concat(names, " ")
end

t.test("full asks a server that insists on TLS the whole catalogue inside it", function()
  for _, refusal in ipairs { NEEDS_TLS, HANGS_UP } do
    local _, transcript = run(insisting(refusal), { depth = "full" })
    local not_inside = { lhlo = true, helo = true, starttls = true }
    for _, step in ipairs(steps.catalogue) do not_inside[step.name] = not_inside[step.name] or (step.after == "connect" and step.name ~= "ehlo") end
    check_whole(answered_inside(transcript), not_inside)
  end
end)

t.test("one question that a server hangs up on is no reason to go inside TLS each time", function()
  local words = run(server { ehlo = OFFER, ["ehlo#2"] = server().ehlo, bdat = { "", "close" } }, { depth = "full" })
  t.eq(select(2, words:gsub("%f[%a]starttls%f[%A]", "")), 1)
  t.eq(select(2, words:gsub("%f[%a]bdat%f[%A]", "")), 1)
end)

t.test("530 inside TLS, or where TLS is not to be had, is an answer", function()
  t.eq(run(server { help = NEEDS_TLS }, { choose = settled }), "1: ehlo help quit")
  t.eq(run(server { ehlo = OFFER, ["ehlo#2"] = server().ehlo, help = NEEDS_TLS }, { choose = settled }), "1: ehlo help starttls ehlo help quit")
  t.eq(run(server { ehlo = OFFER, help = NEEDS_TLS, starttls = "454 no\r\n" }, { choose = settled }), "1: ehlo help starttls quit")
end)

t.test("a server that takes AUTH NTLM is asked for its names, and the exchange is given up", function()
  local answers = { authntlm = "334 \r\n", ntlm = "334 TlRMTVNTUAACAAAA\r\n", cancel = "501 5.7.0 cancelled\r\n" }
  t.has(run(server(answers), { depth = "full" }), " authntlm ntlm cancel ")
  answers.ntlm = "535 no\r\n"
  t.ok(not run(server(answers), { depth = "full" }):find("cancel"))
  t.ok(not run(server(), { depth = "full" }):find(" ntlm"))
end)

t.test("full greets LMTP as LMTP", function()
  local words = run(server { greeting = "220 LMTP\r\n" }, { depth = "full" })
  t.has(words, "^1: lhlo help unknown noop rset vrfy wiz quit 2: lhlo ")
  check_whole(words, { ehlo = true, helo = true, rcptnull = true, rcptunclosed = true })
end)

t.test("a server that takes WIZ in earnest is never asked for a shell", function()
  local words = run(server { wiz = "200 Please pass, oh mighty wizard\r\n" }, { depth = "full" })
  t.ok(not words:find("shell"), words)
  t.has(words, "wiz quit")
end)

-- Every server made of these answers: the bounds hold whatever it says.
local ANSWERS = {
  "250 ok\r\n", "500 no\r\n", "450 later\r\n", "421 bye\r\n", "354 go\r\n", "221 bye\r\n", "220 tls\r\n", OFFER,
  { "", "timeout" }, { "", "close" }, { "2", "reset" }, { "x", "limit" }, { "220 x\r\n", "error" },
}

local function check_bounds(transcript, words, most)
  local errors, connection, before = 0, 0, nil
  for _, step in ipairs(transcript.steps) do
    if step.connection ~= connection then
      errors, connection = 0, step.connection
    else
      local late = before["end"] == "timeout" and before.step ~= "greeting" and step.step == "quit"
      t.ok(before["end"] == "reply" or late, "sent after a broken step: " .. words)
      t.ok(not before.reply:find("^354") and not before.reply:find("^221"), "sent after the last word: " .. words)
      if step.reply:find("^[45]") and step.step ~= "quit" then errors = errors + 1 end
    end
    t.ok(errors <= 2, "too many errors: " .. words)
    t.ok(connection <= most, "too many connections: " .. words)
    before = step
  end
  local last = transcript.steps[#transcript.steps]
  t.ok(last.step == "quit" or last["end"] ~= "reply" or last.reply:find("^354") or last.reply:find("^221"),
    "left without QUIT: " .. words)
end

t.test("whatever the server answers, the bounds hold", function()
  local seed, names = 1, { "ehlo", "helo", "lhlo", "noop", "rset", "vrfy", "help", "other", "starttls", "quit", "ehlo#2" }
  local function any()
    seed = (seed * 1103515245 + 12345) % 2147483648
    return ANSWERS[seed // 65536 % #ANSWERS + 1]
  end
  for i = 1, 3000 do
    local changes = { greeting = i % 10 == 0 and any() or "220 mx ESMTP\r\n" }
    for _, name in ipairs(names) do changes[name] = any() end
    local depth = i % 2 == 0 and "full" or "adaptive"
    local words, transcript = run(server(changes), { depth = depth, choose = i % 3 == 0 and function(_, open) return open[1 + i % #open] end or nil })
    check_bounds(transcript, words, plan.MOST_CONNECTIONS[depth])
  end
end)

t.test("every step that may be asked is in the catalogue, with its cost and its source", function()
  for _, name in ipairs({ "help", "unknown", "starttls", "noop", "rset", "vrfy", "wiz", "shell", "kill", "http", "quit" }) do
    t.ok(steps.by_name[name], name)
  end
  for _, step in ipairs(steps.catalogue) do
    t.ok(step.source and step.depth and step.errors, step.name)
  end
end)

t.test("a step's bytes", function()
  t.eq(steps.bytes("ehlo", "[192.0.2.1]"), "EHLO [192.0.2.1]\r\n")
  t.eq(steps.bytes("ehlo", "100%1"), "EHLO 100%1\r\n")
  t.eq(steps.bytes("greeting", "x"), "")
end)

t.done()
