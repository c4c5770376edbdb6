--- Binomial tails, bounds and thresholds of the null model.

local chance = require "deepid.chance"
local t = require "tap"

-- n, k, p, P(Bin(n, p) >= k): summed exactly with Python's fractions,
--   sum(comb(n, i) * p**i * (1 - p)**(n - i) for i in range(k, n + 1))
local TAILS = {
  { 24, 3, 1/500, 1.5690027287144462e-05 }, { 24, 5, 7/1000, 6.3932000693326186e-07 }, { 10, 1, 1/4, 9.4368648529052734e-01 },
  { 100, 60, 1/2, 2.8443966820490395e-02 }, { 100, 40, 1/2, 9.8239989989114762e-01 }, { 1000, 23, 7/1000, 1.1958449068279536e-06 },
  { 1000, 5, 7/1000, 8.2796869480930990e-01 }, { 300, 299, 99/100, 1.9764966398427330e-01 }, { 24, 24, 1/1000, 1e-72 },
  { 2000, 40, 1/100, 4.8115317152320474e-05 }, { 7, 7, 1/4, 6.1035156250000000e-05 }, { 1, 1, 1/3, 1/3 }, { 50, 0, 1/10, 1 },
  { 3000, 150, 1/20, 5.1169677863516716e-01 }, { 400, 4, 1e-6, 1.0504070803790916e-15 },
}

local function close(got, want, relative) return math.abs(got - want) <= relative * want end

for _, case in ipairs(TAILS) do
  t.test(("P(Bin(%d, %g) >= %d)"):format(case[1], case[3], case[2]), function()
    local got = chance.tail(case[1], case[2], case[3])
    t.ok(close(got, case[4], 1e-10), ("%.17g against %.17g"):format(got, case[4]))
  end)
end

t.test("tails at their ends, and far out", function()
  t.eq({ chance.tail(5, 6, 0.5), chance.tail(5, 3, 0), chance.tail(5, 3, 1), chance.tail(5, -1, 0.5) }, { 0.0, 0.0, 1.0, 1.0 })
  local far = chance.tail(60000, 40, 1e-7) -- 1.6e-49 by its first term, (6e-3)^40 / 40!
  t.ok(far > 0 and far < 1e-130, far)
  t.ok(chance.tail(65536, 10, 0.01) > 1 - 1e-12)
end)

t.test("tails fall with k and never leave 0..1", function()
  for _, p in ipairs({ 1e-6, 0.01, 0.3, 0.5, 0.999 }) do
    local last = 1
    for k = 0, 200 do
      local now = chance.tail(200, k, p)
      t.ok(now >= 0 and now <= last + 1e-12, ("p=%g k=%d: %g after %g"):format(p, k, now, last))
      last = now
    end
  end
end)

local catalogue = assert(require("deepid.catalogue").open())

-- m, x(m): found with another program (Python, fractions) from the same classes.
for kind, cases in pairs({
  hostname = { { 5, 3 }, { 24, 3 }, { 25, 3 }, { 26, 4 }, { 64, 4 }, { 100, 5 }, { 256, 6 }, { 1000, 11 }, { 10000, 41 } },
  notice = { { 5, 4 }, { 10, 4 }, { 24, 5 }, { 100, 8 }, { 256, 12 }, { 1000, 23 }, { 10000, 112 } },
}) do
  t.test("thresholds of " .. kind, function()
    for _, case in ipairs(cases) do t.eq(chance.threshold(case[1], catalogue.classes[kind]), case[2], "m = " .. case[1]) end
  end)
end

t.test("the threshold is the first that meets alpha", function()
  local classes = catalogue.classes.hostname
  for _, m in ipairs({ 30, 200, 3000 }) do
    local x = chance.threshold(m, classes)
    t.ok(chance.bound(m, x, classes) <= chance.ALPHA and chance.bound(m, x - 1, classes) > chance.ALPHA, "m = " .. m)
  end
end)

t.test("where all networks are not enough, none is", function()
  t.eq(chance.threshold(4, { { w = 1, p = 0.5 } }), 5)
end)

t.test("what other keys share raises the threshold; the group itself takes no part", function()
  local class = chance.estimate(24, 7)
  t.ok(close(class.p, 7 / 523, 1e-12) and class.w == class.p)
  local classes = table.move(catalogue.classes.hostname, 1, 3, 1, {})
  classes[4] = class
  t.ok(chance.threshold(24, classes) > chance.threshold(24, catalogue.classes.hostname))
end)

t.done()
