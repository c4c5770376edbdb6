--- Texts that a pattern matches, made from its structure: for tests of rules, ours and other people's.

local regex = require "deepid.regex"

local M = {}

-- What varies is filled with what servers write there, where the pattern takes it; else with single bytes.
local PLAUSIBLE = { "mx.example.org", "mail.example.net", "8.12.3", "4.96", "192.0.2.9", "20261124", "17", "5", "gateway", "Linux", "rc2",
  "Tue, 24 Nov 2026 10:00:00 +0000", "x7Kq29fTz", "two words", "0", "Z" }
local PREFERRED = "abcdefghijklmnopqrstuvwxyz0123456789 ABCDEFGHIJKLMNOPQRSTUVWXYZ.-_"

local MOST_MORE = 3 -- repetitions beyond the least, of what is no single byte

local Maker = {}
Maker.__index = Maker

--- A source of whole numbers that gives the same ones under every Lua (Park and Miller).
-- @param seed  1 or more
-- @return function (n) -> 1..n
function M.random(seed)
  local state = seed * 48271 % 2147483647
  return function(n)
    state = state * 48271 % 2147483647
    return state % n + 1
  end
end

function Maker:pick(list) return list[self.random(#list)] end

-- The bytes of a set, as those preferred, or all where none of them is in it.
local function members(holds)
  local list = {}
  for byte in PREFERRED:gmatch(".") do
    if holds[byte:byte()] then list[#list + 1] = byte end
  end
  for value = 0, #list > 0 and -1 or 255 do
    if holds[value] then list[#list + 1] = string.char(value) end
  end
  return list
end

local function takes(holds, text)
  for i = 1, #text do
    if not holds[text:byte(i)] then return false end
  end
  return true
end

-- A run of bytes of one set.
function Maker:run(holds, least, most)
  local fitting = {}
  for _, text in ipairs(PLAUSIBLE) do
    if #text >= least and #text <= most and takes(holds, text) then fitting[#fitting + 1] = text end
  end
  if least == 0 then fitting[#fitting + 1] = "" end
  if #fitting > 0 then return self:pick(fitting) end
  local list, out = members(holds), {}
  if #list == 0 then return "" end
  for i = 1, math.min(most, least + self.random(MOST_MORE) - 1) do out[i] = self:pick(list) end
  return table.concat(out)
end

function Maker:node(node)
  if node.kind == "byte" then return node.byte end
  if node.kind == "set" then return self:pick(members(node.holds)) or "" end
  if node.kind == "assert" then return "" end
  if node.kind == "back" then return self.captures[node.group] or "" end
  if node.kind == "repeat" then return self:repeated(node) end
  if node.look and node.look ~= "?=" then return "" end -- what must follow is written at once: what comes behind it is mostly free
  local text = self:sequence(self:pick(node.branches))
  if node.capture then self.captures[node.capture] = text end
  return text
end

function Maker:repeated(node)
  if node.item.kind == "set" then return self:run(node.item.holds, node.least, node.most) end
  local out = {}
  for i = 1, math.min(node.most, node.least + self.random(MOST_MORE) - 1) do out[i] = self:node(node.item) end
  return table.concat(out)
end

function Maker:sequence(nodes)
  local out = {}
  for i, node in ipairs(nodes) do out[i] = self:node(node) end
  return table.concat(out)
end

--- Makes one text. Looks and places (\b) are not obeyed: whoever needs a match has to try it.
--
-- @param tree    from <code>regex.parse</code>
-- @param random  from <code>random</code>
function M.text(tree, random)
  return setmetatable({ random = random, captures = {} }, Maker):node(tree)
end

local TRIES = 20

--- Texts that a pattern matches, each made into a reply: its line end added where it has none and may have one.
--
-- @param fpset    the core's
-- @param pattern  {pattern, flags}
-- @param count    how many to make
-- @param random   from <code>random</code>
-- @return array of distinct replies; may be shorter, or empty where looks are never met by chance
function M.replies(fpset, pattern, count, random)
  local tree = regex.parse(pattern.pattern, pattern.flags)
  local set = fpset({ { pattern = pattern.pattern, flags = pattern.flags, slot = 0 } })
  local list, seen = {}, {}
  for _ = 1, tree and count * TRIES or 0 do
    local text = M.text(tree, random)
    local ended = text:find("\n$") and text or text:find("\r$") and text .. "\n" or text .. "\r\n"
    if #set:match(ended) > 0 then text = ended end
    if not seen[text] and #set:match(text) > 0 then list[#list + 1] = text end
    seen[text] = true
    if #list == count then break end
  end
  return list
end

return M
