--- From a survey to the verdict of the scan: one function, the same live and from a saved file.

local crowds = require "deepid.crowd"
local distance = require "deepid.distance"
local escape = require "deepid.escape"
local evidence = require "deepid.evidence"
local fronts = require "deepid.fronts"
local json = require "deepid.json"
local lazy = require "deepid.lazy"
local network = require "deepid.network"
local next_steps = require "deepid.next_steps"
local odds = require "deepid.odd"
local silence = require "deepid.silence"
local uniformity = require "deepid.uniformity"
local catalogues, explain = lazy "deepid.catalogue", lazy "deepid.explain"

local M = {}

local MOST_GROUPS, MOST_EXAMPLES, SHOWN = 100, 3, 120

-- The probability that is sure enough to accuse something of answering in a target's place.
local SURE = 0.9

-- Confidence where it is not the evidence's own: from the reliability table in doc/uniformity.md.
local CONFIDENCE = { unrelated = 0.98, one_network = 0.9, blocked = 0.95, traced = 0.98, normal = 0.95, normal_by_path = 0.98 }

local function show(bytes) return escape.visible(bytes, SHOWN) end

-- Notes a distance that differs and is innocent, or a silent open port, by the explanation's name.
-- @return whether there is one
local function explain_host(facts, host)
  local is_silent = not (host.main and host.main.answered)
  if not is_silent and host.distance.at == host.distance.target then return false end
  local name, says = explain.host({ host = host, distance = host.distance })
  if not name then return false end
  local one = facts.explained[name] or { name = name, says = says, crowd = crowds.new() }
  facts.explained[name] = one
  one.crowd:add(host)
  return true
end

-- The same without the hosts that are accused.
local function explained_of(facts)
  local list = json.array()
  for name, found in pairs(facts.explained) do
    local one = { name = name, says = found.says, hosts = found.crowd.count - found.crowd:common(facts.accused), examples = json.array() }
    for _, host in ipairs(found.crowd.first) do
      if #one.examples < MOST_EXAMPLES and not facts.accused:has(host) then table.insert(one.examples, host.address) end
    end
    if one.hosts > 0 then list[#list + 1] = one end
  end
  table.sort(list, function(x, y) return x.name < y.name end)
  return list
end

local function group_of(case)
  return {
    key = show(case.key), kind = case.kind, hosts = case.hosts, networks = case.networks, unrelated = case.observed, needed = case.needed,
    expected = case.expected, probability = case.probability, explanation = case.explanation, words = case.words,
    surprising = case.fires, judged = case.judged, examples = json.array(table.move(case.examples, 1, #case.examples, 1, {})),
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
  if facts.suspicion >= 0.5 and facts.accused.count * 2 >= facts.answered then return true end
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

local function evidence_of(findings)
  local list = json.array()
  for i, finding in ipairs(findings) do
    list[i] = { kind = finding.kind, weight = finding.weight, where = finding.where, hosts = finding.count, says = finding.says,
      examples = json.array(finding.examples) }
  end
  return list
end

local function name_of(digest)
  local front = digest.fronts and digest.fronts[1]
  return digest.product or (front and front.name) or "unknown"
end

local function add_one(counts, name) counts[name] = (counts[name] or 0) + 1 end

-- Adds a host's products to the counts, each once.
local function count_products(counts, host)
  if host.greets_only then return add_one(counts, name_of(host.main)) end
  local seen = {}
  for _, digest in pairs(host.sessions) do seen[name_of(digest)] = true end
  for name in pairs(seen) do add_one(counts, name) end
end

local function products_of(counts)
  local list = json.array()
  for name, count in pairs(counts) do list[#list + 1] = { product = name, hosts = count } end
  table.sort(list, function(a, b) return a.hosts > b.hosts or (a.hosts == b.hosts and a.product < b.product) end)
  return list
end

-- What could not be looked at, and would have told more.
local function unobserved(facts)
  local list = json.array()
  if facts.answered > 0 and facts.compared == 0 then list[#list + 1] = "distance" end
  if facts.answered > 0 and facts.named == 0 then list[#list + 1] = "names" end
  if facts.answered > 0 and not next(facts.survey.control) then list[#list + 1] = "control" end
  return list
end

local function look_at(facts, watches, host)
  local is_control = facts.survey.control[host.address]
  host.distance = distance.judge(host)
  if host.main and host.main.answered and not is_control then
    facts.answered = facts.answered + 1
    if (host.distance.at and host.distance.target) or host.distance.time then facts.compared = facts.compared + 1 end
  end
  facts.named = facts.named + #host.names
  facts.is_traced = facts.is_traced or host.distance.traced or host.path ~= nil and host.path.hops ~= nil
  if is_control then
    facts.controls:add(host)
  else
    count_products(facts.products, host)
    watches.fronts:see(host)
  end
  watches.evidence:see(host, not host.greets_only and explain_host(facts, host))
  watches.uniformity:see(host)
  watches.silence:see(host)
end

-- Goes over all hosts once; what it keeps of them are counts, and those whose path was measured. Of lone greetings, which may be millions,
-- the core keeps the counts, and shows those alone that something stands in front of.
local function look(facts, watches)
  local names = {}
  local options = watches.uniformity:of_sweep()
  options.named = function(named, number)
    names[number] = name_of(named)
    return #named.fronts > 0
  end
  options.network = function(address, count)
    local large = network.of(address)
    watches.uniformity:see_greetings(large, count)
    watches.silence:see_greetings(large, count)
  end
  local hosts, sweep = facts.survey:sweep(options)
  for host in hosts do
    if host.counted then
      watches.fronts:see(host)
      watches.evidence:see(host)
    else
      look_at(facts, watches, host)
    end
  end
  for number, count in ipairs(sweep:counts()) do
    facts.answered = facts.answered + count
    facts.products[names[number]] = (facts.products[names[number]] or 0) + count
  end
end

-- What is common by itself: read when first hosts are alike.
local COMMON = setmetatable({}, { __index = function(_, key)
  local catalogue, message = catalogues.open()
  if not catalogue then error({ says = message }, 0) end
  return catalogue[key]
end })

-- Direct findings first, so that the groups' hosts can be held against those that they accuse; then what is odd about one host.
local function collect(survey, catalogue)
  local facts = { survey = survey, answered = 0, compared = 0, named = 0, products = {}, explained = {}, accused = crowds.new(), alike = crowds.new(), controls = crowds.new(), odd = odds.new() }
  local watches = { evidence = evidence.watch(survey), uniformity = uniformity.watch(survey, catalogue), silence = silence.watch(survey),
    fronts = fronts.watch() }
  look(facts, watches)
  facts.findings, facts.hinted = watches.evidence:findings(), watches.evidence.hinted
  for _, finding in ipairs(facts.findings) do
    facts.accused:join(finding.crowd)
    facts.odd:say_all(finding.crowd, "accused", finding.says)
  end
  facts.cases, facts.networks, facts.left = watches.uniformity:judge(function(case, hosts)
    local finding = evidence.of_group(case, hosts, facts.accused)
    facts.findings[#facts.findings + 1] = finding
    facts.odd:say_all(finding.crowd, "uniform", finding.says)
    facts.alike:join(finding.crowd)
    facts.sampled = facts.sampled or case.judged
    finding.crowd = nil -- there may be many of them
  end)
  for _, hint in ipairs(watches.evidence.hints) do facts.odd:say(hint.address, "insufficient", hint.says) end
  facts.odd.all:join(watches.evidence.odd)
  facts.suspicion, facts.silence = evidence.combine(facts.findings), watches.silence:judge()
  facts.fronts, facts.changed = watches.fronts:found(facts.accused)
  return facts
end

-- What the core says of a disk that is full or broken is for the user, and that the catalogue cannot be read; anything else is a mistake of ours.
local function trouble(problem)
  if type(problem) == "table" then return problem end
  local says = tostring(problem):match("cannot [%l ]+ a temporary file in .*")
  return { says = says and says .. "; with TMPDIR=FOLDER another folder is used", problem = debug.traceback(problem, 2) }
end

-- How many targets the verdict is about; nil where it is about all, or not all of those that are alike were looked at.
local function affected(facts, verdict)
  if verdict == "intercepted" then return facts.accused.count - facts.accused:common(facts.controls) end
  if verdict == "uniform" and not facts.sampled then return facts.alike.count end
end

local function port_25(quiet)
  return { filtered = quiet.filtered, mail_elsewhere = quiet.witnesses, unrelated = quiet.networks, accepting = quiet.accepting,
    refused = quiet.refused, refused_by = quiet.refused_by, stops_at = quiet.stop and quiet.stop.at,
    stops_by = quiet.stop and quiet.stop.by, probability = quiet.witnesses > 0 and quiet.probability or nil }
end

--- Judges a survey.
--
-- @param survey   deepid.survey
-- @param options  (optional) <code>catalogue</code>: another than what came with this module
-- @return the post-scan object of DESIGN.md, 'Output contract'; all texts printable
-- @return nil and a message when the catalogue cannot be read, or the disk fails that the survey is on
function M.judge(survey, options)
  local ok, facts = xpcall(collect, trouble, survey, options and options.catalogue or COMMON)
  if not ok and facts.says then return nil, facts.says end
  if not ok then error(facts.problem, 0) end
  local verdict, where, confidence = decide(facts)
  if verdict == "blocked" then facts.odd:say_all(facts.silence.crowd, "blocked", "port 25 is silent, and the host offers mail") end
  local object = {
    verdict = verdict, where = where, confidence = confidence, hosts_seen = facts.answered, networks = facts.networks,
    affected = affected(facts, verdict), changed = verdict == "intercepted" and facts.changed > 0 and facts.changed or nil,
    evidence = evidence_of(facts.findings), fronts = facts.fronts, products = products_of(facts.products), groups = groups_of(facts.cases), explained = explained_of(facts),
    groups_left = facts.left > 0 and facts.left or nil, port_25 = port_25(facts.silence), unobserved = unobserved(facts),
  }
  object.hosts, object.hosts_odd = facts.odd:list(verdict == "intercepted")
  object.advice = next_steps.of(object, facts.is_traced)
  return object
end

return M
