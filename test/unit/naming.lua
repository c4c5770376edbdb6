--- Lone greetings are named by the rules that match them: the same names as identification gives, for greetings and other replies that we have.

local knowledge = require "deepid.knowledge"
local namings = require "deepid.naming"
local t = require "tap"
local transcript = require "deepid.transcript"

local engine = assert(require("deepid").open())

local function greetings()
  local list, seen = { "\r\n", "220\r\n", "220 mx.own.org ESMTP\r\n", "\0\255", ("220 " .. ("x"):rep(70000)) .. "\r\n" }, {}
  for _, rule in ipairs(assert(knowledge.load(nil, { texts = true })).rules) do
    for _, example in ipairs(rule.examples) do
      for _, reply in pairs(example.steps) do list[#list + 1] = reply end
    end
  end
  -- One in ten recordings: reading them takes longer than all else.
  for name in io.popen("ls test/transcripts/*.md | awk 'NR % 10 == 1'"):lines() do
    local file = assert(io.open(name, "rb"))
    local record = assert(transcript.from_markdown(file:read("a"), name))
    file:close()
    for _, step in ipairs(record.steps) do
      if not seen[step.reply] then list[#list + 1], seen[step.reply] = step.reply, true end
    end
  end
  return list
end

local function as_text(named)
  local parts = { tostring(named.product) }
  for _, front in ipairs(named.fronts) do
    parts[#parts + 1] = ("%s %s %s %s"):format(front.role, front.name, front.device, front.confidence)
  end
  return table.concat(parts, "; ")
end

local function identified(reply)
  return as_text(namings.of(engine:identify({ steps = { { step = "greeting", connection = 1, tls = "none", sent = "", reply = reply, ["end"] = "reply" } } })))
end

t.test("the same names as identification gives", function()
  local naming, count, named = namings.new(engine), 0, 0
  for _, reply in ipairs(greetings()) do
    if reply ~= "" then
      local got, want = as_text(naming:greeting(reply)), identified(reply)
      if got ~= want then t.eq({ reply, got }, { reply, want }) end
      count, named = count + 1, named + (want ~= "nil" and 1 or 0)
    end
  end
  print(("# %d replies, %d of them named"):format(count, named))
  t.ok(count > 500 and named > 100, count)
end)

t.test("without an engine nothing has a name; with a second opinion nothing is kept", function()
  t.eq(as_text(namings.new():greeting("220 mx.own.org ESMTP Exim 4.96\r\n")), "nil")
  local asked = 0
  local asking = setmetatable({ second_opinion = true, identify = function(_, record)
    asked = asked + 1
    return engine:identify(record)
  end }, { __index = engine })
  local naming = namings.new(asking)
  for _ = 1, 2 do t.eq(as_text(naming:greeting("220 mx.own.org ESMTP Exim 4.96 ready\r\n")), identified("220 mx.own.org ESMTP Exim 4.96 ready\r\n")) end
  t.eq(asked, 2)
end)

-- No rule of ours takes a product's name from the words that it matches; one that did must not be kept for all.
t.test("a rule that takes a name from the words", function()
  local folder = os.tmpname()
  os.remove(folder)
  assert(os.execute("mkdir " .. folder))
  for i, name in ipairs(knowledge.FILES) do
    local file = assert(io.open(folder .. "/" .. name, "wb"))
    if i == 1 then file:write("Probe TCP NULL q||\n#: id x\n#: role mta\n#: cite x\n#: example 220 A B\\r\\n\nmatch smtp m|^220 \\S+ (\\w+)| p/$1 server/\n") end
    file:close()
  end
  local own = require("deepid").open({ folder = folder })
  os.execute("rm -r " .. folder)
  local naming = namings.new(assert(own))
  t.eq({ naming:greeting("220 mx One\r\n").product, naming:greeting("220 mx Two\r\n").product }, { "One server", "Two server" })
end)

t.done()
