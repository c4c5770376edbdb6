--- Masking: one table of cases on the C engine and on the oracle in plain Lua, then random texts on both.

local t = require "tap"
local core = assert(require "deepid.core".load())
local oracle = require "mask_oracle"
local cases = require "mask_cases"
local transcripts = require "deepid.transcript"

local STRENGTHS = { "volatile", "template" }

-- <date> and so on as the byte that stands for it.
local TOKENS = { date = "\1", id = "\2", n = "\3", client = "\4", host = "\5", addr = "\6" }

local function tokens(text)
  return (text:gsub("<(%l+)>", TOKENS))
end

for _, case in ipairs(cases) do
  t.test(case[1], function()
    local want = { volatile = tokens(case.volatile or case[2]), template = tokens(case.template or case.volatile or case[2]) }
    for _, strength in ipairs(STRENGTHS) do
      t.eq(core.mask(case[2], strength, case.names), want[strength], strength .. ", engine")
      t.eq(oracle.mask(case[2], strength, case.names), want[strength], strength .. ", oracle")
      t.eq(core.mask(want[strength], strength, case.names), want[strength], strength .. ", twice")
    end
  end)
end

t.test("names come as in transcripts: brackets and tags are taken off", function()
  t.eq(core.mask("hello 192.0.2.9 and 2001:DB8::9", "volatile", { "[192.0.2.9]", "[IPv6:2001:db8::9]" }), "hello \4 and \4")
  t.eq(core.mask("hello []", "volatile", { "", "[]" }), "hello []")
end)

t.test("the caller's mistakes raise", function()
  t.raises("string expected", core.mask)
  t.raises("string expected", core.mask, 220, "volatile")
  t.raises("invalid option", core.mask, "", "both")
  t.raises("table expected", core.mask, "", "volatile", "scanner")
  t.raises("a name is no string", core.mask, "", "volatile", { 1 })
  local many = {}
  for i = 1, 33 do many[i] = "n" .. i end
  t.raises("too many names", core.mask, "", "volatile", many)
end)

-- Recordings of real servers ask most things more than once, on connections some time apart: what was the same must be masked the same.

local function recordings()
  local texts = {}
  for path in io.popen "ls test/transcripts/*.md":lines() do
    local file = assert(io.open(path))
    texts[#texts + 1] = { path = path, transcript = transcripts.from_markdown(file:read "a", path) }
    file:close()
  end
  return texts
end

-- Servers that do not answer the same twice, even masked, and why.
local VARIES = {
  inetsim = "a decoy: lists its extensions in another order each time",
  postscreen = "greets those that it knows otherwise",
  chasquid = "has several jokes for RSET",
  cyrus = "a counter of one digit in the session id of LHLO",
  guerrilla = "a counter of one or two digits, of connections",
  barricademx = "says the client's port",
  siebenmann_smtpd = "says the client's port",
}

t.test("a server asked twice masks to the same bytes", function()
  local differ, pairs_seen = 0, 0
  for _, recording in ipairs(recordings()) do
    local before = {}
    local steps = VARIES[recording.path:match "([%l_]+)%-[^/]*$"] and {} or recording.transcript.steps
    local said -- on this connection so far: what came before may decide the answer
    for _, step in ipairs(steps) do
      said = step.step == "greeting" and "" or said .. step.sent
      local question = step.step .. step.tls .. said
      -- One in 360 of Haraka's ids, six hexadecimal digits, holds letters alone: a word, as far as the mask knows.
      local masked = core.mask(step.reply, "volatile", { "scanner.example" }):gsub("%([A-F][A-F][A-F][A-F][A-F][A-F]%)", "(\2)")
      if before[question] and step["end"] == "reply" then
        t.eq(masked, before[question].masked, recording.path .. ", " .. step.step)
        pairs_seen = pairs_seen + 1
        if before[question].reply ~= step.reply then differ = differ + 1 end
      elseif step["end"] == "reply" then
        before[question] = { masked = masked, reply = step.reply }
      end
    end
  end
  t.ok(pairs_seen > 50 and differ > 0, pairs_seen .. " pairs, " .. differ .. " of them differ unmasked")
end)

-- Random texts: pieces that mean something, put together and then spoiled. The seed is fixed, so a failure can be run again.

local PIECES = {}
for _, case in ipairs(cases) do
  for word in case[2]:gmatch "%S+" do PIECES[#PIECES + 1] = word end
end
for piece in ([[ 220 250- 4.96 10.0.1.2 2001:db8::1 ::1 [192.0.2.1] [IPv6:fe80::1] (A1B2C3) Tue, 24 Nov 2026 10:00:00 +0000 (UTC) GMT 1ab2Cd-0003ef-GH
  version Exim IP pid id= SIZE 123456789 2026-11-24T10:00:00Z mx.example.org localhost scanner.example 24-Nov-26 10:00 PM 1700000000.123
  smtpd[123] 163.com xn--p1ai.xn--p1ai deb12u2 ubuntu3 May 1999 : :: / - . _ + ( ) [ ] < > # = , ; T Z ]]):gmatch "%S+" do
  PIECES[#PIECES + 1] = piece
end
local JOINTS = { " ", " ", " ", " ", "", "-", ".", ":", "/", "\r\n", "\r\n220 ", "(", ")", "[", "]", "  ", ", ", "=", "_" }
local NAMES = { "scanner.example", "192.0.2.1", "::1", "fe80::1", "mx", "220", "10", "Exim" }

local random = math.random

local function random_text()
  local parts = {}
  for i = 1, random(1, 12) do parts[i] = PIECES[random(#PIECES)] .. JOINTS[random(#JOINTS)] end
  local text = table.concat(parts)
  for _ = 1, random(0, 3) do
    local at = random(0, #text)
    local act = random(4)
    if act == 1 then
      text = text:sub(1, at) .. string.char(random(0, 255)) .. text:sub(at + 1)
    elseif act == 2 then
      text = text:sub(1, at) .. text:sub(at + random(1, 3))
    elseif act == 3 then
      text = text:sub(1, at) .. text:sub(random(0, #text))
    else
      text = text:sub(1, at) .. ("0aZ:.- "):sub(random(7)):sub(1, 1) .. text:sub(at + 1)
    end
  end
  return text
end

t.test("random texts: both agree, masking twice is masking once, nothing grows", function()
  math.randomseed(20261124)
  local changed = 0
  for _ = 1, tonumber(os.getenv "MASK_ROUNDS") or 20000 do
    local text, names = random_text(), {}
    for i = 1, random(0, 3) do names[i] = NAMES[random(#NAMES)] end
    for _, strength in ipairs(STRENGTHS) do
      local once = core.mask(text, strength, names)
      local note = ("%q, %s, {%s}"):format(text, strength, table.concat(names, " "))
      t.eq(once, oracle.mask(text, strength, names), note)
      t.eq(core.mask(once, strength, names), once, "twice: " .. note)
      t.ok(#once <= #text, "growth: " .. note)
      if once ~= text then changed = changed + 1 end
    end
  end
  t.ok(changed > 1000, "texts that masking changed: " .. changed)
end)

t.done()
