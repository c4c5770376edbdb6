--- `make coverage-table`: every product of doc/coverage.md, what our rules have for it and what the installed Nmap's lines have.
--
-- usage: lua5.4 test/nmap/lib/coverage_table.lua [PROBES]
--
-- A line of Nmap's belongs to a product when their names have the same words, or one has all words of the other.

local agreement = require "nmap.lib.agreement"
local deepid = require "deepid"
local rules = require "deepid.rules"
local second_opinion = require "deepid.second_opinion"

local path = arg[1] or assert(agreement.probe_files()[1], "no nmap-service-probes is installed")
local known = assert(deepid.open { texts = true }).knowledge.rules

-- The rows of the document: {product, state, rules}.
local function read_rows()
  local rows = {}
  for line in io.lines("doc/coverage.md") do
    local product, state, ids = line:match("^| ([^|]-) | (%l+) | ([^|]-) |")
    if product and product ~= "product" then rows[#rows + 1] = { product = product, state = state, ids = ids } end
  end
  return rows
end

-- Our rules of a row: ids, or the beginning of ids before a *.
local function rules_of(row)
  local list, seen = {}, {}
  for word in row.ids:gmatch("[^%s,`]+") do
    local start = word:match("^(.-)%*$")
    for _, rule in ipairs(known) do
      local is_meant = rule.id == word or (start and rule.id:sub(1, #start) == start)
      if is_meant and not seen[rule] then list[#list + 1] = rule end
      seen[rule] = seen[rule] or is_meant
    end
  end
  return list
end

-- The row's own names, and those that its rules give.
local function names_of(row, list)
  local names = {}
  for name in row.product:gsub("%b()", ""):gmatch("[^,]+") do names[#names + 1] = name end
  for _, rule in ipairs(list) do
    local product = rule.fields.p and type(rule.fields.p[1]) == "string" and #rule.fields.p == 1 and rule.fields.p[1]
    if product then names[#names + 1] = product end
  end
  return names
end

local function belongs(product, names)
  for _, name in ipairs(names) do
    if agreement.compare_names(product, name) then return true end
  end
  return false
end

local function steps_of(list)
  local seen, names = {}, {}
  for _, rule in ipairs(list) do
    for _, pattern in ipairs(rules.patterns(rule)) do
      if pattern.kind ~= "forbid" and not seen[pattern.step] then names[#names + 1] = pattern.step end
      seen[pattern.step] = true
    end
  end
  table.sort(names)
  return table.concat(names, " ")
end

-- Nmap's lines that name a product; the name without what a capture fills in.
local lines = {}
for _, match in ipairs((assert(second_opinion.read(path, agreement.SERVICES)))) do
  local product = match.fields.p and match.fields.p[1]
  if type(product) == "string" then lines[#lines + 1] = { product = product, probe = match.probe } end
end

local total = { both = 0, ours = 0, theirs = 0, neither = 0, our_rules = 0 }
local claimed = {}

local function show_row(row)
  local list = rules_of(row)
  local names, count, probes, seen = names_of(row, list), 0, {}, {}
  for _, line in ipairs(lines) do
    if belongs(line.product, names) then
      count, claimed[line] = count + 1, true
      if not seen[line.probe] then probes[#probes + 1] = line.probe end
      seen[line.probe] = true
    end
  end
  local who = row.state ~= "no" and (count > 0 and "both" or "ours") or (count > 0 and "theirs" or "neither")
  total[who], total.our_rules = total[who] + 1, total.our_rules + #list
  print(("%-44s %-6s %3d  %-36s %4d  %s"):format(row.product:sub(1, 44), row.state, #list, steps_of(list):sub(1, 36), count, table.concat(probes, " ")))
end

print("Nmap's lines: " .. path)
print(("%-44s %-6s %3s  %-36s %4s  %s"):format("product", "here", "ours", "steps", "Nmap", "probes"))
for _, row in ipairs(read_rows()) do show_row(row) end
local others, listed = {}, {}
for _, line in ipairs(lines) do
  if not claimed[line] and not listed[line.product] then others[#others + 1] = line.product end
  listed[line.product] = true
end
table.sort(others)
print(("\n%d products: %d named by both, %d by us alone, %d by Nmap alone, %d by neither."):format(total.both + total.ours + total.theirs + total.neither,
  total.both, total.ours, total.theirs, total.neither))
print(("%d more names in Nmap's %d lines that no product of the list has: %s"):format(#others, #lines, table.concat(others, ", ")))
