--- The packed knowledge: what it says is what the text files say; stale or damaged it is not believed.

local t = require "tap"
local deepid = require "deepid"
local knowledge = require "deepid.knowledge"
local pack = require "deepid.pack"
local packed_file = require "deepid.packed"
local texts = require "deepid.texts"
local core = assert(require("deepid.core").load())

local function write(path, bytes)
  local file = assert(io.open(path, "wb"))
  assert(file:write(bytes) and file:close())
end

local first, second, sealed_file = os.tmpname(), os.tmpname(), os.tmpname()

-- What a file of these bytes, with a checksum that is right, holds.
local function unpack(bytes)
  write(sealed_file, core.checksum(bytes) .. bytes)
  return core.packed(sealed_file, ""):value()
end

local function same_again(value) t.eq(unpack(pack.pack(value)), value) end

t.test("values are the same again", function()
  same_again(true)
  same_again(-3)
  same_again(math.mininteger)
  same_again(0.1)
  same_again("\0\255")
  same_again { 1, 2.0, "a", "a", { "a", [0] = "b", x = { {} }, [-7] = false } }
  same_again { nil, "behind a hole" }
  t.eq(math.type(unpack(pack.pack(2.0))), "float")
end)

t.test("the same value is the same bytes", function()
  local one, other = {}, {}
  for i = 1, 50 do one["k" .. i], other["k" .. 51 - i] = i, 51 - i end
  t.eq(pack.pack(one), pack.pack(other))
end)

t.test("tables that hold the same are one table", function()
  local shared = { 1 }
  local value = unpack(pack.pack { shared, { x = shared }, { 1 }, { 1.0 }, { "1" } })
  t.ok(value[1] == value[2].x and value[1] == value[3])
  t.eq(value, { { 1 }, { x = { 1 } }, { 1 }, { 1.0 }, { "1" } })
  t.ok(math.type(value[4][1]) == "float" and math.type(value[1][1]) == "integer")
end)

t.test("bytes cut short, or too many, raise an error", function()
  local bytes = pack.pack { "abc", { x = 1.5, y = true }, "abc", 7 }
  for length = 0, #bytes - 1 do t.raises("cut short", unpack, bytes:sub(1, length)) end
  t.raises("more bytes", unpack, bytes .. "t")
end)

t.test("nor is what somebody forged more than an error, or another value", function()
  local head, many = "\0\0", ("\255"):rep(9) .. "\1"
  t.raises("cut short", unpack, head .. "T" .. many .. "\0")
  t.raises("cut short", unpack, head .. "s" .. many)
  t.raises("cut short", unpack, head .. "p\2t")
  t.raises("no such table", unpack, head .. ("T\1\0"):rep(40) .. "t")
  t.raises("no such number", unpack, head .. "r\1")
  t.raises("no such number", unpack, head .. "v\0")
  t.raises("no such kind", unpack, head .. "?")
  t.raises("more bytes", unpack, head .. "tt")
  t.raises("cut short", unpack, many .. "\0t")
  t.raises("not a number", unpack, head .. "d" .. string.pack("<d", 0 / 0))
  local shared = { 1 }
  local bytes = pack.pack({ "abc", { x = shared, y = true }, shared, "abc", -7, 0.5, pack.part { 1 } })
  for at = 1, #bytes do
    for byte = 0, 255 do pcall(unpack, bytes:sub(1, at - 1) .. string.char(byte) .. bytes:sub(at + 1)) end
  end
end)

write(first, "one")
write(second, "two")

t.test("a checksum is that of the texts and of where each ends", function()
  t.eq(#core.checksum("a", "bc"), 16)
  t.ok(core.checksum("a", "bc") ~= core.checksum("ab", "c"))
  t.eq(core.checksum("a", "bc"), core.checksum("a", "bc"))
end)

t.test("that of files is that of what they hold", function()
  t.eq(core.checksum_files(first, second), core.checksum("one", "two"))
  write(sealed_file, ("long"):rep(50000))
  t.eq(core.checksum_files(sealed_file, first), core.checksum(("long"):rep(50000), "one"))
  local sum, message = core.checksum_files(first, "/nowhere/at/all")
  t.eq(sum, nil)
  t.has(message, "cannot read /nowhere/at/all: ")
  t.eq(core.checksum_files("/"), nil)
end)

t.test("sealed for these texts it opens with these alone, and whole alone", function()
  local sealed = pack.seal({ x = 1, late = pack.part { 2, "a" } }, { first, second })
  write(sealed_file, sealed)
  local packed = packed_file.open(sealed_file, { first, second })
  local value = packed:value()
  t.eq(value.x, 1)
  t.eq(packed:value(value.late), { 2, "a" })
  t.raises("beyond the bytes", packed.value, packed, #sealed + 1)
  t.raises("beyond the bytes", packed.value, packed, 0)
  t.eq(packed_file.open(sealed_file, { second, first }), nil)
  t.eq(packed_file.open(sealed_file, { first }), nil)
  t.eq(packed_file.open(sealed_file, { first, "/nowhere/at/all" }), nil)
  t.eq(packed_file.open("/nowhere/at/all", { first, second }), nil)
  write(second, "too")
  t.eq(packed_file.open(sealed_file, { first, second }), nil)
  write(second, "two")
  local build = core.build
  core.build = "of other sources"
  t.eq(packed_file.open(sealed_file, { first, second }), nil)
  core.build = build
  t.ok(packed_file.open(sealed_file, { first, second }))
  for at = 1, #sealed do
    local byte = string.char(sealed:byte(at) ~ 1)
    write(sealed_file, sealed:sub(1, at - 1) .. byte .. sealed:sub(at + 1))
    t.eq(packed_file.open(sealed_file, { first, second }), nil)
    write(sealed_file, sealed:sub(1, at - 1))
    t.eq(packed_file.open(sealed_file, { first, second }), nil)
  end
  t.eq(packed:value(value.late), { 2, "a" }, "what was opened stays what it was")
end)

for _, path in ipairs { first, second, sealed_file } do os.remove(path) end

t.test("what somebody forged of a frozen set is refused, or says something of a reply", function()
  local reply = "220 mx.example.org ESMTP Exim 4.97 ready\r\n"
  local set = core.fpset { { pattern = "^220 (\\S+) ESMTP Exim (\\d\\S*)(?: (x))?", slot = 1 }, { pattern = "^[2-5].*(r)eady" } }
  local bytes, refused, said = set:freeze(), 0, 0
  t.eq(core.fpset_thaw(bytes):match(reply), set:match(reply))
  for at = 1, #bytes do
    for _, other in ipairs { 0, 1, 7, 127, 255 } do
      local ok, thawed = pcall(core.fpset_thaw, bytes:sub(1, at - 1) .. string.char(other) .. bytes:sub(at + 1))
      if ok then
        said = said + #thawed:match(reply)
      else
        t.has(thawed, "no frozen set")
        refused = refused + 1
      end
    end
  end
  t.ok(refused > 0 and said > 0)
end)

-- A copy of the knowledge in a folder of its own.
local function copy()
  local folder, from = os.tmpname(), assert(knowledge.find())
  assert(os.remove(folder) and os.execute(("mkdir %s && cp %s/*.rules %s/*.tsv %s"):format(folder, from, from, folder)))
  return folder
end

local folder = copy()
local packed = folder .. "/" .. packed_file.NAME
write(packed, assert(texts.pack(folder)))

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
  local bytes = assert(texts.pack(folder))
  write(packed, bytes:sub(1, -2))
  t.ok(not is_from_packed())
  write(packed, bytes)
end)

t.test("knowledge with a mistake is not packed", function()
  local path = folder .. "/90-generic.rules"
  local file = assert(io.open(path, "ab"))
  file:write("match smtp m|(| p/x/\n")
  file:close()
  local bytes, message = texts.pack(folder)
  t.eq(bytes, nil)
  t.has(message, "90%-generic%.rules:%d+: ")
  os.execute(("cp %s/90-generic.rules %s"):format(assert(knowledge.find()), folder))
end)

-- By one Lua or the other.
t.test("every recording is judged as it is from the text files", function()
  local turn = _VERSION == "Lua 5.3" and 0 or 1
  local fast, slow = assert(knowledge.load(folder)), assert(knowledge.load(folder, { texts = true }))
  local identify, pipe, count = require "deepid.identify", assert(io.popen("ls test/transcripts/*.md")), 0
  for path in pipe:lines() do
    count = count + 1
    if count % 2 == turn then
      local file = assert(io.open(path, "rb"))
      local transcript = deepid.transcript.from_markdown(file:read("a"), path)
      file:close()
      t.eq(deepid.json.encode(identify.identify(fast, transcript)), deepid.json.encode(identify.identify(slow, transcript)), path)
    end
  end
  pipe:close()
  t.ok(count > 1)
end)

os.execute("rm -r " .. folder)
t.done()
