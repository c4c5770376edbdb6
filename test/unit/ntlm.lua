--- NTLM challenges: the example bytes of [MS-NLMP], and what a hostile peer may send.

local t = require "tap"
local ntlm = require "deepid.ntlm"
local identify = require "deepid.identify"
local builds = require "deepid.builds"
local knowledge = require "deepid.knowledge"
local steps = require "deepid.steps"

local function bytes(hex) return (hex:gsub("%s", ""):gsub("%x%x", function(pair) return string.char(tonumber(pair, 16)) end)) end

-- [MS-NLMP] 4.2.4.3, NTLMv2 authentication: CHALLENGE_MESSAGE.
local V2 = bytes [[
  4e 54 4c 4d 53 53 50 00 02 00 00 00 0c 00 0c 00 38 00 00 00 33 82 8a e2 01 23 45 67 89 ab cd ef
  00 00 00 00 00 00 00 00 24 00 24 00 44 00 00 00 06 00 70 17 00 00 00 0f 53 00 65 00 72 00 76 00
  65 00 72 00 02 00 0c 00 44 00 6f 00 6d 00 61 00 69 00 6e 00 01 00 0c 00 53 00 65 00 72 00 76 00
  65 00 72 00 00 00 00 00]]

-- [MS-NLMP] 4.2.2.3, NTLMv1 authentication: without target information.
local V1 = bytes [[
  4e 54 4c 4d 53 53 50 00 02 00 00 00 0c 00 0c 00 38 00 00 00 33 82 02 e2 01 23 45 67 89 ab cd ef
  00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 06 00 70 17 00 00 00 0f 53 00 65 00 72 00 76 00
  65 00 72 00]]

-- The same as base64, made by base64(1).
local V2_BASE64 = "TlRMTVNTUAACAAAADAAMADgAAAAzgoriASNFZ4mrze8AAAAAAAAAACQAJABEAAAABgBwFwAAAA9TAGUAcgB2AGUAcgACAAwARABvAG0AYQBpAG4A"
  .. "AQAMAFMAZQByAHYAZQByAAAAAAA="

t.test("MS-NLMP 4.2.4.3: names and version", function()
  t.eq(ntlm.challenge(V2), { target = "Server", computer = "Server", domain = "Domain", version = "6.0.6000" })
end)

t.test("MS-NLMP 4.2.2.3: no target information", function()
  t.eq(ntlm.challenge(V1), { target = "Server", version = "6.0.6000" })
end)

t.test("a reply carries it in base64; others carry none", function()
  t.eq(ntlm.from_reply("334 " .. V2_BASE64 .. "\r\n"), ntlm.challenge(V2))
  for _, reply in ipairs({ "334 \r\n", "334 VXNlcm5hbWU6\r\n", "334 NTLM supported\r\n", "504 5.7.4 Unrecognized\r\n", "" }) do
    t.eq(ntlm.from_reply(reply), nil, reply)
  end
end)

-- A challenge with the given pairs, UTF-16 and all.
local function with_pairs(pairs_of)
  local info = {}
  for _, pair in ipairs(pairs_of) do info[#info + 1] = ("<I2s2"):pack(pair[1], pair[2]) end
  local blob = table.concat(info) .. ("<I2I2"):pack(0, 0)
  return "NTLMSSP\0" .. ("<I4I2I2I4I4"):pack(2, 0, 0, 56, 0x2808201) .. ("\1"):rep(8) .. ("\0"):rep(8)
    .. ("<I2I2I4"):pack(#blob, #blob, 56) .. ("<BBI2I4"):pack(10, 0, 20348, 15) .. blob
end

local function wide(text) return (text:gsub(".", "%0\0")) end

t.test("DNS names, the time and characters beyond 16 bits", function()
  local challenge = ntlm.challenge(with_pairs({ { 3, wide "mx1.corp.example" }, { 4, wide "corp.example" }, { 5, wide "example" },
    { 7, ("<i8"):pack(133000000000000000) }, { 2, "\x3D\xD8\x00\xDE" } }))
  t.eq(challenge, { dns_computer = "mx1.corp.example", dns_domain = "corp.example", dns_forest = "example", time = 1655526400.0,
    domain = "\u{1F600}", version = "10.0.20348" })
end)

t.test("cut, lying and endless messages neither raise nor tell", function()
  for length = 0, #V2 - 1 do ntlm.challenge(V2:sub(1, length)) end
  for at = 1, #V2 do ntlm.challenge(V2:sub(1, at - 1) .. "\255" .. V2:sub(at + 1)) end
  t.eq(ntlm.challenge(V2:sub(1, 47)), nil)
  t.eq(ntlm.challenge("\1" .. V2), nil)
  local many = {}
  for i = 1, 40 do many[i] = { i <= 20 and 9 or 1, wide "late" } end
  t.eq(ntlm.challenge(with_pairs(many)).computer, nil)
end)

t.test("what begins the exchange is a NEGOTIATE_MESSAGE of 40 bytes", function()
  local message = ntlm.base64(steps.by_name.ntlm.say)
  t.eq({ #message, message:sub(1, 12) }, { 40, "NTLMSSP\0\1\0\0\0" })
end)

t.test("a port result has its names, and the Windows of its build", function()
  local known = { steps = {}, builds = assert(builds.open(assert(knowledge.find()))) }
  local reply = "334 " .. V2_BASE64:gsub("BgBwFwAAAA9T", "CgB8TwAAAA9T") .. "\r\n"
  local result = identify.identify(known, { address = "192.0.2.1", port = 25, steps = {
    { step = "greeting", connection = 1, tls = "none", at = 100, sent = "", reply = "220 mx.example.org\r\n", ["end"] = "reply", ms = 1 },
    { step = "authntlm", connection = 1, tls = "none", at = 101, sent = "AUTH NTLM\r\n", reply = reply, ["end"] = "reply", ms = 1 } } })
  t.eq({ result.ntlm.computer, result.ntlm.version, result.identity.os }, { "Server", "10.0.20348", "Windows Server 2022" })
  t.eq(result.leaks, { { kind = "ntlm_computer", value = "Server" }, { kind = "ntlm_domain", value = "Domain" } })
end)

t.done()
