--- A greeting from port 25 of an address that no portrule runs for.

local nmap = require "nmap"
local session = require "deepid.session"

local M = {}

local CONNECT_MS = 4000

--- Whether a plain connection to port 25 can be made.
function M.can_connect(address)
  local socket = nmap.new_socket("tcp")
  socket:set_timeout(CONNECT_MS)
  local ok = socket:connect(address, 25, "tcp")
  socket:close()
  return ok == true
end

--- Takes a greeting, where anything answers.
--
-- @param host     NSE host table, or <code>{ip=...}</code>
-- @param options  of a session
-- @return transcript
-- @return nil and a message
function M.greeting(host, options)
  if not M.can_connect(host.ip) then return nil, "no connection" end
  local port = { number = 25, protocol = "tcp", service = "smtp", version = {} }
  return session.run(host, port, { depth = "greeting", helo = options.helo, greeting_timeout_ms = options.greeting_timeout_ms })
end

return M
