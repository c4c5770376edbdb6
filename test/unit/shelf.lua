--- The shelf through its binding, against a plain table.

local t = require "tap"
local core = assert(require "deepid.core".load())

local FOLDER = os.tmpname()
os.remove(FOLDER)
assert(os.execute("mkdir " .. FOLDER))
local STATE = FOLDER .. "/state"
local SMALL = { memory = 4 << 20, fan = 2, folder = FOLDER }

local random = math.random
math.randomseed(20261125)

local function read(path)
  local file = assert(io.open(path, "rb"))
  local bytes = file:read("a")
  file:close()
  return bytes
end

local function dump(shelf)
  assert(shelf:dump(STATE))
  return read(STATE)
end

local function random_pairs(count)
  local list = {}
  for i = 1, count do list[i] = { "key\0" .. random(count // 2), ("v"):rep(random(0, 60)) .. string.char(random(0, 255)) } end
  return list
end

-- What a shelf must hold, and a check that it does, in order.
local function greatest(list)
  local want = {}
  for _, pair in ipairs(list) do
    if not want[pair[1]] or pair[2] > want[pair[1]] then want[pair[1]] = pair[2] end
  end
  return want
end

local function check(shelf, want)
  local found, last = {}, ""
  for key, value in shelf:pairs() do
    t.ok(key > last, "order")
    found[key], last = value, key
  end
  t.eq(found, want)
end

t.test("of each key the greatest value, in order", function()
  local shelf, list = core.shelf(), random_pairs(2000)
  for _, pair in ipairs(list) do t.eq(shelf:put(pair[1], pair[2]), true) end
  check(shelf, greatest(list))
  check(core.shelf(), {})
end)

t.test("a merge is the union, in any order, and again through a file", function()
  local list, parts, whole = random_pairs(60000), {}, core.shelf()
  for i = 1, 4 do parts[i] = core.shelf(SMALL) end
  for _, pair in ipairs(list) do
    for _, shelf in ipairs({ parts[random(4)], parts[random(4)], whole }) do shelf:put(pair[1], pair[2]) end
  end
  local want = dump(whole)
  while #parts > 1 do
    local from = table.remove(parts, random(#parts))
    local to = parts[random(#parts)]
    t.eq({ to:merge(from), to:merge(from) }, { true, true })
    from:close()
  end
  t.ok(dump(parts[1]) == want, "merged")
  t.ok(dump(assert(core.shelf_load(STATE))) == want, "loaded")
end)

t.test("lines", function()
  local shelf = core.shelf()
  t.eq({ shelf:put_lines("192.0.2.1\t220 mx\r\n\n{}\n2001:db8::1\t220 long\n192.0.2.1\t220 aa", "#", "=", 6) }, { 5, { 2, "", 3, "{}" } })
  check(shelf, { ["192.0.2.1#"] = "=220 mx", ["2001:db8::1#"] = "=220 lo" })
  t.eq({ shelf:put_lines("", "#", "=", 6) }, { 0, {} })
end)

-- What the core takes for an address, deepid.network must take for one too.
t.test("addresses of lines are addresses", function()
  local network = require "deepid.network"
  local alphabet, taken = { "0", "1", "25", "256", "a", "db8", "ffff", ":", "::", ".", ":", ".", "g", "%" }, 0
  for _ = 1, 20000 do
    local parts = {}
    for i = 1, random(1, 12) do parts[i] = alphabet[random(#alphabet)] end
    local text = table.concat(parts)
    local _, others = core.shelf():put_lines(text .. "\t220", "", "", 10)
    if #others == 0 then
      taken = taken + 1
      t.ok(network.of(text) ~= nil, text)
    end
  end
  t.ok(taken > 50, taken)
end)

t.test("a file that was cut or altered is refused", function()
  local shelf = core.shelf()
  for _, pair in ipairs(random_pairs(5)) do shelf:put(pair[1], pair[2]) end
  local bytes = dump(shelf)
  local function load(content)
    local file = assert(io.open(STATE, "wb"))
    file:write(content)
    file:close()
    return core.shelf_load(STATE)
  end
  t.ok(load(bytes))
  for at = 0, #bytes - 1 do
    local loaded, problem = load(bytes:sub(1, at))
    t.eq(loaded, nil)
    t.has(problem, "is no state")
    t.eq((load(bytes:sub(1, at) .. string.char(bytes:byte(at + 1) ~ 1 << at % 8) .. bytes:sub(at + 2))), nil)
  end
  t.has(select(2, core.shelf_load(FOLDER .. "/absent")), "absent: No such file")
end)

t.test("the world's mistakes are told, the caller's raise", function()
  local shelf = core.shelf({ folder = FOLDER .. "/absent", memory = 4 << 20 })
  t.has(select(2, shelf:dump(FOLDER .. "/absent/x")), "^cannot write .*/absent/x: No such file")
  local ok, problem
  for i = 1, 40000 do
    ok, problem = shelf:put("key" .. i, ("x"):rep(200))
    if not ok then break end
  end
  t.has(problem, "^cannot write or read a temporary file in .*/absent: No such file")
  t.eq({ shelf:put("k", "v") }, { nil, problem })
  t.eq({ shelf:pairs() }, { nil, problem })
  t.eq({ shelf:put_lines("::1\tx", "", "", 9) }, { nil, problem })
  t.eq({ core.shelf():merge(shelf) }, { nil, problem })
  local other = core.shelf()
  for _, case in ipairs({
    { "memory must be an integer from 4194304", core.shelf, { memory = 1000 } }, { "fan must be an integer from 2 to 16", core.shelf, { fan = 17 } },
    { "folder must be a string", core.shelf, { folder = 1 } }, { "table expected", core.shelf, 1 }, { "string expected", core.shelf_load },
    { "1 to 512 bytes", other.put, other, "", "" }, { "1 to 512 bytes", other.put, other, ("k"):rep(513), "" },
    { "65000 bytes at most", other.put, other, "k", ("v"):rep(65001) }, { "with itself", other.merge, other, other },
    { "deepid.shelf expected", other.merge, other, {} }, { "out of range", other.put_lines, other, "", "", "", -1 },
    { "too long", other.put_lines, other, "", ("x"):rep(500), "", 1 }, { "too long", other.put_lines, other, "", "", ("x"):rep(300), 1 },
    { "string expected", core.hash },
  }) do
    t.raises(table.unpack(case, 1, 7))
  end
  local iterate = other:pairs()
  other:put("k", "v")
  t.raises("has changed", iterate)
  iterate = other:pairs()
  other:close()
  other:close()
  t.raises("closed", iterate)
  t.raises("closed", other.put, other, "k", "v")
end)

-- As `printf "" | xxh128sum` prints it.
t.test("the hash is XXH3's of 128 bits", function()
  t.eq(core.hash(""):gsub(".", function(byte) return ("%02x"):format(byte:byte()) end), "99aa06d3014798d86001c324468d497f")
  t.eq(#core.hash("x"), 16)
end)

os.execute("rm -r " .. FOLDER)
t.done()
