--- How far a pattern gets into a reply that it does not match, and what it wanted there.
--
-- The pattern's beginnings are compiled, ever longer ones: what a beginning matches, every shorter one does too, so the longest is found
-- by halving. Where the node after it has parts of its own, the search goes on inside of it.

local regex = require "deepid.regex"

local M = {}

local MOST_COMPARED = 4096 -- bytes of a reply

local Search = {}
Search.__index = Search

-- Where in the reply the source ends when it matches; nil when it does not.
function Search:reach(source)
  local set, errors = self.fpset({ { pattern = source .. "([\\s\\S]*)", flags = self.flags, slot = 0 } }, { jit = false, cap = MOST_COMPARED })
  if #errors > 0 then return nil end
  local hit = set:match(self.reply)[1]
  return hit and #self.reply - #hit[hit.n]
end

-- The beginning of a pattern: what stands before, the first `count` nodes, and what closes the groups around them.
function Search:beginning(place, nodes, count)
  local first, last = nodes[1], nodes[count]
  return place.before .. (count > 0 and self.pattern:sub(first.from, last.to) or "") .. place.after
end

-- Of two breaks the one that got further.
local function further(a, b)
  if not a or b.reached > a.reached then return b end
  return a
end

-- The break inside of a group that is not a look: the branch that gets furthest.
function Search:inside(place, node)
  local best
  local inner = { before = place.before .. node.open, after = ")" .. place.after }
  for _, branch in ipairs(node.branches) do
    if #branch > 0 then best = further(best, self:sequence(inner, branch)) end
  end
  return best
end

-- How many times in a row an item matches, though not as often as it should; the break is in the time after.
function Search:repeated(place, node)
  local item = self.pattern:sub(node.item.from, node.item.to)
  local times = 0
  while times + 1 < node.least and self:reach(place.before .. item:rep(times + 1) .. place.after) do times = times + 1 end
  local here = { before = place.before .. item:rep(times), after = place.after }
  return self:node(here, node.item, node)
end

-- The break at a node that does not match behind `place`.
function Search:node(place, node, shown)
  if node.kind == "group" and not node.look then
    local found = self:inside(place, node)
    if found then return found end
  elseif node.kind == "repeat" and node.least > 0 then
    return self:repeated(place, node)
  end
  return { node = shown or node, reached = self:reach(place.before .. place.after) or 0 }
end

-- The break in a sequence of nodes of which not all match.
function Search:sequence(place, nodes)
  local low, high = 0, #nodes + 1 -- low nodes match, high do not
  while high - low > 1 do
    local middle = (low + high) // 2
    if self:reach(self:beginning(place, nodes, middle)) then low = middle else high = middle end
  end
  if low == #nodes then return { reached = self:reach(self:beginning(place, nodes, low)) } end
  local before = place.before .. (low > 0 and self.pattern:sub(nodes[1].from, nodes[low].to) or "")
  return self:node({ before = before, after = place.after }, nodes[low + 1])
end

--- Finds where a pattern that does not match breaks.
--
-- @param fpset  the core's
-- @param pattern  {pattern, flags}
-- @param reply  bytes; the first 4 KiB count
-- @return table: `reached`, how many bytes of the reply were matched until there; `node`, what was wanted next (deepid.regex), nil where
-- the break cannot be told
-- @return nil when the pattern is not one that deepid.regex reads
function M.find(fpset, pattern, reply)
  local tree = regex.parse(pattern.pattern, pattern.flags)
  if not tree then return nil end
  local search = setmetatable({ fpset = fpset, pattern = pattern.pattern, flags = pattern.flags, reply = reply:sub(1, MOST_COMPARED) }, Search)
  local best
  for _, branch in ipairs(tree.branches) do best = further(best, search:sequence({ before = "", after = "" }, branch)) end
  return best
end

return M
