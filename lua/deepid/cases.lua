--- A group of hosts as a case: which of them are alike, what explains it, and whether it is surprising (doc/uniformity.md).

local chance = require "deepid.chance"
local crowds = require "deepid.crowd"
local explain = require "deepid.explain"
local network = require "deepid.network"
local uniformity = require "deepid.uniformity"

local M = {}

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

--- Those of a group that are alike in more than its key.
function M.alike(kind, members) return SAME[kind](members) end

-- A refusal names nobody: one owner's machines may all refuse with one text, on lines of many providers.
local MOST_OF_SCAN = 1 / 3

-- Unrelated networks in a group. Hosts that refuse with one text and have no PTR name are taken for one owner's; where they are
-- so many that the whole list of targets may be one owner's, so are hosts that a line provider named.
local function count_units(kind, members, share, apart)
  if kind ~= "notice" or is_known_notice(members) then return apart end
  local linked = {}
  for i, host in ipairs(members) do
    local counts = #host.domains > 0 and (share <= MOST_OF_SCAN or uniformity.has_own_name(host))
    linked[i] = { network = host.network, domains = counts and host.domains or { "?" } }
  end
  return (network.units(linked))
end

-- The group's largest share of those that answered in one network, of networks where the group has enough hosts to judge. Each member
-- stands for `weight` hosts.
local function one_network(members, answered, weight)
  local inside, best, best_network = {}, 0, nil
  for _, host in ipairs(members) do inside[host.network] = (inside[host.network] or 0) + weight end
  for name, count in pairs(inside) do
    local share = math.min(1, count / answered[name])
    if count >= explain.ONE_NETWORK.hosts and (share > best or share == best and name < best_network) then
      best, best_network = share, name
    end
  end
  return best, best_network
end

-- The chance that targets drawn without regard to their PTR names have as few of their owner's making as the group has, judged by
-- the other targets; 1 where those are too few.
local LEAST_OTHERS = 8

local function line_chance(members, all_named, all_own)
  local named, own = uniformity.count_named(members)
  local others = all_named - named
  if others < LEAST_OTHERS or named == 0 then return 1 end
  return 1 - chance.tail(named, own + 1, (all_own - own + 1) / (others + 2)) -- Laplace's rule of succession
end

--- A case, see deepid.explain. What the members say; they are let go then. All but chance and size have been tried to explain it.
function M.new(kind, key, members, total, group, seen, catalogue)
  local same, sampled = SAME[kind](members), total > #members
  local apart = network.units(same)
  local case = {
    kind = kind, key = key, members = members, hosts = group.hosts, networks = group.networks16, judged = sampled and #members or nil,
    -- Of the members and not of the store: those the store keeps are the ones of the lowest hash.
    examples = crowds.first_addresses(members), catalogue = catalogue, observed = count_units(kind, same, total / seen.hosts, apart), apart = apart,
    line_chance = line_chance(members, seen.named, seen.own), own_names = select(2, uniformity.count_named(members)),
  }
  case.share, case.network = one_network(same, seen.by_network, total / #members)
  case.explanation, case.words = explain.members(case)
  case.members, case.catalogue = nil, nil
  return case
end

-- Fires where the count is surprising; returns why.
local function surprise(case)
  if case.observed >= case.needed then return "unrelated" end
  if case.kind ~= "notice" and case.share >= explain.ONE_NETWORK.share then return "one_network" end
end

-- A pair of networks that share some other name is in every larger scan, and says nothing about its population.
local TELLING = 3

-- Threshold and probabilities, with the class that the scan's other groups suggest.
local function rating(m, other, classes)
  if other >= TELLING then
    classes = table.move(classes, 1, #classes, 1, {})
    classes[#classes + 1] = chance.estimate(m, other)
  end
  local bounds = {}
  local function bound(observed)
    bounds[observed] = bounds[observed] or chance.bound(m, observed, classes)
    return bounds[observed]
  end
  return { needed = chance.threshold(m, classes), expected = chance.expected(m, classes), bound = bound }
end

-- Of the cases that nothing but chance explains yet, the two most shared.
local function most_shared(cases)
  local first, second = 0, 0
  for _, case in ipairs(cases) do
    if not (case.explanation or explain.is_one_network(case)) then
      if case.observed > first then
        first, second = case.observed, first
      elseif case.observed > second then
        second = case.observed
      end
    end
  end
  return first, second
end

--- Threshold, explanation by size and surprise of all cases of one kind.
function M.rate(cases, m, classes)
  local first, second = most_shared(cases)
  local ratings = {}
  for _, case in ipairs(cases) do
    local alone = not (case.explanation or explain.is_one_network(case))
    local other = alone and case.observed == first and second or first
    ratings[other] = ratings[other] or rating(m, other, classes)
    case.needed, case.expected, case.probability = ratings[other].needed, ratings[other].expected, ratings[other].bound(case.observed)
    if not case.explanation then case.explanation, case.words = explain.size(case) end
    if not case.explanation then case.fires = surprise(case) end
  end
end

function M.any_fires(cases)
  for _, case in ipairs(cases) do
    if case.fires then return true end
  end
  return false
end

--- A group of fewer networks cannot be surprising, nor one of fewer hosts within a network, nor do they raise the bar for others.
function M.may_count(group) return group.networks16 >= TELLING or group.hosts >= explain.ONE_NETWORK.hosts end

return M
