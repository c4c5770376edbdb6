--- What `deepid explain` is made of: patterns read and made, where they break, Nmap's fingerprints, samples, and the words.

local t = require "tap"
local breakpoint = require "deepid.breakpoint"
local deepid = require "deepid"
local generate = require "deepid.generate"
local regex = require "deepid.regex"
local samples = require "deepid.samples"
local submission = require "deepid.submission"
local trace_dialect = require "deepid.trace_dialect"
local trace_rules = require "deepid.trace_rules"
local trace_words = require "deepid.trace_words"

local core = assert(require("deepid.core").load())
local engine = assert(deepid.open { texts = true })

local function each_pattern(visit)
  for _, rule in ipairs(engine.knowledge.rules) do
    for _, pattern in ipairs(rule.conditions or { rule }) do visit(pattern, rule) end
  end
end

t.test("every pattern of ours is read, and its nodes cover it", function()
  each_pattern(function(pattern, rule)
    local tree, message = regex.parse(pattern.pattern, pattern.flags)
    t.ok(tree, ("%s: %s"):format(rule.id, tostring(message)))
    local at = 1
    for i, branch in ipairs(tree.branches) do
      if i > 1 then at = at + 1 end
      for _, node in ipairs(branch) do
        t.eq(node.from, at, rule.id)
        at = node.to + 1
      end
    end
    t.eq(at, #pattern.pattern + 1, rule.id)
  end)
end)

t.test("classes hold what PCRE2 says they hold", function()
  for _, source in ipairs({ "[a-f]", "[^a-f]", "[]a]", "[^]a]", "[\\d.-]", "[-\\w]", "[\\x41-\\x43]", "[a\\-z]", "[\\]\\[]", "\\d", "\\W", "\\S", ".", "[^\\r\\n]", "[\\b]" }) do
    local node, set = assert(regex.parse(source)).branches[1][1], core.fpset({ { pattern = "^(?:" .. source .. ")\\z" } })
    for value = 0, 255 do
      t.eq(node.holds[value] or false, #set:match(string.char(value)) > 0, ("%s and byte %d"):format(source, value))
    end
  end
end)

for _, wrong in ipairs({ "(", ")", "[a", "*", "(?i)a", "(?P<x>a)", "[[:alpha:]]", "\\Qa\\E", "(*FAIL)" }) do
  t.test("not read: " .. wrong, function() t.eq(regex.parse(wrong), nil) end)
end

t.test("texts are made that every pattern of ours matches", function()
  each_pattern(function(pattern, rule)
    if pattern.kind ~= "forbid" then t.ok(#generate.replies(core.fpset, pattern, 2, generate.random(3)) > 0, rule.id .. ": none made") end
  end)
end)

t.test("chance is the same everywhere", function()
  local random, got = generate.random(1), {}
  for i = 1, 5 do got[i] = random(100) end
  t.eq(got, { 95, 87, 38, 42, 84 })
end)

-- Pattern, flags, reply; then what is left of the pattern and of the reply at the break.
for _, case in ipairs({
  { "^220 ([-.\\w]+) ESMTP Exim (\\d)", "", "220 mx.a.org ESMTP Exim4\r\n", " (\\d)", "4\r\n" },
  { "^220 (?:foo|bar(?:baz|qux\\d{4}))", "", "220 barqux12\r\n", "\\d{4}))", "\r\n" },
  { "^220 (?!foo)x", "", "220 foo", "(?!foo)x", "foo" },
  { "^220 [a-c]{3}x", "", "220 abx", "[a-c]{3}x", "x" },
  { "^220 (a|b)\\1c", "", "220 aab", "c", "b" },
  { "^250-X$", "m", "250-A\r\n250-X Y\n", "$", " Y\n" },
  { "^HELLO", "i", "hell", "O", "" },
  { "^a|^b c", "", "b d", "c", "d" },
}) do
  t.test("breaks: " .. case[1], function()
    local broke = breakpoint.find(core.fpset, { pattern = case[1], flags = case[2] }, case[3])
    t.eq({ case[1]:sub(broke.node.from), case[3]:sub(broke.reached + 1) }, { case[4], case[5] })
  end)
end

-- Whatever the pattern: a break is told, its beginning matches as far as it says, and no further node does.
t.test("every rule breaks somewhere in every reply that it does not match", function()
  local replies = { "220 mx.example.org ESMTP Exim4 ready\r\n", "250-mx.example.org Hello\r\n250 HELP\r\n", "", "\r\n", "500 \0\255\r\n" }
  each_pattern(function(pattern, rule)
    local set = core.fpset({ { pattern = pattern.pattern, flags = pattern.flags } })
    for _, reply in ipairs(replies) do
      if #set:match(reply) == 0 then
        local broke = breakpoint.find(core.fpset, pattern, reply)
        t.ok(broke and broke.node, rule.id .. ": no break")
        t.ok(broke.reached >= 0 and broke.reached <= #reply, rule.id .. ": beyond the reply")
      end
    end
  end)
end)

local BLOB = [[
Some text of Nmap's before it.
SF-Port25-TCP:V=7.93%I=7%D=11/25%Time=6B064855%P=x86_64-pc-linux-gnu%r(N
SF:ULL,1F,"220\x20mx\.example\.org\x20\(Foo\"\)\r\n")%r(Hello,2A,"220\x20m
SF:x\r\n501\x20a\\b\0c\x80\r\n")%r(Help,FFF,"220-a\r\n220\x20b\r\n214-x\r\n21
SF:4\x20y\r\n")%r(GenericLines,10,"220\x20mx\r\n500\x20z\r\n");
More text behind it.
]]

t.test("Nmap's fingerprint, wrapped anywhere", function()
  local list, problems = submission.parse(BLOB)
  t.eq({ #list, problems }, { 1, {} })
  local got = {}
  for i, step in ipairs(list[1].steps) do got[i] = { step.connection, step.step, step.reply, step["end"] } end
  t.eq(got, {
    { 1, "greeting", "220 mx.example.org (Foo\")\r\n", "limit" },
    { 2, "greeting", "220 mx\r\n", "reply" }, { 2, "ehlo", "501 a\\b\0c\128\r\n", "limit" },
    { 3, "greeting", "220-a\r\n220 b\r\n", "reply" }, { 3, "help", "214-x\r\n214 y\r\n", "limit" },
    { 4, "greeting", "220 mx\r\n", "reply" },
  })
  t.eq({ list[1].port, list[1].left_out }, { 25, { "GenericLines" } })
end)

t.test("the same as an attribute in Nmap's XML", function()
  local joined = BLOB:match("SF%-Port.-;\n"):gsub("\nSF:", ""):gsub("\n", "")
  local xml = ('<port protocol="tcp" portid="25"><service name="smtp" servicefp="%s"/></port>\n')
    :format((joined:gsub("[&<>\"]", { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;" })))
  t.ok(submission.found(xml))
  t.eq(submission.parse(xml), submission.parse(BLOB))
end)

for name, text in pairs({ ["has no end"] = BLOB:gsub(";\n", "\n"), ["holds no reply"] = "SF-Port25-TCP:V=7.93%I=7;\n", ["not Nmap's fingerprint of a TCP port"] = "SF-Port25-UDP:x;\n" }) do
  t.test("a fingerprint that " .. name, function()
    local list, problems = submission.parse(text)
    t.eq(#list, 0)
    t.has(problems[1], name, true)
  end)
end

local function read_sample(text, step, suffix)
  local path = os.tmpname()
  os.remove(path)
  path = path .. (suffix or "")
  local file = assert(io.open(path, "wb"))
  file:write(text)
  file:close()
  local list, problems = samples.read(path, step)
  os.remove(path)
  local got = {}
  for i, one in ipairs(list) do got[i] = { one.address or "-", one.steps[1].step, one.steps[1].reply } end
  return got, problems
end

for _, case in ipairs({
  { "220 a\n192.0.2.1\t220 b\\r\\n\n", nil, { { "-", "greeting", "220 a\r\n" }, { "192.0.2.1", "greeting", "220 b\r\n" } } },
  { "220-a\r\n220 b\r\n", nil, { { "-", "greeting", "220-a\r\n220 b\r\n" } } },
  { "220-a\\r\\n220 b\n", nil, { { "-", "greeting", "220-a\r\n220 b\r\n" } } },
  { "250-a\n250 C\\x41\n250 b\n", "ehlo", { { "-", "ehlo", "250-a\r\n250 CA\r\n" }, { "-", "ehlo", "250 b\r\n" } } },
  { "220 lone \\q\n", nil, { { "-", "greeting", "220 lone \\q\r\n" } } },
  { '{"steps":[{"step":"help","reply":"214 a\\r\\n"}]}\n{"record":"scan"}\n', nil, { { "-", "help", "214 a\r\n" } } },
}) do
  t.test("samples of " .. case[1]:gsub("%c", " "), function()
    local got, problems = read_sample(case[1], case[2])
    t.eq({ got, problems }, { case[3], {} })
  end)
end

t.test("samples: a recording, a broken line, a missing file", function()
  local got = read_sample("```transcript\n-- greeting\nS 220 a\\r\\n\n```\n", nil, ".md")
  t.eq(got, { { "-", "greeting", "220 a\r\n" } })
  local _, problems = read_sample("{broken\n220 a\n")
  t.has(problems[1], ":1: ", true)
  local list, message = samples.read("/nonexistent")
  t.eq(list, nil)
  t.has(message, "/nonexistent", true)
end)

local function explained(steps, most)
  for i, step in ipairs(steps) do steps[i] = { step = step[1], sent = "", reply = step[2], connection = step[3] or 1, ["end"] = "reply" } end
  local traced, composites = trace_rules.trace(core.fpset, engine.knowledge, { steps = steps })
  return table.concat(trace_words.lines(traced, composites, most or 3), "\n"), traced, composites
end

t.test("explained: what matched, and what came too late", function()
  local text = explained({ { "greeting", "220 mx.example.org ESMTP Postfix (Debian/GNU)\r\n" } })
  t.has(text, "matched: postfix%-debian %(21%-postfix%.rules:%d+, mta%): product Postfix smtpd, os Debian Linux, hostname mx%.example%.org")
  t.has(text, "matched: postfix%-greeting %(.-%), but postfix%-debian comes first in its role")
end)

t.test("explained: the nearest rule, and the place in both", function()
  local text, traced = explained({ { "greeting", "220 mx.one.test ESMTP Exim4 ready\r\n" } }, 1)
  t.eq(traced[1].near[1].rule.id, "exim-greeting")
  local rule, under_rule, reply, under_reply = text:match("\n      rule   ([^\n]*)\n([^\n]*)\n      reply  ([^\n]*)\n([^\n]*)")
  t.eq(rule:sub(under_rule:find("^", 1, true) - 13, -1):sub(1, 4), " (?!")
  t.eq(reply:sub(under_reply:find("^", 1, true) - 13, -1), "4 ready\\r\\n")
  t.has(under_rule, 'wants " "', true)
  t.has(explained({ { "greeting", "220 mx.example.org ESMTP\r\n" } }, 9), 'wants " Postfix"', true)
end)

t.test("explained: nothing of the network is shown unescaped, and one reply once", function()
  local text = explained({ { "greeting", "220 \27[31m\r\n", 1 }, { "greeting", "220 \27[31m\r\n", 2 } })
  t.eq(text:find("[%z\1-\9\11-\31\127-\255]"), nil)
  t.eq(select(2, text:gsub("greeting", "")), 1)
end)

t.test("explained: a connection that was turned away", function()
  local text = explained({ { "greeting", "421 Too many concurrent SMTP connections; please try again later.\r\n", 1 }, { "greeting", "220 a\r\n", 2 } })
  t.has(text, "this connection was turned away and another one let in", true)
end)

t.test("explained: rules over several steps, condition by condition", function()
  local text, _, composites = explained({ { "greeting", "220 rblsmtpd.local\r\n" }, { "help", "451 Go away\r\n" } })
  t.has(text, "rblsmtpd%-help %([^\n]*%): holds")
  for _, one in ipairs(composites) do t.ok(one.rule.id ~= "nginx-mail-proxy", "a rule of which nothing holds") end
  text = explained({ { "greeting", "220 mx.example.org ESMTP ready\r\n" }, { "help", "500 5.5.1 Invalid commands\r\n" } }, 9)
  t.has(text, "nginx%-mail%-proxy %([^\n]*%): does not hold\n    need greeting: holds\n    any help: fails\n")
  t.has(text, "any unknown: unknown: the step was not observed", true)
end)

-- Whatever stands in a file or came from a server: no error, and nothing unescaped.
t.test("rubbish is read and explained", function()
  local alphabet = { "SF-Port25-TCP:", "SF:", "%r(NULL,", "%r(Hello,5,", '"', ")", ";", "\\", "\\x", "220 ", "220-", "\r\n", "\n", "\0", "\255", "\27[1m", "{", "ESMTP Postfix", "\t", "250-SIZE\r\n" }
  local random = generate.random(7)
  for _ = 1, 60 do
    local parts = {}
    for k = 1, random(15) do parts[k] = alphabet[random(#alphabet)] end
    local text = table.concat(parts)
    submission.parse(text)
    local lines = explained({ { "greeting", text }, { "ehlo", text } }, 2)
    t.eq(lines:find("[%z\1-\9\11-\31\127-\255]"), nil, text)
  end
end)

t.test("explained: the dialect, its versions, and the answers that weigh most", function()
  local list = samples.read("test/transcripts/postfix-3.7.11-hidden.md")
  local lines = trace_dialect.lines(engine.knowledge, list[1])
  t.has(lines[2], "^    %d%d%.%d%%  Postfix smtpd")
  t.has(lines[3], "^ +%+%d+%.%d %l+: %d%d%d")
  t.has(trace_dialect.lines(engine.knowledge, deepid.transcript.from_greeting("220 a"))[1], "no answer in it that behaviour is read from", true)
end)

t.done()
