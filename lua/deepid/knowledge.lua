--- The knowledge: its files found, and the packed one opened. What the text files hold is read by deepid.texts.

local core = require "deepid.core"
local lazy = require "deepid.lazy"
local packed_file = require "deepid.packed"
local dialects, texts = lazy "deepid.dialects", lazy "deepid.texts"

local M = {}

-- From the debug information: Nmap's loader does not pass a module its path.
local HERE = debug.getinfo(1, "S").source:match("^@(.*)/") or "."

-- Where data lies, seen from this module: installed in nselib, in a checkout,
-- installed by LuaRocks.
local PLACES = { HERE .. "/../data/deepid", HERE .. "/../../nselib/data/deepid", HERE .. "/data" }

--- The rule files, in the order in which they are read.
M.FILES = { "10-proxies.rules", "12-screens.rules", "14-gateways.rules", "16-interceptors.rules", "18-decoys.rules", "20-clouds.rules",
  "21-postfix.rules", "22-exim.rules", "23-sendmail.rules", "24-qmail.rules", "25-microsoft.rules", "26-windows.rules", "27-suites.rules",
  "28-open.rules", "29-modern.rules", "30-scripted.rules", "31-libraries.rules", "32-testers.rules", "40-eggs.rules", "50-other-protocols.rules",
  "90-generic.rules" }

--- The tables beside them that are read with them.
M.TABLES = { "dialects.tsv", "exchange.tsv", "windows.tsv", "releases.tsv", "built_on.tsv" }

--- The folder of the knowledge that came with this module.
--
-- @return its path
-- @return nil and a message that names the places looked at
function M.find()
  for _, place in ipairs(PLACES) do
    local file = io.open(place .. "/" .. M.FILES[1], "rb")
    if file then
      file:close()
      return place
    end
  end
  return nil, "no knowledge found in " .. table.concat(PLACES, ", ") .. "; install smtp-deepid again"
end

--- The paths of a folder's text files, in the order in which they are read.
function M.texts_of(folder)
  local paths = {}
  for _, names in ipairs { M.FILES, M.TABLES } do
    for _, name in ipairs(names) do paths[#paths + 1] = folder .. "/" .. name end
  end
  return paths
end

-- A table whose values are made of others when they are first asked for: nobody needs all, and each that is there makes Lua tidy up longer.
local function made_late(from, make)
  return setmetatable({}, { __index = function(whole, key)
    if from[key] == nil then return nil end
    local value = make(from[key], key)
    rawset(whole, key, value)
    return value
  end })
end

-- A step's set is made when first a reply to it is to be matched.
local function late_steps(packed, parts, rules_by_number)
  return made_late(parts, function(part)
    local step = packed:value(part)
    local owners = made_late(step.rules, function(number, i) return { rule = rules_by_number[number], condition = step.conditions[i] } end)
    return { set = core.load().fpset_thaw(step.set), owners = owners }
  end)
end

local function read_dialects(packed, part)
  local model = packed:value(part)
  local late = { __index = function(product, key)
    if key ~= "steps" then return nil end
    product.steps = packed:value(product.part)
    return product.steps
  end }
  for _, product in ipairs(model.products) do setmetatable(product, late) end
  return dialects.attach(model)
end

local function load_packed(folder)
  local packed = packed_file.open(folder .. "/" .. packed_file.NAME, M.texts_of(folder))
  if not packed then return nil end
  local parts = packed:value()
  local known = made_late(parts, function(part, name) return name == "dialects" and read_dialects(packed, part) or packed:value(part) end)
  known.rules = made_late(parts.rules, function(part) return packed:value(part) end)
  known.steps, known.problems = late_steps(packed, parts.steps, known.rules), {}
  return known
end

--- Reads and compiles a folder of knowledge: the packed file, while it is that of the text files; else these.
--
-- @param folder   (optional) default: what came with this module
-- @param options  (optional) <code>texts = true</code>: the text files in any case, with what only lint needs of them
-- @return table {rules, steps, builds, dialects, releases, built_on, problems}
-- @return nil and a message when there is none or the core is missing
function M.load(folder, options)
  local message
  if not folder then
    folder, message = M.find()
    if not folder then return nil, message end
  end
  local packed = not (options and options.texts) and load_packed(folder)
  if packed then return packed end
  return texts.load(folder)
end

return M
