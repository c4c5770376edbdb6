--- Every recording of a real program is identified, and nothing said of it is wrong: by the rules alone, and with the dialects, but for
-- the recordings that these never learned from (what they say of those is counted in doc/accuracy.md).

local t = require "tap"
local deepid = require "deepid"
local identify = require "deepid.identify"
local knowledge = require "deepid.knowledge"
local recorded = require "accuracy.lib.recorded"
local template = require "deepid.template"

local engine = assert(deepid.open())

local function recordings()
  local list, pipe = {}, assert(io.popen("ls test/transcripts/*.md"))
  for path in pipe:lines() do list[#list + 1] = path end
  pipe:close()
  return list
end

local function read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read("a")
  file:close()
  return deepid.transcript.from_markdown(text, path)
end

-- Whether this name is the product's, or that of its kin: Dovecot where only Dovecot LMTP would be exact.
local function is_name_of(name, product) return name ~= nil and product:find(name, 1, true) == 1 end

-- Whether the recorded program is what we name, as the server or as what stands in front.
local function named(result, product)
  if is_name_of(result.identity.product, product) then return true end
  for _, front in ipairs(result.front) do
    if front.name:find(product, 1, true) == 1 then return true end
  end
  return false
end

-- The products that our rules know by name.
local function known_products()
  local known = {}
  for _, rule in ipairs(engine.knowledge.rules) do
    if rule.fields and rule.fields.p then known[template.expand(rule.fields.p, {})] = true end
  end
  return known
end

local known = known_products()

-- What a recording hides, the rules need not know: `settings` says what was hidden, and by what it stands.
local function must_be_named(facts)
  local is_open = not (facts.settings:find("hidden", 1, true) or facts.settings:find("behind:", 1, true))
  for product in pairs(known) do
    if is_name_of(product, facts.product) then return is_open end
  end
  return false
end

local function first_greeting(transcript)
  for _, step in ipairs(transcript.steps) do
    if step.step == "greeting" then return step.reply end
  end
  return ""
end

local function check_result(result, transcript, facts)
  local identity = result.identity
  local built_on = engine.knowledge.built_on[facts.product] or {}
  local greets_as_it = identity.basis == "both" and built_on[identity.product]
  local truth = named(result, facts.product) or identity.product == facts.library or greets_as_it
  local message = ("not named %s, but %s"):format(facts.product, deepid.json.encode(identity))
  t.ok(truth or not (identity.product or must_be_named(facts)), message)
  if identity.product ~= facts.product or not facts.version then return end
  local window = { min = identity.version_min, max = identity.version_max }
  local is_said = first_greeting(transcript):find(facts.version, 1, true) and not recorded.own_number(facts.product, facts.version)
  if is_said then t.eq(identity.version, facts.version, "version in the greeting") end
  if identity.version then t.eq(identity.version, facts.version, "version") end
  t.ok(recorded.is_inside(window, facts.product, facts.version), ("outside of %s to %s"):format(window.min, window.max))
end

local is_frozen = recorded.frozen()
local rules_alone = setmetatable({ dialects = false }, { __index = engine.knowledge })

local function check(path)
  local transcript, facts = read(path)
  t.ok(transcript, tostring(facts))
  t.ok(facts.product, "the recording states no product")
  check_result(identify.identify(rules_alone, transcript), transcript, facts)
  if not is_frozen(facts) then check_result(engine:identify(transcript), transcript, facts) end
end

local paths = recordings()
t.test("there are recordings", function() t.ok(#paths > 0) end)
-- A rule that cites a recording which is not there has no source.
local function check_cites()
  for _, rule in ipairs(assert(knowledge.load(nil, { texts = true })).rules) do
    for _, cite in ipairs(rule.cites) do
      for path in cite:gmatch("test/transcripts/[%w.-]+%.md") do
        local file = io.open(path, "rb")
        t.ok(file, ("rule %s cites %s"):format(rule.id, path))
        file:close()
      end
    end
  end
end

t.test("every recording that a rule cites is there", check_cites)
for _, path in ipairs(paths) do
  t.test(path, function() check(path) end)
end
t.done()
