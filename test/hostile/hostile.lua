-- Hostile and odd peers through the real Nmap: each is asserted on the saved transcript, on what the peer heard, and
-- Nmap must end well with valid, clean output whatever they did. NMAP names the nmap to run.

local json = require "deepid.json"
local t = require "tap"

local NMAP = os.getenv("NMAP") or "nmap"
local MOST_BYTES = 64 * 1024
local GREETING_TIMEOUT = 5

local function output(command)
  local pipe = assert(io.popen(command, "r"))
  local text = pipe:read("a")
  pipe:close()
  return text
end

local FOLDER = output("mktemp -d"):gsub("\n", "")
local function file(name) return FOLDER .. "/" .. name end

local function read_file(name)
  local handle = io.open(file(name), "rb")
  local text = handle and handle:read("a") or ""
  if handle then handle:close() end
  return text
end

local function data_folder()
  local program = output("command -v " .. NMAP):gsub("\n", "")
  return os.getenv("NMAPDIR") or program:gsub("/bin/[^/]*$", "") .. "/share/nmap"
end

-- Starts the peers; returns their standard input, and each peer's address and port by name.
local function start_peers()
  local input = assert(io.popen(("exec python3 test/hostile/peers.py %s >%s"):format(FOLDER, file "ready"), "w"))
  for _ = 1, 300 do
    if read_file "ready":find("ready") then break end
    os.execute("sleep 0.1")
  end
  local peers = {}
  for address, port, name in read_file "peers":gmatch("(%S+) (%d+) (%S+)\n") do
    peers[name] = { address = address, port = tonumber(port), key = address .. " " .. port }
  end
  assert(next(peers), "the peers did not start")
  return input, peers
end

-- Scans; returns whether Nmap's exit status was 0.
local function scan(name, arguments)
  return os.execute(("%s -Pn -n --open -p 465,2525 -oX %s -oN %s --script ./scripts/smtp-deepid.nse --script-args "
    .. "smtp-deepid.save=%s,smtp-deepid.greeting_timeout=%ds %s >%s 2>&1")
    :format(NMAP, file(name .. ".xml"), file(name .. ".txt"), file(name .. ".jsonl"), GREETING_TIMEOUT, arguments, file(name .. ".log")))
end

local function read_records(name)
  local records = {}
  for line in read_file(name):gmatch("[^\n]+") do records[#records + 1] = assert(json.decode(line)) end
  return records
end

local input, peers = start_peers()
local addresses, is_clean = {}, {}
for name, peer in pairs(peers) do
  if name ~= "ipv6" then addresses[#addresses + 1] = peer.address end
end
table.sort(addresses)
is_clean.v4 = scan("v4", table.concat(addresses, " "))
if peers.ipv6 then is_clean.v6 = scan("v6", "-6 ::1") end
input:close()

local transcripts, heard = {}, {}
for _, name in ipairs({ "v4.jsonl", "v6.jsonl" }) do
  for _, record in ipairs(read_records(name)) do
    if record.record == "transcript" then transcripts[record.address .. " " .. record.port] = record end
  end
end
for _, record in ipairs(read_records "heard") do
  heard[record.peer] = heard[record.peer] or {}
  table.insert(heard[record.peer], record)
end

-- A transcript in words: "1:greeting" with its end where that is not "reply"; TLS shows as +tls.
local function words(transcript)
  local list = {}
  for _, step in ipairs(transcript.steps) do
    local name = step.step .. (step.tls == "none" and "" or "+tls")
    if step.step == "greeting" then name = step.connection .. ":" .. name end
    list[#list + 1] = step["end"] == "reply" and name or name .. "=" .. step["end"]
  end
  return table.concat(list, " ")
end

local function step_of(transcript, name)
  for _, step in ipairs(transcript.steps) do
    if step.step == name then return step end
  end
end

local function reply_of(transcript, name) return step_of(transcript, name).reply end

local ALL = "1:greeting ehlo help unknown quit"
local ALL_TLS = "1:greeting+tls ehlo+tls help+tls unknown+tls quit+tls"
local NAMES = { "peer.example", "alt.example" }

local function has_certificate(transcript)
  t.eq(transcript.certificate.names, NAMES)
  t.eq(transcript.certificate.subject, "CN=peer.example")
  t.eq(transcript.certificate.spki_sha256,
    output(("openssl x509 -in %s -noout -pubkey | openssl pkey -pubin -outform DER | sha256sum"):format(file "cert.pem")):match("^%x+"))
end

-- {peer, transcript in words, seconds that it may take, further checks}
local CASES = {
  { "close_at_once", "1:greeting=close 2:greeting=close", 6 },
  { "mute", "1:greeting=timeout 2:greeting+tls=error", 25 },
  { "flood", "1:greeting=limit", 5, function(transcript) t.eq(#reply_of(transcript, "greeting"), MOST_BYTES) end },
  { "drip", "1:greeting=timeout", 65, function(transcript) t.ok(#reply_of(transcript, "greeting") > 50, "heard out") end },
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
  { "data", "1:greeting ehlo", 5, function() t.has(heard.data[1].heard, "^EHLO %S+\r\n$") end },
  { "starttls_plain", "1:greeting ehlo help unknown starttls=error", 20, function(transcript)
    t.eq(reply_of(transcript, "starttls"), "220 go ahead\r\n")
    t.has(step_of(transcript, "starttls").error, "^TLS handshake: ")
  end },
  { "starttls", "1:greeting ehlo help unknown starttls ehlo+tls quit+tls", 5, has_certificate },
  { "smtps", ALL_TLS, 5, has_certificate },
  { "smtps_bytes", ALL_TLS, 15, function(transcript) t.eq(reply_of(transcript, "ehlo"), "250-peer.example\r\n250 HELP\r\n") end },
  { "garbage", "1:greeting+tls=error 2:greeting=timeout", 25 },
  { "garbage_later", "1:greeting+tls=error 2:greeting=timeout", 25 },
  { "garbage_late", "1:greeting+tls=error 2:greeting=timeout", 25 },
  { "binary", "1:greeting=timeout", 5, function(transcript)
    t.eq(#reply_of(transcript, "greeting"), 1024)
    t.eq(heard.binary[1].heard, "")
  end },
  { "busy_once", "1:greeting quit=timeout 2:greeting ehlo help unknown quit", 15 },
  { "lmtp_only", "1:greeting ehlo lhlo help unknown quit", 5 },
  { "helo_only", "1:greeting ehlo helo help unknown quit", 5 },
  { "refuses_all", "1:greeting ehlo helo quit", 5 },
  { "late_tls", "1:greeting=timeout 2:greeting+tls ehlo+tls help+tls unknown+tls quit+tls", 12, has_certificate },
  { "silent_help", "1:greeting ehlo help=timeout quit=timeout", 30 },
  { "hangs_up", "1:greeting ehlo help=close", 5 },
  { "refuses", "1:greeting quit", 5, function() t.eq(heard.refuses[1].heard, "QUIT\r\n") end },
  { "ipv6", ALL, 5, function() t.has(heard.ipv6[1].heard, "^EHLO %[IPv6:::1%]\r\n") end },
  { "other_protocol", "1:greeting=timeout", 5, function() t.eq(heard.other_protocol[1].heard, "") end },
}

local function duration(transcript)
  local first, last = transcript.steps[1], transcript.steps[#transcript.steps]
  return last.at - first.at + (last.ms or 0) / 1000
end

for _, case in ipairs(CASES) do
  local name, want, seconds, check = table.unpack(case)
  t.test("peer " .. name, function()
    if not peers[name] then t.skip("it could not listen") end
    local transcript = transcripts[peers[name].key]
    t.ok(transcript, "a transcript")
    t.eq(words(transcript), want)
    t.ok(duration(transcript) <= seconds, "took " .. duration(transcript))
    for _, step in ipairs(transcript.steps) do t.ok(#step.reply <= MOST_BYTES, "bytes") end
    if check then check(transcript) end
  end)
end

t.test("no peer heard anything before its greeting", function()
  for name, connections in pairs(heard) do
    for _, connection in ipairs(connections) do t.eq(connection.early, "", name) end
  end
end)

t.test("every case is listed", function()
  local listed = {}
  for _, case in ipairs(CASES) do listed[case[1]] = true end
  for name in pairs(peers) do t.ok(listed[name], name) end
end)

for _, family in ipairs({ "v4", "v6" }) do
  t.test("Nmap ends well, its XML is valid, its output is clean: " .. family, function()
    if is_clean[family] == nil then t.skip("no IPv6") end
    t.ok(is_clean[family], read_file(family .. ".log"):sub(-2000))
    t.eq(output(("xmllint --noout --dtdvalid %s/nmap.dtd %s 2>&1"):format(data_folder(), file(family .. ".xml"))), "")
    local text = read_file(family .. ".txt")
    t.has(text, "smtp-deepid:", true)
    t.eq(text:match("[^\n\32-\126]+"), nil, "control or 8-bit bytes")
  end)
end

os.execute("rm -rf " .. FOLDER)
t.done()
