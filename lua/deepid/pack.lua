--- Writes the file that deepid.packed opens.

local core = require "deepid.core"
local packed = require "deepid.packed"

local M = {}

local Part = {}

--- A part of a value, which is built when it is asked for: what is read in its stead is its position, for <code>packed:value</code>.
function M.part(value) return setmetatable({ value = value }, Part) end

local function is_item(key, count) return math.type(key) == "integer" and key >= 1 and key <= count end

-- Up to the first hole; what is behind one goes by pairs.
local function count_items(value)
  local count = 0
  while value[count + 1] ~= nil do count = count + 1 end
  return count
end

-- Keys in an order of their own, so that the same knowledge is the same bytes.
local function pairs_of(value)
  local count, keys = count_items(value), {}
  for key in pairs(value) do
    if not is_item(key, count) then keys[#keys + 1] = key end
  end
  table.sort(keys, function(a, b) return tostring(a) < tostring(b) end)
  return count, keys
end

-- Seven bits a byte, the lowest first.
local function number(value)
  local bytes = {}
  while value > 127 or value < 0 do
    bytes[#bytes + 1] = string.char(value & 127 | 128)
    value = value >> 7
  end
  return table.concat(bytes) .. string.char(value)
end

local function put(out, ...) table.move({ ... }, 1, select("#", ...), #out + 1, out) end

local write

local function write_table(out, value)
  if getmetatable(value) == Part then
    local bytes = M.pack(value.value)
    return put(out, "p", number(#bytes), bytes)
  end
  local known = out.tables[value]
  if known then return put(out, "v", number(known)) end
  local count, keys = pairs_of(value)
  put(out, out.is_shared[value] and "S" or "T", number(count), number(#keys))
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
  local known = out.strings[value]
  if known then return put(out, "r", number(known)) end
  out.strings_count = out.strings_count + 1
  out.strings[value] = out.strings_count
  put(out, "s", number(#value), value)
end

local WRITE = {
  table = write_table,
  string = write_string,
  boolean = function(out, value) put(out, value and "t" or "f") end,
  number = function(out, value)
    if math.type(value) == "float" then return put(out, string.pack("<c1d", "d", value)) end
    put(out, "i", number(value < 0 and ~(value << 1) or value << 1))
  end,
}

function write(out, value) assert(WRITE[type(value)], "a value that cannot be packed")(out, value) end

-- A copy in which tables that hold the same are one table: nobody changes what was packed, and each table that is built takes its time.
local function merged(value, known)
  if type(value) ~= "table" then return value, ("%q"):format(value) end
  local one = known.by_table[value]
  if one then return one.copy, one.name end
  local copy, texts, is_part = {}, {}, getmetatable(value) == Part
  for key, item in pairs(is_part and {} or value) do
    local text
    copy[key], text = merged(item, known)
    texts[#texts + 1] = ("%q=%s"):format(key, text)
  end
  table.sort(texts)
  local text = is_part and value or table.concat(texts, "\0")
  if not known.by_text[text] then
    known.count = known.count + 1
    known.by_text[text] = { copy = is_part and value or copy, name = "table " .. known.count }
  end
  one = known.by_text[text]
  known.by_table[value] = one
  return one.copy, one.name
end

-- The tables that are met more than once.
local function find_shared(value, seen, shared)
  if type(value) ~= "table" or getmetatable(value) == Part then return shared end
  if seen[value] then
    shared[value] = true
    return shared
  end
  seen[value] = true
  for _, item in pairs(value) do find_shared(item, seen, shared) end
  return shared
end

--- Packs a value of tables without cycles, strings, numbers and booleans; tables that hold the same come out as one.
function M.pack(value)
  value = merged(value, { by_table = {}, by_text = {}, count = 0 })
  local out = { strings = {}, tables = {}, strings_count = 0, tables_count = 0, is_shared = find_shared(value, {}, {}) }
  write(out, value)
  return number(out.strings_count) .. number(out.tables_count) .. table.concat(out)
end

--- The file's bytes.
--
-- @param value  what is to be packed, with parts in it
-- @param paths  array: the text files that it was made from, in a fixed order
-- @return nil and a message where one of them cannot be read
function M.seal(value, paths)
  local head, message = packed.head_of(paths)
  if not head then return nil, message end
  local bytes = M.pack(value)
  return head .. core.load().checksum(bytes) .. bytes
end

return M
