--- The second opinion, on a small probe file written for this test.

local t = require "tap"
local second_opinion = require "deepid.second_opinion"

local PROBES = [[
# made up for this test
Probe TCP NULL q||
match ftp m|^220 Frog FTP| p/Frog/
softmatch smtp m|^220 \S+ E?SMTP|
match smtp m|^220 (\S+) Frogmail ([\d.]+)\r\n| p/Frogmail/ v/$2/ h/$1/ cpe:/a:frog:frogmail:$2/
match smtp m|^220 .*\r\n214 Toads welcome| p/wrong: NULL does not see it/
Probe TCP Hello q|EHLO\r\n|
match smtp m|^220 .*\r\n250 Newt\r\n|s p/Newt/
Probe TCP Help q|HELP\r\n|
match smtp m|^220 .*\r\n214 Toads welcome| p/Toadmail/
match smtp m|^(| p/broken/
match smtp p/no pattern/
]]

local path = os.tmpname()
local file = assert(io.open(path, "w"))
file:write(PROBES)
file:close()

local function ask(...)
  local steps = {}
  for i, part in ipairs({ ... }) do steps[i] = { step = part[1], sent = part[2], reply = part[3] } end
  local opinion = { path = path }
  return second_opinion.ask(opinion, { steps = steps }), opinion
end

t.test("a greeting, with its fields and line", function()
  local hit = ask({ "greeting", "", "220 a.b Frogmail 1.2\r\n" })
  t.eq(hit.fields, { product = "Frogmail", version = "1.2", hostname = "a.b", cpe = { "cpe:/a:frog:frogmail:1.2" } })
  t.eq({ hit.line, hit.service }, { 5, "smtp" })
end)

t.test("other services are left alone", function() t.eq((ask({ "greeting", "", "220 Frog FTP\r\n" })), nil) end)

t.test("a HELP line sees greeting and reply joined, without what came between", function()
  local hit = ask({ "greeting", "", "220 x\r\n" }, { "ehlo", "EHLO a\r\n", "250 y\r\n" }, { "help", "HELP\r\n", "214 Toads welcome\r\n" })
  t.eq(hit.fields.product, "Toadmail")
end)

t.test("a Hello line only where a bare EHLO was sent", function()
  t.eq((ask({ "greeting", "", "220 x\r\n" }, { "ehlo", "EHLO a\r\n", "250 Newt\r\n" })), nil)
  t.eq(ask({ "greeting", "", "220 x\r\n" }, { "ehlo", "EHLO\r\n", "250 Newt\r\n" }).fields.product, "Newt")
end)

t.test("a hard match beats an earlier softmatch; alone it hints", function()
  local hit = ask({ "greeting", "", "220 x SMTP\r\n" }, { "help", "HELP\r\n", "214 Toads welcome\r\n" })
  t.eq(hit.fields.product, "Toadmail")
  t.eq(ask({ "greeting", "", "220 x SMTP\r\n" }).soft, true)
end)

t.test("broken lines are reported with their number and lose nothing", function()
  local _, opinion = ask({ "greeting", "", "220 x\r\n" })
  local said = table.concat(opinion.problems, "\n")
  t.has(said, ":11: ", true)
  t.has(said, ":12: expected m and a delimiter", true)
  t.eq(#opinion.problems, 2)
end)

t.test("a missing file is a message, not an error", function()
  local opinion = { path = "/nonexistent/probes" }
  t.eq(second_opinion.ask(opinion, { steps = {} }), nil)
  t.has(opinion.problems[1], "/nonexistent/probes", true)
end)

os.remove(path)
t.done()
