#!/usr/bin/env -S test/in-net lua5.4
--- Real Nmap against the real lab: every server named, output valid and as the contract says.
--
-- Runs once with every Nmap that test/nmap/nmaps lists, in a network of its own. Servers that
-- take a minute by design are scanned by the first one only.

local t = require "tap"
local json = require "deepid.json"
local xml = require "xml"
local report = require "deepid.report"

local function read_command(command)
  local pipe = assert(io.popen(command))
  local text = pipe:read("a")
  return text, pipe:close()
end

local function read_file(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read("a")
  file:close()
  return text
end

local function split(line, separator)
  local parts = {}
  for part in (line .. separator):gmatch("(.-)" .. separator) do parts[#parts + 1] = part end
  return parts
end

-- The lab's servers: array of tables by column name; "-" is nil.
local function lab_servers()
  local rows, columns = {}, nil
  for line in read_command("test/lab/lab expect"):gmatch("[^\n]+") do
    local parts = split(line, "\t")
    if columns then
      local row = {}
      for i, name in ipairs(columns) do row[name] = parts[i] ~= "-" and parts[i] or nil end
      rows[#rows + 1] = row
    else
      columns = parts
    end
  end
  return rows
end

-- {name, command} of every Nmap that can be had.
local function nmaps()
  local list = {}
  for line in read_command("test/nmap/nmaps"):gmatch("[^\n]+") do
    local name, command = line:match("^(%S+)\t(.*)$")
    list[#list + 1] = { name = name, command = command }
  end
  return list
end

local SLOW = { spamd = true }

local function servers_for(is_first)
  local list = {}
  for _, row in ipairs(lab_servers()) do
    if (row.product or row.front or row.eggs) and (is_first or not SLOW[row.name]) then list[#list + 1] = row end
  end
  return list
end

-- Runs one Nmap over the servers; returns its normal output and the XML's path.
local function scan(nmap, servers, arguments)
  local path, addresses = os.tmpname(), {}
  for i, row in ipairs(servers) do addresses[i] = row.address end
  local output = read_command(("%s -n -Pn -p 24,25,465,587 %s -oX %s %s 2>&1"):format(nmap.command, arguments, path,
    table.concat(addresses, " ")))
  return output, path
end

local function check_identity(row, identity)
  t.eq(identity.product, row.product, "product")
  if row.basis and row.basis ~= "" then t.eq(identity.basis, row.basis, "basis") end
  local first, last = (row.version or ""):match("^(%S+) to (%S+)$")
  if first then
    t.eq({ identity.version or "-", identity.version_min, identity.version_max }, { "-", first, last }, "window")
  elseif row.version then
    t.eq(identity.version, row.version, "version")
  end
end

-- What claims to be another product: the claim, and both sides.
local function check_claim(front)
  t.ok(front.claims and front.reason, "the claim is told")
  t.has(front.evidence[1], "^greeting: 220")
  t.ok(#front.evidence > 1, "the answers are quoted")
end

local function check_row(row, result, script)
  check_identity(row, result.identity)
  if row.front then
    local role, name = row.front:match("^(.-)=(.*)$")
    local first = result.front[1] or {}
    t.eq(first.role, role, "role in front")
    if name ~= "-" then t.has(first.name, name, true) end
    if row.settings:find("^forged") then check_claim(first) end
    if role == "blocker" then
      t.ok(first.reason, "a blocker without its reason")
      t.ok(first.advice, "a blocker without advice")
      local says = script.attributes.output
      t.ok(says:find("another address", 1, true) or says:find("from elsewhere", 1, true), "advice on where to scan from")
    end
  end
  if row.inner then
    local product, host, version = row.inner:match("^(.-)=(.-)=(.*)$")
    t.eq({ result.inner.product, result.inner.hostname, result.inner.version }, { product, host, version }, "inner")
  end
end

-- Every key is one of the contract, and arrays are arrays.
local ARRAYS = { front = true, extensions = true, easter_eggs = true, evidence = true, unobserved = true, leaks = true, advice = true, cpe = true,
  names = true }

local function check_keys(value, kind)
  local allowed = {}
  for _, key in ipairs(report.KEYS[kind]) do allowed[key] = true end
  for key, item in pairs(value) do
    t.ok(allowed[key], ("key %s of %s"):format(key, kind))
    if ARRAYS[key] and type(item) == "table" then
      for name in pairs(item) do t.eq(math.type(name), "integer", key .. " is an array") end
    end
    if type(item) == "table" and report.KEYS[key] then
      for _, part in ipairs(ARRAYS[key] and item or { item }) do
        if type(part) == "table" then check_keys(part, key) end
      end
    end
  end
end

local function check_contract(result)
  check_keys(result, "result")
  for key in pairs(ARRAYS) do
    if key ~= "cpe" and key ~= "names" then t.eq(type(result[key]), "table", key .. " is present") end
  end
  for _, key in ipairs({ "address", "port", "tls", "identity", "transcript_ms", "connections" }) do t.ok(result[key], key .. " is present") end
  if result.identity.product then
    local confidence = tonumber(result.identity.confidence)
    t.ok(confidence > 0 and confidence < 1, "confidence")
    t.ok(({ says = true, behaves = true, both = true })[result.identity.basis], "basis")
  end
end

-- The saved scan, judged again offline, gives what the live one gave.
local function test_replay(nmap, path, live)
  t.test(nmap.name .. ": the saved scan gives the same answers offline", function()
    local output = read_command("lua5.3 lua/bin/deepid identify --json " .. path)
    local count = 0
    for line in output:gmatch("[^\n]+") do
      local result = assert(json.decode(line))
      local seen = live[result.address .. ":" .. result.port]
      t.eq(result.identity.product, seen.identity.product, "product")
      t.eq(result.identity.version, seen.identity.version, "version")
      t.eq(#result.front, #seen.front, "fronts")
      count = count + 1
    end
    local expected = 0
    for _ in pairs(live) do expected = expected + 1 end
    t.eq(count, expected, "results")
  end)
end

local function test_output(nmap, output, path)
  t.test(nmap.name .. ": XML is valid by Nmap's DTD", function()
    local said, ok = read_command(("xmllint --noout --nonet --dtdvalid /usr/share/nmap/nmap.dtd %s 2>&1"):format(path))
    t.ok(ok, said)
  end)
  t.test(nmap.name .. ": no control bytes in normal output, no script error", function()
    t.ok(#output > 1000, "no output")
    t.ok(not output:find("[^\n\32-\126]"), "control or 8-bit byte")
    t.ok(not output:find("ERROR", 1, true), "a script error")
  end)
  t.test(nmap.name .. ": the post-scan report", function()
    t.has(output, "Post-scan script results:\n| smtp-deepid:", true)
  end)
end

local function test_scan(nmap, is_first)
  local saved, servers, live = os.tmpname(), servers_for(is_first), {}
  local output, path = scan(nmap, servers, "--script ./scripts/smtp-deepid.nse --script-args smtp-deepid.save=" .. saved)
  test_output(nmap, output, path)
  local by_address = {}
  for _, port in ipairs(xml.ports(xml.parse(read_file(path)))) do by_address[port.address .. ":" .. port.port] = port end
  for _, row in ipairs(servers) do
    for number in row.ports:gmatch("%d+") do
      t.test(("%s: %s port %s"):format(nmap.name, row.name, number), function()
        local key = row.address .. ":" .. number
        local port = by_address[key]
        t.ok(port and port.scripts["smtp-deepid"], "no script output")
        live[key] = xml.value(port.scripts["smtp-deepid"])
        check_contract(live[key])
        check_row(row, live[key], port.scripts["smtp-deepid"])
      end)
    end
  end
  test_replay(nmap, saved, live)
  os.remove(path)
  os.remove(saved)
end

-- Easter eggs hide in replies to commands that only a full session sends.
local function test_eggs(nmap)
  local servers = {}
  for _, row in ipairs(servers_for(false)) do
    if row.eggs then servers[#servers + 1] = row end
  end
  local _, path = scan(nmap, servers, "--script ./scripts/smtp-deepid.nse --script-args smtp-deepid.depth=full")
  local eggs = {}
  for _, port in ipairs(xml.ports(xml.parse(read_file(path)))) do
    local script = port.scripts["smtp-deepid"]
    if script then eggs[port.address] = math.max(eggs[port.address] or 0, #xml.value(script).easter_eggs) end
  end
  os.remove(path)
  for _, row in ipairs(servers) do
    t.test(("%s: %s shows its Easter eggs"):format(nmap.name, row.name), function()
      t.ok((eggs[row.address] or 0) >= tonumber(row.eggs), ("%s of %s"):format(eggs[row.address], row.eggs))
    end)
  end
end

-- AUTH NTLM gives names away, and only a full session asks for them.
local function test_ntlm(nmap)
  local servers, saved = {}, os.tmpname()
  for _, row in ipairs(lab_servers()) do
    if row.name == "postfix-ntlm" then servers[1] = row end
  end
  local _, path = scan(nmap, servers, "--script ./scripts/smtp-deepid.nse --script-args smtp-deepid.depth=full,smtp-deepid.save=" .. saved)
  t.test(nmap.name .. ": the names in an NTLM challenge, and the exchange is given up", function()
    local result
    for _, port in ipairs(xml.ports(xml.parse(read_file(path)))) do
      local script = port.scripts["smtp-deepid"]
      result = result or script and xml.value(script)
    end
    check_contract(result)
    t.ok(result.ntlm and result.ntlm.target, "the target's name")
    t.has(read_file(saved), '"cancel"', true)
  end)
  os.remove(path)
  os.remove(saved)
end

t.test("the lab starts", function()
  local said, ok = read_command("test/lab/lab start 2>&1")
  t.ok(ok, said)
end)
for i, nmap in ipairs(nmaps()) do
  test_scan(nmap, i == 1)
  if i == 1 then
    test_eggs(nmap)
    test_ntlm(nmap)
  end
end
os.execute("test/lab/lab stop")
t.done()
