--- The knowledge passes its own lint: every rule proves itself by its examples.

local t = require "tap"
local core = require "deepid.core"
local knowledge = require "deepid.knowledge"
local lint = require "deepid.lint"

local paths = {}
for i, name in ipairs(knowledge.FILES) do paths[i] = assert(knowledge.find()) .. "/" .. name end
local problems, rules, examples = lint.check(paths, assert(core.load()).fpset)

for _, problem in ipairs(problems) do
  t.test("lint", function() t.eq(problem, nil) end)
end
t.test(("lint of %d rules and %d examples"):format(rules, examples), function()
  t.eq(#problems, 0)
  t.ok(rules > 0 and examples >= rules, "fewer examples than rules")
end)
t.done()
