--- The members of groups of hosts, gathered on disk and gone over group by group.

local core = require "deepid.core"
local facts = require "deepid.facts"

local M = {}

--- Members of one group that are looked at, those whose addresses have the lowest hash: more add nothing but memory.
M.MOST_MEMBERS = 10000

local MEMBERS_BYTES = 4 << 20

-- In front of a member's own key: the kind, the group's hash, the address's hash, the ordinal.
local HASH_BYTES, ORDER_BYTES, ORDINAL = 16, 8, ">I8"
local PREFIX_BYTES = 1 + HASH_BYTES + ORDER_BYTES + string.packsize(ORDINAL)

local Members = {}
Members.__index = Members

--- Gathers the members of groups: goes over all hosts once more, and keeps on disk those that are in one.
--
-- @param survey  deepid.survey
-- @param chosen  kind -> what <code>groups.choose</code> gave
-- @param kinds   array of kinds, in the order in which they will be gone over
function M.gather(survey, chosen, kinds)
  local lib = assert(core.load())
  local self = setmetatable({ survey = survey, shelf = lib.shelf({ memory = MEMBERS_BYTES }), chosen = chosen, kinds = kinds }, Members)
  local numbers = {}
  for i, kind in ipairs(kinds) do numbers[kind] = i end
  for host, slots in survey:sweep({ chosen = chosen, kinds = numbers, members = self.shelf }) do
    for i, kind in ipairs(host.main and not survey.control[host.address] and kinds or {}) do
      local key = host.main[kind]
      if key and chosen[kind][key] then
        -- Within a group by the address's hash: the first ones are then a fair sample.
        local place = string.char(i) .. lib.hash(key) .. lib.hash(host.address):sub(1, ORDER_BYTES) .. ORDINAL:pack(host.ordinal) .. host.address .. "\0"
        for n = 1, #slots, 2 do assert(self.shelf:put(place .. slots[n], slots[n + 1])) end
      end
    end
  end
  return self
end

local function by_address(a, b) return a.address < b.address end

--- Goes over the groups by kind and key's hash.
--
-- @param visit   called with kind, key, the members by address (a sample of MOST_MEMBERS where they are more), and how many there are
-- @param wanted  (optional) function of an identity, which <code>visit</code> gets fifth: whether that group is asked for
function Members:each(visit, wanted)
  local members, total, current = {}, 0, nil
  local function finish()
    if not current then return end
    table.sort(members, by_address)
    local kind = self.kinds[current:byte()]
    visit(kind, members[1].main[kind], members, total, current)
  end
  local filter = wanted and function(prefix) return wanted(prefix:sub(1, 1 + HASH_BYTES)) end
  for host, _, prefix in facts.hosts(assert(self.shelf:pairs()), PREFIX_BYTES, self.survey.naming, filter) do
    local identity = prefix:sub(1, 1 + HASH_BYTES)
    if identity ~= current then
      finish()
      members, total, current = {}, 0, identity
    end
    host.ordinal = ORDINAL:unpack(prefix, PREFIX_BYTES - ORDINAL:packsize() + 1)
    total = total + 1
    if total <= M.MOST_MEMBERS then members[total] = host end
  end
  finish()
end

function Members:close() self.shelf:close() end

return M
