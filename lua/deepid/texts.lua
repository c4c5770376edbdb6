--- The knowledge's text files: read, compiled into one set a step, and packed.

local builds = require "deepid.builds"
local core = require "deepid.core"
local dialect_table = require "deepid.dialect_table"
local knowledge = require "deepid.knowledge"
local pack = require "deepid.pack"
local releases = require "deepid.releases"
local roles = require "deepid.roles"
local rules = require "deepid.rules"

local M = {}

local function read_file(path)
  local file, message = io.open(path, "rb")
  if not file then return nil, message end
  -- As much as there is, at once: read("a") takes twice as long, since it grows its buffer on the way. What is no file is read so, too.
  local size = file:seek("end")
  local text = size and file:seek("set") and size > 0 and file:read(size) or file:read("a")
  file:close()
  return text
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
  known.built_on = note(releases.built_on(folder)) or {}
  known.dialects = note(dialect_table.read(text or "", folder .. "/dialects.tsv", known.built_on)) or dialect_table.read("")
  known.builds = note(builds.open(folder))
  known.releases = note(releases.open(folder)) or {}
  return problems
end

--- Reads and compiles the text files of a folder.
--
-- @return as <code>knowledge.load</code>
function M.load(folder)
  local paths = {}
  for i, name in ipairs(knowledge.FILES) do paths[i] = folder .. "/" .. name end
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
  local known, message = M.load(folder)
  if not known then return nil, message end
  if #known.problems > 0 then return nil, table.concat(known.problems, "\n") end
  local parts = { rules = {}, steps = {} }
  for i, rule in ipairs(known.rules) do parts.rules[i] = pack.part(slim(rule)) end
  for name, step in pairs(known.steps) do parts.steps[name] = pack_step(step) end
  for _, name in ipairs { "builds", "releases", "built_on" } do parts[name] = pack.part(known[name]) end
  parts.dialects = pack_dialects(known.dialects)
  return pack.seal(parts, knowledge.texts_of(folder))
end

return M
