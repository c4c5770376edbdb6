--- What an X.509 certificate says about the server: its subject, its names, its public key.
--
-- A walker over DER (X.690) for the few fields that are needed (RFC 5280 4.1), bounded: nothing recurses, each loop
-- runs over a list with a stated most, and a length that leaves its parent ends the reading. No signature is checked.

local M = {}

local MOST_BYTES = 64 * 1024
local MOST_ITEMS = 256 -- attributes of a subject, extensions, alternative names

local SEQUENCE, SET, OID, OCTETS, BMP_STRING = 0x30, 0x31, 0x06, 0x04, 0x1E
local VERSION, EXTENSIONS = 0xA0, 0xA3 -- context tags of TBSCertificate
local DNS_NAME, IP_ADDRESS = 0x82, 0x87 -- of GeneralName, RFC 5280 4.2.1.6
local SUBJECT_ALT_NAME = "\x55\x1D\x11"

-- RFC 4514 section 3, by the DER of their object identifiers.
local ATTRIBUTES = {
  ["\x55\4\3"] = "CN", ["\x55\4\7"] = "L", ["\x55\4\8"] = "ST", ["\x55\4\10"] = "O", ["\x55\4\11"] = "OU",
  ["\x55\4\6"] = "C", ["\x55\4\9"] = "STREET", ["\x09\x92\x26\x89\x93\xF2\x2C\x64\1\x19"] = "DC",
  ["\x09\x92\x26\x89\x93\xF2\x2C\x64\1\1"] = "UID",
}

local function broken(message) error({ x509 = message }, 0) end

-- The element at `at`, which must end by `limit`: tag, first byte of its content, last byte of it.
local function element(der, at, limit)
  local tag, length = der:byte(at), der:byte(at + 1)
  if not length or at + 1 > limit then broken("it ends in the middle of a field") end
  local first = at + 2
  if length >= 0x80 then
    local size = length - 0x80
    if size < 1 or size > 3 or first + size - 1 > limit then broken("a field has a length that DER forbids or that is too great") end
    length, first = string.unpack(">I" .. size, der, first), first + size
  end
  if first + length - 1 > limit then broken("a field is longer than what holds it") end
  return tag, first, first + length - 1
end

-- The elements between two bytes, as {tag, first, last, at}.
local function children(der, first, limit)
  local list, at = {}, first
  while at <= limit do
    if #list == MOST_ITEMS then broken(("a list has more than %d members"):format(MOST_ITEMS)) end
    local tag, inside, last = element(der, at, limit)
    list[#list + 1] = { tag = tag, first = inside, last = last, at = at }
    at = last + 1
  end
  return list
end

local function inside(der, field, tag, what)
  if not field or field.tag ~= tag then broken("no " .. what .. " where it belongs") end
  return children(der, field.first, field.last)
end

local function content(der, field) return der:sub(field.first, field.last) end

local function utf8_of(bmp)
  local out = {}
  for at = 1, #bmp - 1, 2 do out[#out + 1] = utf8.char((string.unpack(">I2", bmp, at))) end
  return table.concat(out)
end

local function dotted(oid)
  local numbers, value = {}, 0
  for i = 1, math.min(#oid, 64) do
    local byte = oid:byte(i)
    value = value * 128 + byte % 128
    if byte < 128 then
      if #numbers == 0 then
        local first = math.min(value // 40, 2)
        numbers, value = { first }, value - first * 40
      end
      numbers[#numbers + 1], value = value, 0
    end
  end
  return table.concat(numbers, ".")
end

-- RFC 4514 2.4.
local function escaped(value)
  value = value:gsub('[,+"\\<>;]', "\\%0"):gsub("%z", "\\00")
  return (value:gsub("^[ #]", "\\%0"):gsub("([^\\]) $", "%1\\ "))
end

-- The subject as RFC 4514 writes it (last attribute first), and its common names.
local function read_name(der, field)
  local parts, common = {}, {}
  for _, set in ipairs(inside(der, field, SEQUENCE, "subject")) do
    local joined = {}
    for _, pair in ipairs(inside(der, set, SET, "relative name")) do
      local oid, value = table.unpack(inside(der, pair, SEQUENCE, "attribute"))
      if not value or oid.tag ~= OID then broken("an attribute without a value") end
      local text, id = content(der, value), content(der, oid)
      if value.tag == BMP_STRING then text = utf8_of(text) end
      local key = ATTRIBUTES[id] or dotted(id)
      if key == "CN" then common[#common + 1] = text end
      joined[#joined + 1] = key .. "=" .. escaped(text)
    end
    table.insert(parts, 1, table.concat(joined, "+"))
  end
  return table.concat(parts, ","), common
end

local function address_of(bytes)
  if #bytes == 4 then return ("%d.%d.%d.%d"):format(bytes:byte(1, 4)) end
  if #bytes == 16 then return ("%x:%x:%x:%x:%x:%x:%x:%x"):format(string.unpack(">I2I2I2I2I2I2I2I2", bytes)) end
end

-- The alternative names in the extensions (the content of [3]).
local function alternative_names(der, wrapper)
  local names = {}
  for _, extension in ipairs(inside(der, inside(der, wrapper, EXTENSIONS, "extensions")[1], SEQUENCE, "list of extensions")) do
    local parts = inside(der, extension, SEQUENCE, "extension")
    local id, value = parts[1], parts[#parts]
    if id and id.tag == OID and content(der, id) == SUBJECT_ALT_NAME and value.tag == OCTETS then
      for _, name in ipairs(inside(der, children(der, value.first, value.last)[1], SEQUENCE, "list of names")) do
        local text = name.tag == DNS_NAME and content(der, name) or name.tag == IP_ADDRESS and address_of(content(der, name))
        names[#names + 1] = text or nil
      end
    end
  end
  return names
end

local function add_new(list, seen, names)
  for _, name in ipairs(names) do
    if not seen[name] then list[#list + 1], seen[name] = name, true end
  end
end

local function read(der)
  if #der > MOST_BYTES then broken("it is too long") end
  local certificate = children(der, 1, #der)[1]
  local fields = inside(der, inside(der, certificate, SEQUENCE, "certificate")[1], SEQUENCE, "certificate to be signed")
  if fields[1] and fields[1].tag == VERSION then table.remove(fields, 1) end
  -- Left now: serial number, signature, issuer, validity, subject, key (RFC 5280 4.1).
  local key = fields[6]
  if not key or key.tag ~= SEQUENCE then broken("no public key where it belongs") end
  local subject, names = read_name(der, fields[5])
  local all, seen = {}, {}
  add_new(all, seen, names)
  for i = 7, #fields do
    if fields[i].tag == EXTENSIONS then add_new(all, seen, alternative_names(der, fields[i])) end
  end
  return { subject = subject, names = all, spki = der:sub(key.at, key.last) }
end

--- Reads a certificate.
--
-- @param der  the bytes, at most 64 KiB
-- @return table: <code>subject</code> (RFC 4514), <code>names</code> (common names, then alternative names; each once),
--   <code>spki</code> (the SubjectPublicKeyInfo's DER, whose digest names the key)
-- @return nil and a message
function M.read(der)
  local ok, result = pcall(read, der)
  if ok then return result end
  if type(result) == "table" and result.x509 then return nil, "not a certificate: " .. result.x509 end
  error(result, 0)
end

local BASE64 = {}
for i, byte in ipairs({ ("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"):byte(1, 64) }) do
  BASE64[byte] = i - 1
end

--- The DER in a PEM text's first certificate (RFC 7468).
--
-- @return bytes
-- @return nil and a message
function M.der(pem)
  local body = pem:match("%-%-%-%-%-BEGIN CERTIFICATE%-%-%-%-%-(.-)%-%-%-%-%-END")
  if not body or #body > 2 * MOST_BYTES then return nil, "not a certificate in PEM" end
  local out, bits, count = {}, 0, 0
  for at = 1, #body do
    local value = BASE64[body:byte(at)]
    if value then
      bits, count = (bits << 6 | value) & 0xFFFF, count + 6
      if count >= 8 then
        count = count - 8
        out[#out + 1] = string.char(bits >> count & 0xFF)
      end
    end
  end
  return table.concat(out)
end

return M
