#!/usr/bin/env lua5.4
--- The frozen recordings against the shipped table: what comes out is what doc/accuracy.md says.

local t = require "tap"
local accuracy = require "accuracy.lib.accuracy"

local file = assert(io.open("doc/accuracy.md", "rb"))
local document = file:read("a")
file:close()

t.test("doc/accuracy.md has the numbers of the frozen recordings", function()
  t.eq(document:match("<!%-%- frozen %-%->\n(.-)<!%-%- end %-%->"), accuracy.text("frozen"))
end)

t.done()
