--- Path evidence: how port 25 of a host is reached, against another port of the same host (DESIGN.md, 'Path evidence').
--
-- Collects and does not judge. Bounded: a number of SYNs a port, each waited for until its time is up, whatever comes back.

local json = require "deepid.json"
local lazy = require "deepid.lazy"
local nmap = require "nmap"
local capture, prober, roundtrip, tracer = lazy "deepid.capture", lazy "deepid.prober", lazy "deepid.roundtrip", lazy "deepid.tracer"

local M = {}

M.REFERENCES = { 443, 80, 22, 587 }
M.MOST_REFERENCES = 4
local MAIL = { [24] = true, [25] = true, [110] = true, [143] = true, [465] = true, [587] = true, [993] = true, [995] = true, [2525] = true }
-- Flows of the prober, that is source ports.
local SAMPLE_FLOW, OTHER_FLOW, REFERENCE_FLOW = 1, 6, 11
local LEAST_ANSWERS = 4 -- of the other port
local PACE_MS = 10 -- between two rounds of samples
local SHORTEST_MS, LONGEST_MS = 300, 2000 -- to wait for an answer

local function bounded(value, low, high) return math.max(low, math.min(high, value)) end

-- How long an answer of this host may take, by what Nmap found out about it.
local function patience_ms(host)
  local known = host and host.times and host.times.timeout
  return bounded((known and known > 0 and known or 1) * 1000, SHORTEST_MS, LONGEST_MS)
end

-- The scanned port that is best to compare with: open before closed, no mail port before one, since what intercepts 25 often
-- takes the others too.
local function scanned_port(host, number)
  if not (host and host.bin_ip) then return nil end
  local best, best_rank
  for state_rank, state in ipairs({ "open", "closed" }) do
    local port
    for _ = 1, 100 do
      port = nmap.get_ports(host, port, "tcp", state)
      if not port then break end
      local rank = state_rank + (MAIL[port.number] and 2 or 0)
      if port.number ~= number and (not best or rank < best_rank) then best, best_rank = port, rank end
    end
  end
  return best
end

-- The first of the reference ports that answers one SYN, an open one before a closed one. With them goes a SYN to the port
-- itself, so that both have a first sample. Returns the probes of the port and of the reference.
local function find_by_syn(probes, number, references, wait_ms)
  local own, sent = probes:send(SAMPLE_FLOW, number), {}
  for i, reference in ipairs(references) do sent[i] = probes:send(REFERENCE_FLOW + i - 1, reference) end
  probes:receive(wait_ms, function() return own.answer and sent[1] and sent[1].answer == "syn-ack" end)
  probes:give_up()
  for _, wanted in ipairs({ "syn-ack", "rst" }) do
    for _, probe in ipairs(sent) do
      if probe.answer == wanted then return own, probe end
    end
  end
  return own
end

local CONNECT_ANSWERS = { ECONNREFUSED = "rst", ["Connection refused"] = "rst" }

-- The same by one connection each, for those without raw privileges: it ends with the first that answers.
local function find_by_connect(address, references)
  for _, number in ipairs(references) do
    local socket = nmap.new_socket("tcp")
    socket:set_timeout(LONGEST_MS)
    local ok, message = socket:connect(address, number, "tcp")
    socket:close()
    local answer = ok and "syn-ack" or CONNECT_ANSWERS[message]
    if answer then return number, answer end
  end
  return nil
end

-- Chooses the port to compare with, and notes it.
local function choose_other(path, target, options, find)
  local scanned = scanned_port(target.host, target.number)
  if scanned then
    path.other_port, path.other_answer = scanned.number, scanned.state == "open" and "syn-ack" or "rst"
    path.other_ttl = (scanned.reason_ttl or 0) > 0 and scanned.reason_ttl or nil
    return
  end
  local references = {}
  for _, number in ipairs(options.references or M.REFERENCES) do
    if number ~= target.number and #references < M.MOST_REFERENCES then references[#references + 1] = number end
  end
  path.other_port, path.other_answer = find(references)
  path.reference = path.other_port
end

-- Round-trip times in ms, and the first answer's packet.
local function summed_up(probes)
  local times, reply = json.array(), nil
  for _, probe in ipairs(probes) do
    if probe.reply then
      reply = reply or probe.reply
      times[#times + 1] = math.floor(math.max(0, probe.at - probe.sent) * 1e6) / 1000
    end
  end
  return times, reply
end

-- SYNs to both ports in turn, after those that are in `own` and `others`, until more could tell nothing: where there is no other port,
-- until one is answered. Each round is waited for as long as all are answered.
local function sample(path, probes, number, own, others, wait_ms)
  local reply, other
  local function is_enough()
    path.connect_ms, reply = summed_up(own)
    path.other_ms, other = summed_up(others)
    return reply and (not path.other_port or roundtrip.is_settled(path.connect_ms, path.other_ms))
  end
  local pace_ms = own[1] and not own[1].answer and PACE_MS or wait_ms
  while #own < roundtrip.SAMPLES and not is_enough() do
    own[#own + 1] = probes:send(SAMPLE_FLOW + #own, number)
    if path.other_port then others[#others + 1] = probes:send(OTHER_FLOW + #others, path.other_port) end
    probes:receive(pace_ms)
    if probes.waiting > 0 then pace_ms = PACE_MS end
  end
  probes:receive(wait_ms)
  probes:give_up()
  is_enough()
  if reply then path.ttl, path.window, path.options, path.mss, path.wscale = reply.ttl, reply.window, reply.options, reply.mss, reply.wscale end
  if other then
    path.other_ttl = other.ttl
    if other.syn then
      path.other_window, path.other_options, path.other_mss, path.other_wscale = other.window, other.options, other.mss, other.wscale
    end
  end
end

local function fastest(path) return math.min(table.unpack(path.other_ms, 1, math.max(1, #path.other_ms))) end

-- All that needs raw packets. Returns true, or nil and a message.
local function look_by_packets(path, target, options)
  local route, message = capture.route(target.address, target.host)
  if not route then return nil, message end
  local wait_ms = patience_ms(target.host)
  return capture.run(route, function(air)
    local probes, own, others = prober.new(route, air), {}, {}
    choose_other(path, target, options, function(references)
      own[1], others[1] = find_by_syn(probes, target.number, references, wait_ms)
      if others[1] then return others[1].port, others[1].answer end
    end)
    sample(path, probes, target.number, own, others, wait_ms)
    if options.trace then
      if path.other_ms[1] then wait_ms = bounded(4 * fastest(path), SHORTEST_MS, wait_ms) end
      path.hops = tracer.trace(probes, target.number, path.other_port, wait_ms)
    end
    return true
  end)
end

--- Looks at the path to one port.
--
-- @param target   table: <code>address</code>, <code>number</code> (the port), <code>host</code> (NSE host table; nil for an address that
--   Nmap did not scan), <code>ttl</code> (of Nmap's own probe's answer, or nil)
-- @param options  table: <code>references</code> (array of ports, may be empty), <code>trace</code> (boolean)
-- @return path: a table as DESIGN.md has it. What could not be looked at is named in <code>unobserved</code>, and why.
function M.collect(target, options)
  local path = { ttl = target.ttl }
  local ok, message
  if nmap.is_privileged() then
    ok, message = look_by_packets(path, target, options)
  else
    message = "no raw privileges"
    choose_other(path, target, options, function(references) return find_by_connect(target.address, references) end)
  end
  if not ok then
    path.unobserved = { { what = "ttl, options, times and hops", why = message } }
  elseif not options.trace then
    path.unobserved = { { what = "hops", why = "smtp-deepid.trace was not asked for" } }
  end
  return path
end

--- Notes what it tells that a connection to the port was made: where no SYN past this machine's sockets was answered, and those to
-- the other port were, what answers the connection is on this machine.
function M.note_connection(path)
  if path.connect_ms and #path.connect_ms == 0 and #path.other_ms >= LEAST_ANSWERS then path.leaves = false end
end

return M
