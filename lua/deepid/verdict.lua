--- From a survey to the verdict of the scan: one function, the same live and from a saved file.

local catalogues = require "deepid.catalogue"
local distance = require "deepid.distance"
local escape = require "deepid.escape"
local evidence = require "deepid.evidence"
local explain = require "deepid.explain"
local json = require "deepid.json"
local silence = require "deepid.silence"
local uniformity = require "deepid.uniformity"
local words = require "deepid.words"

local M = {}

local MOST_HOSTS, MOST_GROUPS, MOST_EXAMPLES, SHOWN = 1000, 100, 3, 120

-- The probability that is sure enough to accuse something of answering in a target's place.
local SURE = 0.9

-- Confidence where it is not the evidence's own: from the reliability table in doc/uniformity.md.
local CONFIDENCE = { unrelated = 0.98, one_network = 0.9, blocked = 0.95, traced = 0.98, normal = 0.95, normal_by_path = 0.98 }

local function show(bytes) return escape.visible(bytes, SHOWN) end

local function addresses(hosts)
  local list = json.array()
  for i = 1, math.min(#hosts, MOST_EXAMPLES) do list[i] = hosts[i].address end
  return list
end

-- Distances that differ and are innocent, and silent open ports: address -> {name, says}.
local function explain_hosts(hosts)
  local by_address = {}
  for _, host in ipairs(hosts) do
    local name, says = explain.host({ host = host, distance = host.distance })
    if name then by_address[host.address] = { name = name, says = says } end
  end
  return by_address
end

-- The same by name, without the hosts that are accused.
local function explained_of(facts, hosts)
  local list, by_name = json.array(), {}
  for _, host in ipairs(hosts) do
    local found = not facts.accused[host.address] and facts.explained[host.address]
    if found then
      local one = by_name[found.name]
      if not one then
        one = { name = found.name, says = found.says, hosts = 0, examples = json.array() }
        by_name[found.name], list[#list + 1] = one, one
      end
      one.hosts = one.hosts + 1
      if one.hosts <= MOST_EXAMPLES then one.examples[one.hosts] = host.address end
    end
  end
  table.sort(list, function(a, b) return a.name < b.name end)
  return list
end

local function group_of(case)
  return {
    key = show(case.key), kind = case.kind, hosts = case.hosts, networks = case.networks, unrelated = case.observed, needed = case.needed,
    expected = case.expected, probability = case.probability, explanation = case.explanation, words = case.words,
    surprising = case.fires, examples = json.array(table.move(case.examples, 1, #case.examples, 1, {})),
  }
end

local function groups_of(cases)
  local sorted, list = table.move(cases, 1, #cases, 1, {}), json.array()
  table.sort(sorted, function(a, b)
    if (a.fires ~= nil) ~= (b.fires ~= nil) then return a.fires ~= nil end
    if a.hosts ~= b.hosts then return a.hosts > b.hosts end
    if a.kind ~= b.kind then return a.kind < b.kind end
    return a.key < b.key
  end)
  for i = 1, math.min(#sorted, MOST_GROUPS) do list[i] = group_of(sorted[i]) end
  return list
end

-- Where the heaviest direct finding says that it sits; of equals, the first in the order of the table.
local function where_of(findings)
  local best
  for _, finding in ipairs(findings) do
    if evidence.KINDS[finding.kind].direct and finding.where ~= "unknown" and (not best or finding.weight > best.weight) then best = finding end
  end
  return best and best.where or "unknown"
end

local function first_fire(cases)
  local fire
  for _, case in ipairs(cases) do
    if case.fires == "unrelated" or case.fires and not fire then fire = case.fires end
  end
  return fire
end

-- Whether too little is known to call the scan normal.
local function is_thin(facts)
  if facts.answered == 0 then return true end
  if facts.silence.witnesses > 0 and facts.silence.accepting == 0 then return true end
  if facts.suspicion >= 0.5 and facts.suspects * 2 >= facts.answered then return true end
  for _, case in ipairs(facts.cases) do
    if case.explanation == "nameless" and case.hosts * 2 >= facts.answered then return true end
  end
  if facts.answered < evidence.PATTERN and facts.hinted > 0 then return true end
  return facts.answered == 1 and facts.compared == 0
end

local function decide(facts)
  if facts.suspicion >= SURE then return "intercepted", where_of(facts.findings), facts.suspicion end
  if facts.silence.blocked then return "blocked", "near_you", facts.silence.stop and CONFIDENCE.traced or CONFIDENCE.blocked end
  local fire = first_fire(facts.cases)
  if fire then return "uniform", "unknown", CONFIDENCE[fire] end
  if is_thin(facts) then return "insufficient", "unknown" end
  return "normal", "unknown", facts.compared >= facts.answered / 2 and CONFIDENCE.normal_by_path or CONFIDENCE.normal
end

local RANK = { intercepted = 1, blocked = 2, uniform = 3, insufficient = 4 }

local function note_host(by_address, host, verdict, says)
  local entry = by_address[host.address]
  if not entry then
    entry = { address = host.address, verdict = verdict, evidence = json.array() }
    by_address[host.address] = entry
  end
  if RANK[verdict] < RANK[entry.verdict] then entry.verdict = verdict end
  table.insert(entry.evidence, says)
end

-- The hosts that are not normal, with their evidence; the first MOST_HOSTS by address, and how many there are.
local function odd_hosts(facts, verdict)
  local by_address, list = {}, {}
  for _, finding in ipairs(facts.findings) do
    local kind = evidence.KINDS[finding.kind]
    local of_host = kind.direct and verdict == "intercepted" and "intercepted" or finding.kind == "uniformity" and "uniform" or "insufficient"
    for _, host in ipairs(finding.hosts) do note_host(by_address, host, of_host, finding.says) end
  end
  if verdict == "blocked" then
    for _, host in ipairs(facts.silence.silent_hosts) do note_host(by_address, host, "blocked", "port 25 is silent, and the host offers mail") end
  end
  for _, entry in pairs(by_address) do list[#list + 1] = entry end
  table.sort(list, function(a, b) return a.address < b.address end)
  return json.array(table.move(list, 1, math.min(#list, MOST_HOSTS), 1, {})), #list
end

local function evidence_of(findings)
  local list = json.array()
  for _, finding in ipairs(findings) do
    if not evidence.KINDS[finding.kind].hint then
      list[#list + 1] = { kind = finding.kind, weight = finding.weight, where = finding.where, hosts = #finding.hosts,
        says = finding.says, examples = addresses(finding.hosts) }
    end
  end
  return list
end

local function products_of(survey, hosts)
  local counts, list = {}, json.array()
  for _, host in ipairs(hosts) do
    local seen = {}
    for _, digest in pairs(survey.control[host.address] and {} or host.sessions) do
      local front = digest.fronts and digest.fronts[1]
      local name = digest.product or (front and front.name) or "unknown"
      if not seen[name] then counts[name], seen[name] = (counts[name] or 0) + 1, true end
    end
  end
  for name, count in pairs(counts) do list[#list + 1] = { product = name, hosts = count } end
  table.sort(list, function(a, b) return a.hosts > b.hosts or (a.hosts == b.hosts and a.product < b.product) end)
  return list
end

-- What could not be looked at, and would have told more.
local function unobserved(facts, hosts)
  local list, names = json.array(), 0
  for _, host in ipairs(hosts) do names = names + #host.names end
  if facts.answered > 0 and facts.compared == 0 then list[#list + 1] = "distance" end
  if facts.answered > 0 and names == 0 then list[#list + 1] = "names" end
  if facts.answered > 0 and not next(facts.survey.control) then list[#list + 1] = "control" end
  return list
end

local function note_accused(facts, hosts)
  for _, host in ipairs(hosts) do
    if not facts.accused[host.address] then facts.accused[host.address], facts.suspects = true, facts.suspects + 1 end
  end
end

local function collect(survey, catalogue)
  local facts = { survey = survey, answered = 0, compared = 0, hinted = 0, suspects = 0, accused = {} }
  local hosts = survey:hosts()
  for _, host in ipairs(hosts) do
    host.distance = distance.judge(host)
    if host.main and host.main.answered and not survey.control[host.address] then
      facts.answered = facts.answered + 1
      if (host.distance.at and host.distance.target) or host.distance.time then facts.compared = facts.compared + 1 end
    end
  end
  facts.cases, facts.networks = uniformity.judge(survey, hosts, catalogue)
  facts.explained = explain_hosts(hosts)
  facts.findings = evidence.gather({ survey = survey, hosts = hosts, groups = facts.cases, explained = facts.explained })
  facts.suspicion = evidence.combine(facts.findings)
  for _, finding in ipairs(facts.findings) do
    if evidence.KINDS[finding.kind].direct then note_accused(facts, finding.hosts) end
    if finding.kind == "ttl_hint" or finding.kind == "time_hint" then facts.hinted = facts.hinted + 1 end
  end
  facts.silence = silence.judge(survey, hosts)
  return facts, hosts
end

--- Judges a survey.
--
-- @param survey   deepid.survey
-- @param options  (optional) <code>catalogue</code>: another than what came with this module
-- @return the post-scan object of DESIGN.md, 'Output contract'; all texts printable
-- @return nil and a message when the catalogue cannot be read
function M.judge(survey, options)
  local catalogue, message = options and options.catalogue, nil
  if not catalogue then catalogue, message = catalogues.open() end
  if not catalogue then return nil, message end
  local facts, hosts = collect(survey, catalogue)
  local verdict, where, confidence = decide(facts)
  local quiet = facts.silence
  local object = {
    verdict = verdict, where = where, confidence = confidence, hosts_seen = facts.answered, networks = facts.networks,
    affected = verdict == "intercepted" and facts.suspects or nil,
    evidence = evidence_of(facts.findings), products = products_of(survey, hosts), groups = groups_of(facts.cases), explained = explained_of(facts, hosts),
    port_25 = { filtered = quiet.filtered, mail_elsewhere = quiet.witnesses, unrelated = quiet.networks, accepting = quiet.accepting,
      refused = quiet.refused, refused_by = quiet.refused_by, stops_at = quiet.stop and quiet.stop.at,
      stops_by = quiet.stop and quiet.stop.by, probability = quiet.witnesses > 0 and quiet.probability or nil },
    unobserved = unobserved(facts, hosts),
  }
  object.hosts, object.hosts_odd = odd_hosts(facts, verdict)
  object.advice = words.advice(object)
  return object
end

return M
