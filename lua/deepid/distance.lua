--- How far away port 25 was answered from, against the host's other ports: reads `path` and the host's port list.

local lazy = require "deepid.lazy"
local hops, roundtrip = lazy "deepid.hops", lazy "deepid.roundtrip"

local M = {}

-- Initial TTLs in use (RFC 1700 recommends 64; Windows has 128, Solaris and routers 255).
local INITIAL = { 64, 128, 255 }

--- Hops that a packet has come, judged by the TTL it arrived with: 1 is the next machine.
function M.hops_of(ttl)
  for _, initial in ipairs(INITIAL) do
    if ttl <= initial then return initial - ttl + 1 end
  end
end

local function is_ttl(value) return math.type(value) == "integer" and value >= 1 and value <= 255 end

-- TTL of the mail port's SYN-ACK and of another port's: from the path record, else from the scan's own port list.
local function ttls(host, digest)
  local path = digest.path or host.path or {}
  local own, other = path.ttl, path.other_ttl
  local listed = host.ports[digest.port]
  if not is_ttl(own) and listed and listed.reason == "syn-ack" then own = listed.ttl end
  if not is_ttl(other) then
    other = nil
    for number, port in pairs(host.ports) do
      -- Ports are visited in any order: the farthest decides, and so the order does not.
      if number ~= digest.port and port.state == "open" and port.reason == "syn-ack" and is_ttl(port.ttl)
        and (not other or M.hops_of(port.ttl) > M.hops_of(other)) then
        other = port.ttl
      end
    end
  end
  if is_ttl(own) and is_ttl(other) then return own, other end
end

local MOST_TIMES = 64

local function numbers(list)
  local kept = {}
  for _, value in ipairs(type(list) == "table" and list or {}) do
    if #kept < MOST_TIMES and type(value) == "number" and value >= 0 and value < 1e6 then kept[#kept + 1] = value end
  end
  return kept
end

local function add_time(found, path)
  local own, other = numbers(path.connect_ms), numbers(path.other_ms)
  local nearer = roundtrip.is_nearer(own, other)
  if nearer == nil then return end
  found.time = { nearer = nearer, ms = math.min(table.unpack(own)), other_ms = math.min(table.unpack(other)) }
end

--- What is known about one host.
--
-- @return table: <code>at</code>, <code>target</code> (hops), <code>by</code>, <code>after</code> (routers), <code>traced</code>
--   (by SYNs of rising TTL; else by the TTL of answers); <code>time</code> {nearer, ms, other_ms}. What is not known is nil.
function M.judge(host)
  local digest = host.main
  if not digest or host.greets_only then return {} end
  local path, found = digest.path or host.path or {}, {}
  if type(path.hops) == "table" then
    found = hops.compare(path.hops, digest.port, path.reference or path.other_port)
    found.traced = found.answered_at ~= nil and found.target_at ~= nil
    found.at, found.target = found.answered_at, found.target_at
  end
  if not found.traced then
    local own, other = ttls(host, digest)
    found.at, found.target = own and M.hops_of(own), other and M.hops_of(other)
  end
  add_time(found, path)
  return found
end

--- Where something sits that answers `at` hops away, before a target `target` hops away.
-- @return "near_you", "near_target" or "path"
function M.where(at, target)
  if at <= 1 or (at <= 3 and at * 2 < target) then return "near_you" end
  if target - at <= 2 and at > target - at then return "near_target" end
  return "path"
end

return M
