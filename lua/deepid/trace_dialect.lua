--- What the answers of a transcript say of who gave them, whatever they claim: the dialect (deepid.dialects) in words, for people.

local behaviour = require "deepid.behaviour"
local behaves = require "deepid.behaves"
local windows = require "deepid.window"

local M = {}

local MOST = 3         -- products shown
local LEAST_P = 0.005  -- and no less likely ones, but for the first
local MOST_ANSWERS = 5 -- shown of the first product

-- The answers that weigh most, for or against, the heaviest first; `known`: the product was recorded answering so.
local function heaviest(model, candidate, tokens)
  local list, weights, matched = {}, model:weigh(candidate, tokens)
  for step, weight in pairs(weights) do
    list[#list + 1] = { step = step, weight = weight, known = matched[step] == true }
  end
  table.sort(list, function(a, b)
    if math.abs(a.weight) ~= math.abs(b.weight) then return math.abs(a.weight) > math.abs(b.weight) end
    return a.step < b.step
  end)
  return list
end

local function add_answers(lines, model, candidate, tokens)
  local list = heaviest(model, candidate, tokens)
  for i = 1, math.min(MOST_ANSWERS, #list) do
    local one = list[i]
    lines[#lines + 1] = ("      %+5.1f %s%s: %s"):format(one.weight, one.step, one.known and "" or " (never seen of it)", (tokens[one.step] or ""):sub(1, 90))
  end
end

--- The lines of what the dialect says.
--
-- @param knowledge   from <code>knowledge.load</code>, with <code>dialects</code> and <code>releases</code>
-- @param transcript  see DESIGN.md
-- @return array of lines; an answer weighs the more, the fewer products give it, and less than 0 where the product would give another
function M.lines(knowledge, transcript)
  local tokens = behaviour.tokens(transcript)
  if not knowledge.dialects or not next(tokens) then return { "  dialect: no answer in it that behaviour is read from" } end
  local ranked, lines = knowledge.dialects:rank(tokens), { "  dialect: who answers so, and the answers that weigh most" }
  for i, candidate in ipairs(ranked) do
    if i > MOST or (i > 1 and candidate.p < LEAST_P) then break end
    local product = candidate.product
    local window = windows.of(knowledge.releases, knowledge.dialects, product, tokens)
    lines[#lines + 1] = ("    %4.1f%%  %s%s%s"):format(100 * candidate.p, product.name, window and ", " .. behaves.range(window.min, window.max) or "",
      candidate.front and " behind " .. table.concat(candidate.fronts, " or ") or "")
    if i == 1 then add_answers(lines, knowledge.dialects, candidate, tokens) end
  end
  return lines
end

return M
