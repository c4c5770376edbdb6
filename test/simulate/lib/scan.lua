--- Scans of the simulated world, as the records that a saved scan holds; and interceptors to put before it.

local network = require "deepid.network"
local transcript = require "deepid.transcript"
local world_of = require "world"

local M = {}

local SIZES = { { 10, 5 }, { 10, 8 }, { 15, 12 }, { 25, 24 }, { 15, 50 }, { 12, 100 }, { 8, 256 }, { 3, 1000 }, { 1, 3000 }, { 0.3, 10000 } }

local function sample(random, list, size)
  local taken, chosen = {}, {}
  if size >= #list then return list end
  while #chosen < size do
    local i = random.int(1, #list)
    if not taken[i] then
      taken[i] = true
      chosen[#chosen + 1] = list[i]
    end
  end
  return chosen
end

local function by_key(world, name, key_of)
  local index = {}
  for _, host in ipairs(world.hosts) do
    local key = key_of(host)
    if key then
      index[key] = index[key] or {}
      table.insert(index[key], host)
    end
  end
  local list = {}
  for _, hosts in pairs(index) do
    if #hosts >= 5 then list[#list + 1] = hosts end
  end
  table.sort(list, function(a, b) return a[1].address < b[1].address end)
  world[name] = list
  return list
end

-- How targets are chosen: {weight, function(world, random, size) -> hosts}.
local function everywhere(world, random, size) return sample(random, world.hosts, size) end

local function mx_list(world, random, size)
  local providers = world.providers or by_key(world, "providers", function(host) return host.provider end)
  local chosen, taken = {}, {}
  for _ = 1, size do
    local host = random.chance(0.5) and random.pick(random.pick(providers)) or random.pick(world.hosts)
    if not taken[host] then
      taken[host] = true
      chosen[#chosen + 1] = host
    end
  end
  return chosen
end

local function one_16(world, random, size)
  local list = world.by16 or by_key(world, "by16", function(host) return host.network end)
  return sample(random, random.pick(list), size)
end

local function one_24(world, random, size)
  local list = world.by24 or by_key(world, "by24", function(host) return host.address:match("^(.*)%.") end)
  return #list > 0 and sample(random, random.pick(list), size) or one_16(world, random, size)
end

local function a_pool(world, random, size)
  local providers = world.providers or by_key(world, "providers", function(host) return host.provider end)
  return sample(random, random.pick(providers), size)
end

local function a_fleet(world, random, size) return sample(random, random.pick(world.fleets), size) end

local function fleet_and_others(world, random, size)
  local chosen = table.move(a_fleet(world, random, size // 2 + 1), 1, size // 2 + 1, 1, {})
  local seen = {}
  for _, host in ipairs(chosen) do seen[host] = true end
  for _, host in ipairs(everywhere(world, random, size // 2)) do
    if not seen[host] then chosen[#chosen + 1] = host end
  end
  return chosen
end

local function a_line_provider(world, random, size) return sample(random, random.pick(world.residential), size) end

M.TARGETS = { { 40, everywhere }, { 20, mx_list }, { 10, one_16 }, { 5, one_24 }, { 8, a_pool }, { 7, a_fleet }, { 5, fleet_and_others }, { 5, a_line_provider } }

local function refusal(host, scan, random)
  if host.notice then return host.notice end
  if scan.listed and random.chance(0.3) then return random.pick(world_of.LISTED) end
end

local function times(random, best)
  local list = {}
  for i = 1, 5 do list[i] = best + random.float() ^ 3 * 8 end
  return list
end

-- The path record of one host, as far as the scan could look.
local function path_of(host, at, scan, random)
  local path, any = {}, false
  if scan.privileged then
    path.ttl, path.other_ttl, any = host.initial - at + 1, host.initial - host.target + 1, true
  end
  if scan.timed then
    local ms = host.target * 2 + 5.0
    path.connect_ms = times(random, at <= 3 and host.target > 4 and 1.0 or ms)
    path.other_ms = times(random, host.far_other and ms + 30 or ms)
    any = true
  end
  if scan.traced then
    path.hops, path.reference, any = {}, 443, true
    for ttl = 1, math.max(at, host.target) do
      local router = ("%s.0.%d"):format(ttl > host.target - 3 and host.network or "203.0", ttl)
      if ttl < host.target then table.insert(path.hops, { ttl = ttl, port = 443, answer = "time-exceeded", from = router }) end
      if ttl < at then table.insert(path.hops, { ttl = ttl, port = 25, answer = "time-exceeded", from = router }) end
      if ttl == host.target then table.insert(path.hops, { ttl = ttl, port = 443, answer = "syn-ack", from = host.address }) end
      if ttl == at then table.insert(path.hops, { ttl = ttl, port = 25, answer = "syn-ack", from = host.address }) end
    end
  end
  return any and path or nil
end

local function transcript_of(host, greeting, port, certificate)
  local record = transcript.from_greeting(greeting, host.address, port)
  if certificate then record.certificate = { spki_sha256 = certificate.key, names = certificate.names } end
  return record
end

-- The records of one target; `box` (optional) answers or drops its port 25.
local function add_host(records, host, scan, random, box)
  local ports, silent = {}, host.filtered
  if box and box.drops then silent = true elseif box then silent = false end
  ports[1] = { port = 25, state = silent and "filtered" or "open", reason = silent and "no-response" or "syn-ack" }
  for port, open in pairs({ [143] = host.imap, [587] = host.submission }) do
    ports[#ports + 1] = { port = port, state = open and "open" or "closed", reason = open and "syn-ack" or "reset" }
  end
  records[#records + 1] = { record = "host", address = host.address, names = scan.named and host.ptr and { host.ptr } or {}, ports = ports }
  if host.submission and scan.submission then
    records[#records + 1] = transcript_of(host, host.text:format(host.name), 587, host.certificate)
  end
  if silent then return end
  local greeting = box and box.greeting or refusal(host, scan, random) or host.text:format(host.name)
  local record = transcript_of(host, greeting, 25, not box and not host.notice and host.certificate or nil)
  record.path = path_of(host, box and box.at or host.at, scan, random)
  records[#records + 1] = record
end

local function new_scan(random, listed)
  local privileged = random.chance(0.5)
  return { listed = listed, privileged = privileged, traced = privileged and random.chance(0.2), timed = random.chance(0.3),
    named = random.chance(0.85), submission = random.chance(0.3) }
end

--- An honest scan.
--
-- @return records, the targets, how it was made
function M.honest(world, random)
  local choose, size = random.weighted(M.TARGETS), random.weighted(SIZES)
  local targets, scan, records = choose(world, random, size), new_scan(random, random.chance(0.25)), {}
  for _, host in ipairs(targets) do add_host(records, host, scan, random) end
  if random.chance(0.1) then -- scanned again, another day
    for _, host in ipairs(targets) do add_host(records, host, scan, random) end
  end
  return records, targets, scan
end

local BOX_GREETING = "220 mx.box-in-the-way.net ESMTP Postfix"
local BOX_NOTICE = "554 5.7.1 Outbound connections of this kind are refused here"

--- A scan with a box before `count` of `size` targets, chosen from all over the world.
--
-- @param options  <code>notice</code>, <code>drops</code>, <code>at</code> (hops), <code>scan</code> (how it is made), <code>apart</code>
--   (those it answers for are in unrelated networks)
-- @return records, the targets, how it was made
function M.intercepted(world, random, size, count, options)
  local scan, records = options.scan or new_scan(random, false), {}
  local targets = everywhere(world, random, size)
  local box = { greeting = options.notice and BOX_NOTICE or BOX_GREETING, at = options.at or 2, drops = options.drops }
  local seen, done = {}, 0
  for _, host in ipairs(targets) do
    local fits = done < count and (not options.apart or not (seen[host.network] or (host.ptr and seen[network.registered_domain(host.ptr)]))
      and (not options.notice or host.ptr ~= nil))
    if fits then
      done, seen[host.network] = done + 1, true
      if host.ptr then seen[network.registered_domain(host.ptr)] = true end
    end
    add_host(records, host, scan, random, fits and box or nil)
  end
  return records, targets, scan
end

return M
