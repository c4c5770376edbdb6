--- Which groups of hosts are more alike than chance and the innocent explanations allow (doc/uniformity.md).

local groups = require "deepid.groups"
local lazy = require "deepid.lazy"
local network = require "deepid.network"
local cases, members = lazy "deepid.cases", lazy "deepid.members"

local M = {}

--- The kinds of key that can tell one machine from many like it. Templates and keyword lists cannot: a product has them from its
-- maker.
M.TESTED = { "hostname", "certificate", "notice" }

--- Whether a host has a PTR name of its owner's making, and not a line's.
function M.has_own_name(host)
  for _, name in ipairs(host.names) do
    if not network.is_line_name(name, host.address) then return true end
  end
  return false
end

--- How many hosts have PTR names, and how many have one of their owner's making.
function M.count_named(hosts)
  local named, own = 0, 0
  for _, host in ipairs(hosts) do
    if #host.names > 0 then named = named + 1 end
    if M.has_own_name(host) then own = own + 1 end
  end
  return named, own
end

local Watch = {}
Watch.__index = Watch

--- Begins to look at what hosts have in common.
--
-- @param survey     deepid.survey
-- @param catalogue  deepid.catalogue
function M.watch(survey, catalogue)
  local seen = { by_network = {}, networks = 0, hosts = 0, named = 0, own = 0 }
  return setmetatable({ survey = survey, catalogue = catalogue, store = groups.open(), seen = seen }, Watch)
end

--- Takes one host. Controls take no part: they are no targets.
function Watch:see(host)
  local main, seen = host.main, self.seen
  if not main or self.survey.control[host.address] then return end
  for _, kind in ipairs(M.TESTED) do
    local key = main[kind]
    if key then self.store:add(host.address, groups.KINDS[kind], key, key) end
  end
  if not main.answered then return end
  self:see_greetings(host.network, 1)
  if #host.names > 0 then
    local named, own = M.count_named({ host })
    seen.named, seen.own = seen.named + named, seen.own + own
  end
end

--- What the core's sweep is to do with the keys of lone greetings.
function Watch:of_sweep() return { groups = self.store, kinds = groups.kinds(M.TESTED) } end

--- Takes so many hosts of a network that greet; their keys are in the store.
function Watch:see_greetings(large, count)
  local seen = self.seen
  if not seen.by_network[large] then seen.by_network[large], seen.networks = 0, seen.networks + 1 end
  seen.by_network[large] = seen.by_network[large] + count
  seen.hosts = seen.hosts + count
end

--- Groups of two hosts and more, each with its statistics and explanation; of very many, those that could matter most.
--
-- @param found  called with each group that is uniform, and the hosts in it that are alike
-- @return array of cases: see deepid.explain, and <code>expected</code>, <code>probability</code>, <code>explanation</code>,
--   <code>words</code>, <code>fires</code> ("unrelated" or "one_network") where the group is uniform, and <code>judged</code>, where that
--   many of its hosts were looked at
-- @return networks among the hosts that answered
-- @return how many groups that could matter were left out
function Watch:judge(found)
  local chosen, left, by_kind, all, by_identity = {}, 0, {}, {}, {}
  for _, kind in ipairs(M.TESTED) do
    local count
    chosen[kind], count = groups.choose(self.store, kind, function(group) return cases.may_count(group) end)
    left, by_kind[kind] = left + count, {}
  end
  self.store:close()
  if not (next(chosen.hostname) or next(chosen.certificate) or next(chosen.notice)) then return all, self.seen.networks, left end
  local gathered = members.gather(self.survey, chosen, M.TESTED)
  gathered:each(function(kind, key, hosts, total, identity)
    local case = cases.new(kind, key, hosts, total, chosen[kind][key], self.seen, self.catalogue)
    by_identity[identity] = case
    table.insert(by_kind[kind], case)
    all[#all + 1] = case
  end)
  for kind, list in pairs(by_kind) do cases.rate(list, self.seen.networks, self.catalogue.classes[kind] or {}) end
  if cases.any_fires(all) then
    gathered:each(function(kind, _, hosts, _, identity) found(by_identity[identity], cases.alike(kind, hosts)) end,
      function(identity) return by_identity[identity].fires end)
  end
  gathered:close()
  return all, self.seen.networks, left
end

return M
