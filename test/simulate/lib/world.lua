--- A simulated world of mail hosts, made of organisations and what they run: it knows nothing of the classes, rates and
-- thresholds of the null model. All rates here are assumptions, chosen harsher than we believe the field to be.

local M = {}

--- A random generator that is the same in Lua 5.3 and 5.4 (splitmix64, public domain, Steele, Lea and Flood 2014).
function M.random(seed)
  local state = seed
  local function bits()
    state = state + 0x9E3779B97F4A7C15
    local z = state
    z = (z ~ (z >> 30)) * 0xBF58476D1CE4E5B9
    z = (z ~ (z >> 27)) * 0x94D049BB133111EB
    return z ~ (z >> 31)
  end
  local random = {}
  function random.float() return (bits() >> 11) * 2.0 ^ -53 end
  function random.int(low, high) return low + math.floor(random.float() * (high - low + 1)) end
  function random.chance(p) return random.float() < p end
  function random.pick(list) return list[random.int(1, #list)] end
  --- One of pairs {weight, value}.
  function random.weighted(list)
    local total = 0
    for _, item in ipairs(list) do total = total + item[1] end
    local at = random.float() * total
    for _, item in ipairs(list) do
      at = at - item[1]
      if at < 0 then return item[2] end
    end
    return list[#list][2]
  end
  return random
end

local GREETING = {
  { 50, "220 %s ESMTP Postfix" }, { 15, "220 %s ESMTP Postfix (Debian/GNU)" }, { 45, "220-%s ESMTP Exim 4.96 #2 Tue, 24 Nov 2026 10:00:00 +0000" },
  { 12, "220 %s ESMTP Sendmail 8.17.1/8.17.1; Tue, 24 Nov 2026 10:00:00 GMT" }, { 12, "220 %s Microsoft ESMTP MAIL Service ready at Tue, 24 Nov 2026 10:00:00 +0000" },
  { 6, "220 %s ESMTP" }, { 3, "220 %s ESMTP OpenSMTPD" },
}
local GENERIC = { "localhost", "localhost.localdomain", "mail", "server.local", "mail.example.com", "exchange.corp" }
local LISTED = {
  "554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org",
  "550 5.7.1 Your address is on our blacklist", "554-Your access to this mail system has been rejected due to poor reputation",
}
local COMMON = { "421 4.3.2 Service not available", "554 No SMTP service here", "421 Too many concurrent SMTP connections; please try again later",
  "554 5.7.1 Client host rejected: cannot find your hostname", "554 5.7.1 Client host rejected: Access denied" }
local TLD = { "com", "net", "org", "de", "fr", "co.uk", "com.br", "nl", "it", "pl" }

local World = {}
World.__index = World

local function address_in(world, network)
  local random = world.random
  for _ = 1, 50 do
    local address = ("%s.%d.%d"):format(network, random.int(0, 255), random.int(1, 254))
    if not world.taken[address] then
      world.taken[address] = true
      return address
    end
  end
  return nil
end

-- A /16 that is public and not special.
local function new_network(world)
  while true do
    local a, b = world.random.int(11, 222), world.random.int(0, 255)
    if a ~= 127 and a ~= 100 and a ~= 169 and a ~= 172 and a ~= 192 then return ("%d.%d"):format(a, b) end
  end
end

local function new_domain(world)
  world.domains = world.domains + 1
  return ("org%d.%s"):format(world.domains, world.random.pick(TLD))
end

-- Adds a host. `machine`: what really answers; hosts of one machine or of one pool have the same.
local function add(world, network, host)
  local random = world.random
  host.address = address_in(world, network)
  if not host.address then return nil end
  host.network = network
  host.text = host.text or random.weighted(GREETING)
  host.machine = host.machine or host.address
  host.target = host.target or random.int(6, 24) -- hops
  host.at = host.target
  if random.chance(0.08) then
    host.at = host.target + random.int(1, 2) -- forwarded to an inner host
  elseif random.chance(0.06) then
    host.at = host.target - random.int(1, 2) -- a load balancer or gateway at the edge
  end
  host.initial = random.weighted({ { 75, 64 }, { 15, 128 }, { 10, 255 } })
  host.far_other = random.chance(0.03) -- another port is forwarded to another site
  host.imap = random.chance(0.4)
  host.submission = random.chance(0.3)
  world.hosts[#world.hosts + 1] = host
  return host
end

-- An own certificate, most often; its key is the machine's.
local function certificate(world, host_name, key)
  if not world.random.chance(0.7) then return nil end
  world.keys = world.keys + 1
  return { key = key or ("key%d"):format(world.keys), names = { host_name } }
end

local function isp_name(world, address)
  local isp = world.isps[(tonumber(address:match("%.(%d+)%.")) or 0) % #world.isps + 1]
  return ("host-%s.%s"):format(address:gsub("%.", "-"), isp)
end

local function add_single(world)
  local random, domain = world.random, new_domain(world)
  local name = random.weighted({ { 80, "mail." .. domain }, { 10, random.pick(GENERIC) }, { 5, "" }, { 5, "mx.other" .. domain } })
  local host = add(world, new_network(world), { name = name, certificate = certificate(world, name) })
  if not host then return end
  local ptr = random.weighted({ { 55, "own" }, { 30, "isp" }, { 15, "none" } })
  host.ptr = ptr == "own" and "mail." .. domain or ptr == "isp" and isp_name(world, host.address) or nil
  if random.chance(0.03) then host.notice = random.weighted(world.wordings):format(domain) end
  if random.chance(0.05) then host.notice = random.pick(COMMON) end
end

-- Hosting firms: shared machines with one to four addresses, customers' own servers, and images whose name nobody changed.
local function add_hoster(world, size, images)
  local random, domain, networks = world.random, new_domain(world), {}
  for i = 1, random.int(1, 6) do networks[i] = new_network(world) end
  local ptr_rate = random.weighted({ { 80, 0.95 }, { 15, 0.5 }, { 5, 0 } })
  for i = 1, size do
    local network, kind = random.pick(networks), random.weighted({ { 60, "shared" }, { 30, "customer" }, { 10, "image" } })
    if kind == "shared" then
      local name = ("srv%d.%s"):format(i, domain)
      local own = certificate(world, name)
      local text = random.weighted(GREETING)
      for _ = 1, random.weighted({ { 7, 1 }, { 2, 2 }, { 1, 4 } }) do
        add(world, network, { name = name, certificate = own, text = text, machine = name, ptr = random.chance(ptr_rate) and name or nil })
      end
    else
      local image = kind == "image" and random.weighted(images)
      local name = image and image.name or "mail." .. new_domain(world)
      -- Images make their key at first boot; a few careless ones carry it along.
      local own = certificate(world, name, image and image.key)
      local host = add(world, network, { name = name, certificate = own, text = image and image.text })
      if host then host.ptr = random.chance(ptr_rate) and ("v%d.%s"):format(i, domain) or nil end
    end
  end
end

local function add_pool(world, domain, size, one_name)
  local random, networks = world.random, {}
  for i = 1, random.int(3, 20) do networks[i] = new_network(world) end
  local text, own = random.weighted(GREETING), certificate(world, "mx." .. domain)
  for i = 1, size do
    local name = one_name and "mx." .. domain or ("mx%d.%s"):format(i, domain)
    add(world, random.pick(networks), { name = name, certificate = own, text = text, machine = domain,
      ptr = random.chance(0.95) and ("out%d.%s"):format(i, domain) or nil, provider = domain })
  end
end

-- One owner's appliances at many sites: one certificate, names of their own or one for all, perhaps one refusal.
local function add_fleet(world)
  local random, domain = world.random, new_domain(world)
  local one_name, notice = random.chance(0.4), random.chance(0.2) and "554 Access from outside of the company is not allowed" or nil
  if notice then notice = ("%s (%s)"):format(notice, domain) end
  local own = { key = "fleet " .. domain, names = { "*." .. domain } }
  local text, fleet = random.weighted(GREETING), {}
  local ptr = random.weighted({ { 60, "own" }, { 30, "isp" }, { 10, "none" } })
  for i = 1, random.int(5, 60) do
    local name = one_name and "mail." .. domain or ("mail%d.%s"):format(i, domain)
    local host = add(world, new_network(world), { name = name, certificate = own, text = text, notice = notice,
      machine = one_name and not notice and "fleet " .. domain or nil, fleet = domain })
    if host then
      if random.chance(0.9) then host.ptr = ptr == "own" and name or ptr == "isp" and isp_name(world, host.address) or nil end
      fleet[#fleet + 1] = host
    end
  end
  world.fleets[#world.fleets + 1] = fleet
end

-- Devices that carry their maker's name, and often his key, until somebody changes it.
local function add_devices(world, maker, size)
  local name, text = "device." .. maker, world.random.weighted(GREETING)
  for _ = 1, size do
    local host = add(world, new_network(world), { name = name, text = text, certificate = certificate(world, name,
      world.random.chance(0.2) and "maker " .. maker or nil) })
    if host then host.ptr = world.random.chance(0.6) and isp_name(world, host.address) or nil end
  end
end

-- A line provider's customers: boxes with IMAP, whose port 25 the provider filters for all of them.
local function add_residential(world)
  local random, networks = world.random, {}
  for i = 1, random.int(1, 4) do networks[i] = new_network(world) end
  local list = {}
  for _ = 1, random.int(20, 120) do
    local host = add(world, random.pick(networks), { name = "nas.local", filtered = true })
    if host then
      host.imap, host.ptr = true, ("dsl-%s.%s"):format(host.address:gsub("%.", "-"), networks[1]:gsub("%.", "-") .. ".access.net")
      list[#list + 1] = host
    end
  end
  world.residential[#world.residential + 1] = list
end

local CATALOGUED = { "google.com", "outlook.com", "pphosted.com", "mimecast.com", "yahoodns.net", "emailsrvr.com", "secureserver.net", "qq.com" }

--- Makes a world of about `size` hosts.
function M.new(seed, size)
  local random = M.random(seed)
  local world = setmetatable({ random = random, hosts = {}, taken = {}, domains = 0, keys = 0, isps = {}, fleets = {}, residential = {} }, World)
  for i = 1, 200 do world.isps[i] = ("isp%d.%s"):format(i, random.pick(TLD)) end
  local images = {}
  for i = 1, 100 do
    images[i] = { i ^ -0.8, { name = ("image%d.maker%d.com"):format(i, i), text = random.weighted(GREETING), key = random.chance(0.1) and "image " .. i or nil } }
  end
  -- Owners word their refusals, but many copy them.
  world.wordings = {}
  for i = 1, 40 do world.wordings[i] = { 1 / i, ("554 5.7.1 Mail for %%s is taken by %s other servers"):format(("wording "):rep(i)) } end
  while #world.hosts < 0.5 * size do add_single(world) end
  for i = 1, 60 do add_hoster(world, math.max(4, math.floor(0.05 * size / i)), images) end
  for _, domain in ipairs(CATALOGUED) do add_pool(world, domain, math.floor(0.01 * size), random.chance(0.5)) end
  for i = 1, 20 do add_pool(world, ("midsize%d.%s"):format(i, random.pick(TLD)), math.floor(0.0015 * size), random.chance(0.5)) end
  for _ = 1, math.floor(size / 800) do add_fleet(world) end
  for i = 1, 10 do add_devices(world, ("vendor%d.com"):format(i), math.floor(0.004 * size / i)) end
  for _ = 1, math.floor(size / 4000) do add_residential(world) end
  for _, host in ipairs(world.hosts) do
    if not host.filtered and host.imap and random.chance(0.15) then host.filtered = true end
  end
  return world
end

M.LISTED = LISTED

return M
