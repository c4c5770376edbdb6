--- Learning: from recordings to the table of dialects (deepid.dialects says what is in it).
--
-- A recording counts for the program whose code answers: the library where it names one, and the server behind where a front passes that one's words
-- on. What a front answers itself, whatever stands behind, is the front's; all else that was heard through it is the server's.

local behaviour = require "deepid.behaviour"
local catalogue = require "deepid.steps"
local version = require "deepid.version"

local M = {}

M.SEARCHED = 30 -- errors that the recorder asks for at most, in search of the limit

--- After how many errors the server hung up on the recorder: the last of them may have had no answer. Who answered no unknown verb with an error shows how it
-- takes that verb, not how many errors it bears. Where it insists on TLS, what it did inside counts, which comes later.
--
-- @return their number and how it ended; nil where it bore all
function M.limit(recorded)
  local limit, ending
  for _, step in ipairs(recorded.steps) do
    if step.step == "errorlimit" then
      local is_limit = step.errors < M.SEARCHED and ("\n" .. step.reply):find "\n[45]"
      limit, ending = is_limit and step.errors or nil, step["end"]
    end
  end
  return limit, ending
end

--- Takes one recording in.
--
-- @param recorded  transcript
-- @param facts     of the recording
-- @return {product, version (or nil), settings, front (or nil), tokens, limit (or nil)}
function M.digest(recorded, facts)
  local digest = { product = facts.product, version = facts.version, settings = facts.settings, tokens = behaviour.tokens(recorded) }
  if facts.library then
    digest.product, digest.version, digest.settings = facts.library, facts["library version"], facts.settings .. " " .. facts.product
  elseif facts.server then
    digest.product, digest.version, digest.settings = facts.server, facts["server version"], facts.settings .. " behind:" .. facts.product
  end
  digest.front = facts.server and facts.product or facts.settings:match("behind:(%S+)")
  digest.limit = M.limit(recorded)
  return digest
end

local function sorted_keys(set, less)
  local list = {}
  for key in pairs(set) do list[#list + 1] = key end
  table.sort(list, less)
  return list
end

-- What a front answers itself: heard through it, whatever server stands behind, and never from these servers without it.
local function own_answers(digests)
  local through, plain, behind = {}, {}, {}
  for _, digest in ipairs(digests) do
    if digest.front then
      behind[digest.front] = behind[digest.front] or {}
      behind[digest.front][digest.product] = true
    end
    for step, token in pairs(digest.tokens) do
      if digest.front then
        local key = digest.front .. "\t" .. step .. "\t" .. token
        through[key] = through[key] or {}
        through[key][digest.product] = true
      else
        plain[digest.product .. "\t" .. step .. "\t" .. token] = true
      end
    end
  end
  local fronts = {}
  for key, products in pairs(through) do
    local front, step, token = key:match("^(.-)\t(.-)\t(.*)$")
    local is_own = next(products, next(products)) ~= nil or next(behind[front], next(behind[front])) == nil
    for product in pairs(products) do is_own = is_own and not plain[product .. "\t" .. step .. "\t" .. token] end
    if is_own then
      fronts[front] = fronts[front] or {}
      fronts[front][step] = fronts[front][step] or {}
      fronts[front][step][token] = true
    end
  end
  return fronts
end

local function is_fronts(fronts, digest, step, token)
  local own = digest.front and fronts[digest.front]
  return own and own[step] and own[step][token]
end

-- What goes through it unchanged is as good as heard from the server itself.
local function drop_transparent(digests, fronts)
  local list = {}
  for i, digest in ipairs(digests) do
    list[i] = digest
    if digest.front and not fronts[digest.front] then list[i] = setmetatable({ front = false }, { __index = digest }) end
  end
  return list
end

-- Everything heard of each product: by step, token, version and settings.
local function gather(digests, fronts)
  local products = {}
  for _, digest in ipairs(drop_transparent(digests, fronts)) do
    local product = products[digest.product] or { versions = {}, steps = {}, heard = 0 }
    products[digest.product], product.heard = product, product.heard + 1
    if digest.version then product.versions[digest.version] = true end
    if digest.limit and not digest.front then product.limit = math.min(product.limit or digest.limit, digest.limit) end
    for step, token in pairs(digest.tokens) do
      if not is_fronts(fronts, digest, step, token) then
        product.steps[step] = product.steps[step] or {}
        table.insert(product.steps[step], { token = token, version = digest.version, settings = digest.settings })
      end
    end
  end
  return products
end

-- The settings in which a token was given, and those that each version was heard in.
local function settings_of(heard, token)
  local gave, seen, yes = {}, {}, {}
  for _, one in ipairs(heard) do
    if one.token == token then
      gave[one.settings] = true
      if one.version then yes[one.version] = true end
    end
    if one.version then
      seen[one.version] = seen[one.version] or {}
      seen[one.version][one.settings] = true
    end
  end
  return gave, seen, yes
end

-- Which versions gave a token: `*`, or those that did and, behind ~, those of which nothing is known in such settings.
local function versions_of(product, heard, token)
  local gave, seen, yes = settings_of(heard, token)
  local list, excludes = {}, false
  for _, one in ipairs(sorted_keys(product.versions, version.less)) do
    local comparable = false
    for settings in pairs(seen[one] or {}) do comparable = comparable or gave[settings] end
    if yes[one] then
      list[#list + 1] = one
    elseif comparable then
      excludes = true
    else
      list[#list + 1] = "~" .. one
    end
  end
  return excludes and table.concat(list, " ") or "*"
end

-- Lines of one owner: steps that share an answer and its versions share a line.
local function add_lines(lines, steps, versions)
  local shared = {}
  for _, step in ipairs(sorted_keys(steps)) do
    for token in pairs(steps[step]) do
      local key = versions(step, token) .. "\t%s\t" .. token:gsub("%%", "%%%%")
      shared[key] = shared[key] or {}
      table.insert(shared[key], step)
    end
  end
  local block = {}
  for key, names in pairs(shared) do block[#block + 1] = key:format(table.concat(names, " ")) end
  table.sort(block, function(a, b)
    local left, right = a:match("\t(.*)$"), b:match("\t(.*)$")
    if left ~= right then return left < right end
    return a < b
  end)
  table.move(block, 1, #block, #lines + 1, lines)
end

local function product_lines(lines, name, product, kind)
  lines[#lines + 1] = ("product\t%s\t%s\t%s\t%d"):format(name, kind, product.limit or "-", product.heard)
  local versions = sorted_keys(product.versions, version.less)
  if #versions > 0 then lines[#lines + 1] = "versions\t" .. table.concat(versions, " ") end
  local steps = {}
  for step, heard in pairs(product.steps) do
    steps[step] = {}
    for _, one in ipairs(heard) do steps[step][one.token] = true end
  end
  add_lines(lines, steps, function(step, token) return versions_of(product, product.steps[step], token) end)
end

-- Without the answers to steps that no scan sends.
local function only_asked(digest)
  local tokens = {}
  for name, token in pairs(digest.tokens) do
    local step = catalogue.by_name[name]
    if not (step and step.depth == "record") then tokens[name] = token end
  end
  return setmetatable({ tokens = tokens }, { __index = digest })
end

--- Makes the table.
--
-- @param digests    array of M.digest
-- @param kinds      product -> kind
-- @param all_steps  (optional) true: with those that recorders alone send
-- @return text
function M.write(digests, kinds, all_steps)
  if not all_steps then
    local asked = {}
    for i, digest in ipairs(digests) do asked[i] = only_asked(digest) end
    digests = asked
  end
  local fronts = own_answers(digests)
  local products, lines = gather(digests, fronts), {}
  for _, name in ipairs(sorted_keys(products)) do product_lines(lines, name, products[name], kinds[name] or "server") end
  for _, name in ipairs(sorted_keys(fronts)) do
    lines[#lines + 1] = ("front\t%s\t%s"):format(name, kinds[name] or "proxy")
    add_lines(lines, fronts[name], function() return "*" end)
  end
  return table.concat(lines, "\n") .. "\n"
end

return M
