--- From a transcript to a port result: identity, front, inner, evidence, advice.

local behaviour = require "deepid.behaviour"
local json = require "deepid.json"
local lazy = require "deepid.lazy"
local observations = require "deepid.observations"
local roles = require "deepid.roles"
local signatures = require "deepid.signatures"
local template = require "deepid.template"
local windows = require "deepid.window"
local behaves, builds, second_opinion = lazy "deepid.behaves", lazy "deepid.builds", lazy "deepid.second_opinion"

local M = {}

-- The probability of being right where a rule states none of its own. Priors,
-- not yet measured: a text that names the product may be forged or borrowed,
-- two steps that agree rarely are.
local CONFIDENCE = { one_step = 0.9, agreeing = 0.97, hint = 0.5, contradicted = 0.5, second_opinion = 0.7 }

local MOST_LEVELS = 2 -- of servers behind servers
local IDENTITY = { "product", "version", "info", "os", "device", "hostname", "service" }

local add_once, show = observations.add_once, observations.show

-- The hits of each role: the firm ones, and where there is none the soft ones.
local function by_role(hits)
  local firm, soft = {}, {}
  for _, hit in ipairs(hits) do
    local lists, role = hit.rule.soft and soft or firm, hit.rule.role
    lists[role] = lists[role] or {}
    table.insert(lists[role], hit)
  end
  return setmetatable(firm, { __index = soft })
end

-- Takes over what the first hit says, and from later ones that name the same
-- product what is still missing.
local function merge_fields(identity, found)
  for _, hit in ipairs(found) do
    if hit.fields.product == identity.product then
      for _, name in ipairs(IDENTITY) do
        identity[name] = identity[name] or show(hit.fields[name])
      end
      if #identity.cpe == 0 or hit.fields.version then
        for _, cpe in ipairs(hit.fields.cpe) do add_once(identity.cpe, cpe) end
      end
    end
  end
end

local function basis_of(identity, found)
  local bases = {}
  for _, hit in ipairs(found) do
    if hit.fields.product == identity.product then bases[hit.rule.basis or "says"] = true end
  end
  return bases.says and bases.behaves and "both" or bases.behaves and "behaves" or "says"
end

-- How sure: by the number of steps that agree, and whether any disagrees.
local function confidence_of(identity, found)
  local first, steps, agreeing = found[1], {}, 0
  for _, hit in ipairs(found) do
    if hit.fields.product ~= identity.product then return CONFIDENCE.contradicted end
    if not steps[hit.step.step] then
      steps[hit.step.step] = true
      agreeing = agreeing + 1
    end
  end
  if first.rule.soft then return first.rule.confidence or CONFIDENCE.hint end
  return math.max(first.rule.confidence or CONFIDENCE.one_step, agreeing > 1 and CONFIDENCE.agreeing or 0)
end

local function build_identity(found)
  local identity = { cpe = json.array() }
  if #found == 0 then return identity end
  identity.product = show(found[1].fields.product)
  merge_fields(identity, found)
  if not identity.version then windows.narrow_by_rules(identity, found) end
  identity.basis = basis_of(identity, found)
  identity.confidence = confidence_of(identity, found)
  return identity
end

-- What the vendor calls a version that is a build, and the Windows that it or an NTLM challenge belongs to.
local function name_build(identity, ntlm, tables)
  if not tables then return end
  local said = identity.product and identity.product:find("^Microsoft ") and identity.version
  if said then identity.release = builds.exchange(tables, said) end
  if identity.os and identity.os ~= "Windows" then return end
  local edition = said and builds.windows(tables, said) or ntlm and ntlm.version and builds.windows(tables, ntlm.version)
  identity.os = edition or identity.os
end

local function describe(fields)
  return table.concat({ fields.product or "?", fields.version }, " ")
end

local function add_evidence(result, hit, says)
  result.evidence[#result.evidence + 1] = { step = hit.step.step, reply = show(hit.step.reply), says = show(says) }
end

local function advice_of(hit)
  return hit.rule.advice and show(template.expand(hit.rule.advice, hit.captures))
end

local function quoted(hit, key)
  local group = hit.rule[key]
  return group and hit.captures[group] and show(hit.captures[group]) or nil
end

-- One entry of `front`: all hits of one role that name the same product.
local function build_front(role, found)
  local first = found[1]
  local front = { role = role, name = show(first.fields.product), version = show(first.fields.version),
    info = show(first.fields.info), device = show(first.fields.device), evidence = json.array() }
  front.confidence = first.rule.confidence or (first.rule.soft and CONFIDENCE.hint) or CONFIDENCE.one_step
  for _, hit in ipairs(found) do
    if hit.fields.product == first.fields.product then
      front.reason = front.reason or quoted(hit, "quote")
      front.list = front.list or quoted(hit, "list")
      front.advice = front.advice or advice_of(hit)
      front.hostname = front.hostname or show(hit.fields.hostname)
      add_once(front.evidence, hit.step.step .. ": " .. show(hit.step.reply))
    end
  end
  return front
end

local function add_fronts(result, roles_found)
  for _, role in ipairs(M.FRONT_ROLES) do
    local found = roles_found[role]
    if found then
      result.front[#result.front + 1] = build_front(role, found)
      for _, hit in ipairs(found) do add_evidence(result, hit, role .. ": " .. describe(hit.fields)) end
    end
  end
end

local function add_eggs(result, hits)
  for _, hit in ipairs(hits) do
    local egg = hit.rule.egg and template.expand(hit.rule.egg, hit.captures)
    if egg then
      add_once(result.easter_eggs, ("%s: %s"):format(hit.step.step, show(egg)))
      if hit.rule.role == "note" then add_evidence(result, hit, "Easter egg") end
    end
  end
end

-- The greeting of a server behind, as a transcript of its own.
local function inner_transcript(greeting)
  if not greeting:find("^%d%d%d[ -]") then greeting = "220 " .. greeting end
  return { steps = { { step = "greeting", sent = "", reply = greeting .. "\r\n", ["end"] = "reply" } } }
end

local function build_inner(knowledge, hits, level)
  if level >= MOST_LEVELS then return nil end
  for _, hit in ipairs(hits) do
    local greeting = hit.rule.inner and hit.captures[hit.rule.inner]
    if greeting then
      local result = M.identify(knowledge, inner_transcript(greeting), { level = level + 1 })
      local inner = { greeting = show(greeting), inner = result.inner }
      for _, name in ipairs(IDENTITY) do inner[name] = result.identity[name] end
      if not inner.product and result.front[1] then inner.product = result.front[1].name end
      return inner
    end
  end
end

-- The first, most specific advice of each front and about the server, then all that
-- hangs on no product.
local function add_advice(result, hits, found, contradicted)
  for _, front in ipairs(result.front) do
    if front.advice then add_once(result.advice, front.advice) end
  end
  local about_server
  for _, hit in ipairs(found) do about_server = about_server or advice_of(hit) end
  if about_server then add_once(result.advice, about_server) end
  for _, hit in ipairs(hits) do
    local advice = hit.rule.role == "note" and advice_of(hit)
    if advice then add_once(result.advice, advice) end
  end
  if contradicted then
    add_once(result.advice, "Its replies name more than one product; a proxy, a changed banner or a decoy is possible. Scan with smtp-deepid.depth=full.")
  end
end

-- Whether a front already says which product is claimed and which answers.
local function is_told(result)
  for _, front in ipairs(result.front) do
    if front.claims then return true end
  end
  return false
end

local function use_second_opinion(result, opinion, transcript)
  local hit = opinion and not result.identity.product and #result.front == 0 and second_opinion.ask(opinion, transcript)
  if not hit then return end
  for _, name in ipairs(IDENTITY) do result.identity[name] = result.identity[name] or show(hit.fields[name]) end
  for _, cpe in ipairs(hit.fields.cpe) do add_once(result.identity.cpe, cpe) end
  result.identity.basis, result.identity.confidence = "says", CONFIDENCE.second_opinion
  add_evidence(result, hit, describe(hit.fields) .. " (second opinion: nmap-service-probes line " .. hit.line .. ")")
end

--- Roles that stand in front of a server, in the order of the report.
M.FRONT_ROLES = { "interceptor", "blocker", "screen", "proxy", "filter", "rewriter", "tarpit", "decoy", "backdoor" }

local function add_names(result, transcript)
  for _, front in ipairs(result.front) do
    if roles.ANSWERS_ITSELF[front.role] then return end
  end
  result.identity.hostname = result.identity.hostname or observations.announced_domain(transcript)
  observations.add_leaks(result, transcript)
end

-- Those that do not name a product that is not the one that answers.
local function others(found, denied)
  local list = {}
  for _, hit in ipairs(found) do
    if hit.fields.product ~= denied then list[#list + 1] = hit end
  end
  return list
end

-- Weighs what was said and how it was answered. Where that is not what the greeting names, the server is what its other replies name.
local function add_behaviour(result, knowledge, transcript, found, reading)
  local denied = behaves.add(result, knowledge, transcript, found, reading)
  if not denied then return end
  local identity = build_identity(others(found, denied))
  identity.kin = not identity.product and result.identity.kin or nil
  result.identity = identity
end

-- Whether there is an answer that behaviour could be read from.
local function is_asked(transcript)
  for _, step in ipairs(transcript.steps) do
    if behaviour.is_told(step) then return true end
  end
  return false
end

--- Judges one transcript.
--
-- @param knowledge   from <code>knowledge.load</code>
-- @param transcript  see DESIGN.md; not changed
-- @param options     (optional) second_opinion: as <code>second_opinion.ask</code> takes it;
-- level: how many servers this one stands behind; reader: <code>signatures.reader</code>, which read the transcript when it was shorter;
-- reading: what <code>behaves.read</code> gave for this transcript; only_who: identity and front are enough
-- @return port result, see DESIGN.md "Output contract"; all texts printable
function M.identify(knowledge, transcript, options)
  options = options or {}
  local hits, skipped = (options.reader or signatures.reader(knowledge.steps)):hits(transcript)
  local result = options.only_who and observations.blank_result(transcript) or observations.new_result(transcript)
  local roles_found = by_role(hits)
  local found, contradicted = roles_found.mta or {}, nil
  result.identity = build_identity(found)
  for _, hit in ipairs(found) do
    add_evidence(result, hit, describe(hit.fields))
    contradicted = contradicted or hit.fields.product ~= found[1].fields.product
  end
  add_fronts(result, roles_found)
  if not options.level and is_asked(transcript) then add_behaviour(result, knowledge, transcript, found, options.reading) end
  name_build(result.identity, result.ntlm, knowledge.builds)
  if options.only_who then return result end
  result.inner = build_inner(knowledge, hits, options.level or 0)
  add_eggs(result, hits)
  for _, what in ipairs(skipped) do add_once(result.unobserved, show(what) .. " (not matched)") end
  use_second_opinion(result, options.second_opinion, transcript)
  add_names(result, transcript)
  add_advice(result, hits, found, contradicted and not is_told(result))
  return result
end

return M
