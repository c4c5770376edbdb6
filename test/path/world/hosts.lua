--- The hosts of the test's world: groups of addresses, each with a name of its own and the server that speaks there.
--
--   lua5.4 test/path/world/hosts.lua            lines: address, server namespace, program, name, PTR name (or -)
--
-- Addresses are of 240.0.0.0/4 and 4000::/3, which are assigned to nobody. Each group is one /8 (IPv6: /16), and each host of
-- it has a /16 (/32) of its own unless said otherwise, so that the hosts are unrelated. Names are in the form of real ones,
-- since names under .example rightly prove nothing; nothing here can be resolved from outside.

local M = {}

local function own_name(n, group) return ("mx.%s-%d.net"):format(group, n) end

-- group = { net (first octet), count, namespace, program, name (function of n), ptr (function of n), address (function of n) }
M.GROUPS = {
  { "honest", 240, 200, "exim" },
  { "postfix", 241, 60, "postfix" },
  { "opensmtpd", 242, 40, "opensmtpd" },
  { "edge", 243, 40, "edge", program = "exim" },
  { "pool", 244, 40, "exim", name = function() return "mx.bigpool.net" end, ptr = function(n) return ("out%d.bigpool.net"):format(n) end },
  { "strangers", 245, 40, "exim", name = function() return "mail.nobody-knows.net" end },
  { "small", 246, 8, "exim", name = function() return "mx.smallpool.net" end, address = function(n) return "246.1.0." .. n end },
  { "google", 247, 24, "exim", name = function() return "mx.google.com" end,
    address = function(n) return ("247.%d.0.%d"):format(n % 4 + 1, n) end },
  { "forwarded", 248, 12, "inner" }, -- to 192.168.9.101 and so on, behind the namespace exim
  { "absent", 249, 8 },
  { "hostile", 250, 6 }, -- hostile.py
  { "gates", nil, 2, address = function(n) return ("192.168.%d.2"):format(n + 2) end }, -- routers' own Postfix, a hop nearer
  { "some", 240, 3, "exim", address = function(n) return ("240.%s.0.25"):format(({ 7, 77, 177 })[n]) end },
  { "six", nil, 24, "exim", address = function(n) return ("42%02x:%x::25"):format(n, n) end },
}

--- The hosts of a group.
-- @return array of { address =, namespace =, program =, name =, ptr = }
function M.of(group)
  local hosts = {}
  for n = 1, group[3] do
    hosts[n] = {
      address = group.address and group.address(n) or ("%d.%d.0.25"):format(group[2], n), namespace = group[4] or "-",
      program = group.program or group[4] or "-", name = (group.name or own_name)(n, group[1]),
      ptr = (group.ptr or own_name)(n, group[1]),
    }
  end
  return hosts
end

--- The addresses of a group by name, all or the first so many.
function M.addresses(name, count)
  for _, group in ipairs(M.GROUPS) do
    if group[1] == name then
      local list = {}
      for n, host in ipairs(M.of(group)) do
        if n <= (count or math.huge) then list[n] = host.address end
      end
      return list
    end
  end
  error("no group is called " .. name)
end

if arg and arg[0] and arg[0]:find("hosts%.lua$") then
  for _, group in ipairs(M.GROUPS) do
    for _, host in ipairs(M.of(group)) do
      print(table.concat({ host.address, host.namespace, host.program, host.name, host.ptr }, "\t"))
    end
  end
end

return M
