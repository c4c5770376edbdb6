-- What behaviour adds to what a server says, or says against it: whole sessions through the engine, answers of real recordings.

local t = require "tap"
local deepid = require "deepid"
local plan = require "deepid.plan"
local replay = require "accuracy.lib.replay"
local transcript = require "deepid.transcript"

local engine = assert(deepid.open())
local HIDDEN = "220 mx.example.org ESMTP\r\n"
local SENDMAIL = "220 mx.example.org ESMTP Sendmail 8.15.2/8.15.2; Tue, 24 Nov 2026 10:00:00 GMT\r\n"
local POSTFIX = "220 mx.example.org ESMTP Postfix (Debian/GNU)\r\n"

local function recording(name)
  local path = "test/transcripts/" .. name .. ".md"
  local file = assert(io.open(path, "rb"))
  local recorded = assert(transcript.from_markdown(file:read("a"), path))
  file:close()
  return recorded
end

local function session(name, greeting, depth, change)
  local recorded = recording(name)
  for _, step in ipairs(change and recorded.steps or {}) do step.reply = change(step) end
  local options = engine:adviser()
  options.depth = depth or "adaptive"
  local said = replay.run(recorded, options, greeting)
  return engine:identify(said), said
end

local function says(result, pattern)
  for _, evidence in ipairs(result.evidence) do
    if evidence.says:find(pattern) then return evidence end
  end
end

t.test("a hidden greeting: named by behaviour, each conclusion with its step", function()
  local result = session("postfix-3.10.13-hidden", HIDDEN)
  t.eq(result.identity.product, "Postfix smtpd")
  t.ok(result.identity.basis ~= "says")
  t.ok(result.identity.confidence >= 0.98)
  local evidence = says(result, "^Postfix smtpd: answers so$")
  t.ok(evidence and evidence.step and evidence.reply ~= "")
end)

t.test("an honest greeting: what it says and does", function()
  local result = session("exim-4.96", nil)
  t.eq({ result.identity.product, result.identity.version, result.identity.basis, #result.front }, { "Exim smtpd", "4.96", "both", 0 })
end)

t.test("a version window comes with the answers that set its ends", function()
  local result = session("exim-4.96-hidden", HIDDEN, "full")
  t.eq(result.identity.product, "Exim smtpd")
  t.eq({ result.identity.version_min, result.identity.version_max }, { "4.95", "4.100" })
  t.ok(says(result, "^Exim smtpd 4.95 or later: 4.94.2 and earlier answer otherwise$"), deepid.json.encode(result.evidence))
  t.ok(says(result, "^Exim smtpd 4.100 or earlier: 4.100.1 and later answer otherwise$"), deepid.json.encode(result.evidence))
end)

t.test("a changed greeting on a mail server: both sides quoted", function()
  local result = session("postfix-3.10.13", SENDMAIL)
  t.eq({ result.identity.product, result.identity.basis, result.identity.version }, { "Postfix smtpd", "behaves", nil })
  local front = result.front[1]
  t.eq({ front.role, front.name, front.claims }, { "rewriter", "changed greeting", "Sendmail" })
  t.has(front.evidence[1], "^greeting: 220 mx.example.org ESMTP Sendmail")
  t.ok(#front.evidence > 1)
end)

-- A session with an invented server, which says these words to all that it does not take.
local function invented(greeting, ...)
  local said = { address = "192.0.2.1", port = 25, steps = {} }
  for i, step in ipairs { { "greeting", "", greeting }, { "ehlo", "EHLO scanner.example\r\n", "250 mx.example.org greets the stars\r\n" }, ... } do
    said.steps[i] = { step = step[1], connection = 1, tls = "none", sent = step[2], reply = step[3], ["end"] = "reply", ms = 1 }
  end
  return engine:identify(said)
end

local STRANGE_HELP, STRANGE_NOOP = { "help", "HELP\r\n", "214 ask the moon\r\n" }, { "noop", "NOOP\r\n", "250 idle am I\r\n" }
local STRANGE_VERB, REFUSAL = { "unknown", "XYZZY\r\n", "500 such a verb there is not\r\n" }, { "help", "HELP\r\n", "554 not for you\r\n" }

t.test("a greeting of what is known to answer otherwise, before a server that nobody knows", function()
  local result = invented(POSTFIX, STRANGE_HELP, STRANGE_VERB, STRANGE_NOOP)
  t.eq({ result.identity.product, result.identity.basis, result.identity.os, result.identity.cpe }, { [4] = {} })
  local front = result.front[1]
  t.eq({ front.role, front.name, front.claims, #result.front }, { "rewriter", "changed greeting", "Postfix smtpd", 1 })
  t.has(front.evidence[1], "^greeting: 220 mx.example.org ESMTP Postfix")
  t.has(table.concat(front.evidence, "\n"), "help: 214 ask the moon", 1, true)
  t.ok(says(result, "^Postfix smtpd was never heard to answer so$"), deepid.json.encode(result.evidence))
  t.has(deepid.report.text(result), "says Postfix smtpd, and answers as that never did")
end)

t.test("a few strange answers deny nothing, nor words that an administrator may have set, nor what little is known of", function()
  t.eq(invented(POSTFIX, STRANGE_HELP).identity.product, "Postfix smtpd")
  t.eq(invented(POSTFIX, REFUSAL, { "noop", "NOOP\r\n", REFUSAL[3] }, { "unknown", "XYZZY\r\n", REFUSAL[3] }).identity.product, "Postfix smtpd")
  local exchange = invented("220 mx.example.org Microsoft ESMTP MAIL Service ready at Tue, 24 Nov 2026 10:00:00 +0000\r\n", STRANGE_HELP, STRANGE_VERB, STRANGE_NOOP)
  t.eq({ exchange.identity.product, exchange.front }, { "Microsoft Exchange smtpd", {} })
end)

t.test("where a greeting is denied, its other replies may still name the server", function()
  local result = session("qpsmtpd-1.00", POSTFIX)
  t.eq({ result.identity.product, result.identity.version, result.front[1].claims }, { "qpsmtpd", "1.00", "Postfix smtpd" })
end)

t.test("who is named by behaviour against its word has the CPE of the program, and of no system that some rule of it tells", function()
  t.eq(session("exim-4.96", SENDMAIL).identity.cpe, { "cpe:/a:exim:exim" })
  t.eq(session("sendmail-8.18.1", POSTFIX).identity.cpe, { "cpe:/a:sendmail:sendmail" })
end)

t.test("a library that claims to be a mail server is a decoy or a test server, and Nmap's line does not repeat the claim", function()
  local result = session("aiosmtpd-1.4.3", POSTFIX)
  t.eq({ result.identity.product, result.front[1].role, result.front[1].name, result.front[1].claims }, { "aiosmtpd", "decoy", "aiosmtpd", "Postfix smtpd" })
  t.has(result.front[1].reason, "a library that programs build a server from")
  t.eq(deepid.report.version(result).product, "aiosmtpd")
  t.has(deepid.report.text(result), "decoy: it says Postfix smtpd, and answers as aiosmtpd")
end)

t.test("a decoy in a library's words is named, where it answers as that decoy does", function()
  local result = session("qeeqbox_honeypots-0.64")
  t.eq({ result.identity.product, result.identity.version_min, result.front[1].role, result.front[1].name, result.front[1].claims },
    { "qeeqbox honeypots", nil, "decoy", "qeeqbox honeypots" })
  t.eq(session("python_smtpd-3.9.2").identity.product, "Python smtpd module")
end)

t.test("a lone odd greeting is not enough", function()
  local result = engine:identify(transcript.from_greeting("220 mx.example.org Python SMTP Sendmail 8.15.2/8.15.2; Tue, 24 Nov 2026 10:00:00 GMT"))
  t.eq(#result.front, 0)
end)

t.test("what is honestly built on another's code is no forgery", function()
  for _, name in ipairs { "maildev-2.2.1", "zonemta-3.10.3", "mailman-3.3.8", "notqmail-1.08", "smtp_tester-2.1.0", "python_smtpd-0.3" } do
    for _, front in ipairs(session(name).front) do t.eq(front.claims, nil, name) end
  end
end)

-- A session with a server that the table does not know, and no rule speaks.
local function stranger(name, product, ...)
  local known, others = engine.knowledge, { products = {} }
  for _, one in ipairs(known.dialects.products) do
    if one.name ~= product then table.insert(others.products, one) end
  end
  setmetatable(others, { __index = setmetatable(known.dialects, getmetatable(known.dialects)) })
  engine.knowledge = setmetatable({ dialects = others, steps = {}, rules = {} }, { __index = known })
  local result = session(name, HIDDEN, ...)
  engine.knowledge = known
  return result.identity, result.front
end

t.test("a server that nobody recorded is unknown, with its nearest kin where there is one", function()
  local lonely, sink = stranger("twisted-26.4.0", "Twisted Mail"), stranger("smtp_sink-3.11.7", "Postfix smtp-sink", "full")
  t.eq({ lonely.product, lonely.kin }, {})
  t.eq({ sink.product, sink.kin and sink.kin.product }, { [2] = "INetSim" })
  t.ok(sink.kin.alike > 2 and sink.kin.alike >= sink.kin.asked / 4 and sink.kin.alike < sink.kin.asked)
  t.eq(stranger("smtp_sink-3.11.7", "nobody").product, "Postfix smtp-sink")
end)

t.test("a blocker with words that nobody recorded is known by refusing everything alike", function()
  local function reword(step) return (step.reply:gsub("Too much spam from your network", "We know your kind")) end
  local _, front = stranger("rblsmtpd-0.88-553", "nobody", "full", reword)
  t.eq({ front[1] and front[1].role, front[1] and front[1].name }, { "blocker", "rblsmtpd" })
end)

t.test("a filter that passes most commands on, and the server behind: both named", function()
  local result = session("sendmail-8.18.1-clamsmtp", nil, "full")
  t.eq(result.identity.product, "Sendmail")
  local names = {}
  for _, front in ipairs(result.front) do names[#names + 1] = front.name end
  t.has(table.concat(names, ","):lower(), "clamsmtp")
end)

t.test("a proxy that answers until TLS, and the server inside: both named, whether the proxy says who it is or not", function()
  for i, case in ipairs { { nil, "adaptive" }, { nil, "full" }, { HIDDEN, "full" }, { HIDDEN, "adaptive" } } do
    local result = session("postfix-3.10.13-stunnel", case[1], case[2])
    t.eq(result.identity.product, "Postfix smtpd")
    t.ok(says(result, "^Postfix smtpd: answers so$"))
    -- Two answers of its own give stunnel away, and adaptive depth hears one.
    if i < 4 then t.eq({ #result.front, result.front[1].name, result.front[1].claims }, { 1, "stunnel" }) end
  end
end)

-- What a middlebox does to a session: RFC 3207 6 names the first; Cisco's ESMTP inspection does the second.
local function strip(step) return (step.reply:gsub("250%-STARTTLS\r\n", "")) end
local function mask(step) return step.step == "ehlo" and step.reply:gsub("(250[- ])(%u[%w-]+)([^\r\n]*)", function(code, word, rest)
  return code .. ((word == "STARTTLS" or word == "CHUNKING" or word == "DSN") and ("X"):rep(#word + #rest) or word .. rest)
end) or step.reply end

t.test("stripped and masked keywords do not hide the server", function()
  for _, name in ipairs { "postfix-3.7.11", "exim-4.96", "sendmail-8.18.1", "opensmtpd-7.6.0p1", "haraka-3.1.1" } do
    local product = engine:identify(recording(name)).identity.product
    t.eq(session(name, HIDDEN, "adaptive", strip).identity.product, product, name .. ", stripped")
    t.eq(session(name, HIDDEN, "adaptive", mask).identity.product, product, name .. ", masked")
  end
end)

t.test("a hint by a common text gives way", function()
  local result = session("haraka-3.1.1-plain", "220 mx.example.org ESMTP ready\r\n")
  t.eq(result.identity.product, "Haraka smtpd")
  for _, front in ipairs(result.front) do t.ok(front.name ~= "nginx mail proxy") end
end)

-- {greeting so far, whether a tarpit has named itself in it}; the last word may go on, as in spamdyke
local DRIBS = {
  { "220 mx.example.org ESMTP spam", false }, { "220 mx.example.org ESMTP spamd", false }, { "220 mx.example.org ESMTP spamd ", true },
  { "220 mx.example.org ESMTP spamd IP-bas", true }, { "220 mx.example.org ESMTP spamdy", false }, { "220 mx.example.org ESMTP Exim 4.96 ", false },
  { "", false },
}

t.test("a tarpit that has named itself is heard no further", function()
  local is_tarpit = engine:adviser().is_tarpit
  for _, case in ipairs(DRIBS) do t.eq(is_tarpit(case[1]), case[2], case[1]) end
end)

-- A copy that nobody has looked at yet.
local function fresh(said, count)
  return { address = said.address, port = said.port, steps = table.move(said.steps, 1, count, 1, {}) }
end

local function adviser(depth)
  local options = engine:adviser()
  options.depth = depth
  return options
end

t.test("what is carried from step to step is what a look at all steps gives", function()
  for _, name in ipairs { "exim-4.96", "postfix-3.10.13-tlsonly", "sendmail-8.18.1" } do
    for _, depth in ipairs { "adaptive", "full" } do
      local _, said = session(name, nil, depth)
      local growing, kept = fresh(said, 0), adviser(depth)
      for i = 1, #said.steps do
        growing.steps[i] = said.steps[i]
        t.eq(plan.next(growing, kept), plan.next(fresh(said, i), adviser(depth)), ("%s, %s, step %d"):format(name, depth, i))
      end
      growing.steps = { said.steps[1] }
      t.eq(plan.next(growing, adviser(depth)), plan.next(fresh(said, 1), adviser(depth)), name .. ", begun again")
    end
  end
end)

t.done()
