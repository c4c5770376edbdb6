--- The verdict as a whole: thin scans, order, the saved file, hostile records, the contract's shape.

local compare = require "deepid.compare"
local intake = require "deepid.intake"
local json = require "deepid.json"
local scene = require "scene"
local survey = require "deepid.survey"
local t = require "tap"
local verdict = require "deepid.verdict"
local words = require "deepid.words"

local honest, change = scene.honest, scene.change
local BOX = "220 mx.box.net ESMTP Postfix"

local function mixed(count)
  local hosts = change(honest(count), { from = 1, to = count // 4, greeting = BOX, path = { ttl = 63, other_ttl = 50 } })
  return change(hosts, { from = count - 5, to = count, greeting = false, ports = { { port = 25, state = "filtered" }, { port = 143, state = "open" } } })
end

for _, case in ipairs({
  { "nothing", {}, "insufficient" }, { "one host, nothing to compare with", honest(1), "insufficient" },
  { "one host, and its ports agree", honest(1, { path = { ttl = 50, other_ttl = 50 } }), "normal" },
  { "one host, and its ports do not", honest(1, { path = { ttl = 63, other_ttl = 50 } }), "insufficient" },
  { "two hosts", honest(2), "normal" }, { "300 hosts", honest(60), "normal" },
}) do
  t.test("thin: " .. case[1], function()
    local object = scene.judge(case[2])
    t.eq({ object.verdict, object.confidence == nil }, { case[3], case[3] == "insufficient" })
    t.eq(#object.advice > 0, case[3] ~= "normal")
  end)
end

t.test("a few intercepted among many honest: they are named, the others not", function()
  local object = scene.judge(change(honest(60), { from = 1, to = 3, greeting = BOX, path = { ttl = 63, other_ttl = 50 } }))
  t.eq({ object.verdict, object.where, object.hosts_odd, #object.hosts }, { "intercepted", "near_you", 3, 3 })
  for _, host in ipairs(object.hosts) do t.eq(host.verdict, "intercepted") end
end)

t.test("two boxes at two distances are two findings", function()
  local hosts = change(honest(24), { from = 1, to = 12, greeting = BOX, path = { ttl = 63, other_ttl = 50 } })
  change(hosts, { from = 13, to = 24, greeting = "220 mx.other-box.net ESMTP", path = { ttl = 62, other_ttl = 50 } })
  local object = scene.judge(hosts)
  local count = 0
  for _, item in ipairs(object.evidence) do count = count + (item.kind == "path_ttl" and 1 or 0) end
  t.eq({ object.verdict, count }, { "intercepted", 2 })
end)

t.test("a catalogue that cannot be read is told as soon as hosts are alike", function()
  local catalogue = require "deepid.catalogue"
  local open = catalogue.open
  catalogue.open = function() return nil, "providers.tsv:7: cannot be read" end
  local alone, alike = scene.survey(honest(1)), scene.survey(change(honest(4), { from = 1, to = 4, greeting = BOX }))
  local object, said, message = verdict.judge(alone), verdict.judge(alike)
  catalogue.open = open
  t.eq({ object.verdict, said, message }, { "insufficient", nil, "providers.tsv:7: cannot be read" })
end)

local function shuffled(list, seed)
  local out = table.move(list, 1, #list, 1, {})
  for i = #out, 2, -1 do
    seed = (seed * 1103515245 + 12345) % 2147483648
    local j = seed % i + 1
    out[i], out[j] = out[j], out[i]
  end
  return out
end

local function judge_records(records)
  local all = survey.new()
  for _, record in ipairs(records) do all:add(record) end
  return json.encode(verdict.judge(all))
end

t.test("the order of records does not matter, nor does reading them twice", function()
  local records = scene.records(mixed(40))
  local want = judge_records(records)
  for seed = 1, 10 do t.eq(judge_records(shuffled(records, seed)), want) end
  t.eq(judge_records(table.move(records, 1, #records, #records + 1, table.move(records, 1, #records, 1, {}))), want)
end)

t.test("the saved file gives the same verdict as the live scan", function()
  local hosts = mixed(40)
  local records = scene.records(hosts)
  local name = os.tmpname()
  local file = assert(io.open(name, "wb"))
  file:write(json.encode({ record = "scan", format = 1, control = json.array(), scanner = { "192.0.2.1" } }), "\n")
  for _, record in ipairs(records) do file:write(json.encode(record), "\n") end
  file:close()
  local all = survey.new()
  local problems = intake.file(name, all)
  os.remove(name)
  t.eq(#problems, 0)
  t.eq(json.encode(verdict.judge(all)), json.encode(scene.judge(hosts, { scanner = { "192.0.2.1" } })))
end)

t.test("the contract: arrays are there when empty", function()
  local text = json.encode(scene.judge({}))
  for _, key in ipairs({ "evidence", "groups", "explained", "hosts", "advice", "products", "unobserved" }) do t.has(text, ('"%s":['):format(key), true) end
end)

t.test("a thousand hosts are listed, and all counted", function()
  local hosts = {}
  for i = 1, 1300 do
    hosts[i] = scene.host(i, { address = ("%d.%d.1.1"):format(20 + i % 150, i // 150), greeting = BOX })
  end
  local object = scene.judge(hosts)
  t.eq({ object.verdict, #object.hosts, object.hosts_odd }, { "uniform", 1000, 1300 })
end)

local JUNK = { "x", 5, -1, 2.5, true, {}, { "a" }, { a = 1 }, { { ttl = "x", port = 25, answer = 7, from = {} } }, ("z"):rep(5000), "\27[31m\0\255", "private" }

-- Any value in any field: a saved file is not to be trusted.
t.test("records full of junk are judged or left out", function()
  for i, junk in ipairs(JUNK) do
    for j, other in ipairs(JUNK) do
      local all = survey.new()
      all:add({ record = "scan", scanner = junk, arguments = other, control = junk, known = other })
      for n = 1, 3 do
        local address = scene.address(n)
        all:add({ record = "host", address = address, names = junk, refused_by = other, silent = junk, connects = other, path = junk,
          ports = i % 2 == 0 and junk or { { port = 25, state = other, reason = junk, ttl = other }, { port = junk }, other } })
        all:add({ record = "transcript", address = address, port = 25, path = { ttl = junk, other_ttl = other, connect_ms = junk, other_ms = other,
          hops = j % 2 == 0 and junk or { { ttl = 1, port = 25, answer = "syn-ack", from = junk }, { ttl = 9, port = 443, answer = "rst", from = other } },
          reference = other == "x" and 443 or junk, leaves = other },
          steps = { { step = "greeting", sent = "", reply = type(junk) == "string" and junk or "220 a.b.net\r\n", ["end"] = "reply" } } })
      end
      all:add({ record = "host", address = junk })
      local object = verdict.judge(all)
      local text = table.concat(words.lines(object), "\n")
      t.ok(not text:gsub("\n", ""):find("[%c\127-\255]"), ("control bytes in %q"):format(text))
    end
  end
end)

local function text_of(object) return table.concat(words.lines(object), "\n") end

t.test("a control that answers: no target, and none is trusted", function()
  local object = scene.judge(honest(6), { control = { scene.address(2) } })
  t.eq({ object.verdict, object.affected, object.hosts_seen }, { "intercepted", 0, 5 })
  t.has(text_of(object), "The control (22.2.0.25) answered, though you say", true)
  t.has(text_of(object), "Trust port 25 of none of the targets", true)
  t.has(object.advice[1], "smtp-deepid.trace", true)
  object = scene.judge(change(honest(12), { from = 1, to = 4, greeting = BOX, path = { ttl = 63, other_ttl = 50 } }), { control = { scene.address(2) } })
  t.eq({ object.verdict, object.affected, object.hosts_seen }, { "intercepted", 3, 11 })
  t.has(text_of(object), "in place of 3 of 11 addresses.", true)
  t.has(text_of(object), "Trust the other 8 no more: a control answered, too.", true)
end)

t.test("how many are uniform, and whether the others are in order", function()
  local hosts = change(honest(24), { from = 1, to = 3, greeting = BOX })
  local object = scene.judge(hosts)
  t.eq({ object.verdict, object.affected }, { "uniform", 3 })
  t.has(text_of(object), "Of the other 21 nothing strange was found.", true)
  object = scene.judge(change(hosts, { from = 9, to = 9, path = { ttl = 63, other_ttl = 50 } }))
  t.has(text_of(object), "Of the other 21 nothing strange was found, but for what is told below.", true)
end)

t.test("what was traced, or had a control, is not told to do so", function()
  local hosts = change(honest(24), { from = 1, to = 3, greeting = BOX })
  t.has(table.concat(scene.judge(hosts).advice), "smtp-deepid.trace", true)
  t.has(table.concat(scene.judge(hosts).advice), "smtp-deepid.control", true)
  change(hosts, { path = { other_port = 443, hops = { { ttl = 9, port = 25, answer = "syn-ack" }, { ttl = 9, port = 443, answer = "syn-ack" } } } })
  local advice = table.concat(scene.judge(hosts, { control = { "192.0.2.77" } }).advice)
  t.ok(not advice:find("smtp-deepid.trace", 1, true) and not advice:find("smtp-deepid.control", 1, true), advice)
end)

t.test("compare: many from there are one from here", function()
  local here, there = scene.survey(change(honest(8), { from = 1, to = 4, greeting = BOX })), scene.survey(honest(8))
  local result = compare.judge(here, there)
  t.eq({ result.both, result.differ, result.here.verdict, result.there.verdict }, { 8, 4, "intercepted", "normal" })
  t.eq(result.here.evidence[1].kind, "vantage")
  t.has(table.concat(compare.lines(result, "A", "B"), "\n"), "8 addresses in both scans, 4 answer differently", true)
end)

t.test("compare: each in its own way different is no interception", function()
  local here = scene.survey(change(honest(8), { from = 1, to = 4, greeting = function(i) return ("220 new%d.own.org ESMTP"):format(i) end }))
  local result = compare.judge(here, scene.survey(honest(8)))
  t.eq({ result.differ, result.here.verdict, result.there.verdict }, { 4, "normal", "normal" })
end)

t.test("compare: two strangers are no pattern", function()
  local result = compare.judge(scene.survey(change(honest(8), { from = 1, to = 2, greeting = BOX })), scene.survey(honest(8)))
  t.eq({ result.differ, result.here.verdict }, { 2, "normal" })
end)

t.test("compare: silence here, answers there", function()
  local silent = change(honest(8), { greeting = false, ports = { { port = 25, state = "filtered" } } })
  local result = compare.judge(scene.survey(silent), scene.survey(honest(8)))
  t.eq({ result.differ, result.only_here, result.only_there, result.hosts[1].here }, { 8, 0, 8, "filtered" })
end)

t.done()
