--- The packed knowledge: what it says is what the text files say; stale or damaged it is not believed.

local t = require "tap"
local deepid = require "deepid"
local knowledge = require "deepid.knowledge"
local pack = require "deepid.pack"
local core = assert(require("deepid.core").load())

local function same_again(value) t.eq(core.unpack(pack.pack(value)), value) end

t.test("values are the same again", function()
  same_again(true)
  same_again(-3)
  same_again(math.mininteger)
  same_again(0.1)
  same_again("\0\255")
  same_again { 1, 2.0, "a", "a", { "a", [0] = "b", x = { {} }, [-7] = false } }
  same_again { nil, "behind a hole" }
  t.eq(math.type(core.unpack(pack.pack(2.0))), "float")
end)

t.test("the same value is the same bytes", function()
  local one, other = {}, {}
  for i = 1, 50 do one["k" .. i], other["k" .. 51 - i] = i, 51 - i end
  t.eq(pack.pack(one), pack.pack(other))
end)

t.test("a table that is met twice is one table", function()
  local shared = { 1 }
  local value = core.unpack(pack.pack { shared, { x = shared }, { 1 } })
  t.ok(value[1] == value[2].x and value[1] ~= value[3])
end)

t.test("bytes cut short or changed raise an error", function()
  local bytes = pack.pack { "abc", { x = 1.5, y = true }, "abc", 7 }
  for length = 0, #bytes - 1 do t.ok(not pcall(core.unpack, bytes:sub(1, length)), length) end
  for at = 1, #bytes do
    local changed = bytes:sub(1, at - 1) .. string.char(bytes:byte(at) ~ 1) .. bytes:sub(at + 1)
    t.raises("damaged", core.unpack, changed)
  end
  t.ok(not pcall(core.unpack, bytes .. "t"))
end)

-- With a checksum that is right.
local function forge(bytes) return core.checksum(bytes) .. bytes end

t.test("nor is what somebody forged more than an error, or another value", function()
  local head = ("\0"):rep(8)
  t.raises("no such table", core.unpack, forge(head .. "T\255\255\255\255\0\0\0\0"))
  t.raises("no such table", core.unpack, forge(head .. ("T\1\0\0\0\0\0\0\0"):rep(40) .. "t"))
  t.raises("no such number", core.unpack, forge(head .. "r\1\0\0\0"))
  t.raises("no such number", core.unpack, forge(head .. "v\0\0\0\0"))
  t.raises("no such kind", core.unpack, forge(head .. "?"))
  t.raises("more bytes", core.unpack, forge(head .. "tt"))
  t.raises("cut short", core.unpack, forge(("\255"):rep(8) .. "t"))
  t.raises("not a number", core.unpack, forge(head .. "d" .. string.pack("<d", 0 / 0)))
  local shared = { 1 }
  local bytes = pack.pack({ "abc", { x = shared, y = true }, shared, "abc", 7 }):sub(17)
  for at = 1, #bytes do
    for byte = 0, 255 do pcall(core.unpack, forge(bytes:sub(1, at - 1) .. string.char(byte) .. bytes:sub(at + 1))) end
  end
end)

t.test("a checksum is that of the texts and of where each ends", function()
  t.eq(#core.checksum("a", "bc"), 16)
  t.ok(core.checksum("a", "bc") ~= core.checksum("ab", "c"))
  t.eq(core.checksum("a", "bc"), core.checksum("a", "bc"))
end)

t.test("sealed for these texts it opens with these alone, and whole alone", function()
  local sealed = pack.seal({ x = 1 }, { "one", "two" })
  t.eq(pack.open(sealed, { "one", "two" }), { x = 1 })
  t.eq(pack.open(sealed, { "one", "too" }), nil)
  t.eq(pack.open(sealed, { "one" }), nil)
  for at = 1, #sealed do
    local byte = string.char(sealed:byte(at) ~ 1)
    t.eq(pack.open(sealed:sub(1, at - 1) .. byte .. sealed:sub(at + 1), { "one", "two" }), nil)
  end
  t.eq(pack.open("", { "one", "two" }), nil)
end)

-- A copy of the knowledge in a folder of its own.
local function copy()
  local folder, from = os.tmpname(), assert(knowledge.find())
  assert(os.remove(folder) and os.execute(("mkdir %s && cp %s/*.rules %s/*.tsv %s"):format(folder, from, from, folder)))
  return folder
end

local function write(path, bytes)
  local file = assert(io.open(path, "wb"))
  assert(file:write(bytes) and file:close())
end

local folder = copy()
local packed = folder .. "/" .. pack.NAME
write(packed, assert(knowledge.pack(folder)))

-- From the packed file, rules come without their examples.
local function is_from_packed() return assert(knowledge.load(folder)).rules[1].examples == nil end

t.test("it is read where it is there, and not when a text file has changed since", function()
  t.ok(is_from_packed())
  local path = folder .. "/90-generic.rules"
  local file = assert(io.open(path, "rb"))
  local text = file:read("a")
  file:close()
  write(path, text .. "# changed\n")
  t.ok(not is_from_packed())
  write(path, text)
  t.ok(is_from_packed())
end)

t.test("a damaged one is not believed", function()
  local bytes = assert(knowledge.pack(folder))
  write(packed, bytes:sub(1, -2))
  t.ok(not is_from_packed())
  write(packed, bytes)
end)

t.test("knowledge with a mistake is not packed", function()
  local path = folder .. "/90-generic.rules"
  local file = assert(io.open(path, "ab"))
  file:write("match smtp m|(| p/x/\n")
  file:close()
  local bytes, message = knowledge.pack(folder)
  t.eq(bytes, nil)
  t.has(message, "90%-generic%.rules:%d+: ")
  os.execute(("cp %s/90-generic.rules %s"):format(assert(knowledge.find()), folder))
end)

t.test("every recording is judged as it is from the text files", function()
  local fast, slow = assert(knowledge.load(folder)), assert(knowledge.load(folder, { texts = true }))
  local identify, pipe, count = require "deepid.identify", assert(io.popen("ls test/transcripts/*.md")), 0
  for path in pipe:lines() do
    local file = assert(io.open(path, "rb"))
    local transcript = deepid.transcript.from_markdown(file:read("a"), path)
    file:close()
    t.eq(deepid.json.encode(identify.identify(fast, transcript)), deepid.json.encode(identify.identify(slow, transcript)), path)
    count = count + 1
  end
  pipe:close()
  t.ok(count > 0)
end)

os.execute("rm -r " .. folder)
t.done()
