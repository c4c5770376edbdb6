--- Which addresses and names belong together: networks, registered domains, and units made of linked hosts.

local M = {}

--- Eight 16-bit groups of an IPv6 address.
-- @return array, or nil where the text is none
local function groups_of(text)
  local head, tail = text:match("^(.-)::(.*)$")
  if not head then head, tail = text, "" end
  local function split(part)
    local list = {}
    for word in part:gmatch("[^:]+") do
      local value = #word <= 4 and tonumber(word, 16)
      if not value then return nil end
      list[#list + 1] = value
    end
    return list
  end
  local first, last = split(head), split(tail)
  if not (first and last) or #first + #last > 8 or (not text:find("::", 1, true) and #first ~= 8) then return nil end
  for _ = #first + #last, 7 do first[#first + 1] = 0 end
  return table.move(last, 1, #last, #first + 1, first)
end

-- RFC 1918, RFC 6598 (shared by carriers), RFC 1122 (loopback), RFC 3927 (link-local): one owner's, however large.
local function is_private4(a, b)
  return a == 10 or a == 127 or (a == 172 and b >= 16 and b <= 31) or (a == 192 and b == 168) or (a == 169 and b == 254)
    or (a == 100 and b >= 64 and b <= 127)
end

--- The network of an address: /16 of IPv4, /32 of IPv6. All private addresses are one network, since they have one owner as far
-- as a scanner can see.
--
-- @return text; nil where there is no address
function M.of(address)
  local a, b, c, d = address:match("^(%d%d?%d?)%.(%d%d?%d?)%.(%d%d?%d?)%.(%d%d?%d?)$")
  if a then
    local first, second = tonumber(a), tonumber(b)
    if first > 255 or second > 255 or tonumber(c) > 255 or tonumber(d) > 255 then return nil end
    return is_private4(first, second) and "private" or a .. "." .. b .. ".0.0/16"
  end
  local mapped = address:lower():match("^::ffff:(%d+%.%d+%.%d+%.%d+)$")
  if mapped then return M.of(mapped) end
  local groups = address:find(":", 1, true) and groups_of((address:gsub("%%[%w_.-]+$", "")))
  if not groups then return nil end
  local first = groups[1]
  if first & 0xFE00 == 0xFC00 or first & 0xFFC0 == 0xFE80 then return "private" end -- RFC 4193, RFC 4291
  return ("%x:%x::/32"):format(first, groups[2])
end

function M.is_private(address) return M.of(address) == "private" end

-- Second labels under which countries' registries sell names: mail.example.co.uk is example.co.uk's. Against Debian's
-- publicsuffix list this covers most such suffixes; a name that it takes for one owner's too many links hosts that are not
-- related, and so can only cost an alarm, never raise one. test/unit/network.lua counts both.
local SECOND = {}
for label in ([[ac co com edu go gob gouv gov gv ind info mil ne net nom or org sch school plc ltd biz web firm asn id]]):gmatch("%S+") do
  SECOND[label] = true
end

--- The domain that somebody registered: example.co.uk of mail.example.co.uk.
-- @return lower case text, or nil where the name has no dot
function M.registered_domain(name)
  name = name:lower():gsub("%.$", "")
  local third, second, top = name:match("([^.]+)%.([^.]+)%.(%a%a)$")
  if third and SECOND[second] then return ("%s.%s.%s"):format(third, second, top) end
  return name:match("([^.]+%.[^.%d][^.]*)$")
end

-- Names that machines carry until somebody gives them their own; reserved by RFC 2606, RFC 6761, RFC 6762 and RFC 8375, or so by
-- custom. example.com and its kin come with a thousand manuals.
local RESERVED = { "localhost", "local", "localdomain", "lan", "internal", "intranet", "home", "corp", "test", "invalid", "example", "arpa",
  "private", "domain", "workgroup" }
local RESERVED_DOMAINS = { ["example.com"] = true, ["example.net"] = true, ["example.org"] = true, ["domain.com"] = true,
  ["yourdomain.com"] = true, ["mydomain.com"] = true }
for _, label in ipairs(RESERVED) do RESERVED[label] = true end

--- Whether a name says nothing about its bearer: no dot, a reserved domain, or an address in brackets.
function M.is_generic(name)
  name = name:lower()
  if name:byte(-1) == 46 then name = name:sub(1, -2) end
  if name:byte() == 91 or not name:find(".", 1, true) or name:find("^[%d.]+$") then return true end
  return RESERVED[name:match("^.*%.(.*)$")] ~= nil or name:find("^localhost%.") ~= nil or RESERVED_DOMAINS[name:match("^.*%.([^.]*%.[^.]*)$") or name] ~= nil
end

-- What line providers and hosters put into names that they make up for addresses.
local LINE_WORDS = { "^dsl", "adsl", "^dyn", "dynamic", "dhcp", "^pool", "^cust", "^client", "^static", "^ip%d", "^ppp", "^cable", "broadband", "^host%-?%d" }

--- Whether a PTR name was made up for the address by whoever provides the line, and so names no owner.
function M.is_line_name(name, address)
  name = name:lower()
  local numbers, found = {}, 0
  for number in address:gmatch("%d+") do numbers[tonumber(number)] = true end
  for number in name:gmatch("%d+") do
    if numbers[tonumber(number)] then
      found = found + 1
      numbers[tonumber(number)] = nil
    end
  end
  if found >= 3 then return true end
  local label = name:match("^[^.]*")
  for _, word in ipairs(LINE_WORDS) do
    if label:find(word) then return true end
  end
  return false
end

--- Units: hosts linked by a network or a registered domain of their PTR names are one, since whoever runs one of them may run
-- them all.
--
-- @param hosts  array of host facts: <code>network</code> (the large one) and <code>domains</code> (array of registered domains)
-- @return number of units
-- @return array: the unit's number of each host
function M.units(hosts)
  local parent, owner = {}, {}
  local function root(i)
    while parent[i] ~= i do
      parent[i] = parent[parent[i]]
      i = parent[i]
    end
    return i
  end
  local function link(i, key)
    if owner[key] then parent[root(i)] = root(owner[key]) else owner[key] = i end
  end
  for i, host in ipairs(hosts) do
    parent[i] = i
    link(i, host.network)
    for _, domain in ipairs(host.domains) do link(i, "@" .. domain) end
  end
  local count, number, of = 0, {}, {}
  for i in ipairs(hosts) do
    local top = root(i)
    if not number[top] then
      count = count + 1
      number[top] = count
    end
    of[i] = number[top]
  end
  return count, of
end

local Tally = {}
Tally.__index = Tally

--- Counts units of hosts that come one by one; what it keeps grows with the networks and domains, not with the hosts.
function M.tally() return setmetatable({ count = 0, parent = {} }, Tally) end

local function root_of(parent, key)
  while parent[key] ~= key do
    parent[key] = parent[parent[key]]
    key = parent[key]
  end
  return key
end

--- Adds a host; <code>count</code> is then the number of units.
function Tally:add(host)
  local parent, own = self.parent, host.network
  if not parent[own] then parent[own], self.count = own, self.count + 1 end
  for _, domain in ipairs(host.domains) do
    local key = "@" .. domain
    local top = root_of(parent, own)
    if not parent[key] then
      parent[key] = top
    elseif root_of(parent, key) ~= top then
      parent[root_of(parent, key)], self.count = top, self.count - 1
    end
  end
end

return M
