--- What one session shows, in short: the keys that hosts are grouped by, and what the judge asks beside them.
--
-- A digest: <code>port</code>, <code>answered</code>, <code>hostname</code>, <code>ehlo_name</code> (announced, public names alone),
-- <code>greeting</code>, <code>template</code> (masked), <code>notice</code> (a refusal's text), <code>ehlo</code> (keywords), <code>dialect</code>
-- (how the hello and HELP, which every session asks, are answered: deepid.behaviour),
-- <code>certificate</code>, <code>certificate_names</code>, <code>mixed</code>, <code>echoed</code>, <code>product</code>,
-- <code>fronts</code>, <code>path</code>. What was not seen is nil or false.

local behaviour = require "deepid.behaviour"
local escape = require "deepid.escape"
local mask = require "deepid.mask"
local network = require "deepid.network"
local reply = require "deepid.reply"

local M = {}

local KEY_BYTES = 240 -- of a key; a longer reply is told by its beginning
local MASKED_BYTES = 2048 -- of a reply: peers may send 64 KiB, and while it is masked Nmap stands still
local NAME_BYTES = 255 -- RFC 1035 2.3.4
local MOST_NAMES = 16 -- of the client's own, in one transcript

-- Greetings and EHLO replies that turn the client away; 502 and the like only say that a verb is unknown.
M.REFUSALS = "421 450 451 452 521 550 553 554 571"
local REFUSALS = {}
for code in M.REFUSALS:gmatch("%d+") do REFUSALS[code] = true end

local function public_name(domain)
  if domain and #domain <= NAME_BYTES and not network.is_generic(domain) then return (domain:lower():gsub("%.$", "")) end
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

local function masked(text, strength, names) return mask.mask(text:sub(1, MASKED_BYTES), strength, names):sub(1, KEY_BYTES) end

-- A refusal's text, or nil where the reply is none. Host names in it stay: two owners' texts that differ in their names are two.
local function refusal(text, names)
  if not REFUSALS[text:match("^%d%d%d") or ""] then return nil end
  return masked(text:sub(1, MASKED_BYTES):gsub("%d+%.%d+%.%d+%.%d+", "<address>"), "volatile", names):match("^(.-)%s*$")
end

-- Whether lines end in CRLF in some replies and in a bare LF in others, of one connection and kind of TLS: two programs wrote them.
local function mixes_line_ends(transcript)
  local seen = {}
  for _, step in ipairs(transcript.steps) do
    if step.reply:find("\n") then
      local part = ("%s %s"):format(step.connection or 1, step.tls or "none")
      local bare = reply.has_bare_lf(step.reply)
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
    if #found <= NAME_BYTES and found ~= address and not ehlo.sent:find(found, 1, true) then return found end
  end
end

local function dialect_of(transcript)
  if #transcript.steps < 2 then return nil end
  local function token(name) return behaviour.token(transcript, name) end
  local help = token "help"
  local hello = help and (token "ehlo" or token "lhlo" or token "helo")
  return hello and ("%s / %s"):format(hello, help):sub(1, KEY_BYTES) or nil
end

--- What one transcript contributes.
--
-- @param named  (optional) what <code>deepid.naming</code> says of it
function M.of(transcript, named)
  local greeting, ehlo, names = first(transcript, "greeting"), first(transcript, "ehlo"), own_names(transcript)
  local certificate = transcript.certificate
  return {
    port = transcript.port or 25, path = type(transcript.path) == "table" and transcript.path or nil, answered = greeting ~= nil,
    hostname = public_name(greeting and reply.domain(greeting.reply)), ehlo_name = public_name(ehlo and reply.domain(ehlo.reply)),
    greeting = greeting and masked(greeting.reply, "volatile", names), template = greeting and masked(greeting.reply, "template", names),
    notice = greeting and refusal(greeting.reply, names) or ehlo and refusal(ehlo.reply, names) or nil,
    dialect = dialect_of(transcript), ehlo = ehlo and table.concat(reply.extensions(ehlo.reply), "\n"):sub(1, KEY_BYTES),
    certificate = certificate and certificate.spki_sha256, certificate_names = certificate and certificate.names,
    mixed = mixes_line_ends(transcript), echoed = echoed_address(ehlo, transcript.address),
    product = named and named.product, fronts = named and named.fronts,
  }
end

-- What is not asked of every greeting is worked out when it is.
local LATER = {
  hostname = function(digest) return public_name(reply.domain(digest.reply)) end,
  notice = function(digest) return refusal(digest.reply, { digest.address }) end,
  greeting = function(digest) return masked(digest.reply, "volatile", { digest.address }) end,
  template = function(digest) return masked(digest.reply, "template", { digest.address }) end,
  named = function(digest) return digest.naming:greeting(digest.reply) end,
}

local ALWAYS = { port = 25, answered = true, mixed = false }
local NAMED = { product = true, fronts = true }

local Greeting = {}

function Greeting.__index(digest, name)
  if NAMED[name] then return digest.named[name] end
  local work_out = LATER[name]
  if not work_out then return ALWAYS[name] end
  local value = work_out(digest) or false
  rawset(digest, name, value)
  return value
end

--- Bytes of a line of a greeting list that count; escaped or not they hold all that is masked and matched.
M.TEXT_BYTES = 16384

local LONGEST_ESCAPE = 3 -- bytes that may be left of one that was cut

-- The bytes that a line of a greeting list stands for.
local function unescape(text)
  if not text:find("\\", 1, true) then return text end
  for cut = 0, #text == M.TEXT_BYTES and LONGEST_ESCAPE or 0 do
    local bytes = escape.bytes(text:sub(1, #text - cut))
    if bytes then return bytes end
  end
  return text
end

--- The digest of a greeting that is all that is known of a server: the same as of a transcript that holds it alone.
--
-- @param text    as in a greeting list: without a line end, and with escapes
-- @param naming  deepid.naming
function M.of_greeting(text, address, naming)
  local bytes = unescape(text)
  if bytes:sub(-1) ~= "\n" then bytes = bytes .. "\r\n" end
  return setmetatable({ address = address, reply = bytes, naming = naming, hostname = nil, notice = nil, named = nil, greeting = nil, template = nil }, Greeting)
end

return M
