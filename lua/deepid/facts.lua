--- What is known of a host, as pairs of keys and values that a shelf holds (DESIGN.md, 'The shelf'), and a host from its pairs.
--
--   key    address \0 slot                value
--          n NAME                         (empty)                           PTR name
--          p PORT (2 bytes)               rank, state, reason, TTL          of the port list
--          s PORT (2 bytes)               0 TEXT, or 1 TIME RANK FIELD ...      a greeting as a list has it; a session's digest
--          c, q, r, t                     whether a connection is made; silent ports; who refused 25; the path to it
--   key    \0 what \0 address             (empty)                           of the scan: scanner, control, known
--
-- Of two values the shelf keeps the one that sorts last. So a session is preferred to a greeting, a later one to an earlier, an
-- open port to a closed and to a silent one; and where neither is better, all partitions and orders agree which one stays.

local digests = require "deepid.digest"
local json = require "deepid.json"
local network = require "deepid.network"

local M = {}

local MOST_NAMES_BYTES = 16384 -- of one certificate
local MOST_PATH_BYTES = 32768
local WORD_BYTES = 255
local PRINTABLE = "^[\32-\126]*$"

--- The slot and the mark of a greeting that is all that is known of port 25.
M.GREETING_SLOT, M.GREETING_MARK = "s\0\25", "0"
local SESSION_MARK = "1"
local GREETING_BYTE = M.GREETING_MARK:byte()

local RANKS = { open = "3", closed = "2", filtered = "1" }

--- Saved files may hold anything; what is no address or name is left out.
function M.is_address(text) return type(text) == "string" and #text <= 64 and not text:find("\0", 1, true) and network.of(text) ~= nil end

local function is_name(text) return type(text) == "string" and #text <= WORD_BYTES and text:find("^[%w._-]+$") ~= nil end

local function is_port(number) return math.type(number) == "integer" and number >= 0 and number <= 65535 end

local function word(value) return type(value) == "string" and value:sub(1, WORD_BYTES) or "" end

-- A table as JSON; what JSON cannot hold, or is too long, is left out.
local function to_json(value, most)
  if type(value) ~= "table" then return nil end
  local ok, text = pcall(json.encode, value)
  return ok and #text <= most and text or nil
end

-- --- Sessions ---

-- Fields of a digest that are texts, with their marks.
local TEXTS = {
  { "c", "certificate" }, { "d", "dialect" }, { "e", "ehlo_name" }, { "g", "greeting" }, { "h", "hostname" }, { "k", "ehlo" }, { "n", "notice" }, { "p", "product" },
  { "t", "template" }, { "x", "echoed" },
}
local FLAGS = { { "a", "answered" }, { "m", "mixed" } }

local FIELD = {} -- mark -> takes a value into a digest

for _, field in ipairs(TEXTS) do
  FIELD[field[1]] = function(digest, value) digest[field[2]] = value end
end
for _, field in ipairs(FLAGS) do
  FIELD[field[1]] = function(digest) digest[field[2]] = true end
end

function FIELD.N(digest, value)
  digest.certificate_names = digest.certificate_names or {}
  table.insert(digest.certificate_names, value)
end

function FIELD.F(digest, value) digest.fronts[#digest.fronts + 1] = assert(json.decode(value)) end

function FIELD.P(digest, value) digest.path = assert(json.decode(value)) end

local function time_of(at)
  local known = type(at) == "number" and at >= 0 and at < 1e11
  return ("%018.6f"):format(known and at or 0)
end

local TIME_BYTES = #time_of(0)
local SESSION_START = "^1" .. ("%d"):rep(11) .. "%." .. ("%d"):rep(6) .. "[012]"

-- Of sessions of one time, one that was let in is preferred to one that was turned away, and that to one that heard nothing.
local function rank_of(digest) return digest.notice and "1" or digest.answered and "2" or "0" end

local function pack_session(digest, at)
  local parts = { SESSION_MARK, time_of(at), rank_of(digest) }
  local function add(mark, value) parts[#parts + 1] = mark .. string.pack(">s2", value) end
  for _, field in ipairs(TEXTS) do
    if digest[field[2]] then add(field[1], digest[field[2]]:sub(1, WORD_BYTES)) end
  end
  for _, field in ipairs(FLAGS) do
    if digest[field[2]] then add(field[1], "") end
  end
  local left = MOST_NAMES_BYTES
  for _, name in ipairs(digest.certificate_names or {}) do
    left = left - #name
    if left >= 0 then add("N", name:sub(1, WORD_BYTES)) end
  end
  for _, front in ipairs(digest.fronts or {}) do add("F", json.encode(front)) end
  local path = to_json(digest.path, MOST_PATH_BYTES)
  if path then add("P", path) end
  return table.concat(parts)
end

local function unpack_session(value, port)
  local digest, at = { port = port, answered = false, mixed = false, fronts = {} }, 3 + TIME_BYTES
  while at <= #value do
    local take = FIELD[value:sub(at, at)]
    local field, after = string.unpack(">s2", value, at + 1)
    take(digest, field)
    at = after
  end
  return digest
end

-- --- Records to pairs ---

local PUT = {}

-- Addresses in a script argument: a text with commas or blanks, or a table as Nmap parses {a,b}.
local function read_addresses(value, visit)
  for _, item in pairs(type(value) == "table" and value or { value }) do
    for found in tostring(item):gmatch("[^,%s]+") do
      if #found <= WORD_BYTES then visit(found) end
    end
  end
end

function PUT.scan(record, put)
  local arguments = type(record.arguments) == "table" and record.arguments or {}
  local function note(what, value)
    read_addresses(value, function(address) put("\0" .. what .. "\0" .. address, "") end)
  end
  if type(record.scanner) == "table" then note("scanner", record.scanner) end
  for _, name in ipairs({ "control", "known" }) do
    note(name, record[name])
    note(name, arguments["smtp-deepid." .. name]) -- a bare `true` is no address, and does no harm
  end
end

local function put_port(port, put)
  local ttl = math.type(port.ttl) == "integer" and port.ttl or -1
  put("p" .. string.pack(">I2", port.port), (RANKS[port.state] or "0") .. string.pack(">s1s1i8", word(port.state), word(port.reason), ttl))
end

function PUT.host(record, put)
  if not M.is_address(record.address) then return end
  local function put_own(slot, value) put(record.address .. "\0" .. slot, value) end
  for _, name in ipairs(type(record.names) == "table" and record.names or {}) do
    if is_name(name) and network.registered_domain(name) and not network.is_generic(name) then put_own("n" .. name:lower(), "") end
  end
  for _, port in ipairs(type(record.ports) == "table" and record.ports or {}) do
    if type(port) == "table" and is_port(port.port) then put_port(port, put_own) end
  end
  local path = to_json(record.path, MOST_PATH_BYTES)
  if path then put_own("t", path) end
  if M.is_address(record.refused_by) then put_own("r", record.refused_by) end
  if type(record.connects) == "boolean" then put_own("c", record.connects and "1" or "0") end
  if math.type(record.silent) == "integer" and record.silent >= 0 then put_own("q", string.pack(">I8", record.silent)) end
end

function PUT.transcript(record, put, named)
  local port = record.port or 25
  if not M.is_address(record.address) or not is_port(port) then return end
  local first = record.steps[1]
  put(record.address .. "\0s" .. string.pack(">I2", port), pack_session(digests.of(record, named), first and first.at))
end

function PUT.greeting(record, put)
  put(record.address .. "\0" .. M.GREETING_SLOT, M.GREETING_MARK .. record.greeting:sub(1, digests.TEXT_BYTES))
end

--- Hands the pairs of a record to <code>put(key, value)</code>.
--
-- @param record  `scan`, `host` or `transcript` as in a saved scan; or { record = "greeting", address =, greeting = } with an address
-- @param named   (optional) what <code>deepid.naming</code> says of a transcript
function M.put(record, put, named)
  local of_kind = PUT[record.record or "transcript"]
  if of_kind then of_kind(record, put, named) end
end

-- --- Pairs to hosts ---

local TAKE = {} -- slot's letter -> takes its rest and value into a host

function TAKE.n(host, name)
  host.names[#host.names + 1] = name
  host.domains[#host.domains + 1] = network.registered_domain(name)
end

function TAKE.p(host, rest, value)
  local port = string.unpack(">I2", rest)
  local state, reason, ttl = string.unpack(">s1s1i8", value, 2)
  host.ports[port] = { port = port, state = state, reason = reason, ttl = ttl >= 0 and ttl or nil }
end

function TAKE.s(host, rest, value, naming)
  local port = string.unpack(">I2", rest)
  if value:sub(1, 1) == M.GREETING_MARK then
    host.sessions[port] = digests.of_greeting(value:sub(2), host.address, naming)
  else
    host.sessions[port] = unpack_session(value, port)
  end
end

function TAKE.c(host, _, value) host.connects = value == "1" end

function TAKE.q(host, _, value) host.silent = string.unpack(">I8", value) end

function TAKE.r(host, _, value) host.refused_by = value end

function TAKE.t(host, _, value) host.path = assert(json.decode(value)) end

--- Ports on which hosts offer mail, beside 25 itself.
M.MAIL_PORTS = { [110] = "pop3", [143] = "imap", [465] = "smtps", [587] = "submission", [993] = "imaps", [995] = "pop3s", [2525] = "smtp" }

-- The session that stands for a host: port 25's, else of the lowest port that is not for submission, else any.
local function main_session(sessions)
  if sessions[25] then return sessions[25] end
  local best
  for port, digest in pairs(sessions) do
    local rank = (M.MAIL_PORTS[port] and 100000 or 0) + port
    if not best or rank < best.rank then best = { rank = rank, digest = digest } end
  end
  return best and best.digest
end

-- What of a host is the same for all of which a greeting is all that is known.
local NONE = {}
local Lone = { __index = { names = NONE, domains = NONE, ports = NONE, greets_only = true } }

-- A host from its slots and values in turn. Of very many a greeting is all that is known: <code>greets_only</code>.
local function host_of(address, ordinal, slots, naming)
  local large = network.of(address)
  if not slots[3] and slots[1] == M.GREETING_SLOT and slots[2]:byte() == GREETING_BYTE then
    local digest = digests.of_greeting(slots[2]:sub(2), address, naming)
    return setmetatable({ address = address, ordinal = ordinal, network = large, sessions = { [25] = digest }, main = digest }, Lone)
  end
  local host = { address = address, ordinal = ordinal, network = large, sessions = {}, names = {}, domains = {}, ports = {} }
  for i = 1, #slots, 2 do TAKE[slots[i]:sub(1, 1)](host, slots[i]:sub(2), slots[i + 1], naming) end
  host.main = main_session(host.sessions)
  return host
end

-- A host that a sweep has counted.
local function counted_host(address, ordinal, named)
  return { address = address, ordinal = ordinal, counted = true, greets_only = true, main = named, sessions = { [25] = named } }
end

--- Hosts of a walk over a shelf, in the order of their keys.
--
-- @param iterate  what <code>shelf:pairs</code> gave
-- @param skip     bytes in front of each key that are not its address
-- @param naming   deepid.naming
-- @param wanted   (optional) function of those bytes: whether hosts behind them are asked for
-- @param classes  (optional) names by number, where <code>iterate</code> is a sweep's
-- @return iterator of host, an array of its slots and values in turn, and the bytes in front. <code>ordinal</code> of a host counts them
function M.hosts(iterate, skip, naming, wanted, classes)
  local ordinal, key, value, stop, front = 0, nil, nil, nil, nil -- front: the key up to the NUL behind the address
  local given, class
  local function step()
    key, value, given, class = iterate()
    stop = value and key:find("\0", skip + 1, true)
    front = stop and key:sub(1, stop)
  end
  step()
  return function()
    while value and (stop == skip + 1 or wanted and not wanted(key:sub(1, skip))) do step() end
    if not key then return nil end
    if class then
      local host = counted_host(key, given, classes[class])
      step()
      return host
    end
    local own, slots, count = front, { key:sub(stop + 1), value }, 2
    ordinal = given or ordinal + 1
    step()
    while key and front == own do
      slots[count + 1], slots[count + 2] = key:sub(stop + 1), value
      count = count + 2
      step()
    end
    return host_of(own:sub(skip + 1, -2), ordinal, slots, naming), slots, own:sub(1, skip)
  end
end

-- --- Pairs that are not our own ---

local function all_strings(table_, names)
  for _, name in ipairs(names) do
    if table_[name] ~= nil and not (type(table_[name]) == "string" and table_[name]:find(PRINTABLE)) then return false end
  end
  return true
end

local function is_front(front)
  return type(front) == "table" and all_strings(front, { "role", "name", "device" }) and (front.confidence == nil or type(front.confidence) == "number")
end

local function is_digest(digest)
  if rawget(digest, "reply") then return true end -- a greeting: any bytes are one
  if digest.path ~= nil and type(digest.path) ~= "table" then return false end
  for _, front in ipairs(digest.fronts or {}) do
    if not is_front(front) then return false end
  end
  return all_strings(digest, { "product" })
end

local function is_host(host)
  for _, digest in pairs(host.sessions) do
    if not is_digest(digest) then return false end
  end
  for _, name in ipairs(host.names) do
    if not is_name(name) or not network.registered_domain(name) then return false end
  end
  return (host.path == nil or type(host.path) == "table") and (host.refused_by == nil or M.is_address(host.refused_by))
end

--- What a pair of the scan says: what, and the address; nil where it is one of a host.
function M.of_scan(key) return key:match("^%z(%l+)%z(.+)$") end

local SCAN = { scanner = true, control = true, known = true }
local SLOT_BYTES = { p = 3, s = 3, c = 1, q = 1, r = 1, t = 1 }
local VALUE = { n = "^$", p = "^[0-3]", s = "^[01]", c = "^[01]$" }

--- Whether a pair from a file can be taken; reading it later raises nothing then.
function M.is_sound(key, value)
  local what = M.of_scan(key)
  if what then return SCAN[what] == true and value == "" end
  local address, slot, letter = key:match("^([^%z]+)%z((.).*)$")
  if not (address and M.is_address(address) and TAKE[letter]) or #slot ~= (SLOT_BYTES[letter] or #slot) then return false end
  if not value:find(VALUE[letter] or "") or (value:find("^1") and letter == "s" and not value:find(SESSION_START)) then return false end
  local ok, host = pcall(host_of, address, 0, { slot, value }, nil)
  return ok and is_host(host)
end

return M
