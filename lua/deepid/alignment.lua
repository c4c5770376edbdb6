--- Several samples of one text laid over each other: what they share, and where they differ.
--
-- The outcome is an array of elements, tokens (deepid.tokens) with two more kinds: `vary`, one word that differs, and `gap`, a stretch that not
-- all have. An element's `texts` is an array of what the samples had there.

local M = {}

-- What may stand for each other as one varying word.
local WORDLIKE = { word = true, host = true, version = true, number = true, id = true, vary = true }

-- How well an element and a token fit; nil when they cannot be the same.
local function fit(element, token)
  if element.kind == "gap" then return nil end
  if element.kind == token.kind then
    if element.text == token.text then return (element.kind == "word" or element.kind == "code" or element.kind == "end") and 8 or 3 end
    if element.kind == "date" then return element.regex == token.regex and 8 or nil end
    if element.kind == "blank" or element.kind == "end" then return 1 end
    if element.kind == "mark" or element.kind == "code" then return nil end
    return element.kind == "word" and 0 or 6
  end
  return WORDLIKE[element.kind] and WORDLIKE[token.kind] and 0 or nil
end

local GAP = -1

-- The best scores of all beginnings of both, and which way each came (Needleman and Wunsch).
local function score(elements, tokens)
  local scores, ways = {}, {}
  for i = 0, #elements do
    scores[i], ways[i] = {}, {}
    for j = 0, #tokens do
      local best, way
      if i == 0 and j == 0 then best = 0 end
      local function offer(value, name)
        if value and (not best or value > best) then best, way = value, name end
      end
      local fits = i > 0 and j > 0 and fit(elements[i], tokens[j])
      if fits then offer(scores[i - 1][j - 1] + fits, "both") end
      if i > 0 then offer(scores[i - 1][j] + (elements[i].kind == "gap" and 0 or GAP), "element") end
      if j > 0 then offer(scores[i][j - 1] + GAP, "token") end
      scores[i][j], ways[i][j] = best, way
    end
  end
  return ways
end

local function join_texts(texts, text)
  local all = table.move(texts, 1, #texts, 1, {})
  for _, known in ipairs(all) do
    if known == text then return all end
  end
  all[#all + 1] = text
  return all
end

local function merge(element, token)
  local kind = element.kind == token.kind and element.kind or "vary"
  if kind == "word" and element.text ~= token.text then kind = "vary" end
  local text = (#token.text > #element.text and element.kind == "blank") and token.text or element.text
  return { kind = kind, text = text, regex = element.regex, texts = join_texts(element.texts, token.text) }
end

local function as_gap(one) return { kind = "gap", text = one.text, texts = one.texts or { one.text } } end

-- What tells nothing by itself when it stands next to a gap; several such in a row would make a pattern slow.
local SWALLOWED = { gap = true, vary = true, number = true, id = true, address = true }

-- Neighbouring gaps are one, with what varies between them.
local function close_gaps(list)
  local out = {}
  for _, element in ipairs(list) do
    local last = out[#out]
    if last and SWALLOWED[element.kind] and SWALLOWED[last.kind] and (element.kind == "gap" or last.kind == "gap") then
      out[#out] = as_gap({ text = last.text .. element.text })
    else
      out[#out + 1] = element
    end
  end
  return out
end

local function lay_over(elements, tokens)
  local ways, i, j, backwards = score(elements, tokens), #elements, #tokens, {}
  while i > 0 or j > 0 do
    local way = ways[i][j]
    if way == "both" then
      backwards[#backwards + 1] = merge(elements[i], tokens[j])
      i, j = i - 1, j - 1
    elseif way == "element" then
      backwards[#backwards + 1] = as_gap(elements[i])
      i = i - 1
    else
      backwards[#backwards + 1] = as_gap(tokens[j])
      j = j - 1
    end
  end
  local list = {}
  for k = #backwards, 1, -1 do list[#list + 1] = backwards[k] end
  return close_gaps(list)
end

--- Lays samples over each other.
--
-- @param samples  array of arrays of tokens, one at least
-- @return array of elements
function M.align(samples)
  local elements = {}
  for i, token in ipairs(samples[1]) do
    elements[i] = { kind = token.kind, text = token.text, regex = token.regex, texts = { token.text } }
  end
  for i = 2, #samples do elements = lay_over(elements, samples[i]) end
  return elements
end

return M
