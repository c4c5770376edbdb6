--- Hosts that are not normal, with what is said of each: the first by address, and how many there are.

local crowds = require "deepid.crowd"
local json = require "deepid.json"

local M = {}

local RANK = { blocked = 1, uniform = 2, insufficient = 3 }

local Odd = {}
Odd.__index = Odd

function M.new() return setmetatable({ all = crowds.new(), by_address = {}, kept = 0 }, Odd) end

-- Forgets all but the first. Nothing of those that are forgotten can be among them later: more hosts only push them back.
local function cut(odd)
  local addresses = {}
  for address in pairs(odd.by_address) do addresses[#addresses + 1] = address end
  table.sort(addresses)
  for i = crowds.KEPT + 1, #addresses do odd.by_address[addresses[i]] = nil end
  odd.kept, odd.bound = math.min(#addresses, crowds.KEPT), addresses[crowds.KEPT]
end

--- Says something of one host.
--
-- @param what  "blocked", "uniform" or "insufficient", what it would make of the host: the gravest counts; or "accused", where that
--   depends on the verdict
function Odd:say(address, what, says)
  local entry = self.by_address[address]
  if not entry then
    if self.bound and address > self.bound then return end
    entry = { address = address, verdict = "insufficient", evidence = json.array() }
    self.by_address[address], self.kept = entry, self.kept + 1
    if self.kept > 2 * crowds.KEPT then cut(self) end
  end
  if what == "accused" then
    entry.accused = true
  elseif RANK[what] < RANK[entry.verdict] then
    entry.verdict = what
  end
  table.insert(entry.evidence, says)
end

--- Says something of all hosts of a crowd.
function Odd:say_all(crowd, what, says)
  self.all:join(crowd)
  for _, host in ipairs(crowd.first) do self:say(host.address, what, says) end
end

--- @param is_intercepted  whether that is the verdict, and so of those that are accused
-- @return array of {address, verdict, evidence} by address, and how many hosts are odd in all
function Odd:list(is_intercepted)
  cut(self)
  local list = json.array()
  for address, entry in pairs(self.by_address) do
    list[#list + 1] = { address = address, verdict = entry.accused and is_intercepted and "intercepted" or entry.verdict, evidence = entry.evidence }
  end
  table.sort(list, function(a, b) return a.address < b.address end)
  return list, self.all.count
end

return M
