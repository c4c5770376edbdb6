--- Innocent explanations: why hosts may look alike, or be answered from elsewhere, with nobody in between.
--
-- A table of small functions. Each takes the case and returns what to tell the user, or nothing where it does not apply. A
-- group's case:
--   kind, key        what is shared ("hostname", "certificate" or "notice") and its bytes
--   members          array of host facts that share it; a sample of them where they are very many
--   observed, needed unrelated networks that share it, and how many would be surprising
--   apart            as observed, but hosts without PTR names are not taken for one owner's
--   line_chance      that a group drawn without regard to PTR names has so few of an owner's making
--   own_names        members whose PTR name is of an owner's making
--   share            of the hosts that answered in the group's largest network, those in the group (0..1)
--   catalogue        see deepid.catalogue
-- A host's case (M.HOST): distance (deepid.distance), host, unit_alone.

local distance = require "deepid.distance"
local network = require "deepid.network"

local M = {}

--- Fewest addresses, and their share of those that answered, that make one network uniform.
M.ONE_NETWORK = { hosts = 12, share = 0.9 }

local function registered(names)
  local set = {}
  for _, name in ipairs(names or {}) do
    local domain = network.registered_domain(name)
    if domain then set[domain] = true end
  end
  return set
end

-- The registered domains that a group is about: of the announced name, or of the certificate's names.
local function domains_of(case)
  if case.kind == "hostname" then return registered({ case.key }) end
  if case.kind == "certificate" then return registered(case.members[1].main.certificate_names) end
  return {}
end

-- The number of different values, and one of them.
local function distinct(members, value_of)
  local seen, count, last = {}, 0, nil
  for _, host in ipairs(members) do
    local value = value_of(host)
    if value and not seen[value] then seen[value], count, last = true, count + 1, value end
  end
  return count, last
end

local function hostname(host) return host.main.hostname end

-- The certificate key of a host's other mail ports; the lowest port's, so that the order in which they were read does not count.
local function other_certificate(host)
  local lowest, key
  for port, digest in pairs(host.sessions) do
    if port ~= host.main.port and digest.certificate and (not lowest or port < lowest) then lowest, key = port, digest.certificate end
  end
  return key
end

local function count_with(members, value_of, value)
  local count = 0
  for _, host in ipairs(members) do
    if value_of(host) == value then count = count + 1 end
  end
  return count
end

-- The one registered domain that the PTR names of all members share.
local function common_domain(members)
  local counts = {}
  for _, host in ipairs(members) do
    local seen = {}
    for _, domain in ipairs(host.domains) do
      if not seen[domain] then counts[domain] = (counts[domain] or 0) + 1 end
      seen[domain] = true
    end
  end
  for domain, count in pairs(counts) do
    if count == #members then return domain end
  end
end

-- The first of a host's PTR domains that is in a set.
local function shared_domain(host, domains)
  for _, domain in ipairs(host.domains) do
    if domains[domain] then return domain end
  end
end

local GROUP = {}

GROUP[1] = { name = "provider", source = "nselib/data/deepid/providers.tsv", apply = function(case)
  if case.kind == "notice" then return nil end
  for domain in pairs(domains_of(case)) do
    local provider = case.catalogue:provider(case.kind == "hostname" and case.key or domain)
    if provider then return ("a large provider, %s: its machines in many networks announce its names"):format(provider) end
  end
end }

GROUP[2] = { name = "common_text", source = "nselib/data/deepid/background.tsv", apply = function(case)
  local text = case.catalogue:common_text(case.kind, case.key)
  if text then return ("many servers say so by themselves ('%s'): it is about the scanner's address or their load"):format(text) end
end }

GROUP[3] = { name = "pool", source = "doc/uniformity.md: hosts that name themselves", apply = function(case)
  local domains, count, first = domains_of(case), 0, nil
  for _, host in ipairs(case.members) do
    local domain = shared_domain(host, domains)
    if domain then
      count, first = count + 1, first or { host.address, domain }
    end
  end
  if first then
    return ("a pool of one organisation: of %d addresses looked at %d have a PTR name under %s, such as %s"):format(#case.members, count, first[2], first[1])
  end
end }

-- What is heard on 465 or 587 does not come from a box that takes port 25 alone.
GROUP[4] = { name = "one_machine", source = "doc/uniformity.md: another port names the host", apply = function(case)
  if case.kind == "notice" then return nil end
  for _, host in ipairs(case.members) do
    for port, digest in pairs(host.sessions) do
      local same = port ~= host.main.port and (digest[case.kind] == case.key
        or case.kind == "hostname" and registered(digest.certificate_names)[network.registered_domain(case.key) or ""])
      if same then
        return ("one machine or pool with several addresses: %s says the same on another mail port, which what takes over port 25 leaves alone"):format(host.address)
      end
    end
  end
end }

GROUP[5] = { name = "appliances", source = "doc/uniformity.md: what one owner's machines share", apply = function(case)
  if case.kind == "certificate" and distinct(case.members, hostname) > 1 then
    return "several machines of one owner or maker: they share a certificate, and each announces a name of its own"
  end
  local shared, key = distinct(case.members, other_certificate)
  if case.kind == "notice" and shared == 1 and count_with(case.members, other_certificate, key) >= 2 then
    return "machines of one owner: their other mail ports share a certificate"
  end
  local domain = #case.members > 1 and case.kind == "notice" and common_domain(case.members)
  if domain then return ("machines of one owner: the PTR names of all are under %s"):format(domain) end
end }

GROUP[6] = { name = "shared_hosting", source = "a hoster's PTR names on all of them", apply = function(case)
  local domain = #case.members > 1 and case.kind ~= "notice" and common_domain(case.members)
  if domain then return ("shared hosting: the PTR names of all are under %s, the hoster's or owner's"):format(domain) end
end }

-- So many members at their own distance are enough: ports are forwarded to other machines honestly, too.
local OWN_DISTANCE = 0.6

-- The chance below which a group's lack of owner-made PTR names is no accident; and how many may have one all the same.
local LINES, MOST_OWN = 0.001, 0.1

-- One box cannot answer from as far away as each of its victims.
GROUP[7] = { name = "own_distance", source = "RFC 1812 5.3.1: each router on the way takes one from the TTL", apply = function(case)
  local agree, distances, count = 0, {}, 0
  for _, host in ipairs(case.members) do
    local found = distance.judge(host)
    if found.at and found.target and found.at == found.target then
      agree = agree + 1
      if not distances[found.at] then distances[found.at], count = true, count + 1 end
    end
  end
  if count >= 3 and agree >= OWN_DISTANCE * #case.members then
    return "each answer came from as far away as its host's other ports: no one box gave them all"
  end
end }

-- Something on the way does not choose its targets by their PTR names.
GROUP[8] = { name = "lines", source = "doc/uniformity.md: what is chosen by its lines", apply = function(case)
  if case.line_chance <= LINES and case.own_names <= MOST_OWN * #case.members then
    return "unlike the other targets they are on lines that a provider named: branch offices of one owner, or devices of one maker"
  end
end }

-- With the names of its hosts the same refusal would be surprising, or one owner's.
GROUP[9] = { name = "nameless", source = "doc/uniformity.md: a refusal names nobody", apply = function(case)
  if case.kind == "notice" and case.observed < case.needed and case.apart >= case.needed then
    return "no PTR name sets them apart: one owner cannot be ruled out, nor a box near you"
  end
end }

-- A whole network that announces one host is told of: nothing innocent explains it yet.
local function is_whole_network(case) return case.kind ~= "notice" and case.share >= M.ONE_NETWORK.share end

--- Whether a group is in one network or of one owner, and not all of that network.
function M.is_one_network(case) return case.observed <= 1 and not is_whole_network(case) end

GROUP[10] = { name = "one_network", source = "doc/uniformity.md: within one network statistics say nothing", apply = function(case)
  if M.is_one_network(case) then
    return "they are in one network or of one owner: a pool, one host with several addresses or one policy is likelier than an interceptor"
  end
end }

GROUP[11] = { name = "small_sample", source = "doc/uniformity.md", apply = function(case)
  if case.observed > 1 and case.observed < case.needed and not is_whole_network(case) then
    return ("too few to mean anything: %d unrelated networks, and chance explains up to %d"):format(case.observed, case.needed - 1)
  end
end }

M.GROUP = GROUP

local function first_of(case, from, to)
  for i = from, to do
    local words = GROUP[i].apply(case)
    if words then return GROUP[i].name, words end
  end
end

-- From here on size alone is asked about, not members.
local OF_SIZE = 9

--- The explanation of a group by who its members are: the first that applies.
--
-- @return name and words, or nil
function M.members(case) return first_of(case, 1, OF_SIZE - 1) end

--- The explanation of a group by its size, once <code>needed</code> is known.
--
-- @return name and words, or nil
function M.size(case) return first_of(case, OF_SIZE, #GROUP) end

local HOST = {}

HOST[1] = { name = "inner_host", source = "RFC 1812 5.3.1: each router on the way takes one from the TTL", apply = function(case)
  local found = case.distance
  if found.at and found.target and found.at > found.target and found.at - found.target <= 3 then
    return "port 25 is answered from farther away than the other ports: the target's own firewall forwards it to an inner host"
  end
end }

HOST[2] = { name = "edge_box", source = "RFC 1812 5.3.1: each router on the way takes one from the TTL", apply = function(case)
  local found = case.distance
  if found.at and found.target and found.at < found.target and distance.where(found.at, found.target) == "near_target" then
    return "port 25 is answered a hop or two nearer than the other ports: the target's own firewall, load balancer or mail gateway"
  end
end }

HOST[3] = { name = "closed_ports", source = "a SYN proxy accepts before it asks the server", apply = function(case)
  local open, closed = 0, 0
  for _, port in pairs(case.host.ports) do
    if port.state == "open" then open = open + 1 else closed = closed + 1 end
  end
  local silent = case.host.main == nil or not case.host.main.answered
  local listed = case.host.ports[25]
  if silent and listed and listed.state == "open" and open >= 3 and closed == 0 then
    return "every scanned port is open and port 25 says nothing: a firewall accepts connections for closed ports"
  end
end }

M.HOST = HOST

--- The explanation of a host's odd distance or silence: the first that applies.
-- @return name and words, or nil
function M.host(case)
  for _, one in ipairs(HOST) do
    local words = one.apply(case)
    if words then return one.name, words end
  end
end

--- All explanations by name, for documents and tests.
M.ALL = table.move(HOST, 1, #HOST, #GROUP + 1, table.move(GROUP, 1, #GROUP, 1, {}))

return M
