--- What stands in front, over a whole scan: counted by host, and STARTTLS that is missing where something answers for the hosts.

local fronts = require "deepid.fronts"
local scene = require "scene"
local t = require "tap"
local transcript = require "deepid.transcript"
local words = require "deepid.words"

local engine = assert(require("deepid").open())
local honest, change = scene.honest, scene.change

local function ehlo(keywords)
  return { { step = "ehlo", connection = 1, tls = "none", sent = "EHLO x\r\n", reply = "250-mx.own.net\r\n250-" .. keywords .. "\r\n250 HELP\r\n", ["end"] = "reply" } }
end

-- Hosts that offer some keywords on 25 and some on 587.
local function hosts(count, on_25, on_587)
  return honest(count, { steps = ehlo(on_25), path = { ttl = 63, other_ttl = 50 }, other = function(i)
    local record = transcript.from_greeting("220 mail.own.org ESMTP", scene.address(i), 587)
    record.steps[2] = ehlo(on_587)[1]
    return record
  end })
end

local function stripper(list)
  for _, front in ipairs(scene.judge(list).fronts) do
    if front.name == fronts.STRIPPER then return front.role, front.hosts, #front.examples end
  end
end

t.test("STARTTLS on 587 and not on 25, of hosts that something answers for", function() t.eq({ stripper(hosts(5, "DSN", "STARTTLS")) }, { "rewriter", 5, 3 }) end)

for _, case in ipairs({
  { "two hosts may be set up so", hosts(2, "DSN", "STARTTLS") },
  { "STARTTLS on both", hosts(5, "STARTTLS", "STARTTLS") },
  { "STARTTLS on neither", hosts(5, "DSN", "DSN") },
  { "nothing answers for them", change(hosts(5, "DSN", "STARTTLS"), { path = false }) },
  { "most offer it on 25", change(hosts(10, "DSN", "STARTTLS"), { from = 1, to = 6, steps = ehlo("STARTTLS") }) },
  { "25 was not asked", change(hosts(5, "DSN", "STARTTLS"), { steps = {} }) },
}) do
  t.test("not where " .. case[1], function() t.eq(stripper(case[2]), nil) end)
end

t.test("named fronts are counted by host, the most common first; controls are no targets", function()
  local refusal = "554 5.7.1 Access denied"
  local list = change(change(honest(6), { from = 1, to = 4, greeting = "220 " .. ("*"):rep(40) }), { from = 5, to = 5, greeting = refusal })
  list[1].other = transcript.from_greeting("220 " .. ("*"):rep(40), scene.address(1), 587)
  local object = scene.judge(list, { control = { scene.address(4) } }, engine)
  local found = {}
  for i, front in ipairs(object.fronts) do found[i] = { front.role, front.hosts, #front.examples } end
  t.eq(found, { { "rewriter", 3, 3 }, { "blocker", 1, 1 } })
end)

-- What the box changes is judged by the hosts that it stands before, not by those that have such a device of their own.
t.test("the box lets sessions through where those that it stands before show it", function()
  local masked = "220 " .. ("*"):rep(40)
  local boxed = change(honest(24), { from = 1, to = 4, greeting = "220 mx.box.net ESMTP", path = { ttl = 63, other_ttl = 50 } })
  t.eq(scene.judge(boxed, nil, engine).changed, nil)
  local object = scene.judge(change(boxed, { from = 9, to = 24, greeting = masked }), nil, engine)
  t.eq({ object.verdict, object.affected, object.changed }, { "intercepted", 4, nil })
  t.has(words.lines(object)[2], "answers on port 25 in place of 4 of 24 addresses.", true)
  object = scene.judge(change(boxed, { from = 1, to = 2, greeting = masked }), nil, engine)
  t.eq({ object.affected, object.changed }, { 4, 2 })
  t.has(words.lines(object)[2], "what it lets through to the targets and back, it changes", true)
  t.eq(scene.judge(hosts(5, "DSN", "STARTTLS")).changed, 5)
end)

t.done()
