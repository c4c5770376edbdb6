#!/usr/bin/env -S test/in-net lua5.4
--- The script's own ways, with every Nmap that test/nmap/nmaps lists: ports, arguments, saved scans, the version record
-- under a bare -sV, and what it says when part of smtp-deepid is missing or broken.

local peers = require "peers"
local t = require "tap"
local xml = require "xml"

local NETWORK = "127.0.60."
local SCRIPT = "--script ./scripts/smtp-deepid.nse"

local all = peers.start("script", { NETWORK })
local ADDRESS = {}
for _, peer in ipairs(all.list) do ADDRESS[peer.name] = peer.address end

-- Scans; returns normal output, whether Nmap ended well, and the scanned ports by address.
local function scan(nmap, arguments, names)
  local targets = {}
  for i, name in ipairs(names) do targets[i] = ADDRESS[name] end
  local path = all:file "scan.xml"
  local output, ok = peers.output(("env -u LUA_PATH %s -Pn -n --open -oX %s %s %s 2>&1"):format(nmap.command, path, arguments, table.concat(targets, " ")))
  local ports = {}
  for _, port in ipairs(xml.ports(xml.parse(peers.read_file(path)))) do ports[port.address] = port end
  return output, ok, ports
end

local function fresh(name)
  local path = all:file(name)
  os.remove(path)
  return path
end

-- A copy of what a user has of the checkout, for breaking.
local function copy_checkout(name)
  local root = all:file(name)
  assert(os.execute(("rm -rf %s && mkdir %s && cp -r lua nselib scripts csrc %s"):format(root, root, root)))
  return root
end

local function test_ports(nmap)
  t.test(nmap.name .. ": a port is tried for its number, for its service, or for being named", function()
    local _, _, ports = scan(nmap, SCRIPT .. " -p 2525", { "exim" })
    t.ok(ports[ADDRESS.exim].scripts["smtp-deepid"], "2525")
    _, _, ports = scan(nmap, SCRIPT .. " -p 8025", { "elsewhere" })
    t.eq(ports[ADDRESS.elsewhere].scripts["smtp-deepid"], nil, "8025")
    _, _, ports = scan(nmap, SCRIPT .. " -p 8025 -sV", { "elsewhere" })
    t.ok(ports[ADDRESS.elsewhere].scripts["smtp-deepid"], "8025 with -sV")
    for _, value in ipairs({ "8025", "{9000,8020-8030}", "'9000, 8025'" }) do
      _, _, ports = scan(nmap, SCRIPT .. ' -p 8025 --script-args "smtp-deepid.ports=' .. value .. '"', { "elsewhere" })
      t.ok(ports[ADDRESS.elsewhere].scripts["smtp-deepid"], value)
    end
  end)
  t.test(nmap.name .. ": another service on a usual port is left alone", function()
    local _, _, ports = scan(nmap, SCRIPT .. " -p 2525 -sV", { "web" })
    t.eq(ports[ADDRESS.web].service.name, "http")
    t.eq(ports[ADDRESS.web].scripts["smtp-deepid"], nil)
  end)
end

local WRONG = {
  { "smtp-deepid.depth=deep", '"deep" is none of adaptive, full, greeting' },
  { "smtp-deepid.delay=soon", '"soon" is no time' },
  { "smtp-deepid.ports=smtp", '"smtp" is no port' },
  { "smtp-deepid.control=nowhere", '"nowhere" is no address' },
  { "smtp-deepid.known={192.0.2.1,300.0.2.1}", '"300.0.2.1" is no address' },
  { "smtp-deepid.reference=http", '"http": up to four ports, or none' },
  { "smtp-deepid.reference={1,2,3,4,5}", '"5": up to four ports, or none' },
  { "smtp-deepid.trace=perhaps", '"perhaps" is neither yes nor no' },
  { "smtp-deepid.ports=99999", '"99999" is no port' },
  { "smtp-deepid.second_opinion=perhaps", '"perhaps" is none of no, yes' },
  { "'smtp-deepid.helo=a b'", "printable ASCII without blanks" },
}

local function transcripts_of(path)
  local list = {}
  for _, record in ipairs(peers.read_records(path)) do
    if record.record == "transcript" then list[#list + 1] = record end
  end
  return list
end

local function test_arguments(nmap)
  for _, case in ipairs(WRONG) do
    t.test(nmap.name .. ": a wrong argument is told: " .. case[1], function()
      local output, ok = scan(nmap, SCRIPT .. " -p 2525 --script-args " .. case[1], { "exim" })
      t.ok(ok, "exit status")
      t.has(output, case[2], true)
      t.ok(not output:find("ERROR", 1, true), output)
    end)
  end
  t.test(nmap.name .. ": helo, delay and depth", function()
    local path = fresh "helo.jsonl"
    scan(nmap, SCRIPT .. " -p 2525 --script-args smtp-deepid.helo=scanner.example,smtp-deepid.delay=300ms,smtp-deepid.save=" .. path, { "exim" })
    local steps = transcripts_of(path)[1].steps
    t.eq(steps[2].sent, "EHLO scanner.example\r\n")
    for i = 2, #steps do t.ok(steps[i].at - steps[i - 1].at >= 0.29, "delay") end
    path = fresh "depth.jsonl"
    scan(nmap, SCRIPT .. " -p 2525 --script-args smtp-deepid.depth=greeting,smtp-deepid.save=" .. path, { "exim" })
    steps = transcripts_of(path)[1].steps
    t.eq({ #steps, steps[1].step, steps[2].step }, { 2, "greeting", "quit" })
  end)
end

local function test_save(nmap)
  t.test(nmap.name .. ": a saved scan says how it was made, and every transcript of it", function()
    local path = fresh "save.jsonl"
    for _ = 1, 2 do
      scan(nmap, SCRIPT .. " -p 2525 --script-args smtp-deepid.delay=10ms,smtp-deepid.save=" .. path, { "exim", "rblsmtpd", "pgp" })
    end
    local records, count = peers.read_records(path), { scan = 0, host = 0, transcript = 0 }
    for _, record in ipairs(records) do count[record.record] = count[record.record] + 1 end
    t.eq(count, { scan = 2, host = 6, transcript = 6 })
    t.eq({ records[1].record, records[8].record }, { "scan", "scan" }, "each scan begins with its own record")
    local scan_record = peers.read_records(path)[1]
    t.eq(scan_record.arguments, { ["smtp-deepid.delay"] = "10ms", ["smtp-deepid.save"] = path })
    t.ok(math.abs(scan_record.started - os.time()) < 60, "started")
  end)
  t.test(nmap.name .. ": a file that cannot be written does not cost the answer", function()
    local output, ok = scan(nmap, SCRIPT .. " -p 2525 --script-args smtp-deepid.save=/nonexistent/file", { "exim" })
    t.ok(ok, "exit status")
    t.has(output, "Exim")
    t.has(output, "not saved: /nonexistent/file")
  end)
end

-- How smtp-deepid may be broken: a command in the copy's folder, and what the script then says.
local BROKEN = {
  { "no core", "rm -f lua/deepid/*.so", "run `make`" },
  { "the core of another Lua", "cd lua/deepid && mv core-5.3.so x && mv core-5.4.so core-5.3.so && mv x core-5.4.so", "is built for Lua 5." },
  { "a core that is none", "for f in lua/deepid/*.so; do echo none >$f; done", "run `make`" },
  { "no engine", "rm lua/deepid/identify.lua", "git checkout" },
  { "a module with a fault", "echo 'fault(' >lua/deepid/reply.lua", "git checkout" },
  { "no session", "rm nselib/deepid/session.lua", "git checkout" },
  { "no path evidence", "rm nselib/deepid/path.lua", "git checkout" },
  { "no knowledge", "rm -r nselib/data", "no knowledge found" },
  { "a missing table", "rm nselib/data/deepid/dialects.tsv", "dialects.tsv: No such file" },
  { "a missing rule file", "rm nselib/data/deepid/40-eggs.rules", "40-eggs.rules: No such file" },
}

local function test_broken(nmap)
  for _, case in ipairs(BROKEN) do
    t.test(nmap.name .. ": " .. case[1] .. " is told, and the rest of the scan goes on", function()
      local root = copy_checkout "broken"
      assert(os.execute(("cd %s && %s"):format(root, case[2])))
      local output, ok, ports = scan(nmap, ("--script %s/scripts/smtp-deepid.nse,banner -p 2525"):format(root), { "exim" })
      t.ok(ok, "exit status")
      t.has(output, case[3], true)
      t.ok(not output:find("ERROR", 1, true), output)
      t.has(ports[ADDRESS.exim].scripts.banner.attributes.output, "Exim")
    end)
  end
  t.test(nmap.name .. ": a bad rule is told with its line, and costs no other rule", function()
    local root = copy_checkout "broken"
    local path = root .. "/nselib/data/deepid/22-exim.rules"
    local _, lines = peers.read_file(path):gsub("\n", "")
    assert(os.execute(("echo 'match smtp m|(|' >>%s"):format(path)))
    local output = scan(nmap, ("--script %s/scripts/smtp-deepid.nse -p 2525"):format(root), { "exim" })
    t.has(output, "Exim smtpd 4.96", true)
    t.has(output, ("22-exim.rules:%d: "):format(lines + 1), true)
  end)
end

-- A copy of the Nmap's own data folder with smtp-deepid installed in it, and indexed.
local function install(nmap)
  local prefix = all:file "prefix"
  local data = prefix .. "/share/nmap"
  local copy = nmap.command:gsub("nmap$", "cp -r /usr/share/nmap " .. prefix .. "/share")
  assert(os.execute(("rm -rf %s && mkdir -p %s/share && %s"):format(prefix, prefix, copy)))
  assert(os.execute(("env -u MAKEFLAGS -u MAKELEVEL make -s install PREFIX=%s >/dev/null 2>&1"):format(prefix)))
  assert(os.execute(("%s --datadir %s --script-updatedb >/dev/null 2>&1"):format(nmap.command, data)))
  return data
end

local function test_version(nmap)
  local data = install(nmap)
  local bare = "-p 2525 -sV --datadir " .. data
  t.test(nmap.name .. ": a bare -sV shows product, front, inner server and advice in the version record", function()
    local output, ok, ports = scan(nmap, bare, { "exim", "rblsmtpd", "pgp" })
    t.ok(ok, "exit status")
    t.ok(not output:find("\n|"), "script output under a bare -sV: " .. output)
    local exim, blocker, front = ports[ADDRESS.exim].service, ports[ADDRESS.rblsmtpd].service, ports[ADDRESS.pgp].service
    t.eq({ exim.name, exim.product, exim.version, exim.hostname }, { "smtp", "Exim smtpd", "4.96", "mx.example.org" })
    t.eq({ blocker.name, blocker.product }, { "smtp", "rblsmtpd" })
    t.has(blocker.extrainfo, "another address")
    t.eq({ front.name, front.product }, { "smtp-proxy", "PGP Universal" })
    t.has(front.extrainfo, "behind it: Postfix smtpd", true)
  end)
  t.test(nmap.name .. ": less than the default intensity leaves the script out", function()
    local path = fresh "light.jsonl"
    scan(nmap, bare .. " --script-args smtp-deepid.save=" .. path .. " --version-intensity 6", { "exim" })
    t.eq(peers.read_file(path), "")
    scan(nmap, bare .. " --script-args smtp-deepid.save=" .. path .. " --version-intensity 7", { "exim" })
    t.ok(peers.read_file(path) ~= "", "intensity 7")
  end)
  t.test(nmap.name .. ": where we have no answer, Nmap's own record stays as it was", function()
    local _, _, before = scan(nmap, "-p 2525 -sV", { "communigate" })
    for file in peers.output("ls " .. data .. "/nselib/data/deepid"):gmatch("%S+") do
      assert(io.open(data .. "/nselib/data/deepid/" .. file, "w")):close()
    end
    local path = fresh "kept.jsonl"
    local _, _, after = scan(nmap, bare .. " --script-args smtp-deepid.second_opinion=no,smtp-deepid.save=" .. path, { "communigate" })
    t.ok(peers.read_file(path) ~= "", "the script ran")
    t.has(before[ADDRESS.communigate].service.product, "CommuniGate")
    t.eq(after[ADDRESS.communigate].service, before[ADDRESS.communigate].service)
  end)
  t.test(nmap.name .. ": where we have no answer, Nmap's probe file gives a second opinion, said to be one", function()
    local _, _, ports = scan(nmap, "-p 2525 --script smtp-deepid --datadir " .. data, { "communigate" })
    local result = xml.value(ports[ADDRESS.communigate].scripts["smtp-deepid"])
    t.has(result.identity.product, "CommuniGate")
    t.has(result.evidence[1].says, "second opinion: nmap%-service%-probes line %d+")
  end)
end

-- A script that gives the session a budget of three seconds.
local BUDGET = [[
categories = {"safe"}
portrule = function() return true end
action = function(host, port)
  package.path = "lua/?.lua;nselib/?.lua;" .. package.path
  local nmap = require "nmap"
  local started = nmap.clock()
  local transcript = require "deepid.session".run(host, port, {budget_ms = 3000})
  return ("%d step, %s after %.1f s"):format(#transcript.steps, transcript.steps[1]["end"], nmap.clock() - started)
end
]]

local function test_budget(nmap)
  t.test(nmap.name .. ": the budget ends a session, whatever its steps may still wait for", function()
    local path = fresh "budget.nse"
    local file = assert(io.open(path, "w"))
    file:write(BUDGET)
    file:close()
    local _, _, ports = scan(nmap, "--script " .. path .. " -p 2525", { "drip" })
    local steps, seconds = ports[ADDRESS.drip].scripts.budget.attributes.output:match "^(.*) after (%S+) s$"
    t.eq(steps, "1 step, timeout")
    t.ok(tonumber(seconds) > 2.5 and tonumber(seconds) < 20, seconds .. " s") -- without the budget its greeting takes a minute
  end)
end

local function test_post_scan(nmap)
  t.test(nmap.name .. ": the scan is summed up", function()
    local output = scan(nmap, SCRIPT .. " -p 2525", { "exim", "rblsmtpd", "pgp" })
    local post = output:match("Post%-scan script results:(.*)")
    t.has(post, "3 addresses", true)
    t.has(post, "Exim smtpd", true)
    output = scan(nmap, SCRIPT .. " -p 8025", { "exim" })
    t.ok(not output:find("Post-scan", 1, true), "nothing to sum up")
  end)
end

for _, nmap in ipairs(peers.nmaps()) do
  for _, test in ipairs({ test_ports, test_arguments, test_save, test_broken, test_version, test_budget, test_post_scan }) do test(nmap) end
end
all:stop()
all:remove()
t.done()
