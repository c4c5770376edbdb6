#!/usr/bin/env -S test/in-net lua5.4
--- What Nmap prints of a server that nobody knows, taken to a rule: `deepid explain` reads Nmap's fingerprint, `deepid draft` makes a rule of it,
-- and Nmap names the server by the drafted line. With every Nmap that test/nmap/nmaps lists.

local deepid = require "deepid"
local peers = require "peers"
local samples = require "deepid.samples"
local t = require "tap"

local NETWORK = "127.0.61."
local GREETING = '220 mx.one.example ESMTP Foo"Mail" (a\\b|c) 1.2.3 \127\233 ready.\r\n'
local OTHER = GREETING:gsub("mx.one", "gate.two"):gsub("1%.2%.3", "10.4")

local all = peers.start("authoring", { NETWORK })

local function scan(nmap, arguments)
  local _, addresses = all:on(NETWORK)
  return peers.output(("env -u LUA_PATH %s -Pn -n -sV -p 25 %s %s 2>&1"):format(nmap.command, arguments, addresses))
end

local function write(name, text)
  local path = all:file(name)
  local file = assert(io.open(path, "wb"))
  file:write(text)
  file:close()
  return path
end

local function run(arguments) return peers.output("lua5.4 lua/bin/deepid " .. arguments .. " 2>&1") end

local function by_step(transcript, name)
  for _, step in ipairs(transcript.steps) do
    if step.step == name then return step end
  end
end

local function check_read(path)
  local list, problems = samples.read(path)
  t.eq(problems, {})
  t.eq(#list, 2, "fingerprints")
  local first, second = by_step(list[1], "greeting"), by_step(list[2], "greeting")
  t.eq({ list[1].port, first.reply, first["end"], second.reply }, { 25, GREETING, "reply", OTHER })
  t.eq(by_step(list[1], "ehlo"), { step = "ehlo", connection = by_step(list[1], "ehlo").connection, tls = "none", sent = "EHLO\r\n",
    reply = "501 5.5.4 EHLO whom?\r\n", ["end"] = "reply" })
  local help = by_step(list[1], "help")
  t.eq({ help["end"], help.reply:sub(1, 40) }, { "limit", "214-0 is a line of a long help text\r\n214" })
end

local function check_explain(path)
  local output, _, _, status = run("explain " .. path)
  t.eq(status, 0)
  t.has(output, deepid.escape.visible(GREETING), true)
  t.has(output, "help (limit)", true)
end

local function check_draft(nmap, path)
  local output, _, _, status = run("draft --product FooMail " .. path)
  t.eq(status, 0, output)
  local line = output:match("\n# (match smtp [^\n]*)")
  local named = scan(nmap, "--versiondb " .. write("probes", "Probe TCP NULL q||\n" .. line .. "\n"))
  t.has(named, "FooMail 1.2.3", true)
  t.has(named, "FooMail 10.4", true)
  t.has(named, "Hosts?: mx.one.example")
  -- The other reader of the same file: the block with its annotations.
  named = scan(nmap, "--versiondb " .. write("probes", output))
  t.has(named, "FooMail 10.4", true)
end

local nmaps = peers.nmaps()
t.test("there is an Nmap", function() t.ok(#nmaps > 0) end)
for _, nmap in ipairs(nmaps) do
  local path = write("nmap.txt", (scan(nmap, "")))
  t.test(nmap.name .. ": its fingerprints are read, byte for byte", function() check_read(path) end)
  t.test(nmap.name .. ": explained", function() check_explain(path) end)
  t.test(nmap.name .. ": a drafted line names the servers", function() check_draft(nmap, path) end)
end

all:stop()
all:remove()
t.done()
