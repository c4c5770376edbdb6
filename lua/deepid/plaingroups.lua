--- Groups of hosts by key in plain Lua: exact, and in memory.

local network = require "deepid.network"

local M = {}

local MOST_EXAMPLES = 3

local Groups = {}
Groups.__index = Groups

--- Opens an empty store.
function M.open() return setmetatable({ kinds = {}, hosts = {} }, Groups) end

--- Notes that a host shows a key; the same again changes nothing.
--
-- @param address  IPv4 or IPv6 text
-- @param kind     1..15
-- @param key      bytes
-- @param example  (optional) bytes that show the key to people; of several the smallest is kept
function Groups:add(address, kind, key, example)
  local groups = self.kinds[kind] or {}
  self.kinds[kind] = groups
  local group = groups[key] or { example = example or key, members = {} }
  groups[key] = group
  if example and example < group.example then group.example = example end
  group.members[address], self.hosts[address] = true, true
end

local function count(members)
  local hosts, large, small, networks16, networks24 = 0, {}, {}, 0, 0
  for address in pairs(members) do
    hosts = hosts + 1
    local wide, narrow = network.networks(address)
    wide, narrow = wide or address, narrow or address
    if not large[wide] then large[wide], networks16 = true, networks16 + 1 end
    if not small[narrow] then small[narrow], networks24 = true, networks24 + 1 end
  end
  return { hosts = hosts, networks16 = networks16, networks24 = networks24 }
end

local function first_addresses(members)
  local list = {}
  for address in pairs(members) do list[#list + 1] = address end
  table.sort(list)
  return table.move(list, 1, MOST_EXAMPLES, 1, {})
end

--- Iterates over the groups of a kind that have so many hosts, largest first.
--
-- @return iterator of {key (hexadecimal), kind, hosts, networks16, networks24, examples (addresses), example (bytes)}
function Groups:groups(kind, min_hosts)
  local found = {}
  for key, group in pairs(self.kinds[kind] or {}) do
    local counted = count(group.members)
    if counted.hosts >= min_hosts then
      counted.kind, counted.examples, counted.example = kind, first_addresses(group.members), group.example
      counted.key = key:gsub(".", function(byte) return ("%02x"):format(byte:byte()) end)
      found[#found + 1] = counted
    end
  end
  table.sort(found, function(a, b)
    if a.hosts ~= b.hosts then return a.hosts > b.hosts end
    return a.key < b.key
  end)
  local i = 0
  return function()
    i = i + 1
    return found[i]
  end
end

--- @return table {hosts, networks24, networks16} of all that was added
function Groups:totals() return count(self.hosts) end

return M
