--- Which groups of hosts are more alike than chance and the innocent explanations allow (doc/uniformity.md).

local chance = require "deepid.chance"
local explain = require "deepid.explain"
local groups = require "deepid.groups"
local network = require "deepid.network"

local M = {}

--- The kinds of key that can tell one machine from many like it. Templates and keyword lists cannot: a product has them from its
-- maker.
M.TESTED = { "hostname", "certificate", "notice" }

-- Of hosts that announce one name, those that also show one template and one certificate: clones of an image share the name
-- alone. Where a host's certificate is not known, it may be anybody's.
local function same_machine(members)
  local parts, order, largest = {}, {}, {}
  for _, host in ipairs(members) do
    local key = host.main.template or ""
    if not parts[key] then
      parts[key] = { any = {}, by = {}, certificates = {} }
      order[#order + 1] = parts[key]
    end
    local part, certificate = parts[key], host.main.certificate
    if not certificate then
      table.insert(part.any, host)
    else
      if not part.by[certificate] then
        part.by[certificate] = {}
        table.insert(part.certificates, certificate)
      end
      table.insert(part.by[certificate], host)
    end
  end
  for _, part in ipairs(order) do
    local most = {}
    for _, certificate in ipairs(part.certificates) do
      if #part.by[certificate] > #most then most = part.by[certificate] end
    end
    local size = #part.any + #most
    if size > #largest then
      largest = table.move(most, 1, #most, #part.any + 1, table.move(part.any, 1, #part.any, 1, {}))
    end
  end
  return largest
end

-- A refusal names nobody: one owner's machines may all refuse with one text, on lines of many providers.
local MOST_OF_SCAN = 1 / 3

local function has_own_name(host)
  for _, name in ipairs(host.names) do
    if not network.is_line_name(name, host.address) then return true end
  end
  return false
end

-- Unrelated networks in a group. Hosts that refuse with one text and have no PTR name are taken for one owner's; where they are
-- so many that the whole list of targets may be one owner's, so are hosts that a line provider named.
local function count_units(kind, members, share)
  if kind ~= "notice" then return (network.units(members)) end
  local linked = {}
  for i, host in ipairs(members) do
    local counts = #host.domains > 0 and (share <= MOST_OF_SCAN or has_own_name(host))
    linked[i] = { network = host.network, domains = counts and host.domains or { "?" } }
  end
  return (network.units(linked))
end

-- Hosts that answered in each network, how many networks there are, and how many hosts.
local function count_answered(hosts, survey)
  local answered, networks, total = {}, 0, 0
  for _, host in ipairs(hosts) do
    if host.main and host.main.answered and not survey.control[host.address] then
      if not answered[host.network] then answered[host.network], networks = 0, networks + 1 end
      answered[host.network], total = answered[host.network] + 1, total + 1
    end
  end
  return answered, networks, total
end

-- The group's largest share of those that answered in one network, of networks where the group has enough hosts to judge.
local function one_network(members, answered)
  local inside, best, best_network = {}, 0, nil
  for _, host in ipairs(members) do inside[host.network] = (inside[host.network] or 0) + 1 end
  for name, count in pairs(inside) do
    local share = count / answered[name]
    if count >= explain.ONE_NETWORK.hosts and (share > best or share == best and name < best_network) then
      best, best_network = share, name
    end
  end
  return best, best_network
end

local function new_case(kind, group, members, catalogue, answered, total)
  local same = kind == "hostname" and same_machine(members) or members
  local case = {
    kind = kind, key = group.example, members = members, same = same, hosts = group.hosts, networks = group.networks16,
    examples = group.examples, catalogue = catalogue, observed = count_units(kind, same, #members / total), apart = (network.units(same)),
  }
  case.share, case.network = one_network(same, answered)
  return case
end

-- Fires where the count is surprising; returns why.
local function surprise(case)
  if case.observed >= case.needed then return "unrelated" end
  if case.kind ~= "notice" and case.share >= explain.ONE_NETWORK.share then return "one_network" end
end

-- A pair of networks that share some other name is in every larger scan, and says nothing about its population.
local TELLING = 3

-- Threshold and probability, with the class that the scan's other groups suggest.
local function rate(case, m, other, classes)
  if other >= TELLING then
    classes = table.move(classes, 1, #classes, 1, {})
    classes[#classes + 1] = chance.estimate(m, other)
  end
  case.needed = chance.threshold(m, classes)
  case.expected = chance.expected(m, classes)
  case.probability = chance.bound(m, case.observed, classes)
end

-- Cases of one kind that nothing but chance explains yet: the two most shared, for `rate`.
local function most_shared(cases)
  local first, second = 0, 0
  for _, case in ipairs(cases) do
    if case.observed > first then
      first, second = case.observed, first
    elseif case.observed > second then
      second = case.observed
    end
  end
  return first, second
end

--- Groups of two hosts and more, each with its statistics and explanation.
--
-- @param survey     deepid.survey
-- @param hosts      what <code>survey:hosts</code> gave
-- @param catalogue  deepid.catalogue
-- @return array of cases: see deepid.explain, and <code>expected</code>, <code>probability</code>, <code>explanation</code>,
--   <code>words</code>, and <code>fires</code> ("unrelated" or "one_network") where the group is uniform
-- @return networks among the hosts that answered
function M.judge(survey, hosts, catalogue)
  local store, index = survey:grouped(hosts, M.TESTED)
  local answered, m, total = count_answered(hosts, survey)
  local all = {}
  for _, kind in ipairs(M.TESTED) do
    local cases = {}
    for group in store:groups(groups.KINDS[kind], 2) do
      local members = index[kind][group.example]
      if members then cases[#cases + 1] = new_case(kind, group, members, catalogue, answered, total) end
    end
    local unexplained = {}
    for _, case in ipairs(cases) do
      case.needed = 0 -- every explanation but those of size may apply
      case.explanation, case.words = explain.group(case)
      if not case.explanation then unexplained[#unexplained + 1] = case end
      all[#all + 1] = case
    end
    local first, second = most_shared(unexplained)
    for _, case in ipairs(cases) do
      rate(case, m, case.explanation and first or case.observed == first and second or first, catalogue.classes[kind] or {})
      case.explanation, case.words = explain.group(case)
      if not case.explanation then case.fires = surprise(case) end
    end
  end
  return all, m
end

return M
