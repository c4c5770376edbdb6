--- What is carried from step to step is what the whole transcript says: readers of rules and of answers, and the result of a session, on
-- recorded servers.

local behaviour = require "deepid.behaviour"
local deepid = require "deepid"
local json = require "deepid.json"
local signatures = require "deepid.signatures"
local t = require "tap"

local EACH = 24 -- of the recordings, by one Lua or the other; and of the steps, beside those at which connections begin

local engine = assert(deepid.open())

local function recordings()
  local list, pipe = {}, assert(io.popen("ls test/transcripts/*.md"))
  for path in pipe:lines() do list[#list + 1] = path end
  pipe:close()
  return list
end

local function read(path)
  local file = assert(io.open(path, "rb"))
  local made = assert(deepid.transcript.from_markdown(file:read("a"), path))
  file:close()
  return made
end

-- Hits as words: the rule, the step's place, and what was read.
local function words_of(transcript, hits, skipped)
  local place, words = {}, {}
  for i, step in ipairs(transcript.steps) do place[step] = i end
  for i, hit in ipairs(hits) do words[i] = ("%s %s %s"):format(hit.rule.id, place[hit.step] or hit.step.step, json.encode(hit.fields)) end
  return { words, skipped }
end

-- Grows a copy of the transcript step by step; calls back at some of them.
local function grow(whole, visit)
  local grown = {}
  for key, value in pairs(whole) do grown[key] = value end
  grown.steps = {}
  for i, step in ipairs(whole.steps) do
    grown.steps[i] = step
    if i % EACH == 0 or i == #whole.steps or step.step == "greeting" or step.step == "ehlo" then visit(grown) end
  end
end

local all, compared = recordings(), 0
local first = _VERSION == "Lua 5.3" and 1 or 1 + EACH
for number = first, #all, 2 * EACH do
  local whole = read(all[number])
  t.test(all[number]:match("[^/]*$"), function()
    local rules, answers, adviser = signatures.reader(engine.knowledge.steps), behaviour.reader(), engine:adviser()
    grow(whole, function(grown)
      compared = compared + 1
      t.eq(answers:read(grown), behaviour.tokens(grown))
      t.eq(words_of(grown, rules:hits(grown)), words_of(grown, signatures.hits(engine.knowledge.steps, grown)))
      local names = { "unknown", "rset", "etrn", "auth" }
      t.eq(adviser.choose(grown, names), engine:adviser().choose(grown, names))
      t.eq(json.encode(adviser.identify(grown)), json.encode(engine:identify(grown)))
    end)
    t.eq(behaviour.token(whole, "help"), behaviour.tokens(whole).help)
    t.eq(behaviour.token(whole, "ehlo"), behaviour.tokens(whole).ehlo)
  end)
end

t.test("a connection that is let in later makes those before it count no more", function()
  local whole = { address = "192.0.2.1", port = 25, steps = {} }
  local function add(name, connection, reply) table.insert(whole.steps, { step = name, connection = connection, tls = "none", sent = "", reply = reply, ["end"] = "reply" }) end
  add("greeting", 1, "421 mx.example.org ESMTP Postfix\r\n")
  add("greeting", 2, "220 mx.example.org ESMTP Exim 4.96 Mon, 30 Nov 2026 12:29:04 +0000\r\n")
  local reader = signatures.reader(engine.knowledge.steps)
  grow(whole, function(grown)
    t.eq(words_of(grown, reader:hits(grown)), words_of(grown, signatures.hits(engine.knowledge.steps, grown)))
  end)
  for _, hit in ipairs((reader:hits(whole))) do t.eq(hit.step.connection, 2) end
end)

t.test("recordings were compared", function() t.ok(compared > 80, compared) end)

t.done()
