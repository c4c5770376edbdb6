--- Evidence that another machine than the target answered on port 25: one table of kinds, each with its weight and words.
--
-- A finding is {kind, weight, where, says, count (of hosts), examples (addresses), crowd (who they are)}. `weight` is the probability that this kind of finding,
-- when it is made, is right that something answers in the target's place. Findings of different kinds are taken as independent:
-- together they are right unless all are wrong. Only a *direct* kind can carry the verdict `intercepted`.

local crowds = require "deepid.crowd"
local distance = require "deepid.distance"
local escape = require "deepid.escape"
local hints = require "deepid.hints"
local lazy = require "deepid.lazy"
local network = require "deepid.network"
local chance = lazy "deepid.chance"

local M = {}

--- Fewest hosts, in unrelated networks, that make a pattern.
M.PATTERN = 3

local ODD_TIMES = 0.05 -- of honest hosts, at most, answer on two ports from different machines (EVIDENCE on connect times: 2%)
local TIME_ALPHA = 1e-6
local NEAR_MS, FAR_MS, OWN_MS = 3, 10, 0.2 -- no wide-area path is answered within 3 ms; a loopback connect takes 0.01-0.06 ms

--- The kinds. `direct`: may carry `intercepted`. `says` gets the finding's own values in $name.
M.KINDS = {
  control = { weight = 0.98, direct = true,
    says = "$hosts named as control answered on port 25, though no mail server should be there" },
  path_hops = { weight = 0.97, direct = true,
    says = "by trace, port 25 of $hosts is answered at hop $at$by, another port of these same hosts at hop $target" },
  path_ttl = { weight = 0.95, direct = true,
    says = "by TTL, port 25 of $hosts is answered at hop $at, other ports of these same hosts at hop $target" },
  own_host = { weight = 0.95, direct = true,
    says = "connections to port 25 of $hosts succeed, and yet no packet for them leaves this machine, or none is answered" },
  connect_time = { weight = 0.9, direct = true,
    says = "port 25 of $hosts in unrelated networks connects in $ms ms at best, their other ports in $other_ms ms" },
  vantage = { weight = 0.97, direct = true,
    says = "$hosts say the same from here, and something else, each of its own, from another place" },
  signature = { weight = 0.85, direct = true, -- the rule's own confidence, where it states one
    says = "$answers worded $like" },
  uniformity = { weight = 0.8,
    says = "$hosts in $units $show" },
}

local function fill(text, values)
  return (text:gsub("%$([%l_]+)", function(name) return tostring(values[name] or "") end))
end

local function new_finding(kind, crowd, examples, where, values, weight)
  values.hosts = crowd.count == 1 and "1 host" or ("%d hosts"):format(crowd.count)
  values.answers = crowd.count == 1 and "1 answer is" or ("%d answers are"):format(crowd.count)
  return { kind = kind, weight = weight or M.KINDS[kind].weight, where = where, crowd = crowd, count = crowd.count, examples = examples,
    says = escape.visible(fill(M.KINDS[kind].says, values)) }
end

--- Makes a finding of a kind about the hosts in an array.
function M.finding(kind, hosts, where, values, weight)
  return new_finding(kind, crowds.of(hosts), crowds.first_addresses(hosts), where, values, weight)
end

local function span(list, key)
  local low, high
  for _, item in ipairs(list) do
    local value = item.distance[key]
    if value then low, high = math.min(low or value, value), math.max(high or value, value) end
  end
  return low == high and tostring(low) or ("%s to %s"):format(low, high), low
end

-- Values of a key among hosts, each with its hosts, in the order of the values.
local function parted(hosts, key_of)
  local parts, keys = {}, {}
  for _, host in ipairs(hosts) do
    local key = key_of(host)
    if key ~= nil then
      if not parts[key] then
        parts[key] = {}
        keys[#keys + 1] = key
      end
      table.insert(parts[key], host)
    end
  end
  table.sort(keys)
  local i = 0
  return function()
    i = i + 1
    return keys[i], parts[keys[i]]
  end
end

-- Units among hosts, and those of them in which at least half of the hosts are hit: one odd machine in a large network does not
-- make the network odd.
local function count_units(hosts, is_hit)
  local total, of = network.units(hosts)
  local all, hits, most = {}, {}, 0
  for i, host in ipairs(hosts) do
    all[of[i]] = (all[of[i]] or 0) + 1
    if is_hit(host) then hits[of[i]] = (hits[of[i]] or 0) + 1 end
  end
  for unit, count in pairs(hits) do
    if count * 2 >= all[unit] then most = most + 1 end
  end
  return total, most
end

local function is_nearer(host) return host.distance.at and host.distance.target and host.distance.at < host.distance.target end

-- Each looks at all hosts, one by one, and then makes its findings; `of_greetings`: at those too of which but a greeting is known. `see` gets what
-- was kept so far, the host and the survey; what is kept of a host is its light form, without its sessions.
local FIND = {}

local function light_of(host)
  if not host.light then
    host.light = { address = host.address, ordinal = host.ordinal, network = host.network, domains = host.domains, distance = host.distance }
  end
  return host.light
end

local function keep(list, host) list[#list + 1] = light_of(host) end

-- An address without a mail server that greets. Whose side it is on, the path says.
FIND[1] = {
  of_greetings = true,
  see = function(answered, host, survey)
    if survey.control[host.address] and host.main and host.main.answered then keep(answered, host) end
  end,
  find = function(answered)
    if #answered == 0 then return {} end
    local at = answered[1].distance.at
    return { M.finding("control", answered, at and at <= 3 and "near_you" or "unknown", {}) }
  end,
}

-- One router, before several unrelated targets: an innocent box at a target's edge stands before one owner's alone. The first
-- hop is the scanner's own, whoever is behind it.
FIND[2] = {
  see = function(nearer, host)
    if host.distance.traced and is_nearer(host) then keep(nearer, host) end
  end,
  find = function(nearer)
    local found = {}
    for _, hosts in parted(nearer, function(host) return ("%03d %s"):format(host.distance.at, host.distance.by or "") end) do
      local at, router = hosts[1].distance.at, hosts[1].distance.by
      local target, least = span(hosts, "target")
      local units = network.units(hosts)
      if (units >= 2 and #hosts >= M.PATTERN) or (at <= 1 and least - at >= 2) then
        found[#found + 1] = M.finding("path_hops", hosts, distance.where(at, least),
          { at = at, target = target, by = router and (" (by or behind %s)"):format(router) or "" })
      end
    end
    return found
  end,
}

-- Without a trace the distance is read off the TTL of the answers. A box near the scanner is at one distance, whatever is behind it;
-- farther away, it must stand before half of all unrelated networks, since many targets have a box of their own at their edge.
FIND[3] = {
  see = function(measured, host)
    if host.distance.at and host.distance.target and not host.distance.traced then keep(measured, host) end
  end,
  find = function(measured)
    local found = {}
    for at, hosts in parted(measured, function(host) return is_nearer(host) and host.distance.at or nil end) do
      local target, least = span(hosts, "target")
      local units = network.units(hosts)
      local near = at <= 3 and least - at >= 2 and #hosts >= M.PATTERN and (at <= 1 or units >= 2)
      local all_units, odd_units = count_units(measured, function(host) return host.distance.at == at and is_nearer(host) end)
      local far = least - at >= 3 and odd_units >= math.max(M.PATTERN, all_units / 2)
      if near or far then found[#found + 1] = M.finding("path_ttl", hosts, distance.where(at, least), { at = at, target = target }) end
    end
    return found
  end,
}

-- A mail shield on the scanner's machine answers its programs: no packet leaves, or the SYNs that Nmap sends itself stay unanswered
-- where a connection is made.
FIND[4] = {
  see = function(odd, host)
    local listed = host.ports[25]
    local is_silent = listed ~= nil and listed.state == "filtered"
    local no_packet = host.main and host.main.path and host.main.path.leaves == false
    if no_packet or (is_silent and (host.connects == true or (host.main and host.main.port == 25 and host.main.answered))) then keep(odd, host) end
    odd.stays = odd.stays or no_packet
  end,
  find = function(odd)
    if #odd == 0 or (#odd < M.PATTERN and not odd.stays) then return {} end
    return { M.finding("own_host", odd, "own_host", {}) }
  end,
}

-- Supporting evidence for each host alone; for many unrelated ones together more than their honest share explains.
FIND[5] = {
  see = function(measured, host)
    if host.distance.time then keep(measured, host) end
  end,
  find = function(measured)
    local near, nearer = {}, {}
    for _, host in ipairs(measured) do
      local time = host.distance.time
      if time.nearer then nearer[#nearer + 1] = host end
      if time.nearer and time.ms <= NEAR_MS and time.other_ms >= FAR_MS then near[#near + 1] = host end
    end
    local all_units, units = count_units(measured, function(host) return host.distance.time.nearer end)
    local is_near = #near >= M.PATTERN and (network.units(near)) >= 2
    local is_odd = units >= M.PATTERN and chance.tail(all_units, units, ODD_TIMES) <= TIME_ALPHA
    if not (is_near or is_odd) then return {} end
    local hosts = is_near and near or nearer
    local fastest, other = math.huge, math.huge
    for _, host in ipairs(hosts) do fastest, other = math.min(fastest, host.distance.time.ms), math.min(other, host.distance.time.other_ms) end
    local where = is_near and (fastest <= OWN_MS and "own_host" or "near_you") or "unknown"
    return { M.finding("connect_time", hosts, where, { ms = ("%.2g"):format(fastest), other_ms = ("%.3g"):format(other) }) }
  end,
}

FIND[6] = {
  see = function() end,
  find = function(_, survey) return survey.vantage end,
}

--- How a text is worded that rules know, and that names no product.
M.LIKE = {
  ["provider notice, not the target's server"] = "like a provider's refusal",
  ["provider notice by its class of phrase, perhaps not the target's server"] = "like a provider's refusal",
}

-- The text says so. A rule is right or wrong for all hosts at once, so their number does not count.
FIND[7] = {
  of_greetings = true,
  see = function(by_name, host)
    for _, front in ipairs(host.main and host.main.fronts or {}) do
      local name = front.name
      if name and front.role == "interceptor" then
        by_name[name] = by_name[name] or { front = front, crowd = crowds.new(), examples = {} }
        by_name[name].crowd:add(host)
        if #by_name[name].examples < crowds.MOST_EXAMPLES then table.insert(by_name[name].examples, host.address) end
        return
      end
    end
  end,
  find = function(by_name)
    local found, names = {}, {}
    for name in pairs(by_name) do names[#names + 1] = name end
    table.sort(names)
    for i, name in ipairs(names) do
      local one = by_name[name]
      local where = one.front.device == "software firewall" and "own_host" or "near_you"
      found[i] = new_finding("signature", one.crowd, one.examples, where, { like = M.LIKE[name] or ("as those of %s"):format(name) }, one.front.confidence)
    end
    return found
  end,
}

local SHOWN = 120 -- bytes of a key

local SHOW = { hostname = "announce one host, '%s'", certificate = "show one certificate key", notice = "refuse with one text, '%s'" }

--- The finding that a group is more alike than chance and innocence allow.
--
-- @param case     of <code>deepid.uniformity</code>, firing
-- @param hosts    those that are alike
-- @param accused  crowd of the hosts that direct findings name
function M.of_group(case, hosts, accused)
  local finding = M.finding("uniformity", hosts, "unknown",
    { units = case.fires == "unrelated" and case.observed .. " unrelated networks" or "one network", show = SHOW[case.kind]:format(case.key:sub(1, SHOWN)) })
  finding.overlaps = finding.crowd:common(accused) > 0
  return finding
end

local EVERY, OF_GREETINGS = {}, {}
for i, one in ipairs(FIND) do
  EVERY[i] = i
  if one.of_greetings then OF_GREETINGS[#OF_GREETINGS + 1] = i end
end

local Watch = {}
Watch.__index = Watch

--- Begins to look for evidence, host by host. <code>hinted</code> is how many hints of path there are, <code>hints</code> what is odd about the
-- first hosts, an array of {address, ordinal, says}, and <code>odd</code> all of those hosts.
--
-- @param survey  deepid.survey
function M.watch(survey)
  local kept = {}
  for i in ipairs(FIND) do kept[i] = {} end
  return setmetatable({ survey = survey, kept = kept, hinted = 0, hints = {}, odd = crowds.new() }, Watch)
end

--- Takes one host; they come by address.
--
-- @param host          with <code>distance</code>
-- @param is_explained  whether its distance is innocent
function Watch:see(host, is_explained)
  for _, i in ipairs(host.greets_only and OF_GREETINGS or EVERY) do FIND[i].see(self.kept[i], host, self.survey) end
  if host.greets_only then return end
  for _, hint in ipairs(hints.of(host, is_explained, self.survey.scanner)) do
    if hint.of_path then self.hinted = self.hinted + 1 end
    self.odd:add(host)
    if self.odd.count <= crowds.KEPT then table.insert(self.hints, { address = host.address, ordinal = host.ordinal, says = hint.says }) end
  end
end

--- All findings but for uniformity and what is odd about one host, in the order of FIND.
function Watch:findings()
  local all = {}
  for i, one in ipairs(FIND) do
    for _, finding in ipairs(one.find(self.kept[i], self.survey)) do all[#all + 1] = finding end
  end
  return all
end

--- The probability that something answers in the targets' place: each kind once, with its best weight; uniformity
-- only where it is of hosts that a direct finding names too (<code>overlaps</code>).
--
-- @return probability; 0 where nothing direct was found
function M.combine(findings)
  local best = {}
  for _, finding in ipairs(findings) do
    if M.KINDS[finding.kind].direct then best[finding.kind] = math.max(best[finding.kind] or 0, finding.weight) end
  end
  if not next(best) then return 0 end
  for _, finding in ipairs(findings) do
    if finding.overlaps then best.uniformity = finding.weight end
  end
  local kinds, wrong = {}, 1.0
  for kind in pairs(best) do kinds[#kinds + 1] = kind end
  table.sort(kinds) -- the order of a product matters in its last bit
  for _, kind in ipairs(kinds) do wrong = wrong * (1 - best[kind]) end
  return 1 - wrong
end

return M
