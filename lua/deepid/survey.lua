--- Sums up many port results. It counts; it does not judge yet.

local json = require "deepid.json"

local M = {}

local MOST_EXAMPLES = 3

--- What a survey keeps of one port result.
function M.record(result)
  local front = result.front[1]
  return {
    address = result.address, port = result.port, product = result.identity.product, hostname = result.identity.hostname,
    front = front and front.name, front_role = front and front.role,
  }
end

-- Addresses that run each product: one with two ports counts once.
local function count_products(records)
  local counts, names, seen = {}, {}, {}
  for _, record in ipairs(records) do
    local name = record.product or record.front or "unknown"
    local once = record.address .. " " .. name
    if not counts[name] then names[#names + 1] = name end
    if not seen[once] then counts[name] = (counts[name] or 0) + 1 end
    seen[once] = true
  end
  table.sort(names, function(a, b) return counts[a] > counts[b] or (counts[a] == counts[b] and a < b) end)
  local products = json.array()
  for i, name in ipairs(names) do products[i] = { product = name, hosts = counts[name] } end
  return products
end

-- Names announced by more than one address.
local function shared_names(records)
  local by_name, names = {}, {}
  for _, record in ipairs(records) do
    if record.hostname then
      local group = by_name[record.hostname]
      if not group then
        group = { key = record.hostname, kind = "hostname", seen = {}, hosts = 0, examples = json.array() }
        by_name[record.hostname] = group
        names[#names + 1] = record.hostname
      end
      if not group.seen[record.address] then
        group.seen[record.address] = true
        group.hosts = group.hosts + 1
        if #group.examples < MOST_EXAMPLES then group.examples[#group.examples + 1] = record.address end
      end
    end
  end
  table.sort(names)
  local groups = json.array()
  for _, name in ipairs(names) do
    local group = by_name[name]
    group.seen = nil
    if group.hosts > 1 then groups[#groups + 1] = group end
  end
  return groups
end

--- The post-scan result. Its verdict is `insufficient`: counts alone prove nothing.
--
-- @param records  array of what <code>record</code> gave
function M.summary(records)
  local hosts = {}
  local count = 0
  for _, record in ipairs(records) do
    if not hosts[record.address] then
      hosts[record.address] = true
      count = count + 1
    end
  end
  local summary = {
    verdict = "insufficient", where = "unknown", hosts_seen = count, products = count_products(records),
    groups = shared_names(records), hosts = json.array(), advice = json.array(), port_25 = {},
  }
  for _, group in ipairs(summary.groups) do
    summary.advice[#summary.advice + 1] =
      ("%d addresses announce the one name %s: a pool, one host with many addresses, or one machine that answers for all of them."):format(group.hosts, group.key)
  end
  return summary
end

--- A summary for people, as one text.
function M.text(summary)
  local lines = { ("mail servers on %d address%s:"):format(summary.hosts_seen, summary.hosts_seen == 1 and "" or "es") }
  for _, product in ipairs(summary.products) do lines[#lines + 1] = ("  %d  %s"):format(product.hosts, product.product) end
  for _, advice in ipairs(summary.advice) do lines[#lines + 1] = "note: " .. advice end
  return "\n  " .. table.concat(lines, "\n  ")
end

return M
