--- One SMTP connection over nsock: whole replies, however TCP cuts them, within a stated time and size.
--
-- Nmap's own smtp library takes each packet for a reply. Here a reply is read until it is whole (RFC 5321 4.2), the
-- peer closes, the time is up, or more has come than anyone needs.

local nmap = require "nmap"
local reply = require "deepid.reply"

local M = {}
M.__index = M

M.MOST_BYTES = 64 * 1024 -- kept of one reply
local LEAST_WAIT_MS = 10 -- nsock's own granularity
local TLS_WAIT_MS = 15000
local CONNECT_WAIT_MS = 15000
local TLS_READS = 3
-- What is still not whole so long after its first byte comes in dribs: spamd's ten seconds for unknown clients (spamd.c, grey_stutter) are over. More
-- than the longest line (RFC 5321 4.5.3.1.5) would be work at each byte.
local DRIBS_MS, DRIBS_BYTES = 15000, 512
local FOREIGN_IDLE_MS = 2000 -- how long to wait for more of what is no SMTP reply

local function now_ms() return nmap.clock() * 1000 end

-- nsock's word for the way in which reading ended, as a transcript says it.
local ENDS = { TIMEOUT = "timeout", EOF = "close" }

--- Opens a TCP connection.
--
-- @param host      NSE host table (its name goes into TLS as the server's name)
-- @param port      NSE port table
-- @param until_ms  the clock's time in ms after which nothing more may be waited for; nil for no such time
-- @return connection
-- @return nil and a message
function M.open(host, port, until_ms)
  local wire = setmetatable({ socket = nmap.new_socket("tcp"), until_ms = until_ms or math.huge }, M)
  wire:set_wait(CONNECT_WAIT_MS)
  local ok, message = wire.socket:connect(host, port, "tcp")
  if ok then return wire end
  wire:close()
  return nil, message
end

-- Bounds the next socket call: by its own limit, and by the whole session's.
function M:set_wait(wait_ms)
  local left = math.min(wait_ms, self.until_ms - now_ms())
  self.socket:set_timeout(math.max(LEAST_WAIT_MS, math.floor(left)))
end

--- Starts TLS on the open connection.
-- @return true
-- @return nil and a message
function M:start_tls()
  self:set_wait(TLS_WAIT_MS)
  local ok, message = self.socket:reconnect_ssl()
  self.is_tls = ok
  if ok then return true end
  return nil, "TLS handshake: " .. tostring(message)
end

-- Whether bytes may be the beginning of a reply: three digits, then a blank, a hyphen or the line's end.
local function looks_like_reply(head)
  return head:find("^%d%d%d[ \r\n-]") ~= nil or (#head < 4 and head:find("^%d*$") ~= nil)
end

-- What has come of a reply. `line` holds the pieces since the last piece that ended in a newline, so that asking
-- whether the reply is whole costs no more than what is new, even from a peer that sends byte by byte.
local function new_buffer() return { pieces = {}, line = {}, size = 0, head = "" } end

-- Takes a piece; returns "reply" or "limit" when that ends the reading.
local function take(buffer, piece)
  local room = M.MOST_BYTES - buffer.size
  local kept = piece:sub(1, room)
  buffer.pieces[#buffer.pieces + 1], buffer.size = kept, buffer.size + #kept
  if #buffer.head < 4 then buffer.head = (buffer.head .. kept):sub(1, 4) end
  if #piece > room then return "limit" end
  buffer.line[#buffer.line + 1] = kept
  if kept:byte(-1) ~= 10 then return nil end
  local line = table.concat(buffer.line)
  buffer.line = {}
  return looks_like_reply(buffer.head) and reply.complete(line) and "reply" or nil
end

local function is_enough(limits, buffer, held_ms)
  local in_dribs = held_ms >= DRIBS_MS and buffer.size <= DRIBS_BYTES
  return in_dribs and limits.is_enough ~= nil and limits.is_enough(table.concat(buffer.pieces))
end

-- One piece from the socket.
--
-- Over TLS: OpenSSL keeps one queue of errors for all connections, and the nsock of Nmap 7.93 and 7.94 takes what another
-- connection's failed handshake left there for a failure of its own read, whose bytes are then lost. Asked for no
-- particular number of bytes it returns the first record before it looks at the queue; a read that fails with nothing
-- in hand is tried again, and one that is truly broken fails again.
function M:receive()
  if not self.is_tls then return self.socket:receive() end
  local ok, piece
  for _ = 1, TLS_READS do
    ok, piece = self.socket:receive_bytes(0)
    if ok or piece ~= "ERROR" then break end
  end
  return ok, piece
end

--- Reads one reply.
--
-- @param limits  <code>first_ms</code> until its first byte, <code>idle_ms</code> between bytes, <code>total_ms</code> in
--   all, so that a peer that drips cannot hold us; <code>is_enough</code> (optional) function of what came so far of a reply that comes in
--   dribs: whether to hear no more of it, which ends it as the limit of time would
-- @return reply (raw bytes), how it ended (DESIGN.md: "reply", "timeout", "close", "reset", "limit"),
--   ms until the first byte (nil without one), ms until the last (until the end of the wait without one)
function M:read(limits)
  local buffer, started = new_buffer(), now_ms()
  local deadline, wait = started + limits.total_ms, limits.first_ms
  local first, last, ending
  -- Bounded twice: MOST_BYTES of bytes, and no turn starts after the deadline.
  repeat
    self:set_wait(math.min(wait, deadline - now_ms()))
    local ok, piece = self:receive()
    local now = now_ms()
    if not ok then
      ending = ENDS[piece] or "reset"
    elseif piece ~= "" then -- TLS has records without data
      first, last = first or now - started, now - started
      ending = take(buffer, piece) or (is_enough(limits, buffer, last - first) and "timeout") or nil
      wait = looks_like_reply(buffer.head) and limits.idle_ms or math.min(limits.idle_ms, FOREIGN_IDLE_MS)
    end
    if not ending and now >= math.min(deadline, self.until_ms) then ending = "timeout" end
  until ending
  return table.concat(buffer.pieces), ending, first, last or now_ms() - started
end

--- Sends bytes. @return true, or nil when the connection is broken
function M:send(bytes)
  self:set_wait(CONNECT_WAIT_MS)
  return self.socket:send(bytes)
end

--- The local address of the connection, or nil.
function M:local_address()
  local ok, address = self.socket:get_info()
  return ok and address or nil
end

--- The peer's certificate in PEM, or nil.
function M:certificate()
  local ok, certificate = pcall(self.socket.get_ssl_certificate, self.socket)
  return ok and certificate and certificate.pem or nil
end

--- Closes the connection; harmless on one that is closed.
function M:close() self.socket:close() end

return M
