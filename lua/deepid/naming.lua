--- Names what sessions show, as far as the survey asks: the product and what stands in front. Fast for lone greetings.

local template = require "deepid.template"

local M = {}

local UNNAMED = { fronts = {} }

local function fronts_of(result)
  local fronts = {}
  for i, front in ipairs(result.front) do
    fronts[i] = { role = front.role, name = front.name, device = front.device, confidence = front.confidence }
  end
  return fronts
end

--- What the survey keeps of a port result.
-- @return table: <code>product</code> and <code>fronts</code>, an array of {role, name, device, confidence}
function M.of(result) return { product = result.identity.product, fronts = fronts_of(result) } end

local Naming = {}
Naming.__index = Naming

--- @param engine  (optional) what <code>deepid.open</code> gave; without it nothing has a name
function M.new(engine)
  local greeting = engine and engine.knowledge.steps.greeting
  -- A second opinion looks at more than our rules do, so what they say does not tell the result.
  return setmetatable({ engine = engine, by_rules = greeting and not engine.second_opinion and greeting, varies = {}, kept = {} }, Naming)
end

-- Whether a rule takes names from the words that it matches.
local function takes_words(naming, index)
  local varies = naming.varies[index]
  if varies == nil then
    local fields = naming.by_rules.owners[index].rule.fields
    varies = next(template.groups(fields.p or {}, template.groups(fields.d or {}))) ~= nil
    naming.varies[index] = varies
  end
  return varies
end

-- The rules that match a greeting, as a text; nil where a name is taken from its words.
local function key_of(naming, reply)
  local hits = naming.by_rules.set:match(reply)
  local indices = {}
  for i, hit in ipairs(hits) do
    if takes_words(naming, hit.rule) then return nil end
    indices[i] = hit.rule
  end
  return table.concat(indices, " ")
end

local function transcript_of(reply)
  return { steps = { { step = "greeting", connection = 1, tls = "none", sent = "", reply = reply, ["end"] = "reply" } } }
end

--- The rules by which lone greetings are told apart, as the core has them; nil where all are named alike, or each by itself.
function Naming:set() return self.by_rules and self.by_rules.set or nil end

--- What all greetings are that the same rules match as this one.
-- @return as <code>greeting</code> does; nil where each must be asked for by itself
function Naming:shared(reply)
  if not self.engine then return UNNAMED end
  return self.by_rules and key_of(self, reply) and self:greeting(reply) or nil
end

--- What a server is that was heard to greet, and no more. Which rules match says it: the words are matched, and the rest of
-- identification is done once for each set of rules.
function Naming:greeting(reply)
  if not self.engine then return UNNAMED end
  local key = self.by_rules and key_of(self, reply)
  if key and self.kept[key] then return self.kept[key] end
  local named = M.of(self.engine:identify(transcript_of(reply)))
  if key then self.kept[key] = named end
  return named
end

--- The same of a transcript.
function Naming:transcript(transcript)
  if not self.engine then return UNNAMED end
  local first = transcript.steps[1]
  if #transcript.steps == 1 and first.step == "greeting" and first["end"] == "reply" then return self:greeting(first.reply) end
  return M.of(self.engine:identify(transcript))
end

return M
