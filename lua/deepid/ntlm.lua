--- Reads NTLM challenges ([MS-NLMP] 2.2.1.2), which a server sends in the clear to anyone who begins to log in: its own names,
-- those of its domain, the build of its Windows and its clock.
--
-- Nothing here logs in: whoever asks for a challenge gives it up with `*` (RFC 4954 section 4).

local M = {}

local SIGNATURE = "NTLMSSP\0\2\0\0\0"
local UNICODE, TARGET_INFO, VERSION = 0x1, 0x800000, 0x2000000
local HEADER, VERSION_END = 48, 56 -- bytes, without and with the version
local MOST_PAIRS = 16

-- AvId ([MS-NLMP] 2.2.2.1) -> name in the result.
local NAMES = { [1] = "computer", [2] = "domain", [3] = "dns_computer", [4] = "dns_domain", [5] = "dns_forest" }
local END_OF_LIST, TIMESTAMP = 0, 7

-- Windows counts 100 ns from 1601; between it and 1970 lie 11,644,473,600 s ([MS-DTYP] 2.3.3).
local TICKS, EPOCH = 10000000, 11644473600

local DIGITS = {}
for i, range in ipairs({ "AZ", "az", "09" }) do
  for byte = range:byte(1), range:byte(2) do DIGITS[byte] = byte - range:byte(1) + ({ 0, 26, 52 })[i] end
end
DIGITS[("+"):byte()], DIGITS[("/"):byte()] = 62, 63

--- Decodes base64 (RFC 4648 section 4); nil where a byte does not belong to it.
function M.base64(text)
  local out, bits, count = {}, 0, 0
  for at = 1, #text:gsub("=*$", "") do
    local digit = DIGITS[text:byte(at)]
    if not digit then return nil end
    bits, count = (bits << 6 | digit) & 0xffff, count + 6
    if count >= 8 then
      count = count - 8
      out[#out + 1] = string.char(bits >> count & 0xff)
    end
  end
  return table.concat(out)
end

-- UTF-16LE to UTF-8; an odd byte or half of a pair ends it.
local function from_utf16(bytes)
  local out, at = {}, 1
  while at + 1 <= #bytes do
    local unit = ("<I2"):unpack(bytes, at)
    at = at + 2
    if unit >= 0xd800 and unit < 0xe000 then
      local low = at + 1 <= #bytes and ("<I2"):unpack(bytes, at) or 0
      if unit >= 0xdc00 or low < 0xdc00 or low > 0xdfff then break end
      unit, at = 0x10000 + ((unit - 0xd800) << 10 | (low - 0xdc00)), at + 2
    end
    out[#out + 1] = utf8.char(unit)
  end
  return table.concat(out)
end

-- The bytes that a length and an offset at `at` point to, or nil where they lie outside.
local function field(message, at)
  local length, _, offset = ("<I2I2I4"):unpack(message, at)
  if offset + length > #message then return nil end
  return message:sub(offset + 1, offset + length)
end

local function read_pairs(info, challenge)
  local at = 1
  for _ = 1, MOST_PAIRS do
    if at + 3 > #info then return end
    local id, length = ("<I2I2"):unpack(info, at)
    local value = info:sub(at + 4, at + 3 + length)
    if id == END_OF_LIST or #value < length then return end
    if NAMES[id] and length > 0 then challenge[NAMES[id]] = from_utf16(value) end
    if id == TIMESTAMP and length == 8 then challenge.time = ("<i8"):unpack(value) / TICKS - EPOCH end
    at = at + 4 + length
  end
end

--- Reads one CHALLENGE_MESSAGE.
--
-- @param message  its bytes
-- @return table, all fields of which may be missing: target, computer, domain, dns_computer, dns_domain, dns_forest
-- (UTF-8), version ("10.0.20348"), time (seconds since 1970)
-- @return nil when it is none
function M.challenge(message)
  if #message < HEADER or message:sub(1, #SIGNATURE) ~= SIGNATURE then return nil end
  local flags, challenge = ("<I4"):unpack(message, 21), {}
  local target = field(message, 13)
  if target and target ~= "" then challenge.target = flags & UNICODE ~= 0 and from_utf16(target) or target end
  local info = flags & TARGET_INFO ~= 0 and field(message, 41)
  if info then read_pairs(info, challenge) end
  if flags & VERSION ~= 0 and #message >= VERSION_END then
    challenge.version = ("%d.%d.%d"):format(("<BBI2"):unpack(message, 49))
  end
  return challenge
end

--- The challenge in a reply `334 BASE64`, or nil.
function M.from_reply(reply)
  local text = reply:match("^334[ -]([%w+/]+=*)\r?\n")
  local message = text and M.base64(text)
  return message and M.challenge(message)
end

return M
