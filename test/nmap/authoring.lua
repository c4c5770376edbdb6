#!/usr/bin/env -S test/in-net lua5.4
--- What Nmap prints of a server that nobody knows, taken to a rule: `deepid explain` reads Nmap's fingerprint, `deepid draft` makes a rule of it,
-- and Nmap names the server by the drafted line. With every Nmap that test/nmap/nmaps lists.

local deepid = require "deepid"
local draft = require "deepid.draft"
local draft_words = require "deepid.draft_words"
local peers = require "peers"
local samples = require "deepid.samples"
local t = require "tap"

local NETWORK = "127.0.61."
local GREETING = '220 mx.one.example ESMTP Foo"Mail" (a\\b|c) 1.2.3 \127\233 ready.\r\n'
local OTHER = GREETING:gsub("mx.one", "gate.two"):gsub("1%.2%.3", "10.4")

local all = peers.start("authoring", { NETWORK })

local function scan(nmap, arguments, port)
  local _, addresses = all:on(NETWORK)
  return peers.output(("env -u LUA_PATH %s -Pn -n -sV -p %d %s %s 2>&1"):format(nmap.command, port or 25, arguments, addresses))
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

-- A line for Nmap from each example of ours that Nmap could see, below its Probe.
local function drafted_lines()
  local below, count = { NULL = {}, Help = {} }, 0
  for _, rule in ipairs(assert(deepid.open { texts = true }).knowledge.rules) do
    local bytes = not rule.conditions and rule.examples[1].steps[rule.step]
    local made = bytes and draft.draft({ { reply = bytes, sent = "" } }, { step = rule.step, product = "Sample" })
    local probe, line = draft_words.for_nmap(made or { step = "none" })
    if probe then
      table.insert(below[probe:match("Probe TCP (%a+)")], line)
      count = count + 1
    end
  end
  return "Probe TCP NULL q||\n" .. table.concat(below.NULL, "\n") .. "\n\nProbe TCP Help q|HELP\\r\\n|\n" .. table.concat(below.Help, "\n") .. "\n", count
end

local function check_all_drafts(nmap)
  local text, count = drafted_lines()
  t.ok(count > 150, "few lines")
  local output, ok = scan(nmap, "--versiondb " .. write("probes", text), 26) -- a closed port: the file is read all the same
  t.ok(ok, output)
  t.eq(output:match("[^\n]*QUITTING[^\n]*") or output:match("[^\n]*[Ee]rror[^\n]*"), nil)
end

local nmaps = peers.nmaps()
t.test("there is an Nmap", function() t.ok(#nmaps > 0) end)
for _, nmap in ipairs(nmaps) do
  local path = write("nmap.txt", (scan(nmap, "")))
  t.test(nmap.name .. ": its fingerprints are read, byte for byte", function() check_read(path) end)
  t.test(nmap.name .. ": explained", function() check_explain(path) end)
  t.test(nmap.name .. ": a drafted line names the servers", function() check_draft(nmap, path) end)
  t.test(nmap.name .. ": it takes a line drafted from every example", function() check_all_drafts(nmap) end)
end

all:stop()
all:remove()
t.done()
