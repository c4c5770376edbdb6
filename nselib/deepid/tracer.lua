--- SYNs of rising TTL to two ports of one target: at which hop is each answered?
--
-- One 5-tuple a port, so that load balancers send all of its SYNs one way; the TTL is told from the sequence number. A SYN-ACK at a
-- TTL is enough. Linux sends a client six Time Exceeded messages, then about one a second, whoever the target is. So the targets of
-- a scan share what routers they met: the first one explores, the others ask no router for its name again; and what must be asked
-- again waits its turn. A missing message costs a router's name, never the distance.

local hops = require "deepid.hops"
local nmap = require "nmap"

local M = {}

local PORT_FLOW, OTHER_FLOW = 15, 16
local WAVE = 6 -- TTLs in flight at once
local GRACE_MS = 60 -- for routers' messages, when both ports have answered
local LIMIT_MS = 1100 -- Linux: one Time Exceeded a second
local MOST_TRIES = 3
local MOST_PAUSES, LONGEST_MS = 60, 8000 -- of a scan; of one target
local EXPLORING_MS = 4000 -- how long the others wait for the first target
local ENOUGH_SILENT = 5 -- targets whose silence was located
local REGISTRY = "smtp-deepid.routers"

local REACHED = { ["syn-ack"] = true, rst = true, unreachable = true }

-- What is kept for all targets of a scan, a table for each own address. `routers` by TTL, as targets met them; `false` where they
-- differed. `next_ms` by TTL: when a router there may be asked again. `pauses`: how many there were. `located`: silent targets of which is
-- known how far a SYN comes.
local function shared_state(probes)
  local all = nmap.registry[REGISTRY] or {}
  nmap.registry[REGISTRY] = all
  local key = probes.route.interface .. " " .. probes.route.own
  all[key] = all[key] or { routers = {}, next_ms = {}, pauses = 0, located = 0 }
  return all[key]
end

-- Where the way of all targets seen so far is one way, the router at this TTL.
local function shared_router(routers, ttl)
  for lower = 1, ttl do
    if not routers[lower] then return nil end
  end
  return routers[ttl]
end

local Trace = {}
Trace.__index = Trace

function Trace:send(port, ttl)
  local flow = port == self.port and PORT_FLOW or OTHER_FLOW
  table.insert(self.sent, self.probes:send(flow, port, ttl))
end

-- The lowest TTL at which a port was reached, or refused.
function Trace:reached(port)
  local lowest
  for _, probe in ipairs(self.sent) do
    if probe.port == port and REACHED[probe.answer] and (not lowest or probe.ttl < lowest) then lowest = probe.ttl end
  end
  return lowest
end

-- The answered probe of a TTL, else any probe of it.
function Trace:probe_at(port, ttl)
  local found
  for _, probe in ipairs(self.sent) do
    if probe.port == port and probe.ttl == ttl and (not found or probe.answer) then found = probe end
  end
  return found
end

function Trace:has_answer(port, ttl)
  local probe = self:probe_at(port, ttl)
  return probe ~= nil and probe.answer ~= nil
end

function Trace:is_done()
  return self:reached(self.port) ~= nil and (not self.other or self:reached(self.other) ~= nil)
end

-- How high it is worth to go: a port that is silent at the other's distance is silent beyond it.
function Trace:highest()
  local other = self.other and self:reached(self.other)
  return other and math.min(other, hops.MOST) or hops.MOST
end

function Trace:has_heard(first, last)
  for _, probe in ipairs(self.sent) do
    if probe.ttl >= first and probe.ttl <= last and probe.answer then return true end
  end
  return false
end

-- Waves of rising TTLs, until both ports have answered or nothing answers any more.
function Trace:climb()
  local first, silent = 1, 0
  while first <= self:highest() + 1 and not self:is_done() and silent < 2 do
    local last = math.min(first + WAVE - 1, self:highest() + 1)
    local own, other = self:reached(self.port), self.other and self:reached(self.other)
    for ttl = first, last do
      if not own then self:send(self.port, ttl) end
      if self.other and not other and not shared_router(self.shared.routers, ttl) then self:send(self.other, ttl) end
    end
    self.probes:receive(self.wait_ms, function() return self:is_done() end)
    if self:is_done() then self.probes:receive(GRACE_MS) end
    self.probes:give_up()
    silent = self:has_heard(first, last) and 0 or silent + 1
    first = last + 1
  end
end

-- The first target of a scan explores; the others wait for it.
function Trace:take_turn_exploring()
  local shared = self.shared
  if shared.is_exploring then
    self.probes:wait(EXPLORING_MS, function() return not shared.is_exploring end)
    self:climb()
  elseif shared.is_explored then
    self:climb()
  else
    shared.is_exploring, shared.is_explored = true, true
    local ok, problem = pcall(self.climb, self)
    self:learn()
    shared.is_exploring = false
    if not ok then error(problem, 0) end
  end
end

-- Waits until the routers at this distance may be asked again: their budget is one for all targets of a scan. False where the
-- queue is too long.
function Trace:await_turn(ttl)
  local now = nmap.clock_ms()
  local turn = math.max(now, self.shared.next_ms[ttl] or 0) + LIMIT_MS
  if turn - now > LONGEST_MS or self.shared.pauses >= MOST_PAUSES then return false end
  self.shared.next_ms[ttl], self.shared.pauses = turn, self.shared.pauses + 1
  self.probes:pause(turn - now)
  return true
end

-- Asks again where an answer is missing that matters: at once, since it may be lost, then at the pace of Linux routers, as long as it
-- is wanted.
function Trace:ask_again(port, ttl, is_wanted)
  for try = 2, MOST_TRIES do
    if self:has_answer(port, ttl) then return end
    if try > 2 and not (is_wanted() and self:await_turn(ttl)) then return end
    self:send(port, ttl)
    self.probes:receive(self.wait_ms)
    self.probes:give_up()
  end
end

-- One port answered nearer than the other: was the other's SYN of that TTL lost, or never sent? And which router is there?
function Trace:confirm()
  local own, other = self:reached(self.port), self.other and self:reached(self.other)
  if not (own and other) or own == other then return end
  local function is_unnamed() return own < other and not shared_router(self.shared.routers, own) end
  self:ask_again(own < other and self.other or self.port, math.min(own, other), is_unnamed)
end

-- The mail port is silent: at which hops do its SYNs still live? Beyond the first where they do not, they need not be asked for.
function Trace:follow_silence()
  local target, shared = self.other and self:reached(self.other), self.shared
  if self:reached(self.port) or not target then return end
  for ttl = 1, target - 1 do
    self:ask_again(self.port, ttl, function() return shared.located < ENOUGH_SILENT end)
    if not self:has_answer(self.port, ttl) then break end
    if ttl == 1 then shared.located = shared.located + 1 end
  end
end

-- Takes the routers that were met into the shared table.
function Trace:learn()
  local routers, target = self.shared.routers, self.probes.route.address
  for _, probe in ipairs(self.sent) do
    local ttl, from = probe.ttl, probe.from
    if probe.answer == "time-exceeded" and from ~= target then -- a NAT on the way answers in the target's name
      if routers[ttl] == nil then routers[ttl] = from end
      if routers[ttl] ~= from then routers[ttl] = false end
    end
  end
end

-- One entry: what was answered, what other targets met there, or nothing.
function Trace:entry(port, ttl)
  local probe = self:probe_at(port, ttl)
  if probe and probe.answer then return { ttl = ttl, port = port, answer = probe.answer, from = probe.from, reason = probe.reason } end
  local router = port == self.other and shared_router(self.shared.routers, ttl)
  if router then return { ttl = ttl, port = port, answer = "time-exceeded", from = router, shared = true } end
  return probe and { ttl = ttl, port = port, answer = "none" }
end

function Trace:table()
  local list = {}
  for ttl = 1, hops.MOST do
    for _, port in ipairs({ self.port, self.other }) do
      if ttl <= (self:reached(port) or self:highest()) then list[#list + 1] = self:entry(port, ttl) end
    end
  end
  return list
end

--- Traces the ways to both ports.
--
-- @param probes     prober
-- @param port       the mail port
-- @param reference  port to compare with, or nil
-- @param wait_ms    how long an answer may take
-- @return hop table (deepid.hops); <code>shared</code> marks a router that other targets met at that TTL
function M.trace(probes, port, reference, wait_ms)
  local trace = setmetatable({ probes = probes, port = port, other = reference, wait_ms = wait_ms, sent = {}, shared = shared_state(probes) }, Trace)
  trace:take_turn_exploring()
  trace:learn()
  trace:confirm()
  trace:follow_silence()
  trace:learn()
  return trace:table()
end

return M
