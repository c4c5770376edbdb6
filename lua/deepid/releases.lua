--- Facts about products that stand in tables beside the rules: what was published, and what is built on what.

local M = {}

-- The rows of a table of three columns between tabs.
-- @return array of {first, second, third}; nil and a message
local function rows_of(path, columns)
  local file, message = io.open(path, "rb")
  if not file then return nil, message end
  local rows, number = {}, 0
  for line in file:lines() do
    number = number + 1
    local first, second, third = line:match("^([^\t]+)\t([^\t]+)\t([^\t]+)$")
    if first and not line:find("^#") then
      rows[#rows + 1] = { first, second, third }
    elseif line ~= "" and not line:find("^#") then
      message = message or ("%s:%d: not `%s`"):format(path, number, columns)
    end
  end
  file:close()
  if message then return nil, message end
  return rows
end

--- Reads the published releases (releases.tsv). Lines of one product add up.
--
-- @param folder  of the knowledge
-- @return by product: array of versions, oldest first, with <code>sources</code>, one a line
-- @return nil and a message
function M.open(folder)
  local rows, message = rows_of(folder .. "/releases.tsv", "products TAB source TAB releases")
  if not rows then return nil, message end
  local releases = {}
  for _, row in ipairs(rows) do
    for product in (row[1] .. ", "):gmatch("(.-), ") do
      local list = releases[product] or { sources = {} }
      releases[product] = list
      list.sources[#list.sources + 1] = row[2]
      for release in row[3]:gmatch("%S+") do list[#list + 1] = release end
    end
  end
  return releases
end

--- Reads what answers inside a product that was built on another one's code (built_on.tsv).
--
-- @param folder  of the knowledge
-- @return by product: set of the products that it may be built on
-- @return nil and a message
function M.built_on(folder)
  local rows, message = rows_of(folder .. "/built_on.tsv", "product TAB built on TAB source")
  if not rows then return nil, message end
  local built = {}
  for _, row in ipairs(rows) do
    built[row[1]] = built[row[1]] or {}
    built[row[1]][row[2]] = true
  end
  return built
end

return M
