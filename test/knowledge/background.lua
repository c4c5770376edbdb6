--- The tables of what is common by itself: they are read, each row has a source, and a broken row is named.

local catalogue = require "deepid.catalogue"
local t = require "tap"

t.test("the shipped tables are read", function()
  local read = assert(catalogue.open())
  for _, kind in ipairs({ "hostname", "certificate", "notice" }) do t.ok(#read.classes[kind] > 0, kind) end
  t.eq({ read:provider("mx.google.com"), read:provider("EXAMPLE-com.mail.protection.outlook.com"), read:provider("alt1.aspmx.l.google.com") },
    { "google", "microsoft", "google" })
  t.eq({ read:provider("google.com.own.net"), read:provider("notgoogle.com"), read:provider("com") }, {})
  t.ok(read:common_text("notice", "554 Blocked using ZEN.spamhaus.org"))
  t.eq(read:common_text("notice", "554 not today"), nil)
end)

local function with_tables(providers, background, body)
  local folder = os.tmpname()
  os.remove(folder)
  assert(os.execute("mkdir " .. folder))
  for name, text in pairs({ providers = providers, background = background }) do
    local file = assert(io.open(("%s/%s.tsv"):format(folder, name), "w"))
    file:write(text)
    file:close()
  end
  local ok, problem = pcall(body, folder)
  os.execute("rm -r " .. folder)
  if not ok then error(problem, 0) end
end

for name, case in pairs({
  ["a provider without a source"] = { "a\tb.net\t\n", "", "providers.tsv:1" },
  ["a class that is no number"] = { "a\tb.net\tx\n", "# c\nclass\thostname\t1 x\ty\n", "background.tsv:2" },
  ["an unknown kind of row"] = { "", "clazz\thostname\t1 0.1\ty\n", "background.tsv:1" },
  ["a text without a source"] = { "", "common\tnotice\ttext\n", "background.tsv:1" },
}) do
  t.test(name, function()
    with_tables(case[1], case[2], function(folder)
      local read, message = catalogue.open(folder)
      t.eq(read, nil)
      t.has(message, case[3], true)
    end)
  end)
end

t.test("a missing table", function()
  local read, message = catalogue.open("/nonexistent")
  t.eq(read, nil)
  t.has(message, "/nonexistent/providers.tsv", true)
end)

t.done()
