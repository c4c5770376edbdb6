#!/usr/bin/env lua5.4
--- Real Nmap against the real lab: every server named, output valid and as the contract says.
--
-- Runs once with every Nmap that test/nmap/nmaps lists.

local t = require "tap"
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

local SERVERS = {}
for _, row in ipairs(lab_servers()) do
  if row.ports ~= "53" then SERVERS[#SERVERS + 1] = row end
end

local function addresses()
  local list = {}
  for _, row in ipairs(SERVERS) do list[#list + 1] = row.address end
  return table.concat(list, " ")
end

-- Runs one Nmap; returns its normal output, the XML's root and the XML's path.
local function scan(nmap, arguments)
  local path = os.tmpname()
  local output = read_command(("%s -n -Pn -p 24,25,465,587 %s -oX %s %s 2>&1"):format(nmap.command, arguments, path, addresses()))
  return output, xml.parse(read_file(path)), path
end

local function check_row(row, result, script)
  local identity = result.identity
  t.eq(identity.product, row.product, "product")
  if row.version then t.eq(identity.version, row.version, "version") end
  if row.front then
    local role, name = row.front:match("^(.-)=(.*)$")
    local first = result.front[1] or {}
    t.eq(first.role, role, "role in front")
    if name ~= "-" then t.has(first.name, name, true) end
    if role == "blocker" then
      t.ok(first.reason, "a blocker without its reason")
      t.ok(first.advice, "a blocker without advice")
      t.has(script.attributes.output, "another address", true)
    end
  end
  if row.inner then
    local product, host, version = row.inner:match("^(.-)=(.-)=(.*)$")
    t.eq({ result.inner.product, result.inner.hostname, result.inner.version }, { product, host, version }, "inner")
  end
  if row.eggs then t.ok(#result.easter_eggs >= tonumber(row.eggs), "Easter eggs") end
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
      for _, part in ipairs(ARRAYS[key] and item or { item }) do check_keys(part, key) end
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

local function test_scan(nmap)
  local output, root, path = scan(nmap, "--script ./scripts/smtp-deepid.nse")
  local by_address = {}
  for _, port in ipairs(xml.ports(root)) do by_address[port.address .. ":" .. port.port] = port end

  t.test(nmap.name .. ": XML is valid by Nmap's DTD", function()
    local said, ok = read_command(("xmllint --noout --nonet --dtdvalid /usr/share/nmap/nmap.dtd %s 2>&1"):format(path))
    t.ok(ok, said)
  end)
  t.test(nmap.name .. ": no control bytes in normal output", function()
    t.ok(#output > 1000, "no output")
    t.ok(not output:find("[^\n\32-\126]"), "control or 8-bit byte")
    t.ok(not output:find("ERROR:", 1, true), "a script error")
  end)
  for _, row in ipairs(SERVERS) do
    for number in row.ports:gmatch("%d+") do
      t.test(("%s: %s port %s"):format(nmap.name, row.name, number), function()
        local port = by_address[row.address .. ":" .. number]
        t.ok(port and port.scripts["smtp-deepid"], "no script output")
        local result = xml.value(port.scripts["smtp-deepid"])
        check_contract(result)
        check_row(row, result, port.scripts["smtp-deepid"])
      end)
    end
  end
  os.remove(path)
end

for _, nmap in ipairs(nmaps()) do test_scan(nmap) end
t.done()
