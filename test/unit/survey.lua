--- The survey through its binding, against an oracle in plain Lua.

local t = require "tap"
local core = assert(require "deepid.core".load())
local oracle = require "survey_oracle"

local FOLDER = os.tmpname()
os.remove(FOLDER)
assert(os.execute("mkdir " .. FOLDER))

local random = math.random
math.randomseed(20261124)

local function list_of(survey, kind, min_hosts)
  local list = {}
  for group in survey:groups(kind, min_hosts) do list[#list + 1] = group end
  return list
end

-- A word for each group that both sides can make, sorted; what the oracle does not know is left out on both.
local function words(list, oracle_list)
  local result = {}
  for _, group in ipairs(list) do
    local ipv4 = not table.concat(group.examples or {}):find ":"
    if oracle_list then ipv4 = group.examples ~= nil end
    result[#result + 1] = table.concat({ group.kind, group.hosts, group.networks24, group.networks16,
      ipv4 and table.concat(group.examples, " ") or "", ipv4 and tostring(group.example) or "" }, "|")
  end
  table.sort(result)
  return result
end

local function random_facts(count, ipv6)
  local facts = {}
  for i = 1, count do
    local address = ("10.%d.%d.%d"):format(random(0, 3), random(0, 7), random(0, 7))
    if ipv6 and random(4) == 1 then address = ("2001:db8:%x:%x:1:1:1:%x"):format(random(1, 3), random(1, 3), random(1, 9)) end
    local example = random(3) > 1 and ("220 host " .. random(5)):rep(random(1, 40)) or nil
    facts[i] = { address, random(1, 3), random(3) == 1 and "common" or "key " .. random(200), example }
  end
  return facts
end

t.test("the same as the oracle while counts are exact", function()
  for _ = 1, 20 do
    local s, o = core.survey(), oracle.survey()
    for _, fact in ipairs(random_facts(400)) do
      t.eq(s:add(fact[1], fact[2], fact[3], fact[4]), true)
      o:add(fact[1], fact[2], fact[3], fact[4])
    end
    t.eq(words(list_of(s)), words(o:list(), true))
    t.eq(words(list_of(s, 2, 3)), words(o:list(2, 3), true))
  end
end)

t.test("IPv6 hosts and networks", function()
  local s, o = core.survey(), oracle.survey()
  for _, fact in ipairs(random_facts(150, true)) do
    s:add(table.unpack(fact, 1, 4))
    o:add(table.unpack(fact, 1, 4))
  end
  t.eq(#list_of(s), #o:list())
  for _, group in ipairs(list_of(s)) do
    t.ok(group.hosts >= group.networks24 and group.networks24 >= group.networks16)
  end
end)

t.test("what a group looks like", function()
  local s = core.survey()
  s:add("192.0.2.1", 7, "key", "220 \0\255")
  s:add("::ffff:192.0.2.1", 7, "key")
  s:add("fe80::1%eth0", 7, "key")
  local list = list_of(s)
  table.sort(list[1].examples)
  t.eq(#list[1].key, 32)
  t.has(list[1].key, "^%x+$")
  list[1].key = nil
  t.eq(list, { { kind = 7, hosts = 2, networks24 = 2, networks16 = 2, examples = { "192.0.2.1", "fe80::1" }, example = "220 \0\255" } })
  s:add("192.0.2.2", 7, "key")
  list = list_of(s)
  t.eq({ list[1].hosts, list[1].networks24, list[1].networks16 }, { 3, 2, 2 })
  t.eq(list_of(core.survey()), {})
end)

t.test("going over the groups ends when something is added", function()
  for _, memory in ipairs { 64 << 20, 2 << 20 } do
    local s = core.survey { memory = memory, folder = FOLDER }
    for i = 1, 12000 do s:add(("10.%d.%d.%d"):format(i // 65536, i // 256 % 256, i % 256), 1, "key" .. i, ("x"):rep(100)) end
    local seen = 0
    for _ in s:groups() do seen = seen + 1 end
    t.eq(seen, 12000)
    local iterate = s:groups()
    iterate()
    s:add("192.0.2.1", 1, "key1")
    t.raises("has changed", iterate)
    iterate = s:groups()
    s:close()
    t.raises("closed", iterate)
  end
end)

t.test("the world's mistakes are told, the caller's raise", function()
  local s = core.survey { folder = FOLDER .. "/absent", memory = 2 << 20 }
  local ok, problem = s:add("192.0.2", 1, "key")
  t.eq({ ok, problem }, { nil, "192.0.2 is no address" })
  -- It runs full, and has no folder to spill into: from then on it is of no use, and says so.
  for i = 1, 20000 do
    ok, problem = s:add("192.0.2.1", 1, "key" .. i, ("x"):rep(200))
    if not ok then break end
  end
  t.has(problem, "^cannot write a temporary file in .*/absent: No such file")
  t.eq({ s:add("192.0.2.1", 1, "key") }, { nil, problem })
  t.eq({ s:groups() }, { nil, problem })
  local other = core.survey()
  for _, case in ipairs {
    { "memory must be an integer from 2097152", core.survey, { memory = 1000 } }, { "memory must be", core.survey, { memory = "much" } },
    { "fan must be an integer from 2 to 16", core.survey, { fan = 1 } }, { "folder must be a string", core.survey, { folder = 1 } },
    { "table expected", core.survey, 1 }, { "a kind is", other.add, other, "::1", 0, "" },
    { "a kind is", other.add, other, "::1", 16, "" }, { "string expected", other.add, other, "::1", 1 },
    { "a kind is", other.groups, other, 16 }, { "below 0", other.groups, other, 1, -1 },
  } do
    t.raises(table.unpack(case, 1, 6))
  end
  other:close()
  other:close()
  t.raises("closed", other.groups, other)
end)

t.test("a finalizer may use the very survey that is gone over", function()
  local s, ran = core.survey(), 0
  for i = 1, 300 do s:add("192.0.2." .. i % 250, 1, "key" .. i, "text") end
  local meta = {}
  function meta.__gc()
    ran = ran + 1
    s:add("nothing", 1, "key")
    setmetatable({}, meta)
  end
  local pause, step = collectgarbage("setpause", 1), collectgarbage("setstepmul", 1000)
  setmetatable({}, meta)
  for _ = 1, 20 do
    for group in s:groups() do
      if group.example ~= "text" or group.hosts ~= 1 then t.eq(group, "a group of one host") end
    end
  end
  meta.__gc = nil
  collectgarbage("setpause", pause)
  collectgarbage("setstepmul", step)
  t.ok(ran > 10, "finalizers that ran: " .. ran)
end)

os.execute("rm -r " .. FOLDER)
t.done()
