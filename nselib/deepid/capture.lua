--- Raw packets out and a capture in, shared by all that probe at one time.
--
-- To open a capture takes the kernel tens of milliseconds in which Nmap stands still, and Nmap dies of an assertion where one
-- capture goes from thread to thread (7.93). So the script threads that want to probe queue up; the first of them opens a capture, runs
-- the work of all as coroutines, and closes it. Times are the capture's own, so it does not matter who reads when.
--
-- While other threads wait for their sockets, NSE looks for packets once in 50 ms, and takes one; while none does, at once. So whoever is
-- done waits for the others before it goes on to talk.

local lazy = require "deepid.lazy"
local nmap = require "nmap"
local ipOps, packet = lazy "ipOps", lazy "deepid.packet"

local M = {}

local SNAP_BYTES = 256
local LOWEST_PORT, HIGHEST_PORT = 16384, 32000 -- for probes: below what kernels give to connections
local MOST_ACTIVE = 256 -- jobs at one time
local MOST_JOBS = 512 -- of one capture; then another thread leads
local SHORTEST_MS, LONGEST_MS = 1, 50 -- of one look into the capture
local HELD_MS = 15000 -- how long those that are done wait for the others
local REGISTRY = "smtp-deepid.captures"

-- What answers our SYNs, and routers' messages. In a filter `and` and `or` bind alike.
local FILTERS = {
  [4] = "dst host OWN and ((tcp dst portrange PORTS and tcp[13] & 6 != 0) or (icmp and (icmp[0] = 3 or icmp[0] = 11)))",
  [16] = "dst host OWN and ((tcp dst portrange PORTS and ip6[53] & 6 != 0) or (icmp6 and (ip6[40] = 1 or ip6[40] = 3)))",
}

-- To read ipOps costs what five of our modules cost.
local function text_of(bytes)
  return #bytes == 4 and ("%d.%d.%d.%d"):format(bytes:byte(1, 4)) or ipOps.str_to_ip(bytes)
end

--- How packets reach an address: the interface and the own address.
--
-- @param address  text
-- @param host     (optional) NSE host table, which knows it already where Nmap sends raw packets itself
-- @return table: <code>interface</code>, <code>link</code>, <code>src</code>, <code>dst</code> (binary), <code>own</code>,
--   <code>address</code> (text)
-- @return nil and a message: there is none, or it leads nowhere beyond this machine
function M.route(address, host)
  local own
  if host and host.bin_ip_src then
    own = text_of(host.bin_ip_src)
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
      if interface.link == "loopback" then return nil, "the target is this machine" end
      return {
        interface = interface.device, link = interface.link, own = own, address = address,
        src = ipOps.ip_to_str(own), dst = ipOps.ip_to_str(address),
      }
    end
  end
  return nil, "no interface has the address " .. tostring(own)
end

local Air = {}
Air.__index = Air

local function open(route)
  local air = setmetatable({ socket = nmap.new_socket(), dnet = nmap.new_dnet(), listeners = {}, next_port = LOWEST_PORT }, Air)
  local filter = FILTERS[#route.src]:gsub("OWN", route.own):gsub("PORTS", LOWEST_PORT .. "-" .. HIGHEST_PORT)
  air.socket:pcap_open(route.interface, SNAP_BYTES, false, filter)
  air.dnet:ip_open()
  return air
end

function Air:close()
  pcall(self.socket.pcap_close, self.socket)
  pcall(self.dnet.ip_close, self.dnet)
end

--- Takes a run of local ports; they are free again when the job ends.
--
-- @param count   how many
-- @param listen  function of a packet (<code>packet.read</code>) and its time, called for each that concerns one of the ports
-- @return the first port
function Air:take_ports(count, listen)
  if self.next_port + count > HIGHEST_PORT then self.next_port = LOWEST_PORT end
  local first = self.next_port
  self.next_port = first + count
  for port = first, first + count - 1 do self.listeners[port] = { job = self.job, listen = listen } end
  return first
end

--- Sends an IP packet; one that cannot be sent is a probe that nothing answers.
function Air:send(bytes, address) pcall(self.dnet.ip_send, self.dnet, bytes, address) end

--- Lets the other jobs run until a time has passed, or enough has come. To be called by a job alone.
--
-- @param ms       how long to wait
-- @param is_done  function: whether enough has come
function Air.wait(_, ms, is_done)
  if not is_done() then coroutine.yield(nmap.clock_ms() + ms, is_done) end
end

-- Reads one packet, if one comes within the time, and gives it to whom it concerns. Returns the time in ms until which all is read: the
-- packet's own, since more may wait behind it.
function Air:read(ms)
  self.socket:set_timeout(ms)
  local ok, _, _, bytes, time = self.socket:pcap_receive()
  if not (ok and bytes) then return nmap.clock_ms() end
  local found = packet.read(bytes)
  if found then self:give(found, time) end
  return time * 1000
end

function Air:give(found, time)
  local listener = self.listeners[found.kind == "icmp" and found.quoted.sport or found.dport]
  if listener then listener.listen(found, time) end
  self.heard = listener and listener.job
end

-- Runs a job until it waits; notes when it goes on, or how it ended.
local function step(air, job)
  air.job = job
  local ok, deadline, is_done = coroutine.resume(job.thread, air)
  if ok and coroutine.status(job.thread) ~= "dead" then
    job.deadline, job.is_enough = deadline, is_done
  else
    job.is_done, job.result, job.message = true, ok and deadline or nil, not ok and tostring(deadline) or is_done
  end
end

-- Lets those jobs go on that have waited enough. Returns when to do so again: what they wait for may come from each other.
local function go_on(air, active, jobs, now)
  local next_deadline = now + LONGEST_MS
  for _, job in ipairs(jobs) do
    if now >= job.deadline or job.is_enough() then step(air, job) end
    if not job.is_done then next_deadline = math.min(next_deadline, job.deadline) end
  end
  for i = #active, 1, -1 do
    if active[i].is_done then table.remove(active, i) end
  end
  return next_deadline
end

-- Runs what is queued, and what is queued meanwhile.
local function lead(queue, changed)
  local air, active, admitted, now = open(queue.route), {}, 0, nmap.clock_ms()
  local held_until, deadline = now + HELD_MS, 0
  queue.is_held = true
  local ok, message = pcall(function()
    repeat
      while queue[1] and #active < MOST_ACTIVE and admitted < MOST_JOBS do
        local job = table.remove(queue, 1)
        admitted = admitted + 1
        active[#active + 1] = job
        job.thread, job.deadline = coroutine.create(job.body), 0
        step(air, job)
        deadline = 0
      end
      local before, heard = #active, air.heard
      -- A packet lets one job go on at most.
      if heard and not heard.is_done then deadline = math.min(deadline, go_on(air, active, { heard }, now)) end
      if now >= deadline then deadline = go_on(air, active, active, now) end
      air.heard = nil
      queue.is_held = now < held_until
      if #active < before and not queue.is_held then changed("broadcast") end
      if active[1] then now = air:read(math.max(SHORTEST_MS, math.min(LONGEST_MS, math.floor(deadline - nmap.clock_ms())))) end
    until not active[1] and (not queue[1] or admitted >= MOST_JOBS)
  end)
  air:close()
  if ok then return end
  for _, job in ipairs(active) do job.is_done, job.message = true, tostring(message) end
end

--- Runs a job with raw packets, beside those of other threads.
--
-- @param route  what <code>route</code> gave
-- @param body   function of the air: it may call its methods and nothing else that lets other threads run
-- @return what the body returned, two values at most
-- @return nil and a message: no privileges, the interface cannot be captured on, or an error in the body
function M.run(route, body)
  local all = nmap.registry[REGISTRY] or {}
  nmap.registry[REGISTRY] = all
  local key = route.interface .. " " .. route.own
  local queue = all[key] or { route = route }
  all[key] = queue
  local changed, leads = nmap.condvar(queue), nmap.mutex(queue)
  local job = { body = body }
  table.insert(queue, job)
  while not job.is_done or queue.is_held do
    -- A thread that dies (--script-timeout) lets go of its mutex, and all that wait are woken.
    if leads("trylock") then
      if job.thread and not job.is_done then table.insert(queue, job) end -- the leader died over it: from the start
      local ok, message = pcall(lead, queue, changed)
      if not ok then -- no capture can be had: not for the others either
        for i = #queue, 1, -1 do queue[i].is_done, queue[i].message, queue[i] = true, tostring(message):match("^[^\n]*"), nil end
      end
      queue.is_held = false
      leads("done")
      changed("broadcast")
    else
      changed("wait")
    end
  end
  return job.result, job.message
end

return M
