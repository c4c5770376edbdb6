--- Every innocent explanation: a scan that it explains, and a neighbour that it does not.

local explain = require "deepid.explain"
local scene = require "scene"
local t = require "tap"

local honest, change = scene.honest, scene.change

local BOX = "220 mx.box.net ESMTP Postfix"
local NOTICE = "554 5.7.1 Outbound connections of this kind are refused here"
local function key(name, ...) return { spki_sha256 = name, names = { ... } } end
local function one_24(i) return scene.address(i, true) end
local function ttl(own, other) return { ttl = own, other_ttl = other } end
local function line(i) return { ("host-%s.isp%d.net"):format(scene.address(i):gsub("%.", "-"), i) } end

local function other_port(i, certificate, greeting)
  local record = require("deepid.transcript").from_greeting(greeting or ("220 mail.own%d.org ESMTP"):format(i), scene.address(i), 587)
  record.certificate = certificate
  return record
end

-- {what, name, hosts, neighbour's hosts, neighbour's verdict, neighbour's explanation (default: none)}
local CASES = {
  { "a large provider's name", "provider", change(honest(24), { from = 1, to = 9, greeting = "220 mx.google.com ESMTP x" }),
    change(honest(24), { from = 1, to = 9, greeting = "220 mx.notgoogle.com ESMTP x" }), "uniform" },
  { "a blocklist's refusal", "common_text", change(honest(24), { from = 1, to = 9, greeting = "554 5.7.1 blocked using zen.spamhaus.org" }),
    change(honest(24), { from = 1, to = 9, greeting = NOTICE }), "uniform" },
  { "a PTR name under the announced domain", "pool", change(change(honest(24), { from = 1, to = 9, greeting = BOX }), { from = 4, to = 4, names = { "out4.box.net" } }),
    change(change(honest(24), { from = 1, to = 9, greeting = BOX }), { from = 12, to = 12, names = { "out4.box.net" } }), "uniform" },
  { "another mail port says the same", "one_machine",
    change(change(honest(24), { from = 1, to = 9, greeting = BOX }), { from = 2, to = 2, other = other_port(2, nil, BOX) }),
    change(change(honest(24), { from = 1, to = 9, greeting = BOX }), { from = 2, to = 2, other = other_port(2) }), "uniform" },
  { "another mail port's certificate names it", "one_machine",
    change(change(honest(24), { from = 1, to = 9, greeting = BOX }), { from = 2, to = 2, other = other_port(2, key("k", "imap.box.net")) }),
    change(change(honest(24), { from = 1, to = 9, greeting = BOX }), { from = 2, to = 2, other = other_port(2, key("k", "imap.fox.net")) }), "uniform" },
  { "one certificate, and each its own name", "appliances", change(honest(24), { from = 1, to = 9, certificate = key("k", "*.maker.net") }),
    change(honest(24), { from = 1, to = 9, greeting = "220 ESMTP", certificate = key("k", "*.maker.net") }), "uniform" },
  { "one refusal, and one certificate on the other ports", "appliances",
    change(honest(24), { from = 1, to = 9, greeting = NOTICE, other = function(i) return other_port(i, key("k", "*.own.net")) end }),
    change(honest(24), { from = 1, to = 9, greeting = NOTICE, other = function(i) return other_port(i, key("k" .. i, "*.own.net")) end }), "uniform" },
  { "PTR names of one hoster", "shared_hosting", honest(14, { greeting = BOX, address = one_24, names = function(i) return { ("v%d.hoster.de"):format(i) } end }),
    honest(14, { greeting = BOX, address = one_24, names = function(i) return { ("v.hoster%d.de"):format(i) } end }), "uniform" },
  { "each answer from its host's own distance", "own_distance", change(honest(24), { from = 1, to = 9, greeting = BOX, path = function(i) return ttl(58 - i, 58 - i) end }),
    change(honest(24), { from = 1, to = 9, greeting = BOX, path = function() return ttl(50, 50) end }), "uniform" },
  { "all on providers' lines, the others not", "lines", change(honest(24), { from = 1, to = 9, greeting = BOX, names = line }),
    change(honest(24), { from = 1, to = 9, greeting = BOX, names = function(i) return i < 8 and line(i) or { "mail.own" .. i .. ".org" } end }), "uniform" },
  { "one refusal of hosts without PTR names", "nameless", change(honest(24), { from = 1, to = 14, greeting = NOTICE, names = {} }),
    change(honest(24), { from = 1, to = 14, greeting = NOTICE }), "uniform" },
  { "a few addresses in one network", "one_network", honest(11, { greeting = BOX, address = one_24 }), honest(12, { greeting = BOX, address = one_24 }), "uniform" },
  { "some addresses of one network", "one_network", change(honest(20, { address = one_24 }), { from = 1, to = 17, greeting = BOX }),
    change(honest(20, { address = one_24 }), { from = 1, to = 18, greeting = BOX }), "uniform" },
  { "two strangers", "small_sample", change(honest(24), { from = 1, to = 2, greeting = BOX }), change(honest(24), { from = 1, to = 3, greeting = BOX }), "uniform" },
}

local function explanations(object)
  local set = {}
  for _, group in ipairs(object.groups) do set[group.explanation or ""] = true end
  return set
end

local covered = {}
for _, case in ipairs(CASES) do
  covered[case[2]] = true
  t.test(("%s: %s"):format(case[2], case[1]), function()
    local object = scene.judge(case[3])
    t.ok(explanations(object)[case[2]], scene.told(object))
    t.eq(object.verdict, case[2] == "nameless" and "insufficient" or "normal", scene.told(object))
  end)
  t.test(("not %s, but for a little"):format(case[2]), function()
    local object = scene.judge(case[4])
    t.ok(not explanations(object)[case[2]], scene.told(object))
    t.eq(object.verdict, case[5], scene.told(object))
  end)
end

local function all_open(state)
  local ports = {}
  for i, number in ipairs({ 25, 80, 443 }) do ports[i] = { port = number, state = number == 80 and state or "open", reason = "syn-ack" } end
  return ports
end

local HOST_CASES = {
  { "inner_host", { path = ttl(56, 57) }, { path = ttl(50, 57) } },
  { "edge_box", { path = ttl(57, 56) }, { path = ttl(62, 56) } },
  { "closed_ports", { greeting = "", ports = all_open("open") }, { greeting = "", ports = all_open("closed") } },
}

for _, case in ipairs(HOST_CASES) do
  covered[case[1]] = true
  local function explained(with)
    local hosts = honest(6)
    hosts[1] = scene.host(1, with)
    if with.greeting == "" then hosts[1].greeting = nil end
    local object = scene.judge(hosts)
    t.eq(object.verdict, "normal", scene.told(object))
    return object.explained[1] and object.explained[1].name
  end
  t.test(case[1], function() t.eq(explained(case[2]), case[1]) end)
  t.test("not " .. case[1] .. ", but for a little", function() t.eq(explained(case[3]), nil) end)
end

t.test("every explanation has its cases, a source and words", function()
  for _, one in ipairs(explain.ALL) do
    t.ok(covered[one.name], one.name)
    t.ok(one.source and one.source ~= "", one.name)
  end
end)

-- Machines that were cloned share a name, and not the key that each makes at first boot.
t.test("hosts of one name and different keys are not one machine", function()
  local hosts = change(honest(24), { from = 1, to = 6, greeting = BOX, certificate = function(i) return key("k" .. i, "mx.box.net") end })
  t.eq(scene.judge(hosts).verdict, "normal")
  change(hosts, { from = 1, to = 3, certificate = key("k", "mx.box.net") })
  t.eq(scene.judge(hosts).verdict, "uniform")
end)

t.test("hosts of one name and different servers are not one machine", function()
  local texts = { "220 mx.box.net ESMTP Postfix", "220 mx.box.net ESMTP Exim", "220 mx.box.net ESMTP Sendmail" }
  t.eq(scene.judge(change(honest(24), { from = 1, to = 3, greeting = function(i) return texts[i] end })).verdict, "normal")
end)

t.test("hosts that refuse, and share a certificate, may be one owner's", function()
  local hosts = change(honest(24), { from = 1, to = 6, greeting = "554 5.7.1 Access denied", certificate = key("k", "*.maker.net") })
  t.eq(scene.judge(hosts).verdict, "normal")
  t.eq(scene.judge(change(hosts, { from = 1, to = 6, greeting = "220 ESMTP" })).verdict, "uniform")
end)

-- A population whose names are shared by nature is no background for surprise.
t.test("what the other groups share raises the bar for each", function()
  local hosts = honest(60)
  for group = 1, 6 do change(hosts, { from = group * 4 - 3, to = group * 4, greeting = ("220 mx.group%d.net ESMTP"):format(group) }) end
  local object = scene.judge(hosts)
  t.eq({ object.verdict, object.groups[1].needed > 4 }, { "normal", true }, scene.told(object))
end)

t.done()
