--- `make agreed`: the list at the end of doc/agreement.md as it is now: what every nmap-service-probes there is has texts for.

local agreement = require "nmap.lib.agreement"
local deepid = require "deepid"

local fpset = assert(require("deepid.core").load()).fpset
local engine = assert(deepid.open { texts = true })
local paths = agreement.probe_files()

local seen = {} -- product -> our rule's id -> in how many files
for i, path in ipairs(paths) do
  for _, row in ipairs((agreement.compare(path, engine, fpset))) do
    for _, id in ipairs(agreement.AGREED[row.class] and row.rules or {}) do
      local ids = seen[row.them] or {}
      seen[row.them] = ids
      if (ids[id] or 0) == i - 1 then ids[id] = i end
    end
  end
end

local lines = {}
for product, ids in pairs(seen) do
  local kept = {}
  for id, files in pairs(ids) do
    if files == #paths then kept[#kept + 1] = "`" .. id .. "`" end
  end
  table.sort(kept)
  if #kept > 0 then lines[#lines + 1] = ("- %s: %s"):format(product, table.concat(kept, ", ")) end
end
table.sort(lines)
print(table.concat(lines, "\n"))
