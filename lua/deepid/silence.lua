--- Port 25 is silent: is it the targets' own firewalls, or something near the scanner?
--
-- Only hosts that offer mail on another port, or that the user named (smtp-deepid.known), are witnesses: web servers filter 25
-- honestly.

local crowds = require "deepid.crowd"
local distance = require "deepid.distance"
local facts = require "deepid.facts"
local lazy = require "deepid.lazy"
local network = require "deepid.network"
local chance, hops = lazy "deepid.chance", lazy "deepid.hops"

local M = {}

--- Fewest witnesses that are worth judging.
M.WITNESSES = 8

-- Of unrelated owners of mail hosts, the share that filters 25 on hosts with other mail ports: an assumption on the safe side. Of
-- those that the user knows to accept 25: the share of errors.
local HONEST, HONEST_KNOWN = 0.25, 0.02
local ALPHA = 2e-5
local MOST_ACCEPTING = 0.05 -- of the networks, where 25 is blocked for all but a few
local NEAR_HOPS, LEAST_TRACED, NEARLY_ALL = 3, 3, 0.9

local function offers_mail(host)
  for port in pairs(facts.MAIL_PORTS) do
    if host.sessions[port] and host.sessions[port].answered then return true end
    if host.ports[port] and host.ports[port].state == "open" then return true end
  end
  return false
end

-- "silent", "heard" (open, or closed by a reset that came back) or nil where port 25 was not looked at.
local function state_of(host)
  if host.sessions[25] and host.sessions[25].answered then return "heard" end
  local listed = host.ports[25]
  if not listed then return nil end
  return (listed.state == "filtered" or listed.state == "open|filtered") and "silent" or "heard"
end

local function target_distance(host)
  local farthest
  for number, port in pairs(host.ports) do
    if number ~= 25 and port.reason == "syn-ack" and math.type(port.ttl) == "integer" and port.ttl > 0 then
      farthest = math.max(farthest or 0, distance.hops_of(port.ttl) or 0)
    end
  end
  return farthest
end

-- Where a silent host's port 25 ends, as far as is known: {at, by, refused, target}.
local function stop_of(host)
  local listed, path = host.ports[25], host.path or {}
  local stop = { refused = tostring(listed and listed.reason):find("prohibited") ~= nil or tostring(listed and listed.reason):find("unreach") ~= nil }
  if host.refused_by then stop.refused, stop.by = true, host.refused_by end
  if type(path.hops) == "table" then
    local by, at = hops.refused_by(path.hops, 25)
    stop.by, stop.at = by, at
    if not by then stop.at, stop.by = hops.last_router(path.hops, 25) end
    stop.refused = stop.refused or by ~= nil
    if type(stop.by) ~= "string" or not stop.by:find("^[%w.:%%]+$") then stop.by = nil end
    stop.target = hops.answered_at(path.hops, path.reference or path.other_port)
  elseif stop.refused and math.type(listed.ttl) == "integer" and listed.ttl > 0 then
    stop.at = distance.hops_of(listed.ttl) -- of the ICMP message: who refuses is so far away
    stop.target = target_distance(host)
  end
  return stop
end

-- The stop near the scanner, well before the targets, that nearly all witnesses share whose way is known; the first few alone are
-- traced.
local function common_stop(witnesses)
  local parts, best, traced = {}, nil, 0
  for _, host in ipairs(witnesses) do
    local stop = host.stop
    if stop.at and stop.target then traced = traced + 1 end
    if stop.at and stop.at <= NEAR_HOPS and stop.target and stop.target - stop.at >= 2 then
      local part = parts[stop.at] or { at = stop.at, refused = stop.refused, count = 0, names = 0 }
      parts[stop.at] = part
      part.count = part.count + 1
      -- Not every witness's router gives its name; those that do must agree.
      if stop.by and stop.by ~= part.by then part.by, part.names = stop.by, part.names + 1 end
      if not best or part.count > best.count or (part.count == best.count and part.at < best.at) then best = part end
    end
  end
  if not (best and best.count >= LEAST_TRACED and best.count >= NEARLY_ALL * traced) then return nil end
  if best.names > 1 then best.by = nil end
  return best
end

local function refusers(witnesses)
  local count, by = 0, nil
  for _, host in ipairs(witnesses) do
    if host.stop.refused then
      count = count + 1
      by = by or host.stop.by
    end
  end
  return count, by
end

local Watch = {}
Watch.__index = Watch

--- Begins to look at the silence of port 25, host by host.
--
-- @param survey  deepid.survey
function M.watch(survey)
  return setmetatable({ survey = survey, filtered = 0, accepting = 0, witnesses = {}, crowd = crowds.new(), silent = network.tally(), mail = network.tally(), is_known = true }, Watch)
end

--- Takes one host; they come by address.
function Watch:see(host)
  local state, known = state_of(host), self.survey.known[host.address] or false
  local counts = not self.survey.control[host.address] and (state == "heard" or known or offers_mail(host))
  if state == "silent" then self.filtered = self.filtered + 1 end
  if not (state and counts) then return end
  self.mail:add(host)
  if state == "heard" then
    self.accepting = self.accepting + 1
    return
  end
  self.silent:add(host)
  self.crowd:add(host)
  self.witnesses[#self.witnesses + 1] = { stop = stop_of(host) }
  self.is_known = self.is_known and known
end

--- Takes so many hosts of a network that greet, and of which no more is known.
function Watch:see_greetings(large, count)
  self.mail:add({ network = large, domains = {} })
  self.accepting = self.accepting + count
end

--- Judges the silence of port 25.
--
-- @return table: <code>filtered</code> (hosts whose 25 is silent), <code>witnesses</code> (of them, mail hosts), <code>crowd</code> (who they are),
--   <code>networks</code> (unrelated, of the witnesses), <code>accepting</code> (mail hosts whose 25 is heard), <code>probability</code> (that
--   honest firewalls do this), <code>stop</code>, <code>refused</code>, <code>refused_by</code>, <code>blocked</code>
function Watch:judge()
  local count = #self.witnesses
  local found = { filtered = self.filtered, witnesses = count, crowd = self.crowd, accepting = self.accepting, networks = self.silent.count }
  found.probability = count == 0 and 1 or chance.tail(self.mail.count, found.networks, self.is_known and HONEST_KNOWN or HONEST)
  found.refused, found.refused_by = refusers(self.witnesses)
  found.stop = common_stop(self.witnesses)
  local few_accept = found.accepting <= MOST_ACCEPTING * (count + found.accepting)
  found.blocked = count >= M.WITNESSES and few_accept and (found.stop ~= nil or found.probability <= ALPHA)
  return found
end

return M
