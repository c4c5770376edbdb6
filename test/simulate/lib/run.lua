--- The whole simulation: `make simulate`. Prints what doc/uniformity.md keeps.
--
--   run.lua [SCANS [SEED]]        both, in two processes
--   run.lua --part SCANS SEED     one process' share, as a line of JSON

local json = require "deepid.json"
local judge = require "judge"

local WORLD, EACH = 20000, 150 -- hosts in a world, scans of it
local FOUND = { intercepted = true, uniform = true }

-- One scan in ten has something in the way, as far as the reliability table goes; how, is drawn.
local ODD_SHARE = 1 / 9

local function odd_scans(seed, count, sure)
  local random = require("world").random(seed)
  for i = 1, count // 20 do
    local size = random.pick({ 8, 12, 24, 50, 100 })
    local hit = math.max(3, math.floor(size * random.pick({ 0.1, 0.25, 0.5, 1 })))
    local options = { notice = random.chance(0.3), drops = random.chance(0.15), at = random.pick({ 1, 2, 3, 5 }) }
    local wanted = options.drops and { blocked = true } or FOUND
    if options.drops then hit = size end
    judge.detection(seed + i, 20, size, hit, options, wanted, sure)
  end
end

local function part(scans, seed)
  local result = judge.honest(seed, scans, WORLD, EACH)
  odd_scans(seed * 31, math.floor(scans * ODD_SHARE), result.sure)
  local alarms = json.array()
  for i, alarm in ipairs(result.false_alarms) do
    local first = alarm.object.evidence[1]
    alarms[i] = ("%s of %d targets: %s"):format(alarm.verdict, #alarm.targets, first and first.says or "")
  end
  result.false_alarms = alarms
  return json.encode(result)
end

local function merge(into, from)
  for key, value in pairs(from) do
    if type(value) == "number" then
      into[key] = (into[key] or 0) + value
    elseif #value > 0 then
      into[key] = table.move(value, 1, #value, #(into[key] or {}) + 1, into[key] or {})
    else
      into[key] = merge(into[key] or {}, value)
    end
  end
  return into
end

local function in_two_processes(scans, seed)
  local pipes, total = {}, {}
  for i = 1, 2 do
    pipes[i] = assert(io.popen(("%s %s --part %d %d"):format(arg[-1], arg[0], scans // 2, seed * 2 + i)))
  end
  for i = 1, 2 do
    merge(total, assert(json.decode(pipes[i]:read("a"))))
    pipes[i]:close()
  end
  return total
end

local function sorted(set)
  local keys = {}
  for key in pairs(set) do keys[#keys + 1] = key end
  table.sort(keys)
  return keys
end

local function print_curve(title, hits, options)
  io.write(title, ":")
  for _, case in ipairs(hits) do
    io.write((" %d of %d %.3f;"):format(case[2], case[1], judge.detection(case[1] * 1000 + case[2], 500, case[1], case[2], options, FOUND)))
  end
  io.write("\n")
end

local function whole(scans, seed)
  local started, total = os.time(), in_two_processes(scans, seed)
  print(("seed %d: %d honest scans of %d hosts in all, %d s"):format(seed, total.scans, total.hosts, os.time() - started))
  for _, verdict in ipairs(sorted(total.verdicts)) do print(("  %-13s %d"):format(verdict, total.verdicts[verdict])) end
  print(("false alarms: %d"):format(#(total.false_alarms or {})))
  for _, alarm in ipairs(total.false_alarms or {}) do print("  " .. alarm) end
  print(("uniform, and one owner's appliances under one name: %d"):format(total.fleets))
  print("reliability (one scan in ten has something in the way): said with, times, right")
  for _, key in ipairs(sorted(total.sure)) do
    local said = total.sure[key]
    print(("  %-18s %6d  %.3f"):format(key, said.said, said.right / said.said))
  end
  local scan = { privileged = false, timed = false, named = true }
  print_curve("one host name, no path evidence", { { 24, 2 }, { 24, 3 }, { 24, 4 }, { 100, 4 }, { 100, 5 }, { 100, 6 } }, { apart = true, scan = scan })
  print_curve("one refusal, no path evidence", { { 24, 4 }, { 24, 5 }, { 24, 6 }, { 24, 12 }, { 24, 24 }, { 100, 8 } }, { apart = true, notice = true, scan = scan })
  return #(total.false_alarms or {}) == 0
end

if arg[1] == "--part" then
  print(part(tonumber(arg[2]), tonumber(arg[3])))
else
  os.exit(whole(tonumber(arg[1]) or 32000, tonumber(arg[2]) or 1000))
end
