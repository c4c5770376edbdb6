--- `make knowledge`: writes anew what the tests keep of the rules: test/knowledge/free_words.tsv, and the counts at the top of doc/coverage.md.
--
-- Read the diff: a word that a rule no longer insists on is a rule loosened.

local knowledge = require "deepid.knowledge"
local strictness = require "knowledge.lib.strictness"

local fpset = assert(require("deepid.core").load()).fpset
local list = assert(knowledge.load(nil, { texts = true })).rules

local function read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read("a")
  file:close()
  return text
end

local function write(path, text)
  local file = assert(io.open(path, "wb"))
  assert(file:write(text))
  assert(file:close())
end

local HEADER = [[
# What rules leave free in their examples (and in witnesses.tsv): the rule, the step, the number of the text, a tab, and words, reply codes and
# dates that may be others and the rule still matches. Written by `make knowledge`, kept by test/knowledge/mutants.lua.
]]
write("test/knowledge/free_words.tsv", HEADER .. table.concat(strictness.table_of(list, fpset), "\n") .. "\n")

local count, products, examples = { yes = 0, class = 0, part = 0, no = 0 }, 0, 0
local text = read("doc/coverage.md")
for state in text:gmatch("\n| [^|\n]+ | (%l+) |") do
  if count[state] then count[state], products = count[state] + 1, products + 1 end
end
for _, rule in ipairs(list) do examples = examples + #rule.examples end
text = text:gsub("\n%d+ products: %d+ covered, %d+ by a class of phrase, %d+ in part, %d+ not%. %d+ rules with %d+ examples%.",
  ("\n%d products: %d covered, %d by a class of phrase, %d in part, %d not. %d rules with %d examples."):format(
    products, count.yes, count.class, count.part, count.no, #list, examples), 1)
write("doc/coverage.md", text)
