--- Every kind of evidence: a scan in which it is found, and a neighbour in which it is not.

local evidence = require "deepid.evidence"
local scene = require "scene"
local t = require "tap"

local engine = assert(require("deepid").open())
local honest, change = scene.honest, scene.change

local function ttl(own, other) return { ttl = own, other_ttl = other, other_port = 443 } end

local function times(own, other)
  local path = { connect_ms = {}, other_ms = {}, other_port = 443 }
  for i = 1, 5 do path.connect_ms[i], path.other_ms[i] = own + i / 10, other + i / 10 end
  return path
end

-- Hops of a port answered `at` hops away and the reference port `target` away; routers by number, the target's own last.
local function hops(at, target, router)
  local path = { other_port = 443, hops = {} }
  for i = 1, math.max(at, target) do
    local from = router or ("203.0.113." .. i)
    if i < target then table.insert(path.hops, { ttl = i, port = 443, answer = "time-exceeded", from = from }) end
    if i == target then table.insert(path.hops, { ttl = i, port = 443, answer = "syn-ack" }) end
    if i < at then table.insert(path.hops, { ttl = i, port = 25, answer = "time-exceeded", from = from }) end
    if i == at then table.insert(path.hops, { ttl = i, port = 25, answer = "syn-ack" }) end
  end
  return path
end

local function near(i) return ttl(63, 64 - 6 - i % 9) end
local function own_distance(i) return ttl(64 - 6 - i % 9, 64 - 6 - i % 9) end

local function step(name, sent, reply) return { step = name, connection = 1, tls = "none", sent = sent, reply = reply, ["end"] = "reply" } end
local function ehlo(reply) return { step("ehlo", "EHLO scanner.own.net\r\n", reply) } end

local NOTICE = "554 5.7.1 Outbound connections of this kind are refused here"
local AVAST = "421 concurrent connections limit in avast exceeded(pass:20, processes:nmap.exe[1234])"
local CLASS = "554 Direct connections are not allowed. Please use your provider's mail server."

-- {what, kind, hosts, scan, verdict, where}; `without` is the neighbour in which the kind is not found.
local CASES = {
  { "a control address greets", "control", honest(5), { control = { scene.address(3) } }, "intercepted", "unknown" },
  { "a control address greets from near", "control", change(honest(5), { from = 3, to = 3, path = ttl(63, 50) }), { control = { scene.address(3) } }, "intercepted", "near_you" },
  { "a control address is silent", false, change(honest(5), { from = 3, to = 3, greeting = false }), { control = { scene.address(3) } }, "normal" },

  { "traced: one router before three strangers", "path_hops", change(honest(5), { from = 1, to = 3, path = function() return hops(4, 9) end }), nil, "intercepted", "path" },
  { "traced: the first hop answers for one host", "path_hops", change(honest(5), { from = 1, to = 1, path = function() return hops(1, 9) end }), nil, "intercepted", "near_you" },
  { "traced: each by another router", false, change(honest(5), { from = 1, to = 3, path = function(i) return hops(4, 9, "203.0.113." .. i) end }), nil, "normal" },
  { "traced: all reached", false, change(honest(5), { path = function() return hops(9, 9) end }), nil, "normal" },
  { "traced: 25 is farther", false, change(honest(5), { path = function() return hops(10, 9) end }), nil, "normal" },

  { "TTL: three strangers from two hops away", "path_ttl", change(honest(5), { from = 1, to = 3, path = near }), nil, "intercepted", "near_you" },
  { "TTL: half of all networks from one place on the way", "path_ttl",
    change(honest(8, { path = own_distance }), { from = 1, to = 5, path = function(i) return ttl(60, 50 - i) end }), nil, "intercepted", "path" },
  { "TTL: two of them are no pattern", false, change(honest(5), { from = 1, to = 2, path = near }), nil, "normal" },
  { "TTL: a few of many, far from the scanner", false,
    change(honest(12, { path = own_distance }), { from = 1, to = 3, path = function(i) return ttl(60, 50 - i) end }), nil, "normal" },
  { "TTL: each its own distance", false, honest(8, { path = own_distance }), nil, "normal" },
  { "TTL: another system's initial TTL", false, honest(8, { path = function(i) return ttl(128 - 6 - i, 64 - 6 - i) end }), nil, "normal" },

  { "no packet leaves this machine", "own_host", change(honest(5), { from = 1, to = 1, path = { leaves = false } }), nil, "intercepted", "own_host" },
  { "connections are made where SYNs are unanswered", "own_host",
    change(honest(5), { from = 1, to = 3, greeting = false, connects = true, ports = { { port = 25, state = "filtered" } } }), nil, "intercepted", "own_host" },
  { "packets leave", false, honest(5, { path = { leaves = true } }), nil, "normal" },
  { "two of them may be chance", false,
    change(honest(5), { from = 1, to = 2, greeting = false, connects = true, ports = { { port = 25, state = "filtered" } } }), nil, "normal" },

  { "three strangers connect in a millisecond", "connect_time", change(honest(5), { from = 1, to = 3, path = times(1, 30) }), nil, "intercepted", "near_you" },
  { "more strangers are nearer on 25 than honest ones are", "connect_time", change(honest(9), { from = 1, to = 6, path = times(12, 40) }), nil, "intercepted", "unknown" },
  { "two may be forwarded elsewhere", false, change(honest(9), { from = 1, to = 2, path = times(12, 40) }), nil, "normal" },
  { "a few of many in each network are forwarded elsewhere", false, change(honest(48, { address = function(i) return ("%d.7.0.%d"):format(20 + i % 8, i) end, names = {}, path = times(30, 30) }),
    { from = 1, to = 8, path = times(12, 40) }), nil, "normal" },
  { "as fast as the other port", false, honest(9, { path = times(30, 30) }), nil, "normal" },

  { "an antivirus program's text", "signature", change(honest(5), { from = 1, to = 1, greeting = AVAST }), nil, "intercepted", "own_host" },
  { "a provider's class of text, and all say it", "signature", change(honest(8), { greeting = CLASS }), nil, "intercepted", "near_you" },
  { "the same, and the hosts have no PTR names", "signature", change(honest(8), { greeting = CLASS, names = {} }), nil, "intercepted", "near_you" },
  { "one host says it", "signature", change(honest(8), { from = 1, to = 1, greeting = CLASS }), nil, "normal" },
  { "a server that is busy", false, change(honest(5), { from = 1, to = 1, greeting = "421 too many connections" }), nil, "normal" },

  { "three of 24 announce one host", "uniformity", change(honest(24), { from = 1, to = 3, greeting = "220 mx.box.net ESMTP" }), nil, "uniform", "unknown" },
  { "five of 24 refuse with one text", "uniformity", change(honest(24), { from = 1, to = 5, greeting = NOTICE }), nil, "uniform", "unknown" },
  { "two of 24 announce one host", false, change(honest(24), { from = 1, to = 2, greeting = "220 mx.box.net ESMTP" }), nil, "normal" },
  { "four of 24 refuse with one text", false, change(honest(24), { from = 1, to = 4, greeting = NOTICE }), nil, "normal" },
  { "three of 40 are below the threshold", false, change(honest(40), { from = 1, to = 3, greeting = "220 mx.box.net ESMTP" }), nil, "normal" },
  { "one product with a greeting that names nobody", false, honest(24, { greeting = "220 ESMTP ready" }), nil, "normal" },
}

local function kinds_of(object)
  local set = {}
  for _, item in ipairs(object.evidence) do set[item.kind] = true end
  return set
end

for _, case in ipairs(CASES) do
  t.test(case[1], function()
    local object = scene.judge(case[3], case[4], engine)
    local told = scene.told(object)
    if case[2] then t.ok(kinds_of(object)[case[2]], told) else t.eq(#object.evidence, 0, told) end
    t.eq(object.verdict, case[5], told)
    if case[6] then t.eq(object.where, case[6], told) end
  end)
end

-- Hints: told beside a host, and no verdict.
local HINTS = {
  { "greets as mx.own.org and answers EHLO as mail.other.net", { greeting = "220 mx.own.org ESMTP", steps = ehlo("250-mail.other.net\r\n250 HELP\r\n") } },
  { "two programs wrote them", { steps = ehlo("250-mail.own1.org\n250 HELP\n") } },
  { "saw the client as 198.51.100.9", { steps = ehlo("250-mail.own1.org Hello [198.51.100.9]\r\n250 HELP\r\n") } },
  { "offers STARTTLS on port 587 and not on 25", { steps = ehlo("250-mail.own1.org\r\n250 HELP\r\n"), other = { record = "transcript", address = scene.address(1), port = 587,
    steps = { step("greeting", "", "220 mail.own1.org ESMTP\r\n"), step("ehlo", "EHLO x\r\n", "250-mail.own1.org\r\n250 STARTTLS\r\n") } } } },
  { "port 25 alone answers, 3 other ports are silent", { silent = 3, ports = { { port = 25, state = "open", reason = "syn-ack" } } } },
  { "came over 2 hops", { path = ttl(63, 50) } },
  { "connects in 1.1 ms", { path = times(1, 30) } },
}
local NO_HINTS = {
  { "one name", { steps = ehlo("250-mx2.own1.org\r\n250 HELP\r\n") } },
  { "two names under one certificate", { greeting = "220 mx.own.org ESMTP", steps = ehlo("250-mail.other.net\r\n250 HELP\r\n"),
    certificate = { names = { "mx.own.org", "*.other.net" } } } },
  { "the scanner's own address", { steps = ehlo("250-mail.own1.org Hello [192.0.2.1]\r\n250 HELP\r\n") } },
  { "a bare LF throughout", { greeting = "220 mail.own1.org ESMTP\n", steps = ehlo("250-mail.own1.org\n250 HELP\n") } },
  { "other ports answer too", { silent = 3, ports = { { port = 25, state = "open", reason = "syn-ack" }, { port = 443, state = "open", reason = "syn-ack" } } } },
}

for _, case in ipairs(HINTS) do
  t.test("a hint: " .. case[1], function()
    local hosts = honest(5)
    hosts[1] = scene.host(1, case[2])
    local object = scene.judge(hosts, { scanner = { "192.0.2.1" } })
    t.eq({ object.verdict, object.hosts_odd }, { "normal", 1 }, scene.told(object))
    t.has(object.hosts[1].evidence[1], case[1], true)
  end)
end

for _, case in ipairs(NO_HINTS) do
  t.test("no hint: " .. case[1], function()
    local hosts = honest(5)
    hosts[1] = scene.host(1, case[2])
    local object = scene.judge(hosts, { scanner = { "192.0.2.1" } })
    t.eq({ object.verdict, object.hosts_odd }, { "normal", 0 }, scene.told(object))
  end)
end

t.test("a scanner behind NAT sees another address echoed, and that is no news", function()
  local hosts = honest(5)
  hosts[1] = scene.host(1, { steps = ehlo("250-mail.own1.org Hello [198.51.100.9]\r\n250 HELP\r\n") })
  t.eq(scene.judge(hosts, { scanner = { "10.0.0.7" } }).hosts_odd, 0)
end)

t.test("findings of several kinds add up, each kind once; strangers' uniformity does not count", function()
  local a, b = { address = "192.0.2.1", ordinal = 1 }, { address = "192.0.2.2", ordinal = 2 }
  local signature = evidence.finding("signature", { a }, "near_you", {}, 0.6)
  local case = { kind = "hostname", key = "mx.box.net", fires = "one_network" }
  local uniform = evidence.of_group(case, { a, b }, signature.crowd)
  local stranger = evidence.of_group(case, { b }, signature.crowd)
  local function percent(...) return math.floor(evidence.combine({ ... }) * 100 + 0.5) end
  t.eq({ percent(signature), percent(signature, signature), percent(signature, uniform), percent(signature, stranger),
    percent(uniform), percent() }, { 60, 60, 92, 60, 0, 0 })
end)

t.done()
