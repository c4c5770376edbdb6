--- Reads the table of how products answer.
--
-- The table (nselib/data/deepid/dialects.tsv, made by `make learn`) holds lines of fields between tabs:
--
--   product   NAME  KIND  LIMIT  HEARD    what follows is this product's; LIMIT: the errors after which it hangs up, or -; HEARD: how often it was recorded
--   versions  3.7.11 3.10.13              the recorded ones, oldest first
--   3.10.13 ~3.5.25  help unknown  500…   these versions gave this token (deepid.behaviour) to these steps; of those behind ~
--                                         nothing is known in such settings; all others gave another one. * stands for: any may
--   front     NAME  KIND                  what follows it answers itself, whatever server stands behind

local dialects = require "deepid.dialects"

local M = {}

local function words(text)
  local list = {}
  for word in text:gmatch("%S+") do list[#list + 1] = word end
  return list
end

local function fields(line)
  local list = {}
  for field in (line .. "\t"):gmatch("([^\t]*)\t") do list[#list + 1] = field end
  return list
end

-- Which versions an answer excludes: all that are not named. Most answers share their list with others.
local function excluded(owner, text)
  local no = owner.excluded[text]
  if no then return no end
  no = {}
  owner.excluded[text] = no
  if text == "*" then return no end
  for _, one in ipairs(owner.versions or {}) do no[one] = true end
  for _, one in ipairs(words(text)) do no[one:gsub("^~", "")] = nil end
  return no
end

local READ = {}

function READ.product(model, line)
  local product = { name = line[2], kind = line[3], limit = tonumber(line[4]), heard = tonumber(line[5]) or 1, versions = {}, steps = {}, excluded = {} }
  model.products[#model.products + 1], model.owner = product, product
end

function READ.front(model, line)
  local front = { name = line[2], kind = line[3], steps = {}, excluded = {} }
  model.fronts[#model.fronts + 1], model.owner = front, front
end

function READ.versions(model, line) model.owner.versions = words(line[2]) end

local function read_answer(model, line)
  local owner, steps, token = model.owner, line[2], line[3]
  if not (owner and token) then return false end
  local answer = { excluded = excluded(owner, line[1]) }
  for _, step in ipairs(words(steps)) do
    owner.steps[step] = owner.steps[step] or {}
    owner.steps[step][token] = answer
  end
  return true
end

-- Owners are a text that holds the place of each: it is read faster than a table.
local function note(map, key, place)
  local owners, one = map[key] or "", utf8.char(place)
  if not owners:find(one, 1, true) then map[key] = owners .. one end
end

-- Who was asked each step, and who gives each answer to it, and to any step: so all are ranked, and the steps of few are looked at.
local function note_answers(model)
  local count = 0
  for _, owners in ipairs { model.products, model.fronts } do
    for _, owner in ipairs(owners) do
      count = count + 1
      owner.place, owner.excluded = count, nil
      for step, answers in pairs(owner.steps) do
        model.given[step] = model.given[step] or {}
        note(model.heard, step, count)
        for token in pairs(answers) do
          note(model.given[step], token, count)
          note(model.anywhere, token, count)
        end
      end
    end
  end
end

-- Who is known to say another's words.
local function note_copies(model, built_on)
  for _, product in ipairs(model.products) do product.is_copy = built_on[product.name] ~= nil or nil end
end

-- The steps that tell versions apart, in one order.
local function note_telling(model)
  for _, product in ipairs(model.products) do
    product.telling = {}
    for step, answers in pairs(product.steps) do
      local tells = false
      for _, answer in pairs(answers) do tells = tells or next(answer.excluded) ~= nil end
      if tells then table.insert(product.telling, step) end
    end
    table.sort(product.telling)
  end
end

--- Reads a table.
--
-- @param text  what learn.write made
-- @param name  (optional) of the file, for messages
-- @param built_on  (optional) of deepid.releases: whose code or words a product has
-- @return model of deepid.dialects
-- @return nil and a message with file and line
function M.read(text, name, built_on)
  local model, number = dialects.attach { products = {}, fronts = {}, heard = {}, given = {}, anywhere = {} }, 0
  for raw in text:gmatch("([^\n]*)\n") do
    number = number + 1
    local line = fields(raw)
    if raw ~= "" and not raw:find("^#") then
      local read = READ[line[1]]
      if read and line[2] then
        read(model, line)
      elseif read or not read_answer(model, line) then
        return nil, ("%s:%d: no line of a table of dialects; make it anew with `make learn`"):format(name or "dialects", number)
      end
    end
  end
  model.owner = nil
  note_answers(model)
  note_copies(model, built_on or {})
  note_telling(model)
  return model
end

return M
