--- The structure of a pattern: what PCRE2 reads, as a tree, as far as rules use it.
--
-- A tree is a group without a capture. Nodes have `from` and `to`, their place in the pattern, and a `kind`:
--   byte    byte                          one literal byte
--   set     holds (a set of byte values)  a class, a class escape, or the dot
--   assert  what ("^", "$", "\\b", ...)   a place, no bytes
--   back    group                         a back reference
--   group   branches (arrays of nodes), capture (its number), look ("?=", "?!", "?<=", "?<!"), open (its first bytes, such as "(?:")
--   repeat  item (a node), least, most (math.huge for no end)

local M = {}

local Reader = {}
Reader.__index = Reader

local function fail(message) error({ regex = message }, 0) end

local function set_of(pattern, negated)
  local holds = {}
  for value = 0, 255 do
    holds[value] = (string.char(value):find(pattern) ~= nil) ~= (negated or false) or nil
  end
  return holds
end

-- As PCRE2's default tables have them, in the C locale.
local CLASSES = {
  d = set_of("^[0-9]"), D = set_of("^[0-9]", true), w = set_of("^[A-Za-z0-9_]"), W = set_of("^[A-Za-z0-9_]", true),
  s = set_of("^[ \t\n\v\f\r]"), S = set_of("^[ \t\n\v\f\r]", true), h = set_of("^[ \t]"), N = set_of("^\n", true),
}
local CONTROL = { r = 13, n = 10, t = 9, f = 12, v = 11, a = 7, e = 27, ["0"] = 0 }
local ASSERTIONS = { b = true, B = true, A = true, Z = true, z = true }

-- The escape at `at`, behind its backslash: a class, or a byte's value; and where it ends.
local function escape_at(pattern, at)
  local letter = pattern:sub(at, at)
  if CLASSES[letter] then return CLASSES[letter], nil, at end
  local hex = letter == "x" and pattern:match("^%x%x?", at + 1)
  if hex then return nil, tonumber(hex, 16), at + #hex end
  if CONTROL[letter] then return nil, CONTROL[letter], at end
  if letter == "" or letter:find("%w") then fail("unknown escape \\" .. letter) end
  return nil, letter:byte(), at
end

-- One member of a class at self.at: adds it to `holds`, and gives its value where it is one byte.
function Reader:class_member(holds)
  local pattern, at = self.pattern, self.at
  if pattern:find("^%[:%a+:%]", at) then fail("a POSIX class") end
  local class, value, last
  if pattern:sub(at, at + 1) == "\\b" then
    value, last = 8, at + 1
  elseif pattern:sub(at, at) == "\\" then
    class, value, last = escape_at(pattern, at + 1)
  else
    value, last = pattern:byte(at), at
  end
  self.at = last + 1
  for member in pairs(class or {}) do holds[member] = true end
  if value then holds[value] = true end
  return value
end

function Reader:class()
  local from, holds = self.at, {}
  local negated = self.pattern:sub(from + 1, from + 1) == "^"
  self.at = from + (negated and 2 or 1)
  local first = self.at
  while self.pattern:sub(self.at, self.at) ~= "]" or self.at == first do
    if self.at > #self.pattern then fail("an unfinished class") end
    local low = self:class_member(holds)
    local dash, after = self.pattern:match("^(%-)([^%]])", self.at)
    if low and dash and not (after == "\\" and CLASSES[self.pattern:sub(self.at + 2, self.at + 2)]) then
      self.at = self.at + 1
      for value = low, self:class_member(holds) do holds[value] = true end
    end
  end
  self.at = self.at + 1
  if negated then
    local rest = {}
    for value = 0, 255 do rest[value] = not holds[value] or nil end
    holds = rest
  end
  return { kind = "set", holds = holds, from = from, to = self.at - 1 }
end

function Reader:escape()
  local from = self.at
  local letter = self.pattern:sub(from + 1, from + 1)
  if ASSERTIONS[letter] then
    self.at = from + 2
    return { kind = "assert", what = "\\" .. letter, from = from, to = from + 1 }
  elseif letter:find("[1-9]") then
    self.at = from + 2
    return { kind = "back", group = tonumber(letter), from = from, to = from + 1 }
  end
  local class, value, last = escape_at(self.pattern, from + 1)
  self.at = last + 1
  if class then return { kind = "set", holds = class, from = from, to = last } end
  return { kind = "byte", byte = string.char(value), from = from, to = last }
end

local OPENINGS = { ["(?:"] = {}, ["(?="] = { look = "?=" }, ["(?!"] = { look = "?!" }, ["(?<="] = { look = "?<=" }, ["(?<!"] = { look = "?<!" }, ["(?>"] = {} }

function Reader:group()
  local from = self.at
  local open = self.pattern:match("^%(%?<?[:=!>]", from) or "("
  local form = OPENINGS[open]
  if open == "(" then
    if self.pattern:find("^%([?*]", from) then fail("an unknown group " .. self.pattern:sub(from, from + 2)) end
    self.captures = self.captures + 1
    form = { capture = self.captures }
  elseif not form then
    fail("an unknown group " .. open)
  end
  self.at = from + #open
  local node = { kind = "group", capture = form.capture, look = form.look, open = open, from = from }
  node.branches = self:branches()
  if self.pattern:sub(self.at, self.at) ~= ")" then fail("a group without its end") end
  node.to, self.at = self.at, self.at + 1
  return node
end

function Reader:atom()
  local byte, from = self.pattern:sub(self.at, self.at), self.at
  if byte == "[" then return self:class() end
  if byte == "\\" then return self:escape() end
  if byte == "(" then return self:group() end
  self.at = from + 1
  if byte == "^" or byte == "$" then return { kind = "assert", what = byte, from = from, to = from } end
  if byte == "." then return { kind = "set", holds = self.dotall and set_of("") or CLASSES.N, dot = true, from = from, to = from } end
  if byte:find("[*+?]") then fail("nothing to repeat before " .. byte) end
  return { kind = "byte", byte = byte, from = from, to = from }
end

local SHORT = { ["*"] = { 0, math.huge }, ["+"] = { 1, math.huge }, ["?"] = { 0, 1 } }

-- The quantifier at self.at: least, most, and where it ends; nil where there is none.
function Reader:quantifier()
  local short = SHORT[self.pattern:sub(self.at, self.at)]
  if short then return short[1], short[2], self.at + 1 end
  local least, comma, most, after = self.pattern:match("^{(%d+)(,?)(%d*)}()", self.at)
  if not least then return nil end
  least = tonumber(least)
  return least, tonumber(most) or (comma == "," and math.huge or least), after
end

function Reader:branch()
  local nodes = {}
  while self.at <= #self.pattern and not self.pattern:find("^[|)]", self.at) do
    local node = self:atom()
    local least, most, after = self:quantifier()
    if least then
      self.at = self.pattern:match("^[?+]()", after) or after -- lazy or possessive: the same texts
      node = { kind = "repeat", item = node, least = least, most = most, from = node.from, to = self.at - 1 }
    end
    nodes[#nodes + 1] = node
  end
  return nodes
end

function Reader:branches()
  local list = { self:branch() }
  while self.pattern:sub(self.at, self.at) == "|" do
    self.at = self.at + 1
    list[#list + 1] = self:branch()
  end
  return list
end

local function read(pattern, flags)
  local reader = setmetatable({ pattern = pattern, at = 1, captures = 0, dotall = flags:find("s") ~= nil }, Reader)
  local branches = reader:branches()
  if reader.at <= #pattern then fail("a ) without its (") end
  return { kind = "group", branches = branches, open = "(?:", from = 1, to = #pattern, captures = reader.captures }
end

-- Trees that somebody still uses: one pattern is compared with many replies.
local known = setmetatable({}, { __mode = "v" })

--- Reads a pattern.
--
-- @param pattern  as PCRE2 takes it
-- @param flags    (optional) letters; only `s` matters here
-- @return the tree, which is shared and must not be changed; its `captures` is how many there are
-- @return nil and a message where it holds what no rule uses (POSIX classes, inline options, named groups, \Q, ...)
function M.parse(pattern, flags)
  flags = flags or ""
  local key = flags .. "\0" .. pattern
  if known[key] then return known[key] end
  local ok, tree = pcall(read, pattern, flags)
  if not ok and type(tree) ~= "table" then error(tree, 0) end
  if not ok then return nil, tree.regex end
  known[key] = tree
  return tree
end

-- Adds the bytes that a branch spells out, with "\0" between those that need not follow each other.
local function spell(branch, place, bytes)
  for _, node in ipairs(branch) do
    if place and node.from >= place then bytes.before = bytes.before or #bytes end
    if node.kind == "byte" then
      bytes[#bytes + 1] = node.byte
    elseif node.kind == "repeat" then
      spell({ node.item }, place, bytes)
    elseif node.kind == "group" then
      for _, inner in ipairs(node.look ~= "?!" and node.branches or {}) do
        spell(inner, place, bytes)
        bytes[#bytes + 1] = "\0"
      end
    elseif node.kind ~= "assert" then
      bytes[#bytes + 1] = "\0"
    end
  end
end

--- The text that a pattern spells out, "\0" for what it leaves open; what must not follow left out.
--
-- @param place  (optional) a place in the pattern
-- @return the text, and how many bytes of it stand before the place
function M.fixed_text(tree, place)
  local bytes = {}
  for _, branch in ipairs(tree.branches) do
    spell(branch, place, bytes)
    bytes[#bytes + 1] = "\0"
  end
  return table.concat(bytes), bytes.before or #bytes
end

return M
