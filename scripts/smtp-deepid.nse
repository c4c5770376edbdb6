local math = require "math"
local nmap = require "nmap"
local shortport = require "shortport"
local stdnse = require "stdnse"
local table = require "table"

description = [[
Names mail servers, and what stands in front of them.

The script waits for the greeting, asks a few harmless questions (EHLO, HELP, then those that tell most, STARTTLS and EHLO
again) and says what the server is, by what it says and by how it behaves, how sure that is and by which evidence; whether its
greeting is another product's; which blocklist wrapper, spam screen, filter, proxy or firewall stands before it; which server a
front gives away behind it; and what to do where the answer is no answer of the target's. It never sends mail, guesses no users,
asks a server for two errors a connection at most, or more where the server is known to bear them, and says QUIT.

After the scan it says who answered: the targets' own servers, or something between you and them. For that it looks, with raw
privileges, at how port 25 of each host is reached against another port of the same host: up to five SYNs to each, and no handshake is
completed. Where nothing but mail ports was scanned, it tries 443, 80, 22 and 587 for that, one SYN or connection each
(smtp-deepid.reference).
]]

---
-- @usage
-- nmap -p 25,465,587 --script smtp-deepid <target>
-- nmap -sV -p 25 --script smtp-deepid --script-args smtp-deepid.depth=full,smtp-deepid.save=scan.jsonl <target>
--
-- @args smtp-deepid.depth How much to ask. <code>greeting</code>: the greeting alone. <code>adaptive</code> (the
--   default): until product and version are known or no question is worth its cost, three questions as a rule, on one to five
--   connections. <code>full</code>: every question of the catalogue, some fifty, on up to 44 connections.
-- @args smtp-deepid.greeting_timeout How long to wait for the greeting; screens let clients wait. Default: 20s.
-- @args smtp-deepid.delay Pause before each command. Default: none.
-- @args smtp-deepid.helo The name to greet with. Default: this machine's own name where it is fully qualified and has
--   an address that others can reach; else the address it connects from, in brackets.
-- @args smtp-deepid.ports More ports (<code>8025</code>, <code>{8025,2500-2599}</code>) to try where Nmap knows no
--   service, beside 24, 25, 465, 587 and 2525.
-- @args smtp-deepid.save File to append hosts and transcripts to, as JSON lines; <code>deepid identify</code> and <code>deepid
--   survey</code> read them.
-- @args smtp-deepid.control Addresses (<code>192.0.2.9</code>, <code>{192.0.2.9,192.0.2.77}</code>) of which you know that no mail
--   server is there, at most 16. They are asked for a greeting after the scan: whoever answers there answers for absent hosts. They need
--   not be targets.
-- @args smtp-deepid.known Addresses of which you know that they accept connections to port 25 elsewhere. Their silence counts as
--   evidence that port 25 is blocked near you.
-- @args smtp-deepid.reference Ports to compare port 25 with where the scan has none, four at most, in the order in which they are
--   preferred; <code>none</code> forbids it. Default: <code>443,80,22,587</code>. It takes one SYN or connection each, then up to four more SYNs
--   to the one that answered.
-- @args smtp-deepid.trace Send SYNs of rising TTL to port 25 and to the port that it is compared with, to see at which hop each is
--   answered; needs raw privileges. Default: no.
-- @args smtp-deepid.second_opinion Whether Nmap's own nmap-service-probes is asked where smtp-deepid has no answer:
--   <code>yes</code> (the default) or <code>no</code>.
--
-- @output
-- PORT   STATE SERVICE
-- 25/tcp open  smtp
-- | smtp-deepid:
-- |   server: unknown
-- |   in front: rblsmtpd, a wrapper that refuses this scanner before the real server is reached
-- |     reason given: Blocked - see https://bl.lab.example/lookup?ip=127.0.0.1
-- |     list: bl.lab.example
-- |_  advice: The blocklist bl.lab.example holds the scanner's address: ask it for removal if the address is yours, and scan from another address meanwhile.
--
-- Post-scan script results:
-- | smtp-deepid:
-- |   mail servers on 2 addresses:
-- |     1  Exim smtpd
-- |_    1  rblsmtpd
--
-- @xmloutput
-- <elem key="address">127.25.0.21</elem>
-- <elem key="port">25</elem>
-- <elem key="tls">none</elem>
-- <table key="identity">
-- <table key="cpe">
-- </table>
-- </table>
-- <table key="front">
-- <table>
-- <elem key="role">blocker</elem>
-- <elem key="name">rblsmtpd</elem>
-- <elem key="confidence">0.9</elem>
-- <elem key="reason">Blocked - see https://bl.lab.example/lookup?ip=127.0.0.1</elem>
-- <elem key="list">bl.lab.example</elem>
-- <table key="evidence">
-- <elem>help: 451 Blocked - see https://bl.lab.example/lookup?ip=127.0.0.1\r\n</elem>
-- <elem>greeting: 220 rblsmtpd.local\r\n</elem>
-- <elem>ehlo: 250 rblsmtpd.local\r\n</elem>
-- </table>
-- <elem key="advice">The blocklist bl.lab.example holds the scanner&apos;s address: ask it for removal if the address is yours, and scan from another address meanwhile.</elem>
-- </table>
-- </table>
-- <table key="extensions">
-- </table>
-- <table key="easter_eggs">
-- </table>
-- <table key="evidence">
-- <table>
-- <elem key="step">help</elem>
-- <elem key="reply">451 Blocked - see https://bl.lab.example/lookup?ip=127.0.0.1\r\n</elem>
-- <elem key="says">blocker: rblsmtpd</elem>
-- </table>
-- <table>
-- <elem key="step">greeting</elem>
-- <elem key="reply">220 rblsmtpd.local\r\n</elem>
-- <elem key="says">blocker: rblsmtpd</elem>
-- </table>
-- <table>
-- <elem key="step">ehlo</elem>
-- <elem key="reply">250 rblsmtpd.local\r\n</elem>
-- <elem key="says">blocker: rblsmtpd</elem>
-- </table>
-- </table>
-- <table key="unobserved">
-- </table>
-- <table key="leaks">
-- </table>
-- <table key="advice">
-- <elem>The blocklist bl.lab.example holds the scanner&apos;s address: ask it for removal if the address is yours, and scan from another address meanwhile.</elem>
-- </table>
-- <elem key="transcript_ms">7</elem>
-- <elem key="connections">1</elem>

author = "The smtp-deepid authors"
license = "BSD-2-Clause"
categories = {"discovery", "safe", "version"}

local SERVICES = {"smtp", "smtps", "submission", "smtp-proxy", "lmtp"}
local PORTS = {24, 25, 465, 587, 2525}
local DEPTHS = {greeting = true, adaptive = true, full = true}
local SWITCH = {yes = true, no = false}
local REFERENCES = {443, 80, 22, 587}
local MOST_PROBLEMS = 3 -- of the knowledge's, in one port's output

-- The folder of the checkout that this script lies in, or nil when it is installed.
local function checkout()
  local root = SCRIPT_PATH:match("^(.*)/[^/]+/[^/]+$") or (SCRIPT_PATH:find("/") and "." or "..")
  local file = io.open(root .. "/lua/deepid.lua", "r")
  if file then file:close() end
  return file and root
end

-- From a checkout, our modules come from it and not from an installed copy, which Nmap would look for first.
local function search_checkout()
  local root = checkout()
  if not root or nmap.registry["smtp-deepid.root"] == root then return end
  nmap.registry["smtp-deepid.root"] = root
  table.insert(package.searchers, 1, function(name)
    if name ~= "deepid" and not name:find("^deepid%.") then return nil end
    local path = package.searchpath(name, root .. "/lua/?.lua;" .. root .. "/nselib/?.lua")
    if not path then error(("module '%s' not found in %s"):format(name, root), 0) end
    return assert(loadfile(path)), path
  end)
end

-- Ports and ranges as the user wrote them, in the words of shortport; what cannot be read goes to `problems`.
local function read_ports(value, problems)
  local ports = table.move(PORTS, 1, #PORTS, 1, {})
  for _, item in ipairs(type(value) == "table" and value or {value}) do
    for word in tostring(item):gmatch("[^,%s]+") do
      local low, high = word:match("^(%d+)%-?(%d*)$")
      low, high = tonumber(low), tonumber(high) or tonumber(low)
      if low and low <= high and high <= 65535 then
        ports[#ports + 1] = ("%d-%d"):format(low, high)
      else
        problems[#problems + 1] = ("smtp-deepid.ports: %q is no port and no range of ports"):format(word)
      end
    end
  end
  return ports
end

-- The words of an argument that is a list, as the user or Nmap cut it.
local function read_words(name)
  local value, words = stdnse.get_script_args("smtp-deepid." .. name), {}
  for _, item in ipairs(type(value) == "table" and value or {value}) do
    for word in tostring(item):gmatch("[^,%s]+") do words[#words + 1] = word end
  end
  return words
end

local function read_addresses(name, problems)
  local addresses = {}
  for i, word in ipairs(read_words(name)) do
    addresses[i] = word
    if not require "ipOps".expand_ip(word) then problems[#problems + 1] = ("smtp-deepid.%s: %q is no address"):format(name, word) end
  end
  return addresses
end

local function read_references(problems)
  local words, ports = read_words("reference"), {}
  if #words == 0 then return REFERENCES end
  if words[1] == "none" then return ports end
  for i, word in ipairs(words) do
    ports[i] = math.tointeger(tonumber(word))
    if not ports[i] or ports[i] < 1 or ports[i] > 65535 or i > 4 then
      problems[#problems + 1] = ("smtp-deepid.reference: %q: up to four ports, or none"):format(word)
      return REFERENCES
    end
  end
  return ports
end

-- A switch that may be given bare, as in --script-args smtp-deepid.trace.
local function read_switch(name, problems)
  local value = stdnse.get_script_args("smtp-deepid." .. name)
  if value == nil or value == 1 or value == "1" or SWITCH[value] ~= nil then return value ~= nil and SWITCH[value] ~= false end
  problems[#problems + 1] = ("smtp-deepid.%s: %q is neither yes nor no"):format(name, value)
end

local function read_time(name, problems)
  local value = stdnse.get_script_args("smtp-deepid." .. name)
  if value == nil then return nil end
  local seconds = stdnse.parse_timespec(value)
  if not seconds then problems[#problems + 1] = ("smtp-deepid.%s: %q is no time, as 5s or 500ms is"):format(name, value) end
  return seconds and seconds * 1000
end

local function read_choice(name, choices, default, problems)
  local value = stdnse.get_script_args("smtp-deepid." .. name) or default
  if choices[value] ~= nil then return value end
  local words = {}
  for word in pairs(choices) do words[#words + 1] = word end
  table.sort(words)
  problems[#problems + 1] = ("smtp-deepid.%s: %q is none of %s"):format(name, value, table.concat(words, ", "))
  return default
end

-- What the script keeps for the whole scan. Made when first asked for: under a bare -sV no prerule runs.
local function state()
  local kept = nmap.registry["smtp-deepid"]
  if kept then return kept end
  local problems = {}
  local helo, save, ports = stdnse.get_script_args("smtp-deepid.helo", "smtp-deepid.save", "smtp-deepid.ports")
  if helo and not helo:find("^[!-~]+$") then problems[#problems + 1] = "smtp-deepid.helo: only printable ASCII without blanks" end
  kept = {
    scanned = {}, problems = problems, save = save, ports = read_ports(ports, problems),
    control = read_addresses("control", problems), known = read_addresses("known", problems), silence = {},
    references = read_references(problems), trace = read_switch("trace", problems),
    second_opinion = SWITCH[read_choice("second_opinion", SWITCH, "yes", problems)],
    session = {
      depth = read_choice("depth", DEPTHS, "adaptive", problems), helo = helo, delay_ms = read_time("delay", problems),
      greeting_timeout_ms = read_time("greeting_timeout", problems),
    },
  }
  nmap.registry["smtp-deepid"] = kept
  return kept
end

-- What to say of a file of ours that is missing or broken. Where Nmap's own loader searched, the places that it tried follow on further lines.
local function cannot_load(name, problem)
  local remedy = checkout() and "restore its files (`git checkout .` in its folder)" or "install it again (`make install` in its folder)"
  return ("smtp-deepid cannot load %s; %s: %s"):format(name, remedy, tostring(problem):match("^%s*([^\n]*)"))
end

-- Loads what every scan needs and opens the engine.
-- @return engine
-- @return nil and a message that says what is missing and what mends it
local function load_engine(kept)
  search_checkout()
  for _, name in ipairs({"deepid", "deepid.session", "deepid.output", "deepid.savefile", "deepid.hosts"}) do
    local ok, problem = pcall(require, name)
    if not ok then return nil, cannot_load(name, problem) end
  end
  local path = kept.second_opinion and nmap.fetchfile("nmap-service-probes") or nil
  local ok, engine, message = pcall(require "deepid".open, {second_opinion = path})
  if not ok then return nil, "smtp-deepid cannot open its engine: " .. tostring(engine) end
  return engine, message
end

-- The engine, opened once a scan.
local function open_engine(kept)
  if not (kept.engine or kept.broken) then kept.engine, kept.broken = load_engine(kept) end
  return kept.engine, kept.broken
end

local function is_unidentified(port)
  return port.version.service_dtype ~= "probed" or port.service == nil or port.service == "unknown" or port.service == "tcpwrapped"
end

portrule = function(host, port)
  if shortport.version_port_or_service({}, SERVICES)(host, port) then return true end
  return is_unidentified(port) and shortport.version_port_or_service(state().ports, {})(host, port)
end

-- A bare -sV runs no prerule, and no postrule either that could tell who answered: then nothing is sent to find out.
prerule = function()
  nmap.registry["smtp-deepid.chosen"] = true
  return false
end

local function is_chosen() return nmap.registry["smtp-deepid.chosen"] == true end

hostrule = function(host)
  return is_chosen() and #state().problems == 0 and open_engine(state()) ~= nil and require "deepid.hosts".has_mail_ports(host)
end

postrule = function() return state().survey ~= nil end

-- What is wrong with the rule files is said once a scan.
local function knowledge_problems(kept)
  local lines, all = {}, kept.engine.problems
  if kept.told then return lines end
  kept.told = true
  for i = 1, math.min(#all, MOST_PROBLEMS) do lines[i] = "knowledge: " .. all[i] end
  if #all > MOST_PROBLEMS then lines[#lines + 1] = ("knowledge: and %d more"):format(#all - MOST_PROBLEMS) end
  return lines
end

-- The survey of this scan; it begins with the scan's own record.
local function survey(kept)
  if not kept.survey then
    kept.scan = require "deepid.savefile".scan_record()
    kept.survey = require "deepid".survey.new()
    kept.survey:add(kept.scan)
  end
  return kept.survey
end

-- Takes a record into the user's file and into the survey; a transcript with its port result.
-- @return what went wrong with the file, or nil
local function note(kept, record, result)
  local all, problem = survey(kept), nil
  if kept.save then problem = select(2, require "deepid.savefile".append(kept.save, record, kept)) end
  all:add(record, result)
  return problem and "not saved: " .. problem
end

local function note_greeting(kept, transcript) note(kept, transcript, kept.engine:identify(transcript)) end

local function scan_host(kept, host)
  local hosts = require "deepid.hosts"
  local record = hosts.record(host)
  kept.scanned[host.ip] = true
  local transcript = hosts.look_at_silence(record, host, kept, kept.silence)
  if transcript then note_greeting(kept, transcript) end
  return note(kept, record)
end

-- A transcript with the path to its port, and its port result; or nil and a message.
local function talk(kept, host, port)
  local path, collector = nil, require "deepid.path"
  if port.number == 25 and is_chosen() then
    local ttl = port.reason_ttl
    path = collector.collect({address = host.ip, number = 25, host = host, ttl = ttl and ttl > 0 and ttl or nil}, kept)
  end
  local adviser = setmetatable(kept.engine:adviser(), {__index = kept.session})
  local transcript, message = require "deepid.session".run(host, port, adviser)
  if transcript and path then
    collector.note_connection(path)
    transcript.path = path
  end
  return transcript, transcript and adviser.identify(transcript) or message
end

local function scan_port(kept, host, port)
  local deepid, output = require "deepid", require "deepid.output"
  local transcript, result = talk(kept, host, port)
  if not transcript then return "not identified: " .. result end
  local notes = knowledge_problems(kept)
  notes[#notes + 1] = note(kept, transcript, result)
  local record = output.version(result, transcript, port.version)
  if record then
    port.version = record
    nmap.set_port_version(host, port)
  end
  local text = deepid.report.text(result)
  for _, line in ipairs(notes) do text = text .. "\n  " .. line end
  return output.ordered(result, "result"), text
end

-- Control addresses that were not scanned as targets: their transcripts are judged with the others.
local function ask_controls(kept)
  local addresses = {}
  for _, address in ipairs(kept.control) do
    if not kept.scanned[address] then addresses[#addresses + 1] = address end
  end
  if not addresses[1] then return end
  for _, transcript in ipairs(require "deepid.controls".run(addresses, kept)) do note_greeting(kept, transcript) end
end

local ACTIONS = {
  portrule = function(host, port)
    local kept = state()
    if #kept.problems > 0 then return table.concat(kept.problems, "\n") end
    local engine, message = open_engine(kept)
    if not engine then return message end
    return scan_port(kept, host, port)
  end,
  hostrule = function(host) return scan_host(state(), host) end,
  postrule = function()
    local deepid = require "deepid"
    ask_controls(state())
    local object, message = deepid.verdict.judge(state().survey)
    if not object then return message end
    return require "deepid.output".ordered(object, "survey"), deepid.words.text(object)
  end,
}

-- Most modules are read when they are first needed, so that one is missing may show late.
action = function(...)
  local results = table.pack(pcall(ACTIONS[SCRIPT_TYPE], ...))
  if results[1] then return table.unpack(results, 2, results.n) end
  local missing = tostring(results[2]):match("module '(deepid[%w_.]*)' not found")
  if not missing then error(results[2], 0) end
  return cannot_load(missing, results[2])
end
