--- The numbers in doc/uniformity.md are recomputed.

local chance = require "deepid.chance"
local t = require "tap"

local file = assert(io.open("doc/uniformity.md"))
local text = file:read("a")
file:close()

local classes = assert(require("deepid.catalogue").open()).classes

local function three(number) return ("%.3g"):format(number) end

t.test("the worked example: its classes are the shipped ones, its products and sum are right", function()
  local rows, sum = 0, 0
  for w, p, keys, tail, product in text:gmatch("\n| ([%d.]+) | ([%d.]+) | ([%d.]+) | ([%de.-]+) | ([%de.-]+) |") do
    rows = rows + 1
    local class = classes.hostname[rows]
    t.eq({ tonumber(w), tonumber(p) }, { class.w, class.p })
    local got = chance.tail(24, 3, class.p)
    t.eq({ keys, tail, product }, { three(class.w / class.p), three(got), three(class.w / class.p * got) })
    sum = sum + class.w / class.p * got
  end
  t.eq(rows, #classes.hostname)
  t.has(text, "The sum is " .. three(sum), true)
  t.has(text, ("With 2 of 24 it is %s, and with 3 of 26 it is %s"):format(three(chance.bound(24, 2, classes.hostname)), three(chance.bound(26, 3, classes.hostname))), true)
  t.has(text, ("24 x 0.002 = %s"):format(three(chance.expected(24, classes.hostname))), true)
end)

t.test("the example is what the verdict reports", function()
  local scene = require "scene"
  local group = scene.judge(scene.change(scene.honest(24), { from = 1, to = 3, greeting = "220 mx.box.net ESMTP" })).groups[1]
  t.has(text, ("observed %d, expected %s, probability %s"):format(group.unrelated, three(group.expected), three(group.probability)), true)
end)

t.test("the estimate from other keys", function()
  local class = chance.estimate(60, 4)
  local more = table.move(classes.hostname, 1, #classes.hostname, 1, {})
  more[#more + 1] = class
  t.has(text, ("p = 4/559 = %s is added, and %d units are needed instead of %d"):format(three(class.p), chance.threshold(60, more), chance.threshold(60, classes.hostname)), true)
end)

t.test("the table of thresholds", function()
  local rows = 0
  for m, names, notices in text:gmatch("\n| (%d+) | (%d+) | (%d+) |") do
    rows = rows + 1
    t.eq({ tonumber(names), tonumber(notices) }, { chance.threshold(tonumber(m), classes.hostname), chance.threshold(tonumber(m), classes.notice) }, "m = " .. m)
  end
  t.eq(rows, 10)
end)

t.test("8 of 8 silent units just meet the bound", function()
  t.ok(chance.tail(8, 8, 0.25) <= 2e-5 and chance.tail(7, 7, 0.25) > 2e-5)
end)

t.test("every explanation of groups is described, in the order in which it applies", function()
  local last = 0
  for _, one in ipairs(require("deepid.explain").GROUP) do
    local at = text:find(("\n- `%s`:"):format(one.name), 1, true)
    t.ok(at and at > last, one.name)
    last = at
  end
end)

t.done()
