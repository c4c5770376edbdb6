--- A small TAP producer: one `test` a line of output, values compared deeply.
--
-- @usage
-- local t = require "tap"
-- t.test("adds", function() t.eq(1 + 1, 2) end)
-- t.done()

local M = {}

local count, failed = 0, 0

local function show(value, depth)
  if type(value) == "string" then
    return (string.format("%q", value):gsub("\\\n", "\\n"))
  elseif type(value) ~= "table" or (depth or 0) > 6 then
    return tostring(value)
  end
  local keys, parts = {}, {}
  for key in pairs(value) do keys[#keys + 1] = key end
  table.sort(keys, function(a, b) return tostring(a) < tostring(b) end)
  for _, key in ipairs(keys) do
    parts[#parts + 1] = tostring(key) .. "=" .. show(value[key], (depth or 0) + 1)
  end
  return "{" .. table.concat(parts, ", ") .. "}"
end

local function same(a, b)
  if type(a) ~= "table" or type(b) ~= "table" then return a == b end
  for key, value in pairs(a) do
    if not same(value, b[key]) then return false end
  end
  for key in pairs(b) do
    if a[key] == nil then return false end
  end
  return true
end

local function fail(message) error({ tap = message }, 0) end

--- Fails unless both values are the same; tables are compared by content.
function M.eq(got, want, note)
  if not same(got, want) then
    fail(("%sgot %s, want %s"):format(note and note .. ": " or "", show(got), show(want)))
  end
end

--- Fails unless the value is true in Lua's sense.
function M.ok(value, note)
  if not value then fail((note or "not true") .. ": " .. show(value)) end
end

--- Fails unless the string holds the Lua pattern (or, with plain, the text).
function M.has(text, pattern, plain)
  if type(text) ~= "string" or not text:find(pattern, 1, plain) then
    fail(("no %s in %s"):format(show(pattern), show(text)))
  end
end

--- Fails unless calling the function raises an error that holds the pattern.
function M.raises(pattern, call, ...)
  local ok, message = pcall(call, ...)
  if ok then fail("no error was raised") end
  M.has(tostring(message), pattern)
end

--- Ends the running test as skipped, with the reason.
function M.skip(reason) error({ skip = reason }, 0) end

--- Runs one test and prints its TAP line.
function M.test(name, body)
  count = count + 1
  local ok, problem = xpcall(body, function(e)
    return type(e) == "table" and e or { tap = debug.traceback(tostring(e), 2) }
  end)
  name = name:gsub("[\r\n#]", " ")
  if ok then
    print(("ok %d - %s"):format(count, name))
  elseif problem.skip then
    print(("ok %d - %s # SKIP %s"):format(count, name, problem.skip))
  else
    failed = failed + 1
    print(("not ok %d - %s"):format(count, name))
    print("# " .. problem.tap:gsub("\n", "\n# "))
  end
end

--- Prints the plan and ends the process; exit status 1 when a test failed.
function M.done()
  print("1.." .. count)
  os.exit(failed == 0 and 0 or 1, true)
end

return M
