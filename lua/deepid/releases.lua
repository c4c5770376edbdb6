--- The published releases of each product, from releases.tsv beside the rules.

local knowledge = require "deepid.knowledge"

local M = {}

-- One line: products, source, releases. Lines of one product add up.
local function add_line(releases, line)
  local products, source, versions = line:match("^([^\t]+)\t([^\t]+)\t([^\t]+)$")
  if not products then return false end
  for product in (products .. ", "):gmatch("(.-), ") do
    local list = releases[product] or { sources = {} }
    releases[product] = list
    list.sources[#list.sources + 1] = source
    for release in versions:gmatch("%S+") do list[#list + 1] = release end
  end
  return true
end

--- Reads the table.
--
-- @param folder  (optional) another folder than that of the rules
-- @return by product: array of versions, oldest first, with <code>sources</code>, one a line
-- @return nil and a message
function M.open(folder)
  local message
  if not folder then folder, message = knowledge.find() end
  if not folder then return nil, message end
  local path = folder .. "/releases.tsv"
  local file
  file, message = io.open(path, "rb")
  if not file then return nil, message end
  local releases, number = {}, 0
  for line in file:lines() do
    number = number + 1
    if line ~= "" and not line:find("^#") and not add_line(releases, line) then
      message = ("%s:%d: not `products TAB source TAB releases`"):format(path, number)
      break
    end
  end
  file:close()
  if message then return nil, message end
  return releases
end

return M
