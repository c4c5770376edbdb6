--- Packets that path evidence sends and reads: well-formed ones, and what a hostile peer may send.

local t = require "tap"
local packet = require "deepid.packet"

local function bytes(hex) return (hex:gsub("%s", ""):gsub("%x%x", function(byte) return string.char(tonumber(byte, 16)) end)) end

local A4, B4 = "\10\0\0\1", "\10\0\0\2"
local A6, B6 = ("\32\1" .. ("\0"):rep(13) .. "\1"), ("\32\1" .. ("\0"):rep(13) .. "\2")
local IP4 = "45000000 00004000 40060000 0a000002 0a000001" -- its total length is 0: as some captures have it
local IP6 = "60000000 00000640 20010000000000000000000000000002 20010000000000000000000000000001"
-- 25 to 40000, sequence number 1, acknowledging 8: SYN-ACK, window 1024; the data offset is put in.
local function tcp(offset, options) return ("0019 9c40 00000001 00000008 %s 12 0400 0000 0000"):format(offset) .. (options or "") end

local function sum16(data)
  local sum = 0
  for i = 1, #data, 2 do sum = sum + (">I2"):unpack(data .. "\0", i) end
  while sum > 0xffff do sum = (sum & 0xffff) + (sum >> 16) end
  return sum
end

local function probe(src, dst) return { src = src, dst = dst, sport = 40000, dport = 25, seq = 0xfffffffe, ttl = 7 } end

t.test("a SYN of IPv4 reads back, its checksums right", function()
  local syn = packet.syn(probe(A4, B4))
  local read = packet.read(syn)
  t.eq({ read.kind, read.src, read.dst, read.sport, read.dport, read.seq, read.ttl, read.syn, read.is_ack },
    { "tcp", A4, B4, 40000, 25, 0xfffffffe, 7, true, false })
  t.eq({ read.options, read.mss, read.wscale }, { "mss,sackOK,ts,nop,wscale", 1460, 7 })
  t.eq(sum16(syn:sub(1, 20)), 0xffff, "sum of the IP header")
  t.eq(sum16(A4 .. B4 .. (">I2I2"):pack(6, #syn - 20) .. syn:sub(21)), 0xffff, "sum of the TCP segment")
  t.eq((">I2"):unpack(syn, 3), #syn, "total length")
end)

t.test("a SYN of IPv6 reads back, its checksum right", function()
  local syn = packet.syn(probe(A6, B6))
  local read = packet.read(syn)
  t.eq({ read.kind, read.src, read.dst, read.sport, read.dport, read.seq, read.ttl, read.mss }, { "tcp", A6, B6, 40000, 25, 0xfffffffe, 7, 1440 })
  t.eq(sum16(A6 .. B6 .. (">I4I4"):pack(#syn - 40, 6) .. syn:sub(41)), 0xffff, "sum of the TCP segment")
end)

-- What stands after the fixed header, its data offset, and how the options must read.
local OPTIONS = {
  { "none", "50", "", "" },
  { "mss", "60", "020405b4", "mss", 1460 },
  { "end of options", "70", "01000000 020405b4", "nop,eol" },
  { "length 0, on which Nmap's library hangs", "60", "02000000", "bad" },
  { "length 1", "60", "08010000", "bad" },
  { "length 0 of an unknown kind", "60", "fe000000", "bad" },
  { "an option longer than the header", "60", "08ff0000", "bad" },
  { "a kind without a length at the end", "60", "01010108", "nop,nop,nop,bad" },
  { "an MSS of length 3", "60", "0203 05 01", "mss,nop" },
  { "unknown kinds", "60", "fd0204fe", "?253,bad" },
  { "a data offset beyond the segment", "f0", "020405b4", "mss", 1460 },
  { "a data offset inside the fixed header", "40", "020405b4", "bad" },
  { "a data offset of 0", "00", "", "bad" },
}
for _, case in ipairs(OPTIONS) do
  local name, offset, options, want, mss = table.unpack(case)
  t.test("options: " .. name, function()
    for _, ip in ipairs({ IP4, IP6 }) do
      local read = packet.read(bytes(ip .. tcp(offset, options)))
      t.eq({ read.options, read.mss, read.window, read.ack }, { want, mss, 1024, 8 })
    end
  end)
end

t.test("forty bytes of anything as options end", function()
  for kind = 0, 255 do
    for size = 0, 41 do
      local read = packet.read(bytes(IP4 .. tcp("f0")) .. (string.char(kind, size)):rep(20))
      t.eq(type(read.options), "string")
    end
  end
end)

t.test("a header of no length, or longer than the packet, is none", function()
  for _, first in ipairs({ "40", "44", "4f" }) do
    t.eq(packet.read(bytes(first .. "000028 00004000 40060000 0a000002 0a000001" .. tcp("50"))), nil, first)
  end
end)

t.test("padding below the length of an Ethernet frame is no TCP option", function()
  local read = packet.read(bytes("45000028 00004000 40060000 0a000002 0a000001" .. tcp("60")) .. "\2\4\5\180")
  t.eq(read.options, "")
end)

-- ICMP about a SYN from 40000 to 25 with sequence number 7.
local QUOTE4 = "45000000 00004000 01060000 0a000001 0a000002 9c40 0019 00000007"
local QUOTE6 = "60000000 00000601 20010000000000000000000000000001 20010000000000000000000000000002 9c40 0019 00000007"
local ICMP4 = "45000000 00000000 40010000 c0000201 0a000001"
local ICMP6 = "60000000 00003a40 20010000000000000000000000000099 20010000000000000000000000000001"

local function icmp(head, kind, code, quote) return bytes(head .. ("%02x%02x 0000 00000000"):format(kind, code) .. quote) end

-- Headers, type, code, quotation; answer and reason, or nil when it is none.
local MESSAGES = {
  { "time exceeded, eight bytes quoted", ICMP4, 11, 0, QUOTE4, "time-exceeded" },
  { "time exceeded, all quoted", ICMP4, 11, 0, QUOTE4 .. "00000000 50020000 00000000", "time-exceeded" },
  { "reassembly time exceeded", ICMP4, 11, 1, QUOTE4 },
  { "prohibited by an administrator", ICMP4, 3, 13, QUOTE4, "unreachable", "admin-prohibited" },
  { "unreachable with an unknown code", ICMP4, 3, 99, QUOTE4, "unreachable", "code-99" },
  { "port unreachable", ICMP4, 3, 3, QUOTE4, "unreachable", "port-unreach" },
  { "an echo reply", ICMP4, 0, 0, QUOTE4 },
  { "seven bytes quoted", ICMP4, 11, 0, QUOTE4:sub(1, -3) },
  { "the quoted IP header cut short", ICMP4, 11, 0, QUOTE4:sub(1, 30) },
  { "nothing quoted", ICMP4, 11, 0, "" },
  { "a quoted header length of 0", ICMP4, 11, 0, "40" .. QUOTE4:sub(3) },
  { "a quoted header longer than the quotation", ICMP4, 11, 0, "4f" .. QUOTE4:sub(3) },
  { "UDP quoted", ICMP4, 11, 0, (QUOTE4:gsub("0106", "0111", 1)) },
  { "IPv6: time exceeded", ICMP6, 3, 0, QUOTE6, "time-exceeded" },
  { "IPv6: prohibited by an administrator", ICMP6, 1, 1, QUOTE6, "unreachable", "admin-prohibited" },
  { "IPv6: the quotation cut short", ICMP6, 3, 0, QUOTE6:sub(1, -3) },
  { "IPv6: ICMP of IPv4 in it", (ICMP6:gsub("3a40", "0140", 1)), 11, 0, QUOTE6 },
}
for _, case in ipairs(MESSAGES) do
  local name, head, kind, code, quote, answer, reason = table.unpack(case)
  t.test("ICMP: " .. name, function()
    local read = packet.read(icmp(head, kind, code, quote))
    if not answer then return t.eq(read, nil) end
    t.eq({ read.kind, read.answer, read.reason }, { "icmp", answer, reason })
    t.eq({ read.quoted.sport, read.quoted.dport, read.quoted.seq }, { 40000, 25, 7 })
  end)
end

t.test("IPv6: extension headers are walked, and their number is bounded", function()
  local function chain(n, last) return bytes("60000000 0000" .. (n > 0 and "00" or last) .. "40" .. IP6:sub(18)) ..
    bytes("00 00 000000000000"):rep(math.max(0, n - 1)) .. bytes(n > 0 and last .. "00 000000000000" or "") .. bytes(tcp("50")) end
  t.eq(packet.read(chain(0, "06")).window, 1024)
  t.eq(packet.read(chain(3, "06")).window, 1024)
  t.eq(packet.read(chain(8, "06")).window, 1024)
  t.eq(packet.read(chain(9, "06")), nil)
  t.eq(packet.read(bytes("60000000 00000040" .. IP6:sub(18) .. "06ff 000000000000")), nil, "an extension longer than the packet")
  t.eq(packet.read(bytes("60000000 00002c40" .. IP6:sub(18) .. "0600 0008 00000000" .. tcp("50"))), nil, "a later fragment")
end)

t.test("whatever is cut short anywhere, or has any bit turned, raises nothing", function()
  for _, whole in ipairs({ packet.syn(probe(A4, B4)), packet.syn(probe(A6, B6)), icmp(ICMP4, 11, 0, QUOTE4), icmp(ICMP6, 3, 0, QUOTE6) }) do
    for length = 0, #whole do packet.read(whole:sub(1, length)) end
    for at = 1, #whole do
      for bit = 0, 7 do packet.read(whole:sub(1, at - 1) .. string.char(whole:byte(at) ~ (1 << bit)) .. whole:sub(at + 1)) end
    end
    t.ok(packet.read(whole))
  end
  t.eq(packet.read(""), nil)
end)

t.done()
