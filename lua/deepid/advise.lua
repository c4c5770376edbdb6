--- Planning by information: of the steps that may be asked, the one that best tells the remaining candidates apart.
--
-- A hypothesis is a product with one of its recorded versions; `nobody we know` is one more, and gives the answer of one that is known the
-- likelier the more give it, and nearly always where it gave the same to another step. A step is worth the expected fall of the uncertainty (in bits) about the product, plus half of that about the version, divided
-- by what it costs the server.

local steps = require "deepid.steps"

local M = {}

local MOST_CANDIDATES = 12
local PLAUSIBLE = 0.001 -- of the best candidate's probability
local WORTH_BITS, WORTH_UNSETTLED = 0.1, 0.02 -- at least; the less while nobody is likely
local LIKELY = 0.9
local VERSION_COUNTS = 0.5
local HEARD_AGAIN = 0.9 -- that who gave an answer to one step gives it to another that has the same of somebody known
local MOST_DOUBT = 4 -- how much likelier than all who are known nobody we know is taken for: else nothing were worth asking of whoever began unlike all

local function entropy(weights)
  local sum, bits = 0, 0
  for _, weight in pairs(weights) do sum = sum + weight end
  for _, weight in pairs(weights) do
    if weight > 0 then bits = bits - weight / sum * math.log(weight / sum, 2) end
  end
  return bits
end

-- The versions of a product that the answers so far allow; one nameless where none was recorded.
local function open_versions(model, product, tokens)
  local list = {}
  for _, version in ipairs(product.versions) do
    if not model:excluding(product, tokens, version) then list[#list + 1] = version end
  end
  return list[1] and list or { false }
end

-- What was heard in the place of an answer that a product gives, and never was heard: settings that change it in one step change it in all.
local function heard_instead(product, tokens, heard)
  local instead = {}
  for step, token in pairs(tokens) do
    local answers = product.steps[step]
    if answers and not answers[token] and step ~= "keywords" then
      for usual in pairs(answers) do
        if not heard[usual] and not (instead[usual] and instead[usual] < token) then instead[usual] = token end
      end
    end
  end
  return instead
end

-- `Nobody we know` is the last.
local function hypotheses(model, ranked, tokens, heard)
  local list, known = {}, 0
  for i = 1, math.min(MOST_CANDIDATES, #ranked) do
    local candidate = ranked[i]
    if candidate.p < PLAUSIBLE * ranked[1].p then break end
    local versions, instead = open_versions(model, candidate.product, tokens), heard_instead(candidate.product, tokens, heard)
    for _, version in ipairs(versions) do
      list[#list + 1] = { product = candidate.product, version = version, instead = instead, weight = candidate.p / #versions }
    end
    known = known + candidate.p
  end
  list[#list + 1] = { weight = math.min(math.max(1 - known, 0.001), MOST_DOUBT * known) }
  return list
end

-- The answers that a product in one of its versions may give to a step; nil where nothing is known.
local function answers_of(hypothesis, step)
  local answers, list, instead = hypothesis.product.steps[step], {}, hypothesis.instead
  if not answers then return nil end
  for token, answer in pairs(answers) do
    if not answer.excluded[hypothesis.version] then list[instead[token] or token] = true end
  end
  return next(list) and list or nil
end

local function count(set)
  local n = 0
  for _ in pairs(set) do n = n + 1 end
  return n
end

-- Uncertainty about the product, and half of that about the version beside it.
local function uncertainty(weights, list)
  local by_product = {}
  for i, weight in pairs(weights) do
    local product = list[i].product or false
    by_product[product] = (by_product[product] or 0) + weight
  end
  local product_bits = entropy(by_product)
  return product_bits + VERSION_COUNTS * (entropy(weights) - product_bits)
end

local function add(outcomes, token, i, weight)
  outcomes[token] = outcomes[token] or {}
  outcomes[token][i] = weight
end

-- Shares what weighs for `nobody we know`, the last hypothesis, among these outcomes and an answer of its own.
local function add_nobody(model, outcomes, list, heard)
  local chances, sum = {}, 0
  for token in pairs(outcomes) do
    chances[token] = heard[token] and HEARD_AGAIN or model:chance(token)
    sum = sum + chances[token]
  end
  local weight, scale = list[#list].weight, math.min(1, HEARD_AGAIN / sum)
  for token, chance in pairs(chances) do add(outcomes, token, #list, weight * chance * scale) end
  add(outcomes, false, #list, weight * (1 - sum * scale))
end

-- What is expected to be known after a step, in bits; hypotheses that were never asked it take no part.
local function gain(model, list, step, heard)
  local prior, outcomes, total, known = { [#list] = list[#list].weight }, {}, list[#list].weight, list[#list].weight
  for i = 1, #list - 1 do
    local weight, answers = list[i].weight, answers_of(list[i], step)
    total = total + weight
    if answers then
      known, prior[i] = known + weight, weight
      local share = weight / count(answers)
      for token in pairs(answers) do add(outcomes, token, i, share) end
    end
  end
  if not next(outcomes) then return 0 end
  add_nobody(model, outcomes, list, heard)
  local bits = uncertainty(prior, list)
  for _, weights in pairs(outcomes) do
    local sum = 0
    for _, weight in pairs(weights) do sum = sum + weight end
    bits = bits - sum / known * uncertainty(weights, list)
  end
  return bits * known / total
end

--- The step to ask next.
--
-- @param model   of deepid.dialects
-- @param tokens  the answers so far (deepid.behaviour)
-- @param names   array of the steps that may be asked
-- @param ranked  (optional) what <code>model:rank(tokens)</code> gave
-- @return its name, or nil when none is worth its cost
function M.choose(model, tokens, names, ranked)
  ranked = ranked or model:rank(tokens)
  if not ranked[1] then return nil end
  local heard, best, most = {}, nil, ranked[1].p < LIKELY and WORTH_UNSETTLED or WORTH_BITS
  for _, token in pairs(tokens) do heard[token] = true end
  local list = hypotheses(model, ranked, tokens, heard)
  for _, name in ipairs(names) do
    local worth = math.floor(1e6 * gain(model, list, name, heard) / (1 + 0.5 * steps.by_name[name].errors) + 0.5) / 1e6 -- whatever the order of the additions
    if worth > most then best, most = name, worth end
  end
  return best
end

return M
