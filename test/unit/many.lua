--- What is done where there are very many: crowds, the first odd hosts, samples of large groups, groups that are left out, memory.

local crowds = require "deepid.crowd"
local groups = require "deepid.groups"
local members = require "deepid.members"
local intake = require "deepid.intake"
local json = require "deepid.json"
local network = require "deepid.network"
local odds = require "deepid.odd"
local scene = require "scene"
local survey = require "deepid.survey"
local t = require "tap"
local verdict = require "deepid.verdict"
local words = require "deepid.words"

local honest, change = scene.honest, scene.change
local BOX = "220 mx.box.net ESMTP Postfix"
local random = math.random
math.randomseed(20261125)

local function host(ordinal) return { ordinal = ordinal, address = ("%06d"):format(ordinal) } end

-- Some ordinals in order, and the same as a set.
local function draw(most)
  local list, set = {}, {}
  for ordinal = 1, most do
    if random(3) == 1 then list[#list + 1], set[ordinal] = host(ordinal), true end
  end
  return list, set
end

t.test("a crowd is a set: counted, joined, compared", function()
  for _ = 1, 20 do
    local most = random(1, 4000)
    local list, set = draw(most)
    local other_list, other_set = draw(most)
    local crowd, other = crowds.of(list), crowds.of(other_list)
    local both, either = 0, 0
    for ordinal = 1, most do
      if set[ordinal] and other_set[ordinal] then both = both + 1 end
      if set[ordinal] or other_set[ordinal] then either = either + 1 end
      if crowd:has(host(ordinal)) ~= (set[ordinal] or false) then t.eq(ordinal, "in its crowd") end
    end
    t.eq({ crowd.count, #crowd.first, crowd:common(other) }, { #list, math.min(#list, crowds.KEPT), both })
    crowd:join(other)
    crowd:join(other)
    t.eq(crowd.count, either)
  end
  local crowd = crowds.of({ host(7), host(3), host(7) })
  t.eq({ crowd.count, crowd.first[1].ordinal, crowd.first[2].ordinal }, { 2, 3, 7 })
end)

t.test("of very many odd hosts the first are listed with all that is said of them, and all are counted", function()
  local odd, said, count = odds.new(), {}, 0
  for round = 1, 6 do
    local list = {}
    for _, one in ipairs((draw(12000))) do
      if random(6) > 1 then list[#list + 1] = one end
    end
    odd:say_all(crowds.of(list), round == 3 and "uniform" or "insufficient", "round " .. round)
    for _, one in ipairs(list) do
      if not said[one.address] then said[one.address], count = {}, count + 1 end
      table.insert(said[one.address], "round " .. round)
    end
  end
  local listed, total = odd:list(false)
  t.eq({ #listed, total }, { crowds.KEPT, count })
  local addresses = {}
  for address in pairs(said) do addresses[#addresses + 1] = address end
  table.sort(addresses)
  for i, one in ipairs(listed) do
    t.eq({ one.address, table.concat(one.evidence, " ") }, { addresses[i], table.concat(said[addresses[i]], " ") })
    t.eq(one.verdict, table.concat(one.evidence):find("round 3") and "uniform" or "insufficient")
  end
end)

t.test("units counted one by one are those of all hosts at once", function()
  for _ = 1, 200 do
    local hosts, tally = {}, network.tally()
    for i = 1, random(40) do
      hosts[i] = { network = "n" .. random(20), domains = {} }
      for d = 1, random(0, 2) do hosts[i].domains[d] = "d" .. random(25) end
      tally:add(hosts[i])
      t.eq(tally.count, (network.units(hosts)))
    end
  end
end)

local function with(settings, body)
  local before = { groups.MOST, members.MOST_MEMBERS }
  groups.MOST, members.MOST_MEMBERS = settings.most or before[1], settings.members or before[2]
  local ok, problem = pcall(body)
  groups.MOST, members.MOST_MEMBERS = table.unpack(before)
  if not ok then error(problem, 0) end
end

local function shuffled(list)
  for i = #list, 2, -1 do
    local j = random(i)
    list[i], list[j] = list[j], list[i]
  end
  return list
end

t.test("a large group is judged by some of its hosts, the same whatever the order, and that is said", function()
  with({ members = 20 }, function()
    local records = scene.records(change(honest(60), { from = 1, to = 40, greeting = BOX }))
    local seen
    for _ = 1, 3 do
      local all = survey.new()
      for _, record in ipairs(shuffled(records)) do all:add(record) end
      local object = assert(verdict.judge(all))
      t.eq({ object.verdict, object.groups[1].hosts, object.groups[1].judged, object.groups[1].unrelated }, { "uniform", 40, 20, 20 })
      t.has(table.concat(words.lines(object), "\n"), "40 addresses announce one host name, mx.box.net", true)
      t.has(table.concat(words.lines(object), "\n"), "; judged by 20 of them", true)
      seen = seen or json.encode(object)
      t.eq(json.encode(object), seen)
    end
  end)
end)

t.test("the sample is fair: not the first by address", function()
  with({ members = 20 }, function()
    local object = scene.judge(change(change(honest(40, { greeting = BOX }), { from = 1, to = 20, address = function(i) return "1.1.1." .. i end }), { names = {} }))
    t.eq({ object.groups[1].hosts, object.groups[1].judged }, { 40, 20 })
    t.ok(object.groups[1].unrelated >= 5 and object.groups[1].unrelated <= 17, object.groups[1].unrelated)
  end)
end)

t.test("a sample of a whole network stands for all of it", function()
  with({ members = 12 }, function()
    local hosts = honest(40, { greeting = BOX, address = function(i) return scene.address(i, true) end })
    t.eq(scene.judge(hosts).groups[1].surprising, "one_network")
    t.ok(not scene.judge(change(hosts, { from = 21, to = 40, greeting = function(i) return ("220 mail.own%d.org ESMTP"):format(i) end })).groups[1].surprising, "half of it")
  end)
end)

t.test("of very many groups the widest and the largest are judged, and how many are left is said", function()
  with({ most = 4 }, function()
    local hosts = honest(60)
    for group = 1, 10 do change(hosts, { from = group * 3 - 2, to = group * 3, greeting = ("220 mx.group%d.net ESMTP"):format(group) }) end
    change(hosts, { from = 31, to = 38, greeting = BOX })
    local object = scene.judge(hosts)
    t.eq({ object.groups[1].key, object.groups[1].hosts, #object.groups + object.groups_left }, { "mx.box.net", 8, 11 })
    t.ok(#object.groups >= 2 and #object.groups <= 4, #object.groups)
    t.has(table.concat(words.lines(object), "\n"), ("left out: %d more groups that could matter"):format(object.groups_left), true)
  end)
  t.eq(scene.judge(honest(60)).groups_left, nil)
end)

-- 60,000 hosts would be 150 MB as tables; on disk they are not.
t.test("what Lua holds does not grow with the greetings", function()
  local name = os.tmpname()
  local file = assert(io.open(name, "wb"))
  for i = 1, 60000 do file:write(("%d.%d.%d.%d\t220 mx.h%d.net ESMTP Postfix\n"):format(20 + i % 60, i // 60 % 256, i // 15360, i % 250, i % 3 == 0 and i % 50 or i)) end
  file:close()
  local all, most = survey.new(), 0
  collectgarbage()
  local before = collectgarbage("count")
  t.eq(intake.file(name, all), {})
  os.remove(name)
  local pause = collectgarbage("setpause", 110)
  debug.sethook(function() most = math.max(most, collectgarbage("count") - before) end, "", 10000)
  local object = assert(verdict.judge(all))
  debug.sethook()
  collectgarbage("setpause", pause)
  t.eq(object.hosts_seen, 60000)
  print(("# %d KiB at most"):format(most // 1))
  t.ok(most > 0 and most < 12288, ("%d KiB"):format(most // 1))
end)

t.done()
