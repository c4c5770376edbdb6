--- Sends SYNs and catches what answers them: raw packets out, a capture in, matched by port and sequence number.
--
-- No handshake is completed: the kernel, which knows of no such connection, resets each SYN-ACK, so no server's program
-- ever sees one. Times are the capture's own, since NSE's clock is 50 ms coarse under load.

local ipOps = require "ipOps"
local nmap = require "nmap"
local packet = require "deepid.packet"

local M = {}
M.__index = M

local SNAP_BYTES = 256
local MOST_PACKETS = 4096 -- read by one prober, whoever sends them
local SOURCE_PORTS = 16 -- of one prober: its capture takes no others
local LOWEST_PORT, HIGHEST_PORT = 33000, 60000
local SLOTS = 12 -- probers at one time: each capture has a ring buffer of 2 MB in the kernel
local RECEIVE_MS = 5 -- of one look into the capture, at the least

local next_slot = 0

--- Waits until one more capture may be opened.
-- @return function that lets the next one in, to be called once
function M.take_slot()
  next_slot = next_slot % SLOTS + 1
  local slot = nmap.mutex("smtp-deepid.capture." .. next_slot)
  slot("lock")
  return function() slot("done") end
end

--- How packets reach an address: the interface and the own address.
--
-- @param address  text
-- @param host     (optional) NSE host table, which knows it already where Nmap sends raw packets itself
-- @return table: <code>interface</code>, <code>link</code>, <code>src</code>, <code>dst</code> (binary), <code>own</code>,
--   <code>address</code> (text)
-- @return nil and a message
function M.route(address, host)
  local own
  if host and host.bin_ip_src then
    own = ipOps.str_to_ip(host.bin_ip_src)
  else
    local socket = nmap.new_socket("udp")
    socket:set_timeout(1000)
    local ok = socket:connect(address, 53, "udp") -- sends nothing, and lets the kernel choose
    if ok then ok, own = socket:get_info() end
    socket:close()
    if not ok then return nil, "no route to " .. address end
  end
  for _, interface in ipairs(nmap.list_interfaces() or {}) do
    if interface.address == own then
      return {
        interface = interface.device, link = interface.link, own = own, address = address,
        src = ipOps.ip_to_str(own), dst = ipOps.ip_to_str(address),
      }
    end
  end
  return nil, "no interface has the address " .. tostring(own)
end

--- Opens a prober for one target; waits while too many are open.
--
-- @param route  what <code>route</code> gave
-- @return prober; it must be closed
-- @return nil and a message: no privileges, or the interface cannot be captured on
function M.open(route)
  local prober = setmetatable({
    route = route, probes = {}, packets = 0, waiting = 0,
    first_port = math.random(LOWEST_PORT, HIGHEST_PORT - SOURCE_PORTS), seq = math.random(0, 0x7fffffff),
    release = M.take_slot(), capture = nmap.new_socket(), dnet = nmap.new_dnet(),
  }, M)
  local filter = ("(tcp and host %s and portrange %d-%d) or (%s and dst host %s)"):format(
    route.address, prober.first_port, prober.first_port + SOURCE_PORTS - 1, #route.dst == 4 and "icmp" or "icmp6", route.own)
  local ok, message = pcall(function()
    prober.capture:pcap_open(route.interface, SNAP_BYTES, false, filter)
    prober.dnet:ip_open()
  end)
  if ok then return prober end
  prober:close()
  return nil, tostring(message):match("^[^\n]*")
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
  local bytes = packet.syn { src = self.route.src, dst = self.route.dst, sport = sport, dport = port, seq = self.seq, ttl = probe.ttl }
  -- A packet that cannot be sent is a probe that nothing answers.
  pcall(self.dnet.ip_send, self.dnet, bytes, self.route.address)
  return probe
end

-- The answer that a TCP packet from the target is to one of our SYNs, and the SYN's sequence number.
local function tcp_answer(found)
  if not found.is_ack then return nil end
  return found.syn and "syn-ack" or found.rst and "rst" or nil, (found.ack - 1) & 0xffffffff
end

-- Takes one captured packet.
function M:take(bytes, time)
  local found = packet.read(bytes)
  if not found then return end
  local is_ours = found.kind == "tcp" and found.src == self.route.src and found.syn and not found.is_ack
  local sport, dport, seq, answer
  if is_ours then
    sport, dport, seq = found.sport, found.dport, found.seq
  elseif found.kind == "icmp" then
    sport, dport, seq, answer = found.quoted.sport, found.quoted.dport, found.quoted.seq, found.answer
  elseif found.src == self.route.dst then
    sport, dport, answer, seq = found.dport, found.sport, tcp_answer(found)
  end
  local probe = seq and self.probes[key_of(sport, seq)]
  if not probe or probe.port ~= dport then return end
  if is_ours then
    probe.sent = probe.sent or time
  elseif answer and not probe.answer then
    probe.answer, probe.at, probe.from, probe.reason = answer, time, ipOps.str_to_ip(found.src), found.reason
    probe.reply = found.kind == "tcp" and found or nil
    if probe.is_awaited then self.waiting = self.waiting - 1 end
  end
end

--- Reads the capture until a time has passed, or nothing is missing.
--
-- @param ms      how long to wait
-- @param is_done (optional) function: whether enough has come
function M:receive(ms, is_done)
  local deadline = nmap.clock_ms() + ms
  repeat
    if self.waiting <= 0 or (is_done and is_done()) then return end
    self.capture:set_timeout(math.max(RECEIVE_MS, math.floor(deadline - nmap.clock_ms())))
    local ok, _, _, bytes, time = self.capture:pcap_receive()
    if ok and bytes then
      self.packets = self.packets + 1
      self:take(bytes, time)
    end
  until nmap.clock_ms() >= deadline or self.packets >= MOST_PACKETS
end

--- Forgets what is still missing, so that <code>receive</code> waits for later probes alone.
function M:give_up()
  for _, probe in pairs(self.probes) do probe.is_awaited = false end
  self.waiting = 0
end

--- Frees the capture; harmless on a prober that is closed.
function M:close()
  if not self.release then return end
  pcall(self.capture.pcap_close, self.capture)
  pcall(self.dnet.ip_close, self.dnet)
  self.release()
  self.release = nil
end

return M
