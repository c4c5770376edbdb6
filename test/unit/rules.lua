--- Reading rules: match lines, fields, annotations, and what is wrong with them.

local t = require "tap"
local matchline = require "deepid.matchline"
local rules = require "deepid.rules"
local match_fields = require "deepid.match_fields"
local template = require "deepid.template"

-- Templates: text, captures, what it becomes.
for _, case in ipairs({
  { "Exim $1", { "4.96" }, "Exim 4.96" },
  { "$1 $2", { "a", false }, nil },
  { "$1, ", { "a" }, "a" },
  { "  , ", {}, nil },
  { "$P(1)", { "W\0i\0n\0" }, "Win" },
  { '$SUBST(1,"_",".")', { "8_12_3" }, "8.12.3" },
  { '$SUBST(1,".","%")', { "1.2" }, "1%2" },
  { '$SUBST(1, "_", ".")', { "8_12" }, "8.12" },
  { '$I(1,">")', { "\1\2" }, "258" },
  { '$I(1,"<")', { "\1\2" }, "513" },
  { '$I(1,">")', { ("\255"):rep(9) }, nil },
}) do
  t.test("template " .. case[1], function()
    t.eq(template.expand(assert(match_fields.parse(case[1])), case[2]), case[3])
  end)
end

for _, wrong in ipairs({ "$", "$x", "$0", "$P(0)", "$P(x)", "$SUBST(1,a,b)", '$I(1,"=")', "$FOO(1)" }) do
  t.test("template " .. wrong .. " is refused", function() t.eq(match_fields.parse(wrong), nil) end)
end

t.test("captures in a CPE are lower-cased and encoded", function()
  t.eq(template.expand(match_fields.parse("a:$1:$2"), { "Foo Bar", "1:2+" }, true), "a:foo_bar:1%3a2%2b")
end)

t.test("fields with any delimiter, CPE letters, in any order", function()
  local fields = assert(match_fields.read(" v|$2| p/A B/ i:x/y: cpe:/a:b:c:$2/a cpe:|o:x|"))
  t.eq(template.expand_fields(fields, { "-", "1.0" }),
    { product = "A B", version = "1.0", info = "x/y", cpe = { "cpe:/a:b:c:1.0", "cpe:/o:x" } })
end)

for _, wrong in ipairs({ "p/a", "x/a/", "p/a/ p/b/", "p/a/v/b/", "p/$/", "v/a/q", "cpe:/a/abcd" }) do
  t.test("fields " .. wrong .. " are refused", function() t.eq(match_fields.read(wrong), nil) end)
end

t.test("a match line's parts", function()
  local match = assert(matchline.match("softmatch smtp m=^a|b/=si p/x/"))
  t.eq({ match.soft, match.service, match.pattern, match.flags }, { true, "smtp", "^a|b/", "si" })
  t.eq(matchline.match("rarity 3"), nil)
end)

local GOOD = [[
# a comment
Probe TCP NULL q||
#: id      one
#: role    mta
#: cite    somewhere
#: example 220 a 1\r\n
#: yields  v/1/
#: reject  221 a\r\n
#: window  3.7 -
match smtp m|^220 a (\d)| p/A/ v/$1/

Probe TCP Help q|HELP\r\n|
#: id two
#: role note
#: cite x
#: egg  Says $1
#: example 214 hi\r\n
match smtp m|^214 (\w+)|

Probe TCP Odd q|x|
#: step unknown
#: id three
#: role blocker
#: cite x
#: example 500 no\r\n
softmatch smtp m|^500 no|i p/B/

#: rule four
#: role rewriter
#: what p/C/ v/$1/
#: need greeting m|^220 (x)|
#: any  ehlo m|^250-X|m
#: forbid ehlo m|STARTTLS|
#: example greeting 220 x\r\n
#: example ehlo 250-XX\r\n
#: yields v/x/
#: example greeting 220 x\r\n
#: example ehlo 250-XY\r\n
#: cite x
#: end
]]

t.test("a file of every kind of rule", function()
  local list, problems = rules.parse(GOOD, "good")
  t.eq(problems, {})
  t.eq(#list, 4)
  local one, two, three, four = list[1], list[2], list[3], list[4]
  t.eq({ one.id, one.step, one.line, one.examples[1].steps.greeting, one.examples[1].yields.version },
    { "one", "greeting", 10, "220 a 1\r\n", "1" })
  t.eq(one.window, { "3.7", nil })
  t.eq({ two.step, two.egg[1], two.fields.p }, { "help", "Says ", nil })
  t.eq({ three.step, three.soft, three.flags }, { "unknown", true, "i" })
  t.eq({ four.conditions[1].kind, four.conditions[2].step, four.conditions[3].kind }, { "need", "ehlo", "forbid" })
  t.eq(#four.examples, 2)
  t.eq(four.examples[1].steps, { greeting = "220 x\r\n", ehlo = "250-XX\r\n" })
end)

-- A broken rule between two good ones: its message, and both others survive.
local BEFORE = "Probe TCP NULL q||\n#: id a\n#: role mta\nmatch smtp m|a| p/A/\n"
local AFTER = "#: id z\n#: role mta\nmatch smtp m|z| p/Z/\n"
for _, case in ipairs({
  { "#: id b\n#: role mta\n#: colour red\nmatch smtp m|b| p/B/\n", "f:7: unknown annotation colour" },
  { "#: id b\n#: role king\nmatch smtp m|b| p/B/\n", "f:6: unknown role king" },
  { "#: id b\nmatch smtp m|b| p/B/\n", "f:6: rule b has no role" },
  { "#: role mta\nmatch smtp m|b| p/B/\n", "f:6: a rule without an id" },
  { "#: id b\n#: role mta\nmatch smtp m|b p/B/\n", "f:7: pattern without its closing |" },
  { "#: id b\n#: role mta\nmatch smtp m|b|x p/B/\n", "f:7: unknown flag x" },
  { "#: id b\n#: role mta\nmatch smtp m|b| p/B\n", "f:7: unfinished field" },
  { "#: id b\n#: role mta\nmatch smtp m|b| p/$Q/\n", "f:7: nothing known follows $" },
  { "#: id b\n#: role mta\n#: example \\q\nmatch smtp m|b| p/B/\n", "f:7: unknown escape" },
  { "#: id b\n#: role mta\n#: yields v/1/\nmatch smtp m|b| p/B/\n", "f:7: yields without an example" },
  { "#: id b\n#: role mta\n#: need greeting m|x|\nmatch smtp m|b| p/B/\n", "f:7: need outside of rule" },
  { "#: rule b\n#: role mta\n#: forbid ehlo m|x|\n#: end\n", "f:8: a rule without need or any" },
  { "#: rule b\n#: role mta\n#: need ehlo m|x|q\n#: end\n", "f:7: unknown flag q" },
  { "#: rule b\n#: role mta\n#: need m|x|\n#: end\n", "expected a step's name" },
  { "#: end\n", "f:5: end without rule" },
  { "#: id b\n#: role mta\n#: confidence 7\nmatch smtp m|b| p/B/\n", "f:7: confidence takes" },
  { "rarity 3\n", "f:5: expected Probe, match" },
  { "#: id b\n#: role mta\n#: cite " .. ("x"):rep(2000) .. "\nmatch smtp m|b| p/B/\n", "f:7: a line of 2008 bytes" },
  { "#: id b\n#: role mta\n#: inner x\nmatch smtp m|b| p/B/\n", "f:7: inner takes the number" },
  { "#: id b\n#: id c\n#: role mta\nmatch smtp m|b| p/B/\n", "f:6: id twice" },
}) do
  t.test("refused: " .. case[2], function()
    local list, problems = rules.parse(BEFORE .. case[1] .. AFTER, "f")
    t.has(table.concat(problems, "\n"), case[2], true)
    t.eq({ list[1].id, list[2] and list[2].id, #list }, { "a", "z", 2 })
  end)
end

t.test("rule without end, annotations without a match line", function()
  local list, problems = rules.parse("#: rule a\n#: role mta\n", "f")
  t.eq({ #list, problems[1] }, { 0, "f:1: rule without end" })
  list, problems = rules.parse("#: id a\n\nProbe TCP NULL q||\n", "f")
  t.eq({ #list, problems[1] }, { 0, "f:1: annotations without a match line" })
end)

t.done()
