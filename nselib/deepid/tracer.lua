--- SYNs of rising TTL to two ports of one target: at which hop is each answered?
--
-- One 5-tuple a port, so that load balancers send all of its SYNs one way; the TTL is told from the sequence number. A SYN-ACK at a
-- TTL is enough. Linux sends a client six Time Exceeded messages, then about one a second: a missing one costs a router's
-- name, never the answer, and names are shared among the targets of a scan.

local hops = require "deepid.hops"
local nmap = require "nmap"

local M = {}

local PORT_FLOW, OTHER_FLOW = 15, 16
local WAVE = 6 -- TTLs in flight at once
local GRACE_MS = 60 -- for routers' messages, when both ports have answered
local LIMIT_MS = 1100 -- Linux: one Time Exceeded a second
local MOST_TRIES = 3
local MOST_PAUSES = 6 -- of one target
local REGISTRY = "smtp-deepid.routers"

local REACHED = { ["syn-ack"] = true, rst = true, unreachable = true }

-- Routers by TTL as earlier targets met them; `false` where they differed.
local function known_routers(probes)
  local all = nmap.registry[REGISTRY] or {}
  nmap.registry[REGISTRY] = all
  local key = probes.route.interface .. " " .. probes.route.own
  all[key] = all[key] or {}
  return all[key]
end

local function learn(routers, target, ttl, from)
  if from == target then return end -- a NAT on the way answers in the target's name
  if routers[ttl] == nil then routers[ttl] = from
  elseif routers[ttl] ~= from then routers[ttl] = false end
end

-- Where the way of all targets seen so far is one way, the router at this TTL.
local function shared_router(routers, ttl)
  for lower = 1, ttl do
    if routers[lower] == false then return nil end
  end
  return routers[ttl] or nil
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

function Trace:answer_at(port, ttl)
  for _, probe in ipairs(self.sent) do
    if probe.port == port and probe.ttl == ttl and probe.answer then return probe end
  end
end

function Trace:is_done()
  return self:reached(self.port) ~= nil and (not self.other or self:reached(self.other) ~= nil)
end

-- How high it is worth to go: a port that is silent at the other's distance is silent beyond it.
function Trace:highest()
  local other = self.other and self:reached(self.other)
  return other and math.min(other, hops.MOST) or hops.MOST
end

-- Waves of rising TTLs, until both ports have answered or nothing answers any more.
function Trace:climb()
  local first, silent = 1, 0
  while first <= self:highest() + 1 and not self:is_done() and silent < 2 do
    local last = math.min(first + WAVE - 1, self:highest() + 1)
    local own, other = self:reached(self.port), self.other and self:reached(self.other)
    for ttl = first, last do
      if not own then self:send(self.port, ttl) end
      if self.other and not other then self:send(self.other, ttl) end
    end
    self.probes:receive(self.wait_ms, function() return self:is_done() end)
    if self:is_done() then self.probes:receive(GRACE_MS) end
    self.probes:give_up()
    silent = self:heard(first, last) and 0 or silent + 1
    first = last + 1
  end
end

function Trace:heard(first, last)
  for _, probe in ipairs(self.sent) do
    if probe.ttl >= first and probe.ttl <= last and probe.answer then return true end
  end
  return false
end

-- Asks again where an answer is missing that matters: at once, since it may be lost, then at the pace of Linux routers.
function Trace:ask_again(port, ttl)
  for try = 2, MOST_TRIES do
    if self:answer_at(port, ttl) then return end
    if try == MOST_TRIES then
      if self.pauses >= MOST_PAUSES then return end
      self.pauses = self.pauses + 1
      self.probes:pause(LIMIT_MS)
    end
    self:send(port, ttl)
    self.probes:receive(self.wait_ms)
    self.probes:give_up()
  end
end

-- One port answered nearer than the other: was the other's SYN of that TTL only lost? And which router is there?
function Trace:confirm()
  local own, other = self:reached(self.port), self.other and self:reached(self.other)
  if not (own and other) or own == other then return end
  local nearer = math.min(own, other)
  self:ask_again(own < other and self.other or self.port, nearer)
  if nearer > 1 and own < other then self:ask_again(self.other, nearer - 1) end
end

-- The mail port is silent: at which hops do its SYNs still live?
function Trace:follow_silence()
  local target = self.other and self:reached(self.other)
  if self:reached(self.port) or not target then return end
  for ttl = 1, target - 1 do self:ask_again(self.port, ttl) end
end

function Trace:table()
  local routers, list, seen = known_routers(self.probes), {}, {}
  local target = self.probes.route.address
  for _, port in ipairs({ self.port, self.other }) do
    local reached = self:reached(port)
    for _, probe in ipairs(self.sent) do
      local key = port .. " " .. probe.ttl
      if probe.port == port and not seen[key] and probe.ttl <= (reached or self:highest()) then
        seen[key] = true
        local hop = self:answer_at(port, probe.ttl) or { answer = "none" }
        if hop.answer == "time-exceeded" then learn(routers, target, probe.ttl, hop.from) end
        list[#list + 1] = { ttl = probe.ttl, port = port, answer = hop.answer, from = hop.from, reason = hop.reason }
      end
    end
  end
  for _, hop in ipairs(list) do
    local router = hop.answer == "none" and hop.port == self.other and shared_router(routers, hop.ttl)
    if router then hop.answer, hop.from, hop.shared = "time-exceeded", router, true end
  end
  table.sort(list, function(a, b) return a.ttl < b.ttl or (a.ttl == b.ttl and a.port < b.port) end)
  return list
end

--- Traces the ways to both ports.
--
-- @param probes     open prober
-- @param port       the mail port
-- @param reference  port to compare with, or nil
-- @param wait_ms    how long an answer may take
-- @return hop table (deepid.hops); <code>shared</code> marks a router whose name is known from other targets alone
function M.trace(probes, port, reference, wait_ms)
  local trace = setmetatable({ probes = probes, port = port, other = reference, wait_ms = wait_ms, sent = {}, pauses = 0 }, Trace)
  trace:climb()
  trace:confirm()
  trace:follow_silence()
  return trace:table()
end

return M
