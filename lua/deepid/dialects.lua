--- Dialects: what a transcript's answers say, against the table of how products answer (deepid.dialect_table).
--
-- The likelihood of a product: each distinct answer counts once for it and once against it, since one setting or one piece of
-- code often speaks in many steps. An answer that the product is known to give counts by how few others give it; one that it was
-- not seen to give costs SURPRISE, since settings change answers, or less where it says so elsewhere; a step that was never recorded says nothing. `unknown` is a
-- candidate like others, with nothing for or against it.
--
-- Then there are relatives that nobody recorded: forks, libraries written in another's place, fronts in the words of the server behind. All that speaks for
-- the product speaks for them. What tells them from it is the share of distinct answers that it was never heard to give (`is_itself`).

local memo = require "deepid.memo"
local version = require "deepid.version"

local M = {}

-- Fitted by `make accuracy` on releases, settings and products left out (doc/accuracy.md).
M.SURPRISE = math.log(0.08)
M.TEMPER = 0.5
M.UNKNOWN = math.log(30)
M.FRONT = -3
M.MOST_SURE = 0.99 -- products that nobody recorded copy each other's texts
M.PLAIN, M.WORD, M.MOST_WORDS = 0.8, 0.1, 7
-- Unheard answers of a product itself: some 1 in 20, or 1 in 60 where twelve recordings and more were made of it, and far more of a few settings.
M.UNHEARD, M.HEARD, M.HEARD_WELL, M.WELL = 0.25, 4.5, 15.5, 12
M.OTHER_PROTOCOL = 0.1 -- how likely a program of the same words speaks LMTP as well as SMTP, compared with one that was heard to
-- How much likelier than a relative it is before anything was asked; where it is known to say another's words itself, and few recordings tell what it varies.
M.ITSELF, M.ITSELF_COPY = math.log(40), math.log(7)

local HELLO = { ehlo = true, helo = true, lhlo = true }

local MOST_COLUMNS = 500

-- What settings change tells little of whether it is the product itself or a relative: 9 in 100 left out were never heard to say what they say to EHLO, and 11 in 100 of
-- their relatives; to HELP 5 and 59.
local SETTING = { ehlo = true, lhlo = true, helo = true, keywords = true, starttls = true }

local Model = {}
Model.__index = Model

--- Makes a model of what was read or packed of one.
function M.attach(model) return setmetatable(model, Model) end

-- How much an answer counts for whoever is known to give it, when these of all do: the fewer, and the more words of it somebody else
-- would have had to choose alike, the more.
local function weight(model, owners, token)
  local chosen, count = 0, utf8.len(owners)
  for _ in token:gmatch("%f[%w]%l%l+") do chosen = chosen + 1 end
  return math.log((#model.products + #model.fronts + 1) / count) * (M.PLAIN + M.WORD * math.min(chosen, M.MOST_WORDS))
end

--- How likely a server that nobody knows gives an answer of one that is known.
function Model:chance(token) return math.exp(-M.TEMPER * weight(self, self.anywhere[token], token)) end

-- Whether the keywords come in the order of a list that the product gave, some left out or some added: how many it shares, or nil.
local function in_order(list, position)
  local last, shared = 0, 0
  for _, keyword in ipairs(list) do
    local i = position[keyword]
    if i and i < last then return nil end
    if i then last, shared = i, shared + 1 end
  end
  return shared
end

local split = memo(function(token)
  local list = {}
  for item in (token .. "|"):gmatch("([^|]*)|") do list[#list + 1] = item end
  return list
end)

-- Which keyword comes at which place.
local positions = memo(function(token)
  local position = {}
  for i, keyword in ipairs(split(token)) do position[keyword] = i end
  return position
end)

-- The owners, by place.
local members = memo(function(owners)
  local set = {}
  for _, place in utf8.codes(owners) do set[place] = true end
  return set
end)

-- Of products, by place, how many keywords they share in an order that they gave.
local function shared_keywords(model, list)
  local most = {}
  for known, owners in pairs(model.given.keywords or {}) do
    local shared = in_order(list, positions(known)) or 0
    for place in pairs(shared > 0 and members(owners) or {}) do most[place] = math.max(most[place] or 0, shared) end
  end
  return most
end

-- Settings and middlemen switch keywords off and on; their order and spelling stays.
local function keywords_weights(model, token)
  local list, weights = split(token), {}
  for place, shared in pairs(token ~= "" and shared_keywords(model, list) or {}) do weights[place] = 2 * shared > #list and shared / 4 or -0.5 end
  return weights
end

-- The words of an answer as they are spelled, without its codes, marks, names and what it quotes; nil where it has but one.
local function wording(token)
  local words = {}
  for word in token:gsub('"[^"]*"', ""):gsub("<[^>]*>", ""):gmatch("%a%a+") do words[#words + 1] = word end
  return words[2] and table.concat(words, " ")
end

-- Of products, by place, what an answer is worth that has the words of one that they gave to the same step, behind other codes or around other quotes:
-- midway between one that they gave and one that they did not.
local function own_words(model, step, token)
  local words, worth = wording(token), {}
  local first, last = (words or ""):match("^(%a+).-(%a+)$") -- most are without these
  for known, owners in pairs(first and model.given[step] or {}) do
    if known ~= token and known:find(first, 1, true) and known:find(last, 1, true) and wording(known) == words then
      local value = (M.SURPRISE + weight(model, owners, token)) / 2
      for place in pairs(members(owners)) do worth[place] = math.max(worth[place] or value, value) end
    end
  end
  return worth
end

-- What an answer says of each product, by its place: a weight, 0 where it says nothing; and in `matched` whether the product is known to answer so, nothing
-- where the answer says nothing of it.
--
-- What the product says to other steps is its own voice at least: a command switched off is answered as one that is unknown.
-- A refusal of everything, or of the scanner's name, is in words that anybody may have set, and tells nothing of who was never heard to use them.
local function new_column(model, step, token, refrain)
  local column, matched = {}, {}
  local owners, everywhere = model.given[step] and model.given[step][token] or "", model.anywhere[token] or ""
  local heard, givers, speakers = members(model.heard[step] or ""), members(owners), members(everywhere)
  local is_setting = token == refrain or HELLO[step] and token:find "^[45]5"
  local known, elsewhere = owners ~= "" and weight(model, owners, token), everywhere ~= "" and (M.SURPRISE + weight(model, everywhere, token)) / 2
  local keywords = step == "keywords" and keywords_weights(model, token)
  local own = keywords and {} or own_words(model, step, token)
  for _, product in ipairs(model.products) do
    local place = product.place
    column[place] = 0
    if heard[place] and givers[place] then
      column[place], matched[place] = known, true
    elseif heard[place] and not is_setting then
      matched[place] = false
      column[place] = keywords and (keywords[place] or M.SURPRISE) or own[place] or speakers[place] and elsewhere or M.SURPRISE
    end
  end
  column.matched, column.own = matched, own
  return column
end

-- Columns by model, step and token: every host that answers so asks for them again, and a session after each step.
local COLUMNS = setmetatable({}, { __mode = "k" })

local function column_of(model, step, token, refrain)
  local known = COLUMNS[model]
  if not known or known.count >= MOST_COLUMNS then
    known = { count = 0 }
    COLUMNS[model] = known
  end
  local key = (token == refrain and "refrain " or "") .. step .. "\t" .. token
  if not known[key] then known[key], known.count = new_column(model, step, token, refrain), known.count + 1 end
  return known[key]
end

-- The column of an answer that is the front's: the same for all who may stand behind.
local function column_of_front(model, step, token)
  local column, value = {}, weight(model, model.given[step][token], token)
  for _, product in ipairs(model.products) do column[product.place] = value end
  return column
end

local function gives(owner, step, token) return owner.steps[step] ~= nil and owner.steps[step][token] ~= nil end

-- The columns of each distinct answer, in an array of these arrays.
local function distinct_answers(model, front, tokens)
  local refrain, by_token, list = tokens.refrain and tokens.help, {}, {}
  for step, token in pairs(tokens) do
    local columns = by_token[token]
    if not columns then
      columns = { settings = {}, is_asked_alone = false }
      by_token[token], list[#list + 1] = columns, columns
    end
    columns.is_asked_alone = columns.is_asked_alone or step ~= "pair"
    local kind = SETTING[step] and columns.settings or columns
    kind[#kind + 1] = front and gives(front, step, token) and column_of_front(model, step, token) or column_of(model, step, token, refrain)
  end
  return list
end

-- The most that a distinct answer says for the product at this place, and against it, beside what is known of that.
local function extremes(columns, place, for_it, against)
  for i = 1, #columns do
    local value = columns[i][place]
    if value > for_it then
      for_it = value
    elseif value < against then
      against = value
    end
  end
  return for_it, against
end

-- Whether what speaks against the product is in its own words.
local function is_in_own_words(columns, place)
  for i = 1, #columns do
    local column = columns[i]
    if column[place] < 0 and column.own and column.own[place] then return true end
  end
  return false
end

-- The sum over distinct answers for the product at this place, each once for and once against; and how many speak for it, and how many against it, but for those that settings
-- change. Its own words behind other codes are never against it: a release that changes these, or what it quotes, does so in many answers at once. To two commands at
-- once is said what is said to each.
local function add_up(answers, place)
  local sum, heard, unheard = 0, 0, 0
  for i = 1, #answers do
    local columns = answers[i]
    local for_it, against = extremes(columns, place, 0, 0)
    if for_it > 0 then heard = heard + 1 end
    if against < 0 and columns.is_asked_alone and not is_in_own_words(columns, place) then unheard = unheard + 1 end
    for_it, against = extremes(columns.settings, place, for_it, against)
    sum = sum + for_it + against
  end
  return math.floor(sum * 1e6 + 0.5) / 1e6, heard, unheard -- whatever the order of the additions
end

-- The logarithm of the chance that of some answers these are unheard ones, when the share of these is anything of a Beta distribution.
local function log_chance(unheard, heard, alpha, beta)
  local log, all = 0, 0
  local function add(count, start)
    for i = 0, count - 1 do
      log, all = log + math.log((start + i) / (alpha + beta + all)), all + 1
    end
  end
  add(unheard, alpha)
  add(heard, beta)
  return log
end

-- What has been worked out, by what is known of the product and by the two counts: small numbers, the same for all hosts.
local ITSELF = { little = {}, copy = {}, well = {} }

-- The probability that it is the product itself, if it is one of its family; of a relative any share of answers may be unheard.
local function is_itself(product, heard, unheard)
  local sort = product.heard >= M.WELL and "well" or product.is_copy and "copy" or "little"
  local known, key = ITSELF[sort], heard * 1024 + unheard
  if not known[key] then
    local itself = log_chance(unheard, heard, M.UNHEARD, sort == "well" and M.HEARD_WELL or M.HEARD)
    local before = sort == "copy" and M.ITSELF_COPY or M.ITSELF
    known[key] = 1 / (1 + math.exp(log_chance(unheard, heard, 1, 1) - itself - before))
  end
  return known[key]
end

local function takes(tokens, hello) return tokens[hello] ~= nil and tokens[hello]:find("^250") ~= nil end

local function was_heard(model, product, step) return members(model.heard[step] or "")[product.place] ~= nil end

-- Whether the answers are LMTP's, and the product was heard to speak SMTP alone, or the other way round: that is another program, since the two are told apart by
-- their hello (RFC 2033 4.1). A library of SMTP may be asked for LMTP as well.
local function speaks_another(model, product, tokens)
  local speaks_lmtp = takes(tokens, "lhlo")
  if not (speaks_lmtp or takes(tokens, "ehlo") or takes(tokens, "helo")) then return false end
  local smtp, lmtp = was_heard(model, product, "ehlo") or was_heard(model, product, "helo"), was_heard(model, product, "lhlo")
  if speaks_lmtp then return smtp and not lmtp and product.kind ~= "library" end
  return lmtp and not smtp
end

-- The fronts that show themselves by two answers of their own.
local function fronts_of(model, tokens)
  local found = {}
  for _, front in ipairs(model.fronts) do
    local first, is_shown
    for step, token in pairs(tokens) do
      if step ~= "keywords" and front.steps[step] and front.steps[step][token] then
        is_shown = is_shown or (first and first ~= token)
        first = first or token
      end
    end
    if is_shown then found[#found + 1] = front end
  end
  return found
end

--- What each answer says of a candidate.
--
-- @param candidate  one of <code>rank</code>'s
-- @param tokens     those that it was ranked by
-- @return weights by step
-- @return by step, whether the product is known to answer so; nothing where the answer says nothing of it
-- @return the steps that the front answered
function Model:weigh(candidate, tokens)
  local weights, matched, own = {}, {}, {}
  local front, refrain = candidate.front, tokens.refrain and tokens.help
  for step, token in pairs(tokens) do
    if front and gives(front, step, token) then
      weights[step], own[step] = weight(self, self.given[step][token], token), true
    else
      local column, place = column_of(self, step, token, refrain), candidate.product.place
      if column.matched[place] ~= nil then weights[step], matched[step] = column[place], column.matched[place] end
    end
  end
  return weights, matched, own
end

-- How well the answers fit each product behind one front, or none: a candidate in each place, if it fits better than the one that is there.
local function fit(model, front, tokens, candidates)
  local answers, ahead = distinct_answers(model, front, tokens), front and M.FRONT or 0
  for i, product in ipairs(model.products) do
    local sum, heard, unheard = add_up(answers, product.place)
    local speaks, best = speaks_another(model, product, tokens) and M.OTHER_PROTOCOL or 1, candidates[i]
    local score = sum + ahead + math.log(speaks) / M.TEMPER
    if not best or score > best.score then
      local itself = is_itself(product, heard, unheard) * speaks
      candidates[i] = { product = product, front = front, fronts = front and { front.name }, score = score, itself = itself }
    elseif best.front and score == best.score then
      table.insert(best.fronts, front.name)
    end
  end
end

--- The products that may have answered, the likeliest first.
--
-- @param tokens  of deepid.behaviour
-- @return array of {product, front (what stands before it, or nil), fronts (the names of all that explain the answers as well), score, itself (the probability that it is the product, if it is of its family),
--   p (the probability that it is this product)}
function Model:rank(tokens)
  local list = {}
  fit(self, nil, tokens, list)
  for _, front in ipairs(fronts_of(self, tokens)) do fit(self, front, tokens, list) end
  table.sort(list, function(a, b)
    if a.score ~= b.score then return a.score > b.score end
    return a.product.name < b.product.name
  end)
  local top = math.max(list[1] and list[1].score or 0, M.UNKNOWN)
  local sum = math.exp((M.UNKNOWN - top) * M.TEMPER)
  for _, candidate in ipairs(list) do sum = sum + math.exp((candidate.score - top) * M.TEMPER) end
  for _, candidate in ipairs(list) do candidate.p = math.min(M.MOST_SURE, candidate.itself * math.exp((candidate.score - top) * M.TEMPER) / sum) end
  return list
end

-- The recorded versions next to a release, itself if it is one: below or equal, above or equal; nil where there is none.
local function find_neighbours(product, release)
  local versions, first, last = product.versions, 1, #product.versions + 1
  while first < last do -- halves what is left, for the first that is not older
    local middle = (first + last) // 2
    if version.less(versions[middle], release) then first = middle + 1 else last = middle end
  end
  local above = versions[first]
  local is_one = above and not version.less(release, above)
  return { is_one and above or versions[first - 1], above }
end

-- By product and release, since each host that answers as a product is held against the same releases.
local NEIGHBOURS = setmetatable({}, { __mode = "k" })

local function neighbours(product, release)
  local known = NEIGHBOURS[product] or {}
  NEIGHBOURS[product] = known
  known[release] = known[release] or find_neighbours(product, release)
  return known[release][1], known[release][2]
end

--- Whether the answers exclude a release of a product: it lies among versions that answered a step otherwise, or beyond the last
-- of them. Between one that answers so and one that does not, the change may be anywhere.
--
-- @return the step that excludes it, or nil
function Model.excluding(_, product, tokens, release)
  local below, above
  for _, step in ipairs(product.telling) do
    local answer = product.steps[step][tokens[step]]
    if answer and next(answer.excluded) then
      if not (below or above) then below, above = neighbours(product, release) end
      if (not below or answer.excluded[below]) and (not above or answer.excluded[above]) then return step end
    end
  end
end

return M
