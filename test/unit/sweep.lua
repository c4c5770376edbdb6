--- The core's sweep over lone greetings says what the library says host by host: the keys of random and recorded greetings, which hosts it leaves to Lua,
-- what it counts by network and by class, the members that it gathers.

local core = assert(require "deepid.core".load())
local facts = require "deepid.facts"
local groups = require "deepid.groups"
local members = require "deepid.members"
local namings = require "deepid.naming"
local network = require "deepid.network"
local scene = require "scene"
local survey = require "deepid.survey"
local t = require "tap"

local engine = assert(require "deepid".open())
local random = math.random
math.randomseed(20261130)

local function pick(list) return list[random(#list)] end

-- Pieces that the parts of a greeting are told by, and those that nearly are.
local PIECES = { "220 ", "220-", "554 ", "421 ", "250", "5", "mx.own%d.org", "MX.Own%d.NET", "localhost", "a..b.net", "x_y.own.org", "own.org.", "-a.org", "[192.0.2.%d]", "10.0.0.%d",
  "1.2.3.4.5.6.7", "300.1.1.999", "2001:db8::%x", " ESMTP ", "Postfix", "Exim 4.9%d", "Tue, 24 Nov 2026 10:00:0%d +0000", "id=1rKxYz-0003aB-%02d", "pid %d", "\\r\\n", "\\n", "\\t", "\\\\",
  "\\x41", "\\x4", "\\q", "\\", "\\x00", "\\x01", "\\x05", "\\xff", "\255", "\1", "\6", "\0", "(", ")", "<", ">", "   ", "*", ":", ("z"):rep(250), ("12"):rep(100), " \\r\\n" }

local function text()
  local parts = { random(2) == 1 and pick({ "220 ", "220-", "554 ", "550-" }) or nil }
  for i = #parts + 1, random(0, 9) do parts[i] = pick(PIECES):gsub("%%%d*[dx]", function() return tostring(random(9)) end) end
  local line = table.concat(parts):gsub("\n", "")
  if random(60) == 1 then line = (line .. "x"):rep(16384 // (#line + 1) + 1) end
  return line
end

local function address()
  return pick({ function() return scene.address(random(400)) end, function() return ("10.%d.2.%d"):format(random(3), random(50)) end, function() return ("2001:db8:%x::%X"):format(random(3), random(90)) end })()
end

local function shelf_of(lines)
  local all = survey.new(engine)
  for _, line in ipairs(lines) do assert(all:add_lines(line[1] .. "\t" .. line[2] .. (random(3) == 1 and "\r\n" or "\n"))) end
  return all
end

-- kind -> key -> hosts, of the store.
local function found_in(store)
  local found = {}
  for _, kind in ipairs({ "hostname", "greeting", "template", "notice" }) do
    found[kind] = {}
    for group in assert(store:groups(groups.KINDS[kind], 1)) do
      if not (kind == "hostname" and network.is_generic(group.example)) then found[kind][group.example] = group.hosts end
    end
  end
  return found
end

local function lines_of(count)
  local lines = {}
  for i = 1, count do
    local from = address()
    lines[i] = { from, text() .. (random(9) == 1 and (" " .. from) or "") .. (random(20) == 1 and (" [%s] %s"):format(from, from:upper()) or "") }
  end
  return lines
end

t.test("keys of lone greetings are the digest's", function()
  local compared, left = 0, 0
  for _ = 1, 15 do
    local all, want = shelf_of(lines_of(300)), { hostname = {}, greeting = {}, template = {}, notice = {} }
    local store = groups.open()
    for host in all:sweep({ groups = store, kinds = groups.kinds(groups.KINDS) }) do
      left = left + 1
      t.ok(#host.main.reply:match("^%d+.(%S+)") > 240, host.main.reply)
      for kind in pairs(want) do
        if host.main[kind] then store:add(host.address, groups.KINDS[kind], host.main[kind], host.main[kind]) end
      end
    end
    for host in all:hosts() do
      for kind, keys in pairs(want) do
        local key = host.main[kind]
        if key then keys[key:sub(1, 240)] = (keys[key:sub(1, 240)] or 0) + 1 end
        compared = compared + 1
      end
    end
    t.eq(found_in(store), want)
  end
  print(("# %d keys, %d hosts left to Lua"):format(compared, left))
  t.ok(compared > 4000 and left > 0 and left < 200, left)
end)

t.test("hosts of which more is known, odd addresses and special ones are left; the others are counted by network and class", function()
  for round = 1, 10 do
    local all = shelf_of(lines_of(200))
    for _, record in ipairs(scene.records({ scene.host(random(400)), scene.host(random(400)) })) do all:add(record) end
    all:add({ record = "greeting", address = "::ffff:192.0.2.7", greeting = "220 mx.own.org" })
    all:add({ record = "greeting", address = "192.0.02.9", greeting = "220 mx.own.org" })
    all:add({ record = "scan", control = { round % 2 == 1 and scene.address(random(400)) or nil } })
    local want, counts, told, names, networks = { ordinals = {}, networks = {}, products = {} }, {}, {}, {}, {}
    for host in all:hosts() do
      local is_ours = host.greets_only and not all.control[host.address] and not host.address:find("^::ffff:") and host.address ~= "192.0.02.9"
      if is_ours then
        want.networks[host.network] = (want.networks[host.network] or 0) + 1
        want.products[tostring(host.main.product)] = (want.products[tostring(host.main.product)] or 0) + 1
      end
      if not is_ours or #host.main.fronts > 0 then want.ordinals[host.ordinal] = host.address end
    end
    local hosts, sweep = all:sweep({
      named = function(named, number)
        names[number] = tostring(named.product)
        return #named.fronts > 0
      end,
      network = function(from, count) networks[network.of(from)] = (networks[network.of(from)] or 0) + count end,
    })
    for host in hosts do
      told[host.ordinal] = host.address
      t.eq(host.counted and #host.main.fronts == 0, host.counted and false)
    end
    for number, count in ipairs(sweep:counts()) do counts[names[number]] = (counts[names[number]] or 0) + count end
    t.eq({ ordinals = told, networks = networks, products = counts }, want)
  end
end)

t.test("IPv4 and IPv6 whose networks begin with the same bits are two", function()
  local networks = {}
  for _ in shelf_of({ { "192.0.2.1", "220 x" }, { "ffff:c000::1", "220 x" } }):sweep({ network = function(from, count) networks[from] = count end }) do t.ok(false) end
  t.eq(networks, { ["192.0.2.1"] = 1, ["ffff:c000::1"] = 1 })
end)

t.test("greetings that are named one by one are left, and so are all where naming looks at more than rules", function()
  local all = shelf_of({ { "192.0.2.1", "220 mx.own.org ESMTP Exim 4.96" }, { "192.0.2.2", "220 mx.own.org" } })
  for opened, want in pairs({ [false] = 0, [{ second_opinion = true, knowledge = engine.knowledge, identify = function() return { identity = {}, front = {} } end }] = 2 }) do
    all.naming = namings.new(opened or nil)
    local count = 0
    for _ in all:sweep({ named = function() return false end }) do count = count + 1 end
    t.eq(count, want)
  end
end)

t.test("members of chosen groups are gathered as the library does", function()
  for _ = 1, 5 do
    local all, chosen, want = shelf_of(lines_of(300)), { hostname = {}, notice = {} }, core.shelf()
    for host in all:hosts() do
      for kind, keys in pairs(chosen) do
        if host.main[kind] and #host.main[kind] <= 240 and random(2) == 1 then keys[host.main[kind]] = true end
      end
    end
    for host, slots in all:hosts() do
      for number, kind in ipairs({ "notice", "hostname" }) do
        local key = host.main[kind]
        if key and chosen[kind][key] then
          want:put(string.char(number) .. core.hash(key) .. core.hash(host.address):sub(1, 8) .. string.pack(">I8", host.ordinal) .. host.address .. "\0" .. slots[1], slots[2])
        end
      end
    end
    local gathered = members.gather(all, chosen, { "notice", "hostname" })
    local next_want, count = want:pairs(), 0
    for key, value in gathered.shelf:pairs() do
      local want_key, want_value = next_want()
      if key ~= want_key or value ~= want_value then t.eq({ key, value }, { want_key, want_value }) end
      count = count + 1
    end
    t.eq(next_want(), nil)
    t.ok(count > 20, count)
    gathered:close()
  end
end)

local OPTIONS = { slot = facts.GREETING_SLOT, mark = facts.GREETING_MARK }

local function with(more)
  local options = {}
  for name, value in pairs(OPTIONS) do options[name] = value end
  for name, value in pairs(more) do options[name] = value end
  return options
end

t.test("options that are none", function()
  local shelf = core.shelf()
  for _, case in ipairs({
    { "table expected", 1 }, { "slot must be a string", { mark = "0" } }, { "a mark has one byte", with({ mark = "" }) }, { "mark is too long", with({ mark = "00" }) },
    { "slot is too long", with({ slot = ("x"):rep(99) }) }, { "a kind is 1 to 15", with({ kinds = { notice = 16 } }) }, { "refusals must be a string", with({ kinds = { notice = 7 } }) },
    { "refusals must be codes", with({ kinds = { notice = 7 }, refusals = "421 " }) }, { "classify must be a function", with({ classify = 1 }) },
    { "chosen and members go together", with({ chosen = {} }) }, { "members must be a userdata", with({ members = 1 }) }, { "special must be a table", with({ special = true }) },
    { "deepid.survey expected", with({ groups = shelf }) }, { "kinds need groups, or chosen and members", with({ kinds = { greeting = 2 } }) },
  }) do
    local ok, message = pcall(core.sweep, shelf, case[2])
    t.ok(not ok)
    t.has(message, case[1], true)
  end
end)

t.test("what it works with may be changed or closed under it", function()
  local function sweeping(more)
    local all = shelf_of({ { "192.0.2.1", "220 mx.own.org" }, { "192.0.2.2", "220 mx.own.org" }, { "10.0.0.1", "220 mx.own.org" } })
    return all.shelf, core.sweep(all.shelf, with(more))
  end
  local store, shelf_of_members = core.survey(), core.shelf()
  local _, sweep = sweeping({ groups = store, kinds = { hostname = 1 } })
  store:close()
  t.eq({ pcall(sweep) }, { false, "what the sweep works with is closed" })
  _, sweep = sweeping({ chosen = { hostname = { ["mx.own.org"] = true } }, kinds = { hostname = 1 }, members = shelf_of_members })
  shelf_of_members:close()
  t.eq({ pcall(sweep) }, { false, "what the sweep works with is closed" })
  local shelf
  shelf, sweep = sweeping({ network = function() shelf:put("192.0.2.9\0x", "") end })
  t.has(select(2, pcall(sweep)), "the shelf has changed", true)
  shelf, sweep = sweeping({ network = function() shelf:close() end })
  t.has(select(2, pcall(sweep)), "the shelf has changed", true)
  _, sweep = sweeping({ network = function() error("ours", 0) end })
  t.eq({ pcall(sweep) }, { false, "ours" })
end)

t.done()
