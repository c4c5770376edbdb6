-- The C core through its Lua binding, and the loader that finds it.

local t = require "tap"
local loader = require "deepid.core"
local core = assert(loader.load())

local VERSION = _VERSION:match "%d%.%d"
local OTHER = VERSION == "5.3" and "5.4" or "5.3"

-- Each argument a pattern's text, or a table {text, slot, flags}.
local function set_of(options, ...)
  local patterns = {}
  for i, p in ipairs { ... } do
    if type(p) == "string" then p = { p } end
    patterns[i] = { pattern = p[1], slot = p[2], flags = p[3] }
  end
  return core.fpset(patterns, options)
end

local function hit(rule, ...) return { rule = rule, n = select("#", ...), ... } end

t.test("the core says what it is", function()
  t.eq(core.lua, VERSION)
  t.has(core.release, "^%d+%.%d+%.%d+$")
  t.has(core.pcre, "^10%.%d+ ")
  t.eq(core.REPLY_MAX, 65536)
end)

t.test("beyond the budget, each candidate is told as given up on", function()
  local hits, stuck = set_of({ budget = 3 }, "^220 a", { "z", 1 }, "^220", { "220", 1 }, "^22"):match("220 a")
  t.eq({ #hits, stuck }, { 2, { 4, 5 } })
  t.eq(#set_of({ budget = 5 }, "a", "a"):match("a"), 2)
end)

t.test("a trusted pattern that does not compile is told as given up on, and has no captures", function()
  local set, errors = set_of({ trusted = true }, "(a)", "(")
  local hits, stuck = set:match("(a")
  t.eq({ #errors, #hits, stuck, set:captures(1), set:captures(2) or "none" }, { 0, 1, { 2 }, 1, "none" })
end)

t.test("without the filter what is stuck is told that the filter knows to fail", function()
  local reply = ("a"):rep(40) .. "b"
  for filter, told in pairs { [true] = false, [false] = true } do
    local _, stuck = set_of({ filter = filter }, "^(?:a+)+.*c[bB]"):match(reply)
    t.eq(stuck ~= nil, told, tostring(filter))
  end
end)

t.test("it is loaded once", function() t.ok(loader.load() == core) end)

-- One table of cases, for the JIT and for the interpreter: name, patterns, reply, hits, and the rest where it is not the usual.
local CASES = {
  { "captures, unset ones false", { "^220 (\\S+) (x)?ESMTP (\\S*)" }, "220 mx ESMTP \r\n", { hit(1, "mx", false, "") } },
  { "no match", { "^250" }, "220 mx\r\n", {} },
  { "slots", { { "x", 1 }, { "a", 1 }, { "b", 1 }, "b", { "a", 31 }, { "b", 31 } }, "ab", { hit(2), hit(4), hit(5) } },
  { "flags", { "A", { "A", 0, "i" }, { "^b$", 0, "m" }, { "a.b", 0, "s" }, { "A.B$", 0, "sim" } }, "a\nb",
    { hit(2), hit(3), hit(4), hit(5) } },
  { "NULs in pattern, reply and capture", { { "a\0(.\0.)", 0, "s" } }, "xa\0\0\0\0b", { hit(1, "\0\0\0") } },
  { "8-bit bytes", { "(\\xff\xe9)" }, "\xff\xe9", { hit(1, "\xff\xe9") } },
  { "an empty reply", { "^$", "a" }, "", { hit(1) } },
  { "the cap", { "abc$", "(ab.)", "d" }, "abcd", { hit(2, "abc") }, options = { cap = 3 }, truncated = true },
  { "just the cap", { "abc$" }, "abc", { hit(1) }, options = { cap = 3 } },
  { "the usual cap", { "b", "a$" }, ("a"):rep(4096) .. "b", {}, truncated = true },
  { "the largest cap", { "b$", "a$" }, ("a"):rep(65535) .. "b", { hit(1) }, options = { cap = 65536 } },
  { "beyond the largest cap", { "b$", "b" }, ("a"):rep(65535) .. "bc", { hit(2) }, options = { cap = 65536 }, truncated = true },
  { "stuck", { { "(?:a+)+$", 1 }, { "(b)", 1 } }, ("a"):rep(40) .. "b", { hit(2, "b") }, stuck = { 1 } },
  { "stuck twice", { "(?:a+)+$", "b", "(?:a|a)+$" }, ("a"):rep(40) .. "b", { hit(2) }, stuck = { 1, 3 } },
  { "a bad pattern among good ones", { "(a)", "(", "(b)" }, "ab", { hit(1, "a"), hit(3, "b") } },
  { "many hits", { "a", "b", "c", "(d)", "e", "f", "g" }, "abcdefg",
    { hit(1), hit(2), hit(3), hit(4, "d"), hit(5), hit(6), hit(7) } },
}

for _, case in ipairs(CASES) do
  for _, jit in ipairs { true, false } do
    t.test(case[1] .. (jit and ", JIT" or ", interpreted"), function()
      local options = { jit = jit, cap = case.options and case.options.cap }
      local hits, stuck, truncated = set_of(options, table.unpack(case[2])):match(case[3])
      t.eq(hits, case[4])
      t.eq(stuck, case.stuck)
      t.eq(truncated, case.truncated or false)
    end)
  end
end

t.test("first() and rules() say what match() says", function()
  for _, case in ipairs(CASES) do
    local set, first = set_of({ cap = case.options and case.options.cap }, table.unpack(case[2])), case[4][1]
    local indices = {}
    for i, found in ipairs(case[4]) do indices[i] = found.rule end
    t.eq({ set:first(case[3]) }, first and { first.rule, table.unpack(first, 1, first.n) } or {}, case[1])
    t.eq({ set:rules(case[3]) }, indices, case[1])
  end
  local many = {}
  for i = 1, 2000 do many[i] = "a" end
  t.eq(select("#", set_of({ budget = 5000 }, table.unpack(many)):rules("a")), 2000)
  t.raises("string expected", set_of(nil, "a").first, set_of(nil, "a"), {})
  t.raises("string expected", set_of(nil, "a").rules, set_of(nil, "a"))
end)

t.test("errors have index, offset and message; a good set has none", function()
  local set, errors = set_of(nil, "a", "b(c", "d", "[z-a]")
  t.eq(#errors, 2)
  t.eq({ errors[1].index, errors[1].offset, errors[2].index }, { 2, 3, 4 })
  t.has(errors[1].message, "parenthesis")
  t.has(errors[2].message, "range")
  t.eq(#set, 4)
  t.eq(select(2, set_of(nil, "a")), {})
end)

t.test("captures() counts groups", function()
  local set = set_of(nil, "a", "(a)(?:b)(?<name>c)", "(")
  t.eq({ set:captures(1), set:captures(2) }, { 0, 2 })
  t.eq(set:captures(3), nil)
  t.raises("no such pattern", set.captures, set, 4)
  t.raises("no such pattern", set.captures, set, 0)
end)

t.test("jitted() counts machine code", function()
  t.eq(set_of({ jit = true }, "a", "b", "("):jitted(), 2)
  t.eq(set_of({ jit = false }, "a", "b", "("):jitted(), 0)
end)

t.test("an empty set is a set", function()
  local set, errors = core.fpset({}, nil)
  t.eq({ #set, errors }, { 0, {} })
  t.eq({ set:match "a" }, { {}, nil, false })
end)

t.test("options change the limits", function()
  local reply = ("a"):rep(12) .. "b"
  for _, jit in ipairs { true, false } do
    t.eq(select(2, set_of({ jit = jit }, "(?:a+)+$"):match(reply)), nil)
    t.eq(select(2, set_of({ jit = jit, steps = 20 }, "(?:a+)+$"):match(reply)), { 1 })
  end
  local deep = ("a"):rep(3000) .. "c"
  t.eq(select(2, set_of({ jit = false }, "^(?:(a)|b)*c"):match(deep)), { 1 })
  t.eq(select(2, set_of({ jit = false, depth = 10000 }, "^(?:(a)|b)*c"):match(deep)), nil)
  t.eq(select(2, set_of({ jit = false, depth = 10000, heap = 20 }, "^(?:(a)|b)*c"):match(deep)), { 1 })
end)

t.test("the caller's mistakes raise", function()
  local set = set_of(nil, "a")
  for _, case in ipairs {
    { "table expected", nil }, { "table expected", "a" }, { "pattern 1 is no table", { "a" } },
    { "pattern 2: pattern must be a string", { { pattern = "a" }, {} } },
    { "pattern must be a string", { { pattern = 1 } } },
    { "flags must be a string", { { pattern = "a", flags = 1 } } },
    { "flags must be of", { { pattern = "a", flags = "ix" } } },
    { "slot must be an integer from 0 to 31", { { pattern = "a", slot = 32 } } },
    { "slot must be", { { pattern = "a", slot = -1 } } }, { "slot must be", { { pattern = "a", slot = 1.5 } } },
    { "slot must be", { { pattern = "a", slot = "x" } } },
    { "table expected", {}, 1 }, { "steps must be an integer", {}, { steps = 0 } },
    { "depth must be an integer", {}, { depth = "many" } }, { "heap must be", {}, { heap = 2 ^ 32 } },
    { "cap must be an integer from 1 to 65536", {}, { cap = 65537 } }, { "cap must be", {}, { cap = 0 } },
    { "jit must be a boolean", {}, { jit = 1 } },
  } do
    t.raises(case[1], core.fpset, case[2], case[3])
  end
  t.raises("string expected", set.match, set)
  t.raises("string expected", set.match, set, 220)
  t.raises("deepid.fpset expected", set.match, {}, "a")
  t.raises("deepid.fpset expected", set.match, io.stdout, "a")
  t.raises("number expected", set.captures, set, "x")
end)

t.test("a closed set raises, and closes twice", function()
  local set = set_of(nil, "a")
  local close = getmetatable(set).__close
  close(set)
  close(set)
  t.raises("closed", set.match, set, "a")
  t.raises("closed", set.jitted, set)
  t.raises("closed", function() return #set end)
end)

t.test("under an eager collector, captures stay what they are", function()
  local pause, step = collectgarbage("setpause", 1), collectgarbage("setstepmul", 1000)
  for i = 1, 300 do
    local host = "mx" .. i
    local set = set_of(nil, "^220 (\\S+) (.*)", "(", "(\\d+)")
    t.eq(set:match("220 " .. host .. " ESMTP"), { hit(1, host, "ESMTP"), hit(3, "220") })
  end
  collectgarbage("setpause", pause)
  collectgarbage("setstepmul", step)
end)

t.test("a finalizer may match with the very set that is matching", function()
  local set, nested, wrong = set_of(nil, "(a+)(b+)", "(b+)(c+)"), 0, 0
  local meta = {}
  function meta.__gc()
    nested = nested + 1
    local ok, hits = pcall(set.match, set, "bbbbbbbbcc")
    if not ok or hits[1][2] ~= "cc" then wrong = wrong + 1 end
    setmetatable({}, meta)
  end
  setmetatable({}, meta)
  local pause, step = collectgarbage("setpause", 1), collectgarbage("setstepmul", 1000)
  for _ = 1, 3000 do
    local hits = set:match "aabbc"
    if hits[1][1] ~= "aa" or hits[1][2] ~= "bb" or hits[2][2] ~= "c" then t.eq(hits, "the captures of aabbc") end
  end
  meta.__gc = nil
  collectgarbage("setpause", pause)
  collectgarbage("setstepmul", step)
  t.eq(wrong, 0, "wrong answers in finalizers")
  t.ok(nested > 10, "finalizers that ran: " .. nested)
end)

-- Loading

local FOLDER = "lua/deepid/"

-- Runs chunk with this very Lua in a folder made for it, core.lua in lua/deepid/; returns what it prints.
local function in_folder(prepare, chunk)
  local folder = os.tmpname()
  os.remove(folder)
  local lua = "lua" .. VERSION
  local script = ([[
    set -e; mkdir -p %s/lua/deepid; cp %score.lua %s/lua/deepid; %s
    cd %s; %s -e 'package.path = "lua/?.lua"' -e '%s' 2>&1 || true; cd /; rm -rf %s
  ]]):format(folder, FOLDER, folder, prepare:gsub("DIR", folder), folder, lua, chunk:gsub("DIR", folder), folder)
  local pipe = assert(io.popen(script))
  local output = pipe:read "a"
  pipe:close()
  return output
end

local REPORT = [[print(require "deepid.core".load())]]
local CORE = FOLDER .. "core-" .. VERSION .. ".so"

t.test("a core beside core.lua is found", function()
  t.has(in_folder("cp " .. CORE .. " DIR/lua/deepid", REPORT), "^table: ")
end)

t.test("a core on an absolute template of package.cpath is found", function()
  t.has(in_folder("mkdir -p DIR/lib/deepid; cp " .. CORE .. " DIR/lib/deepid", [[package.cpath = "./?.so;DIR/lib/?.so"; ]] .. REPORT),
    "^table: ")
end)

t.test("a core in the current folder is never loaded", function()
  local output = in_folder("mkdir -p DIR/deepid; cp " .. CORE .. " DIR/deepid; cp " .. CORE .. " DIR",
    [[package.cpath = "./?.so;?.so"; ]] .. REPORT)
  t.has(output, "^nil\t.*no core%-" .. VERSION .. ".so beside")
end)

t.test("a missing core: nothing raises, and the message names the remedy", function()
  t.has(in_folder("", [[package.cpath = ""; ]] .. REPORT), "^nil\t.*make install")
  t.has(in_folder("mkdir -p DIR/csrc; touch DIR/csrc/lcore.c", [[package.cpath = ""; ]] .. REPORT), "^nil\t.*run `make`")
end)

t.test("a corrupt core: the message names the file and the remedy", function()
  -- Cut short, a library kills the process that maps it, unless that is seen before.
  for _, spoil in ipairs { "head -c 5000 " .. CORE, "head -c -1 " .. CORE, "head -c 40 " .. CORE, "echo no library", "true" } do
    local output = in_folder(spoil .. " > DIR/lua/deepid/core-" .. VERSION .. ".so", REPORT)
    t.has(output, "^nil\t.*lua/deepid/core%-" .. VERSION .. "%.so does not load: .*make install")
  end
end)

t.test("the core of the other Lua is refused in plain words", function()
  local wrong = FOLDER .. "core-" .. OTHER .. ".so"
  local output = in_folder("cp " .. wrong .. " DIR/lua/deepid/core-" .. VERSION .. ".so", REPORT)
  t.has(output, ("this core is built for Lua %s, but Lua %s loads it"):format(OTHER, VERSION), true)
  local opener = assert(package.loadlib(wrong, "luaopen_deepid_core"))
  t.raises(("built for Lua %s, but Lua %s loads it"):format(OTHER, VERSION), opener)
end)

t.test("a Lua that no core is made for is told so", function()
  t.has(in_folder("", [[_VERSION = "Lua 5.9"; package.cpath = ""; ]] .. REPORT), "^nil\t.*made for Lua 5.3 and 5.4 only")
end)

t.done()
