--- Builds the SYNs that path evidence sends, and reads what comes back: IPv4 and IPv6, TCP, ICMP and ICMPv6.
--
-- Nmap's own packet library loops for ever on a TCP option of length 0 and raises on others (7.93), and what is read
-- here comes from anyone. So: every offset is checked against the bytes that are there, every loop takes a byte at
-- least of a header of at most 60 bytes, and nothing raises. Addresses are binary strings of 4 or 16 bytes.

local M = {}

local TCP, ICMP, ICMPV6 = 6, 1, 58
local MOST_EXTENSIONS = 8 -- IPv6 headers before the payload that we walk
local FIN, SYN, RST, ACK = 1, 2, 4, 16

-- RFC 1071: the Internet checksum.
local function checksum(bytes)
  if #bytes % 2 == 1 then bytes = bytes .. "\0" end
  local sum = 0
  for i = 1, #bytes, 2 do sum = sum + (">I2"):unpack(bytes, i) end
  while sum > 0xffff do sum = (sum & 0xffff) + (sum >> 16) end
  return ~sum & 0xffff
end

-- What Linux offers, in its order: MSS, SACK, time stamps, window scale. An answer repeats only what was offered.
local function syn_options(mss)
  return (">BBI2BBBBI4I4BBBB"):pack(2, 4, mss, 4, 2, 8, 10, 1, 0, 1, 3, 3, 7)
end

local function tcp_syn(probe)
  local is_v6 = #probe.dst == 16
  local options = syn_options(is_v6 and 1440 or 1460)
  local length = 20 + #options
  local function header(sum)
    return (">I2I2I4I4BBI2I2I2"):pack(probe.sport, probe.dport, probe.seq, 0, length // 4 << 4, SYN, 64240, sum, 0) .. options
  end
  local pseudo = probe.src .. probe.dst .. (is_v6 and (">I4I4"):pack(length, TCP) or (">BBI2"):pack(0, TCP, length))
  return header(checksum(pseudo .. header(0)))
end

--- One SYN as a whole IP packet.
--
-- @param probe  table: <code>src</code>, <code>dst</code> (binary), <code>sport</code>, <code>dport</code>,
--   <code>seq</code>, <code>ttl</code>
function M.syn(probe)
  local segment = tcp_syn(probe)
  if #probe.dst == 16 then
    return (">I4I2BB"):pack(6 << 28, #segment, TCP, probe.ttl) .. probe.src .. probe.dst .. segment
  end
  local function header(sum)
    return (">BBI2I2I2BBI2"):pack(0x45, 0, 20 + #segment, probe.seq & 0xffff, 0x4000, probe.ttl, TCP, sum) .. probe.src .. probe.dst
  end
  return header(checksum(header(0))) .. segment
end

local OPTION_NAMES = { [2] = "mss", [3] = "wscale", [4] = "sackOK", [5] = "sack", [8] = "ts" }
local OPTION_VALUES = { [2] = { 4, "mss", ">I2" }, [3] = { 3, "wscale", ">B" } }

-- Names the options in their order ("mss,sackOK,ts,nop,wscale"); what cannot be read ends the list with "bad".
local function read_options(bytes, segment)
  local names, at = {}, 1
  while at <= #bytes do
    local kind, size = bytes:byte(at, at + 1)
    if kind == 0 then
      names[#names + 1] = "eol"
      break
    elseif kind == 1 then
      names[#names + 1] = "nop"
      size = 1
    elseif not size or size < 2 or at + size - 1 > #bytes then
      names[#names + 1] = "bad"
      break
    else
      names[#names + 1] = OPTION_NAMES[kind] or "?" .. kind
      local value = OPTION_VALUES[kind]
      if value and size == value[1] then segment[value[2]] = value[3]:unpack(bytes, at + 2) end
    end
    at = at + size
  end
  segment.options = table.concat(names, ",")
end

local function has(flags, bit) return flags & bit ~= 0 end

-- The parts of a TCP header of which we make use; nil where not even the fixed header is whole.
local function read_tcp(bytes)
  if #bytes < 20 then return nil end
  local sport, dport, seq, ack, offset, flags, window = (">I2I2I4I4BBI2"):unpack(bytes)
  local segment = { kind = "tcp", sport = sport, dport = dport, seq = seq, ack = ack, window = window, options = "" }
  segment.syn, segment.is_ack, segment.rst, segment.fin = has(flags, SYN), has(flags, ACK), has(flags, RST), has(flags, FIN)
  local length = (offset >> 4) * 4
  if length < 20 then
    segment.options = "bad"
  else
    read_options(bytes:sub(21, length), segment)
  end
  return segment
end

-- An IP header: family, source, destination, TTL, the payload's protocol, the payload. An embedded packet is cut short by
-- whoever quotes it, so the header's own lengths are not asked for more than there is.
local function read_ip4(bytes)
  if #bytes < 20 then return nil end
  local first, total, fragment, ttl, protocol = (">BxI2xxI2BB"):unpack(bytes)
  local length = (first & 15) * 4
  if length < 20 or fragment & 0x1fff ~= 0 then return nil end
  local last = total >= length and math.min(total, #bytes) or #bytes
  return { family = 4, src = bytes:sub(13, 16), dst = bytes:sub(17, 20), ttl = ttl }, protocol, bytes:sub(length + 1, last)
end

local FRAGMENT = 44
local EXTENSIONS = { [0] = true, [43] = true, [FRAGMENT] = true, [60] = true }

local function read_ip6(bytes)
  if #bytes < 40 then return nil end
  local protocol, ttl = bytes:byte(7, 8)
  local at = 41
  for _ = 1, MOST_EXTENSIONS do
    if not EXTENSIONS[protocol] then break end
    local following, size = bytes:byte(at, at + 1)
    if not size or (protocol == FRAGMENT and ((">I2"):unpack(bytes .. "\0\0\0\0", at + 2) & 0xfff8) ~= 0) then return nil end
    at = at + (protocol == FRAGMENT and 8 or 8 + size * 8)
    protocol = following
  end
  return { family = 6, src = bytes:sub(9, 24), dst = bytes:sub(25, 40), ttl = ttl }, protocol, bytes:sub(at)
end

local function read_ip(bytes)
  local version = (bytes:byte(1) or 0) >> 4
  if version == 4 then return read_ip4(bytes) end
  if version == 6 then return read_ip6(bytes) end
  return nil
end

-- Answers by ICMP type and code, in Nmap's words where it has one (RFC 792, 1812, 4443).
local UNREACHABLE4 = { [0] = "net-unreach", "host-unreach", "proto-unreach", "port-unreach", [9] = "net-prohibited", [10] = "host-prohibited",
  [13] = "admin-prohibited" }
local UNREACHABLE6 = { [0] = "no-route", "admin-prohibited", "beyond-scope", "addr-unreach", "port-unreach", "policy-failed", "reject-route" }
local MESSAGES = {
  [ICMP] = { exceeded = 11, unreachable = 3, codes = UNREACHABLE4 },
  [ICMPV6] = { exceeded = 3, unreachable = 1, codes = UNREACHABLE6 },
}

-- An ICMP message about a TCP segment of ours. Eight bytes of that segment are all that RFC 792 promises: ports and
-- sequence number.
local function read_icmp(bytes, protocol)
  local message = MESSAGES[protocol]
  if #bytes < 8 then return nil end
  local kind, code = bytes:byte(1, 2)
  local answer = kind == message.exceeded and code == 0 and "time-exceeded" or kind == message.unreachable and "unreachable"
  if not answer then return nil end
  local quoted, inner, payload = read_ip(bytes:sub(9))
  if not quoted or inner ~= TCP or #payload < 8 then return nil end
  quoted.sport, quoted.dport, quoted.seq = (">I2I2I4"):unpack(payload)
  return { kind = "icmp", answer = answer, quoted = quoted, reason = answer == "unreachable" and (message.codes[code] or "code-" .. code) or nil }
end

--- Reads one IP packet.
--
-- @param bytes  from the IP header on; may be cut short anywhere
-- @return table: <code>family</code>, <code>src</code>, <code>dst</code>, <code>ttl</code>, <code>kind</code>; for "tcp"
--   <code>sport</code>, <code>dport</code>, <code>seq</code>, <code>ack</code>, <code>syn</code>, <code>is_ack</code>,
--   <code>rst</code>, <code>window</code>, <code>options</code>, <code>mss</code>, <code>wscale</code>; for "icmp"
--   <code>answer</code> ("time-exceeded", "unreachable"), <code>reason</code>, <code>quoted</code>
-- @return nil for whatever else
function M.read(bytes)
  local ip, protocol, payload = read_ip(bytes)
  if not ip then return nil end
  local found
  if protocol == TCP then
    found = read_tcp(payload)
  elseif protocol == (ip.family == 4 and ICMP or ICMPV6) then
    found = read_icmp(payload, protocol)
  end
  if not found then return nil end
  for key, value in pairs(ip) do found[key] = value end
  return found
end

return M
