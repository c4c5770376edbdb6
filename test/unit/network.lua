--- Networks, registered domains, generic and line providers' names, units.

local network = require "deepid.network"
local t = require "tap"

for _, case in ipairs({
  { "192.0.2.7", "192.0.0.0/16" }, { "10.1.2.3", "private" }, { "172.31.0.1", "private" }, { "172.32.0.1", "172.32.0.0/16" }, { "100.64.1.1", "private" },
  { "100.63.1.1", "100.63.0.0/16" }, { "2001:db8:1:2::25", "2001:db8::/32" }, { "2001:DB8::1", "2001:db8::/32" }, { "2001:0db8:0001:0:0:0:0:1", "2001:db8::/32" },
  { "fd00::1", "private" }, { "fe80::1%eth0", "private" }, { "::ffff:192.0.2.7", "192.0.0.0/16" }, { "1:2:3", nil }, { "mail.example.org", nil }, { "12345::1", nil },
  { "256.1.1.1", nil }, { "1.2.256.1", nil }, { "1.2.3", nil }, { "fe80::1%e\27", nil },
}) do
  t.test("network of " .. case[1], function() t.eq(network.of(case[1]), case[2]) end)
end

for name, want in pairs({
  ["mail.own.org"] = "own.org", ["MX1.Sub.Own.Co.UK."] = "own.co.uk", ["own.co.uk"] = "own.co.uk", ["a.b.com.br"] = "b.com.br", ["x.own.de"] = "own.de",
  ["host-1-2-3-4.isp.ne.jp"] = "isp.ne.jp",
}) do
  t.test("registered domain of " .. name, function() t.eq(network.registered_domain(name), want) end)
end

t.test("what has no registered domain", function()
  t.eq({ network.registered_domain("localhost"), network.registered_domain("192.0.2.7") }, {})
end)

t.test("generic names, and names that are not", function()
  for _, name in ipairs({ "localhost", "mail", "server.local", "mail.example.com", "x.test", "[192.0.2.7]", "192.0.2.7", "localhost.localdomain", "nas.lan" }) do
    t.ok(network.is_generic(name), name)
  end
  for _, name in ipairs({ "mail.own.org", "local.own.org", "example.org.own.de", "test.de" }) do t.ok(not network.is_generic(name), name) end
end)

t.test("names of lines, and of owners", function()
  for _, name in ipairs({ "host-5-6-7-8.isp.net", "8.7.6.5.isp.net", "dsl-0071.isp.net", "p5-6-7.dip.isp.net", "static.8.7.6.5.hoster.de" }) do
    t.ok(network.is_line_name(name, "5.6.7.8"), name)
  end
  for _, name in ipairs({ "mail.own.org", "mx5.own.org", "srv5-6.own.org" }) do t.ok(not network.is_line_name(name, "5.6.7.8"), name) end
end)

local function host(net, ...) return { network = net, domains = { ... } } end

t.test("units: a network or a domain in common makes one", function()
  t.eq({ network.units({ host("a", "x"), host("b", "y"), host("c") }) }, { 3, { 1, 2, 3 } })
  t.eq({ network.units({ host("a", "x"), host("b", "y"), host("a") }) }, { 2, { 1, 2, 1 } })
  t.eq({ network.units({ host("a", "x"), host("b", "y"), host("c", "x", "y") }) }, { 1, { 1, 1, 1 } })
  t.eq({ network.units({}) }, { 0, {} })
end)

-- The rule for second labels against the list that browsers use. Suffixes that it does not know (most are towns and provinces) link
-- hosts that are not related, which can only cost an alarm; those that registries use everywhere must be known.
local EVERYWHERE = { ac = true, co = true, com = true, edu = true, gov = true, net = true, org = true }

t.test("registered domains against Debian's publicsuffix list", function()
  local file = io.open("/usr/share/publicsuffix/public_suffix_list.dat")
  if not file then t.skip("the package publicsuffix is not installed") end
  local total = 0
  for line in file:lines() do
    if line:find("END ICANN DOMAINS", 1, true) then break end
    local second = line:match("^(%l+)%.%l%l$")
    if EVERYWHERE[second] then
      total = total + 1
      t.eq(network.registered_domain("mail.own." .. line), "own." .. line)
    end
  end
  file:close()
  t.ok(total > 500, total)
end)

t.done()
