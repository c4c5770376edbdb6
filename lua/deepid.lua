--- smtp-deepid's engine: opens the knowledge and identifies transcripts.
--
-- @usage
-- local deepid = require "deepid"
-- local engine = assert(deepid.open())
-- local result = engine:identify(deepid.transcript.from_greeting("220 mx.example.org ESMTP Exim 4.96 ready"))
-- print(result.identity.product, result.identity.version)

local M = {
  escape = require "deepid.escape",
  json = require "deepid.json",
  report = require "deepid.report",
  survey = require "deepid.survey",
  transcript = require "deepid.transcript",
  verdict = require "deepid.verdict",
  words = require "deepid.words",
}

local behaves = require "deepid.behaves"
local identify = require "deepid.identify"
local knowledge = require "deepid.knowledge"
local second_opinion = require "deepid.second_opinion"

local SETTLED = 0.95

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
  local opinion = options.second_opinion and second_opinion.open(options.second_opinion)
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

--- The step that tells most next, for deepid.plan.
--
-- @param transcript  so far
-- @param names       array of the steps that may be asked
-- @return a name of these; nil when none is worth its cost
function Engine:choose(transcript, names)
  if is_settled(identify.identify(self.knowledge, transcript)) then return nil end
  return behaves.choose(self.knowledge, transcript, names)
end

--- How many errors a server may be asked for on one connection, for deepid.plan.
--
-- @param usual  what a server that nobody knows is asked for
function Engine:errors(transcript, usual) return behaves.errors(self.knowledge, transcript, usual) end

return M
