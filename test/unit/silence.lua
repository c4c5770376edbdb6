--- Port 25 silent: blocked near the scanner, or the targets' own firewalls.

local scene = require "scene"
local t = require "tap"

local honest, change = scene.honest, scene.change

local SILENT = { { port = 25, state = "filtered", reason = "no-response" }, { port = 993, state = "open", reason = "syn-ack", ttl = 55 } }
local function silent(count, with)
  return change(honest(count), { greeting = false, ports = with or SILENT })
end

local function refused(icmp_ttl)
  return { { port = 25, state = "filtered", reason = "admin-prohibited", ttl = icmp_ttl }, { port = 993, state = "open", reason = "syn-ack", ttl = 55 } }
end

local function one_24(i) return scene.address(i, true) end

local function stops(at)
  local path = { reference = 443, hops = { { ttl = 9, port = 443, answer = "syn-ack" } } }
  for i = 1, at do table.insert(path.hops, { ttl = i, port = 25, answer = "time-exceeded", from = "203.0.113." .. i }) end
  return path
end

local WEB = { { port = 25, state = "filtered", reason = "no-response" }, { port = 443, state = "open", reason = "syn-ack" } }
local CLOSED = { { port = 25, state = "closed", reason = "reset" }, { port = 993, state = "open", reason = "syn-ack" } }

local all_known = {}
for i = 1, 8 do all_known[i] = scene.address(i) end

-- {what, hosts, scan, verdict}
local CASES = {
  { "eight unrelated mail hosts, all silent", silent(8), nil, "blocked" },
  { "seven are too few", silent(7), nil, "insufficient" },
  { "web servers are no witnesses", silent(30, WEB), nil, "insufficient" },
  { "one network may have one firewall", change(silent(12), { address = one_24 }), nil, "insufficient" },
  { "one owner may have one firewall", change(silent(12), { names = { "mail.own.org" } }), nil, "insufficient" },
  { "a port that resets was reached", change(silent(8), { from = 1, to = 1, ports = CLOSED }), nil, "normal", "no" },
  { "one in 24 accepts", change(silent(24), { from = 1, to = 1, greeting = "220 mail.own1.org ESMTP" }), nil, "blocked" },
  { "two in 24 accept", change(silent(24), { from = 1, to = 2, greeting = "220 mail.own1.org ESMTP" }), nil, "normal" },
  { "hosts that the user knows", silent(8, { SILENT[1] }), { known = all_known }, "blocked" },
  { "the same, not named", silent(8, { SILENT[1] }), nil, "insufficient" },
  { "one network, refused two hops away", change(silent(8, refused(63)), { address = one_24 }), nil, "blocked" },
  { "one network, refused at its edge", change(silent(8, refused(57)), { address = one_24 }), nil, "insufficient" },
  { "one network, traced to the second hop", change(change(silent(12), { address = one_24 }), { from = 1, to = 4, host_path = function() return stops(2) end }), nil, "blocked" },
  { "one network, traced to its edge", change(change(silent(12), { address = one_24 }), { from = 1, to = 4, host_path = function() return stops(8) end }), nil, "insufficient" },
}

for _, case in ipairs(CASES) do
  t.test(case[1], function()
    local object = scene.judge(case[2], case[3])
    if case[5] == "no" then
      t.ok(object.verdict ~= "blocked", object.verdict)
    else
      t.eq(object.verdict, case[4])
    end
    if object.verdict == "blocked" then t.eq(object.where, "near_you") end
  end)
end

t.test("who refused, and where packets end, is told", function()
  local hosts = change(silent(9, refused(63)), { refused_by = "203.0.113.2", host_path = function() return stops(2) end })
  local quiet = scene.judge(hosts).port_25
  t.eq({ quiet.filtered, quiet.mail_elsewhere, quiet.refused, quiet.refused_by, quiet.stops_at }, { 9, 9, 9, "203.0.113.2", 2 })
end)

t.done()
