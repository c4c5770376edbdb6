--- Patterns loosened: each word that a pattern spells out gives way to anything, once.

local regex = require "deepid.regex"

local M = {}

local ANYTHING = "[^\\r\\n]*?"

-- A letter, spelled out or in either case, or one that may be missing.
local function is_letter(node)
  if node.kind == "byte" then return node.byte:find("%a") ~= nil and node.from == node.to end
  if node.kind == "repeat" then return node.most == 1 and is_letter(node.item) end
  local count = 0
  for value in pairs(node.kind == "set" and node.holds or {}) do
    count = count + 1
    if not string.char(value):find("%a") then return false end
  end
  return count > 0 and count <= 4
end

local function group_of(node) return node and (node.branches and node or node.item and node.item.branches and node.item) or nil end

-- Adds the runs of letters of a branch, as {from, to}. One that goes on inside of a group, or out of its own (`zoho(?:mail)?`), is `cut`: the
-- rest of the word insists all the same.
local function add_words(branch, words, glued_before, glued_after)
  local current
  for i, node in ipairs(branch) do
    local before, after, group = branch[i - 1], branch[i + 1], group_of(node)
    if is_letter(node) then
      if current then
        current.to = node.to
      else
        current = { from = node.from, to = node.to, cut = group_of(before) ~= nil or (not before and glued_before) }
        words[#words + 1] = current
      end
      current.cut = current.cut or group_of(after) ~= nil or (not after and glued_after)
    else
      current = nil
      for _, inner in ipairs(group and group.look ~= "?!" and group.branches or {}) do
        add_words(inner, words, before and is_letter(before), after and is_letter(after))
      end
    end
  end
end

--- The mutants of a pattern.
--
-- @param pattern  {pattern, flags, step}
-- @return array of {pattern, flags, step, word}
function M.loosened(pattern)
  local tree, words, list = assert(regex.parse(pattern.pattern, pattern.flags)), {}, {}
  for _, branch in ipairs(tree.branches) do add_words(branch, words, false, false) end
  for _, word in ipairs(words) do
    local text = pattern.pattern:sub(word.from, word.to)
    if not word.cut and text:find("%a%a") then
      list[#list + 1] = { pattern = pattern.pattern:sub(1, word.from - 1) .. ANYTHING .. pattern.pattern:sub(word.to + 1), flags = pattern.flags,
        step = pattern.step, word = text }
    end
  end
  return list
end

return M
