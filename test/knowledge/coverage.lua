--- doc/coverage.md: every rule id that it names exists, every covered product has a rule, the steps and counts are what the rules say.

local t = require "tap"
local deepid = require "deepid"
local rules = require "deepid.rules"

local known = assert(deepid.open { texts = true }).knowledge.rules
local STATES = { yes = true, class = true, part = true, no = true }

-- A row: product, how covered, rules, steps, what else. Titles and the line under them are no rows.
local function read_rows()
  local rows = {}
  for line in io.lines("doc/coverage.md") do
    local cells = {}
    for cell in line:gmatch("|([^|]*)") do cells[#cells + 1] = cell:match("^%s*(.-)%s*$") end
    if STATES[cells[2]] then
      rows[#rows + 1] = { product = cells[1], state = cells[2], rules = cells[3], steps = cells[4], note = cells[5] }
    elseif line:find("^|") then
      t.ok(line:find("^| product |") or line:find("^|%-"), "no row of the table: " .. line)
    end
  end
  return rows
end

-- The rules that a word of a row names: an id, or the beginning of ids before a *.
local function named_by(word)
  local start, found = word:match("^(.-)%*$"), {}
  for _, rule in ipairs(known) do
    if rule.id == word or start and rule.id:sub(1, #start) == start then found[#found + 1] = rule end
  end
  return found
end

-- The steps that a row's rules look at, in alphabetical order.
local function steps_of(row)
  local seen, list = {}, {}
  for word in row.rules:gmatch("[^%s,`]+") do
    local found = named_by(word)
    t.ok(#found > 0, ("%s: no rule is called %s"):format(row.product, word))
    for _, rule in ipairs(found) do
      for _, pattern in ipairs(rules.patterns(rule)) do
        if pattern.kind ~= "forbid" and not seen[pattern.step] then
          seen[pattern.step] = true
          list[#list + 1] = pattern.step
        end
      end
    end
  end
  table.sort(list)
  return table.concat(list, ", ")
end

local rows = read_rows()

for _, row in ipairs(rows) do
  t.test(row.product, function()
    if row.state == "no" then
      t.eq({ row.rules, row.steps }, { "", "" })
    else
      t.eq(steps_of(row), row.steps)
      t.ok(row.steps ~= "", "no rule names it")
    end
    t.ok(row.state == "yes" or row.note ~= "", "it says neither how nor why not")
  end)
end

t.test("the counts are those of the rows and the rules", function()
  local count, examples = { yes = 0, class = 0, part = 0, no = 0 }, 0
  for _, row in ipairs(rows) do count[row.state] = count[row.state] + 1 end
  for _, rule in ipairs(known) do examples = examples + #rule.examples end
  local file = assert(io.open("doc/coverage.md"))
  local text = file:read("a")
  file:close()
  t.has(text, ("%d products: %d covered, %d by a class of phrase, %d in part, %d not."):format(#rows, count.yes, count.class, count.part, count.no), true)
  t.has(text, ("%d rules with %d examples"):format(#known, examples), true)
end)

t.test("no product twice", function()
  local seen = {}
  for _, row in ipairs(rows) do
    t.ok(not seen[row.product], row.product)
    seen[row.product] = true
  end
end)

-- A rule that no row names covers a product that the document forgot; refusals and eggs are nobody's.
t.test("every rule that names a product is in a row", function()
  local named = {}
  for _, row in ipairs(rows) do
    for word in row.rules:gmatch("[^%s,`]+") do
      for _, rule in ipairs(named_by(word)) do named[rule.id] = true end
    end
  end
  for _, rule in ipairs(known) do
    local is_nobodys = rule.role == "note" or rule.file:find("90-generic", 1, true)
    t.ok(named[rule.id] or is_nobodys, "no row names rule " .. rule.id)
  end
end)

t.done()
