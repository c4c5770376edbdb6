--- Every match line of every installed nmap-service-probes parses and compiles.

local t = require "tap"
local second_opinion = require "deepid.second_opinion"

local find = io.popen("ls /usr/share/nmap/nmap-service-probes build/nmap/*/root/usr/share/nmap/nmap-service-probes 2>/dev/null")
local paths = {}
for path in find:lines() do paths[#paths + 1] = path end
find:close()

t.test("there is a probe file to read", function() t.ok(#paths > 0, "none found") end)

for _, path in ipairs(paths) do
  local list, problems = second_opinion.read(path)
  t.test(("%s: its %d match lines parse"):format(path, #list), function()
    t.eq(problems, {})
    t.ok(#list > 10000, "too few lines")
  end)
  t.test(path .. ": they compile", function()
    local _, wrong = second_opinion.compile(list, path)
    t.eq(wrong, {})
  end)
  t.test(path .. ": and it can be asked", function()
    local opinion = { path = path }
    local hit = second_opinion.ask(opinion, { steps = { { step = "greeting", sent = "", reply = "220 mx.example.org ESMTP Postfix\r\n" } } })
    t.eq(opinion.problems, {})
    t.eq({ hit.service, hit.fields.hostname }, { "smtp", "mx.example.org" })
  end)
end

t.done()
