--- Texts that a pattern matches, made from its structure: for tests of rules, ours and other people's.

local regex = require "deepid.regex"

local M = {}

-- What varies is filled with what servers write there, where the pattern takes it; else with single bytes. Behind the reply code stands a host
-- name, behind a digit the rest of a version, elsewhere most often a version.
local ANYWHERE = { "4.96", "20261124", "17", "5", "gateway", "Linux", "rc2", "Tue, 24 Nov 2026 10:00:00 +0000", "x7Kq29fTz", "two words", " at ", "192.0.2.9", "0", "Z" }
local BEHIND = { code = { "mx.example.org", "mail.example.net" }, digit = { ".12.3", ".0" }, other = { "8.12.3", "mx.example.org" } }
for _, list in pairs(BEHIND) do table.move(ANYWHERE, 1, #ANYWHERE, #list + 1, list) end

local PREFERRED = "abcdefghijklmnopqrstuvwxyz8901234567 ABCDEFGHIJKLMNOPQRSTUVWXYZ.-_"

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

--- No chance at all: what is most like a server's own words, always.
function M.first() return 1 end

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

function Maker:write(text) self.out = self.out .. text end

function Maker:plausible()
  if self.out:find("%f[^\n%z]%d%d%d[ -]$") then return BEHIND.code end
  return self.out:find("%d$") and BEHIND.digit or BEHIND.other
end

-- A run of bytes of one set.
function Maker:run(holds, least, most)
  local fitting = {}
  for _, text in ipairs(self:plausible()) do
    if #text >= least and #text <= most and takes(holds, text) then fitting[#fitting + 1] = text end
  end
  if least == 0 then fitting[#fitting + 1] = "" end
  if #fitting > 0 then return self:write(self:pick(fitting)) end
  local list = members(holds)
  for _ = 1, #list > 0 and math.min(most, least + self.random(MOST_MORE) - 1) or 0 do self:write(self:pick(list)) end
end

function Maker:node(node)
  if node.kind == "byte" then
    self:write(node.byte)
  elseif node.kind == "set" then
    self:write(self:pick(members(node.holds)) or "")
  elseif node.kind == "back" then
    self:write(self.captures[node.group] or "")
  elseif node.kind == "repeat" then
    self:repeated(node)
  elseif node.kind == "group" and (not node.look or node.look == "?=") then -- what must follow is written at once: what comes behind it is mostly free
    local before = #self.out
    self:sequence(self:pick(node.branches))
    if node.capture then self.captures[node.capture] = self.out:sub(before + 1) end
  end
end

function Maker:repeated(node)
  if node.item.kind == "set" then return self:run(node.item.holds, node.least, node.most) end
  for _ = 1, math.min(node.most, node.least + self.random(MOST_MORE) - 1) do self:node(node.item) end
end

function Maker:sequence(nodes)
  for _, node in ipairs(nodes) do self:node(node) end
end

--- Makes one text. Looks and places (\b) are not obeyed: whoever needs a match has to try it.
--
-- @param tree    from <code>regex.parse</code>
-- @param random  from <code>random</code>
function M.text(tree, random)
  local maker = setmetatable({ random = random, captures = {}, out = "" }, Maker)
  maker:node(tree)
  return maker.out
end

local TRIES = 500

--- Texts that a pattern matches, each made into a reply: its line end added where it has none and may have one.
--
-- @param fpset    the core's
-- @param pattern  {pattern, flags}
-- @param count    how many to make
-- @param random   from <code>random</code>, or <code>first</code>
-- @return array of distinct replies; may be shorter, or empty where looks are never met by chance
function M.replies(fpset, pattern, count, random)
  local tree = regex.parse(pattern.pattern, pattern.flags)
  local set = fpset({ { pattern = pattern.pattern, flags = pattern.flags, slot = 0 } })
  local list, seen = {}, {}
  for _ = 1, tree and TRIES or 0 do
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
