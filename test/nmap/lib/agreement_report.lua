--- `make agreement`: our answers against an installed Nmap's own rules, second opinion off, class by class.
--
-- usage: lua5.4 test/nmap/lib/agreement_report.lua [PROBES [CLASS]]; with a CLASS, only its pairs of names, and a text of each

local agreement = require "nmap.lib.agreement"
local deepid = require "deepid"

local core = assert(require("deepid.core").load())
local path = arg[1] or assert(agreement.probe_files()[1], "no nmap-service-probes is installed")
local rows, left_out = agreement.compare(path, assert(deepid.open { texts = true }), core.fpset)

-- The rows of one class by pair of names, each with a text, the most frequent pair first.
local function pairs_of(class)
  local list, known = {}, {}
  for _, row in ipairs(rows) do
    local key = tostring(row.them) .. "\0" .. tostring(row.us)
    if row.class == class then
      if not known[key] then
        known[key] = { row = row, count = 0, order = #list }
        list[#list + 1] = known[key]
      end
      known[key].count = known[key].count + 1
    end
  end
  table.sort(list, function(a, b)
    if a.count ~= b.count then return a.count > b.count end
    return a.order < b.order
  end)
  return list
end

local function show_class(class, most)
  local list = pairs_of(class)
  for i = 1, math.min(most, #list) do
    local row = list[i].row
    print(("  %4d  %s / %s: %s"):format(list[i].count, row.them or "-", row.us or "-", deepid.escape.visible(row.text, 90)))
  end
  if #list > most then print(("        and %d more pairs"):format(#list - most)) end
end

print(("%s: %d texts from its hard SMTP lines; %d lines left out (hints, no product, other probes)"):format(path, #rows, left_out))
for _, class in ipairs(arg[2] and { arg[2] } or agreement.CLASSES) do
  local count = 0
  for _, row in ipairs(rows) do count = count + (row.class == class and 1 or 0) end
  print(("%5d  %4.1f%%  %s"):format(count, 100 * count / #rows, class))
  show_class(class, arg[2] and math.huge or 5)
end
