--- From Lua: the core against a loop over lrexlib, to the first match with its captures.
--
--   lua.lua RULES REPLIES ROUNDS COUNT    both files of bench/rules.lua, and the program of bench/count.c, which times the same replies
--                                         in C; prints rows of a table

local rex = require "rex_pcre2"
local core = assert(require("deepid.core").load())

local function read(path)
  local file, list, at = assert(io.open(path, "rb")), {}, 1
  local text = file:read("a")
  file:close()
  while at <= #text do
    local bytes, flags
    bytes, flags, at = string.unpack("<s4s1", text, at)
    list[#list + 1] = { pattern = bytes, flags = flags, slot = 1 }
  end
  return list
end

local rules, replies, rounds = read(arg[1]), read(arg[2]), tonumber(arg[3])
for i, reply in ipairs(replies) do replies[i] = reply.pattern end -- strings alone, as the program in C has them

local set = core.fpset(rules)
local compiled = {}
for _, rule in ipairs(rules) do
  local ok, one = pcall(rex.new, rule.pattern, (rule.flags:find "i" and rex.flags().CASELESS or 0) | (rule.flags:find "s" and rex.flags().DOTALL or 0))
  if ok then
    pcall(one.jit_compile, one)
    compiled[#compiled + 1] = one
  end
end

local function ours(reply) return set:first(reply) end

local function lrexlib(reply)
  for i = 1, #compiled do
    local one = compiled[i]
    if one:match(reply) then return i, one:match(reply) end -- twice, lest a table be made for each that does not match
  end
end

-- What a string alone costs in Lua: the first capture, cut out where it is known to stand.
local from, to = {}, {}
for i, reply in ipairs(replies) do
  local _, capture = set:first(reply)
  from[i], to[i] = reply:find(capture or "", 1, true)
end

local function one_string(reply, i) return reply:sub(from[i], to[i]) end

local function per_reply(call, most)
  local count, start = 0, os.clock()
  for i = 1, math.min(most, #replies) do
    call(replies[i], i)
    count = count + 1
  end
  return (os.clock() - start) / count * 1e9
end

local function median(list)
  table.sort(list)
  return list[#list // 2 + 1], list[1], list[#list]
end

local function in_c()
  local pipe = assert(io.popen(("%s %s time"):format(arg[4], arg[1])))
  local ns = assert(tonumber((pipe:read "l")))
  pipe:close()
  return ns
end

local times = { {}, {}, {}, {} }
for round = 0, rounds do
  local took = { per_reply(lrexlib, 1000), per_reply(ours, 20000), in_c(), per_reply(one_string, 20000) }
  for i = 1, round > 0 and 4 or 0 do table.insert(times[i], took[i]) end
end
local slow, slow_low, slow_high = median(times[1])
local fast, fast_low, fast_high = median(times[2])
local bare, bare_low, bare_high = median(times[3])
local cut, cut_low, cut_high = median(times[4])
print(("\n### From %s, captures included\n"):format(_VERSION))
print "| engine | ns a reply: median (lowest to highest) | faster than lrexlib |\n|---|---|---|"
print(("| a loop over lrexlib (%s), PCRE2 JIT | %.0f (%.0f to %.0f) | 1.0× |"):format(rex._VERSION, slow, slow_low, slow_high))
print(("| the same in C, without strings for the captures | %.0f (%.0f to %.0f) | %.1f× |"):format(bare, bare_low, bare_high, slow / bare))
print(("| core.fpset, set:first | %.0f (%.0f to %.0f) | %.1f× |"):format(fast, fast_low, fast_high, slow / fast))
print(("| `string.sub` alone, for the first capture at a known place | %.0f (%.0f to %.0f) | |"):format(cut, cut_low, cut_high))
print(("\nThe call from Lua takes %.1f× the time of the call in C."):format(fast / bare))
