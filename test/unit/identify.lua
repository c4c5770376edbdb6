--- From transcripts to results, with a handful of rules of its own.

local t = require "tap"
local identify = require "deepid.identify"
local report = require "deepid.report"
local rules = require "deepid.rules"
local survey = require "deepid.survey"
local texts = require "deepid.texts"
local transcript = require "deepid.transcript"

local RULES = [[
Probe TCP NULL q||
#: id proxy
#: role proxy
#: inner 2
#: advice Ask $1 about it.
match smtp m|^220 (\S+) PGP .*?us with: (.*)\)\r\n| p/PGP/ h/$1/
#: id mta-a
#: role mta
match smtp m|^220 (\S+) A(?: ([\d.]+))?\r\n| p/A/ v/$2/ h/$1/ o/Linux/ cpe:/a:a:a:$2/
#: id mta-any
#: role mta
#: confidence 0.6
softmatch smtp m|^220 \S+ ESMTP| p/something/
#: id late
#: role mta
match smtp m|^220 .* B| p/B/

#: id busy
#: role blocker
match smtp m|^421 (?:still )?busy| p/busy/

Probe TCP Help q|HELP\r\n|
#: id help-a
#: role mta
match smtp m|^214 A ([\d.]+)\r\n| p/A/ v/$1/ cpe:/a:a:a:$1/
#: id help-b
#: role mta
match smtp m|^214 B| p/B/
#: id egg
#: role note
#: egg It says $1
match smtp m|^214.*(ZORK)|

Probe TCP Odd q|x|
#: step unknown
#: id old
#: role mta
#: basis behaves
#: window - 3.6
match smtp m|^502| p/A/
#: id new
#: role mta
#: basis behaves
#: window 3.7 -
match smtp m|^500| p/A/

Probe TCP Noop q|x|
#: step noop
#: id older
#: role mta
#: window 3.9 4.5
match smtp m|^250 fine| p/A/

Probe TCP Mail q|x|
#: step rset
#: id blocked
#: role blocker
#: quote 1
#: list 2
match smtp m|^553 (listed at (\S+))\r\n| p/wrapper/

#: rule stripped
#: role rewriter
#: what p/Box/ d/firewall/
#: any greeting m|^220 \*+|
#: any ehlo m|^250-X{4,}|
#: forbid ehlo m|STARTTLS|
#: end
]]

local list, problems = rules.parse(RULES, "rules")
assert(#problems == 0, problems[1])
for i, rule in ipairs(list) do rule.order = i end
local steps, wrong = texts.compile(list)
assert(steps, wrong)
assert(#wrong == 0, wrong[1])
local known = { steps = steps }

-- A transcript of {step, reply, end} triples.
local function session(...)
  local made = { address = "192.0.2.1", port = 25, steps = {} }
  for i, part in ipairs({ ... }) do
    made.steps[i] = { step = part[1], sent = part[4] or "", reply = part[2], ["end"] = part[3] or "reply", connection = 1, tls = "none",
      at = 100 + i, ms = 5 }
  end
  return made
end

local function judge(...) return identify.identify(known, session(...)) end

t.test("a greeting alone", function()
  local result = judge({ "greeting", "220 mx.a.example A 1.2\r\n" })
  t.eq(result.identity, { product = "A", version = "1.2", os = "Linux", hostname = "mx.a.example", cpe = { "cpe:/a:a:a:1.2" },
    basis = "says", confidence = 0.9 })
  t.eq(result.evidence, { { step = "greeting", reply = "220 mx.a.example A 1.2\\r\\n", says = "A 1.2" } })
  t.eq({ result.address, result.port, result.connections, result.transcript_ms, result.tls }, { "192.0.2.1", 25, 1, 5, "none" })
end)

t.test("a later step fills in what the first leaves out, and agrees", function()
  local result = judge({ "greeting", "220 mx.a.example A\r\n" }, { "help", "214 A 2.5\r\n" })
  t.eq({ result.identity.version, result.identity.confidence, #result.identity.cpe }, { "2.5", 0.97, 1 })
end)

t.test("file order decides within a role, not the order of steps", function()
  t.eq(judge({ "help", "214 B\r\n" }, { "greeting", "220 x.y A 1\r\n" }).identity.product, "A")
end)

t.test("two products in one session: the first, with little trust, and advice", function()
  local result = judge({ "greeting", "220 x.y A 1\r\n" }, { "help", "214 B\r\n" })
  t.eq({ result.identity.product, result.identity.confidence }, { "A", 0.5 })
  t.has(result.advice[1], "more than one product")
end)

t.test("windows narrow by intersection, unless a version is known", function()
  local result = judge({ "unknown", "500 what\r\n" }, { "noop", "250 fine\r\n" })
  t.eq({ result.identity.version_min, result.identity.version_max, result.identity.basis }, { "3.9", "4.5", "both" })
  t.eq(judge({ "greeting", "220 x.y A 1\r\n" }, { "unknown", "500 what\r\n" }).identity.version_min, nil)
end)

t.test("softmatch only hints", function()
  local result = judge({ "greeting", "220 mx.example ESMTP\r\n" })
  t.eq({ result.identity.product, result.identity.confidence }, { "something", 0.6 })
  t.eq(judge({ "greeting", "220 mx.example ESMTP B\r\n" }).identity.product, "B")
end)

t.test("the server behind, two levels and no more", function()
  local function wrap(host, inner) return ("%s PGP (greeted us with: %s)"):format(host, inner) end
  local one = judge({ "greeting", "220 " .. wrap("out.example", "in.example A 1.2") .. "\r\n" })
  t.eq({ one.front[1].name, one.front[1].role, one.front[1].hostname, one.front[1].advice },
    { "PGP", "proxy", "out.example", "Ask out.example about it." })
  t.eq(one.inner, { greeting = "in.example A 1.2", product = "A", version = "1.2", hostname = "in.example", os = "Linux" })
  t.eq(one.identity.product, nil)
end)

t.test("a fourth greeting inside stays unread", function()
  local function wrap(host, inner) return ("220 %s PGP x (greeted us with: %s)"):format(host, inner) end
  local two = identify.identify(known, transcript.from_greeting(wrap("a.b", wrap("c.d", wrap("e.f", "g.h A 1")))))
  t.eq({ two.inner.product, two.inner.inner.product, two.inner.inner.inner }, { "PGP", "PGP", nil })
end)

t.test("a refusal: reason and list", function()
  local front = judge({ "greeting", "220 x\r\n" }, { "rset", "553 listed at bl.example\r\n" }).front[1]
  t.eq({ front.role, front.name, front.reason, front.list }, { "blocker", "wrapper", "listed at bl.example", "bl.example" })
  t.eq(front.evidence, { "rset: 553 listed at bl.example\\r\\n" })
end)

t.test("forbid on a step that was not observed does not hold", function()
  t.eq(#judge({ "greeting", "220 *****\r\n" }).front, 0)
  t.eq(#judge({ "greeting", "220 *****\r\n" }, { "ehlo", "250-x", "timeout" }).front, 0)
  t.eq(#judge({ "greeting", "220 *****\r\n" }, { "ehlo", "250-x\r\n250 STARTTLS\r\n" }).front, 0)
  t.eq(judge({ "greeting", "220 *****\r\n" }, { "ehlo", "250 x\r\n" }).front[1].name, "Box")
  t.eq(judge({ "greeting", "220 x\r\n" }, { "ehlo", "250-XXXX\r\n250 X\r\n" }).front[1].role, "rewriter")
end)

t.test("Easter eggs are all told", function()
  t.eq(judge({ "help", "214 A 1 ZORK\r\n" }).easter_eggs, { "help: It says ZORK" })
end)

t.test("extensions, unobserved steps, leaks", function()
  local result = judge({ "greeting", "220 mx.corp.local\r\n" },
    { "ehlo", "250-mx.corp.local Hello [10.1.2.3]\r\n250-SIZE 5\r\n250 X\27Y\r\n" }, { "help", "", "timeout" }, { "quit", "", "close" })
  t.eq(result.extensions, { "SIZE 5", "X\\x1BY" })
  t.eq(result.unobserved, { "help (timeout)" })
  t.eq(result.leaks, { { kind = "internal_name", value = "mx.corp.local" }, { kind = "internal_address", value = "10.1.2.3" } })
  t.eq(judge({ "ehlo", "250 Hello [10.0.0.9]\r\n", "reply", "EHLO [10.0.0.9]\r\n" }).leaks, {})
  t.eq(judge({ "greeting", "220 x Domino 10.0.1.0\r\n" }).leaks, {})
end)

t.test("what a retry was told counts, not the refusal before it", function()
  local session_steps = session({ "greeting", "421 busy\r\n" }, { "greeting", "220 mx.a.example A 1.2\r\n" })
  session_steps.steps[2].connection = 2
  local result = identify.identify(known, session_steps)
  t.eq({ result.identity.product, result.identity.version, #result.front }, { "A", "1.2", 0 })
  t.has(result.unobserved[1], "answered 421 busy", true)
  session_steps.steps[2].reply = "421 still busy\r\n"
  t.eq(#identify.identify(known, session_steps).front, 1)
end)

t.test("nothing from the network is shown unescaped", function()
  local bytes = "\27]0;x\7\0\255<&>"
  local result = judge({ "greeting", "220 " .. bytes .. " A 1\r\n" }, { "rset", "553 listed at " .. bytes .. "\r\n" },
    { "ehlo", "250-" .. bytes .. "\r\n250 " .. bytes .. "\r\n" })
  t.ok(not require("deepid.json").encode(result):find("\\u00"), "control or 8-bit byte in the result")
  t.ok(not report.text(result):gsub("\n", ""):find("[^\32-\126]"), "in the text")
end)

t.test("an empty session is an unknown server, and says what was missing", function()
  local result = judge({ "greeting", "", "close" })
  t.eq({ result.identity.product, result.unobserved[1], #result.evidence }, { nil, "greeting (close)", 0 })
  t.has(report.text(result), "server: unknown", true)
end)

-- Nmap's version record: what was there, what we found, what must stand there.
local OLD = { name = "smtp", product = "Nmap's", version = "9", extrainfo = "old", hostname = "old.example", ostype = "OldOS",
  cpe = { "cpe:/a:old" }, service_tunnel = "ssl" }

t.test("version record: Nmap's answer is kept where we have none", function()
  local fields = report.version(judge({ "greeting", "220 x\r\n" }), OLD)
  t.eq({ fields.product, fields.version, fields.extrainfo, fields.ostype, fields.hostname, fields.service_tunnel, fields.cpe },
    { "Nmap's", "9", "old", "OldOS", "old.example", "ssl", { "cpe:/a:old" } })
end)

t.test("version record: ours replaces it whole", function()
  local fields = report.version(judge({ "greeting", "220 mx.a.example A 1.2\r\n" }), OLD)
  t.eq({ fields.product, fields.version, fields.extrainfo, fields.ostype, fields.hostname, fields.cpe },
    { "A", "1.2", nil, "Linux", "mx.a.example", { "cpe:/a:a:a:1.2" } })
end)

t.test("version record: front, inner and first advice as extra information", function()
  local fields = report.version(judge({ "greeting", "220 o.example PGP (x us with: i.example A 1.2)\r\n" }), { name = "unknown" })
  t.eq({ fields.name, fields.product }, { "smtp", "PGP" })
  t.eq(fields.extrainfo, "proxy; behind it: A 1.2 on Linux at i.example; Ask o.example about it.")
end)

-- Rules for what is beside product and version: details, other protocols, builds.
local DETAILS = assert(texts.compile(rules.parse([[
Probe TCP NULL q||
#: id ms
#: role mta
match smtp m|^220 (\S+) MS ([\d.]+)\r\n| p/Microsoft MS/ v/$2/ h/$1/ o/Windows/ i/node $1/
#: id ssh
#: role mta
match ssh m|^SSH-| p/SSH server/
]], "rules")))

local function details(greeting)
  return identify.identify({ steps = DETAILS, builds = { exchange = { ["15.2.1544.4"] = "Exchange 2019 CU14" }, windows = { ["3790"] = "Windows Server 2003" } } },
    session({ "greeting", greeting }))
end

t.test("a build is named, and so is its Windows; details stand in brackets", function()
  local exchange, iis = details "220 mx MS 15.02.1544.004\r\n", details "220 mx MS 6.0.3790.1\r\n"
  t.eq({ exchange.identity.release, exchange.identity.os, exchange.identity.info }, { "Exchange 2019 CU14", "Windows", "node mx" })
  t.eq({ iis.identity.release, iis.identity.os }, { nil, "Windows Server 2003" })
  t.has(report.text(exchange), "server: Microsoft MS 15.02.1544.004 (Exchange 2019 CU14, node mx) on Windows at mx", true)
  t.eq(report.version(exchange).extrainfo, "Exchange 2019 CU14, node mx")
end)

t.test("another protocol gives the port its name", function()
  local result = details "SSH-2.0-x\r\n"
  t.eq({ result.identity.service, report.version(result, { name = "smtp" }).name }, { "ssh", "ssh" })
  t.eq(report.version(details "220 mx MS 1\r\n", { name = "unknown" }).name, "smtp")
end)

t.test("the clock, names in EHLO and in the certificate", function()
  local transcript_of = session({ "greeting", "220 mx.a.example A; Tue, 24 Nov 2026 10:00:05 +0100\r\n" }, { "ehlo", "250-node7.a.example\r\n250 A\r\n" })
  transcript_of.steps[1].at, transcript_of.steps[1].first_ms = 1795510800, 1000
  transcript_of.certificate = { subject = "CN=x", names = { "mail.corp.local", "mx.a.example" } }
  local result = identify.identify(known, transcript_of)
  t.eq(result.clock, { step = "greeting", zone = "+0100", skew_s = 4 })
  t.eq(result.leaks, { { kind = "other_name", value = "node7.a.example" }, { kind = "internal_name", value = "mail.corp.local" } })
  t.has(report.text(result), "clock: zone +0100, 4 s ahead", true)
end)

t.test("a survey counts addresses, not ports, and notes shared names", function()
  local all = survey.new()
  for i, address in ipairs({ "192.0.2.1", "192.0.2.1", "192.0.2.2", "192.0.2.3" }) do
    local record = transcript.from_greeting(i < 4 and "220 mx.a.net A 1" or "220 other", address, i == 2 and 587 or 25)
    all:add(record, identify.identify(known, record))
  end
  local object = assert(require("deepid.verdict").judge(all))
  t.eq({ object.hosts_seen, object.verdict, object.products[1], #object.groups }, { 3, "normal", { product = "A", hosts = 2 }, 1 })
  t.eq({ object.groups[1].key, object.groups[1].hosts }, { "mx.a.net", 2 })
end)

t.done()
