--- Path evidence that needs no network: times and hop tables.

local t = require "tap"
local hops = require "deepid.hops"
local roundtrip = require "deepid.roundtrip"

-- Samples of the port, of the other port; whether it is nearer.
local TIMES = {
  { "an interceptor at 0.1 ms, the target at 20", { .05, .1, .1, .1, .2 }, { 20.5, 20.6, 21, 21.8, 20.9 }, true },
  { "the same, one SYN lost and sent again", { .05, .1, .1, .1, 1000 }, { 20.5, 20.6, 1021, 21.8, 20.9 }, true },
  { "one host", { 20.1, 20.4, 20.2, 21, 20.3 }, { 20.3, 20.2, 20.1, 20.9, 20.4 }, false },
  { "port 25 farther away", { 30, 30, 30, 30, 30 }, { 20, 20, 20, 20, 20 }, false },
  { "nearer by less than 2 ms", { .1, .1, .1, .1, .1 }, { 2, 2, 2, 2, 2 }, false },
  { "nearer by less than 15%", { 90, 90, 90, 90, 90 }, { 100, 100, 100, 100, 100 }, false },
  { "nearer by more than 15%", { 80, 80, 80, 80, 80 }, { 100, 100, 100, 100, 100 }, true },
  { "the fourth fastest overlaps", { 1, 1, 1, 21, 21 }, { 20, 20, 20, 20, 20 }, false },
  { "four samples are enough", { 1, 1, 1, 1 }, { 20, 20, 20, 20 }, true },
  { "four of which one is slow are not", { 1, 1, 1, 21 }, { 20, 20, 20, 20 }, false },
  { "three are not", { 1, 1, 1 }, { 20, 20, 20, 20, 20 }, nil },
  { "two are, where both are slow", { 20.2, 20.1 }, { 20.1, 20.2 }, false },
  { "one is not", { 21 }, { 20 }, nil },
  { "none of the other port", { 1, 1, 1, 1, 1 }, {}, nil },
}
for _, case in ipairs(TIMES) do
  t.test("times: " .. case[1], function() t.eq((roundtrip.is_nearer(case[2], case[3])), case[4]) end)
end

t.test("times: the samples stay in their order", function()
  local own, other = { 3, 1, 2, 4, 5 }, { 30, 10, 20, 40, 50 }
  local _, difference = roundtrip.is_nearer(own, other)
  t.eq({ own, other, difference }, { { 3, 1, 2, 4, 5 }, { 30, 10, 20, 40, 50 }, 9 })
end)

-- Samples come in turn; what is settled after some of them no further ones may change.
t.test("times: what is settled stays so", function()
  local settled = { [true] = 0, [false] = 0 }
  math.randomseed(25)
  for _ = 1, 5000 do
    local own, other, was_settled, shift = {}, {}, false, math.random(0, 12)
    for i = 1, roundtrip.SAMPLES do
      own[i], other[i] = 10 + math.random(0, 10), 10 + shift + math.random(0, 10)
      was_settled = was_settled or roundtrip.is_settled(own, other)
    end
    settled[was_settled] = settled[was_settled] + 1
    table.sort(own)
    local is_nearer = own[4] < math.min(table.unpack(other))
    if was_settled then t.eq({ own, other, is_nearer }, { own, other, false }) end
  end
  t.ok(settled[true] > 1000 and settled[false] > 1000, ("settled %d, not %d"):format(settled[true], settled[false]))
end)

local function hop(ttl, port, answer, from) return { ttl = ttl, port = port, answer = answer, from = from } end

-- Port 25 is answered by or behind the second router, the target is four hops away.
local INTERCEPTED = {
  hop(3, 25, "syn-ack", "t"), hop(2, 25, "syn-ack", "t"), hop(4, 25, "syn-ack", "t"), hop(1, 25, "time-exceeded", "r1"),
  hop(1, 443, "time-exceeded", "r1"), hop(2, 443, "time-exceeded", "r2"), hop(3, 443, "none"), hop(4, 443, "rst", "t"),
}

t.test("hops: where a port is answered", function()
  t.eq(hops.compare(INTERCEPTED, 25, 443), { answered_at = 2, target_at = 4, by = "r2", after = "r1" })
  t.eq(hops.compare(INTERCEPTED, 25, nil), { answered_at = 2, after = "r1" })
  t.eq(hops.compare(INTERCEPTED, 80, 443), { target_at = 4 })
end)

t.test("hops: at the first hop there is none before", function()
  t.eq(hops.compare({ hop(1, 25, "syn-ack", "t"), hop(1, 443, "time-exceeded", "r1"), hop(2, 443, "syn-ack", "t") }, 25, 443),
    { answered_at = 1, target_at = 2, by = "r1" })
end)

t.test("hops: silence, and who refused", function()
  t.eq({ hops.last_router(INTERCEPTED, 443) }, { 2, "r2" })
  t.eq({ hops.last_router(INTERCEPTED, 80) }, {})
  local refused = { hop(3, 25, "unreachable", "r1"), hop(2, 25, "unreachable", "r1") }
  refused[1].reason, refused[2].reason = "later", "admin-prohibited"
  t.eq({ hops.refused_by(refused, 25) }, { "r1", 2, "admin-prohibited" })
  t.eq({ hops.refused_by(INTERCEPTED, 25) }, {})
end)

t.test("hops: what a file may hold in their place", function()
  t.eq(hops.compare({ 1, "x", {}, { ttl = "2", port = 25, answer = "syn-ack" }, { ttl = 1.5, port = 25, answer = "rst" } }, 25, 443), {})
end)

t.done()
