--- The `deepid` command, run as a user runs it.

local t = require "tap"

local LUA = arg[-1] or "lua"

-- Runs the command with files of the given contents; FILE1, FILE2, ... stand for their names.
local function run(arguments, ...)
  local names = {}
  for i, text in ipairs({ ... }) do
    names[i] = os.tmpname()
    local file = assert(io.open(names[i], "wb"))
    file:write(text)
    file:close()
    arguments = arguments:gsub("FILE" .. i, names[i])
  end
  local errors = os.tmpname()
  local pipe = assert(io.popen(("%s lua/bin/deepid %s 2>%s"):format(LUA, arguments, errors)))
  local output = pipe:read("a")
  local _, _, status = pipe:close()
  local file = assert(io.open(errors))
  local said = file:read("a")
  file:close()
  os.remove(errors)
  for _, name in ipairs(names) do os.remove(name) end
  return status, output, said
end

t.test("a file of greetings, addresses and saved records, in order", function()
  local status, output, said = run("identify --json FILE1", "220 mx.a.example ESMTP Exim 4.96 Tue, 24 Nov 2026 10:00:00 +0000\n"
    .. "192.0.2.7\t220-mx.b.example\\r\\n220 x\n"
    .. '{"record":"scan","format":1}\n'
    .. '{"record":"transcript","address":"192.0.2.9","port":587,"steps":[{"step":"greeting","reply":"220 z\\r\\n"}]}\n')
  t.eq({ status, said }, { 0, "" })
  local lines = {}
  for line in output:gmatch("[^\n]+") do lines[#lines + 1] = assert(require("deepid.json").decode(line)) end
  t.eq(#lines, 3)
  t.eq({ lines[1].identity.product, lines[1].identity.version }, { "Exim smtpd", "4.96" })
  t.eq({ lines[2].address, lines[2].identity.hostname }, { "192.0.2.7", "mx.b.example" })
  t.eq({ lines[3].address, lines[3].port }, { "192.0.2.9", 587 })
  for _, key in ipairs({ "front", "extensions", "easter_eggs", "evidence", "unobserved", "leaks", "advice" }) do
    t.has(output, '"' .. key .. '":[', true)
  end
end)

t.test("a broken line is named and loses nothing", function()
  local status, output, said = run("identify --json FILE1", "220 a\n{broken\n220 b\n")
  t.eq({ status, select(2, output:gsub("\n", "")) }, { 1, 2 })
  t.has(said, ":2: expected a key", true)
end)

t.test("text for people", function()
  local status, output = run("identify -  < FILE1", "220 mx.a.example ESMTP Exim 4.96 Tue, 24 Nov 2026 10:00:00 +0000\n")
  t.eq(status, 0)
  t.has(output, "server: Exim smtpd 4.96 at mx.a.example", true)
end)

t.test("a missing file", function()
  local status, _, said = run("identify /nonexistent/x")
  t.eq(status, 1)
  t.has(said, "/nonexistent/x", true)
end)

-- Three unrelated networks that announce one host, and an address with none of its own.
local ALIKE = "20.1.0.25\t220 mx.box.net ESMTP\n21.2.0.25\t220 mx.box.net ESMTP\n22.3.0.25\t220 mx.box.net ESMTP\n23.4.0.25\t220 mail.own.org ESMTP\n"
local APART = ALIKE:gsub("(%d+)(%.%d+%.0%.25\t220 )mx%.box", "%1%2mx.own%1")

t.test("survey of greetings: for people", function()
  local status, output, said = run("survey FILE1", ALIKE)
  t.eq({ status, said }, { 0, "" })
  t.has(output, "^who answered: UNIFORM")
  t.has(output, "3 addresses announce one host name, mx.box.net (20.1.0.25, 21.2.0.25, 22.3.0.25)", true)
  t.has(output, "next: ", true)
end)

t.test("survey of several files is one survey; saved records and greetings alike", function()
  local record = '{"record":"transcript","address":"%s","port":25,"steps":[{"step":"greeting","reply":"220 mx.box.net ESMTP\\r\\n"}]}\n'
  local status, output = run("survey --json FILE1 FILE2", '{"record":"scan","format":1}\n' .. record:format("20.1.0.25") .. record:format("21.2.0.25"),
    "22.3.0.25\t220 mx.box.net ESMTP\n23.4.0.25\t220 mail.own.org ESMTP\n")
  local _, alike = run("survey --json FILE1", ALIKE)
  t.eq({ status, output }, { 0, alike })
  t.eq(assert(require("deepid.json").decode(output)).verdict, "uniform")
end)

t.test("survey names a broken line and judges the rest", function()
  local status, output, said = run("survey FILE1", ALIKE .. "no address here\n")
  t.eq(status, 1)
  t.has(said, ":5: neither a JSON record nor an address", true)
  t.has(output, "UNIFORM", true)
end)

t.test("survey of very many broken lines tells the first, and how many more there are", function()
  local status, output, said = run("survey FILE1", ALIKE .. ("no address here\n"):rep(250))
  t.eq({ status, select(2, said:gsub("\n", "")) }, { 1, 101 })
  t.has(said, ": and 150 more lines that cannot be read", true)
  t.has(output, "UNIFORM", true)
end)

t.test("survey of what cannot be read, and without a place for temporary files", function()
  local status, output, said = run("survey /")
  t.eq({ status, output }, { 1, "" })
  t.has(said, "deepid: /: Is a directory", true)
  local lines = {}
  for i = 1, 60000 do lines[i] = ("20.%d.%d.%d\t220 mx.h%d.net ESMTP"):format(i // 65536, i // 256 % 256, i % 256, i) end
  local before = LUA
  LUA = "TMPDIR=/nonexistent " .. LUA
  status, output, said = run("survey FILE1", table.concat(lines, "\n"))
  LUA = before
  t.eq({ status, output }, { 1, "" })
  t.has(said, " a temporary file in /nonexistent: No such file or directory; with TMPDIR=FOLDER another folder is used", true)
end)

t.test("survey with the commonest keys, of each kind, escaped; states give the same", function()
  local record = '{"record":"transcript","address":"%s","port":25,"steps":[{"step":"greeting","reply":"220 %s ESMTP \\u001b[1m\\r\\n"},'
    .. '{"step":"ehlo","sent":"EHLO x\\r\\n","reply":"250-%s\\r\\n250 DSN\\r\\n"},{"step":"help","sent":"HELP\\r\\n","reply":"214 read\\r\\n"}],'
    .. '"certificate":{"subject":"CN=x","names":[],"spki_sha256":"ab12"}}\n'
  local text = record:format("20.1.0.25", "mx.one.net", "mx.one.net") .. record:format("21.2.0.25", "mx.two.net", "mx.two.net")
    .. "22.3.0.25\t220 mx.one.net Foo\n23.4.0.25\t554 not you\n24.5.0.25\t554 not you\n"
  local status, output = run("survey --json --keys FILE1", text)
  t.eq(status, 0)
  local got = {}
  for _, one in ipairs(assert(require("deepid.json").decode(output)).keys) do got[#got + 1] = { one.kind, one.key, one.hosts, one.networks, #one.examples } end
  t.eq(got, {
    { "hostname", "mx.one.net", 2, 2, 2 }, { "greeting", "554 not you\\r\\n", 2, 2, 2 },
    { "template", "220 <host> ESMTP \\x1B[1m\\r\\n", 2, 2, 2 }, { "template", "554 not you\\r\\n", 2, 2, 2 },
    { "dialect", "250-<host> / 214 read", 2, 2, 2 }, { "ehlo", "DSN", 2, 2, 2 }, { "certificate", "ab12", 2, 2, 2 },
    { "notice", "554 not you", 2, 2, 2 },
  })
  local _, lines = run("survey --keys FILE1", text)
  t.has(lines, "\ncommonest, by dialect:\n  2 hosts in 2 networks: 250-<host> / 214 read (20.1.0.25, ...)\n", true)
  t.ok(not select(2, run("survey FILE1", text)):find("commonest", 1, true))
  local state = os.tmpname()
  t.eq(run("partial -o " .. state .. " FILE1", text), 0)
  t.eq({ run("merge --json --keys " .. state) }, { 0, output, "" })
  os.remove(state)
end)

t.test("the commonest keys: ten of a kind, those in the most networks first", function()
  local text = {}
  for i = 1, 15 do
    for n = 1, i do text[#text + 1] = ("%d.%d.%d.25\t220 mx%d.net ESMTP"):format(20 + n, i, n, i) end
  end
  local _, output = run("survey --json --keys FILE1", table.concat(text, "\n") .. "\n")
  local got = {}
  for _, one in ipairs(assert(require("deepid.json").decode(output)).keys) do
    if one.kind == "hostname" then got[#got + 1] = ("%s %d"):format(one.key, one.networks) end
  end
  t.eq(table.concat(got, ", "), "mx15.net 15, mx14.net 14, mx13.net 13, mx12.net 12, mx11.net 11, mx10.net 10, mx9.net 9, mx8.net 8, mx7.net 7, mx6.net 6")
end)

t.test("compare of two places", function()
  local status, output = run("compare FILE1 FILE2", ALIKE, APART)
  t.eq(status, 0)
  t.has(output, "4 addresses in both scans, 3 answer differently", true)
  t.has(output, "20.1.0.25: 'mx.box.net' against 'mx.own20.net'", true)
  t.has(output, "INTERCEPTED", true)
  t.has(output, "NORMAL", true)
  local _, encoded = run("compare --json FILE1 FILE2", ALIKE, APART)
  local result = assert(require("deepid.json").decode(encoded))
  t.eq({ result.differ, result.here.verdict, result.there.verdict }, { 3, "intercepted", "normal" })
end)

t.test("compare: the same name that answers otherwise", function()
  local record = '{"record":"transcript","address":"20.1.0.25","port":25,"steps":[{"step":"greeting","reply":"220 mx.own.net ESMTP\\r\\n"},'
    .. '{"step":"ehlo","sent":"EHLO x\\r\\n","reply":"250 mx.own.net\\r\\n"},{"step":"help","sent":"HELP\\r\\n","reply":"%s\\r\\n"}]}\n'
  local status, output = run("compare FILE1 FILE2", record:format("214 here"), record:format("502 there"))
  t.eq(status, 0)
  t.has(output, "1 answer differently", true)
  t.has(output, "20.1.0.25: 'mx.own.net, which answers 250 <host> / 214 here' against 'mx.own.net, which answers 250 <host> / 502 there'", true)
  t.has(select(2, run("compare FILE1 FILE2", record:format("214 here"), record:format("214 here"))), "0 answer differently", true)
end)

t.test("compare with a missing file", function()
  local status, _, said = run("compare FILE1 /nonexistent/x", ALIKE)
  t.eq(status, 1)
  t.has(said, "/nonexistent/x", true)
end)

for _, case in ipairs({ "", "frobnicate", "identify", "identify --bad x", "identify --second-opinion", "survey", "survey --bad x", "partial x", "partial -o x", "partial -o",
  "partial --json -o x y", "merge", "merge --json -o x y", "merge -o", "merge -x y", "compare x", "compare x y z" }) do
  t.test("bad usage: " .. case, function()
    local status, _, said = run(case)
    t.eq(status, 2)
    t.has(said, "usage:", true)
  end)
end

t.test("lint of a broken file fails", function()
  local status, output = run("lint FILE1", "Probe TCP NULL q||\n#: id x\nmatch smtp m|a| p/A/\n")
  t.eq(status, 1)
  t.has(output, "rule x has no role", true)
end)

t.test("explain: greetings, replies to another step, how many near misses", function()
  local status, output, said = run("explain FILE1", "192.0.2.7\t220 mx.a.example ESMTP Exim4 ready\n")
  t.eq({ status, said }, { 0, "" })
  t.has(output, "^192%.0%.2%.7 port 25\n  server: unknown at mx%.a%.example\n")
  t.eq(select(2, output:gsub("nearly:", "")), 3)
  status, output = run("explain --near 1 --step help FILE1", "214-2.0.0 This is sendmail version 8.17.1.9\n214 2.0.0 x\n")
  t.eq(status, 0)
  t.has(output, "matched: sendmail", true)
  t.ok(select(2, output:gsub("nearly:", "")) <= 1)
end)

t.test("explain: nothing to explain, a broken fingerprint, bad usage", function()
  t.eq((run("explain FILE1", "")), 1)
  local status, _, said = run("explain FILE1", 'SF-Port25-TCP:V=7.93%r(NULL,2,"22\n')
  t.eq(status, 1)
  t.has(said, "has no end", true)
  t.eq((run("explain")), 2)
  t.eq((run("explain --near x FILE1", "220 a")), 2)
end)

t.test("draft: a rule, the line for Nmap, and what to know", function()
  local status, output, said = run("draft --cite 'seen by me' --id foo --role filter FILE1", "220 mx.a.net ESMTP FooMail 1.2 ready\n220 mx.b.net ESMTP FooMail 1.30 ready\n")
  t.eq({ status, said }, { 0, "" })
  t.has(output, "\n#: id      foo\n#: role    filter\n#: vary    h\n#: cite    seen by me\n#: example 220 mx.example.org ESMTP FooMail 1.2 ready\\r\\n\n#: yields  v/1.2/ h/mx.example.org/\n", true)
  t.has(output, "\nmatch smtp m|^220 ([-.\\w]+) ESMTP FooMail (\\d[-+.\\w]*) ready\\r\\n| p/FooMail/ v/$2/ h/$1/\n", true)
  t.has(output, "# For Nmap's own file, below `Probe TCP NULL q||`:\n# match smtp m|", true)
  t.has(output, "No collision with the ", true)
end)

t.test("draft: a collision, words that name nothing, no such reply", function()
  local status, output = run("draft FILE1", "220 mx.a.net ESMTP Exim 4.96 Tue, 24 Nov 2026 10:00:00 +0000\n")
  t.eq(status, 1)
  t.has(output, "COLLISION: it matches examples of exim-greeting", true)
  local _, said
  status, _, said = run("draft FILE1", "220 mx.a.net ESMTP Service ready\n")
  t.eq(status, 1)
  t.has(said, "names a product", true)
  status, _, said = run("draft --step help FILE1", '{"steps":[{"step":"greeting","reply":"220 a\\r\\n"}]}\n')
  t.eq(status, 1)
  t.has(said, "no reply to help in the samples", true)
  t.eq((run("draft")), 2)
end)

t.done()
