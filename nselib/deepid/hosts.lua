--- What Nmap knows of a host beyond its mail servers' replies, as a `host` record (DESIGN.md, 'Saved scans'), and a look at
-- port 25 where it is silent, which no portrule does.

local capture = require "deepid.capture"
local json = require "deepid.json"
local nmap = require "nmap"
local path = require "deepid.path"
local prober = require "deepid.prober"

local M = {}

local MAIL_PORTS = { 24, 25, 110, 143, 465, 587, 993, 995, 2525 }
local SMTP_PORTS = { 24, 25, 465, 587, 2525 }
local WITNESS_PORTS = { 110, 143, 465, 587, 993, 995 }
local MOST_PORTS = 64 -- of one state, in a record
local MOST_COUNTED = 100 -- silent ports
local MOST_REFUSED = 256 -- hosts whose refusal is looked at, a scan
local MOST_SILENT = 8 -- hosts whose silence is traced: it is the same spot again and again
local CONNECT_MS = 3000

local function port_of(host, number) return nmap.get_port_state(host, { number = number, protocol = "tcp" }) end

--- Whether any port for mail transport was scanned.
function M.has_mail_ports(host)
  for _, number in ipairs(SMTP_PORTS) do
    if port_of(host, number) then return true end
  end
  return false
end

local function is_filtered(port) return port ~= nil and port.state:find("filtered", 1, true) ~= nil end

-- Ports in one state, at most so many.
local function each_port(host, state, most, visit)
  local port
  for _ = 1, most do
    port = nmap.get_ports(host, port, "tcp", state)
    if not port then return end
    visit(port)
  end
end

local function entry(port)
  local ttl = port.reason_ttl
  return { port = port.number, state = port.state, reason = port.reason, ttl = ttl and ttl > 0 and ttl or nil }
end

--- The record of a host: its open ports, its mail ports whatever their state, one closed port, and how many were silent (a
-- hundred stands for more).
function M.record(host)
  local ports, seen, silent = json.array(), {}, 0
  local function add(port)
    if not seen[port.number] then ports[#ports + 1] = entry(port) end
    seen[port.number] = true
  end
  for _, number in ipairs(MAIL_PORTS) do
    local port = port_of(host, number)
    if port then add(port) end
  end
  each_port(host, "open", MOST_PORTS, add)
  each_port(host, "closed", 1, add)
  each_port(host, "filtered", MOST_COUNTED, function() silent = silent + 1 end)
  table.sort(ports, function(a, b) return a.port < b.port end)
  return {
    record = "host", address = host.ip, names = json.array(host.name and host.name ~= "" and { host.name } or {}),
    target = host.targetname, ports = ports, silent = silent, reason = host.reason,
  }
end

local function is_witness(host, known)
  for _, address in ipairs(known) do
    if address == host.ip then return true end
  end
  for _, number in ipairs(WITNESS_PORTS) do
    local port = port_of(host, number)
    if port and port.state == "open" then return true end
  end
  return false
end

-- Who sends the refusal: Nmap's port table has its kind and TTL, not its address.
local function refused_by(host)
  local route = capture.route(host.ip, host)
  return route and capture.run(route, function(air)
    local probes = prober.new(route, air)
    local probe = probes:send(1, 25)
    probes:receive(1000)
    return probe.answer == "unreachable" and probe.from or nil
  end)
end

-- A SYN scan that hears nothing beside a connection that is made: something on this machine answers connections alone.
local function can_connect(host)
  local socket = nmap.new_socket("tcp")
  socket:set_timeout(CONNECT_MS)
  local ok = socket:connect(host.ip, 25, "tcp")
  socket:close()
  return ok == true
end

--- Looks at a host whose port 25 is silent, and adds to its record: <code>refused_by</code>, and of hosts that offer mail elsewhere or are
-- known to accept it, the first few alone, <code>connects</code> and <code>path</code>.
--
-- @param record   what <code>M.record</code> gave
-- @param host     NSE host table
-- @param options  as of <code>path.collect</code>, and <code>known</code>, an array of addresses
-- @param counts   table kept for the scan
function M.look_at_silence(record, host, options, counts)
  local port = port_of(host, 25)
  if not is_filtered(port) or not nmap.is_privileged() then return end
  if port.reason ~= "no-response" and (counts.refused or 0) < MOST_REFUSED then
    counts.refused = (counts.refused or 0) + 1
    record.refused_by = refused_by(host) or nil
  end
  if not is_witness(host, options.known) or (counts.silent or 0) >= MOST_SILENT then return end
  counts.silent = (counts.silent or 0) + 1
  record.connects = can_connect(host)
  if options.trace then record.path = path.collect({ address = host.ip, number = 25, host = host }, options) end
end

return M
