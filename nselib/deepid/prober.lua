--- Sends SYNs and catches what answers them, matched by port and sequence number.
--
-- No handshake is completed: the kernel, which knows of no such connection, resets each SYN-ACK, so no server's program
-- ever sees one. Answers have the capture's own time, since NSE hands them over up to 50 ms late; SYNs go out at once, and have NSE's:
-- the same clock (Linux, BSD), and half of the packets to capture.

local ipOps = require "ipOps"
local nmap = require "nmap"
local packet = require "deepid.packet"

local M = {}
M.__index = M

local MOST_PACKETS = 1024 -- taken by one prober, whoever sends them
local SOURCE_PORTS = 16

--- A prober for one target.
--
-- @param route  what <code>capture.route</code> gave
-- @param air    what <code>capture.run</code> gives to its job
function M.new(route, air)
  local prober = setmetatable({ route = route, air = air, probes = {}, packets = 0, waiting = 0, seq = math.random(0, 0x7fffffff) }, M)
  prober.first_port = air:take_ports(SOURCE_PORTS, function(found, time) prober:take(found, time) end)
  return prober
end

-- Probes are known by what every answer repeats: source port and sequence number.
local function key_of(sport, seq) return sport << 32 | seq end

--- Sends one SYN.
--
-- @param flow  1..16: the source port. Probes of one flow to one port have one 5-tuple, and take one path.
-- @param port  where to
-- @param ttl   (optional) default 64
-- @return the probe: a table that <code>receive</code> fills: <code>port</code>, <code>ttl</code>, <code>sent</code> and <code>at</code> (seconds),
--   <code>answer</code>, <code>from</code> (text), <code>reason</code>, <code>reply</code> (the packet of a TCP answer)
function M:send(flow, port, ttl)
  self.seq = (self.seq + 1) & 0xffffffff
  local probe = { port = port, ttl = ttl or 64, is_awaited = true }
  local sport = self.first_port + flow - 1
  self.probes[key_of(sport, self.seq)] = probe
  self.waiting = self.waiting + 1
  local route = self.route
  local bytes = packet.syn { src = route.src, dst = route.dst, sport = sport, dport = port, seq = self.seq, ttl = probe.ttl }
  probe.sent = nmap.clock()
  self.air:send(bytes, route.address)
  return probe
end

-- The answer that a TCP packet from the target is to one of our SYNs, and the SYN's sequence number.
local function tcp_answer(found)
  if not found.is_ack then return nil end
  return found.syn and "syn-ack" or found.rst and "rst" or nil, (found.ack - 1) & 0xffffffff
end

-- Takes one packet that concerns our ports.
function M:take(found, time)
  self.packets = self.packets + 1
  if self.packets > MOST_PACKETS then return end
  local sport, dport, seq, answer
  if found.kind == "icmp" then
    sport, dport, seq, answer = found.quoted.sport, found.quoted.dport, found.quoted.seq, found.answer
  elseif found.src == self.route.dst then
    sport, dport, answer, seq = found.dport, found.sport, tcp_answer(found)
  end
  local probe = seq and self.probes[key_of(sport, seq)]
  if not probe or probe.port ~= dport then return end
  if answer and not probe.answer then
    probe.answer, probe.at, probe.from, probe.reason = answer, time, ipOps.str_to_ip(found.src), found.reason
    probe.reply = found.kind == "tcp" and found or nil
    if probe.is_awaited then self.waiting = self.waiting - 1 end
  end
end

--- Waits for answers until a time has passed, or nothing is missing.
--
-- @param ms      how long to wait
-- @param is_done (optional) function: whether enough has come
function M:receive(ms, is_done)
  self.air:wait(ms, function()
    return self.waiting <= 0 or self.packets > MOST_PACKETS or (is_done ~= nil and is_done())
  end)
end

--- Forgets what is still missing, so that <code>receive</code> waits for later probes alone.
function M:give_up()
  for _, probe in pairs(self.probes) do probe.is_awaited = false end
  self.waiting = 0
end

--- Waits for whatever a function asks for, as long as that.
function M:wait(ms, is_done) self.air:wait(ms, is_done) end

--- Waits.
function M:pause(ms)
  self.air:wait(ms, function() return false end)
end

return M
