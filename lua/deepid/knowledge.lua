--- The knowledge: rule files found, read, and compiled into one set a step.

local core = require "deepid.core"
local lazy = require "deepid.lazy"
local pack = require "deepid.pack"
local roles = require "deepid.roles"
local builds, dialects, releases, rules = lazy "deepid.builds", lazy "deepid.dialects", lazy "deepid.releases", lazy "deepid.rules"

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

local function read_file(path)
  local file, message = io.open(path, "rb")
  if not file then return nil, message end
  -- As much as there is, at once: read("a") takes twice as long, since it grows its buffer on the way. What is no file is read so, too.
  local size = file:seek("end")
  local text = size and file:seek("set") and size > 0 and file:read(size) or file:read("a")
  file:close()
  return text
end

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

--- Reads rule files without compiling them.
--
-- @param paths  array of file names, read in this order
-- @return array of rules, array of messages (an unreadable file is one)
function M.read(paths)
  local all, problems = {}, {}
  for _, path in ipairs(paths) do
    local text, message = read_file(path)
    local found, wrong = {}, { message }
    if text then found, wrong = rules.parse(text, path) end
    for _, rule in ipairs(found) do
      rule.order = #all + 1
      all[#all + 1] = rule
    end
    table.move(wrong, 1, #wrong, #problems + 1, problems)
  end
  return all, problems
end

-- Of each role, hard and soft apart, the core reports the first match a reply:
-- they share a slot. Slot 0 reports every match: conditions and Easter eggs.
local SLOTS = { note = { [false] = 0, [true] = 0 } }
for i, role in ipairs(roles.ALL) do
  SLOTS[role] = SLOTS[role] or { [false] = 2 * i - 1, [true] = 2 * i }
end

local function add_pattern(steps, rule, pattern, condition)
  local step = steps[pattern.step] or { patterns = {}, owners = {} }
  steps[pattern.step] = step
  local slot = condition and 0 or SLOTS[rule.role][rule.soft or false]
  step.patterns[#step.patterns + 1] = { pattern = pattern.pattern, flags = pattern.flags, slot = slot }
  step.owners[#step.owners + 1] = { rule = rule, condition = condition }
end

--- Compiles rules into one set a step.
--
-- @param list     array of rules, in order
-- @param options  (optional) options of the core's <code>fpset</code>
-- @return table: step name -> {set, owners}; owners[i] = {rule, condition} of
-- pattern i, where condition is the index into the rule's conditions or nil
-- @return array of messages about patterns that do not compile
-- @return nil and a message when the core cannot be loaded
function M.compile(list, options)
  local lib, message = core.load()
  if not lib then return nil, message end
  local steps, problems = {}, {}
  for _, rule in ipairs(list) do
    for i, pattern in ipairs(rules.patterns(rule)) do
      add_pattern(steps, rule, pattern, rule.conditions and i)
    end
  end
  for _, step in pairs(steps) do
    local errors
    step.set, errors = lib.fpset(step.patterns, options)
    step.patterns = nil
    for _, wrong in ipairs(errors) do
      local owner = step.owners[wrong.index]
      local line = owner.condition and owner.rule.conditions[owner.condition].line or owner.rule.line
      owner.rule.bad = true
      problems[#problems + 1] = ("%s:%d: %s at byte %d of the pattern"):format(owner.rule.file, line, wrong.message, wrong.offset)
    end
  end
  return steps, problems
end

-- The tables beside the rules, where they are there: how products answer, what was published, what is built on what.
local function add_tables(known, folder)
  local problems = {}
  local function note(value, problem)
    problems[#problems + 1] = problem
    return value
  end
  local text = note(read_file(folder .. "/dialects.tsv"))
  known.dialects = note(dialects.read(text or "", folder .. "/dialects.tsv")) or dialects.read("")
  known.builds = note(builds.open(folder))
  known.releases = note(releases.open(folder)) or {}
  known.built_on = note(releases.built_on(folder)) or {}
  return problems
end

-- The text files.
local function texts_of(folder)
  local paths = {}
  for _, names in ipairs { M.FILES, M.TABLES } do
    for _, name in ipairs(names) do paths[#paths + 1] = folder .. "/" .. name end
  end
  return paths
end

local function load_texts(folder)
  local paths = {}
  for i, name in ipairs(M.FILES) do paths[i] = folder .. "/" .. name end
  local list, problems = M.read(paths)
  local steps, wrong = M.compile(list)
  if not steps then return nil, wrong end
  table.move(wrong, 1, #wrong, #problems + 1, problems)
  local known = { rules = list, steps = steps, problems = problems }
  local missing = add_tables(known, folder)
  table.move(missing, 1, #missing, #problems + 1, problems)
  return known
end

-- What identifying needs of a rule; its examples and sources are for lint.
local ONLY_FOR_LINT = { examples = true, rejects = true, cites = true, file = true, line = true, positive = true }

local function slim(rule)
  local kept = {}
  for key, value in pairs(rule) do
    if not ONLY_FOR_LINT[key] then kept[key] = value end
  end
  return kept
end

-- A step's set, and of each of its patterns the rule's number and, where it is one of a rule's conditions, which.
local function pack_step(step)
  local packed = { set = step.set:freeze(), rules = {}, conditions = {} }
  for i, owner in ipairs(step.owners) do packed.rules[i], packed.conditions[i] = owner.rule.order, owner.condition end
  return pack.part(packed)
end

-- Of most products it is asked who gives an answer, and not what else they say: the steps of each are a part.
local function pack_dialects(model)
  local packed, products = {}, {}
  for name, value in pairs(model) do packed[name] = value end
  for i, product in ipairs(model.products) do
    products[i] = {}
    for name, value in pairs(product) do products[i][name] = value end
    products[i].steps, products[i].part = nil, pack.part(product.steps)
  end
  packed.products = products
  return pack.part(packed)
end

--- The packed file for a folder of knowledge: see deepid.pack.
--
-- @return its bytes
-- @return nil and a message when the knowledge is not without problems: then nothing is packed
function M.pack(folder)
  local known, message = load_texts(folder)
  if not known then return nil, message end
  if #known.problems > 0 then return nil, table.concat(known.problems, "\n") end
  local parts = { rules = {}, steps = {} }
  for i, rule in ipairs(known.rules) do parts.rules[i] = pack.part(slim(rule)) end
  for name, step in pairs(known.steps) do parts.steps[name] = pack_step(step) end
  for _, name in ipairs { "builds", "releases", "built_on" } do parts[name] = pack.part(known[name]) end
  parts.dialects = pack_dialects(known.dialects)
  return pack.seal(parts, texts_of(folder))
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
  local packed = pack.open(folder .. "/" .. pack.NAME, texts_of(folder))
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
  return load_texts(folder)
end

return M
