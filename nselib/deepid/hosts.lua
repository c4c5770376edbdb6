--- What Nmap knows of a host beyond its mail servers' replies, as a `host` record (DESIGN.md, 'Saved scans'), and a look at
-- port 25 where it is silent, which no portrule does.

local json = require "deepid.json"
local lazy = require "deepid.lazy"
local nmap = require "nmap"
local capture, hops, knock = lazy "deepid.capture", lazy "deepid.hops", lazy "deepid.knock"
local path, prober = lazy "deepid.path", lazy "deepid.prober"

local M = {}

local MAIL_PORTS = { 24, 25, 110, 143, 465, 587, 993, 995, 2525 }
local SMTP_PORTS = { 24, 25, 465, 587, 2525 }
local WITNESS_PORTS = { 110, 143, 465, 587, 993, 995 }
local MOST_PORTS = 64 -- of one state, in a record
local MOST_COUNTED = 100 -- silent ports
local MOST_REFUSED = 3 -- hosts whose refusal is looked at, a scan: who it is need be known once
local REFUSAL_MS, REFUSAL_TRIES = 1100, 5 -- Linux refuses six times at once, and then once a second
local MOST_SILENT = 12 -- hosts whose silence is looked into: it is the same spot again and again

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

-- Who sends the refusal: Nmap's port table has its kind and TTL, not its address. Asked more than once, since Linux refuses at a pace.
local function ask_who_refuses(host)
  local route = capture.route(host.ip, host)
  return route and capture.run(route, function(air)
    local probes = prober.new(route, air)
    for try = 1, REFUSAL_TRIES do
      local probe = probes:send(try, 25)
      probes:receive(REFUSAL_MS)
      probes:give_up()
      if probe.answer == "unreachable" then return probe.from end
    end
    return nil
  end) or nil
end

-- Counts up to a limit; false beyond it.
local function is_among_first(counts, name, most)
  counts[name] = (counts[name] or 0) + 1
  return counts[name] <= most
end

--- Looks at a host whose port 25 is silent, and adds to its record <code>refused_by</code>, and the <code>path</code> of the first that offer mail
-- elsewhere or are known to accept it.
--
-- @param record   what <code>M.record</code> gave
-- @param host     NSE host table
-- @param options  as of <code>path.collect</code>; <code>known</code>, an array of addresses; <code>session</code>
-- @param counts   table kept for the scan
-- @return transcript of a greeting, where a connection is made all the same
-- @return nil where none is, or enough have been tried
function M.look_at_silence(record, host, options, counts)
  local port = port_of(host, 25)
  if not is_filtered(port) or not nmap.is_privileged() then return nil end
  if options.trace and is_witness(host, options.known) and is_among_first(counts, "traced", MOST_SILENT) then
    record.path = path.collect({ address = host.ip, number = 25, host = host }, options)
  end
  if port.reason ~= "no-response" then
    record.refused_by = record.path and record.path.hops and hops.refused_by(record.path.hops, 25) or nil
    if not record.refused_by and is_among_first(counts, "refused", MOST_REFUSED) then record.refused_by = ask_who_refuses(host) end
    return nil
  end
  -- A SYN scan that hears nothing beside a connection that is made: something on this machine answers its programs alone.
  if is_among_first(counts, "connected", MOST_SILENT) then return (knock.greeting(host, options.session)) end
  return nil
end

return M
