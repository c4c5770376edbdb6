--- Our answers against the rules of every installed Nmap, second opinion off: what both named is still named, and each way to differ is
-- explained in doc/agreement.md.
--
-- No count is held: it would be of one Nmap's file. What is held is which rule of ours names which product of Nmap's, the classes, and the reasons.

local agreement = require "nmap.lib.agreement"
local deepid = require "deepid"
local t = require "tap"

local core = assert(require("deepid.core").load())
local engine = assert(deepid.open())

local function read_doc()
  local file = assert(io.open("doc/agreement.md"))
  local text = file:read("a")
  file:close()
  local doc = { classes = {}, pairs = {}, agreed = {} }
  for class in text:gmatch("\n### ([^\n]+)") do doc.classes[#doc.classes + 1] = class end
  for them, us, why in text:gmatch("\n| ([^|\n]-) | ([^|\n]-) | ([^|\n]-) |%f[\n]") do doc.pairs[them .. " / " .. us] = why end
  for product, ids in text:match("\n## What must not get lost\n(.*)"):gmatch("\n%- ([^\n]+): ([^\n:]+)") do
    for id in ids:gmatch("[^, `]+") do doc.agreed[#doc.agreed + 1] = product .. ": " .. id end
  end
  return doc
end

local doc = read_doc()

t.test("the classes are those of the document", function() t.eq(doc.classes, agreement.CLASSES) end)
t.test("the document keeps what was agreed on", function() t.ok(#doc.agreed > 50, "too few") end)

-- Which of our rules name which product of theirs, and texts with two names.
local function summary(rows, agreed)
  local differing = {}
  for _, row in ipairs(rows) do
    for _, id in ipairs(agreement.AGREED[row.class] and row.rules or {}) do agreed[row.them .. ": " .. id] = true end
    if row.class == "two names" then differing[row.them .. " / " .. row.us] = row.text end
  end
  return differing
end

local agreed = {} -- over all files: a line of Nmap's may come and go

t.test("there is a probe file to read", function() t.ok(agreement.probe_files()[1]) end)
for _, path in ipairs(agreement.probe_files()) do
  local rows = agreement.compare(path, engine, core.fpset)
  local differing = summary(rows, agreed)
  t.test(path .. ": texts were made, of every class that there may be", function()
    t.ok(#rows > 1000, "few texts")
    local known = {}
    for _, class in ipairs(agreement.CLASSES) do known[class] = true end
    for _, row in ipairs(rows) do t.ok(known[row.class], row.class) end
  end)
  t.test(path .. ": two names for one text are explained", function()
    local unexplained = {}
    for pair, text in pairs(differing) do
      if not doc.pairs[pair] then unexplained[#unexplained + 1] = ("%s: %s"):format(pair, deepid.escape.visible(text, 80)) end
    end
    t.eq(unexplained, {})
  end)
end

t.test("what was agreed on still is, by the same rules", function()
  local lost = {}
  for _, pair in ipairs(doc.agreed) do
    if not agreed[pair] then lost[#lost + 1] = pair end
  end
  t.eq(lost, {})
end)

t.done()
