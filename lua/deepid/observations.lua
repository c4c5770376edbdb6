--- What a transcript shows without any rule: extensions, certificate, leaks, times.

local clock = require "deepid.clock"
local escape = require "deepid.escape"
local json = require "deepid.json"
local lazy = require "deepid.lazy"
local memo = require "deepid.memo"
local reply = require "deepid.reply"
local ntlm = lazy "deepid.ntlm"

local M = {}

local REPLY_SHOWN = 300 -- bytes of a reply quoted as evidence

--- A text from the network, made printable and cut; nil stays nil.
function M.show(text) return text and escape.visible(text, REPLY_SHOWN) end

--- Appends to an array of texts what it does not hold yet.
function M.add_once(list, text)
  for _, old in ipairs(list) do
    if old == text then return end
  end
  list[#list + 1] = text
end

local add_once, show = M.add_once, M.show

--- The domain in the first 2xx greeting or EHLO reply, or nil.
function M.announced_domain(transcript)
  for _, name in ipairs({ "greeting", "ehlo", "lhlo", "helo" }) do
    for _, step in ipairs(transcript.steps) do
      local domain = step.step == name and reply.domain(step.reply)
      if domain then return show(domain) end
    end
  end
end

local shown = memo(function(extensions)
  local list = {}
  for i, extension in ipairs(extensions) do list[i] = show(extension) end
  return list
end)

local function add_extensions(result, transcript)
  for _, step in ipairs(transcript.steps) do
    if step.step == "ehlo" or step.step == "lhlo" then
      for _, extension in ipairs(shown(reply.extensions(step.reply))) do add_once(result.extensions, extension) end
    end
  end
end

-- Steps that were tried and gave no whole reply, and connections that were turned away
-- before one was let in.
local function add_unobserved(result, transcript)
  local refused
  for _, step in ipairs(transcript.steps) do
    if step["end"] ~= "reply" and step.step ~= "quit" then
      add_once(result.unobserved, ("%s (%s)"):format(step.step, step["end"] or "unknown"))
    elseif step.step == "greeting" then
      if refused and step.reply:find("^2%d%d") then
        add_once(result.unobserved, ("what connection %d would have shown (it was answered %s; a later one was let in)"):format(
          refused.connection or 1, show(refused.reply)))
      end
      refused = step.reply:find("^[45]%d%d") and step or nil
    end
  end
end

-- What means nothing outside of the target's own network: names (RFC 6762, RFC 8375,
-- and .lan and .internal by custom), and addresses (RFC 1918), which must stand in
-- brackets, since 10.1.2.3 alone may be a version.
local INTERNAL_NAMES = { ".local", ".lan", ".internal", ".home.arpa" } -- their ends
local INTERNAL_ADDRESSES = { "^10%.%d+%.%d+%.%d+$", "^192%.168%.%d+%.%d+$", "^172%.1[6-9]%.%d+%.%d+$", "^172%.2%d%.%d+%.%d+$",
  "^172%.3[01]%.%d+%.%d+$" }

local function matches_any(text, patterns)
  for _, pattern in ipairs(patterns) do
    if text:find(pattern) then return true end
  end
  return false
end

local function is_internal_name(word)
  for _, ending in ipairs(INTERNAL_NAMES) do
    if word:sub(-#ending):lower() == ending then return true end
  end
  return false
end

local function is_internal_address(word) return matches_any(word, INTERNAL_ADDRESSES) end

-- Whether it is worth looking at the words of a reply: most have nothing of the kind.
local function may_have_name(text)
  local lower = text:lower()
  for _, ending in ipairs(INTERNAL_NAMES) do
    if lower:find(ending, 1, true) then return true end
  end
  return false
end

local function may_have_address(text) return text:find("[1", 1, true) ~= nil end

-- Names that an NTLM challenge gives away, each once.
local function add_ntlm_leaks(result)
  for _, name in ipairs({ "computer", "domain", "dns_computer", "dns_domain", "dns_forest" }) do
    local value = result.ntlm and result.ntlm[name]
    if value then result.leaks[#result.leaks + 1] = { kind = "ntlm_" .. name, value = value } end
  end
end

-- A name in EHLO that is not the greeting's, and not what we said: the machine behind a common name.
local function add_other_name(result, transcript)
  local greeted = result.identity.hostname
  for _, step in ipairs(transcript.steps) do
    local domain = step.step == "ehlo" and reply.domain(step.reply)
    if domain and greeted and domain:lower() ~= greeted:lower() and not step.sent:find(domain, 1, true) then
      result.leaks[#result.leaks + 1] = { kind = "other_name", value = show(domain) }
      return
    end
  end
end

--- Adds the internal names and addresses that replies and certificate hold and we did not send, and other names of the
-- machine. On an internal target an internal address is no leak, and likely our own.
function M.add_leaks(result, transcript)
  local known = { [transcript.address or ""] = true }
  local outside = transcript.address and not is_internal_address(transcript.address)
    and not transcript.address:find("^127%.")
  add_ntlm_leaks(result)
  add_other_name(result, transcript)
  local function look_at(kind, word, is_internal, sent)
    if known[word] or not is_internal(word) or sent:find(word, 1, true) then return end
    known[word] = true
    result.leaks[#result.leaks + 1] = { kind = kind, value = show(word) }
  end
  for _, step in ipairs(transcript.steps) do
    for _, line in ipairs(may_have_name(step.reply) and reply.parse(step.reply).lines or {}) do
      for word in line.text:gmatch("%w[%w.-]+%w") do look_at("internal_name", word, is_internal_name, step.sent) end
    end
    for word in (outside and may_have_address(step.reply) and step.reply or ""):gmatch("%[([%d.]+)%]") do
      look_at("internal_address", word, is_internal_address, step.sent)
    end
  end
  for _, name in ipairs(transcript.certificate and transcript.certificate.names or {}) do
    look_at("internal_name", name, is_internal_name, "")
  end
end

-- An NTLM challenge follows 334.
local function challenge_in(step) return step.reply:find("^334") and ntlm.from_reply(step.reply) end

-- The clock, from the first greeting that tells it, and else from an NTLM challenge.
local function add_clock(result, transcript)
  local challenged
  for _, step in ipairs(transcript.steps) do
    local came = step.at and step.at + (step.first_ms or step.ms or 0) / 1000
    local found = step.step == "greeting" and step.reply:find("^220") and clock.judge(step.reply, came)
    if found then
      result.clock = { step = "greeting", zone = found.zone, skew_s = found.skew_s }
      return
    end
    local challenge = challenge_in(step)
    if challenge and challenge.time and came then
      challenged = challenged or { step = step.step, skew_s = math.floor(challenge.time - came + 0.5) }
    end
  end
  result.clock = challenged
end

local function add_ntlm(result, transcript)
  for _, step in ipairs(transcript.steps) do
    local challenge = challenge_in(step)
    if challenge then
      result.ntlm = {}
      for name, value in pairs(challenge) do result.ntlm[name] = name ~= "time" and show(value) or nil end
      return
    end
  end
end

local function last_tls(steps)
  local tls = "none"
  for _, step in ipairs(steps) do
    if step.tls and step.tls ~= "none" and step["end"] ~= "error" then tls = step.tls end
  end
  return tls
end

local function add_session_facts(result, transcript)
  local steps = transcript.steps
  local first, last = steps[1], steps[#steps]
  result.tls = last_tls(steps)
  result.connections = last and last.connection
  if first and first.at and last.at then
    result.transcript_ms = math.floor((last.at - first.at) * 1000 + (last.ms or 0) + 0.5)
  end
  local certificate = transcript.certificate
  if certificate then
    local names = json.array()
    for _, name in ipairs(certificate.names or {}) do names[#names + 1] = show(name) end
    result.certificate = { subject = show(certificate.subject), names = names, spki_sha256 = show(certificate.spki_sha256) }
  end
end

--- A port result in which everything is still empty.
function M.blank_result(transcript)
  local result = { address = show(transcript.address), port = transcript.port, identity = { cpe = json.array() } }
  for _, name in ipairs({ "front", "extensions", "easter_eggs", "evidence", "unobserved", "leaks", "advice" }) do
    result[name] = json.array()
  end
  return result
end

--- A port result with all that needs no rule; identity, front, inner, easter_eggs,
-- evidence and advice are still empty.
function M.new_result(transcript)
  local result = M.blank_result(transcript)
  add_extensions(result, transcript)
  add_unobserved(result, transcript)
  add_session_facts(result, transcript)
  add_clock(result, transcript)
  add_ntlm(result, transcript)
  return result
end

return M
