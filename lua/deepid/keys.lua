--- What hosts have in common, counted: the commonest keys of each kind, for people who study populations. Judges nothing: most of
-- these are common since a product has them from its maker.

local escape = require "deepid.escape"
local groups = require "deepid.groups"
local json = require "deepid.json"

local M = {}

--- Keys of one kind that are kept.
M.MOST = 10

local function before(a, b)
  if a.networks16 ~= b.networks16 then return a.networks16 > b.networks16 end
  if a.hosts ~= b.hosts then return a.hosts > b.hosts end
  return a.example < b.example
end

-- Takes a group into the list of the commonest, which stays sorted.
local function insert(list, group)
  local place = #list + 1
  while place > 1 and before(group, list[place - 1]) do place = place - 1 end
  table.insert(list, place, group)
  list[M.MOST + 1] = nil
end

--- Counts the keys of a survey's hosts by their main sessions. Controls take no part: they are no targets.
--
-- @param survey  deepid.survey
-- @return array of {kind, key, hosts, networks (/16 or /32), examples (addresses)}: by kind, those in the most networks first; keys
--   that one host alone has are none
function M.commonest(survey)
  local store, found = groups.open(), json.array()
  for host in survey:sweep({ groups = store, kinds = groups.kinds(groups.KINDS) }) do
    for number, kind in ipairs(host.main and not survey.control[host.address] and groups.KINDS or {}) do
      local key = host.main[kind]
      if key and key ~= "" then store:add(host.address, number, key, key) end
    end
  end
  for _, kind in ipairs(groups.KINDS) do
    local list = {}
    for group in groups.of_kind(store, kind) do insert(list, group) end
    for _, group in ipairs(list) do
      found[#found + 1] = { kind = kind, key = escape.visible(group.example), hosts = group.hosts, networks = group.networks16,
        examples = json.array(group.examples) }
    end
  end
  store:close()
  return found
end

--- The same for people.
-- @return array of lines
function M.lines(list)
  local lines, kind = {}, nil
  for _, one in ipairs(list) do
    if one.kind ~= kind then
      kind = one.kind
      lines[#lines + 1] = ("commonest, by %s:"):format(kind)
    end
    lines[#lines + 1] = ("  %d hosts in %d networks: %s (%s, ...)"):format(one.hosts, one.networks, one.key, one.examples[1])
  end
  return lines
end

return M
