--- How often the dialects are right: the tables that doc/accuracy.md keeps. `make accuracy` prints them, and writes them there.
--
-- Everything here goes the way of a live session: the plan asks a recording (accuracy.lib.replay), at the depth that is named.

local behaviour = require "deepid.behaviour"
local deepid = require "deepid"
local dialect_table = require "deepid.dialect_table"
local identify = require "deepid.identify"
local learn = require "deepid.learn"
local recorded = require "accuracy.lib.recorded"
local replay = require "accuracy.lib.replay"
local steps = require "deepid.steps"
local telling = require "accuracy.lib.telling"
local windows = require "deepid.window"

local M = {}

local WHOLE = 20 -- steps; a recording of fewer is of a server that let nobody in, and has no dialect to speak of
local MOST_NOTES = 25
local HIDDEN = "220 mx.example.org ESMTP\r\n"
local CLAIMS = {
  ["Sendmail"] = "220 mx.example.org ESMTP Sendmail 8.15.2/8.15.2; Tue, 24 Nov 2026 10:00:00 GMT\r\n",
  ["Postfix smtpd"] = "220 mx.example.org ESMTP Postfix (Debian/GNU)\r\n",
  ["Exim smtpd"] = "220 mx.example.org ESMTP Exim 4.96 Tue, 24 Nov 2026 10:00:00 +0000\r\n",
  ["Microsoft Exchange smtpd"] = "220 mx.example.org Microsoft ESMTP MAIL Service ready at Tue, 24 Nov 2026 10:00:00 +0000\r\n",
}

local engine = assert(deepid.open())
local lines = {}

local function say(text) lines[#lines + 1] = text or "" end
local kinds = recorded.kinds()
local all = recorded.all()

-- The knowledge with a table of dialects of its own; without rules where only behaviour counts.
local function knowledge_of(model, with_rules)
  local known = setmetatable({ dialects = model }, { __index = engine.knowledge })
  if not with_rules then known.steps, known.rules = {}, {} end
  return known
end

local cache = {}

-- The model of all learnable recordings but those that `leaves_out` names.
local function model_without(name, leaves_out)
  if not cache[name] then
    local list = {}
    for _, digest in ipairs(recorded.learnable(all)) do
      if not leaves_out(digest) then list[#list + 1] = digest end
    end
    cache[name] = assert(dialect_table.read(learn.write(list, kinds), nil, engine.knowledge.built_on))
  end
  return cache[name]
end

-- What the catalogue's every step teaches, also those that no scan sends.
local function model_of_all_steps()
  return assert(dialect_table.read(learn.write(recorded.learnable(all), kinds, true), nil, engine.knowledge.built_on))
end

local function knows(model, product)
  for _, one in ipairs(model.products) do
    if one.name == product then return true end
  end
  return false
end

-- One session with a recording, and what came of it.
local function session(known, digest, depth, greeting)
  local options = engine.adviser({ knowledge = known })
  options.depth = depth
  local transcript = replay.run(digest.transcript, options, greeting)
  return identify.identify(known, transcript), transcript
end

local function hidden(digest) return digest.transcript.steps[1].reply:find("^2") and HIDDEN or nil end

-- The product that a result names, as the server or as what stands in front.
local function named(result)
  if result.identity.product then return result.identity.product, result.identity.confidence end
  local front = result.front[1]
  if front then return front.name, front.confidence end
end

-- Wilson's interval of 95%, in percent.
local function interval(part, whole)
  if whole == 0 then return 0, 100 end
  local z, p = 1.959964, part / whole
  local middle, wide = p + z * z / (2 * whole), z * math.sqrt(p * (1 - p) / whole + z * z / (4 * whole * whole))
  local scale = 100 / (1 + z * z / whole)
  return math.max(0, (middle - wide) * scale), math.min(100, (middle + wide) * scale)
end

local function share(part, whole)
  local low, high = interval(part, whole)
  return ("%d of %d: %.1f%% (%.1f-%.1f)"):format(part, whole, whole > 0 and 100 * part / whole or 0, low, high)
end

local function new_count(only_wrong) return { only_wrong = only_wrong, right = 0, wrong = 0, unknown = 0, all = 0, notes = {} } end

local function tally(count, result, digest)
  local name, confidence = named(result)
  local is_right = name and (name == digest.product or name == digest.facts.product or digest.product:find(name .. " ", 1, true) == 1)
  local kind = name == nil and "unknown" or is_right and "right" or "wrong"
  count[kind], count.all = count[kind] + 1, count.all + 1
  if kind ~= "right" and (kind == "wrong" or not count.only_wrong) then count.notes[#count.notes + 1] = ("%s: %s"):format(digest.path:match("([^/]+)%.md$"), name or "unknown") end
  return kind, confidence
end

local function median(list)
  table.sort(list)
  return list[(#list + 1) // 2]
end

-- Steps after the hello, and whether the server was asked for as many errors as make it hang up, or for more after it had.
local function costs(transcript, limit)
  local asked, errors, connection, is_over = 0, 0, 0, false
  for _, step in ipairs(transcript.steps) do
    if step.connection ~= connection then errors, connection = 0, step.connection end
    local name = step.step
    if name ~= "greeting" and name ~= "quit" and name ~= "ehlo" and name ~= "helo" and name ~= "lhlo" then asked = asked + 1 end
    local is_late = step.reply == "" and steps.by_name[name].errors > 0 and errors > 0 and errors + 1 >= (limit or math.huge)
    if name ~= "greeting" and step.reply:find("^[45]") then errors = errors + 1 end
    is_over = is_over or is_late or errors >= (limit or math.huge)
  end
  return asked, is_over
end

local function say_count(title, count)
  say(("| %s | %s | %s | %s |"):format(title, share(count.right, count.all), share(count.wrong, count.all), share(count.unknown, count.all)))
end

local function say_notes(count)
  for i = 1, math.min(MOST_NOTES, #count.notes) do say("    " .. count.notes[i]) end
  if #count.notes > MOST_NOTES then say(("    and %d more"):format(#count.notes - MOST_NOTES)) end
end

-- --- Hidden banners: products known from other versions, in other settings, and never recorded ---

-- Whether one is built on the other, or says its words.
local function is_related(one, other)
  local built_on = engine.knowledge.built_on
  return (built_on[one] and built_on[one][other] or built_on[other] and built_on[other][one]) ~= nil
end

local NEVER = "product never recorded"
local PLANS = {
  { "unseen release", function(digest) return digest.product .. "\t" .. tostring(digest.version) end,
    function(one, other) return one.product == other.product and one.version == other.version end },
  { "unseen settings or front", function(digest) return digest.product .. "\t" .. digest.settings end,
    function(one, other) return one.product == other.product and one.settings == other.settings end },
  { NEVER, function(digest) return digest.product end, function(one, other) return one.product == other.product end },
}
-- The relatives that are known to say its words are left out as well.
local ALONE = { NEVER .. ", nor who is known to say its words", PLANS[3][2],
  function(one, other) return one.product == other.product or is_related(one.product, other.product) end }

local function is_whole(digest) return #digest.transcript.steps > WHOLE end

-- One session behind a hidden greeting: counted, and kept in `seen` with all that the later tables need.
--
-- @param case  {plan, depth, digest, model}
local function try(count, seen, case, with_rules)
  local result, transcript = session(knowledge_of(case.model, with_rules), case.digest, case.depth, hidden(case.digest))
  case.kind, case.confidence = tally(count, result, case.digest)
  case.name, case.transcript = named(result), transcript
  seen[#seen + 1] = case
end

-- Runs one way of leaving out at one depth; fills what the later tables need.
local function leave_out(plan, depth, seen, with_rules)
  local is_never = plan[1]:find(NEVER, 1, true) ~= nil
  local count = new_count(is_never)
  for _, digest in ipairs(recorded.learnable(all)) do
    local model = model_without(plan[1] .. plan[2](digest), function(other) return plan[3](digest, other) end)
    local is_known = knows(model, digest.product)
    if is_whole(digest) and is_known ~= is_never then
      try(count, seen, { plan = plan[1], depth = depth, digest = digest, model = model }, with_rules)
    end
  end
  return count
end

local function say_hidden(seen)
  say("| greeting hidden | right | wrong | unknown |\n|---|---|---|---|")
  local notes = {}
  for _, plan in ipairs(PLANS) do
    for _, depth in ipairs { "full", "adaptive" } do
      local count = leave_out(plan, depth, seen)
      say_count(("%s, %s"):format(plan[1], depth), count)
      notes[#notes + 1] = { plan[1] .. ", " .. depth, count }
    end
    if plan[1] ~= NEVER then
      local count = leave_out(plan, "adaptive", {}, true)
      say_count(plan[1] .. ", adaptive, with the rules", count)
      notes[#notes + 1] = { plan[1] .. ", adaptive, with the rules", count }
    end
  end
  for _, depth in ipairs { "full", "adaptive" } do
    local count = leave_out(ALONE, depth, {})
    say_count(("%s, %s"):format(ALONE[1], depth), count)
    notes[#notes + 1] = { ALONE[1] .. ", " .. depth, count }
  end
  for _, note in ipairs(notes) do
    if #note[2].notes > 0 then
      say("\nNot right, " .. note[1] .. ":\n")
      say_notes(note[2])
    end
  end
end

-- --- What adaptive depth costs, and whether it agrees with full depth ---

local function say_costs(seen)
  local by_case, agree, both, asked, over, limits = {}, 0, 0, {}, { full = 0, adaptive = 0 }, { full = 0, adaptive = 0 }
  for _, one in ipairs(seen) do
    local key = one.plan .. one.digest.path
    if one.depth == "full" then by_case[key] = one end
    local asked_here, is_over = costs(one.transcript, one.digest.limit)
    limits[one.depth] = limits[one.depth] + (one.digest.limit and 1 or 0)
    over[one.depth] = over[one.depth] + (is_over and 1 or 0)
    if one.depth == "adaptive" and one.plan ~= NEVER then
      asked[#asked + 1], both = asked_here, both + 1
      agree = agree + (by_case[key].name == one.name and 1 or 0)
    end
  end
  say(("\nAdaptive depth names the product that full depth names: %s. Steps after the hello, adaptive: median %d, most %d."):format(
    share(agree, both), median(asked), asked[#asked]))
  say(("Sessions in which a server with a known limit was asked for as many errors as that, or asked on when it had hung up: adaptive %d of %d, full %d of %d."):format(
    over.adaptive, limits.adaptive, over.full, limits.full))
end

-- --- Confidence ---

local BINS = { 0.85, 0.9, 0.95, 0.98, 0.99, 1.0001 }

local function say_reliability(seen)
  say("\n| confidence stated | answers | right | stated, mean |\n|---|---|---|---|")
  for i = 1, #BINS - 1 do
    local right, count, sum = 0, 0, 0
    for _, one in ipairs(seen) do
      if one.confidence and one.confidence >= BINS[i] and one.confidence < BINS[i + 1] then
        count, sum = count + 1, sum + one.confidence
        right = right + (one.kind == "right" and 1 or 0)
      end
    end
    if count > 0 then say(("| %.2f-%.2f | %d | %s | %.1f%% |"):format(BINS[i], math.min(1, BINS[i + 1]), count, share(right, count), 100 * sum / count)) end
  end
end

-- --- Forged and honest greetings, with the rules ---

local function claim_of(result)
  for _, front in ipairs(result.front) do
    if front.claims then return front.claims end
  end
end

local function say_forged(title, digests, model_for)
  local forged, honest = { caught = 0, told = 0, all = 0, notes = {} }, { accused = 0, all = 0, notes = {} }
  for _, digest in ipairs(digests) do
    local model = is_whole(digest) and hidden(digest) and model_for(digest)
    if model and knows(model, digest.product) then
      local known = knowledge_of(model, true)
      for claims, greeting in pairs(CLAIMS) do
        if claims ~= digest.product then
          local result = session(known, digest, "adaptive", greeting)
          local name = result.identity.product
          local is_told = claim_of(result) ~= nil
          local is_caught = is_told and (name == digest.product or name == digest.facts.product)
          forged.all, forged.told, forged.caught = forged.all + 1, forged.told + (is_told and 1 or 0), forged.caught + (is_caught and 1 or 0)
          if not is_caught then forged.notes[#forged.notes + 1] = ("%s as %s: %s"):format(digest.path:match("([^/]+)%.md$"), claims, named(result) or "unknown") end
        end
      end
    end
    if is_whole(digest) and model then
      local claims = claim_of((session(knowledge_of(model, true), digest, "adaptive")))
      honest.all, honest.accused = honest.all + 1, honest.accused + (claims and 1 or 0)
      if claims then honest.notes[#honest.notes + 1] = ("%s: says %s"):format(digest.path, claims) end
    end
  end
  table.sort(forged.notes)
  say(("| %s | %s | %s | %s |"):format(title, share(forged.caught, forged.all), share(forged.told, forged.all), share(honest.accused, honest.all)))
  return forged, honest
end

-- --- Versions ---

local function window_of(model, digest, tokens)
  for _, product in ipairs(model.products) do
    if product.name == digest.product then return windows.of(engine.knowledge.releases, model, product, tokens), product end
  end
end

local function width(window, product)
  if window then return window.open, window.all end
  local list = engine.knowledge.releases[product.name] or product.versions
  return #list, #list
end

local function is_same(one, other)
  if not (one and other) then return one == other end
  return one.min == other.min and one.max == other.max
end

local function say_versions(seen)
  local inside, cases, notes = 0, 0, {}
  for _, one in ipairs(seen) do
    if one.plan == "unseen release" and one.kind == "right" and one.digest.version then
      local window = window_of(one.model, one.digest, behaviour.tokens(one.transcript))
      local is_inside = not window or recorded.is_inside(window, one.digest.product, one.digest.version)
      cases, inside = cases + 1, inside + (is_inside and 1 or 0)
      if not is_inside then notes[#notes + 1] = ("    %s, %s"):format(one.digest.path:match("([^/]+)%.md$"), one.depth) end
    end
  end
  say(("\nThe window of an unseen release holds it: %s."):format(share(inside, cases)))
  for _, note in ipairs(notes) do say(note) end
  say("\n| product | recorded releases | published | width at adaptive depth | at full depth | best the recordings allow |\n|---|---|---|---|---|---|")
  local model, whole, rows, reached, wholes = model_without("nothing", function() return false end), model_of_all_steps(), {}, 0, 0
  for _, digest in ipairs(recorded.learnable(all)) do
    if is_whole(digest) and digest.version then
      local best, product = window_of(whole, digest, digest.tokens)
      local row = rows[digest.product] or { count = 0, adaptive = 0, full = 0, best = 0, product = product }
      rows[digest.product], row.count = row, row.count + 1
      for _, depth in ipairs { "adaptive", "full" } do
        local _, transcript = session(knowledge_of(model), digest, depth, hidden(digest))
        local window = window_of(model, digest, behaviour.tokens(transcript))
        row[depth] = row[depth] + width(window, product)
        if depth == "full" then wholes, reached = wholes + 1, reached + (is_same(window, best) and 1 or 0) end
      end
      row.best, row.all = row.best + width(best, product), select(2, width(best, product))
    end
  end
  local names = {}
  for name, row in pairs(rows) do
    if #row.product.versions > 1 then names[#names + 1] = name end
  end
  table.sort(names)
  for _, name in ipairs(names) do
    local row = rows[name]
    say(("| %s | %d | %d | %.1f | %.1f | %.1f |"):format(name, #row.product.versions, row.all, row.adaptive / row.count, row.full / row.count, row.best / row.count))
  end
  say(("\nFull depth reaches the best window: %s."):format(share(reached, wholes)))
end

-- --- The frozen recordings ---

local function frozen_digests()
  local list = {}
  for _, digest in ipairs(all) do
    if digest.frozen then list[#list + 1] = digest end
  end
  return list
end

-- A recording through a front as one of the front, though what was said is the words of the server behind.
local function by_front(digest)
  local facts = digest.facts
  if not facts.front then return digest end
  local view = { product = facts.front, version = facts.version, facts = setmetatable({ product = facts.front }, { __index = facts }) }
  return setmetatable(view, { __index = digest })
end

local BEHIND = "known server, front never recorded"

local function plan_of(model, digest)
  if not knows(model, digest.product) then return NEVER end
  return digest.product == digest.facts.server and BEHIND or "unseen release"
end

-- What comes out behind a hidden greeting; returns what the other tables need.
local function say_frozen_hidden(digests)
  local model, seen, notes = engine.knowledge.dialects, {}, {}
  local function add(plan, depth, with_rules)
    local count, title = new_count(plan == NEVER), ("%s, %s%s"):format(plan, depth, with_rules and ", with the rules" or "")
    for _, digest in ipairs(digests) do
      if is_whole(digest) and plan_of(model, digest) == plan then
        try(count, with_rules and {} or seen, { plan = plan, depth = depth, digest = digest, model = model }, with_rules)
      end
    end
    if count.all > 0 then say_count(title, count) end
    notes[#notes + 1] = { title, count }
  end
  say("| greeting hidden | right | wrong | unknown |\n|---|---|---|---|")
  for _, plan in ipairs { "unseen release", BEHIND, NEVER } do
    for _, depth in ipairs { "full", "adaptive" } do add(plan, depth) end
    if plan == "unseen release" then add(plan, "adaptive", true) end
  end
  for _, note in ipairs(notes) do
    if #note[2].notes > 0 then
      say("\nNot right, " .. note[1] .. ":\n")
      say_notes(note[2])
    end
  end
  return seen
end

local function say_frozen_windows(seen)
  local inside, cases = 0, 0
  for _, one in ipairs(seen) do
    if one.kind == "right" and one.digest.version then
      local window = window_of(one.model, one.digest, behaviour.tokens(one.transcript))
      cases, inside = cases + 1, inside + ((not window or recorded.is_inside(window, one.digest.product, one.digest.version)) and 1 or 0)
    end
  end
  say(("\nThe window holds the release: %s.\n"):format(share(inside, cases)))
end

--- The frozen recordings against the table that is shipped, counted in both ways.
function M.frozen()
  local model, servers, fronts, behind = engine.knowledge.dialects, frozen_digests(), {}, {}
  for i, digest in ipairs(servers) do
    fronts[i] = by_front(digest)
    if fronts[i] ~= digest then behind[#behind + 1] = digest end
  end
  say(("%d of %d recordings are frozen: %.0f%%.\n"):format(#fronts, #all, 100 * #fronts / #all))
  say("As it was counted first, by the name of what stands in front:\n")
  say_reliability(say_frozen_hidden(fronts))
  say("\nBy whose words they are:\n")
  local seen = say_frozen_hidden(servers)
  say_costs(seen)
  say_reliability(seen)
  say_frozen_windows(seen)
  say("\n| | forged, named and told | forged, told | honest, called forged |\n|---|---|---|---|")
  local forged, honest = say_forged("frozen", fronts, function() return model end)
  local forged_behind, honest_behind = say_forged("of these, the servers behind fronts", behind, function() return model end)
  say()
  for _, count in ipairs { forged, honest, forged_behind, honest_behind } do say_notes(count) end
end

--- The recordings that may be learned from, each left out in turn.
function M.development()
  local seen = {}
  say_hidden(seen)
  say_costs(seen)
  say_reliability(seen)
  say("\n| | forged, named and told | forged, told | honest, called forged |\n|---|---|---|---|")
  local forged, honest = say_forged("each release left out", recorded.learnable(all), function(digest)
    return model_without(PLANS[1][1] .. PLANS[1][2](digest), function(other) return PLANS[1][3](digest, other) end)
  end)
  say()
  say_notes(forged)
  say_notes(honest)
  say_versions(seen)
end

--- What each step tells of the products that may be learned from.
function M.steps() say((telling(model_of_all_steps()):gsub("\n$", ""))) end

--- One of the three parts as text.
--
-- @param part  "development", "frozen" or "steps"
function M.text(part)
  lines = {}
  M[part]()
  return table.concat(lines, "\n") .. "\n"
end

local PARTS = { "frozen", "development", "steps" }

local function write()
  local path, texts = "doc/accuracy.md", {}
  for _, part in ipairs(PARTS) do
    texts[part] = M.text(part)
    io.write(texts[part], "\n")
  end
  -- Not before: somebody may edit it in these minutes.
  local file = assert(io.open(path, "rb"))
  local document = file:read("a")
  file:close()
  for _, part in ipairs(PARTS) do
    local place = ("(<!%%-%%- %s %%-%%->\n).-(<!%%-%%- end %%-%%->)"):format(part)
    document = document:gsub(place, function(first, last) return first .. texts[part] .. last end)
  end
  file = assert(io.open(path, "wb"))
  file:write(document)
  file:close()
end

if arg and arg[0] and arg[0]:find("accuracy%.lua$") then
  if arg[1] == "write" then write() else io.write(M.text(arg[1])) end
end

return M
