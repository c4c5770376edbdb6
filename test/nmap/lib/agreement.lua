--- Our answers against Nmap's own rules: texts made from the patterns of an installed nmap-service-probes, asked of both.
--
-- Nothing of that file is kept: patterns are read, filled with words of our own (deepid.generate), and forgotten. See doc/agreement.md.

local generate = require "deepid.generate"
local reply = require "deepid.reply"
local regex = require "deepid.regex"
local second_opinion = require "deepid.second_opinion"
local signatures = require "deepid.signatures"
local wording = require "deepid.wording"

local M = {}

M.SERVICES = { smtp = true, smtps = true, lmtp = true, ["smtp-proxy"] = true }

local TEXTS = 2 -- made by chance from each line, besides the most natural one
local PROBES = { NULL = { step = "greeting" }, Hello = { step = "ehlo", sent = "EHLO\r\n" }, Help = { step = "help", sent = "HELP\r\n" } }

--- Every probe file there is to read: the system's, and those that test/nmap/nmaps brought.
function M.probe_files()
  local paths, pipe = {}, assert(io.popen("ls /usr/share/nmap/nmap-service-probes build/nmap/*/root/usr/share/nmap/nmap-service-probes 2>/dev/null"))
  for path in pipe:lines() do paths[#paths + 1] = path end
  pipe:close()
  return paths
end

-- What a product's name says beyond the kind of thing it is.
local KIND_WORDS = { smtpd = true, lmtpd = true, smtps = true, proxy = true, mail = true, server = true }

local function name_words(name)
  local words = {}
  for word in name:lower():gmatch("%w%w+") do
    if not KIND_WORDS[word] and (word:find("^%a%a$") or not wording.generic(word)) then words[word] = true end
  end
  return words
end

local function subset(a, b)
  for word in pairs(a) do
    if not b[word] then return false end
  end
  return next(a) ~= nil
end

local function share_word(a, b)
  for word in pairs(a) do
    if b[word] then return true end
  end
  return false
end

--- How two names of products stand to each other: "same", "part" (one says more than the other), or nil.
function M.compare_names(them, us)
  local a, b = name_words(them), name_words(us)
  if them == us or (subset(a, b) and subset(b, a)) then return "same" end
  return (subset(a, b) or subset(b, a)) and "part" or nil
end

local function new_step(name, sent, bytes) return { step = name, sent = sent, reply = bytes, ["end"] = "reply" } end

local function transcript_of(text, probe)
  if probe.step == "greeting" then return { steps = { new_step("greeting", "", text) } } end
  local greeting, rest = reply.split(text)
  local steps = { new_step("greeting", "", greeting) }
  if rest ~= "" then steps[2] = new_step(probe.step, probe.sent, rest) end
  return { steps = steps }
end

-- What anyone could have meant: fronts that are no product.
local PHRASES = { blocker = true, interceptor = true, screen = true }

-- What our rules name: `knows(name)` tells whether a product of theirs is among it.
local function our_products(engine)
  local names, known = {}, {}
  for _, rule in ipairs(engine.knowledge.rules) do
    for _, part in ipairs(rule.fields.p or {}) do names[#names + 1] = type(part) == "string" and part or nil end
  end
  return { knows = function(them)
    if known[them] == nil then
      known[them] = false
      for _, name in ipairs(names) do known[them] = known[them] or M.compare_names(them, name) ~= nil end
    end
    return known[them]
  end }
end

-- How both answers stand to each other; the class is one of M.CLASSES.
local function classify(match, hit, result, ours)
  if not hit or hit.line ~= match.line then return "another line of theirs" end
  local front = result.front[1]
  local them, us = hit.fields.product, result.identity.product or (front and front.name)
  if not them then return "no product of theirs" end
  local tree = regex.parse(match.pattern, match.flags)
  local fixed = wording.telling((regex.fixed_text(tree)))
  local named = share_word(name_words(them), fixed)
  if us then
    local same = M.compare_names(them, us)
    if same == "part" then return "one name says more", us end
    if same == "same" then
      local version = result.identity.version or (front and front.version)
      if version and hit.fields.version and version ~= hit.fields.version then return "version written otherwise", us end
      return "agreed", us
    end
    if not result.identity.product and PHRASES[front.role] then return named and "named in a refusal" or "anyone's refusal", us end
    return "two names", us
  end
  if named then return ours.knows(them) and "another form of a known product" or "a product without a rule" end
  return next(fixed) and "known by other words" or "anyone's words"
end

--- The classes, in the order of the report.
M.CLASSES = { "agreed", "one name says more", "version written otherwise", "two names", "named in a refusal", "anyone's refusal",
  "another form of a known product", "a product without a rule", "known by other words", "anyone's words", "another line of theirs", "no product of theirs" }

-- Texts of a line: the most natural one first.
local function texts_of(fpset, match)
  local texts = generate.replies(fpset, match, 1, generate.first)
  for _, text in ipairs(generate.replies(fpset, match, TEXTS, generate.random(1))) do
    if text ~= texts[1] then texts[#texts + 1] = text end
  end
  return texts
end

-- Nmap's lines mostly match the beginning of a reply: what a server writes behind it is tried, too.
local ENDINGS = { "", " Tue, 24 Nov 2026 10:00:00 +0000", " ready", " ESMTP" }

-- The ids of our rules that name a product in a transcript.
local function rules_naming(product, transcript, engine)
  local ids = {}
  for _, hit in ipairs((signatures.hits(engine.knowledge.steps, transcript))) do
    if hit.fields.product == product then ids[#ids + 1] = hit.rule.id end
  end
  return ids
end

-- Both answers to one text; of its endings the first at which we say something, and Nmap still says the same.
local function judge(match, text, probe, opinion, engine, ours)
  local plain
  for _, ending in ipairs(ENDINGS) do
    local whole = text:gsub("\r?\n$", ending .. "%0")
    local transcript = transcript_of(whole, probe)
    local hit, result = second_opinion.ask(opinion, transcript), engine:identify(transcript)
    local class, us = classify(match, hit, result, ours)
    local row = { class = class, them = hit and hit.fields.product, us = us, text = whole, theirs = hit and hit.fields.version, ours = result.identity.version }
    plain = plain or row
    if us and hit.line == match.line then
      row.rules = rules_naming(us, transcript, engine)
      return row
    end
  end
  return plain
end

--- The classes in which both name the same product.
M.AGREED = { agreed = true, ["one name says more"] = true, ["version written otherwise"] = true }

--- Compares the answers to texts made from every hard SMTP line of a probe file that names a product.
--
-- @param path    an nmap-service-probes
-- @param engine  from <code>deepid.open</code>, without a second opinion
-- @param fpset   the core's
-- @return array of {class, them, us, text, theirs (their version), ours, rules (our ids that name it)}; a row a text
-- @return number of SMTP lines that were left out: hints, lines without a product, and lines of other probes
function M.compare(path, engine, fpset)
  local opinion, ours, rows, left_out = { path = path }, our_products(engine), {}, 0
  for _, match in ipairs((assert(second_opinion.read(path, M.SERVICES)))) do
    local probe = PROBES[match.probe]
    local usable = probe and match.fields.p and not match.soft
    if not usable then left_out = left_out + 1 end
    for _, text in ipairs(usable and texts_of(fpset, match) or {}) do rows[#rows + 1] = judge(match, text, probe, opinion, engine, ours) end
  end
  return rows, left_out
end

return M
