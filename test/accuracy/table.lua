-- The table of dialects that is shipped is what `make learn` makes, and what is frozen takes no part in it.

local t = require "tap"
local dialect_table = require "deepid.dialect_table"
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

t.test("a third of the recordings are frozen", function()
  local share = 1 - #recorded.learnable(all) / #all
  t.ok(share > 0.325 and share < 0.45, ("%.3f"):format(share))
end)

-- The share of a recording's answers that a server of that name and version gives, too, in the settings that are most alike.
local function heard_from(digest, product, version)
  local best = 0
  for _, other in ipairs(all) do
    if other.product == product and other.version == version and not other.facts.server then
      local alike, asked = 0, 0
      for step, token in pairs(digest.tokens) do
        asked = asked + (other.tokens[step] and 1 or 0)
        alike = alike + (other.tokens[step] == token and 1 or 0)
      end
      best = math.max(best, alike / asked)
    end
  end
  return best
end

t.test("where a front passes on what the server behind says, the recording shows it; where it answers itself, too", function()
  local passed, own = 0, 0
  for _, digest in ipairs(all) do
    local facts = digest.facts
    if facts.server then
      t.ok(heard_from(digest, facts.server, facts["server version"]) > 0.85, digest.path)
      passed = passed + 1
    elseif facts.settings:find("postscreen-deep", 1, true) then
      t.ok(heard_from(digest, "Postfix smtpd", facts.version) < 0.7, digest.path)
      own = own + 1
    end
  end
  t.eq({ passed, own }, { 9, 4 })
end)

t.test("the shipped table is what the recordings teach", function()
  local table_text = read(SHIPPED):gsub("^#[^\n]*\n", "")
  t.ok(table_text == learn.write(recorded.learnable(all), kinds), "it is not; run `make learn`, and look at the difference")
end)

t.test("no frozen product is in it, nor a frozen release", function()
  local model, known = assert(dialect_table.read(read(SHIPPED), SHIPPED)), {}
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
