--- What is common by itself: large providers' names (providers.tsv), texts that many servers share and the classes of the null
-- model (background.tsv). Both lie beside the rules.

local knowledge = require "deepid.knowledge"

local M = {}

-- Calls visit with the fields of each line, but for comments.
local function read_tsv(path, visit)
  local file, message = io.open(path, "rb")
  if not file then return message end
  local number = 0
  for line in file:lines() do
    number = number + 1
    if line ~= "" and not line:find("^#") then
      local fields = {}
      for field in (line .. "\t"):gmatch("([^\t]*)\t") do fields[#fields + 1] = field end
      if not visit(fields) then
        file:close()
        return ("%s:%d: cannot be read"):format(path, number)
      end
    end
  end
  file:close()
end

local function add_provider(catalogue, fields)
  local name, domains, source = table.unpack(fields)
  if not (name and domains and source and source ~= "") then return false end
  for domain in domains:gmatch("%S+") do catalogue.providers[domain] = name end
  return true
end

local ADD = {
  class = function(catalogue, kind, value)
    local w, p = value:match("^(%S+) (%S+)$")
    local class = { w = tonumber(w), p = tonumber(p) }
    if not (class.w and class.p and class.p > 0 and class.p < 1) then return false end
    table.insert(catalogue.classes[kind], class)
    return true
  end,
  common = function(catalogue, kind, value)
    table.insert(catalogue.common[kind], value)
    return true
  end,
}

local function add_background(catalogue, fields)
  local what, kind, value, source = table.unpack(fields)
  if not (ADD[what] and kind and value and value ~= "" and source and source ~= "") then return false end
  catalogue.classes[kind] = catalogue.classes[kind] or {}
  catalogue.common[kind] = catalogue.common[kind] or {}
  return ADD[what](catalogue, kind, value)
end

local Catalogue = {}
Catalogue.__index = Catalogue

--- The provider that a host name belongs to, or nil.
function Catalogue:provider(name)
  name = name:lower()
  while name do
    if self.providers[name] then return self.providers[name] end
    name = name:match("^[^.]*%.(.+)$")
  end
end

--- The common text that a key holds, or nil.
function Catalogue:common_text(kind, key)
  key = key:lower()
  for _, text in ipairs(self.common[kind] or {}) do
    if key:find(text, 1, true) then return text end
  end
end

local opened

--- Reads both tables, once.
--
-- @param folder  (optional) another folder than what came with this module; then read anew
-- @return catalogue: <code>classes[kind]</code>, array of {w, p}
-- @return nil and a message
function M.open(folder)
  if opened and not folder then return opened end
  local place, message = folder, nil
  if not place then place, message = knowledge.find() end
  if not place then return nil, message end
  local catalogue = setmetatable({ providers = {}, classes = {}, common = {} }, Catalogue)
  message = read_tsv(place .. "/providers.tsv", function(fields) return add_provider(catalogue, fields) end)
    or read_tsv(place .. "/background.tsv", function(fields) return add_background(catalogue, fields) end)
  if message then return nil, message end
  if not folder then opened = catalogue end
  return catalogue
end

return M
