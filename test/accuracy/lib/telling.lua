--- What each step tells: of each how many bits its answer gives about the product, and whose versions it tells apart.

local steps = require "deepid.steps"

local function bits_of(model, step)
  local shares, products, bits = {}, 0, 0
  for _, product in ipairs(model.products) do
    local answers, count = product.steps[step], 0
    for _ in pairs(answers or {}) do count = count + 1 end
    products = products + (answers and 1 or 0)
    for token in pairs(answers or {}) do
      shares[token] = shares[token] or {}
      table.insert(shares[token], 1 / count)
    end
  end
  for _, list in pairs(shares) do
    local sum = 0
    for _, share_of in ipairs(list) do sum = sum + share_of end
    for _, share_of in ipairs(list) do bits = bits + share_of / products * math.log(share_of / sum * products, 2) end
  end
  return bits, products
end

local function versions_told(model, step)
  local told = 0
  for _, product in ipairs(model.products) do
    local is_told = false
    for _, answer in pairs(product.steps[step] or {}) do is_told = is_told or next(answer.excluded) ~= nil end
    told = told + (is_told and 1 or 0)
  end
  return told
end

--- The table as text.
--
-- @param model  deepid.dialects: the products that are told apart
return function(model)
  local rows, lines = {}, {}
  for _, step in ipairs(steps.catalogue) do
    local name = step.name
    if model.given[name] then
      local bits, products = bits_of(model, name)
      rows[#rows + 1] = { name, bits, products, versions_told(model, name), step.depth }
    end
  end
  -- By what is printed: sums of the same numbers differ in their last bits from run to run.
  for _, row in ipairs(rows) do row[2] = ("%.2f"):format(row[2]) end
  table.sort(rows, function(a, b)
    if a[2] ~= b[2] then return tonumber(a[2]) > tonumber(b[2]) end
    return a[1] < b[1]
  end)
  lines[1] = "| step | bits about the product | products asked | products whose versions it tells apart | depth |\n|---|---|---|---|---|"
  for _, row in ipairs(rows) do lines[#lines + 1] = ("| %s | %s | %d | %d | %s |"):format(table.unpack(row)) end
  return table.concat(lines, "\n") .. "\n"
end
