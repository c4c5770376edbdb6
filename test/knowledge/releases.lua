--- The table of releases against the recordings: each recorded version is in it, in order, and nothing else's.

local t = require "tap"
local releases = require "deepid.releases"
local transcript = require "deepid.transcript"
local version = require "deepid.version"

-- By product, or library, of the recordings: a set of its versions, `count` of them.
local function recorded()
  local products, pipe = {}, assert(io.popen("ls test/transcripts/*.md"))
  local function add(product, number)
    if not (product and number) then return end
    local entry = products[product] or { count = 0, versions = {} }
    products[product] = entry
    if not entry.versions[number] then entry.count = entry.count + 1 end
    entry.versions[number] = true
  end
  for path in pipe:lines() do
    local file = assert(io.open(path, "rb"))
    local read, facts = transcript.from_markdown(file:read("a"), path)
    file:close()
    assert(read, facts)
    add(facts.product, facts.version)
    add(facts.library, facts["library version"])
    add(facts.server, facts["server version"])
  end
  pipe:close()
  return products
end

local function set(list)
  local members = {}
  for _, item in ipairs(list) do members[item] = true end
  return members
end

local list = assert(releases.open(assert(require "deepid.knowledge".find())))
local products = recorded()

for product, entry in pairs(products) do
  if entry.count > 1 or list[product] then
    t.test(product .. ": every recorded version is a release", function()
      local known = set(list[product] or {})
      for number in pairs(entry.versions) do t.ok(known[number], number .. " is not in releases.tsv") end
    end)
  end
end

for product, versions in pairs(list) do
  t.test(product .. ": recorded, and its releases ascend", function()
    t.ok(products[product], "no recording is of this product")
    t.ok(#versions > 1, "a single release makes no window")
    for i = 2, #versions do
      t.ok(version.less(versions[i - 1], versions[i]), ("%s before %s"):format(versions[i - 1], versions[i]))
    end
  end)
end

local function opened_with(text)
  local folder = os.tmpname()
  os.remove(folder)
  assert(os.execute("mkdir " .. folder))
  local file = assert(io.open(folder .. "/releases.tsv", "w"))
  file:write(text)
  file:close()
  local read, message = releases.open(folder)
  os.execute("rm -r " .. folder)
  return read, message
end

t.test("lines of several products, and several lines of a product", function()
  local read = assert(opened_with("# c\nA, B b\ts\t1.0 1.1\nA\tu\t2.0\n"))
  t.eq(read, { A = { "1.0", "1.1", "2.0", sources = { "s", "u" } }, ["B b"] = { "1.0", "1.1", sources = { "s" } } })
end)

for name, text in pairs({ ["no source"] = "# c\nA\t\t1.0\n", ["no releases"] = "# c\nA\ts\n", ["a field too many"] = "# c\nA\ts\t1.0\t1.1\n" }) do
  t.test(name .. " is an error with its line", function()
    local read, message = opened_with(text)
    t.eq(read, nil)
    t.has(message, "releases.tsv:2", true)
  end)
end

t.test("a missing table", function()
  local read, message = releases.open("/nonexistent")
  t.eq(read, nil)
  t.has(message, "/nonexistent/releases.tsv", true)
end)

t.done()
