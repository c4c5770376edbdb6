--- smtp-deepid's engine: opens the knowledge and identifies transcripts.
--
-- @usage
-- local deepid = require "deepid"
-- local engine = assert(deepid.open())
-- local result = engine:identify(deepid.transcript.from_greeting("220 mx.example.org ESMTP Exim 4.96 ready"))
-- print(result.identity.product, result.identity.version)

local lazy = require "deepid.lazy"

local M = {
  escape = lazy "deepid.escape",
  json = lazy "deepid.json",
  report = lazy "deepid.report",
  survey = lazy "deepid.survey",
  transcript = lazy "deepid.transcript",
  verdict = lazy "deepid.verdict",
  words = lazy "deepid.words",
}

local identify = require "deepid.identify"
local knowledge = require "deepid.knowledge"
local behaves, behaviour = lazy "deepid.behaves", lazy "deepid.behaviour"
local signatures = lazy "deepid.signatures"

local SETTLED = 0.95
local MOST_KEPT, KEY_BYTES = 64, 512 -- for one way to answer: the keys are partly the peers' words

local Engine = {}
Engine.__index = Engine

--- Opens the engine: reads and compiles the knowledge.
--
-- @param options  (optional) table: <code>folder</code>, other knowledge than what came
-- with this module; <code>second_opinion</code>, path of an nmap-service-probes; <code>texts</code>, as for <code>knowledge.load</code>
-- @return engine; its <code>problems</code> is an array of messages about the knowledge
-- @return nil and a message when the core or the knowledge is missing
function M.open(options)
  options = options or {}
  local known, message = knowledge.load(options.folder, options)
  if not known then return nil, message end
  local opinion = options.second_opinion and { path = options.second_opinion }
  return setmetatable({ knowledge = known, problems = known.problems, second_opinion = opinion }, Engine)
end

--- Judges a transcript.
--
-- @return port result, see DESIGN.md "Output contract"
function Engine:identify(transcript)
  return identify.identify(self.knowledge, transcript, { second_opinion = self.second_opinion })
end

-- Whether more steps could hardly tell more: product and version are known by word and by deed, or something that refuses us is in the way.
local function is_settled(result)
  local front, identity = result.front[1], result.identity
  return (identity.product ~= nil and identity.version ~= nil and identity.basis == "both" and identity.confidence >= SETTLED)
    or (front ~= nil and (front.role == "blocker" or front.role == "interceptor"))
end

-- What, beside the answers, decides whether it is settled: which rules match, and the product and version that they read.
local function key_of(hits)
  local parts = {}
  for i, hit in ipairs(hits) do
    local fields = hit.fields
    parts[i] = ("%d %s %s\0%s"):format(hit.rule.order, hit.step.step, fields.product or "", fields.version or "")
  end
  return table.concat(parts, "\0")
end

local function keep(settled, key, value)
  if #key > KEY_BYTES then return end
  if settled.count >= MOST_KEPT then
    for old in pairs(settled) do settled[old] = nil end
    settled.count = 0
  end
  settled[key], settled.count = value, settled.count + 1
end

-- Whether a greeting that is still coming names a tarpit, and has done so for a byte: its last word may go on.
local function is_tarpit(known, greeting)
  local rules = known.steps.greeting
  return signatures.has_role(rules, greeting, "tarpit") and signatures.has_role(rules, greeting:sub(1, -2), "tarpit")
end

--- What deepid.plan asks of the engine in one session, as its options. It asks more than once between two steps: the answers are
-- worked out once for each step.
--
-- @return table: <code>choose</code>, function of the transcript so far and of an array of steps' names: the one that tells most, or nil when
--   none is worth its cost; <code>errors</code>, function of the transcript and of what a server that nobody knows is asked for: how many
--   errors this one may be asked for on one connection; what the session asks: <code>is_tarpit</code>, function of a greeting that is still
--   coming: whether a tarpit has named itself in it; and <code>identify</code>, <code>Engine:identify</code> of this session
function Engine:adviser()
  local known, rules, answers = self.knowledge, signatures.reader(self.knowledge.steps), behaviour.reader()
  local reading, count
  local function read(transcript)
    if count ~= #transcript.steps then count, reading = #transcript.steps, behaves.read(known, transcript, answers) end
    return reading
  end
  local function is_enough(transcript)
    local settled, key = read(transcript).settled, key_of(rules:hits(transcript))
    local value = settled[key]
    if value == nil then
      value = is_settled(identify.identify(known, transcript, { reader = rules, reading = reading, only_who = true }))
      keep(settled, key, value)
    end
    return value
  end
  return {
    choose = function(transcript, names) return not is_enough(transcript) and behaves.choose(known, reading, names) or nil end,
    errors = function(transcript, usual) return behaves.errors(read(transcript), usual, rules:hits(transcript)) end,
    is_tarpit = function(greeting) return is_tarpit(known, greeting) end,
    identify = function(transcript)
      return identify.identify(known, transcript, { reader = rules, reading = read(transcript), second_opinion = self.second_opinion })
    end,
  }
end

return M
