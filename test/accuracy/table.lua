-- The table of dialects that is shipped is what `make learn` makes, and what is frozen takes no part in it.

local t = require "tap"
local dialects = require "deepid.dialects"
local learn = require "deepid.learn"
local recorded = require "accuracy.lib.recorded"

local SHIPPED = "nselib/data/deepid/dialects.tsv"

local function read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read("a")
  file:close()
  return text
end

local function output_of(command)
  local pipe = assert(io.popen(command))
  local text = pipe:read("a")
  assert(pipe:close(), command)
  return text
end

local all, kinds = recorded.all(), recorded.kinds()

t.test("what is frozen was chosen by its hash", function() t.eq(output_of "test/accuracy/freeze", read "test/accuracy/frozen.tsv") end)

t.test("a good third is frozen", function()
  local share = 1 - #recorded.learnable(all) / #all
  t.ok(share > 0.3 and share < 0.5, ("%.2f"):format(share))
end)

t.test("the shipped table is what the recordings teach", function()
  local table_text = read(SHIPPED):gsub("^#[^\n]*\n", "")
  t.ok(table_text == learn.write(recorded.learnable(all), kinds), "it is not; run `make learn`, and look at the difference")
end)

t.test("no frozen product is in it, nor a frozen release", function()
  local model, known = assert(dialects.read(read(SHIPPED), SHIPPED)), {}
  for _, product in ipairs(model.products) do
    for _, version in ipairs(product.versions) do known[product.name .. "\t" .. version] = true end
    known[product.name] = true
  end
  for line in read "test/accuracy/frozen.tsv":gmatch("[^\n]+") do
    local product, version = line:match("^(.-)\t(.*)$")
    t.ok(not known[version == "*" and product or line], line)
  end
end)

t.test("every kind is of a product or a front that was recorded", function()
  local names = {}
  for _, digest in ipairs(all) do
    names[digest.product], names[digest.facts.product] = true, true
    if digest.front then names[digest.front] = true end
  end
  for product in pairs(kinds) do t.ok(names[product], product) end
end)

t.done()
