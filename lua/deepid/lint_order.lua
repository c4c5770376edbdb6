--- Lint of the order of rules: which come in each other's way, and whether examples would show it.
--
-- The first match of a role wins, so where two rules of a role match one reply, their order means something. Whether they do is tried with
-- texts made from the earlier one's pattern (deepid.generate): the later one then is the more general, and an example of the earlier one that
-- both match keeps the order, since with the two exchanged the linter says which rule comes first. A rule whose examples an earlier one
-- takes, all of them or any, is told by the examples themselves (deepid.lint).

local generate = require "deepid.generate"
local rules = require "deepid.rules"

local M = {}

local TEXTS = 8 -- made for each rule

local function slot_of(rule) return ("%s %s %s"):format(rule.role, rule.step, tostring(rule.soft or false)) end

-- Rules of one pattern, by role, step and hardness; notes are all reported, so their order means nothing.
local function by_slot(list)
  local slots, names = {}, {}
  for _, rule in ipairs(list) do
    if not rule.conditions and not rule.bad and rule.role ~= "note" then
      local name = slot_of(rule)
      if not slots[name] then names[#names + 1] = name end
      slots[name] = slots[name] or {}
      table.insert(slots[name], rule)
    end
  end
  return slots, names
end

local function any_match(set, texts)
  for _, text in ipairs(texts) do
    if #set:match(text) > 0 then return true end
  end
  return false
end

local function example_texts(rule)
  local texts = {}
  for i, example in ipairs(rule.examples) do texts[i] = example.steps[rule.step] end
  return texts
end

--- Pairs of rules of one role that match the same reply: the earlier one's kind of text, which the later one takes as well.
--
-- @param list   rules in order
-- @param fpset  the core's
-- @param alone  function (rule, pattern) -> its compiled set, or false
-- @return array of {earlier, later, kept}; `kept`: an example of the earlier one holds the order
function M.overlaps(list, fpset, alone)
  local found, slots, names = {}, by_slot(list)
  local random = generate.random(1)
  for _, name in ipairs(names) do
    for i, earlier in ipairs(slots[name]) do
      local made, examples = nil, example_texts(earlier)
      for j = i + 1, #slots[name] do
        local later = slots[name][j]
        local set = alone(later, rules.patterns(later)[1])
        made = made or generate.replies(fpset, earlier, TEXTS, random)
        local kept = set and any_match(set, examples)
        if kept or (set and any_match(set, made)) then found[#found + 1] = { earlier = earlier, later = later, kept = kept } end
      end
    end
  end
  return found
end

--- Reports each pair whose order no example holds.
--
-- @param report  function (rule, message)
function M.check(list, fpset, alone, report)
  for _, pair in ipairs(M.overlaps(list, fpset, alone)) do
    if not pair.kept then
      report(pair.earlier, ("%s also matches what this rule is for, and no example keeps the order: add one that both match"):format(pair.later.id))
    end
  end
end

return M
