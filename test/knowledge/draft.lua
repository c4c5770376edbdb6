--- Drafts of rules: from a few samples of any text that we know, a draft matches all others of its kind, and the linter takes it.
--
-- The samples are the examples of all rules, with host names, versions, dates, numbers and ids of the test's own put in.

local t = require "tap"
local deepid = require "deepid"
local draft = require "deepid.draft"
local draft_check = require "deepid.draft_check"
local draft_words = require "deepid.draft_words"
local generate = require "deepid.generate"
local lint = require "deepid.lint"
local rules = require "deepid.rules"
local tokens = require "deepid.tokens"

local core = assert(require("deepid.core").load())
local engine = assert(deepid.open { texts = true })
local random = generate.random(20261125)

local COUNTS = { 1, 2, 3, 6 }
local FRESH = 10 -- samples that the draft has not seen

local function pick(list) return list[random(#list)] end

local LABELS = { "mx", "mail", "smtp-in", "relay7", "gw_1", "a" }
local ENDINGS = { "example.org", "dept.example.net", "xn--bcher-kva.example", "example.co.uk" }
local VERSIONS = { "1.0", "2.11.3", "10.0.14393.0", "4.97.1-rc2", "0.9b" }
local NAMES = { Mon = "Tue", Tue = "Fri", Fri = "Mon", Nov = "Jan", Jan = "May", May = "Nov" }

-- Another text of the same kind as a token, one by kind.
local VARIED = {
  host = function() return pick(LABELS) .. "." .. pick(ENDINGS) end,
  version = function() return pick(VERSIONS) end,
  number = function(text) return (text:gsub("%d", function() return tostring(random(9)) end)) end,
  id = function(text) return (text:gsub("%d", function() return tostring(random(9)) end)) end,
  address = function(text) return text:find(":", 1, true) and text:gsub("%d", function() return tostring(random(9)) end) or ("198.51.100.%d"):format(random(250)) end,
  date = function(text) return (text:gsub("%d%d(:%d%d:)%d%d", function(middle) return ("%02d%s%02d"):format(random(23), middle, random(59)) end)
    :gsub("%a%a%a", function(name) return random(2) == 1 and NAMES[name] or nil end)) end,
}

-- A name that stands twice is one server's.
local function varied(parts)
  local out, known = {}, {}
  for i, token in ipairs(parts) do
    if VARIED[token.kind] then known[token.text] = known[token.text] or VARIED[token.kind](token.text) end
    out[i] = known[token.text] or token.text
  end
  return table.concat(out)
end

local function samples_of(example, count)
  local parts, list = tokens.split(example), {}
  for i = 1, count do list[i] = { reply = varied(parts), sent = "" } end
  return list
end

local function lint_text(lines)
  local list, problems = rules.parse(table.concat(lines, "\n"), "draft")
  for i, rule in ipairs(list) do rule.order = i end
  return table.concat(table.move(lint.check_list(list, core.fpset), 1, 99, #problems + 1, problems), "\n"), #list
end

local function check(rule, example, count)
  local samples = samples_of(example, count)
  local options = { step = rule.step, role = rule.role == "note" and "mta" or rule.role, product = "Sample" }
  local made = assert(draft.draft(samples, options))
  local checked = assert(draft_check.check(core.fpset, engine.knowledge, made, samples))
  local problems, number = lint_text(draft_words.block(made, checked, "the test", core.fpset))
  t.eq({ problems, number }, { "", 1 }, made.pattern)
  local set = core.fpset({ { pattern = made.pattern } })
  for _, fresh in ipairs(samples_of(example, FRESH)) do
    t.eq(#set:match(fresh.reply), 1, ("%q does not match %s"):format(fresh.reply, made.pattern))
  end
end

-- Each rule once, by one Lua or the other: to compare every draft with every example takes long.
local TURNS, LUA = 2 * #COUNTS, _VERSION == "Lua 5.3" and 0 or 1
local function check_some(count, turn)
  local checked = 0
  for i, rule in ipairs(engine.knowledge.rules) do
    if not rule.conditions and i % TURNS == 2 * (turn - 1) + LUA then
      check(rule, rule.examples[1].steps[rule.step], count)
      checked = checked + 1
    end
  end
  t.ok(checked > 15, "few rules")
end

for turn, count in ipairs(COUNTS) do
  t.test(("from %d samples of rules' first examples"):format(count), function() check_some(count, turn) end)
end

local function draft_of(texts, options)
  local samples = {}
  for i, text in ipairs(texts) do samples[i] = { reply = text .. "\r\n", sent = options and options.sent or "" } end
  return draft.draft(samples, { step = options and options.step or "greeting", product = options and options.product })
end

-- Samples, then the pattern without its anchor and its line end, the fields, and the id.
for _, case in ipairs({
  { { "220 mx.a.org FooMail 1.2" }, [[220 ([-.\w]+) FooMail (\d[-+.\w]*)]], "p/FooMail/ v/$2/ h/$1/", "foomail-greeting" },
  { { "220 mx.a.org ESMTP Big Mail Server v10.2.1 (Debian/GNU) ready" }, [[220 ([-.\w]+) ESMTP Big Mail Server v(\d[-+.\w]*) \(Debian/GNU\) ready]],
    "p/Big/ v/$2/ h/$1/ o/Debian Linux/" },
  { { "220 mx.a.org ESMTP FooMail 7", "220 gate ESMTP FooMail 8" }, [[220 ([-.\w]+) ESMTP FooMail (\d[-+.\w]*)]], "p/FooMail/ v/$2/ h/$1/" },
  { { "220 mx.a.org FooMail http://www.foomail.com/ x" }, [[220 ([-.\w]+) FooMail http://www\.foomail\.com/ x]], "p/FooMail/ h/$1/" },
  { { "220 mx.a.org FooMail (id a1b2c3d4e5)", "220 mx.a.org FooMail (id ffee99100aa)" }, [[220 ([-.\w]+) FooMail \(id [-\w]+\)]] },
  { { "220 mx.a.org FooMail on gandalf", "220 mx.a.org FooMail on saruman" }, [[220 ([-.\w]+) FooMail on [-.\w]+]] },
  { { "220 mx.a.org FooMail ready", "220 mx.a.org FooMail is ready" }, [[220 ([-.\w]+) FooMail[^\r\n]{0,26}? ready]] },
  { { "220 mx.a.org Foo|Mail=! 192.0.2.77 x" }, [[220 ([-.\w]+) Foo\|Mail=! [\w.:]+ x]], nil, "foo-greeting" },
  { { "220 mx.a.org FooMail 1.2.3.4 for [192.0.2.77]" }, [[220 ([-.\w]+) FooMail (\d[-+.\w]*) for \[[\w.:]+]] .. "\\]" },
}) do
  t.test("draft of " .. case[1][1], function()
    local made = assert(draft_of(case[1]))
    t.eq(made.pattern:gsub("^%^", ""):gsub("\\r\\n$", ""), case[2])
    if case[3] then t.eq(made.fields, case[3]) end
    if case[4] then t.eq(made.id, case[4]) end
  end)
end

t.test("names of others stay out of the examples", function()
  local made = assert(draft_of({ "220 secret.corp.net FooMail talks to [10.9.8.7] at secret.corp.net" }))
  t.eq(made.examples, { "220 mx.example.org FooMail talks to [192.0.2.9] at mx.example.org\r\n" })
end)

-- Whatever a server sends: a draft that matches its samples and that the linter takes, or none. Where kinds that vary stand side by side, the linter
-- may say, as the command then does, that the pattern is slow.
t.test("drafts of rubbish", function()
  local alphabet = { "220 ", "2", "mx.example.org", "FooMail", " ", "\r\n", "\n", "\0", "\255", "|", "\\", "(", "[", "]", "1.2", "1.2.3.4", "::1", "Tue, 24 Nov 2026 10:00:00 +0000",
    "ESMTP", "-", ".", "$1", "^", "{2}", "x9y8z7w6", "#", "/", "=", "\t" }
  local drafted = 0
  for _ = 1, 400 do
    local samples = {}
    for i = 1, random(3) do
      local parts = {}
      for k = 1, random(12) do parts[k] = pick(alphabet) end
      samples[i] = { reply = table.concat(parts), sent = "" }
    end
    local made = draft.draft(samples, { step = "greeting", product = "Sample" })
    local checked = made and draft_check.check(core.fpset, engine.knowledge, made, samples)
    if checked then
      drafted = drafted + 1
      local problems = lint_text(draft_words.block(made, checked, "the test", core.fpset)):gsub("[^\n]*runs out of steps[^\n]*\n?", "")
      t.eq(problems, "", made.pattern)
    end
  end
  t.ok(drafted > 200, "few drafts")
end)

t.test("a product's name with any sign in it", function()
  t.eq(assert(draft_of({ "220 mx.a.org x" }, { product = "A/B$1|C" })).fields, "p=A/B1|C= h/$1/")
end)

t.test("a long reply is drafted by its beginning, and in time", function()
  local lines = {}
  for i = 1, 2000 do lines[i] = ("214-%d FooMail helps with the command number %d"):format(i, i) end
  local made = assert(draft_of({ table.concat(lines, "\r\n"), table.concat(lines, "\r\n", 3) }, { step = "help" }))
  local checked = assert(draft_check.check(core.fpset, engine.knowledge, made, { { reply = table.concat(lines, "\r\n") } }))
  t.eq({ lint_text(draft_words.block(made, checked, "the test", core.fpset)) }, { "", 1 })
  t.ok(assert(draft_of({ ("x"):rep(70000) .. " FooMail" }, { product = "X" })), "one long line")
end)

t.test("the client's name varies", function()
  local made = assert(draft_of({ "250 mx.a.org FooMail greets scanner.example.net" }, { step = "ehlo", sent = "EHLO scanner.example.net\r\n" }))
  t.has(made.pattern, "greets [-.\\w]+\\r\\n", true)
end)

t.test("words that anyone says make no rule, unless a product is given; then it is said", function()
  local made, message = draft_of({ "220 mx.a.org ESMTP Service ready" })
  t.eq(made, nil)
  t.has(message, "names a product", true)
  t.eq(draft_of({ "220 mx.a.org ESMTP Service ready" }, { product = "X" }).says_nothing, true)
end)

t.test("samples with nothing in common are refused, and a collision is found", function()
  local samples = { { reply = "220 mx.a.org ESMTP Exim 4.96 Tue, 24 Nov 2026 10:00:00 +0000\r\n", sent = "" } }
  local made = assert(draft.draft(samples, { step = "greeting" }))
  local checked = assert(draft_check.check(core.fpset, engine.knowledge, made, samples))
  t.eq({ checked.robbed[1].id, checked.answered[1].id }, { "exim-greeting", "exim-greeting" })
  t.ok(#checked.recordings > 0, "no recording matches")
end)

t.test("for Nmap: behind the greeting, or not at all", function()
  local help = assert(draft_of({ "214 FooMail helps" }, { step = "help" }))
  local probe, line = draft_words.for_nmap(help, "HELP\r\n")
  t.eq({ probe, line }, { "Probe TCP Help q|HELP\\r\\n|", [[match smtp m|^220[- ].*?\r?\n214 FooMail helps\r\n|s p/FooMail/]] })
  t.eq(draft_words.for_nmap(assert(draft_of({ "250 FooMail" }, { step = "ehlo" })), "EHLO a\r\n"), nil)
end)

t.done()
