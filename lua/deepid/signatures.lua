--- Which rules match a transcript, and what they say: hits.
--
-- A hit is {rule, step (its record in the transcript), captures, fields}.

local derived = require "deepid.derived"
local memo = require "deepid.memo"
local template = require "deepid.template"

local M = {}

local function observed(step) return step["end"] == "reply" end

local function fields_of(rule, captures)
  local fields = template.expand_fields(rule.fields, captures)
  fields.service = rule.service ~= "smtp" and rule.service or nil
  return fields
end

-- Who packs a reply with words of our rules makes us give up on many.
local MOST_TOLD = 10

local function add_stuck(compiled, step, stuck, skipped)
  for i = 1, math.min(#stuck, MOST_TOLD) do skipped[#skipped + 1] = compiled.owners[stuck[i]].rule.id .. " on " .. step.step end
  if #stuck > MOST_TOLD then skipped[#skipped + 1] = ("%d more rules on %s"):format(#stuck - MOST_TOLD, step.step) end
end

-- What matches a reply, and what whole rules say of it. A session is judged after each step, and all that came before is judged again.
local function matches(compiled, reply)
  compiled.known = compiled.known or memo(function(text)
    local hits, stuck, truncated = compiled.set:match(text)
    local fields = {}
    for i, hit in ipairs(hits) do
      local owner = compiled.owners[hit.rule]
      fields[i] = not owner.condition and fields_of(owner.rule, hit)
    end
    return { hits = hits, fields = fields, stuck = stuck or {}, truncated = truncated }
  end)
  return compiled.known(reply)
end

-- Notes what matched in one reply: whole rules as hits, conditions by rule.
local function match_step(compiled, step, found)
  local matched = matches(compiled, step.reply)
  for i, hit in ipairs(matched.hits) do
    local owner = compiled.owners[hit.rule]
    if owner.condition then
      local held = found.held[owner.rule] or {}
      found.held[owner.rule] = held
      held[owner.condition] = held[owner.condition] or { step = step, captures = hit }
    else
      found.hits[#found.hits + 1] = { rule = owner.rule, step = step, captures = hit, fields = matched.fields[i] }
    end
  end
  add_stuck(compiled, step, matched.stuck, found.skipped)
  if matched.truncated then found.skipped[#found.skipped + 1] = "the end of a long reply to " .. step.step end
end

--- Whether a rule of this role finds all that it needs in one reply.
--
-- @param compiled  of one step, from <code>texts.compile</code>
function M.has_role(compiled, reply, role)
  for _, index in ipairs { compiled.set:rules(reply) } do
    local owner = compiled.owners[index]
    if owner.rule.role == role and not owner.condition then return true end
  end
  return false
end

-- Whether the conditions of a rule hold; and the condition whose captures count.
local function judge(rule, held, seen)
  local first_need, first_any, wants_any
  for i, condition in ipairs(rule.conditions) do
    local match = held[i]
    if condition.kind == "forbid" then
      if match or not seen[condition.step] then return nil end
    elseif condition.kind == "need" then
      if not match then return nil end
      first_need = first_need or match
    else
      wants_any = true
      first_any = first_any or match
    end
  end
  if wants_any and not first_any then return nil end
  return first_need or first_any
end

-- Connections that were turned away while another one was let in: what they were
-- told was for the moment (a limit, Nmap's own probes), and is not what the server is.
local function turned_away(transcript)
  local greetings, accepted = {}, false
  for _, step in ipairs(transcript.steps) do
    if step.step == "greeting" then
      local is_accepted = step.reply:find("^2%d%d") ~= nil
      greetings[step.connection or 1] = is_accepted
      accepted = accepted or is_accepted
    end
  end
  local away = {}
  for connection, is_accepted in pairs(greetings) do
    if accepted and not is_accepted then away[connection] = true end
  end
  return away
end

local Reader = {}
Reader.__index = Reader

--- What rules say of a transcript that grows: what was matched is carried from step to step.
--
-- @param steps  from <code>texts.compile</code>
function M.reader(steps) return setmetatable({ steps = steps, count = -1 }, Reader) end

local function take(reader, step, position)
  local compiled = reader.steps[step.step]
  reader.position[step] = position
  if reader.away[step.connection or 1] then return end
  if observed(step) then reader.seen[step.step] = true end
  if compiled and step.reply ~= "" then match_step(compiled, step, reader.found) end
end

local BEGINS = { greeting = true, ehlo = true }

-- From the start: who is let in tells whether what was said before counts, and a second EHLO what the two have in common.
local function begin(reader, transcript)
  reader.found, reader.seen, reader.position, reader.away = { hits = {}, held = {}, skipped = {} }, {}, {}, turned_away(transcript)
  reader.count = 0
  for i, step in ipairs(derived.steps(transcript)) do take(reader, step, math.maxinteger - 9 + i) end
end

local function take_new(reader, transcript)
  local all = transcript.steps
  local is_beginning = reader.count < 0
  for i = reader.count + 1, #all do is_beginning = is_beginning or BEGINS[all[i].step] end
  if is_beginning then begin(reader, transcript) end
  for i = reader.count + 1, #all do take(reader, all[i], i) end
  reader.count, reader.result = #all, nil
end

local function result_of(reader)
  local found, position = reader.found, reader.position
  local hits = table.move(found.hits, 1, #found.hits, 1, {})
  for rule, held in pairs(found.held) do
    local match = not rule.bad and judge(rule, held, reader.seen)
    if match then hits[#hits + 1] = { rule = rule, step = match.step, captures = match.captures, fields = fields_of(rule, match.captures) } end
  end
  table.sort(hits, function(a, b)
    if a.rule.order ~= b.rule.order then return a.rule.order < b.rule.order end
    return position[a.step] < position[b.step]
  end)
  return hits
end

--- Matches all rules against a transcript, the one that was given before and what has been added to it since.
--
-- Where a retry was let in, the connections before it are left out. A step whose reply was not whole is matched as far as it came, but counts as
-- unknown for <code>forbid</code>.
--
-- @param transcript  see DESIGN.md
-- @return array of hits in file order; array of what could not be judged
function Reader:hits(transcript)
  if self.count ~= #transcript.steps then take_new(self, transcript) end
  self.result = self.result or result_of(self)
  return self.result, self.found.skipped
end

--- The same of a whole transcript.
function M.hits(steps, transcript) return M.reader(steps):hits(transcript) end

return M
