--- What a transcript contributes to the survey, and how records gather.

local digests = require "deepid.digest"
local groups = require "deepid.groups"
local members = require "deepid.members"
local namings = require "deepid.naming"
local survey = require "deepid.survey"
local t = require "tap"
local transcript = require "deepid.transcript"
local uniformity = require "deepid.uniformity"

local function step(name, sent, reply, more)
  local one = { step = name, connection = 1, tls = "none", sent = sent, reply = reply, ["end"] = "reply" }
  for key, value in pairs(more or {}) do one[key] = value end
  return one
end

local function digest(...) return digests.of({ address = "203.0.113.7", port = 25, steps = { ... } }) end
local function greeting(text) return digest(step("greeting", "", text)) end

t.test("the announced name: public ones alone, in lower case", function()
  t.eq(greeting("220 MX.Own.org ESMTP\r\n").hostname, "mx.own.org")
  for _, text in ipairs({ "220 localhost ESMTP\r\n", "220 mail.example.com ESMTP\r\n", "220 [192.0.2.1] ESMTP\r\n", "220 ESMTP\r\n", "554 mx.own.org no\r\n" }) do
    t.eq(greeting(text).hostname, nil, text)
  end
end)

t.test("what varies from reply to reply is not part of a key", function()
  local a = greeting("220 mx.own.org ESMTP Exim 4.96 Tue, 24 Nov 2026 10:00:00 +0000\r\n")
  local b = greeting("220 mx.own.org ESMTP Exim 4.96 Wed, 25 Nov 2026 11:01:02 +0000\r\n")
  t.eq({ a.greeting == b.greeting, a.template == b.template }, { true, true })
  local c = greeting("220 mx.other.net ESMTP Exim 4.96 Wed, 25 Nov 2026 11:01:02 +0000\r\n")
  t.eq({ a.greeting == c.greeting, a.template == c.template }, { false, true })
end)

t.test("a dialect needs a hello and HELP, and holds no name of the host", function()
  local hello = step("ehlo", "EHLO scanner.example\r\n", "250-mx.own.org Hello scanner.example [192.0.2.1]\r\n250 DSN\r\n")
  t.eq(digest(step("greeting", "", "220 mx.own.org ESMTP\r\n"), hello).dialect, nil)
  local known = digest(step("greeting", "", "220 mx.own.org ESMTP\r\n"), hello, step("help", "HELP\r\n", "500 5.5.2 Error: command not recognized\r\n"))
  t.eq(known.dialect, "250-<host> Hello <client> [<client>] / 500 5.5.2 Error: command not recognized")
end)

t.test("a refusal's text, without the client's and the target's addresses", function()
  local a = greeting("554 5.7.1 You (192.0.2.1) may not reach 203.0.113.7\r\n").notice
  t.ok(a and not a:find("192.0.2.1", 1, true) and not a:find("203.0.113.7", 1, true), a)
  t.eq(a, greeting("554 5.7.1 You (192.0.2.99) may not reach 203.0.113.7\r\n").notice)
  t.ok(a ~= greeting("554 5.7.1 Others may not\r\n").notice)
  t.ok(greeting("554 Ask the people of own.org\r\n").notice ~= greeting("554 Ask the people of other.net\r\n").notice)
end)

t.test("a refusal at EHLO counts, an unknown verb does not", function()
  local function ehlo(text) return digest(step("greeting", "", "220 mx.own.org\r\n"), step("ehlo", "EHLO x.own.net\r\n", text)).notice end
  t.ok(ehlo("550 not here\r\n"))
  t.eq({ ehlo("502 unknown\r\n"), ehlo("250 mx.own.org\r\n") }, {})
end)

t.test("a line of a greeting list has the digest of a transcript that holds it alone", function()
  local texts = { "220 mx.own.org ESMTP Exim 4.96 Tue, 24 Nov 2026 10:00:00 +0000", "220 localhost ESMTP", "220 MX.Own.Org. ESMTP", "554 5.7.1 no, 192.0.2.1", "421 x",
    "", "220-mx.own.org\\r\\n220 x", "220 lone \\", "220 \\q mx", "\0\255", "220 [203.0.113.7] " .. ("x"):rep(5000), "220 203.0.113.7 mx.a.net id 4Xq2Wb1z" }
  for _, text in ipairs(texts) do
    local bytes = require("deepid.escape").bytes(text) or text
    local want = digests.of(transcript.from_greeting(bytes, "203.0.113.7"))
    local got = digests.of_greeting(text, "203.0.113.7", namings.new())
    for _, field in ipairs({ "port", "answered", "hostname", "ehlo_name", "greeting", "template", "notice", "ehlo", "certificate", "mixed", "echoed", "product", "path" }) do
      t.eq({ field, got[field] or false }, { field, want[field] or false })
    end
  end
end)

t.test("a long line with escapes is cut between them", function()
  for cut = 0, 4 do
    local text = ("a"):rep(cut) .. ("\\x41"):rep(5000)
    local got = digests.of_greeting(text:sub(1, digests.TEXT_BYTES), "203.0.113.7", namings.new())
    t.has(got.reply, "^a*A+\r\n$")
  end
end)

t.test("EHLO keywords, certificate, fronts", function()
  local record = { address = "203.0.113.7", port = 25, certificate = { spki_sha256 = "ab", names = { "mx.own.org" } },
    steps = { step("greeting", "", "220 mx.own.org\r\n"), step("ehlo", "EHLO x\r\n", "250-mx2.own.org\r\n250-SIZE 1\r\n250 HELP\r\n") } }
  local got = digests.of(record, namings.of({ identity = { product = "P" }, front = { { role = "proxy" } } }))
  t.eq({ got.ehlo, got.ehlo_name, got.certificate, got.product, #got.fronts }, { "SIZE 1\nHELP", "mx2.own.org", "ab", "P", 1 })
end)

local function first_host(all)
  local host = all:hosts()()
  return host
end

t.test("port 25 stands for a host, whatever came first", function()
  local all = survey.new()
  all:add(transcript.from_greeting("220 b.own.org", "203.0.113.7", 587))
  all:add(transcript.from_greeting("220 c.own.org", "203.0.113.7", 2525))
  t.eq(first_host(all).main.hostname, "b.own.org")
  all:add(transcript.from_greeting("220 d.own.org", "203.0.113.7", 8025))
  t.eq(first_host(all).main.hostname, "d.own.org")
  all:add(transcript.from_greeting("220 a.own.org", "203.0.113.7", 25))
  t.eq(first_host(all).main.hostname, "a.own.org")
  local count = 0
  for host in all:hosts() do count = math.max(count, host.ordinal) end
  t.eq(count, 1)
end)

t.test("controls and known hosts: of the scan record, of script arguments", function()
  local all = survey.new()
  all:add({ record = "scan", control = { "192.0.2.1" }, arguments = { ["smtp-deepid.control"] = "192.0.2.2, 192.0.2.3", ["smtp-deepid.known"] = { "192.0.2.4" } } })
  t.eq({ all.control["192.0.2.1"], all.control["192.0.2.3"], all.known["192.0.2.4"], all.known["192.0.2.1"] }, { true, true, true, nil })
end)

t.test("PTR names: of public domains, more records than one", function()
  local all = survey.new()
  all:add({ record = "host", address = "203.0.113.7", names = { "mx.own.co.uk", "x.local", "bad\27name.org" } })
  t.eq(first_host(all).domains, { "own.co.uk" })
end)

t.test("hosts are grouped by what they show; a control is no target", function()
  local all = survey.new()
  all:add({ record = "scan", control = { "20.3.0.25" } })
  for _, address in ipairs({ "20.1.0.25", "20.1.1.25", "20.2.0.25", "20.3.0.25" }) do all:add(transcript.from_greeting("220 mx.own.org", address)) end
  local watch = uniformity.watch(all, { classes = {} })
  for host in all:hosts() do watch:see(host) end
  local found = {}
  for group in watch.store:groups(groups.KINDS.hostname, 2) do found[#found + 1] = { group.example, group.hosts, group.networks16 } end
  t.eq(found, { { "mx.own.org", 3, 2 } })
  local chosen = { hostname = { ["mx.own.org"] = {} } }
  members.gather(all, chosen, { "hostname" }):each(function(kind, key, hosts, total) t.eq({ kind, key, #hosts, total }, { "hostname", "mx.own.org", 3, 3 }) end)
end)

t.done()
