--- Does a connection leave this machine? Antivirus and mail shields answer port 25 on the scanner's own host: the
-- connection is made, and no packet of it goes out.

local nmap = require "nmap"
local packet = require "deepid.packet"
local prober = require "deepid.prober"

local M = {}

local SNAP_BYTES = 128
local MOST_PACKETS = 64
local PATIENCE_MS = 400 -- its packets left before the connection stood; this is for the capture alone

-- Whether the capture holds a packet of the connection from this local port.
local function is_seen(capture, local_port)
  local deadline = nmap.clock_ms() + PATIENCE_MS
  for _ = 1, MOST_PACKETS do
    local left = math.floor(deadline - nmap.clock_ms())
    if left <= 0 then return false end
    capture:set_timeout(left)
    local ok, _, _, bytes = capture:pcap_receive()
    local found = ok and bytes and packet.read(bytes)
    if found and (found.sport == local_port or found.dport == local_port) then return true end
  end
  return false
end

--- Opens a connection under a capture.
--
-- @param route   what <code>prober.route</code> gave
-- @param number  the port
-- @param open    function that connects: returns an object with <code>local_port</code>, or nil and a message
-- @return what <code>open</code> returned first and second, then whether packets of the connection were seen on the interface (nil
--   where nothing can be said: no capture, no connection)
function M.watch(route, number, open)
  local release, capture = prober.take_slot(), nmap.new_socket()
  local filter = ("tcp and host %s and port %d"):format(route.address, number)
  local can_capture = pcall(capture.pcap_open, capture, route.interface, SNAP_BYTES, false, filter)
  local connection, message = open()
  local left
  local port = connection and connection:local_port()
  if can_capture and port then left = is_seen(capture, port) end
  pcall(capture.pcap_close, capture)
  release()
  return connection, message, left
end

local Plain = {}
Plain.__index = Plain

function Plain:local_port()
  local ok, _, port = self.socket:get_info()
  return ok and port or nil
end

-- Whether a plain connection to another port of the target is seen to leave by the same interface: without that, not to see one
-- proves nothing.
local function is_seen_elsewhere(route, number)
  local socket = nmap.new_socket("tcp")
  socket:set_timeout(3000)
  local _, _, left = M.watch(route, number, function()
    local ok, message = socket:connect(route.address, number, "tcp")
    if not ok then return nil, message end
    return setmetatable({ socket = socket }, Plain)
  end)
  socket:close()
  return left == true
end

--- Makes of <code>wire.open</code> one that watches its first connection.
--
-- @param open   <code>wire.open</code>
-- @param host   NSE host table, or a table with <code>ip</code>
-- @param path   the path that <code>deepid.path</code> collected: its <code>leaves</code> is set to true or false where it can be told
-- @return a function to be given to the session
function M.opener(open, host, path)
  local is_first = true
  return function(...)
    local route = is_first and nmap.is_privileged() and prober.route(host.ip, host)
    is_first = false
    if not route or route.link == "loopback" then return open(...) end
    local arguments = table.pack(...)
    local connection, message, left = M.watch(route, arguments[2].number, function()
      return open(table.unpack(arguments, 1, arguments.n))
    end)
    if left == false and not (path.other_answer == "syn-ack" and is_seen_elsewhere(route, path.other_port)) then left = nil end
    path.leaves = left
    return connection, message
  end
end

return M
