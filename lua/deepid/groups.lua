--- Groups of hosts by key: counted by the C core's <code>survey</code>. Those that could matter are then gone over with their members
-- (deepid.members).

local core = require "deepid.core"
local network = require "deepid.network"

local M = {}

--- Kinds of key, by name and by number, as the core knows them.
M.KINDS = { "hostname", "greeting", "template", "dialect", "ehlo", "certificate", "notice" }
for i, kind in ipairs(M.KINDS) do M.KINDS[kind] = i end

--- Of very many groups, so many of each kind are gone over: half of them those in the most networks, half those of the most hosts.
M.MOST = 10000

--- The numbers of some kinds, by name.
function M.kinds(names)
  local numbers = {}
  for _, kind in ipairs(names) do numbers[kind] = M.KINDS[kind] end
  return numbers
end

local STORE_BYTES = 3 << 20

--- Opens an empty store: add, groups, totals, close (DESIGN.md, 'The survey'). Raises where the core is missing: whoever opened the
-- engine has it.
function M.open() return assert(core.load()).survey({ memory = STORE_BYTES }) end

--- Groups of a kind with two hosts or more and a key that counts: a host name that says nothing about its bearer is none.
-- @return iterator of the store's groups
function M.of_kind(store, kind)
  local iterate = assert(store:groups(M.KINDS[kind], 2))
  return function()
    local group = iterate()
    while group and (not group.example or kind == "hostname" and network.is_generic(group.example)) do group = iterate() end
    return group
  end
end

-- The first `most` of a list that may be cut at any time.
local function best_list(most, before)
  local list, last = {}, nil -- last: behind it none of the first can be
  local function cut()
    table.sort(list, before)
    for i = #list, most + 1, -1 do list[i] = nil end
    last = list[most]
  end
  return list, cut, function(item)
    if last and before(last, item) then return end
    list[#list + 1] = item
    if #list >= 2 * most then cut() end
  end
end

local function more_networks(a, b)
  if a.networks16 ~= b.networks16 then return a.networks16 > b.networks16 end
  if a.hosts ~= b.hosts then return a.hosts > b.hosts end
  return a.example < b.example
end

local function more_hosts(a, b)
  if a.hosts ~= b.hosts then return a.hosts > b.hosts end
  return a.example < b.example
end

--- The groups of a kind that are worth going over.
--
-- @param store      what <code>open</code> gave
-- @param kind       name
-- @param may_count  function of a group: whether it could change the verdict
-- @return table: key -> {hosts=, networks16=, example=} of the group
-- @return how many groups that may count were left out
function M.choose(store, kind, may_count)
  local wide, cut_wide, add_wide = best_list(M.MOST // 2, more_networks)
  local large, cut_large, add_large = best_list(M.MOST // 2, more_hosts)
  local chosen, counting, left = {}, 0, 0
  for found in M.of_kind(store, kind) do
    local group = { hosts = found.hosts, networks16 = found.networks16, example = found.example }
    add_wide(group)
    add_large(group)
    if may_count(group) then counting = counting + 1 end
  end
  cut_wide()
  cut_large()
  for _, list in ipairs({ wide, large }) do
    for _, group in ipairs(list) do
      if not chosen[group.example] and may_count(group) then left = left - 1 end
      chosen[group.example] = group
    end
  end
  return chosen, left + counting
end

return M
