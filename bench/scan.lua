--- What the script costs a scan: one host that greets, interleaved rounds of real Nmap; prints Markdown for bench/RESULTS.md.
--
-- Usage: test/in-net lua5.4 bench/scan.lua ROUNDS, from the repository's root, with LUA_PATH="lua/?.lua;test/?.lua;;"

local peers = require "peers"

local ROUNDS = tonumber(arg[1]) or 15
local PORT = 2525
local NOTHING = [[
categories = {"safe"}
portrule = function() return true end
action = function() return "nothing" end
]]

local all = peers.start("script", { "127.0.62." })
local address
for _, peer in ipairs(all.list) do address = peer.name == "exim" and peer.address or address end
local nothing = all:file "nothing.nse"
local file = assert(io.open(nothing, "w"))
file:write(NOTHING)
file:close()

local OURS = "--script ./scripts/smtp-deepid.nse --script-args smtp-deepid.depth="
local WAYS = {
  { "Nmap alone", "" },
  { "a script that does nothing", "--script " .. nothing },
  { "smtp-deepid, the greeting alone", OURS .. "greeting" },
  { "smtp-deepid, adaptive", OURS .. "adaptive" },
  { "Nmap's `banner`", "--script banner" },
  { "`-sV`", "-sV --script " .. nothing },
}

-- Milliseconds of wall time and of CPU, children's included.
local function run(arguments)
  local command = ("env -u LUA_PATH nmap -Pn -n -p %d %s %s >/dev/null"):format(PORT, arguments, address)
  local text = peers.output(("bash -c 'TIMEFORMAT=\"%%R %%U %%S\"; time %s' 2>&1"):format(command:gsub("'", "")))
  local real, user, system = text:match("([%d.]+) ([%d.]+) ([%d.]+)%s*$")
  return 1000 * tonumber(real), 1000 * (tonumber(user) + tonumber(system))
end

local function median(list)
  table.sort(list)
  return list[(#list + 1) // 2]
end

local wall, cpu = {}, {}
for i in ipairs(WAYS) do wall[i], cpu[i] = {}, {} end
for _ = 1, ROUNDS do
  for i, way in ipairs(WAYS) do wall[i][#wall[i] + 1], cpu[i][#cpu[i] + 1] = run(way[2]) end
end

print "\n## A scan of one host\n"
print(("One host that greets as Exim, without delay; %d interleaved rounds. The second line is what it takes Nmap to start its script engine.\n"):format(ROUNDS))
print "| what | wall, ms: median (lowest to highest) | against a script that does nothing | CPU, ms: median | against it |"
print "|---|---|---|---|---|"
local base_wall, base_cpu = median(wall[2]), median(cpu[2])
for i, way in ipairs(WAYS) do
  local middle, work = median(wall[i]), median(cpu[i])
  print(("| %s | %.0f (%.0f to %.0f) | %.2f× | %.0f | %.2f× |"):format(way[1], middle, wall[i][1], wall[i][#wall[i]], middle / base_wall, work, work / base_cpu))
end
