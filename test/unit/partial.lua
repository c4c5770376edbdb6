--- A survey is a function of the set of what it was given: any partition, order, repetition and tree of merges gives the same bytes, the state's and
-- the verdict's, through the library and through the command. States are trusted in nothing.

local core = assert(require "deepid.core".load())
local facts = require "deepid.facts"
local json = require "deepid.json"
local scene = require "scene"
local survey = require "deepid.survey"
local t = require "tap"
local verdict = require "deepid.verdict"

local LUA = arg[-1] or "lua"
local FOLDER = os.tmpname()
os.remove(FOLDER)
assert(os.execute("mkdir " .. FOLDER))

local engine = assert(require "deepid".open())
local random = math.random
math.randomseed(20261125)

local function write(name, text)
  local file = assert(io.open(FOLDER .. "/" .. name, "wb"))
  file:write(text)
  file:close()
  return FOLDER .. "/" .. name
end

local function read(name)
  local file = assert(io.open(FOLDER .. "/" .. name, "rb"))
  local text = file:read("a")
  file:close()
  return text
end

local BOX = "220 mx.box.net ESMTP Postfix"
local GREETINGS = { BOX, "220 mail.own%d.org ESMTP Exim 4.96", "554 5.7.1 Outbound connections of kind %d are refused here", "220 mx.google.com ESMTP x%d",
  "421 concurrent connections limit in avast exceeded(pass:%d)", "220-mx%d.a.net\\r\\n220 ESMTP", "\\x0", "" }

local function hops(at)
  local path = { other_port = 443, hops = { { ttl = 9, port = 443, answer = "syn-ack" }, { ttl = at, port = 25, answer = "syn-ack" } } }
  path.connect_ms, path.other_ms = { 0.25, 1.5, 1.125, 1, 2 }, { 20.1, 20.2, 20.3, 20.4, 20.7 }
  return path
end

-- Every kind of record, of few hosts, many of them more than once and each time otherwise.
local function records(count)
  local list = {}
  for _ = 1, count do
    local hosts = { scene.host(random(40)) }
    local host = hosts[1]
    if random(3) == 1 then host.greeting = GREETINGS[random(#GREETINGS)]:format(random(4)) end
    if random(4) == 1 then host.greeting = nil end
    if random(3) == 1 then host.path = random(2) == 1 and hops(random(3)) or { ttl = 60 + random(3), other_ttl = 50 } end
    if random(3) == 1 then host.port = ({ 25, 587, 465, 2525 })[random(4)] end
    if random(3) == 1 then host.certificate = { spki_sha256 = "key" .. random(3), names = { "mx.box.net", "mail.own1.org" } } end
    if random(3) == 1 then host.ports = { { port = 25, state = random(2) == 1 and "filtered" or "open", reason = "x", ttl = random(9) }, { port = 993, state = "open" } } end
    host.silent, host.refused_by, host.connects, host.host_path = random(9), random(5) == 1 and "192.0.2.9" or nil, random(5) == 1 or nil, random(9) == 1 and hops(2) or nil
    host.names[2] = "x" .. random(5) .. ".isp.net"
    for _, record in ipairs(scene.records(hosts)) do list[#list + 1] = record end
    if random(20) == 1 then list[#list + 1] = { record = "scan", control = { scene.address(random(40)) }, scanner = { "192.0.2.1" }, known = { scene.address(random(40)) } } end
  end
  return list
end

local function greeting_lines(count)
  local lines = {}
  for i = 1, count do
    local address = random(9) == 1 and ("2001:db8:%x::25"):format(random(30)) or scene.address(random(60))
    lines[i] = address .. "\t" .. GREETINGS[random(#GREETINGS)]:format(random(9)) .. (random(3) == 1 and "\r" or "")
  end
  return lines
end

local function judged(all) return json.encode(assert(verdict.judge(all))) end

local function state_of(all)
  assert(all:save(FOLDER .. "/dump"))
  return read("dump")
end

t.test("any partition, order, repetition and tree of merges gives the same state and verdict", function()
  local verdicts = {}
  for round = 1, 12 do
    local list, lines = records(60), greeting_lines(round % 3 * 40)
    local whole, parts = survey.new(engine), {}
    for i = 1, 4 do parts[i] = survey.new(engine, { memory = 4 << 20, fan = 2, folder = FOLDER }) end
    for _, record in ipairs(list) do
      whole:add(record)
      for _ = 1, random(3) do parts[random(4)]:add(record) end
    end
    for _, line in ipairs(lines) do
      whole:add_lines(line)
      for _ = 1, random(2) do parts[random(4)]:add_lines(line .. "\n") end
    end
    for i, part in ipairs(parts) do assert(part:save(("%s/part%d"):format(FOLDER, i))) end
    local want_state, want = state_of(whole), judged(whole)
    -- Each state into one of those that are left, some of them twice.
    local left = { "part1", "part2", "part3", "part4" }
    while #left > 1 do
      local from = table.remove(left, random(#left))
      local to = random(#left)
      local both = survey.new(engine)
      for _ = 1, random(2) do t.eq(both:load(FOLDER .. "/" .. from), true) end
      t.eq(both:load(FOLDER .. "/" .. left[to]), true)
      assert(both:save(("%s/%s"):format(FOLDER, left[to])))
    end
    local merged = survey.new(engine)
    t.eq(merged:load(FOLDER .. "/" .. left[1]), true)
    t.ok(state_of(merged) == want_state, "the state")
    t.eq(judged(merged), want)
    verdicts[assert(json.decode(want)).verdict] = true
  end
  t.ok(verdicts.intercepted, "no scan of these shows anything")
end)

local function run(arguments)
  local pipe = assert(io.popen(("%s lua/bin/deepid %s 2>%s/errors"):format(LUA, arguments:gsub("@", FOLDER .. "/"), FOLDER)))
  local output = pipe:read("a")
  local _, _, status = pipe:close()
  return status, output, read "errors"
end

t.test("the same through the command", function()
  local list, lines = {}, greeting_lines(200)
  for i, record in ipairs(records(80)) do list[i] = json.encode(record) end
  table.move(lines, 1, #lines, #list + 1, list)
  for round = 1, 3 do
    local parts = { {}, {}, {} }
    for i = #list, 2, -1 do
      local j = random(i)
      list[i], list[j] = list[j], list[i]
    end
    for _, line in ipairs(list) do
      for _ = 1, random(2) do table.insert(parts[random(3)], line) end
    end
    write("all", table.concat(list, "\n") .. "\n")
    for i, part in ipairs(parts) do write("file" .. i, table.concat(part, "\n") .. "\n") end
    local status, want, said = run("survey --json @all")
    t.eq({ status, said }, { 0, "" })
    t.eq({ run("partial -o @whole @all") }, { 0, "", "" })
    for i = 1, 3 do t.eq({ run(("partial -o @p%d @file%d"):format(i, i)) }, { 0, "", "" }) end
    t.eq({ run("merge --json @p2 @p3 @p1") }, { 0, want, "" })
    t.eq({ run("merge --json @p1 @whole @p1") }, { 0, want, "" })
    t.eq({ run("merge -o @p4 @p3 @p1") }, { 0, "", "" })
    t.eq({ run("merge --json @p4 @p2") }, { 0, want, "" })
    t.eq({ run("merge -o @p5 @p2 @p4 @p2") }, { 0, "", "" })
    t.ok(read "p5" == read "whole", "the merged state")
    t.eq({ run("partial -o @p6 @file3 @file1 @file2") }, { 0, "", "" })
    t.ok(read "p6" == read "whole", "a state of all files")
    if round == 1 then t.eq(select(2, run("merge @p4 @p2")), select(2, run("survey @all"))) end
  end
end)

t.test("a state that was cut, altered or is none is refused, with a word on what to do", function()
  local good = read "whole"
  local cases = { [""] = "too short", [("x"):rep(100)] = "begins otherwise", [good:sub(1, #good // 2)] = "is no state", [good:sub(1, -2)] = "is no state",
    [good:sub(1, 99) .. "\0" .. good:sub(101)] = "is no state" }
  for bytes, says in pairs(cases) do
    write("bad", bytes)
    local status, output, said = run("merge --json @p1 @bad")
    t.eq({ status, output }, { 1, "" })
    t.has(said, "deepid: " .. FOLDER .. "/bad is no state", true)
    t.has(said, says, true)
    t.has(said, "deepid partial -o " .. FOLDER .. "/bad FILE...", true)
  end
  t.eq(run("merge -o @kept @bad"), 1)
  t.eq(io.open(FOLDER .. "/kept"), nil)
  local status, _, said = run("merge @absent")
  t.eq(status, 1)
  t.has(said, "absent: No such file", true)
end)

t.test("partial tells of lines that it cannot read, and writes the rest", function()
  write("odd", "192.0.2.1\t220 mx.a.net\n999.0.0.1\t220 x\nnothing\n")
  local status, _, said = run("partial -o @odd.state @odd")
  t.eq(status, 1)
  t.has(said, "odd:2: 999.0.0.1 is no address", true)
  t.has(said, "odd:3: neither", true)
  t.eq(assert(json.decode((select(2, run("merge --json @odd.state"))))).hosts_seen, 1)
  status, _, said = run("partial -o @absent/x @odd")
  t.eq(status, 1)
  t.has(said, "absent/x: No such file", true)
end)

local PACK = string.pack
local HEAD = "1" .. ("%018.6f"):format(0) .. "2"

-- Pairs that a shelf can hold, with a right checksum, and that are no facts.
local DECEIVED = {
  { "192.0.2.1", "" }, { "192.0.2.1\0", "" }, { "mx\0s\0\25", "0" }, { "192.0.2.1\0z", "" }, { "192.0.2.1\0s", "0" }, { "192.0.2.1\0s\0", "0" },
  { "192.0.2.1\0s\0\25x", "0" }, { "192.0.2.1\0s\0\25", "" }, { "192.0.2.1\0s\0\25", HEAD .. "z" .. PACK(">s2", "x") }, { "192.0.2.1\0s\0\25", HEAD .. "h\0\9x" },
  { "192.0.2.1\0s\0\25", HEAD .. "F" .. PACK(">s2", "{") }, { "192.0.2.1\0s\0\25", HEAD .. "F" .. PACK(">s2", "7") },
  { "192.0.2.1\0s\0\25", HEAD .. "F" .. PACK(">s2", '{"name":7}') }, { "192.0.2.1\0s\0\25", HEAD .. "F" .. PACK(">s2", '{"name":"\\u001b[2J"}') },
  { "192.0.2.1\0s\0\25", HEAD .. "F" .. PACK(">s2", '{"confidence":"x"}') }, { "192.0.2.1\0s\0\25", HEAD .. "P" .. PACK(">s2", "7") },
  { "192.0.2.1\0s\0\25", HEAD .. "p" .. PACK(">s2", "\27[2J") }, { "192.0.2.1\0p\0\25", "" }, { "192.0.2.1\0p\0\25", "3" }, { "192.0.2.1\0q", "x" },
  { "192.0.2.1\0t", "{" }, { "192.0.2.1\0t", '"x"' }, { "192.0.2.1\0r", "\27[2J" }, { "192.0.2.1\0n\27[2J.net", "" }, { "192.0.2.1\0nlocalhost", "" },
  { "\0scanner\0", "" }, { "\0other\0192.0.2.1", "" }, { "\0known\000192.0.2.1", "x" }, { "\0", "" },
}

t.test("a state made to deceive is refused", function()
  for _, pair in ipairs(DECEIVED) do
    local shelf = core.shelf()
    shelf:put(pair[1], pair[2])
    assert(shelf:dump(FOLDER .. "/deceived"))
    local ok, message = survey.new():load(FOLDER .. "/deceived")
    t.eq(ok, nil, ("%q %q"):format(pair[1], pair[2]))
    t.has(message, "deceived is no state that can be read: its facts are none of a survey; make it again", true)
  end
end)

t.test("whatever bytes a pair has, it is refused or judged", function()
  local whole = survey.new(engine)
  for _, record in ipairs(records(60)) do whole:add(record) end
  local sound = 0
  for key, value in whole.shelf:pairs() do
    for _ = 1, 20 do
      local at = random(#value + 1)
      local altered = value:sub(1, at - 1) .. string.char(random(0, 255)) .. value:sub(at + random(0, 1))
      if facts.is_sound(key, altered) and not facts.of_scan(key) then
        sound = sound + 1
        local one = survey.new(engine)
        one.shelf:put(key, altered)
        t.ok(verdict.judge(one))
      end
    end
  end
  t.ok(sound > 100, sound)
end)

os.execute("rm -r " .. FOLDER)
t.done()
