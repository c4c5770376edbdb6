--- What the script costs a scan: interleaved rounds of real Nmap against real servers; prints Markdown for bench/RESULTS.md.
--
-- Usage: bench/hosts.sh ROOT lua5.4 bench/scan.lua ROUNDS [PART...], as bench/run does it, from the repository's root. PARTs are one, many, far.

local ROUNDS = tonumber(arg[1]) or 9
local MANY_ROUNDS = 3 -- of the scans of many hosts, which take seconds
local WORK = "build/bench/hosts/"
local ONE, ALL = "240.1.0.25", "240.1-128.0.25 241.1-128.0.25"
local NAMED, HIDDEN = WORK .. "named", WORK .. "hidden" -- files of addresses

local NOTHING = [[
categories = {"safe"}
portrule = function() return true end
action = function() return "nothing" end
]]

local function write(path, text)
  local file = assert(io.open(path, "w"))
  file:write(text)
  file:close()
end

write(WORK .. "nothing.nse", NOTHING)
for _, what in ipairs { { NAMED, "mx" }, { HIDDEN, "hidden" } } do
  assert(os.execute(("awk '$2 ~ /^%s/ { print $1 }' %sexim %spostfix >%s"):format(what[2], WORK, WORK, what[1])))
end

local OURS = "--script ./scripts/smtp-deepid.nse --script-args smtp-deepid.depth="
local ALONE = { "Nmap alone", "" }
local BASE = { "a script that does nothing", "--script " .. WORK .. "nothing.nse" }
local BANNER = { "`banner`", "--script banner" }
local COMMANDS = { "`smtp-commands`", "--script smtp-commands" }
local BOTH = { "`banner,smtp-commands`", "--script banner,smtp-commands" }
local GREETING = { "smtp-deepid, the greeting alone", OURS .. "greeting" }
local ADAPTIVE = { "smtp-deepid, adaptive", OURS .. "adaptive" }
local NO_PATHS = { "smtp-deepid, the greeting alone, as an ordinary user, without `reference` ports", OURS .. "greeting,smtp-deepid.reference=none", is_user = true }
-- Of these one round of many hosts: they wait a minute for hosts that hide what they are.
local VERSION = { "`-sV`", "-sV --script " .. WORK .. "nothing.nse", is_slow = true }
local VERSION_ALL = { "`-sV --version-all`", "-sV --version-all --script " .. WORK .. "nothing.nse", is_slow = true }

-- Milliseconds of wall time and of CPU.
local function run(space, way, targets)
  local as = way.is_user and "setpriv --reuid=65534 --regid=65534 --clear-groups" or ""
  local command = ("ip netns exec %s %s nmap %s -n -Pn -p 25 %s %s >/dev/null 2>&1"):format(space, as, way.is_user and "--unprivileged" or "", way[2], targets)
  local pipe = assert(io.popen(("env -u LUA_PATH bash -c 'TIMEFORMAT=\"%%R %%U %%S\"; time %s' 2>&1"):format(command)))
  local text = pipe:read("a")
  pipe:close()
  local real, user, system = text:match("([%d.]+) ([%d.]+) ([%d.]+)%s*$")
  return 1000 * tonumber(real), 1000 * (tonumber(user) + tonumber(system))
end

local function median(list)
  table.sort(list)
  return list[(#list + 1) // 2]
end

-- Interleaved rounds: by way, the lists of wall and CPU times.
local function measure(space, ways, targets, rounds)
  local times = {}
  for _, way in ipairs(ways) do times[way] = { wall = {}, cpu = {} } end
  for round = 1, rounds do
    for _, way in ipairs(ways) do
      if round == 1 or targets == ONE or not way.is_slow then
        local wall, cpu = run(space, way, targets)
        table.insert(times[way].wall, wall)
        table.insert(times[way].cpu, cpu)
      end
    end
  end
  return times
end

local function spread(list, unit)
  local middle = median(list)
  return (unit == "s" and "%.2f (%.2f to %.2f)" or "%.0f (%.0f to %.0f)"):format(middle, list[1], list[#list])
end

local function seconds(list)
  local out = {}
  for i, ms in ipairs(list) do out[i] = ms / 1000 end
  return out
end

local function one_host()
  local ways = { ALONE, BASE, GREETING, ADAPTIVE, BANNER, COMMANDS, VERSION }
  local times = measure("servers", ways, ONE, ROUNDS)
  print "\n## A scan of one host\n"
  print(("A real Exim on loopback, port 25; %d interleaved rounds. The second line is what it takes Nmap to start its script engine.\n"):format(ROUNDS))
  print "| what | wall, ms: median (lowest to highest) | against a script that does nothing | CPU, ms: median (lowest to highest) | against it |"
  print "|---|---|---|---|---|"
  local base_wall, base_cpu = median(times[BASE].wall), median(times[BASE].cpu)
  for _, way in ipairs(ways) do
    local wall, cpu = times[way].wall, times[way].cpu
    print(("| %s | %s | %.2f× | %s | %.2f× |"):format(way[1], spread(wall), median(wall) / base_wall, spread(cpu), median(cpu) / base_cpu))
  end
end

local function many_hosts()
  local ways = { BASE, BANNER, COMMANDS, BOTH, GREETING, VERSION, ADAPTIVE, VERSION_ALL }
  run("servers", ADAPTIVE, ALL) -- Postfix starts its processes when they are first needed
  local fixed, times = measure("servers", ways, ONE, MANY_ROUNDS), measure("servers", ways, ALL, MANY_ROUNDS)
  print "\n## A scan of 256 hosts on loopback\n"
  print(("128 hosts of a real Exim and 128 of a real Postfix, port 25, a quarter of which do not say what they are; %d interleaved rounds, of `-sV` one. CPU a host is that of 256 hosts without that of one, over 255."):format(MANY_ROUNDS))
  print "The servers work on the same cores.\n"
  print "| what | wall, s: median (lowest to highest) | CPU, ms a host |"
  print "|---|---|---|"
  local each = {}
  for _, way in ipairs(ways) do
    each[way] = (median(times[way].cpu) - median(fixed[way].cpu)) / 255
    print(("| %s | %s | %.2f |"):format(way[1], spread(seconds(times[way].wall), "s"), each[way]))
  end
  local function against(own, peer)
    print(("\n%s against %s: %.2f× its time, %.2f× its CPU a host."):format(own[1], peer[1], median(times[own].wall) / median(times[peer].wall), each[own] / each[peer]))
  end
  against(GREETING, VERSION)
  against(ADAPTIVE, VERSION_ALL)
end

local function far_hosts(title, file)
  local ways = { BANNER, COMMANDS, NO_PATHS, GREETING, ADAPTIVE }
  local times = measure("scanner", ways, "-iL " .. file, MANY_ROUNDS)
  print(("\n### %s\n"):format(title))
  print "| what | wall, s: median (lowest to highest) | against `smtp-commands` |"
  print "|---|---|---|"
  for _, way in ipairs(ways) do
    print(("| %s | %s | %.2f× |"):format(way[1], spread(seconds(times[way].wall), "s"), median(times[way].wall) / median(times[COMMANDS].wall)))
  end
end

local PARTS = {
  one = one_host, many = many_hosts,
  far = function()
    print "\n## A scan of hosts 100 ms away\n"
    print "The same hosts behind a relay in user space that holds each packet for 50 ms. Nmap runs as root, so smtp-deepid also looks at how port 25 is reached: some nine SYNs a host, whose answers are read from a capture."
    far_hosts("192 that say what they are", NAMED)
    far_hosts("64 that hide it", HIDDEN)
  end,
}
for _, part in ipairs(arg[2] and table.move(arg, 2, #arg, 1, {}) or { "one", "many", "far" }) do PARTS[part]() end
