--- What a scan showed, host by host: takes `scan`, `host` and `transcript` records in any order, keeps a small digest of each
-- host, and groups hosts by what they show. Judges nothing: that is <code>deepid.verdict</code>'s.

local groups = require "deepid.groups"
local mask = require "deepid.mask"
local network = require "deepid.network"
local reply = require "deepid.reply"

local M = {}

local KEY_BYTES = 240 -- of a key; a longer reply is told by its beginning
local MASKED_BYTES = 2048 -- of a reply: peers may send 64 KiB, and while it is masked Nmap stands still
local MOST_NAMES = 16 -- of the client's own, in one transcript
local KINDS = groups.KINDS

--- Ports on which hosts offer mail, beside 25 itself.
M.MAIL_PORTS = { [110] = "pop3", [143] = "imap", [465] = "smtps", [587] = "submission", [993] = "imaps", [995] = "pop3s", [2525] = "smtp" }

-- Greetings and EHLO replies that turn the client away; 502 and the like only say that a verb is unknown.
local REFUSALS = { ["421"] = true, ["450"] = true, ["451"] = true, ["452"] = true, ["521"] = true, ["550"] = true, ["553"] = true, ["554"] = true, ["571"] = true }

local function public_name(domain)
  if domain and not network.is_generic(domain) then return (domain:lower():gsub("%.$", "")) end
end

-- The first whole reply to a step, if any.
local function first(transcript, name)
  for _, step in ipairs(transcript.steps) do
    if step.step == name and step.reply ~= "" then return step end
  end
end

-- What the client called itself, and the target's own address: neither is the server's word.
local function own_names(transcript)
  local names = { transcript.address }
  for _, step in ipairs(transcript.steps) do
    local said = step.sent:match("^%u%uLO%s+(%S+)") or step.sent:match("^LHLO%s+(%S+)")
    if said and #names < MOST_NAMES then
      names[#names + 1] = said
      names[#names + 1] = said:match("^%[I?P?v?6?:?(.-)%]$")
    end
  end
  return names
end

-- A refusal's text. Host names in it stay: two owners' texts that differ in their names are two.
local function notice_of(greeting, ehlo, names)
  for _, step in ipairs({ greeting or false, ehlo or false }) do
    local parsed = step and reply.parse(step.reply)
    if parsed and REFUSALS[parsed.code or ""] then
      local text = step.reply:sub(1, MASKED_BYTES):gsub("%d+%.%d+%.%d+%.%d+", "<address>")
      return mask.mask(text, "volatile", names):sub(1, KEY_BYTES):match("^(.-)%s*$")
    end
  end
end

-- Whether lines end in CRLF in some replies and in a bare LF in others, of one connection and kind of TLS: two programs wrote them.
local function mixes_line_ends(transcript)
  local seen = {}
  for _, step in ipairs(transcript.steps) do
    if step.reply:find("\n") then
      local part = ("%s %s"):format(step.connection or 1, step.tls or "none")
      local bare = reply.parse(step.reply).bare_lf
      if seen[part] ~= nil and seen[part] ~= bare then return true end
      seen[part] = bare
    end
  end
  return false
end

-- The client's address as an EHLO reply repeats it, where we did not say it ourselves.
local function echoed_address(ehlo, address)
  local line = ehlo and ehlo.reply:match("^250[ -]([^\r\n]*)")
  for found in (line or ""):gmatch("[%[%(](%d+%.%d+%.%d+%.%d+)[%]%)]") do
    if found ~= address and not ehlo.sent:find(found, 1, true) then return found end
  end
end

--- What one transcript contributes.
--
-- @param result  (optional) its port result, for product and fronts
-- @return digest: the keys of M.KINDS that it shows, and what the judge asks beside them
function M.digest(transcript, result)
  local greeting, ehlo, names = first(transcript, "greeting"), first(transcript, "ehlo"), own_names(transcript)
  local certificate = transcript.certificate
  local digest = {
    port = transcript.port or 25, path = type(transcript.path) == "table" and transcript.path or nil, answered = greeting ~= nil,
    hostname = public_name(greeting and reply.domain(greeting.reply)), ehlo_name = public_name(ehlo and reply.domain(ehlo.reply)),
    greeting = greeting and mask.mask(greeting.reply:sub(1, MASKED_BYTES), "volatile", names):sub(1, KEY_BYTES),
    template = greeting and mask.mask(greeting.reply:sub(1, MASKED_BYTES), "template", names):sub(1, KEY_BYTES),
    notice = notice_of(greeting, ehlo, names),
    ehlo = ehlo and table.concat(reply.extensions(ehlo.reply), "\n"):sub(1, KEY_BYTES),
    certificate = certificate and certificate.spki_sha256, certificate_names = certificate and certificate.names,
    mixed = mixes_line_ends(transcript), echoed = echoed_address(ehlo, transcript.address),
  }
  if result then
    digest.product, digest.fronts = result.identity.product, result.front
  end
  return digest
end

local Survey = {}
Survey.__index = Survey

--- An empty survey.
function M.new()
  return setmetatable({ by_address = {}, scanner = {}, control = {}, known = {}, vantage = {} }, Survey)
end

-- Saved files may hold anything; what is no address or name is left out.
local function is_address(text) return type(text) == "string" and #text <= 64 and network.networks(text) ~= nil end

local function is_name(text) return type(text) == "string" and #text <= 255 and text:find("^[%w._-]+$") ~= nil end

local function host_of(survey, address)
  local host = survey.by_address[address]
  if not host then
    host = { address = address, network = network.networks(address), names = {}, domains = {}, ports = {}, sessions = {} }
    survey.by_address[address] = host
  end
  return host
end

-- Addresses in a script argument: a text with commas or blanks, or a table as Nmap parses {a,b}.
local function read_addresses(value, into)
  for _, item in pairs(type(value) == "table" and value or { value }) do
    for word in tostring(item):gmatch("[^,%s]+") do into[word] = true end
  end
end

local ADD = {}

function ADD.scan(survey, record)
  for _, address in ipairs(type(record.scanner) == "table" and record.scanner or {}) do survey.scanner[tostring(address)] = true end
  local arguments = type(record.arguments) == "table" and record.arguments or {}
  for _, name in ipairs({ "control", "known" }) do
    read_addresses(record[name], survey[name])
    read_addresses(arguments["smtp-deepid." .. name], survey[name]) -- a bare `true` is no address, and does no harm
  end
end

function ADD.host(survey, record)
  if not is_address(record.address) then return end
  local host = host_of(survey, record.address)
  for _, name in ipairs(type(record.names) == "table" and record.names or {}) do
    local domain = is_name(name) and network.registered_domain(name)
    if domain and not network.is_generic(name) then
      host.names[#host.names + 1] = name:lower()
      host.domains[#host.domains + 1] = domain
    end
  end
  for _, port in ipairs(type(record.ports) == "table" and record.ports or {}) do
    if type(port) == "table" and math.type(port.port) == "integer" then host.ports[port.port] = port end
  end
  if type(record.path) == "table" then host.path = record.path end
  if is_address(record.refused_by) then host.refused_by = record.refused_by end
  host.connects, host.silent = record.connects, math.type(record.silent) == "integer" and record.silent or nil
end

function ADD.transcript(survey, record, result)
  if not is_address(record.address) then return end
  local digest = M.digest(record, result)
  host_of(survey, record.address).sessions[digest.port] = digest
end

--- Takes one record of a saved scan.
--
-- @param record  as <code>transcript.from_record</code> checks it, or a `scan` or `host` record
-- @param result  (optional) a transcript's port result
function Survey:add(record, result)
  local add = ADD[record.record or "transcript"]
  if add then add(self, record, result) end
end

-- The session that stands for a host: port 25's, else of the lowest port that is not for submission, else any.
local function main_session(host)
  if host.sessions[25] then return host.sessions[25] end
  local best
  for port, digest in pairs(host.sessions) do
    local rank = (M.MAIL_PORTS[port] and 100000 or 0) + port
    if not best or rank < best.rank then best = { rank = rank, digest = digest } end
  end
  return best and best.digest
end

--- All hosts, sorted by address; each with <code>main</code>, the digest that stands for it, or nil.
function Survey:hosts()
  local list = {}
  for _, host in pairs(self.by_address) do
    host.main = main_session(host)
    list[#list + 1] = host
  end
  table.sort(list, function(a, b) return a.address < b.address end)
  return list
end

--- Hosts grouped by what their main sessions show. Controls take no part: they are no targets.
--
-- @param hosts  what <code>hosts</code> gave
-- @param kinds  (optional) array of kind names, default all
-- @return store, see <code>deepid.groups</code>
-- @return table: kind name -> key -> array of hosts
function Survey:grouped(hosts, kinds)
  kinds = kinds or KINDS
  local store, index = groups.open(), {}
  for _, kind in ipairs(kinds) do index[kind] = {} end
  for _, host in ipairs(hosts) do
    for _, kind in ipairs(kinds) do
      local key = host.main and not self.control[host.address] and host.main[kind]
      if key then
        store:add(host.address, KINDS[kind], key, key)
        index[kind][key] = index[kind][key] or {}
        table.insert(index[kind][key], host)
      end
    end
  end
  return store, index
end

return M
