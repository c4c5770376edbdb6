--- Comparing version numbers as people order them.

local memo = require "deepid.memo"

local M = {}

local parts = memo(function(text)
  local list = {}
  for digits, letters in text:gmatch("(%d*)(%a*)") do
    if digits ~= "" then list[#list + 1] = tonumber(digits) end
    if letters ~= "" then list[#list + 1] = letters:lower() end
  end
  return list
end)

-- Letters that mark a release after the plain one; any others mark one before it.
local AFTER = { p = true, pl = true, post = true }

-- Missing counts before a number and after a letter: 1.0rc1 < 1.0 < 1.0.post1 < 1.0.1.
local function rank(part)
  if part == nil then return 1, 0 end
  if AFTER[part] then return 1, 1 end
  if type(part) == "number" then return 2, part end
  return 0, part
end

--- Whether version a comes before version b.
function M.less(a, b)
  local left, right = parts(a), parts(b)
  for i = 1, math.max(#left, #right) do
    if left[i] ~= right[i] then
      local class_a, value_a = rank(left[i])
      local class_b, value_b = rank(right[i])
      if class_a ~= class_b then return class_a < class_b end
      if value_a ~= value_b then return value_a < value_b end
    end
  end
  return false
end

--- The later of two versions; either may be nil.
function M.later(a, b)
  if not (a and b) then return a or b end
  return M.less(a, b) and b or a
end

--- The earlier of two versions; either may be nil.
function M.earlier(a, b)
  if not (a and b) then return a or b end
  return M.less(a, b) and a or b
end

return M
