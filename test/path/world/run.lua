--- Runs the cases of cases.lua in the world that start.sh made: real Nmap, and what its post-scan output says.

local t = require "tap"
local hops = require "deepid.hops"
local json = require "deepid.json"
local xml = require "xml"
local hosts = dofile "test/path/world/hosts.lua"
local cases = dofile "test/path/world/cases.lua"

local WORK = "build/path/"
local CASE_S = 60 -- for one Nmap

local function shell(command)
  local pipe = assert(io.popen(command .. " 2>&1"))
  local text = pipe:read("a")
  return text, pipe:close()
end

local function read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read("a")
  file:close()
  return text
end

local function write(path, text)
  local file = assert(io.open(path, "wb"))
  file:write(text)
  file:close()
  assert(os.execute("chmod 666 " .. path))
end

local function addresses_of(groups)
  local list = {}
  for _, group in ipairs(groups) do
    for _, address in ipairs(hosts.addresses(group[1], group[2])) do list[#list + 1] = address end
  end
  return list
end

-- The boxes of a case come and go with it, whatever happens between.
local function with_boxes(case, body)
  for space, chains in pairs(case.box or {}) do
    write(WORK .. "rules", ("table inet case {\n%s\n}\n"):format(chains))
    local text, ok = shell(("ip netns exec %s nft -f %srules"):format(space, WORK))
    assert(ok, text)
  end
  if case.slow then assert(os.execute "ip -n isp route replace default via 192.168.20.2; ip -n core route replace 192.168.1.0/24 via 192.168.20.1") end
  local ok, problem = pcall(body)
  if case.slow then assert(os.execute "ip -n isp route replace default via 192.168.2.2; ip -n core route replace 192.168.1.0/24 via 192.168.2.1") end
  for space in pairs(case.box or {}) do assert(os.execute(("ip netns exec %s nft delete table inet case"):format(space))) end
  if not ok then error(problem, 0) end
end

-- How Nmap is run in each mode: before `nmap`, after it, and whether it traces.
local MODES = {
  trace = { "", "", true },
  root = { "", "" },
  connect = { "", "-sT" },
  user = { "setpriv --reuid=65534 --regid=65534 --clear-groups", "--unprivileged", true },
}

local function scan(case, mode)
  local before, after, trace = table.unpack(MODES[mode])
  write(WORK .. "targets", table.concat(addresses_of(case.targets), "\n") .. "\n")
  for _, name in ipairs({ "saved", "xml" }) do write(WORK .. name, "") end
  local arguments = { "smtp-deepid.save=" .. WORK .. "saved" }
  if trace then arguments[#arguments + 1] = "smtp-deepid.trace" end
  for _, name in ipairs({ "reference", "greeting_timeout" }) do
    if case[name] then arguments[#arguments + 1] = ("smtp-deepid.%s=%s"):format(name, case[name]) end
  end
  for _, name in ipairs({ "control", "known" }) do
    if case[name] then arguments[#arguments + 1] = ("smtp-deepid.%s={%s}"):format(name, table.concat(addresses_of({ case[name] }), ",")) end
  end
  return shell(("ip netns exec scanner %s timeout %d nmap %s %s %s -Pn -p %s --script ./scripts/smtp-deepid.nse --script-args '%s' -iL %stargets -oX %sxml"):format(
    before, CASE_S, after, case.six and "-6" or "", case.ptr and "--dns-servers 127.0.0.1" or "-n", case.ports or "25,80", table.concat(arguments, ","), WORK, WORK))
end

-- The post-scan object of the live scan, from Nmap's XML.
local function live_verdict()
  local post = xml.first(xml.parse(read(WORK .. "xml")), "postscript")
  return post and xml.value(xml.first(post, "script"))
end

local function saved_verdict()
  local text = shell("lua5.4 lua/bin/deepid survey --json " .. WORK .. "saved")
  return assert(json.decode(text), text)
end

local function check_odd(case, found)
  local wanted, listed = type(case.odd[2]) == "number" and hosts.addresses(case.odd[1], case.odd[2]) or case.odd, {}
  for _, host in ipairs(found.hosts) do
    if host.verdict == found.verdict then listed[#listed + 1] = host.address end
  end
  table.sort(wanted)
  table.sort(listed)
  t.eq(listed, wanted, "odd hosts")
end

-- Values of the paths to port 25 in the saved file, each of them, or that of an address alone.
local function check_path(wanted)
  local count = 0
  for line in io.lines(WORK .. "saved") do
    local record = assert(json.decode(line))
    if record.path then
      count = count + 1
      for key, value in pairs(wanted[record.address] or wanted) do
        if not key:find(".", 1, true) then t.eq(record.path[key] or false, value, ("path.%s of %s"):format(key, record.address)) end
      end
    end
  end
  t.ok(count > 0, "no path")
end

local function check_distance(wanted)
  local found = {}
  for line in io.lines(WORK .. "saved") do
    local record = assert(json.decode(line))
    if record.path and wanted[record.address] then
      local way = hops.compare(record.path.hops, 25, record.path.other_port)
      found[record.address] = { way.answered_at, way.target_at }
    end
  end
  t.eq(found, wanted, "hops away")
end

-- That the report names what stands before the targets: as data, in words, and of each port or host.
local function check_front(case, output, found)
  local named
  for _, front in ipairs(found.fronts) do
    if front.name == case.front[2] then named = { front.role, front.name, math.tointeger(tonumber(front.hosts)) } end
  end
  t.eq(named, case.front, "fronts")
  t.has(output:match("Post%-scan script results:.*"), ("in front: %s, a device that changes SMTP in passing: %d hosts"):format(case.front[2], case.front[3]), true)
  local ports = 0
  for port in output:gmatch("\n25/tcp[^\n]*\n(.-)\n%d+/tcp") do
    ports = ports + 1
    if case.port_says then t.has(port, case.port_says, true) end
  end
  t.eq(ports, case.front[3], "ports 25")
  for _, host in ipairs(case.each_says and found.hosts or {}) do t.has(table.concat(host.evidence, "\n"), case.each_says, true) end
end

local function check(case, mode)
  local output, ok = scan(case, mode)
  t.ok(ok and not output:find("ERROR:", 1, true), output)
  local found, saved = live_verdict(), saved_verdict()
  t.ok(found, "no post-scan output: " .. output)
  local verdict, where = case[mode]:match("^(%S+) ?(%S*)$")
  t.eq(found.verdict, verdict, (output:match("Post%-scan script results:.*") or output))
  if where ~= "" then t.eq(found.where, where, output:match("Post%-scan script results:.*")) end
  t.eq({ saved.verdict, saved.where }, { found.verdict, found.where }, "from the saved file")
  for _, text in ipairs(case.says and case.says[mode] or {}) do t.has(output:match("Post%-scan script results:.*"), text, true) end
  if case.front then check_front(case, output, found) end
  if case.path and case.path[mode] then check_path(case.path[mode]) end
  if case.distance and mode == "trace" then check_distance(case.distance) end
  if case.odd and found.verdict == "intercepted" then check_odd(case, saved) end
end

local wanted = {}
for _, name in ipairs(arg) do wanted[name] = true end

for _, case in ipairs(cases) do
  if next(wanted) and wanted[case.name] or not next(wanted) and (not case.long or os.getenv "LONG") then
    for _, mode in ipairs({ "trace", "root", "connect", "user" }) do
      if case[mode] then
        local started = os.time()
        t.test(("%s: %s: %s"):format(case.name, mode, case[mode]), function() with_boxes(case, function() check(case, mode) end) end)
        if os.getenv "TIMES" then print("# s: " .. os.time() - started) end
      end
    end
  end
end
-- A bare -sV names products, and has no place to say who answered: so nothing is sent to find out.
local function bare_version_scan()
  local prefix = os.getenv "PWD" .. "/" .. WORK .. "prefix" -- Nmap looks for a relative one in its own places
  local data = prefix .. "/share/nmap"
  assert(os.execute(("mkdir -p %s && cp -r /usr/share/nmap/. %s"):format(data, data)))
  local text, ok = shell(("env -u MAKEFLAGS -u MAKELEVEL make -s install PREFIX=%s && nmap --datadir %s --script-updatedb"):format(prefix, data))
  t.ok(ok, text)
  write(WORK .. "saved", "")
  local output = shell(("ip netns exec scanner nmap --datadir %s -n -Pn -sV -p 25 --script-args smtp-deepid.save=%ssaved 240.1.0.25"):format(data, WORK))
  t.has(output, "Exim smtpd 4", true)
  local records = {}
  for line in io.lines(WORK .. "saved") do
    local record = assert(json.decode(line))
    records[record.record] = record
  end
  t.ok(records.transcript, "a transcript")
  t.eq({ records.transcript.path, records.host }, {}, "path and host")
end
if not next(wanted) or wanted.bare then t.test("a bare -sV sends nothing for path evidence", bare_version_scan) end

t.done()
