--- Which words of its examples a rule does not insist on: each word, and each reply code, is replaced by another one, and the rule asked again.
--
-- A rule that was loosened insists on less. test/knowledge/free_words.tsv holds what each rule leaves free on purpose.

local escape = require "deepid.escape"
local rules = require "deepid.rules"
local tokens = require "deepid.tokens"

local M = {}

-- A word that no server says: every letter one further, the case kept.
local function other_word(word)
  return (word:gsub("%a", function(letter)
    local base = letter:find("%l") and 97 or 65
    return string.char(base + (letter:byte() - base + 1) % 26)
  end))
end

local function other_code(code) return code == "299" and "298" or "299" end

-- How many letters in a row count as a word; versions and ids have some by chance.
local FEWEST = { word = 2, host = 2, id = 3, version = 3, date = 2 }

-- Every part of a reply that says something, as {key, from, to, other}: words, the labels of host names that are no example's, reply codes. A
-- name of a day or month is called "date"; the second `HELO` is `HELO/2`.
local function parts_of(bytes)
  local parts, at, count = {}, 1, {}
  local function add(word, from, to, other)
    count[word] = (count[word] or 0) + 1
    parts[#parts + 1] = { key = count[word] == 1 and word or word .. "/" .. count[word], from = from, to = to, other = other }
  end
  for _, token in ipairs(tokens.split(bytes)) do
    if token.kind == "code" then
      local code = token.text:sub(1, 3)
      add(code, at, at + 2, other_code(code))
    elseif FEWEST[token.kind] and not token.text:find("%f[%w_]example%f[^%w_]") then
      for from, word, after in token.text:gmatch("()(%a%a+)()") do
        if #word >= FEWEST[token.kind] then add(token.kind == "date" and "date" or word, at + from - 1, at + after - 2, other_word(word)) end
      end
    end
    at = at + #token.text
  end
  return parts
end

local function without(bytes, parts)
  local out, at = {}, 1
  for _, part in ipairs(parts) do
    out[#out + 1] = bytes:sub(at, part.from - 1) .. part.other
    at = part.to + 1
  end
  return table.concat(out) .. bytes:sub(at)
end

local function count_captures(hit)
  local count = 0
  for i = 1, hit and hit.n or 0 do count = count + (hit[i] and 1 or 0) end
  return count
end

-- The parts of one reply that a pattern leaves free, so that it matches and reads out as much: alone, or (`HELO/all`) all of one name together, since
-- a reply may have to repeat itself.
local function free_in(set, bytes)
  local free, together, hit = {}, {}, set:match(bytes)[1]
  if not hit then return free end
  local captures = count_captures(hit)
  local function is_free(parts)
    local changed = set:match(without(bytes, parts))[1]
    return changed and count_captures(changed) == captures
  end
  for _, part in ipairs(parts_of(bytes)) do
    if is_free({ part }) then free[part.key] = true end
    local word = part.key:match("^[^/]*")
    together[word] = together[word] or {}
    table.insert(together[word], part)
  end
  for word, parts in pairs(together) do
    if #parts > 1 and is_free(parts) then free[word .. "/all"] = true end
  end
  return free
end

local FOLDER = "test/knowledge/"

-- Rows of a table: arrays of cells; lines that begin with # are none.
local function read_rows(name)
  local rows = {}
  for line in io.lines(FOLDER .. name) do
    local cells = {}
    for cell in (line .. "\t"):gmatch("([^\t]*)\t") do cells[#cells + 1] = cell end
    if line:find("%S") and not line:find("^#") then rows[#rows + 1] = cells end
  end
  return rows
end

--- More replies that a rule must match, for the alternatives in it that its own examples leave out: array of {rule id, step, bytes}.
M.witnesses = {}
for i, row in ipairs(read_rows("witnesses.tsv")) do M.witnesses[i] = { id = row[1], step = row[2], bytes = assert(escape.bytes(row[3])) } end

--- What is left free on purpose: rule, step and number of the text -> set of parts.
M.allowed = {}
for _, row in ipairs(read_rows("free_words.tsv")) do
  local words = {}
  for word in row[2]:gmatch("%S+") do words[word] = true end
  M.allowed[row[1]] = words
end

--- What one step answers in the examples of a rule and in its witnesses.
function M.texts(rule, step)
  local texts = {}
  for _, example in ipairs(rule.examples) do texts[#texts + 1] = example.steps[step] end
  for _, witness in ipairs(M.witnesses) do
    if witness.id == rule.id and witness.step == step then texts[#texts + 1] = witness.bytes end
  end
  return texts
end

--- What one pattern of a rule leaves free in each text.
--
-- @param rule     with its examples
-- @param pattern  one of its patterns, or a changed one: {pattern, flags, step}
-- @param fpset    the core's
-- @return table: "RULE STEP NUMBER" -> set of parts, for those texts in which anything is free; nil when the pattern does not compile
function M.free(rule, pattern, fpset)
  local set, errors = fpset({ { pattern = pattern.pattern, flags = pattern.flags } })
  if #errors > 0 then return nil end
  local found = {}
  for i, bytes in ipairs(M.texts(rule, pattern.step)) do
    local free = free_in(set, bytes)
    if next(free) then found[("%s %s %d"):format(rule.id, pattern.step, i)] = free end
  end
  return found
end

-- Calls visit(name of the text, part, rule) for all that the patterns of a rule leave free.
local function each_free(rule, fpset, visit)
  for _, pattern in ipairs(rules.patterns(rule)) do
    for name, free in pairs(pattern.kind ~= "forbid" and M.free(rule, pattern, fpset) or {}) do
      for part in pairs(free) do visit(name, part) end
    end
  end
end

--- What a rule leaves free and free_words.tsv does not hold: array of "TEXT TAB part", sorted.
function M.excess(list, fpset)
  local found = {}
  for _, rule in ipairs(list) do
    each_free(rule, fpset, function(name, part)
      if not (M.allowed[name] and M.allowed[name][part]) then found[#found + 1] = name .. "\t" .. part end
    end)
  end
  table.sort(found)
  return found
end

--- What free_words.tsv should hold for these rules: its lines, in the order of the rules.
function M.table_of(list, fpset)
  local lines = {}
  for _, rule in ipairs(list) do
    local texts, names = {}, {}
    each_free(rule, fpset, function(name, part)
      if not texts[name] then names[#names + 1] = name end
      texts[name] = texts[name] or {}
      texts[name][part] = true
    end)
    table.sort(names)
    for _, name in ipairs(names) do
      local parts = {}
      for part in pairs(texts[name]) do parts[#parts + 1] = part end
      table.sort(parts)
      lines[#lines + 1] = name .. "\t" .. table.concat(parts, " ")
    end
  end
  return lines
end

return M
