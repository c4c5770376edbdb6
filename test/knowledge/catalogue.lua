--- The step catalogue and the recordings made with it: the facts at the top, what was sent, and what was never exceeded.

local t = require "tap"
local reply = require "deepid.reply"
local steps = require "deepid.steps"
local transcript = require "deepid.transcript"

local MOST_ERRORS = 2
local CONTEXTS = { connect = true, refusal = true, hello = true, mail = true, authntlm = true, tls = true }
local DEPTHS = { greeting = true, adaptive = true, full = true, record = true }

local function read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read("a")
  file:close()
  return text
end

local function words_of_settings()
  local words = {}
  for line in read("test/lab/settings.md"):gmatch("\n| ([^|]+) |") do
    for word in line:gmatch("[%l-]+") do words[word] = true end
  end
  return words
end

t.test("the catalogue is whole", function()
  local seen = {}
  for _, step in ipairs(steps.catalogue) do
    t.ok(step.name:find("^%l+$") and not seen[step.name], "the name " .. step.name)
    seen[step.name] = true
    t.ok(CONTEXTS[step.after] and DEPTHS[step.depth] and step.source, step.name)
    t.ok(math.type(step.errors) == "integer" and step.errors <= MOST_ERRORS, step.name .. " costs too much")
  end
end)

t.test("nobody is ever named after a sender, and no queue, message or log-in is started", function()
  for _, step in ipairs(steps.catalogue) do
    local say = (step.say or ""):upper()
    if say:find("^RCPT TO:<[^>]") then t.ok(step.after == "hello", step.name) end
    t.ok(not say:find("^ETRN .") and not say:find("^BDAT [1-9]") and not say:find("LAST"), step.name)
    t.ok(not say:find("^AUTH %S+ %S"), step.name)
  end
end)

local words = words_of_settings()

local function check_facts(facts)
  for _, key in ipairs { "product", "version", "package", "suite", "settings", "port" } do t.ok(facts[key], "no " .. key) end
  for word in facts.settings:gmatch("%S+") do
    t.ok(words[(word:gsub("^behind:.+", "behind"))], "settings.md does not know " .. word)
  end
end

-- The bytes of the catalogue; the search for the error limit sends as many unknown commands as it takes.
local function check_sent(step)
  if step.step == "errorlimit" then
    t.eq(step.sent, ("XDEEPID\r\n"):rep(step.errors))
  else
    t.ok(steps.by_name[step.step], "the catalogue has no " .. step.step)
    t.eq(step.sent, steps.bytes(step.step, "scanner.example"), step.step)
  end
end

local function check_steps(recorded)
  local connection, errors, before = 0, 0, nil
  for _, step in ipairs(recorded.steps) do
    check_sent(step)
    if step.connection ~= connection then connection, errors, before = step.connection, 0, nil end
    t.ok(not before or not before:find("^3"), step.step .. " was sent after a 3xx reply")
    before = reply.parse(step.reply).code or ""
    if before:find("^[45]") and step.step ~= "greeting" and step.step ~= "errorlimit" and step.step ~= "quit" then errors = errors + 1 end
    t.ok(errors <= MOST_ERRORS, "too many errors on connection " .. connection)
  end
end

-- Whether a server refused most of what it was asked in clear text, and what it was asked inside STARTTLS.
local function asked_by_tls(recorded)
  local asked, refused, inside = 0, 0, {}
  for _, step in ipairs(recorded.steps) do
    local known = steps.by_name[step.step]
    if step.tls == "starttls" then
      inside[step.step] = true
    elseif known and (known.after == "hello" or known.after == "mail") and step.step ~= "starttls" then
      local hung_up = step.reply == "" and (step["end"] == "close" or step["end"] == "reset")
      asked, refused = asked + 1, refused + ((hung_up or reply.parse(step.reply).code == "530") and 1 or 0)
    end
  end
  return 2 * refused > asked, inside
end

-- A server that insists on TLS was asked everything inside it too; no other was, but for what must be asked there.
local function check_tls(recorded)
  local insists, inside = asked_by_tls(recorded)
  if not next(inside) then return end
  for _, step in ipairs(steps.catalogue) do
    local is_question = (step.after == "hello" or step.after == "mail") and step.name ~= "starttls"
    if is_question then t.eq(inside[step.name] == true, insists, step.name .. " inside TLS") end
  end
end

local seen, pipe = {}, assert(io.popen("ls test/transcripts/*.md"))
for path in pipe:lines() do
  t.test(path, function()
    local recorded, facts = transcript.from_markdown(read(path), path)
    t.ok(recorded, tostring(facts))
    check_facts(facts)
    check_steps(recorded)
    check_tls(recorded)
    local what = table.concat({ facts.product, facts.version, facts.settings, facts.detail or "", facts.package }, ", ")
    t.ok(not seen[what], ("%s is %s too"):format(what, tostring(seen[what])))
    seen[what] = path
  end)
end
pipe:close()
t.done()
