#!/usr/bin/env -S test/in-net lua5.4
--- Hostile and odd peers through the real Nmap: each is asserted on the saved transcript and on what it heard, and Nmap
-- must end well, with valid and clean output, whatever they did.
--
-- Runs with every Nmap that test/nmap/nmaps lists, all at once, each with a set of peers of its own: the slowest peer
-- takes a minute.

local peers = require "peers"
local t = require "tap"

local MOST_BYTES = 64 * 1024
local GREETING_TIMEOUT = 5
local SLACK = 5 -- s, for a machine with other work

local all -- the peers, once they run

-- The shell command of one scan; its exit status goes to NAME.status.
local function scan_command(nmap, name, targets)
  local function file(ending) return all:file(name .. ending) end
  return ("{ %s -Pn -n --open -p 465,2525 -oX %s -oN %s --script ./scripts/smtp-deepid.nse --script-args "
    .. "smtp-deepid.save=%s,smtp-deepid.greeting_timeout=%ds %s; echo $? >%s; } >%s 2>&1")
    :format(nmap.command, file ".xml", file ".txt", file ".jsonl", GREETING_TIMEOUT, targets, file ".status", file ".log")
end

-- Runs every scan: the slow ones at once, then the one of ::1 with each Nmap.
local function scan_all(list)
  local commands = {}
  for i, nmap in ipairs(list) do
    local _, addresses = all:on(nmap.network)
    commands[i] = scan_command(nmap, nmap.name .. "-v4", addresses) .. " &"
  end
  os.execute(table.concat(commands, "\n") .. "\nwait")
  if #all:on("::1") > 0 then
    for _, nmap in ipairs(list) do os.execute(scan_command(nmap, nmap.name .. "-v6", "-6 ::1")) end
  end
end

-- Steps whose place is fixed; all others are sent or not by what the knowledge makes of the peer, and so are connections that only these need.
local FIXED = { greeting = true, ehlo = true, helo = true, lhlo = true, help = true, starttls = true, quit = true }

-- A transcript in words: "1:greeting" with its end where that is not "reply"; TLS shows as +tls.
local function words(transcript)
  local list, connection, asked = {}, {}, false
  local function finish()
    local said = table.concat(connection, " ")
    local is_extra = asked and (said:find("^[2-9]:%S+ [ehl]+o%S* quit%S*$") or said:find("^[2-9]:%S+ quit%S*$"))
    if not is_extra then list[#list + 1] = said end
    connection, asked = {}, false
  end
  for _, step in ipairs(transcript.steps) do
    local name = step.step .. (step.tls == "none" and "" or "+tls")
    if step.step == "greeting" then
      finish()
      name = step.connection .. ":" .. name
    end
    if step["end"] ~= "reply" then name = name .. "=" .. step["end"] end
    asked = asked or not FIXED[step.step]
    if FIXED[step.step] then connection[#connection + 1] = name end
  end
  finish()
  return table.concat(list, " "):match("^ *(.*)$")
end

local function step_of(transcript, name)
  for _, step in ipairs(transcript.steps) do
    if step.step == name then return step end
  end
end

local function reply_of(transcript, name) return step_of(transcript, name).reply end

local ALL = "1:greeting ehlo help quit"
local ALL_TLS = "1:greeting+tls ehlo+tls help+tls quit+tls"
local NAMES = { "peer.example", "alt.example" }

local function has_certificate(transcript)
  t.eq(transcript.certificate.names, NAMES)
  t.eq(transcript.certificate.subject, "CN=peer.example")
  t.eq(transcript.certificate.spki_sha256,
    peers.output(("openssl x509 -in %s -noout -pubkey | openssl pkey -pubin -outform DER | sha256sum")
      :format(all:file "cert.pem")):match("^%x+"))
end

-- {peer, transcript in words, seconds that it may take, further checks of the transcript and of all that the peer heard}
local CASES = {
  { "close_at_once", "1:greeting=close 2:greeting=close", 6 },
  { "mute", "1:greeting=timeout 2:greeting+tls=error", 25 },
  { "flood", "1:greeting=limit", 5, function(transcript) t.eq(#reply_of(transcript, "greeting"), MOST_BYTES) end },
  { "drip", "1:greeting=timeout", 65, function(transcript) t.ok(#reply_of(transcript, "greeting") > 50, "heard out") end },
  { "drip_named", "1:greeting=timeout", 35, function(transcript) t.eq(reply_of(transcript, "greeting"), "220 mx.peer.example ESMTP spamd ") end },
  { "byte_segments", ALL, 5, function(transcript) t.eq(reply_of(transcript, "ehlo"), "250-peer.example\r\n250 HELP\r\n") end },
  { "cut_segments", ALL, 5, function(transcript) t.eq(reply_of(transcript, "ehlo"), "250-peer.example\r\n250 HELP\r\n") end },
  { "bare_lf", ALL, 5, function(transcript) t.eq(reply_of(transcript, "ehlo"), "250-peer.example\n250 HELP\n") end },
  { "nuls", ALL, 5, function(transcript) t.eq(reply_of(transcript, "greeting"), "220 nul\0nul\0\r\n") end },
  { "escapes", ALL, 5, function(transcript) t.has(reply_of(transcript, "greeting"), "\27[31mred", true) end },
  { "eight_bit", ALL, 5, function(transcript) t.eq(reply_of(transcript, "greeting"), "220 caf\xE9 \xFF\xFE \xC3\xA9\r\n") end },
  { "long_line", "1:greeting=limit", 5, function(transcript) t.eq(#reply_of(transcript, "greeting"), MOST_BYTES) end },
  { "long_help", ALL, 5, function(transcript) t.eq(#reply_of(transcript, "help"), 60 * 1024 + 6) end },
  { "endless_fast", "1:greeting ehlo=limit", 5, function(transcript) t.eq(#reply_of(transcript, "ehlo"), MOST_BYTES) end },
  { "endless_slow", "1:greeting ehlo=timeout quit=timeout", 40 },
  { "reset", "1:greeting ehlo=reset", 5, function(transcript) t.eq(reply_of(transcript, "ehlo"), "250-and then") end },
  { "data", "1:greeting ehlo", 5, function(_, spoken) t.has(spoken, "^EHLO %S+\r\n$") end },
  { "starttls_plain", "1:greeting ehlo help starttls=error", 20, function(transcript)
    t.eq(reply_of(transcript, "starttls"), "220 go ahead\r\n")
    t.has(step_of(transcript, "starttls").error, "^TLS handshake: ")
  end },
  { "starttls", "1:greeting ehlo help starttls ehlo+tls quit+tls", 5, has_certificate },
  { "smtps", ALL_TLS, 5, has_certificate },
  { "smtps_bytes", ALL_TLS, 40, function(transcript) t.eq(reply_of(transcript, "ehlo"), "250-peer.example\r\n250 HELP\r\n") end },
  { "garbage", "1:greeting+tls=error 2:greeting=timeout", 25 },
  { "garbage_later", "1:greeting+tls=error 2:greeting=timeout", 25 },
  { "garbage_late", "1:greeting+tls=error 2:greeting=timeout", 25 },
  { "binary", "1:greeting=timeout", 5, function(transcript, spoken)
    t.eq(#reply_of(transcript, "greeting"), 1024)
    t.eq(spoken, "")
  end },
  { "busy_once", "1:greeting quit=timeout 2:greeting ehlo help quit", 15 },
  { "lmtp_only", "1:greeting ehlo lhlo help quit", 5 },
  { "helo_only", "1:greeting ehlo helo help quit", 5 },
  { "refuses_all", "1:greeting ehlo helo quit", 5 },
  { "late_tls", "1:greeting=timeout 2:greeting+tls ehlo+tls help+tls quit+tls", 12, has_certificate },
  { "silent_help", "1:greeting ehlo help=timeout quit=timeout", 30 },
  { "hangs_up", "1:greeting ehlo help=close", 5 },
  { "refuses", "1:greeting quit", 5, function(_, spoken) t.eq(spoken, "QUIT\r\n") end },
  { "ipv6", ALL, 5, function(_, spoken) t.has(spoken, "^EHLO %[IPv6:::1%]\r\n") end },
  { "other_protocol", "1:greeting=timeout", 5, function(_, spoken) t.eq(spoken, "") end },
}

local function duration(transcript)
  local first, last = transcript.steps[1], transcript.steps[#transcript.steps]
  return last.at - first.at + (last.ms or 0) / 1000
end

local BY_NAME = {}
for _, case in ipairs(CASES) do BY_NAME[case[1]] = case end

local function check_peer(case, transcript, spoken)
  local _, want, seconds, check = table.unpack(case)
  t.ok(transcript, "a transcript")
  t.eq(words(transcript), want)
  t.ok(duration(transcript) <= seconds + SLACK, "took " .. duration(transcript))
  for _, step in ipairs(transcript.steps) do t.ok(#step.reply <= MOST_BYTES, "bytes") end
  if check then check(transcript, spoken) end
end

local function check_output(name)
  t.eq(peers.read_file(all:file(name .. ".status")), "0\n", peers.read_file(all:file(name .. ".log")):sub(-2000))
  t.eq(peers.output("xmllint --noout --nonet --dtdvalid /usr/share/nmap/nmap.dtd " .. all:file(name .. ".xml") .. " 2>&1"), "")
  local text = peers.read_file(all:file(name .. ".txt"))
  t.has(text, "smtp-deepid:", true)
  t.eq(text:match("[^\n\32-\126]+"), nil, "control or 8-bit bytes")
end

local function test_scan(name, network, heard)
  local transcripts = {}
  for _, record in ipairs(peers.read_records(all:file(name .. ".jsonl"))) do
    if record.record == "transcript" then transcripts[record.address .. " " .. record.port] = record end
  end
  for _, peer in ipairs((all:on(network))) do
    t.test(("%s: peer %s"):format(name, peer.name), function()
      check_peer(BY_NAME[peer.name], transcripts[peer.address .. " " .. peer.port], heard[peer.address])
    end)
  end
  t.test(name .. ": Nmap ends well, its XML is valid, its output is clean", function() check_output(name) end)
end

local function main()
  local list, networks = peers.nmaps(), {}
  for i, nmap in ipairs(list) do
    nmap.network = ("127.0.%d."):format(50 + i)
    networks[i] = nmap.network
  end
  all = peers.start("hostile", networks)
  scan_all(list)
  local heard, early = all:stop()
  for _, nmap in ipairs(list) do
    test_scan(nmap.name .. "-v4", nmap.network, heard)
    if #all:on("::1") > 0 then test_scan(nmap.name .. "-v6", "::1", heard) end
  end
  t.test("no peer heard anything before its greeting", function() t.eq(early, {}) end)
  t.test("every case met a peer, but for those that this machine cannot have", function()
    for _, peer in ipairs(all.list) do BY_NAME[peer.name] = nil end
    for name in pairs(BY_NAME) do
      t.ok(name == "ipv6" or peers.output("id -u") ~= "0\n" and (name:find("^smtps") or name:find("^garbage")), name)
    end
  end)
  all:remove()
end

main()
t.done()
