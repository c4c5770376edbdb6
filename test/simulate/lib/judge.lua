--- Runs simulated scans through the survey and the verdict, and says whether the verdict is right.

local scan = require "scan"
local survey = require "deepid.survey"
local verdict = require "deepid.verdict"
local world_of = require "world"

local M = {}

local function judge(records)
  local all = survey.new()
  for _, record in ipairs(records) do all:add(record) end
  return assert(verdict.judge(all))
end

-- Whether one machine or pool really answers for all hosts that the verdict calls uniform; else the false one's name. One owner's
-- appliances that announce one name count as a pool, and are told apart in the second result.
local function is_really_uniform(object, targets)
  local by_address, machine, fleet = {}, nil, false
  for _, host in ipairs(targets) do by_address[host.address] = host end
  for _, odd in ipairs(object.hosts) do
    if odd.verdict == "uniform" then
      local host = by_address[odd.address]
      if machine and machine ~= host.machine then return false end
      machine, fleet = host.machine, fleet or host.fleet ~= nil
    end
  end
  return machine ~= nil, fleet
end

--- Judges `count` honest scans of worlds of `size` hosts, a new world every `each` scans.
--
-- @return table: <code>scans</code>, <code>hosts</code>, <code>verdicts</code> (name -> count), <code>false_alarms</code> (array of
--   {verdict, object, targets}), <code>fleets</code> (uniform, and one owner's appliances under one name), <code>sure</code> (confidence ->
--   {scans, right})
function M.honest(seed, count, size, each)
  local found = { scans = 0, hosts = 0, verdicts = {}, false_alarms = {}, fleets = 0, sure = {} }
  local world, random
  for i = 0, count - 1 do
    if i % each == 0 then
      world = world_of.new(seed * 100003 + i, size)
      random = world_of.random(seed * 7919 + i + 1)
    end
    local records, targets, how = scan.honest(world, random)
    local object = judge(records)
    found.scans, found.hosts = found.scans + 1, found.hosts + #targets
    found.verdicts[object.verdict] = (found.verdicts[object.verdict] or 0) + 1
    local right, fleet = object.verdict == "normal" or object.verdict == "insufficient", false
    if object.verdict == "uniform" then right, fleet = is_really_uniform(object, targets) end
    if right and fleet then found.fleets = found.fleets + 1 end
    if not right then table.insert(found.false_alarms, { verdict = object.verdict, object = object, targets = targets, how = how }) end
    M.note(found.sure, object, right)
  end
  return found
end

--- Notes a verdict in a reliability table: confidence in per cent -> {said, right}.
function M.note(sure, object, right)
  if not object.confidence then return end
  local key = ("%s %d%%"):format(object.verdict, math.floor(object.confidence * 100 + 0.5))
  sure[key] = sure[key] or { said = 0, right = 0 }
  sure[key].said = sure[key].said + 1
  if right then sure[key].right = sure[key].right + 1 end
end

--- Judges `count` scans with a box before some of the targets.
--
-- @param wanted  set of verdicts that find it
-- @return share of the scans that gave one of them
function M.detection(seed, count, size, hit, options, wanted, sure)
  local world, random, found = world_of.new(seed, 20000), world_of.random(seed + 1), 0
  for _ = 1, count do
    local object = judge((scan.intercepted(world, random, size, hit, options)))
    local right = wanted[object.verdict] == true
    if right then found = found + 1 end
    if sure then M.note(sure, object, right) end
  end
  return found / count
end

return M
