--- doc/verdicts.md shows the post-scan text of a scan of each kind: it must be what the code says.
--
--   lua5.4 test/unit/words.lua --print > doc/verdicts.md      after a change of the words

local next_steps = require "deepid.next_steps"
local scene = require "scene"
local t = require "tap"
local words = require "deepid.words"

local engine = assert(require("deepid").open())
local honest, change = scene.honest, scene.change

local BOX = "220 mx.box.net ESMTP Postfix"
local CLASS = "554 Direct connections are not allowed. Please use your provider's mail server."
local NOTICE = "554 5.7.1 Outbound connections of this kind are refused here"
local AVAST = "421 concurrent connections limit in avast exceeded(pass:20)"
local SILENT = { { port = 25, state = "filtered", reason = "no-response" }, { port = 993, state = "open", reason = "syn-ack", ttl = 55 } }

local function hops(at, target)
  local path = { other_port = 443, hops = {} }
  for i = 1, target do
    local from = "203.0.113." .. i
    table.insert(path.hops, { ttl = i, port = 443, answer = i == target and "syn-ack" or "time-exceeded", from = i < target and from or nil })
    if at and i <= at then table.insert(path.hops, { ttl = i, port = 25, answer = i == at and "syn-ack" or "time-exceeded", from = i < at and from or nil }) end
  end
  return path
end

local function stops(at)
  local path = hops(nil, 9)
  for i = 1, at do table.insert(path.hops, { ttl = i, port = 25, answer = "time-exceeded", from = "203.0.113." .. i }) end
  return path
end

local function far(i) return { ttl = 58 - i % 9, other_ttl = 58 - i % 9 } end
local function near(i) return { ttl = 63, other_ttl = 58 - i % 9 } end
local function one_24(i) return scene.address(i, true) end

local function ehlo(keywords)
  return { { step = "ehlo", connection = 1, tls = "none", sent = "EHLO scanner.own.net\r\n", reply = "250-mx.own.net\r\n250-" .. keywords .. "\r\n250 HELP\r\n", ["end"] = "reply" } }
end

local function submission(i)
  local record = require("deepid.transcript").from_greeting(("220 mail.own%d.org ESMTP Exim 4.96"):format(i), scene.address(i), 587)
  record.steps[2] = ehlo("STARTTLS")[1]
  return record
end

-- {title, who, hosts, scan record}
local SCENES = {
  { "Intercepted, on this machine", "An antivirus program answers; 5 targets.", honest(5, { greeting = AVAST, path = { leaves = false } }) },
  { "Intercepted, near you", "The provider answers 24 targets with a mail server of its own; scanned as root.", honest(24, { greeting = BOX, path = near }) },
  { "Intercepted, near you, without privileges", "The provider refuses for 8 targets.", honest(8, { greeting = CLASS }) },
  { "Intercepted, on the way", "Traced; 3 of 12 targets lie behind the box.",
    change(honest(12, { path = function() return hops(9, 9) end }), { from = 1, to = 3, greeting = BOX, path = function() return hops(5, 9) end }) },
  { "Intercepted, near the targets", "Traced; one box before three unrelated targets.",
    change(honest(12, { path = function() return hops(9, 9) end }), { from = 1, to = 3, greeting = BOX, path = function() return hops(8, 9) end }) },
  { "Intercepted, and each target's answer is its own", "A box near the scanner, perhaps a relay, stands before 8 targets.", honest(8, { path = near }) },
  { "Intercepted, and what passes is masked", "A firewall near the scanner changes the sessions of 8 targets.",
    honest(8, { greeting = "220 " .. ("*"):rep(40), steps = ehlo("XXXXXXXA"), path = near }) },
  { "Intercepted, and STARTTLS removed", "The same of 5 targets, whose port 587 was scanned too.",
    honest(5, { steps = ehlo("SIZE 1000000"), other = submission, path = near }) },
  { "Intercepted, and not known where", "A control address answered; scanned without privileges.", honest(6), { control = { scene.address(2) } } },
  { "Uniform: strangers announce one host", "3 of 24 targets, scanned without privileges.", change(honest(24), { from = 1, to = 3, greeting = BOX }) },
  { "Uniform: strangers refuse with one text", "5 of 24 targets.", change(honest(24), { from = 1, to = 5, greeting = NOTICE }) },
  { "Uniform: a whole network announces one host", "All 30 addresses of one network that answered.", honest(30, { greeting = BOX, address = one_24, path = function() return { ttl = 55, other_ttl = 55 } end }) },
  { "Blocked", "57 mail hosts, none of them heard on port 25; traced.", honest(57, { greeting = false, ports = SILENT, host_path = function(i) return i <= 8 and stops(2) or nil end }) },
  { "Blocked, without privileges", "12 mail hosts.", honest(12, { greeting = false, ports = SILENT }) },
  { "Normal", "24 targets.", honest(24, { path = far }) },
  { "Normal: a pool, and ports that are forwarded", "24 targets.",
    change(change(honest(24, { path = far }), { from = 1, to = 8, greeting = BOX, names = function(i) return { ("out%d.box.net"):format(i) } end }),
      { from = 9, to = 12, path = function(i) return { ttl = 57 - i % 9, other_ttl = 58 - i % 9 } end }) },
  { "Normal: some hosts filter port 25", "20 targets answer, 3 mail hosts are silent.", change(honest(23), { from = 1, to = 3, greeting = false, ports = SILENT }) },
  { "Insufficient: one host", "Nothing to compare with.", honest(1) },
  { "Insufficient: one host, answered from nearer", "Its other port is 6 hops farther away.", honest(1, { path = { ttl = 63, other_ttl = 57 } }) },
  { "Insufficient: a few silent mail hosts", "5 targets.", honest(5, { greeting = false, ports = SILENT }) },
  { "Insufficient: one refusal, and no names", "12 targets, scanned with -n.", honest(12, { greeting = NOTICE, names = {} }) },
  { "Insufficient: no mail server", "No target answered on port 25.", {} },
}

local function document()
  local out = { "# What the post-scan text says\n", "One scan of each kind, simulated, and the text that `smtp-deepid` and `deepid survey` print about it. A test keeps this file"
    .. " true\n(`test/unit/words.lua`). How the verdicts come about is in [uniformity.md](uniformity.md) and in `DESIGN.md`.\n" }
  for _, case in ipairs(SCENES) do
    local object = scene.judge(case[3], case[4], engine)
    out[#out + 1] = ("## %s\n\n%s Verdict `%s`, where `%s`.\n\n```\n%s\n```\n"):format(case[1], case[2], object.verdict, object.where,
      table.concat(words.lines(object), "\n"))
  end
  return table.concat(out, "\n")
end

if arg[1] == "--print" then
  io.write(document())
  return
end

t.test("doc/verdicts.md is what the code says", function()
  local file = assert(io.open("doc/verdicts.md"))
  local text = file:read("a")
  file:close()
  t.eq(text, document())
end)

t.test("the document has every verdict and place", function()
  local seen = {}
  for _, case in ipairs(SCENES) do
    local object = scene.judge(case[3], case[4], engine)
    seen[object.verdict .. " " .. object.where] = true
    t.ok(case[1]:lower():find("^" .. object.verdict), case[1] .. ": " .. object.verdict)
  end
  for where in pairs(words.WHO) do t.ok(seen["intercepted " .. where], where) end
  for _, rest in ipairs({ "uniform unknown", "blocked near_you", "normal unknown", "insufficient unknown" }) do t.ok(seen[rest], rest) end
end)

t.test("every text ends with what to do, but for normal, and no line runs on for ever", function()
  for _, case in ipairs(SCENES) do
    local object = scene.judge(case[3], case[4], engine)
    t.eq(#object.advice > 0, object.verdict ~= "normal", case[1])
    for _, line in ipairs(words.lines(object)) do t.ok(#line < 300, line) end
  end
end)

t.test("every piece of advice is given somewhere", function()
  local given = {}
  for _, case in ipairs(SCENES) do
    for _, text in ipairs(scene.judge(case[3], case[4], engine).advice) do given[text] = true end
  end
  for name, text in pairs(next_steps.TEXTS) do t.ok(given[text], name) end
end)

t.done()
