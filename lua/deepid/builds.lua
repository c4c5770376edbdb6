--- What a build number stands for: exchange.tsv and windows.tsv beside the rules, each with its source.

local M = {}

local TABLES = { "exchange", "windows" }

local function read_table(path)
  local file, message = io.open(path, "rb")
  if not file then return nil, message end
  local names = {}
  for line in file:lines() do
    local build, name = line:match("^([%d.]+)\t(%C+)$")
    if build then names[build] = name end
  end
  file:close()
  return names
end

--- Opens the tables of a folder of knowledge.
--
-- @return table: <code>exchange</code> and <code>windows</code>, each build -> name
-- @return nil and a message when one cannot be read
function M.open(folder)
  local builds = {}
  for _, name in ipairs(TABLES) do
    local names, message = read_table(("%s/%s.tsv"):format(folder, name))
    if not names then return nil, message end
    builds[name] = names
  end
  return builds
end

-- Exchange writes its builds with and without leading zeros: 15.01.2507.006 is 15.1.2507.6.
local function normal(version)
  return (version:gsub("%d+", function(digits) return ("%d"):format(tonumber(digits) or 0) end))
end

-- The product and cumulative update of a build that is newer than the table: those of the lowest build that shares its first
-- three numbers.
local function relative(names, version)
  local series = version:match("^%d+%.%d+%.%d+")
  local lowest, found
  for build, name in pairs(names) do
    local last = series and build:sub(1, #series + 1) == series .. "." and tonumber(build:sub(#series + 2))
    if last and (not lowest or last < lowest) then lowest, found = last, name end
  end
  return found and found .. ", updated"
end

--- What Microsoft calls a build of Exchange, or nil.
function M.exchange(builds, version)
  local build = normal(version)
  return builds.exchange[build] or relative(builds.exchange, build)
end

--- The Windows that a version with a build in third place belongs to, or nil.
function M.windows(builds, version)
  local build = version:match("^%d+%.%d+%.(%d+)")
  return build and builds.windows[build]
end

return M
