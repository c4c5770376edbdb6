--- `make agreed`: the list at the end of doc/agreement.md as it is now, from every nmap-service-probes there is.

local agreement = require "nmap.lib.agreement"
local deepid = require "deepid"

local fpset = assert(require("deepid.core").load()).fpset
local engine = assert(deepid.open())
local AGREED = { agreed = true, ["one name says more"] = true, ["version written otherwise"] = true }

local rules, products = {}, {}
for _, path in ipairs(agreement.probe_files()) do
  for _, row in ipairs((agreement.compare(path, engine, fpset))) do
    for _, id in ipairs(AGREED[row.class] and row.rules or {}) do
      if not rules[row.them] then products[#products + 1] = row.them end
      rules[row.them] = rules[row.them] or {}
      rules[row.them][id] = true
    end
  end
end

table.sort(products)
for _, product in ipairs(products) do
  local ids = {}
  for id in pairs(rules[product]) do ids[#ids + 1] = "`" .. id .. "`" end
  table.sort(ids)
  print(("- %s: %s"):format(product, table.concat(ids, ", ")))
end
