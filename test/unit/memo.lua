-- Results that are kept: each worked out once while somebody has it, and anew, the same, when memory was tidied up.

local t = require "tap"
local memo = require "deepid.memo"

local worked = {}
local upper = memo(function(text)
  worked[text] = (worked[text] or 0) + 1
  return { text:upper() }
end)

t.test("a text is worked out once while its result is held", function()
  local held = upper("ehlo")
  collectgarbage()
  t.ok(upper("ehlo") == held, "the same table")
  t.eq(worked.ehlo, 1)
  t.eq(upper("helo"), { "HELO" })
end)

t.test("what nobody holds may go, and comes back the same", function()
  t.eq(upper("noop"), { "NOOP" })
  collectgarbage()
  t.eq(upper("noop"), { "NOOP" })
  t.eq(worked.noop, 2)
end)

t.done()
