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

-- Of hosts with PTR names: how many have them, and how many have one of their owner's making.
local function count_named(hosts)
  local named, own = 0, 0
  for _, host in ipairs(hosts) do
    if #host.names > 0 then named = named + 1 end
    if has_own_name(host) then own = own + 1 end
  end
  return named, own
end

-- The chance that targets drawn without regard to their PTR names have as few of their owner's making as the group has, judged by
-- the other targets; 1 where those are too few.
local LEAST_OTHERS = 8

local function line_chance(members, all_named, all_own)
  local named, own = count_named(members)
  local others = all_named - named
  if others < LEAST_OTHERS or named == 0 then return 1 end
  return 1 - chance.tail(named, own + 1, (all_own - own + 1) / (others + 2)) -- Laplace's rule of succession
end

-- Whether the text is known as an interceptor's: one owner's machines would hardly send it.
local function is_known_notice(members)
  for _, front in ipairs(members[1].main.fronts or {}) do
    if front.role == "interceptor" then return true end
  end
  return false
end

-- Of hosts that show one certificate, those that greet with the same bytes: one owner's appliances share a certificate, and each
-- has a name of its own; where they turn the client away, their names are not heard.
local function same_greeting(members)
  local parts, largest = {}, {}
  for _, host in ipairs(members) do
    local greeting = not host.main.notice and host.main.greeting
    if greeting then
      local part = parts[greeting] or {}
      parts[greeting] = part
      part[#part + 1] = host
      if #part > #largest then largest = part end
    end
  end
  return largest
end

local SAME = { hostname = same_machine, certificate = same_greeting, notice = function(members) return members end }

-- Unrelated networks in a group. Hosts that refuse with one text and have no PTR name are taken for one owner's; where they are
-- so many that the whole list of targets may be one owner's, so are hosts that a line provider named.
local function count_units(kind, members, share)
  if kind ~= "notice" or is_known_notice(members) then return (network.units(members)) end
  local linked = {}
  for i, host in ipairs(members) do
    local counts = #host.domains > 0 and (share <= MOST_OF_SCAN or has_own_name(host))
    linked[i] = { network = host.network, domains = counts and host.domains or { "?" } }
  end
  return (network.units(linked))
end

-- What answered: hosts, those of each network, networks, and hosts with PTR names.
local function count_answered(hosts, survey)
  local seen, list = { by_network = {}, networks = 0 }, {}
  for _, host in ipairs(hosts) do
    if host.main and host.main.answered and not survey.control[host.address] then
      if not seen.by_network[host.network] then seen.by_network[host.network], seen.networks = 0, seen.networks + 1 end
      seen.by_network[host.network] = seen.by_network[host.network] + 1
      list[#list + 1] = host
    end
  end
  seen.hosts = #list
  seen.named, seen.own = count_named(list)
  return seen
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

local MOST_EXAMPLES = 3

-- Of the members and not of the store: those the store keeps are the ones of the lowest hash.
local function first_addresses(members)
  local list = {}
  for i = 1, math.min(#members, MOST_EXAMPLES) do list[i] = members[i].address end
  return list
end

local function new_case(kind, group, members, catalogue, seen)
  local same = SAME[kind](members)
  local case = {
    kind = kind, key = group.example, members = members, same = same, hosts = group.hosts, networks = group.networks16,
    examples = first_addresses(members), catalogue = catalogue, observed = count_units(kind, same, #members / seen.hosts), apart = (network.units(same)),
    line_chance = line_chance(members, seen.named, seen.own), own_names = select(2, count_named(members)),
  }
  case.share, case.network = one_network(same, seen.by_network)
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
  local seen, all = count_answered(hosts, survey), {}
  local m = seen.networks
  for _, kind in ipairs(M.TESTED) do
    local cases = {}
    for group in store:groups(groups.KINDS[kind], 2) do
      local members = index[kind][group.example]
      if members then cases[#cases + 1] = new_case(kind, group, members, catalogue, seen) end
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
