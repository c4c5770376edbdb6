--- The linter finds what it is there to find: one broken rule a case.

local t = require "tap"
local core = assert(require("deepid.core").load())
local lint = require "deepid.lint"

local function check(text)
  local path = os.tmpname()
  local file = assert(io.open(path, "w"))
  file:write("Probe TCP NULL q||\n", text)
  file:close()
  local problems, rules, examples = lint.check({ path }, core.fpset)
  os.remove(path)
  return table.concat(problems, "\n"), rules, examples
end

local function rule(body, line, id)
  return ("#: id %s\n#: role mta\n#: cite x\n%s\n%s\n"):format(id or "a", body, line)
end

local GOOD = rule("#: example 220 alpha 1\\r\\n\n#: yields v/1/", "match smtp m|^220 alpha (\\d)| p/A/ v/$1/")

t.test("a good rule passes", function()
  local problems, rules, examples = check(GOOD)
  t.eq({ problems, rules, examples }, { "", 1, 1 })
end)

for _, case in ipairs({
  { GOOD .. rule("#: example 220 b\\r\\n", "match smtp m|^220 b| p/B/"), "the id is taken" },
  { "#: id a\n#: role mta\n#: example 220 a\\r\\n\nmatch smtp m|^220 a| p/A/\n", "no source" },
  { rule("#: vary h", "match smtp m|^220 a| p/A/"), "no example" },
  { rule("#: example 221 a\\r\\n", "match smtp m|^220 a| p/A/"), "the example does not match" },
  { rule("#: example 220 a 1\\r\\n", "match smtp m|^220 a (\\d)| p/A/ v/$1/"), "no example with yields" },
  { rule("#: example 220 a 1\\r\\n\n#: yields v/2/", "match smtp m|^220 a (\\d)| p/A/ v/$1/"), "yields version 1, expected 2" },
  { rule("#: example 220 a 1\\r\\n\n#: yields v/1/ h/x/", "match smtp m|^220 a (\\d)| p/A/ v/$1/"), "yields hostname nil, expected x" },
  { rule("#: example 220 a 1\\r\\n\n#: yields v/1/", "match smtp m|^220 a (\\d)| p/A/ v/$1/ cpe:/a:a:a:$1/"), "yields cpe:/a:a:a:1, expected " },
  { rule("#: example 220 a\\r\\n", "match smtp m|^220 (a)| p/A/"), "capture 1 is never used" },
  { rule("#: example 220 a\\r\\n", "match smtp m|^220 a| p/A/ v/$1/"), "$1 has no capture" },
  { rule("#: example 220 a\\r\\n", "match smtp m|^(?:220 a)?| p/A/"), "it matches the empty reply" },
  { rule("#: example 220 aa b\\r\\n", "match smtp m|^220 (?:a+)+ b| p/A/"), "runs out of steps" },
  { rule("#: example 220 a\\r\\n\n#: reject 220 ab\\r\\n", "match smtp m|^220 a| p/A/"), "matches what it should reject" },
  { rule("#: example 220 a\\r\\n", "match smtp m|^220 a|"), "it says nothing" },
  { rule("#: example 220 a\\r\\n", "match smtp m|^220 a(| p/A/"), "at byte" },
  { rule("#: example xx 220 a\\r\\n", "match smtp m|220 a| p/A/"), "it does not begin with ^" },
  { "#: rule a\n#: role mta\n#: cite x\n#: what p/A/\n#: need ehlo m|^[^7]*\\n9 [^7]*9|m\n#: example ehlo 250-\\n9 9\\r\\n\n#: end\n", "takes too long" },
  { rule("#: example 220 mx ESMTP ready\\r\\n", "match smtp m|^220 mx ESMTP ready| p/A/"), "its text names nothing" },
  { rule("#: example 220 abc x\\r\\n", "match smtp m/^220 abc (?:\\d|x)/ p/A/") .. rule("#: example 220 abc z\\r\\n", "match smtp m|^220 abc [\\dz]| p/B/", "b"),
    "b also matches what this rule is for, and no example keeps the order" },
  { rule("#: example 220 b\\r\\n", "match smtp m|^220| p/A/") .. rule("#: example 220 a\\r\\n", "match smtp m|^220 a| p/B/", "b"),
    "rule a (" },
}) do
  t.test("found: " .. case[2], function() t.has(check(case[1]), case[2], true) end)
end

t.done()
