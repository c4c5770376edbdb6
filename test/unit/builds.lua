--- Build numbers: each row of the tables has a form and a name, and a version finds its row.

local t = require "tap"
local builds = require "deepid.builds"
local knowledge = require "deepid.knowledge"

local folder = assert(knowledge.find())
local tables = assert(builds.open(folder))

for name, form in pairs({ exchange = "^%d+%.%d+%.%d+%.%d+\tExchange %w+ %w[%w ()]*$", windows = "^%d+\tWindows [%w ]+$" }) do
  t.test(name .. ": every row is a build and a name, none twice", function()
    local seen = {}
    for line in io.lines(("%s/%s.tsv"):format(folder, name)) do
      if not line:find("^#") then
        local build = line:match(form) and line:match("^[%d.]+")
        t.ok(build and not seen[build], line)
        seen[build] = true
      end
    end
    t.ok(next(seen), "empty")
  end)
end

t.test("Exchange", function()
  t.eq(builds.exchange(tables, "15.1.2507.37"), "Exchange 2016 CU23 Mar24SU")
  t.eq(builds.exchange(tables, "15.01.2507.037"), "Exchange 2016 CU23 Mar24SU")
  t.eq(builds.exchange(tables, "15.2.1544.4"), "Exchange 2019 CU14")
  t.eq(builds.exchange(tables, "15.2.1544.9999"), "Exchange 2019 CU14, updated")
  t.eq(builds.exchange(tables, "15.2.1"), nil)
  t.eq(builds.exchange(tables, "5.5.2651.58"), nil)
end)

t.test("Windows", function()
  t.eq(builds.windows(tables, "6.0.3790.4675"), "Windows Server 2003")
  t.eq(builds.windows(tables, "10.0.20348"), "Windows Server 2022")
  t.eq(builds.windows(tables, "10.0.20"), nil)
  t.eq(builds.windows(tables, "20348"), nil)
end)

t.test("a missing table", function()
  local none, message = builds.open("/nonexistent")
  t.eq(none, nil)
  t.has(message, "/nonexistent/exchange.tsv", true)
end)

t.done()
