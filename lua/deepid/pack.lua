--- The knowledge as one file that loads fast: written by `make`, believed only while it is that of the text files beside it.
--
-- The file is a line that says so, a checksum of the text files and of the core that compiled their patterns, and a packed value
-- (csrc/lpack.h).

local core = require "deepid.core"

local M = {}

local MAGIC = "smtp-deepid knowledge 3\n"

--- Its name, in the folder of the knowledge.
M.NAME = "knowledge.packed"

local function is_item(key, count) return math.type(key) == "integer" and key >= 1 and key <= count end

-- Up to the first hole; what is behind one goes by pairs.
local function count_items(value)
  local count = 0
  while value[count + 1] ~= nil do count = count + 1 end
  return count
end

local write

-- Keys in an order of their own, so that the same knowledge is the same bytes.
local function pairs_of(value)
  local count, keys = count_items(value), {}
  for key in pairs(value) do
    if not is_item(key, count) then keys[#keys + 1] = key end
  end
  table.sort(keys, function(a, b) return tostring(a) < tostring(b) end)
  return count, keys
end

local function put(out, ...) out[#out + 1] = string.pack(...) end

local function write_table(out, value)
  local number = out.tables[value]
  if number then return put(out, "<c1I4", "v", number) end
  local count, keys = pairs_of(value)
  put(out, "<c1I4I4", out.is_shared[value] and "S" or "T", count, #keys)
  for i = 1, count do write(out, value[i]) end
  for _, key in ipairs(keys) do
    write(out, key)
    write(out, value[key])
  end
  if out.is_shared[value] then
    out.tables_count = out.tables_count + 1
    out.tables[value] = out.tables_count
  end
end

local function write_string(out, value)
  local number = out.strings[value]
  if number then return put(out, "<c1I4", "r", number) end
  out.strings_count = out.strings_count + 1
  out.strings[value] = out.strings_count
  put(out, "<c1s4", "s", value)
end

local WRITE = {
  table = write_table,
  string = write_string,
  boolean = function(out, value) put(out, "c1", value and "t" or "f") end,
  number = function(out, value)
    if math.type(value) == "integer" then put(out, "<c1i8", "i", value) else put(out, "<c1d", "d", value) end
  end,
}

function write(out, value) assert(WRITE[type(value)], "a value that cannot be packed")(out, value) end

-- The tables that are met more than once.
local function find_shared(value, seen, shared)
  if type(value) ~= "table" then return shared end
  if seen[value] then
    shared[value] = true
    return shared
  end
  seen[value] = true
  for _, item in pairs(value) do find_shared(item, seen, shared) end
  return shared
end

--- Packs a value of tables without cycles, strings, numbers and booleans, for <code>core.unpack</code>.
function M.pack(value)
  local out = { strings = {}, tables = {}, strings_count = 0, tables_count = 0, is_shared = find_shared(value, {}, {}) }
  write(out, value)
  local bytes = string.pack("<I4I4", out.strings_count, out.tables_count) .. table.concat(out)
  return core.load().checksum(bytes) .. bytes
end

-- What the packed file is true of: these texts, as this core reads them.
local function sources(texts) return core.load().checksum(core.load().release, core.load().pcre, table.unpack(texts)) end

--- The file's bytes.
--
-- @param value  what is to be packed
-- @param texts  array: the text files that it was made from, whole, in a fixed order
function M.seal(value, texts) return MAGIC .. sources(texts) .. M.pack(value) end

--- Opens the file's bytes.
--
-- @param bytes  of the file
-- @param texts  as for <code>seal</code>
-- @return the value; nil when the file is of other texts or another core, or damaged
function M.open(bytes, texts)
  local head = MAGIC .. sources(texts)
  if bytes:sub(1, #head) ~= head then return nil end
  local ok, value = pcall(core.load().unpack, bytes, #head + 1)
  return ok and value or nil
end

return M
