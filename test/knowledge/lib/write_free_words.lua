--- `make free-words`: writes test/knowledge/free_words.tsv anew. Read its diff: a word that a rule no longer insists on is a rule loosened.

local knowledge = require "deepid.knowledge"
local strictness = require "knowledge.lib.strictness"

local core = assert(require("deepid.core").load())

io.write("# What rules leave free in their examples (and in witnesses.tsv): the rule, the step, the number of the text, a tab, and words, reply codes and\n",
  "# dates that may be others and the rule still matches. Written by `make free-words`, kept by test/knowledge/mutants.lua.\n")
for _, line in ipairs(strictness.table_of(assert(knowledge.load()).rules, core.fpset)) do io.write(line, "\n") end
