--- What a server's behaviour adds to what it says of itself, or says against it.

local behaviour = require "deepid.behaviour"
local json = require "deepid.json"
local lazy = require "deepid.lazy"
local observations = require "deepid.observations"
local roles = require "deepid.roles"
local template = require "deepid.template"
local version = require "deepid.version"
local windows = require "deepid.window"
local advise = lazy "deepid.advise"
local dialects = lazy "deepid.dialects"

local M = {}

local NAMED = 0.9       -- the probability from which a product is named by behaviour alone
local FORGED_GAP = 8    -- how much better than the product that the greeting names another, or nobody we know, must explain the answers
local WELL_KNOWN = 10    -- recordings from which it is known how a product answers in most settings
local DENIED = 0.95     -- how sure it is that a product did not answer; it was never said of one that did (doc/accuracy.md)
local LEAST_ANSWERS = 2 -- distinct ones that must speak for a product
local MOST_EVIDENCE = 3
local KIN_ALIKE = 0.25  -- share of answers alike from which an unknown server's nearest kin is named
local MOST_SURE = 0.99
local MOST_READINGS = 200 -- kept at one time
local HINT = 0.5        -- the confidence of a text that many servers use

local add_once, show = observations.add_once, observations.show

-- Kinds of program that are no mail server's own voice, and the role of their entry in `front`.
local FRONT = { filter = "filter", screen = "screen", proxy = "proxy", blocker = "blocker" }
local WORDS = {
  library = "a library that programs build a server from: a test server, a small application or a decoy, rather than a mail server",
  tool = "a tool made for developers' tests, not a mail server",
  decoy = "a decoy, made to be attacked",
}

-- Exim and Exim smtpd, Dovecot and Dovecot LMTP are the same family.
local function is_kin(one, other) return one == other or one:find(other .. " ", 1, true) == 1 or other:find(one .. " ", 1, true) == 1 end

-- What programs say they are, and what answers in them.
local function is_built_on(knowledge, says, product)
  for name in pairs(knowledge.built_on[says] or {}) do
    if is_kin(name, product) then return true end
  end
  return false
end

-- The answers that speak most for a candidate, the best first; each distinct answer once.
local function best_answers(model, candidate, tokens)
  local list, seen = {}, {}
  local weights, matched = model:weigh(candidate, tokens)
  for step, weight in pairs(weights) do
    if matched[step] and weight > 0 then list[#list + 1] = { step = step, weight = weight } end
  end
  table.sort(list, function(a, b)
    if a.weight ~= b.weight then return a.weight > b.weight end
    return a.step < b.step
  end)
  local distinct = {}
  for _, answer in ipairs(list) do
    local token = tokens[answer.step]
    if not seen[token] then
      seen[token] = true
      distinct[#distinct + 1] = answer
    end
  end
  return distinct
end

-- The steps that those without a reply of their own are read from.
local READ_FROM = { keywords = "ehlo", refrain = "help" }

local function reply_of(transcript, name)
  if name == "keywords" then return reply_of(transcript, "ehlo") or reply_of(transcript, "lhlo") end
  name = READ_FROM[name] or name
  for _, step in ipairs(transcript.steps) do
    if step.step == name and step.reply ~= "" then return step.reply end
  end
end

-- One judgement under way: {result, knowledge, transcript, found, reading, tokens, ranked, candidate, answers}.

local function add_evidence(case, step, says)
  local reply = show(reply_of(case.transcript, step) or "")
  case.result.evidence[#case.result.evidence + 1] = { step = READ_FROM[step] or step, reply = reply, says = show(says) }
end

--- A range of versions in words.
function M.range(min, max)
  if min and max then return min == max and min or min .. " - " .. max end
  return min and min .. " or later" or max and max .. " or earlier" or "any version"
end

-- Narrows the version by what no answer excludes, and says which answers did it.
local function add_window(case)
  local identity, product = case.result.identity, case.candidate.product
  local known = case.reading.windows
  if known[product] == nil then known[product] = windows.of(case.knowledge.releases, case.knowledge.dialects, product, case.tokens) or false end
  local window = known[product]
  if not window then return end
  if identity.version then
    if windows.contains(window, identity.version) then return end
    local bound = window.below or window.above
    add_evidence(case, bound.step, ("not as %s %s answers; as %s"):format(product.name, identity.version, M.range(window.min, window.max)))
    add_once(case.result.advice, ("It says version %s and answers as %s: a changed greeting, or patches of its packager."):format(
      show(identity.version), M.range(window.min, window.max)))
    return
  end
  identity.version_min, identity.version_max = version.later(identity.version_min, window.min), version.earlier(identity.version_max, window.max)
  if window.below then add_evidence(case, window.below.step, ("%s %s or later: %s and earlier answer otherwise"):format(product.name, window.min, window.below.release)) end
  if window.above then add_evidence(case, window.above.step, ("%s %s or earlier: %s and later answer otherwise"):format(product.name, window.max, window.above.release)) end
end

local function add_answers(case, most)
  for i = 1, math.min(most, #case.answers) do
    add_evidence(case, case.answers[i].step, ("%s: answers so"):format(case.candidate.product.name))
  end
end

local function add_front(result, role, name, confidence, evidence)
  local front = { role = role, name = show(name), confidence = confidence, evidence = json.array() }
  for _, line in ipairs(evidence) do add_once(front.evidence, show(line)) end
  result.front[#result.front + 1] = front
  return front
end

local function quoted(case)
  local lines = {}
  for i = 1, math.min(MOST_EVIDENCE, #case.answers) do
    lines[i] = ("%s: %s"):format(case.answers[i].step, reply_of(case.transcript, case.answers[i].step) or "")
  end
  return lines
end

-- The product that the greeting names, or nil.
local function claim_of(hits)
  for _, hit in ipairs(hits) do
    local is_server = hit.step.step == "greeting" and hit.rule.role == "mta" and not hit.rule.soft
    if is_server and hit.fields.product then return hit.fields.product end
  end
end

-- The product that the greeting names and that does not answer so, or nil.
local function false_claim(case)
  local candidate, claims = case.candidate, claim_of(case.found)
  local name = candidate.product.name
  if not claims or is_kin(claims, name) or is_built_on(case.knowledge, claims, name) then return nil end
  for _, other in ipairs(case.ranked) do
    if is_kin(other.product.name, claims) and candidate.score - other.score < FORGED_GAP then return nil end
  end
  return claims
end

-- The distinct answers to commands that a candidate was never heard to give, a step of each.
local function never_heard(case, candidate)
  local list, seen = {}, {}
  local _, matched = case.knowledge.dialects:weigh(candidate, case.tokens)
  for step, is_known in pairs(matched) do
    if is_known then seen[case.tokens[step]] = true end
  end
  for step in pairs(matched) do
    local token = case.tokens[step]
    if not seen[token] and step ~= "keywords" then seen[token], list[#list + 1] = true, step end
  end
  table.sort(list)
  return list
end

-- The product that the greeting names, where nobody is known to answer so, but that it is not this one: with the answers that say so.
local function denied_claim(case)
  local claims, strange = claim_of(case.found), nil
  if not claims then return nil end
  for _, other in ipairs(case.ranked) do
    local name = other.product.name
    if is_kin(name, claims) or is_built_on(case.knowledge, claims, name) then
      if dialects.UNKNOWN - other.score < FORGED_GAP then return nil end
      if other.product.heard >= WELL_KNOWN then strange = never_heard(case, other) end
    end
  end
  if strange and #strange > LEAST_ANSWERS then return claims, strange end
end

-- What the rules of a product call it in CPE, without a version; some tell of a system as well, which is not known here.
local function cpe_of(knowledge, product)
  for _, rule in ipairs(knowledge.rules) do
    local fields = rule.fields and rule.fields.p and rule.fields.cpe[1] and template.expand_fields(rule.fields, {})
    for _, cpe in ipairs(fields and fields.product == product and fields.cpe or {}) do
      if cpe:find("^cpe:/a:") then return json.array { show(cpe) } end
    end
  end
  return json.array()
end

-- It says one thing and answers as another: a changed greeting, a gateway, or a decoy.
--
-- @param says   the product that it claims to be
-- @param front  what the rules found in front and is the same program, or nil
local function contradict(case, says, front)
  local result, product, sure = case.result, case.candidate.product, case.candidate.p
  local is_decoy = WORDS[product.kind] ~= nil
  local evidence = quoted(case)
  table.insert(evidence, 1, "greeting: " .. (reply_of(case.transcript, "greeting") or ""))
  front = front or add_front(result, is_decoy and "decoy" or "rewriter", is_decoy and product.name or "changed greeting", sure, evidence)
  front.claims = says
  front.reason = is_decoy and ("says %s, and answers as %s, %s"):format(says, product.name, WORDS[product.kind])
    or ("says %s, and answers as %s: the greeting was changed, or a gateway stands before %s"):format(says, product.name, says)
  local identity = { product = product.name, hostname = result.identity.hostname, cpe = cpe_of(case.knowledge, product.name), basis = "behaves", confidence = sure }
  result.identity = identity
  windows.narrow_by_rules(identity, case.found)
  add_answers(case, MOST_EVIDENCE)
  add_window(case)
  add_once(result.advice, is_decoy and "Take nothing that it says for a mail server's word."
    or "Its greeting and its answers name two products: trust the answers, and compare the certificate and the other mail ports.")
end

-- Nobody is known to answer so, but it may be known that this is not what the greeting names.
local function deny_claim(case)
  local says, strange = denied_claim(case)
  if not says then return end
  local result, evidence = case.result, { "greeting: " .. (reply_of(case.transcript, "greeting") or "") }
  for i = 1, math.min(MOST_EVIDENCE, #strange) do
    evidence[i + 1] = ("%s: %s"):format(strange[i], reply_of(case.transcript, strange[i]) or "")
    add_evidence(case, strange[i], ("%s was never heard to answer so"):format(says))
  end
  local front = add_front(result, "rewriter", "changed greeting", DENIED, evidence)
  front.claims = says
  front.reason = ("says %s, and answers as that never did: the greeting was changed, or a gateway stands before %s"):format(says, says)
  result.identity = { cpe = json.array() }
  add_once(result.advice, "What its greeting names does not answer so: compare the certificate and the other mail ports.")
  return says
end

local function agree(case)
  local identity = case.result.identity
  if identity.basis == "says" then identity.basis = "both" end
  identity.confidence = math.min(MOST_SURE, 1 - (1 - identity.confidence) * (1 - case.candidate.p))
  add_answers(case, 1)
  add_window(case)
end

local function name_alone(case)
  local result, product, sure = case.result, case.candidate.product, case.candidate.p
  local identity, role = result.identity, FRONT[product.kind]
  add_answers(case, MOST_EVIDENCE)
  if role then
    add_front(result, role, product.name, sure, quoted(case))
    return
  end
  identity.product, identity.basis, identity.confidence = product.name, "behaves", sure
  identity.cpe = cpe_of(case.knowledge, product.name)
  if product.kind == "decoy" then add_front(result, "decoy", product.name, sure, quoted(case)) end
  if WORDS[product.kind] then add_once(result.advice, ("%s is %s."):format(product.name, WORDS[product.kind])) end
  add_window(case)
end

-- Nobody we know: the product that answers most alike, where there is one.
local function add_kin(case)
  local asked, best, most = 0, nil, 0
  for _ in pairs(case.tokens) do asked = asked + 1 end
  for _, candidate in ipairs(case.ranked) do
    local alike, _, matched = 0, case.knowledge.dialects:weigh(candidate, case.tokens)
    for _, is_known in pairs(matched) do alike = alike + (is_known and 1 or 0) end
    if alike > most then best, most = candidate, alike end
  end
  if best and best.score > 0 and most >= KIN_ALIKE * asked and most > LEAST_ANSWERS then
    case.result.identity.kin = { product = best.product.name, alike = most, asked = asked }
  end
end

local function add_passed_through(case)
  local front, names, result = case.candidate.front, case.candidate.fronts, case.result
  for _, known in ipairs(result.front) do
    for _, name in ipairs(names) do
      if is_kin(known.name:lower(), name:lower()) then return end
    end
  end
  local lines, _, _, own = {}, case.knowledge.dialects:weigh(case.candidate, case.tokens)
  for step in pairs(own) do lines[#lines + 1] = ("%s: %s"):format(step, reply_of(case.transcript, step) or "") end
  table.sort(lines)
  add_front(result, FRONT[front.kind] or "proxy", table.concat(names, " or "), case.candidate.p, lines)
end

-- Whether it is one of those through which servers were recorded, so that it is known what it answers itself.
local function passes_on(knowledge, front)
  for _, known in ipairs(knowledge.dialects.fronts) do
    if is_kin(front.name:lower(), known.name:lower()) then return true end
  end
  return false
end

-- What the rules found that answers in the server's place: then the answers are its own.
local function answering_front(result, knowledge)
  for _, front in ipairs(result.front) do
    local answers = roles.ANSWERS_ITSELF[front.role] or front.role == "screen"
    if answers and not passes_on(knowledge, front) then return front end
  end
end

-- Hints by a text that many use give way to what the answers say.
local function drop_hints(result, product)
  for i = #result.front, 1, -1 do
    local front = result.front[i]
    if front.confidence <= HINT and not is_kin(front.name, product) then table.remove(result.front, i) end
  end
  local identity = result.identity
  if identity.product and identity.confidence <= HINT and not is_kin(identity.product, product) then
    result.identity = { hostname = identity.hostname, cpe = json.array() }
  end
end

local function key_of(tokens)
  local parts = {}
  for step, token in pairs(tokens) do parts[#parts + 1] = step .. "\0" .. token end
  table.sort(parts)
  return table.concat(parts, "\0")
end

-- Readings by their tokens, for each model: servers of one kind answer alike, and what that means is then worked out once.
local READINGS = setmetatable({}, { __mode = "k" })

local function new_reading(tokens, ranked)
  local own = {}
  for step, token in pairs(tokens) do own[step] = token end
  return { tokens = own, ranked = ranked, windows = {}, chosen = {}, errors = {}, settled = { count = 0 } }
end

--- How a server answers, and who answers so.
--
-- @param reader  (optional) <code>behaviour.reader</code>, which read the transcript when it was shorter
-- @return table {tokens (deepid.behaviour), ranked (deepid.dialects), windows (by product), chosen (by the steps to choose from), errors (by what is
--   usual), settled (for whoever asks whether this is enough)}
function M.read(knowledge, transcript, reader)
  local tokens, model = (reader or behaviour.reader()):read(transcript), nil
  if next(tokens) then model = knowledge.dialects end
  if not model then return new_reading(tokens, {}) end
  local known = READINGS[model]
  if not known or known.count >= MOST_READINGS then
    known = { count = 0 }
    READINGS[model] = known
  end
  local key = key_of(tokens)
  if not known[key] then known[key], known.count = new_reading(tokens, model:rank(tokens)), known.count + 1 end
  return known[key]
end

--- Weighs what was said and how it was answered.
--
-- @param result      port result, with what the rules found; changed
-- @param knowledge   with <code>dialects</code>, <code>releases</code>, <code>built_on</code>
-- @param transcript  see DESIGN.md
-- @param found       array of the hits that name a server
-- @param reading     (optional) what <code>M.read</code> gave
-- @return the product that the greeting names, where it is not what answers and nobody is known to answer so: then the identity is blank
function M.add(result, knowledge, transcript, found, reading)
  reading = reading or M.read(knowledge, transcript)
  local tokens, ranked = reading.tokens, reading.ranked
  local candidate = ranked[1]
  if not candidate then return end
  local answers = best_answers(knowledge.dialects, candidate, tokens)
  local case = { result = result, knowledge = knowledge, transcript = transcript, found = found, tokens = tokens, ranked = ranked,
    candidate = candidate, answers = answers, reading = reading }
  if candidate.p < NAMED or #answers < LEAST_ANSWERS then
    local denied = not answering_front(result, knowledge) and deny_claim(case) or nil
    if not result.identity.product and (denied or #result.front == 0) then add_kin(case) end
    return denied
  end
  local name = candidate.product.name
  drop_hints(result, name)
  if candidate.front then add_passed_through(case) end
  local front = answering_front(result, knowledge)
  local is_other = front and not is_kin(front.name, name) and not is_built_on(knowledge, front.name, name)
  if is_other or FRONT[candidate.product.kind] and result.identity.product then return end
  local claims = false_claim(case)
  if claims then
    contradict(case, claims, front)
  elseif front then
    return
  elseif not result.identity.product then
    name_alone(case)
  elseif is_kin(result.identity.product, name) then
    agree(case)
  elseif candidate.product.kind == "decoy" and is_built_on(knowledge, name, result.identity.product) then
    -- The words are those of a library that decoys are built on.
    result.identity = { hostname = result.identity.hostname, cpe = json.array() }
    name_alone(case)
  end
end

--- The step that tells most of those that may be asked next; nil when none is worth its cost.
function M.choose(knowledge, reading, names)
  local chosen, key = reading.chosen, table.concat(names, " ")
  if chosen[key] == nil then chosen[key] = advise.choose(knowledge.dialects, reading.tokens, names, reading.ranked) or false end
  return chosen[key] or nil
end

local LIKELY = 0.05
local SEEN_TO_BEAR = 30 -- errors that the recorder asks for, in search of the limit

-- One error less than makes any likely candidate hang up, the one that nobody knows among them. Who is named by the greeting is likely, unless its answers deny it.
local function bearable(ranked, usual, named)
  local allowed, unknown, is_known = SEEN_TO_BEAR - 1, 1, false
  for _, candidate in ipairs(ranked) do
    local is_named = named and is_kin(candidate.product.name, named) and candidate.score > dialects.UNKNOWN - FORGED_GAP
    unknown, is_known = unknown - candidate.p, is_known or is_named
    if is_named or candidate.p > LIKELY then allowed = math.min(allowed, (candidate.product.limit or SEEN_TO_BEAR) - 1) end
  end
  if unknown > LIKELY and not is_known then allowed = math.min(allowed, usual) end
  return math.max(allowed, 1)
end

--- How many errors the server may be asked for on one connection.
-- @param usual  what a server that nobody knows is asked for
-- @param hits   (optional) of the rules that match
function M.errors(reading, usual, hits)
  local named = claim_of(hits or {})
  local known, key = reading.errors, usual .. " " .. (named or "")
  known[key] = known[key] or bearable(reading.ranked, usual, named)
  return known[key]
end

return M
