--- What is odd about one host, and proves nothing by itself: told beside the host, and no more.

local escape = require "deepid.escape"
local network = require "deepid.network"

local M = {}

local SILENT = 3 -- so many silent ports beside an open 25 are worth a word
local FAR_MS = 10

local function has_domain(names, domain)
  for _, name in ipairs(names or {}) do
    if network.registered_domain(name) == domain then return true end
  end
  return false
end

-- Whether all of the scanner's addresses are private: then a NAT is between, and an echoed address is its own business.
local function is_behind_nat(scanner)
  for address in pairs(scanner) do
    if not network.is_private(address) then return false end
  end
  return true
end

local function heard_elsewhere(host)
  for number, port in pairs(host.ports) do
    if number ~= 25 and (port.state == "open" or port.state == "closed") then return true end
  end
  return false
end

-- What one host's session says against itself, in words.
local function contradictions(host, scanner)
  local found, main = {}, host.main
  if not main then return found end
  local greeting = main.hostname and network.registered_domain(main.hostname)
  local ehlo = main.ehlo_name and network.registered_domain(main.ehlo_name)
  local certified = main.certificate_names and #main.certificate_names > 0
  if greeting and ehlo and greeting ~= ehlo
    and not (certified and has_domain(main.certificate_names, greeting) and has_domain(main.certificate_names, ehlo)) then
    found[#found + 1] = ("it greets as %s and answers EHLO as %s"):format(main.hostname, main.ehlo_name)
  end
  if main.mixed then found[#found + 1] = "its lines end in CRLF in one reply and in a bare LF in another: two programs wrote them" end
  local other = host.sessions[587] or host.sessions[2525]
  if main.port == 25 and main.ehlo and not main.ehlo:find("STARTTLS") and other and other.ehlo and other.ehlo:find("STARTTLS") then
    found[#found + 1] = ("it offers STARTTLS on port %d and not on 25"):format(other.port)
  end
  local listed = host.ports[25]
  if listed and listed.state == "open" and (host.silent or 0) >= SILENT and not heard_elsewhere(host) then
    found[#found + 1] = ("port 25 alone answers, %d other ports are silent"):format(host.silent)
  end
  if main.echoed and not scanner[main.echoed] and not is_behind_nat(scanner) then
    found[#found + 1] = ("it saw the client as %s, which is not this scanner: a proxy or NAT is between"):format(main.echoed)
  end
  return found
end

--- Everything odd about a host.
--
-- @param host          with <code>distance</code>
-- @param is_explained  whether its distance is innocent
-- @param scanner       set of the scanner's addresses; empty where they are not known
-- @return array of {says, of_path}: printable words, and whether they are about the path
function M.of(host, is_explained, scanner)
  local found, d = {}, host.distance
  local function add(of_path, text, ...) found[#found + 1] = { of_path = of_path, says = escape.visible(text:format(...)) } end
  if d.at and d.target and d.at < d.target and not is_explained then
    add(true, "by %s, the answer on port 25 came over %d hops, that of another port over %d", d.traced and "trace" or "TTL", d.at, d.target)
  end
  if d.time and d.time.nearer and d.time.other_ms - d.time.ms >= FAR_MS then
    add(true, "port 25 connects in %.2g ms at best, another port in %.3g ms", d.time.ms, d.time.other_ms)
  end
  for _, what in ipairs(contradictions(host, scanner)) do add(false, "%s", what) end
  return found
end

return M
