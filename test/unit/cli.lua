--- The `deepid` command, run as a user runs it.

local t = require "tap"

local LUA = arg[-1] or "lua"

-- Runs the command with files of the given contents; FILE1, FILE2, ... stand for their names.
local function run(arguments, ...)
  local names = {}
  for i, text in ipairs({ ... }) do
    names[i] = os.tmpname()
    local file = assert(io.open(names[i], "wb"))
    file:write(text)
    file:close()
    arguments = arguments:gsub("FILE" .. i, names[i])
  end
  local errors = os.tmpname()
  local pipe = assert(io.popen(("%s lua/bin/deepid %s 2>%s"):format(LUA, arguments, errors)))
  local output = pipe:read("a")
  local _, _, status = pipe:close()
  local file = assert(io.open(errors))
  local said = file:read("a")
  file:close()
  os.remove(errors)
  for _, name in ipairs(names) do os.remove(name) end
  return status, output, said
end

t.test("a file of greetings, addresses and saved records, in order", function()
  local status, output, said = run("identify --json FILE1", "220 mx.a.example ESMTP Exim 4.96 Tue, 24 Nov 2026 10:00:00 +0000\n"
    .. "192.0.2.7\t220-mx.b.example\\r\\n220 x\n"
    .. '{"record":"scan","format":1}\n'
    .. '{"record":"transcript","address":"192.0.2.9","port":587,"steps":[{"step":"greeting","reply":"220 z\\r\\n"}]}\n')
  t.eq({ status, said }, { 0, "" })
  local lines = {}
  for line in output:gmatch("[^\n]+") do lines[#lines + 1] = assert(require("deepid.json").decode(line)) end
  t.eq(#lines, 3)
  t.eq({ lines[1].identity.product, lines[1].identity.version }, { "Exim smtpd", "4.96" })
  t.eq({ lines[2].address, lines[2].identity.hostname }, { "192.0.2.7", "mx.b.example" })
  t.eq({ lines[3].address, lines[3].port }, { "192.0.2.9", 587 })
  for _, key in ipairs({ "front", "extensions", "easter_eggs", "evidence", "unobserved", "leaks", "advice" }) do
    t.has(output, '"' .. key .. '":[', true)
  end
end)

t.test("a broken line is named and loses nothing", function()
  local status, output, said = run("identify --json FILE1", "220 a\n{broken\n220 b\n")
  t.eq({ status, select(2, output:gsub("\n", "")) }, { 1, 2 })
  t.has(said, ":2: expected a key", true)
end)

t.test("text for people", function()
  local status, output = run("identify -  < FILE1", "220 mx.a.example ESMTP Exim 4.96 Tue, 24 Nov 2026 10:00:00 +0000\n")
  t.eq(status, 0)
  t.has(output, "server: Exim smtpd 4.96 at mx.a.example", true)
end)

t.test("a missing file", function()
  local status, _, said = run("identify /nonexistent/x")
  t.eq(status, 1)
  t.has(said, "/nonexistent/x", true)
end)

for _, case in ipairs({ "", "frobnicate", "identify", "identify --bad x", "identify --second-opinion" }) do
  t.test("bad usage: " .. case, function()
    local status, _, said = run(case)
    t.eq(status, 2)
    t.has(said, "usage:", true)
  end)
end

t.test("lint of a broken file fails", function()
  local status, output = run("lint FILE1", "Probe TCP NULL q||\n#: id x\nmatch smtp m|a| p/A/\n")
  t.eq(status, 1)
  t.has(output, "rule x has no role", true)
end)

t.done()
