#!/usr/bin/env lua5.4
--- The short form of the simulation (`make simulate`): no false alarm in some honest scans, and what must be found is found.

package.path = "test/simulate/lib/?.lua;" .. package.path

local judge = require "judge"
local t = require "tap"

local FOUND = { intercepted = true, uniform = true }
local BARE = { privileged = false, timed = false, named = true }

t.test("450 honest scans: nothing intercepted or blocked, and uniform is one pool", function()
  local found = judge.honest(42, 450, 20000, 150)
  local alarms = {}
  for i, alarm in ipairs(found.false_alarms) do
    local group = alarm.object.groups[1] or {}
    alarms[i] = ("%s: %s %s on %s"):format(alarm.verdict, group.kind, group.key, group.hosts)
  end
  t.eq(alarms, {})
  t.ok((found.verdicts.normal or 0) > 0.85 * found.scans, found.verdicts.normal)
end)

local function found_at_least(share, size, hits, options, wanted)
  return function()
    local got = judge.detection(size * 100 + hits, 40, size, hits, options, wanted or FOUND)
    t.ok(got >= share, got)
  end
end

t.test("3 of 24 unrelated hosts announce one host", found_at_least(0.95, 24, 3, { apart = true, scan = BARE }))
t.test("5 of 24 unrelated hosts refuse with one text", found_at_least(0.95, 24, 5, { apart = true, notice = true, scan = BARE }))
t.test("all of 24 are answered two hops away", found_at_least(1, 24, 24, { at = 2, scan = { privileged = true, named = true } }, { intercepted = true }))
t.test("all of 24 are answered in a millisecond", found_at_least(1, 24, 24, { at = 2, scan = { timed = true, named = true } }, { intercepted = true }))
t.test("3 of 24 are traced to the second hop", found_at_least(0.95, 24, 3, { at = 2, scan = { privileged = true, traced = true, named = true } }, { intercepted = true }))
t.test("50 are silent on 25", found_at_least(1, 50, 50, { drops = true, scan = { named = true } }, { blocked = true }))

-- The generator must be able to raise false alarms: without the explanations there are many.
t.test("the honest world alarms a judge without explanations", function()
  local explain = require "deepid.explain"
  local members, size = explain.members, explain.size
  explain.members, explain.size = function() end, function() end
  local found = judge.honest(42, 150, 20000, 150)
  explain.members, explain.size = members, size
  t.ok(#found.false_alarms > 5, #found.false_alarms)
end)

t.done()
