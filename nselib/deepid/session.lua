--- A session with one mail port: carries out the plan, and returns the transcript (DESIGN.md, 'The transcript').
--
-- Judges nothing, and is bounded whatever the peer does: the plan's steps and connections, each reply's bytes and time,
-- and the time of the whole.

local lazy = require "deepid.lazy"
local nmap = require "nmap"
local plan = require "deepid.plan"
local reply = require "deepid.reply"
local steps = require "deepid.steps"
local stdnse = require "stdnse"
local wire = require "deepid.wire"
local x509 = lazy "deepid.x509"

local M = {}

M.GREETING_TIMEOUT_MS = 20000
M.BUDGET_MS = { greeting = 90000, adaptive = 120000, full = 300000 }

-- A screen that writes a byte a second (OpenBSD's spamd) is heard for a minute, or until it has named itself.
local GREETING = { idle_ms = 20000, total_ms = 60000 }
local LIMITS = { first_ms = 20000, idle_ms = 10000, total_ms = 30000 }
local OWN_NAME = "smtp-deepid.own_name" -- where it is kept in Nmap's registry
local LINGER = { first_ms = 400, idle_ms = 400, total_ms = 400 } -- as the recorder of the lab waits
local QUIT_LIMITS = { first_ms = 5000, idle_ms = 2000, total_ms = 5000 }

local function address_literal(address)
  if not address then return "localhost" end
  local bare = address:gsub("%%.*$", "") -- without the interface of a link-local address
  return (bare:find(":", 1, true) and "[IPv6:%s]" or "[%s]"):format(bare)
end

-- The machine's own name where it is one that others can resolve: fully qualified, and with an address beyond loopback.
local function own_name()
  local file = io.open("/proc/sys/kernel/hostname", "r") or io.open("/etc/myname", "r")
  local name = file and file:read("l")
  if file then file:close() end
  if not (name and #name <= 255 and name:find("^%w[%w-]*%.[%w.-]*%w$")) then return nil end
  local ok, addresses = nmap.resolve(name)
  for _, address in ipairs(ok and addresses or {}) do
    if not address:find("^127%.") and address ~= "::1" then return name end
  end
  return nil
end

-- What we greet with (RFC 5321 4.1.4): the user's choice, else the own name, else the address that the peer sees us
-- connect from. The own name is looked up once a scan.
local function greeting_name(connection, options)
  if options.helo then return options.helo end
  local known = nmap.registry
  if known[OWN_NAME] == nil then known[OWN_NAME] = own_name() or false end
  return known[OWN_NAME] or address_literal(connection:local_address())
end

local Session = {}
Session.__index = Session

function Session:record(step, answer, ending, first_ms, ms)
  step.reply, step["end"], step.first_ms, step.ms = answer, ending, first_ms, ms
  table.insert(self.transcript.steps, step)
end

function Session:note_certificate()
  local pem = self.connection:certificate()
  local has_openssl, openssl = pcall(require, "openssl")
  local certificate = pem and x509.read(x509.der(pem) or "")
  if not certificate or self.transcript.certificate then return end
  self.transcript.certificate = {
    subject = certificate.subject, names = certificate.names,
    spki_sha256 = has_openssl and stdnse.tohex(openssl.digest("sha256", certificate.spki)) or nil,
  }
end

-- Starts TLS for a step; returns false and notes why where the handshake failed.
function Session:secure(step, kind)
  local ok, message = self.connection:start_tls()
  if not ok then
    step["end"], step.error = "error", message
    return false
  end
  self.tls = kind
  self:note_certificate()
  return true
end

function Session:drop()
  if self.connection then self.connection:close() end
  self.connection = nil
end

-- Opens connection `action.connect` and reads its greeting. The first one that cannot be made ends the session with
-- nil and a message; a later one is noted as a greeting that ended in an error.
function Session:connect(action)
  self:drop()
  local pause_ms = math.max(action.pause_ms, action.connect > 1 and self.options.delay_ms or 0)
  if pause_ms > 0 then stdnse.sleep(pause_ms / 1000) end
  local step = { step = "greeting", connection = action.connect, tls = action.tls, sent = "" }
  local message
  self.connection, message = wire.open(self.host, self.port, self.until_ms)
  step.at = nmap.clock()
  if not self.connection then
    if action.connect == 1 then return nil, "connect: " .. message end
    step.error = "connect: " .. message
    self:record(step, "", "error")
    return true
  end
  self.until_ms = self.until_ms or step.at * 1000 + self.options.budget_ms
  self.connection.until_ms = self.until_ms
  self.tls = "none"
  if action.tls == "implicit" and not self:secure(step, "implicit") then
    self:record(step, "", "error")
    return true
  end
  local first_ms = self.options.greeting_timeout_ms
  self:record(step, self.connection:read {
    first_ms = first_ms, idle_ms = GREETING.idle_ms, total_ms = math.max(GREETING.total_ms, first_ms), is_enough = self.options.is_tarpit,
  })
  return true
end

-- The answer to a step: as many replies as it asks for, and where that is not sure what follows at once.
function Session:hear(name)
  local asked = steps.by_name[name]
  local answer, ending, first_ms, ms = self.connection:read(name == "quit" and QUIT_LIMITS or LIMITS)
  local more
  if ending == "reply" and reply.count(answer) < (asked.replies or 1) then
    more, ending = self.connection:read(LIMITS)
    answer = answer .. more
  end
  if ending == "reply" and asked.alone then answer = answer .. self.connection:read(LINGER) end
  return answer, ending, first_ms, ms
end

-- Sends one step on the open connection and reads its reply.
function Session:ask(name, number)
  if self.options.delay_ms > 0 then stdnse.sleep(self.options.delay_ms / 1000) end
  self.name = self.name or greeting_name(self.connection, self.options)
  local step = { step = name, connection = number, tls = self.tls, sent = steps.bytes(name, self.name), at = nmap.clock() }
  self.connection:send(step.sent) -- where this fails, reading says how the connection ended
  local answer, ending, first_ms, ms = self:hear(name)
  if name == "starttls" and ending == "reply" and answer:find("^220") and not self:secure(step, "starttls") then
    ending = "error"
  end
  self:record(step, answer, ending, first_ms, ms)
end

function Session:is_over_budget() return self.until_ms ~= nil and nmap.clock() * 1000 >= self.until_ms end

function Session:talk()
  local action = plan.next(self.transcript, self.options)
  while action and not self:is_over_budget() do
    if action.connect then
      local ok, message = self:connect(action)
      if not ok then return nil, message end
    else
      self:ask(action.step, action.connection)
    end
    action = plan.next(self.transcript, self.options)
  end
  return self.transcript
end

-- What Nmap's version detection found out about TLS on the port: "ssl", "none", or nil where it did not ask.
local function known_tunnel(port)
  local version = port.version or {}
  if version.service_tunnel == "ssl" then return "ssl" end
  return version.service_dtype == "probed" and port.service ~= "tcpwrapped" and "none" or nil
end

--- Talks to one port.
--
-- @param host     NSE host table
-- @param port     NSE port table
-- @param options  (optional) table: <code>depth</code> ("greeting", "adaptive", "full"; default "adaptive"),
--   <code>greeting_timeout_ms</code> (20000), <code>delay_ms</code> between steps (0), <code>helo</code> the name to greet
--   with, <code>choose</code> and <code>errors</code> (see plan.lua), <code>is_tarpit</code> function of a greeting that comes in dribs: whether
--   it is to be heard no further, <code>budget_ms</code> for the whole session from its first connection (90, 120, 300 s by depth), <code>retry_pause_ms</code> (3000)
-- @return transcript
-- @return nil and a message where no connection could be made
function M.run(host, port, options)
  options = options or {}
  local depth = options.depth or "adaptive"
  local session = setmetatable({
    host = host, port = port,
    transcript = { record = "transcript", address = host.ip, port = port.number, service = port.service, steps = {} },
    options = {
      depth = depth, helo = options.helo, choose = options.choose, errors = options.errors, is_tarpit = options.is_tarpit, tunnel = known_tunnel(port),
      delay_ms = options.delay_ms or 0, retry_pause_ms = options.retry_pause_ms,
      greeting_timeout_ms = options.greeting_timeout_ms or M.GREETING_TIMEOUT_MS,
      budget_ms = options.budget_ms or M.BUDGET_MS[depth],
    },
  }, Session)
  local ok, transcript, message = pcall(session.talk, session)
  session:drop()
  if ok then return transcript, message end
  return nil, tostring(transcript)
end

return M
