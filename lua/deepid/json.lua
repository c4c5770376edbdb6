--- JSON that carries any bytes, the same in Nmap and in the standalone Lua.
--
-- Strings are byte strings. Bytes 0x80-0xff are written \u0080-\u00ff and folded
-- back when read; control bytes are written \u00XX (Nmap's own library leaves
-- them raw). Keys are written in sorted order, so equal values give equal bytes.
-- A table is an array when it came from <code>array</code> or has [1].

local M = {}

local ARRAY = { __name = "json array" }
local MOST_LEVELS = 64

--- Marks a table as an array, so that it is written [] when empty.
function M.array(list) return setmetatable(list or {}, ARRAY) end

local NAMED = { ['"'] = '\\"', ["\\"] = "\\\\", ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t" }

local function quote(text)
  return '"' .. text:gsub('[\0-\31"\\\127-\255]', function(byte)
    return NAMED[byte] or ("\\u%04x"):format(byte:byte())
  end) .. '"'
end

local encode_value

local function encode_table(value, out, level)
  if level > MOST_LEVELS then error("json: nested too deeply", 0) end
  if getmetatable(value) == ARRAY or value[1] ~= nil then
    out[#out + 1] = "["
    for i, item in ipairs(value) do
      if i > 1 then out[#out + 1] = "," end
      encode_value(item, out, level + 1)
    end
    out[#out + 1] = "]"
    return
  end
  local keys = {}
  for key in pairs(value) do keys[#keys + 1] = tostring(key) end
  table.sort(keys)
  out[#out + 1] = "{"
  for i, key in ipairs(keys) do
    out[#out + 1] = (i > 1 and "," or "") .. quote(key) .. ":"
    encode_value(value[key], out, level + 1)
  end
  out[#out + 1] = "}"
end

function encode_value(value, out, level)
  local kind = type(value)
  if kind == "table" then
    encode_table(value, out, level)
  elseif kind == "string" then
    out[#out + 1] = quote(value)
  elseif math.type(value) == "integer" then
    out[#out + 1] = ("%d"):format(value)
  elseif kind == "number" and value == value and value ~= math.huge and value ~= -math.huge then
    out[#out + 1] = ("%.14g"):format(value)
  elseif kind == "boolean" then
    out[#out + 1] = tostring(value)
  else
    error("json: cannot write a " .. kind, 0)
  end
end

--- One line of JSON. Raises for what JSON cannot hold (functions, NaN, cycles).
function M.encode(value)
  local out = {}
  encode_value(value, out, 1)
  return table.concat(out)
end

local UNESCAPED = { b = "\b", f = "\f", n = "\n", r = "\r", t = "\t", ['"'] = '"', ["\\"] = "\\", ["/"] = "/" }

local function stop(at, message) error({ json = ("%s at byte %d"):format(message, at) }, 0) end

local function decode_escape(text, at)
  local kind = text:sub(at, at)
  if UNESCAPED[kind] then return UNESCAPED[kind], at + 1 end
  local hex = kind == "u" and text:match("^%x%x%x%x", at + 1)
  if not hex then stop(at, "bad escape") end
  local code, after = tonumber(hex, 16), at + 5
  local low = code >= 0xD800 and code < 0xDC00 and text:match("^\\u([dD][c-fC-F]%x%x)", after)
  if low then
    code, after = 0x10000 + ((code - 0xD800) << 10) + (tonumber(low, 16) - 0xDC00), after + 6
  end
  return code < 0x100 and string.char(code) or utf8.char(code), after
end

local function decode_string(text, at)
  local out, start = {}, at
  at = at + 1
  while true do
    local plain = text:match('^[^"\\%c]*', at)
    out[#out + 1] = plain
    at = at + #plain
    local byte = text:sub(at, at)
    if byte == '"' then return table.concat(out), at + 1 end
    if byte ~= "\\" then stop(byte == "" and start or at, byte == "" and "unfinished string" or "control byte in string") end
    out[#out + 1], at = decode_escape(text, at + 1)
  end
end

local WORDS = { t = { "true", true }, f = { "false", false }, n = { "null", nil } }

local decode_value

local function skip(text, at) return text:match("^[ \t\r\n]*()", at) end

-- Reads `item` after `item`, comma between, until `close`.
local function decode_list(text, at, close, item)
  at = skip(text, at + 1)
  if text:sub(at, at) == close then return at + 1 end
  while true do
    at = skip(text, item(at))
    local byte = text:sub(at, at)
    if byte == close then return at + 1 end
    if byte ~= "," then stop(at, "expected , or " .. close) end
    at = skip(text, at + 1)
  end
end

local function decode_array(text, at, level)
  local list, count = M.array(), 0
  local after = decode_list(text, at, "]", function(from)
    local value, next_at = decode_value(text, from, level + 1)
    count = count + 1
    list[count] = value
    return next_at
  end)
  return list, after
end

local function decode_object(text, at, level)
  local object = {}
  local after = decode_list(text, at, "}", function(from)
    if text:sub(from, from) ~= '"' then stop(from, "expected a key") end
    local key, colon = decode_string(text, from)
    colon = skip(text, colon)
    if text:sub(colon, colon) ~= ":" then stop(colon, "expected :") end
    local value, next_at = decode_value(text, skip(text, colon + 1), level + 1)
    object[key] = value
    return next_at
  end)
  return object, after
end

function decode_value(text, at, level)
  if level > MOST_LEVELS then stop(at, "nested too deeply") end
  local byte = text:sub(at, at)
  if byte == '"' then return decode_string(text, at) end
  if byte == "{" then return decode_object(text, at, level) end
  if byte == "[" then return decode_array(text, at, level) end
  local word = WORDS[byte]
  if word and text:sub(at, at + #word[1] - 1) == word[1] then return word[2], at + #word[1] end
  local number = text:match("^-?%d[%d.eE+-]*", at)
  local value = tonumber(number)
  if not value then stop(at, byte == "" and "unexpected end" or "unexpected character") end
  return value, at + #number
end

--- Reads one JSON value. null members are left out.
--
-- @return the value
-- @return nil and a message with the byte at which the text is wrong
function M.decode(text)
  local ok, value, after = pcall(function()
    local value, after = decode_value(text, skip(text, 1), 1)
    after = skip(text, after)
    if after <= #text then stop(after, "more after the value") end
    return value, after
  end)
  if ok then return value, after and nil end
  if type(value) == "table" and value.json then return nil, value.json end
  error(value, 0)
end

return M
