--- The knowledge as one file that loads fast: written by `make`, believed only while it is that of the text files beside it.
--
-- The file is a line that says so, two checksums and a packed value (csrc/lpack.h). One checksum is that of the text files and of the
-- core that compiled their patterns, the other that of the value.

local core = require "deepid.core"

local M = {}

local MAGIC = "smtp-deepid knowledge 1\n"
local SUM = 32 -- bytes of a checksum

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

local function write_table(out, value)
  local count, keys = pairs_of(value)
  out[#out + 1] = string.pack("<c1I4I4", "T", count, #keys)
  for i = 1, count do write(out, value[i]) end
  for _, key in ipairs(keys) do
    write(out, key)
    write(out, value[key])
  end
end

local function write_string(out, value)
  local known = out.strings[value]
  if known then
    out[#out + 1] = string.pack("<c1I4", "r", known)
    return
  end
  out.count = out.count + 1
  out.strings[value] = out.count
  out[#out + 1] = string.pack("<c1s4", "s", value)
end

local WRITE = {
  table = write_table,
  string = write_string,
  boolean = function(out, value) out[#out + 1] = value and "t" or "f" end,
  number = function(out, value)
    out[#out + 1] = math.type(value) == "integer" and string.pack("<c1i8", "i", value) or string.pack("<c1d", "d", value)
  end,
}

function write(out, value) return assert(WRITE[type(value)], "a value that cannot be packed")(out, value) end

--- Packs a value of tables without cycles, strings, numbers and booleans, for <code>core.unpack</code>.
function M.pack(value)
  local out = { strings = {}, count = 0 }
  write(out, value)
  return string.pack("<I4", out.count) .. table.concat(out)
end

-- What the packed file is true of: these texts, as this core reads them.
local function sources(texts) return core.load().checksum(core.load().release, core.load().pcre, table.unpack(texts)) end

--- The file's bytes.
--
-- @param value  what is to be packed
-- @param texts  array: the text files that it was made from, whole, in a fixed order
function M.seal(value, texts)
  local packed = M.pack(value)
  return MAGIC .. sources(texts) .. core.load().checksum(packed) .. packed
end

--- Opens the file's bytes.
--
-- @param bytes  of the file
-- @param texts  as for <code>seal</code>
-- @return the value; nil when the file is of other texts or another core, or damaged
function M.open(bytes, texts)
  local at = #MAGIC + 1
  if bytes:sub(1, #MAGIC) ~= MAGIC or bytes:sub(at, at + SUM - 1) ~= sources(texts) then return nil end
  local packed = bytes:sub(at + 2 * SUM)
  if bytes:sub(at + SUM, at + 2 * SUM - 1) ~= core.load().checksum(packed) then return nil end
  local ok, value = pcall(core.load().unpack, packed)
  return ok and value or nil
end

return M
