--- Lint of the order of rules: which come in each other's way, and whether examples would show it.
--
-- The first match of a role wins, so where two rules of a role match one reply, their order means something. Whether they do is tried with
-- texts made from both patterns (deepid.generate). The earlier one is the more specific then, and an example of it that both match keeps the
-- order: with the two exchanged, the linter says which rule comes first. A rule whose examples an earlier one takes, all of them or any, is told
-- by the examples themselves (deepid.lint).

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

-- The rules of a slot with what is asked of them: {rule, set, made, examples}.
local function prepare(slot, fpset, alone, random)
  local list = {}
  for _, rule in ipairs(slot) do
    local set = alone(rule, rules.patterns(rule)[1])
    if set then list[#list + 1] = { rule = rule, set = set, made = generate.replies(fpset, rule, TEXTS, random), examples = example_texts(rule) } end
  end
  return list
end

--- Pairs of rules of one role that match the same reply.
--
-- @param list   rules in order
-- @param fpset  the core's
-- @param alone  function (rule, pattern) -> its compiled set, or false
-- @return array of {earlier, later, kept}; `kept`: an example of the earlier one, which the later one matches as well, holds the order
function M.overlaps(list, fpset, alone)
  local found, slots, names = {}, by_slot(list)
  local random = generate.random(1)
  for _, name in ipairs(names) do
    local slot = #slots[name] > 1 and prepare(slots[name], fpset, alone, random) or {}
    for i, earlier in ipairs(slot) do
      for j = i + 1, #slot do
        local later = slot[j]
        local kept = any_match(later.set, earlier.examples)
        if kept or any_match(later.set, earlier.made) or any_match(earlier.set, later.made) then
          found[#found + 1] = { earlier = earlier.rule, later = later.rule, kept = kept }
        end
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
