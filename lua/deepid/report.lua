--- A port result in words, and as Nmap's version record.

local roles = require "deepid.roles"

local M = {}

--- The order of keys in structured output, by the kind of object.
M.KEYS = {
  result = { "address", "port", "tls", "identity", "front", "inner", "extensions", "easter_eggs", "evidence", "unobserved",
    "leaks", "clock", "ntlm", "certificate", "advice", "transcript_ms", "connections" },
  identity = { "product", "version", "version_min", "version_max", "release", "info", "confidence", "basis", "kin", "os", "device", "hostname", "service",
    "cpe" },
  front = { "role", "name", "version", "info", "device", "hostname", "confidence", "claims", "reason", "list", "evidence", "advice" },
  kin = { "product", "alike", "asked" },
  inner = { "product", "version", "info", "os", "device", "hostname", "service", "greeting", "inner" },
  clock = { "step", "zone", "skew_s" },
  ntlm = { "target", "computer", "domain", "dns_computer", "dns_domain", "dns_forest", "version" },
  evidence = { "kind", "weight", "where", "step", "reply", "says", "hosts", "examples" },
  leaks = { "kind", "value" },
  certificate = { "subject", "names", "spki_sha256" },
  survey = { "verdict", "where", "confidence", "hosts_seen", "networks", "affected", "changed", "evidence", "fronts", "groups", "groups_left", "explained", "port_25",
    "products", "hosts", "hosts_odd", "keys", "unobserved", "advice" },
  keys = { "kind", "key", "hosts", "networks", "examples" },
  fronts = { "role", "name", "hosts", "examples" },
  groups = { "key", "kind", "hosts", "judged", "networks", "unrelated", "needed", "expected", "probability", "surprising", "explanation", "words",
    "examples" },
  explained = { "name", "says", "hosts", "examples" },
  products = { "product", "hosts" },
  hosts = { "address", "verdict", "evidence" },
  port_25 = { "filtered", "mail_elsewhere", "unrelated", "accepting", "refused", "refused_by", "stops_at", "stops_by", "probability" },
}

--- What a role means, for people.
M.ROLE_WORDS = {
  interceptor = "something on the way that answers in the target's place",
  blocker = "a wrapper that refuses this scanner before the real server is reached",
  screen = "a screen that judges clients first", proxy = "a proxy", filter = "a mail filter",
  rewriter = "a device that changes SMTP in passing", tarpit = "a tarpit", decoy = "a decoy", backdoor = "a backdoor",
}

local BASIS_WORDS = { says = "what it says", behaves = "how it behaves", both = "what it says and does" }

local function join(parts, separator)
  local kept = {}
  for i = 1, parts.n or #parts do
    if parts[i] and parts[i] ~= "" then kept[#kept + 1] = parts[i] end
  end
  return table.concat(kept, separator or " ")
end

local function list(...) return { n = select("#", ...), ... } end

local function version_words(who)
  if who.version then return who.version end
  if who.version_min and who.version_max then return who.version_min .. " to " .. who.version_max end
  if who.version_min then return who.version_min .. " or later" end
  if who.version_max then return who.version_max .. " or earlier" end
end

-- What stands in brackets behind a version: the vendor's name for it, and what else is known.
local function detail_words(who)
  local words = join(list(who.release, who.info), ", ")
  return words ~= "" and ("(%s)"):format(words) or nil
end

local function server_words(who)
  if not who.product and not who.hostname then return nil end
  return join(list(who.product or "unknown server", version_words(who), detail_words(who), who.os and "on " .. who.os,
    who.hostname and "at " .. who.hostname))
end

local function identity_words(identity)
  if not identity.product then
    local kin = identity.kin
    return join(list("unknown", identity.hostname and "at " .. identity.hostname,
      kin and ("(answers most like %s: %d of %d answers alike)"):format(kin.product, kin.alike, kin.asked)))
  end
  return ("%s (%d%% sure, by %s)"):format(server_words(identity), math.floor(identity.confidence * 100 + 0.5),
    BASIS_WORDS[identity.basis])
end

local function add_front(lines, front)
  if front.claims then
    lines[#lines + 1] = ("%s: it %s"):format(front.role == "decoy" and "decoy" or "changed greeting", front.reason)
    return
  end
  lines[#lines + 1] = ("in front: %s, %s"):format(join(list(front.name or "unknown", front.version, detail_words(front),
    front.hostname and "at " .. front.hostname)), M.ROLE_WORDS[front.role])
  if front.reason then lines[#lines + 1] = "  reason given: " .. front.reason end
  if front.list then lines[#lines + 1] = "  list: " .. front.list end
end

local function add_inner(lines, inner)
  if not inner then return end
  lines[#lines + 1] = "behind it: " .. (server_words(inner) or inner.greeting)
  add_inner(lines, inner.inner)
end

local function add_list(lines, title, items)
  if #items > 0 then lines[#lines + 1] = title .. ": " .. table.concat(items, ", ") end
end

local function clock_words(clock)
  local skew = clock.skew_s
  local words = skew and (math.abs(skew) <= 1 and "right" or ("%d s %s"):format(math.abs(skew), skew > 0 and "ahead" or "behind"))
  return join(list(clock.zone and "zone " .. clock.zone, words), ", ")
end

--- A port result for people.
--
-- @return array of lines, without control characters
function M.lines(result)
  local lines = { "server: " .. identity_words(result.identity) }
  for _, front in ipairs(result.front) do add_front(lines, front) end
  add_inner(lines, result.inner)
  add_list(lines, "extensions", result.extensions)
  for _, egg in ipairs(result.easter_eggs) do lines[#lines + 1] = "Easter egg, " .. egg end
  for _, leak in ipairs(result.leaks) do lines[#lines + 1] = ("leaks: %s %s"):format(leak.kind:gsub("_", " "), leak.value) end
  if result.clock then lines[#lines + 1] = "clock: " .. clock_words(result.clock) end
  if result.certificate then add_list(lines, "certificate names", result.certificate.names) end
  add_list(lines, "not observed", result.unobserved)
  for _, advice in ipairs(result.advice) do lines[#lines + 1] = "advice: " .. advice end
  return lines
end

--- The same as one text that begins on a line of its own, as scripts print.
function M.text(result) return "\n  " .. table.concat(M.lines(result), "\n  ") end

-- What fits on Nmap's one line beside product and version; a front that is named there already gives its role alone.
local function extrainfo(result, product, own)
  local parts = {}
  for _, front in ipairs(result.front) do
    local name = front.name ~= product and join(list(front.name, front.version)) or nil
    parts[#parts + 1] = front.claims and "says it is " .. front.claims or front.role .. (name and ": " .. name or "")
  end
  if result.inner then parts[#parts + 1] = "behind it: " .. (server_words(result.inner) or result.inner.greeting) end
  if #parts > 0 and result.advice[1] then parts[#parts + 1] = result.advice[1] end
  local details = product == result.identity.product and join(list(result.identity.release, result.identity.info), ", ")
  if details and details ~= "" then table.insert(parts, 1, details) end
  if own and own ~= "" and #parts == 0 then return own end
  return #parts > 0 and table.concat(parts, "; ") or nil
end

-- What the port itself is: the front where one answers itself or nothing else is known, else the server.
local function port_owner(result)
  local who, front = result.identity, result.front[1]
  if front and (not who.product or roles.ANSWERS_ITSELF[front.role]) then
    return { product = front.name, version = front.version, hostname = front.hostname, cpe = {} }
  end
  return who
end

--- The fields of Nmap's version record that a result changes.
--
-- Nmap's answer is kept, field by field, where there is none of ours; where ours
-- names another product, Nmap's version, OS and the like go with its product.
--
-- @param result  port result
-- @param old     (optional) the port's version record so far
-- @return table: name, product, version, extrainfo, hostname, ostype, devicetype, cpe
function M.version(result, old)
  old = old or {}
  local who = port_owner(result)
  local keep = not who.product and old or {}
  local fields = { name = old.name, service_tunnel = old.service_tunnel }
  if not fields.name or fields.name == "unknown" or fields.name == "tcpwrapped" then fields.name = "smtp" end
  fields.name = who.service or fields.name
  fields.product = who.product or old.product
  fields.version = version_words(who) or keep.version
  fields.hostname = who.hostname or old.hostname
  fields.ostype = who.os or keep.ostype
  fields.devicetype = who.device or keep.devicetype
  fields.cpe = #who.cpe > 0 and who.cpe or keep.cpe
  fields.extrainfo = extrainfo(result, who.product, keep.extrainfo)
  return fields
end

return M
