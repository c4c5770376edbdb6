--- The Lua example of the README runs, and prints what it says.

local t = require "tap"

local file = assert(io.open("README.md"))
local text = file:read("a")
file:close()

local count = 0
for code in text:gmatch("\n```lua\n(.-)\n```\n") do
  count = count + 1
  t.test("example " .. count, function()
    local printed, wanted = {}, {}
    local function catch(...)
      local parts = table.pack(...)
      for i = 1, parts.n do parts[i] = tostring(parts[i]) end
      printed[#printed + 1] = table.concat(parts, "\t")
    end
    for line in code:gmatch("%-%->%s*([^\n]*)") do wanted[#wanted + 1] = line end
    local environment = setmetatable({ print = catch }, { __index = _G })
    assert(load(code, "README.md", "t", environment))()
    t.ok(#wanted > 0, "the example says what it prints")
    t.eq(printed, wanted)
  end)
end
t.test("there is an example", function() t.ok(count > 0, "none") end)
t.done()
