-- Tokens: what of an answer is a server's dialect, and what is the host's or the moment's.

local t = require "tap"
local behaviour = require "deepid.behaviour"

local function step(name, reply, changes)
  local made = { step = name, connection = 1, tls = "none", sent = "", reply = reply, ["end"] = "reply" }
  for key, value in pairs(changes or {}) do made[key] = value end
  return made
end

local function tokens(...) return behaviour.tokens { steps = { ... } } end

local CASES = {
  { "host names go", "250 mx1.example.org\r\n", "250 <host>" },
  { "numbers go, codes stay", "250-2.0.0 Max 52428800 bytes\r\n250 ok\r\n", "250-2.0.0 Max # bytes|250 ok" },
  { "a version goes", "214 2.0.0 This is sendmail version 8.17.1.9\r\n", "214 2.0.0 This is sendmail version #" },
  { "a number that is part of a word stays", "250 SMTPUTF8 RFC5321\r\n", "250 SMTPUTF8 RFC5321" },
  { "spelling stays", "500 5.5.1 Command unrecognized: \"XDEEPID\"\r\n", "500 5.5.1 Command unrecognized: \"XDEEPID\"" },
  { "a bare line feed is shown", "250 ok\n", "250 ok(LF)" },
  { "an end without one is shown", "250 ok", "250 ok(unended)" },
  { "control bytes are escaped", "250 a\tb\27[0m\r\n", "250 a\\tb\\x1B[0m" },
}
for _, case in ipairs(CASES) do
  t.test(case[1], function() t.eq(tokens(step("help", case[2])).help, case[3]) end)
end

t.test("how it ended is part of the answer", function()
  t.eq(tokens(step("http", "221 bye\r\n", { ["end"] = "close" })).http, "221 bye (closed)")
  t.eq(tokens(step("http", "", { ["end"] = "reset" })).http, " (closed)")
  t.eq(tokens(step("barelf", "", { ["end"] = "timeout" })).barelf, " (waits)")
  t.eq(tokens(step("starttls", "220 go\r\n", { ["end"] = "error" })).starttls, nil)
end)

t.test("EHLO gives its first line and its keywords; the greeting gives nothing, QUIT where something else was asked", function()
  local all = tokens(step("greeting", "220 mx.example.org ESMTP Exim\r\n"),
    step("ehlo", "250-mx.example.org Hello\r\n250-SIZE 52428800\r\n250-AUTH PLAIN LOGIN\r\n250 X-ID <a1b2>\r\n"), step("quit", "221 bye\r\n"))
  t.eq(all, { ehlo = "250-<host> Hello", keywords = "SIZE #|AUTH PLAIN LOGIN|X-ID <>", quit = "221 bye" })
  t.eq(tokens(step("greeting", "220 mx\r\n"), step("quit", "221 bye\r\n")), {})
  t.eq(tokens(step("help", "214 a\r\n"), step("quit", "", { ["end"] = "close" })), { help = "214 a" })
  t.eq(tokens(step("help", "214 a\r\n"), step("quit", "221 bye\r\n", { ["end"] = "close" })).quit, "221 bye")
end)

t.test("the keywords are those of the first EHLO, and a later one is told by its first line", function()
  local all = tokens(step("ehlo", "250-mx.example.org\r\n250 SIZE 1\r\n"), step("ehloagain", "250-mx.example.org\r\n250 DSN\r\n"),
    step("ehlo", "250-mx.example.org\r\n250 AUTH\r\n", { tls = "starttls" }))
  t.eq(all, { ehlo = "250-<host>", keywords = "SIZE #", ehloagain = "250-<host>" })
end)

t.test("the first answer counts, but for one that asks for TLS", function()
  t.eq(tokens(step("help", "214 a\r\n"), step("help", "214 b\r\n")).help, "214 a")
  t.eq(tokens(step("help", "530 5.7.0 Must issue a STARTTLS command first\r\n"), step("help", "214 b\r\n", { tls = "starttls" })).help, "214 b")
  t.eq(tokens(step("help", "530 5.7.0 Must issue a STARTTLS command first\r\n"), step("help", "214 b\r\n")).help,
    "530 5.7.0 Must issue a STARTTLS command first")
end)

t.test("a server that hangs up without a word in clear text answers inside TLS", function()
  local inside = { tls = "starttls" }
  for _, ending in ipairs { "close", "reset" } do
    local hung_up = step("help", "", { ["end"] = ending })
    t.eq(tokens(hung_up, step("help", "214 b\r\n", inside)).help, "214 b")
    t.eq(tokens(hung_up, step("help", "214 b\r\n")).help, " (closed)")
    t.eq(tokens(hung_up).help, " (closed)")
  end
  t.eq(tokens(step("help", "", { ["end"] = "timeout" }), step("help", "214 b\r\n", inside)).help, " (waits)")
  t.eq(tokens(step("help", "421 bye\r\n", { ["end"] = "close" }), step("help", "214 b\r\n", inside)).help, "421 bye (closed)")
  t.eq(tokens(step("ehloagain", "", { ["end"] = "close" }), step("ehloagain", "250-mx.example.org\r\n250 DSN\r\n", inside)).ehloagain, "250-<host>")
end)

t.test("what is said inside TLS is not taken for the first hello", function()
  local all = tokens(step("ehlo", "", { ["end"] = "close" }), step("ehlo", "250-mx.example.org\r\n250 DSN\r\n", { tls = "starttls" }))
  t.eq(all, { ehlo = " (closed)" })
end)

t.test("the name that the client gave is not the server's word", function()
  local all = tokens(step("ehlo", "250-mx.example.org Hello scanner [192.0.2.1]\r\n250 DSN\r\n", { sent = "EHLO scanner\r\n" }))
  t.eq(all.ehlo, "250-<host> Hello <client> [<client>]")
end)

t.test("a refusal that other verbs get as HELP does is a refrain", function()
  local blocked = "451 Blocked - see https://list.example.org/lookup?ip=192.0.2.1\r\n"
  t.eq(tokens(step("help", blocked), step("unknown", blocked)).refrain, "(as HELP)")
  t.eq(tokens(step("unknown", "553 no\r\n"), step("help", "553 no\r\n")).refrain, "(as HELP)")
  t.eq(tokens(step("help", blocked), step("helptopic", blocked)).refrain, nil)
  t.eq(tokens(step("help", blocked), step("unknown", "500 what?\r\n")).refrain, nil)
  t.eq(tokens(step("help", "502 unimplemented\r\n"), step("unknown", "502 unimplemented\r\n")).refrain, nil)
  t.eq(tokens(step("mail", blocked), step("unknown", blocked)).refrain, nil)
end)

t.done()
