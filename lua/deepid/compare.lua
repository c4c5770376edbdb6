--- The same targets scanned from two places: where their answers differ, and how.

local escape = require "deepid.escape"
local evidence = require "deepid.evidence"
local json = require "deepid.json"
local network = require "deepid.network"
local verdict = require "deepid.verdict"
local words = require "deepid.words"

local M = {}

local MOST = 1000 -- differing hosts listed

-- What a host's answer is told by: the announced name, else the masked greeting or refusal.
local function told_by(digest) return digest.hostname or digest.notice or digest.template end

local function show(text) return escape.visible(tostring(text), 120) end

local function answered(host) return host.main ~= nil and host.main.answered end

local function pairs_of(one, other)
  local both = {}
  for _, host in ipairs(one:hosts()) do
    local twin = other.by_address[host.address]
    if twin and not one.control[host.address] then both[#both + 1] = { host, twin } end
  end
  return both
end

-- Hosts that say the same seen from one side, and each something else seen from the other: nothing honest makes many into one.
local function add_vantage(survey, both, own, far)
  local by_key, keys = {}, {}
  for _, pair in ipairs(both) do
    local here, there = pair[own], pair[far]
    if answered(here) and answered(there) and told_by(here.main) ~= told_by(there.main) then
      local key = told_by(here.main)
      if not by_key[key] then
        by_key[key] = { hosts = {}, others = {}, count = 0 }
        keys[#keys + 1] = key
      end
      local group, other = by_key[key], told_by(there.main)
      table.insert(group.hosts, here)
      if not group.others[other] then group.others[other], group.count = true, group.count + 1 end
    end
  end
  table.sort(keys)
  for _, key in ipairs(keys) do
    local group = by_key[key]
    local units = network.units(group.hosts)
    if units >= evidence.PATTERN and group.count >= 0.9 * #group.hosts and group.count >= evidence.PATTERN then
      survey.vantage[#survey.vantage + 1] = evidence.finding("vantage", group.hosts, "unknown", {})
    end
  end
end

local function state(host)
  if answered(host) then return told_by(host.main) end
  return (host.ports[25] and tostring(host.ports[25].state)) or "no answer"
end

-- Counts and lists what differs; notes in each survey as evidence what the other shows.
--
local function differences(here, there)
  there:hosts()
  local both = pairs_of(here, there)
  add_vantage(here, both, 1, 2)
  add_vantage(there, both, 2, 1)
  local result = { both = #both, differ = 0, only_here = 0, only_there = 0, hosts = json.array() }
  for _, pair in ipairs(both) do
    local one, other = answered(pair[1]), answered(pair[2])
    if one and not other then result.only_here = result.only_here + 1 end
    if other and not one then result.only_there = result.only_there + 1 end
    if state(pair[1]) ~= state(pair[2]) then
      result.differ = result.differ + 1
      if result.differ <= MOST then
        result.hosts[result.differ] = { address = pair[1].address, here = show(state(pair[1])), there = show(state(pair[2])) }
      end
    end
  end
  return result
end

--- Compares two surveys of the same targets.
--
-- @param here   deepid.survey
-- @param there  deepid.survey made from another place
-- @return table: <code>both</code> (addresses in both), <code>differ</code> (how many answer differently), <code>only_here</code>,
--   <code>only_there</code> (answer in one alone), <code>hosts</code> (array of {address, here, there}), <code>here</code> and
--   <code>there</code>, the post-scan object of each with the other as evidence
-- @return nil and a message when the catalogue cannot be read
function M.judge(here, there)
  local result = differences(here, there)
  for name, survey in pairs({ here = here, there = there }) do
    local object, message = verdict.judge(survey)
    if not object then return nil, message end
    result[name] = object
  end
  return result
end

local MOST_LINES = 10

--- The result of `judge` for people.
-- @param names  of the two files
-- @return array of lines
function M.lines(result, here, there)
  local lines = { ("%d addresses in both scans, %d answer differently; %d answer in the first alone, %d in the second alone"):format(
    result.both, result.differ, result.only_here, result.only_there) }
  for i, host in ipairs(result.hosts) do
    if i > MOST_LINES then
      lines[#lines + 1] = ("  and %d more"):format(result.differ - MOST_LINES)
      break
    end
    lines[#lines + 1] = ("  %s: '%s' against '%s'"):format(host.address, host.here, host.there)
  end
  for _, side in ipairs({ { here, result.here }, { there, result.there } }) do
    lines[#lines + 1] = ""
    lines[#lines + 1] = side[1]
    for _, line in ipairs(words.lines(side[2])) do lines[#lines + 1] = "  " .. line end
  end
  return lines
end

return M
