--- A rule that is loosened, moved or removed turns something red: each rule in turn, each word that its patterns spell out.
--
-- What holds the patterns is test/knowledge/free_words.tsv: in each example, the words that a rule does not insist on. It is short, since most
-- rules insist on all; `make knowledge` writes it anew, and its diff shows who became looser.

local t = require "tap"
local knowledge = require "deepid.knowledge"
local lint = require "deepid.lint"
local lint_order = require "deepid.lint_order"
local mutants = require "knowledge.lib.mutants"
local rules = require "deepid.rules"
local strictness = require "knowledge.lib.strictness"

local fpset = assert(require("deepid.core").load()).fpset
local list = assert(knowledge.load(nil, { texts = true })).rules

-- Mutants that match what the rule matches, for a reason that can be read in the pattern; or that nobody tries, since a host of an example may have any name.
local EQUIVALENT = {
  ["amun-greeting greeting mail"] = "the host's name is Amun's",
  ["amun-greeting greeting example"] = "the host's name is Amun's",
  ["amun-greeting greeting com"] = "the host's name is Amun's",
  ["postfix-system greeting Linux"] = "anything may stand between Gentoo and the bracket",
  ["no-mail-here greeting does"] = "`does not accept` is `not accept` behind a word",
}

local by_id = {}
for _, rule in ipairs(list) do by_id[rule.id] = rule end

local function compile(pattern)
  local set, errors = fpset({ { pattern = pattern.pattern, flags = pattern.flags } })
  return #errors == 0 and set
end

t.test("every witness is matched by its rule", function()
  for _, witness in ipairs(strictness.witnesses) do
    local rule = by_id[witness.id]
    t.ok(rule, "no rule is called " .. witness.id)
    local found = false
    for _, pattern in ipairs(rules.patterns(rule)) do
      found = found or (pattern.step == witness.step and pattern.kind ~= "forbid" and #compile(pattern):match(witness.bytes) > 0)
    end
    t.ok(found, ("%s does not match its witness %q"):format(witness.id, witness.bytes))
  end
end)

t.test("rules insist on what they did: free_words.tsv", function()
  t.eq(strictness.excess(list, fpset), {}, "free, and not so before (if it is meant: make knowledge)")
  local missing, stale = {}, {}
  for _, line in ipairs(strictness.table_of(list, fpset)) do missing[line] = true end
  for line in io.lines("test/knowledge/free_words.tsv") do
    if not line:find("^#") and not missing[line] then stale[#stale + 1] = line end
    missing[line] = nil
  end
  t.eq(stale, {}, "the table holds what is no longer so: make knowledge")
  t.eq(next(missing), nil, "the table lacks a line: make knowledge")
end)

-- Whether the test above would tell.
local function is_told(rule, mutant)
  local free = strictness.free(rule, mutant, fpset)
  if not free then return true end -- it does not compile
  for name, parts in pairs(free) do
    for part in pairs(parts) do
      if not (strictness.allowed[name] and strictness.allowed[name][part]) then return true end
    end
  end
  return false
end

local function survivors(rule)
  local found, tried = {}, 0
  for _, pattern in ipairs(rules.patterns(rule)) do
    for _, mutant in ipairs(pattern.kind ~= "forbid" and mutants.loosened(pattern) or {}) do
      tried = tried + 1
      local name = ("%s %s %s"):format(rule.id, pattern.step, mutant.word)
      if not is_told(rule, mutant) and not EQUIVALENT[name] then found[#found + 1] = name end
    end
  end
  return found, tried
end

t.test("a word dropped from a pattern is told", function()
  local tried = 0
  for _, rule in ipairs(list) do
    local found, count = survivors(rule)
    t.eq(found, {}, "the examples are too few; add one, or a line to witnesses.tsv")
    tried = tried + count
  end
  t.ok(tried > 1000, "few mutants")
end)

-- A copy of a rule with one pattern changed.
local function changed(rule, index, pattern)
  local copy = setmetatable({ order = 1 }, { __index = rule })
  if not rule.conditions then
    copy.pattern = pattern
    return copy
  end
  copy.conditions = table.move(rule.conditions, 1, #rule.conditions, 1, {})
  copy.conditions[index] = setmetatable({ pattern = pattern }, { __index = rule.conditions[index] })
  return copy
end

t.test("an anchor dropped is told", function()
  for _, rule in ipairs(list) do
    for i, pattern in ipairs(rules.patterns(rule)) do
      if pattern.kind ~= "forbid" then
        local problems = lint.check_list({ changed(rule, i, pattern.pattern:sub(2)) }, fpset)
        t.has(table.concat(problems, "\n"), "it does not begin with ^", true)
      end
    end
  end
end)

t.test("two rules that match one reply, exchanged, are told", function()
  local function alone(_, pattern) return compile(pattern) end
  local pairs_found = lint_order.overlaps(list, fpset, alone)
  t.ok(#pairs_found > 10, "few pairs")
  for _, pair in ipairs(pairs_found) do
    local first = setmetatable({ order = 1 }, { __index = pair.later })
    local second = setmetatable({ order = 2 }, { __index = pair.earlier })
    t.has(table.concat(lint.check_list({ first, second }, fpset), "\n"), "matches this example first", true)
  end
end)

t.test("a rule removed is told", function()
  local file = assert(io.open("doc/coverage.md"))
  local text = file:read("a")
  file:close()
  t.has(text, ("%d rules with "):format(#list), true)
end)

t.done()
