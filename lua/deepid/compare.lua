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
local function told_by(digest) return digest.hostname or digest.notice or digest.template or "" end

local function show(text) return escape.visible(tostring(text), 120) end

local function answered(host) return host.main ~= nil and host.main.answered end

-- Whether two that say the same behave otherwise: something that repeats a greeting answers in its own way.
local function behaves_otherwise(one, other)
  return answered(one) and answered(other) and one.main.dialect and other.main.dialect and one.main.dialect ~= other.main.dialect
end

local function state(host, with_dialect)
  if answered(host) then return told_by(host.main) .. (with_dialect and ", which answers " .. host.main.dialect or "") end
  return (host.ports[25] and tostring(host.ports[25].state)) or "no answer"
end

-- Hosts of both surveys, by address, in step. Controls of the first are left out.
local function both_of(here, there)
  local next_here, next_there = here:hosts(), there:hosts()
  local other = next_there()
  return function()
    for one in next_here do
      while other and other.address < one.address do other = next_there() end
      if not other then return nil end
      if other.address == one.address and not here.control[one.address] then return one, other end
    end
  end
end

-- Hosts that say the same seen from one side, and what they say seen from the other, by what they say.
local function note_vantage(by_key, one, other)
  local key, other_key = told_by(one.main), told_by(other.main)
  local group = by_key[key] or { key = key, hosts = {}, others = {}, count = 0 }
  by_key[key] = group
  table.insert(group.hosts, { address = one.address, ordinal = one.ordinal, network = one.network, domains = one.domains })
  if not group.others[other_key] then group.others[other_key], group.count = true, group.count + 1 end
end

-- Many that are one from here, and each something else from there: nothing honest does that.
local function add_vantage(survey, by_key)
  local groups = {}
  for _, group in pairs(by_key) do
    local enough = group.count >= 0.9 * #group.hosts and group.count >= evidence.PATTERN
    if enough and (network.units(group.hosts)) >= evidence.PATTERN then groups[#groups + 1] = group end
  end
  table.sort(groups, function(a, b) return a.key < b.key end)
  for _, group in ipairs(groups) do survey.vantage[#survey.vantage + 1] = evidence.finding("vantage", group.hosts, "unknown", {}) end
end

-- Counts and lists what differs; notes in each survey as evidence what the other shows.
local function differences(here, there)
  local result = { both = 0, differ = 0, only_here = 0, only_there = 0, hosts = json.array() }
  local from_here, from_there = {}, {}
  for one, other in both_of(here, there) do
    result.both = result.both + 1
    if answered(one) and not answered(other) then result.only_here = result.only_here + 1 end
    if answered(other) and not answered(one) then result.only_there = result.only_there + 1 end
    if answered(one) and answered(other) and told_by(one.main) ~= told_by(other.main) then
      note_vantage(from_here, one, other)
      note_vantage(from_there, other, one)
    end
    local otherwise = state(one) == state(other) and behaves_otherwise(one, other)
    if state(one) ~= state(other) or otherwise then
      result.differ = result.differ + 1
      if result.differ <= MOST then
        result.hosts[result.differ] = { address = one.address, here = show(state(one, otherwise)), there = show(state(other, otherwise)) }
      end
    end
  end
  add_vantage(here, from_here)
  add_vantage(there, from_there)
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
