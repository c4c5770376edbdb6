--- The survey through its binding, against an oracle in plain Lua.

local t = require "tap"
local core = assert(require "deepid.core".load())
local oracle = require "survey_oracle"

local FOLDER = os.tmpname()
os.remove(FOLDER)
assert(os.execute("mkdir " .. FOLDER))
local STATE = FOLDER .. "/state"

local random = math.random
math.randomseed(20261124)

local function read(path)
  local file = assert(io.open(path, "rb"))
  local bytes = file:read "a"
  file:close()
  return bytes
end

local function dump(survey)
  os.remove(STATE)
  assert(survey:dump(STATE))
  return read(STATE)
end

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
    local totals = s:totals()
    -- More than 256 hosts are not counted but estimated.
    if o:totals().hosts <= 256 then t.eq(totals, o:totals()) end
    t.eq({ totals.networks24, totals.networks16 }, { o:totals().networks24, o:totals().networks16 })
  end
end)

t.test("IPv6 hosts and networks", function()
  local s, o = core.survey(), oracle.survey()
  for _, fact in ipairs(random_facts(150, true)) do
    s:add(table.unpack(fact, 1, 4))
    o:add(table.unpack(fact, 1, 4))
  end
  t.eq(s:totals(), o:totals())
  for _, group in ipairs(list_of(s)) do
    t.ok(group.hosts >= group.networks24 and group.networks24 >= group.networks16)
  end
end)

t.test("a merge is the union, in any order, and again through a file", function()
  for _ = 1, 10 do
    local parts, o, whole = {}, oracle.survey(), core.survey()
    for i = 1, 4 do parts[i] = core.survey { memory = 2 << 20, fan = 2, folder = FOLDER } end
    for _, fact in ipairs(random_facts(600, true)) do
      for _, s in ipairs { parts[random(4)], parts[random(4)], whole } do s:add(table.unpack(fact, 1, 4)) end
      o:add(table.unpack(fact, 1, 4))
    end
    local want = dump(whole)
    while #parts > 1 do
      local from = table.remove(parts, random(#parts))
      local to = parts[random(#parts)]
      t.eq(to:merge(from), true)
      t.eq(to:merge(from), true)
      from:close()
    end
    t.ok(dump(parts[1]) == want, "merged")
    local loaded = assert(core.survey_load(STATE))
    t.ok(dump(loaded) == want, "loaded")
    t.eq(#list_of(loaded), #o:list())
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
  t.eq(s:totals(), { hosts = 2, networks24 = 2, networks16 = 2 })
  s:add("192.0.2.2", 7, "key")
  t.eq(s:totals(), { hosts = 3, networks24 = 2, networks16 = 2 })
  local none = core.survey()
  t.eq(list_of(none), {})
  t.eq(none:totals(), { hosts = 0, networks24 = 0, networks16 = 0 })
end)

t.test("lines: the same as adding each, masked in both ways", function()
  local lines, one, many = {}, core.survey(), core.survey { greeting = 5, template = 6 }
  for i = 1, 300 do
    local greeting = ("220 mx%d.example.org ESMTP Exim 4.96 Tue, 24 Nov 2026 10:00:%02d +0000"):format(i % 20, i % 60)
    local address = ("192.0.%d.%d"):format(i % 3, i % 250)
    lines[#lines + 1] = address .. "\t" .. greeting .. (i % 2 == 0 and "\r" or "")
    one:add(address, 5, core.mask(greeting, "volatile"), greeting)
    one:add(address, 6, core.mask(greeting, "template"), greeting)
  end
  local text = table.concat(lines, "\n")
  local taken, skipped = many:add_lines(text)
  t.eq({ taken, skipped }, { 300, 0 })
  t.ok(dump(many) == dump(one), "the same state")
  t.eq(#list_of(many, 6), 1)
  t.eq(#list_of(many, 5), 20)
  t.eq({ many:add_lines "" }, { 0, 0 })
  t.eq({ many:add_lines "no tab\n192.0.2\t220\n\n192.0.2.1\t\n::1\t220 x" }, { 2, 3 })
  t.eq({ many:add_lines("192.0.2.1\t220 " .. ("x"):rep(70000) .. "\n") }, { 1, 0 })
end)

t.test("going over the groups ends when something is added; totals may be asked", function()
  for _, memory in ipairs { 64 << 20, 2 << 20 } do
    local s = core.survey { memory = memory, folder = FOLDER }
    for i = 1, 12000 do s:add(("10.%d.%d.%d"):format(i // 65536, i // 256 % 256, i % 256), 1, "key" .. i, ("x"):rep(100)) end
    local seen, totals = 0, nil
    for _ in s:groups() do
      seen = seen + 1
      totals = s:totals()
    end
    t.eq(seen, 12000)
    t.ok(totals.hosts > 11000 and totals.hosts < 13000, "hosts")
    local iterate = s:groups()
    iterate()
    s:add("192.0.2.1", 1, "key1")
    t.raises("has changed", iterate)
    iterate = s:groups()
    s:close()
    t.raises("closed", iterate)
  end
end)

t.test("a state that was cut or altered is refused", function()
  local s = core.survey()
  for _, fact in ipairs(random_facts(5)) do s:add(table.unpack(fact, 1, 4)) end
  local bytes = dump(s)
  local function load(content)
    os.remove(STATE)
    local file = assert(io.open(STATE, "wb"))
    file:write(content)
    file:close()
    return core.survey_load(STATE)
  end
  t.ok(load(bytes))
  for at = 0, #bytes - 1 do
    local loaded, problem = load(bytes:sub(1, at))
    t.eq(loaded, nil)
    t.has(problem, "is no state")
    loaded = load(bytes:sub(1, at) .. string.char(bytes:byte(at + 1) ~ 1 << at % 8) .. bytes:sub(at + 2))
    t.eq(loaded, nil)
  end
  t.has(select(2, core.survey_load(FOLDER .. "/absent")), "absent: No such file")
end)

t.test("the world's mistakes are told, the caller's raise", function()
  local s = core.survey { folder = FOLDER .. "/absent", memory = 2 << 20 }
  local ok, problem = s:add("192.0.2", 1, "key")
  t.eq({ ok, problem }, { nil, "192.0.2 is no address" })
  t.has(select(2, s:dump(FOLDER .. "/absent/x")), "^cannot write .*/absent/x: No such file")
  -- It runs full, and has no folder to spill into: from then on it is of no use, and says so.
  for i = 1, 20000 do
    ok, problem = s:add("192.0.2.1", 1, "key" .. i, ("x"):rep(200))
    if not ok then break end
  end
  t.has(problem, "^cannot write a temporary file in .*/absent: No such file")
  t.eq({ s:add("192.0.2.1", 1, "key") }, { nil, problem })
  t.eq({ s:groups() }, { nil, problem })
  t.eq({ s:totals() }, { nil, problem })
  t.eq({ core.survey():merge(s) }, { nil, problem })
  local other = core.survey()
  for _, case in ipairs {
    { "memory must be an integer from 2097152", core.survey, { memory = 1000 } }, { "memory must be", core.survey, { memory = "much" } },
    { "fan must be an integer from 2 to 16", core.survey, { fan = 1 } }, { "greeting must be", core.survey, { greeting = 16 } },
    { "template must be", core.survey, { template = 0 } }, { "folder must be a string", core.survey, { folder = 1 } },
    { "table expected", core.survey, 1 }, { "string expected", core.survey_load }, { "a kind is", other.add, other, "::1", 0, "" },
    { "a kind is", other.add, other, "::1", 16, "" }, { "string expected", other.add, other, "::1", 1 },
    { "with itself", other.merge, other, other }, { "deepid.survey expected", other.merge, other, {} },
    { "a kind is", other.groups, other, 16 }, { "below 0", other.groups, other, 1, -1 }, { "string expected", other.dump, other },
  } do
    t.raises(table.unpack(case, 1, 6))
  end
  other:close()
  other:close()
  t.raises("closed", other.totals, other)
end)

t.test("a finalizer may use the very survey that is gone over", function()
  local s, ran = core.survey(), 0
  for i = 1, 300 do s:add("192.0.2." .. i % 250, 1, "key" .. i, "text") end
  local meta = {}
  function meta.__gc()
    ran = ran + 1
    s:totals()
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
