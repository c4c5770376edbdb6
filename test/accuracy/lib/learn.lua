--- Writes the table of dialects from the recordings that are not frozen: `make learn`.

local learn = require "deepid.learn"
local recorded = require "accuracy.lib.recorded"

io.write("# How servers answer: made by `make learn` from test/transcripts; lua/deepid/dialect_table.lua says how to read it.\n")
io.write(learn.write(recorded.learnable(recorded.all()), recorded.kinds()))
