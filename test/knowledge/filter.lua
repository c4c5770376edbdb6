#!/usr/bin/env lua5.4
--- The filter changes nothing: our rules and those of the installed nmap-service-probes, each with the filter and without, on every
-- example, every recorded reply, and what becomes of these when they are cut, glued and damaged.
-- With one Lua, since it is the core that is tested.

local t = require "tap"
local deepid = require "deepid"
local knowledge = require "deepid.knowledge"
local rules = require "deepid.rules"
local second_opinion = require "deepid.second_opinion"
local texts = require "deepid.texts"
local core = assert(require("deepid.core").load())

local PROBES = { "/usr/share/nmap/nmap-service-probes", "/usr/local/share/nmap/nmap-service-probes" }
local SERVICES = { smtp = true, smtps = true, lmtp = true, ["smtp-proxy"] = true }

-- The rules as they are read, with each one's order in the file for a slot of its own role or, by `everything`, all reported.
local function our_patterns()
  local paths, steps, all = {}, {}, {}
  for i, name in ipairs(knowledge.FILES) do paths[i] = assert(knowledge.find()) .. "/" .. name end
  local list = texts.read(paths)
  for _, rule in ipairs(list) do
    for _, pattern in ipairs(rules.patterns(rule)) do
      steps[pattern.step] = steps[pattern.step] or {}
      local one = { pattern = pattern.pattern, flags = pattern.flags, slot = rule.conditions and 0 or #rule.role % 31 + 1 }
      table.insert(steps[pattern.step], one)
      all[#all + 1] = { pattern = one.pattern, flags = one.flags }
    end
  end
  steps.everything = all
  return steps, list
end

local function nmaps_patterns()
  for _, path in ipairs(PROBES) do
    local list = second_opinion.read(path, SERVICES)
    if list then
      local patterns = {}
      for i, match in ipairs(list) do patterns[i] = { pattern = match.pattern, flags = match.flags, slot = match.soft and 2 or 1 } end
      return patterns
    end
  end
end

local function replies_of(list)
  local seen, replies = {}, {}
  local function add(reply)
    if reply ~= "" and not seen[reply] then
      seen[reply] = true
      replies[#replies + 1] = reply
    end
  end
  for _, rule in ipairs(list) do
    for _, example in ipairs(rule.examples) do
      for _, bytes in pairs(example.steps) do add(bytes) end
    end
    for _, reject in ipairs(rule.rejects) do add(reject.bytes) end
  end
  local pipe = assert(io.popen("ls test/transcripts/*.md"))
  for path in pipe:lines() do
    local file = assert(io.open(path, "rb"))
    for _, step in ipairs(deepid.transcript.from_markdown(file:read("a"), path).steps) do add(step.reply) end
    file:close()
  end
  pipe:close()
  return replies
end

-- What becomes of a reply; the same on every run.
local function variants(replies, i)
  local reply, other = replies[i], replies[i * 7 % #replies + 1]
  local middle = #reply // 2
  return { reply, reply:sub(1, middle), reply:sub(2), reply .. other, other:sub(1, 4) .. reply:sub(5), reply:upper(),
    reply:sub(1, middle) .. string.char(i * 31 % 256) .. reply:sub(middle + 2), reply:gsub(" ", "  "), (reply:gsub("\r", "")) }
end

local function is_within(part, whole)
  local known = {}
  for _, index in ipairs(whole or {}) do known[index] = true end
  for _, index in ipairs(part or {}) do
    if not known[index] then return false end
  end
  return true
end

local function compare(patterns, replies)
  local naive, filtered, hits = core.fpset(patterns, { filter = false, budget = #patterns }), core.fpset(patterns), 0
  for i in ipairs(replies) do
    for _, reply in ipairs(variants(replies, i)) do
      local want, given_up, cut = naive:match(reply)
      local got, stuck, cut_too = filtered:match(reply)
      t.eq(got, want, reply)
      t.ok(is_within(stuck, given_up) and cut == cut_too, reply)
      hits = hits + #want
    end
  end
  t.ok(hits > 0, "nothing matched")
end

local steps, list = our_patterns()
local replies = replies_of(list)
local names = {}
for name in pairs(steps) do names[#names + 1] = name end
table.sort(names)

for _, name in ipairs(names) do
  if name ~= "ehloorder" then -- a derived step, no reply
    t.test(("our %d patterns for %s, on %d replies and their like"):format(#steps[name], name, #replies), function()
      compare(steps[name], replies)
    end)
  end
end

local nmaps = nmaps_patterns()
t.test(("Nmap's %d patterns for SMTP"):format(nmaps and #nmaps or 0), function()
  if not nmaps then t.skip "no nmap-service-probes is installed" end
  compare(nmaps, replies)
end)

t.done()
