--- Escaping, replies, versions and JSON: tables of cases.

local t = require "tap"
local escape = require "deepid.escape"
local json = require "deepid.json"
local reply = require "deepid.reply"
local version = require "deepid.version"

for _, case in ipairs({
  { "220 mx ESMTP\r\n", "220 mx ESMTP\\r\\n" },
  { "a\0b\27[31m\127\255\t\\", "a\\x00b\\x1B[31m\\x7F\\xFF\\t\\\\" },
  { "", "" },
}) do
  t.test("escape " .. case[2], function()
    t.eq(escape.visible(case[1]), case[2])
    t.eq(escape.bytes(case[2]), case[1])
  end)
end

t.test("every byte escapes to printable ASCII and comes back", function()
  for byte = 0, 255 do
    local text = escape.visible(string.char(byte))
    t.ok(not text:find("[^\32-\126]"), "byte " .. byte)
    t.eq(escape.bytes(text), string.char(byte))
  end
end)

t.test("a long text is cut and says so", function()
  t.eq(escape.visible(("x"):rep(10), 4), "xxxx [+6 bytes]")
end)

for _, wrong in ipairs({ "\\q", "\\x4", "end\\", "\\xZZ" }) do
  t.test("bad escape " .. wrong, function() t.eq(escape.bytes(wrong), nil) end)
end

-- Replies: bytes, whole or not.
for _, case in ipairs({
  { "220 mx\r\n", true }, { "220 mx\n", true }, { "220\r\n", true }, { "220\n", true },
  { "250-a\r\n250 b\r\n", true }, { "250-a\r\n", false }, { "250-a\r\n250 b", false },
  { "220 mx\r", false }, { "", false }, { "\n", false }, { "hello\r\n", false }, { "2200 x\r\n", false },
  { "250-a\r\n\r\n250 b\r\n", true }, { "25", false },
}) do
  t.test("whole reply: " .. escape.visible(case[1]), function() t.eq(reply.complete(case[1]), case[2]) end)
end

t.test("a reply's parts", function()
  t.eq(reply.parse("250-mx.a Hello\r\n250-SIZE 10\r\n250 HELP\r\n"), { code = "250", lines = {
    { code = "250", sep = "-", text = "mx.a Hello" }, { code = "250", sep = "-", text = "SIZE 10" },
    { code = "250", sep = " ", text = "HELP" } } })
  local bare = reply.parse("502 5.5.2 Error: what\n")
  t.eq({ bare.enhanced, bare.code, reply.code("502 5.5.2 Error: what\n") }, { "5.5.2", "502", "502" })
  t.eq(reply.parse("hello").code, nil)
  t.eq(reply.parse("").lines, {})
end)

for _, case in ipairs({
  { "220 mx.example.org ESMTP\r\n", "mx.example.org" }, { "250-[192.0.2.1] hi\r\n", "[192.0.2.1]" },
  { "220 localhost ESMTP\r\n", nil }, { "554 mx.example.org no\r\n", nil }, { "220 ESMTP ready\r\n", nil },
}) do
  t.test("domain of " .. escape.visible(case[1]), function() t.eq(reply.domain(case[1]), case[2]) end)
end

for _, case in ipairs({
  { "250-mx.a\r\n250 HELP\r\n", false }, { "250-mx.a\r\n250 HELP\n", true }, { "250-mx.a\n250 HELP\r\n", true }, { "\n", true }, { "220 mx", false },
  { "", false }, { "a\r\n\nb", true },
}) do
  t.test("a bare LF: " .. escape.visible(case[1]), function() t.eq(reply.has_bare_lf(case[1]), case[2]) end)
end

t.test("extensions leave the first line out", function()
  t.eq(reply.extensions("250-mx\r\n250-SIZE 5\r\n250 8BITMIME\r\n"), { "SIZE 5", "8BITMIME" })
  t.eq(reply.extensions("250 mx\r\n"), {})
  t.eq(reply.extensions("250-mx\n250-\r\n550 no\r\n250-A\rB\n250 C"), { "A\rB", "C" })
end)

-- Versions in ascending order.
local ORDER = { "1.0rc1", "1.0", "1.0.post1", "1.0.post2", "1.0.1", "1.2", "1.10", "2", "8.9.3", "8.17.1", "8.17.1.9", "9", "9p1", "9p2", "9.1" }
t.test("versions are ordered as people do", function()
  for i, a in ipairs(ORDER) do
    for j, b in ipairs(ORDER) do t.eq(version.less(a, b), i < j, a .. " < " .. b) end
  end
  t.eq(version.later("3.7", nil), "3.7")
  t.eq(version.later("3.7", "3.10"), "3.10")
  t.eq(version.earlier("3.7", "3.10"), "3.7")
end)

-- JSON: value and text, both ways.
for _, case in ipairs({
  { { a = 1, b = { "x", "y" } }, '{"a":1,"b":["x","y"]}' },
  { json.array(), "[]" }, { {}, "{}" }, { "\0\27\"\\\r\n\t/", [["\u0000\u001b\"\\\r\n\t/"]] },
  { "caf\195\169 \255", [["caf\u00c3\u00a9 \u00ff"]] }, { -12, "-12" }, { 0.25, "0.25" }, { true, "true" },
}) do
  t.test("JSON " .. case[2], function()
    t.eq(json.encode(case[1]), case[2])
    t.eq(json.decode(case[2]), case[1])
  end)
end

t.test("JSON reads what others write", function()
  t.eq(json.decode('  {"a" : null , "b":[ 1.5e3 ,false],"c":"\\u20ac\\ud83d\\ude00\\/"}\r\n'),
    { b = { 1500.0, false }, c = "€😀/" })
end)

for _, case in ipairs({
  { "", "end at byte 1" }, { "{", "key at byte 2" }, { '{"a"}', ": at byte 5" }, { "[1,]", "character at byte 4" }, { '"a', "unfinished" },
  { '"\1"', "control byte in string at byte 2" }, { "[1] x", "more after" }, { "nul", "character at byte 1" }, { '"\\u12"', "bad escape" },
  { ("["):rep(100), "too deeply" }, { "1e", "unexpected character" },
}) do
  t.test("bad JSON " .. escape.visible(case[1], 20), function()
    local value, message = json.decode(case[1])
    t.eq(value, nil)
    t.has(message, case[2], true)
  end)
end

t.test("what JSON cannot hold raises", function()
  local circle = {}
  circle[1] = circle
  for _, value in ipairs({ print, 0 / 0, math.huge, circle }) do t.raises("json", json.encode, value) end
end)

t.done()
