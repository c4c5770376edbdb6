--- What a survey is, in plain Lua with sets in tables: csrc/survey.* must say the same as long as counts are exact.

local M = {}

-- XXH3's 64 bits of four bytes (the xxHash specification, "XXH3", inputs of 4 to 8 bytes, no seed).
local function hash_of_ipv4(a, b, c, d)
  local word = a | b << 8 | c << 16 | d << 24
  local h = (word + (word << 32)) ~ (0x1cad21f72c81017c ~ 0xdb979083e96dd4de)
  local function rotate(n) return h << n | h >> (64 - n) end
  h = h ~ rotate(49) ~ rotate(24)
  h = h * 0x9fb21c651e98df25
  h = h ~ ((h >> 35) + 4)
  h = h * 0x9fb21c651e98df25
  return h ~ h >> 28
end

-- A host: its text, its networks, and what it is sorted by. IPv6 addresses of this oracle are written out, as 2001:db8:1:2:3:4:5:6.
local function host_of(address)
  local a, b, c, d = address:match "^(%d+)%.(%d+)%.(%d+)%.(%d+)$"
  if a then
    return { text = address, [24] = a .. "." .. b .. "." .. c, [16] = a .. "." .. b,
      hash = hash_of_ipv4(tonumber(a), tonumber(b), tonumber(c), tonumber(d)) }
  end
  local one, two, three = address:match "^(%x+):(%x+):(%x+):"
  if one then return { text = address, [24] = one .. ":" .. two .. ":" .. three, [16] = one .. ":" .. two } end
end

local function count(set)
  local n = 0
  for _ in pairs(set) do n = n + 1 end
  return n
end

local Survey = {}
Survey.__index = Survey

function M.survey()
  return setmetatable({ groups = {} }, Survey)
end

function Survey:add(address, kind, key, example)
  local host = host_of(address)
  if not host then return nil, address .. " is no address" end
  local name = kind .. ":" .. key
  local group = self.groups[name] or { kind = kind, hosts = {}, [24] = {}, [16] = {}, texts = {} }
  self.groups[name] = group
  group.hosts[address] = host
  group[24][host[24]], group[16][host[16]] = true, true
  if example then
    example = example:sub(1, 240)
    local before = group.texts[address]
    if not before or example < before then group.texts[address] = example end
  end
  return true
end

--- The groups as an array, in no order; `examples` and `example` only where all hosts are IPv4.
function Survey:list(kind, min_hosts)
  local list = {}
  for _, group in pairs(self.groups) do
    local hosts = {}
    for _, host in pairs(group.hosts) do hosts[#hosts + 1] = host end
    if group.kind == (kind or group.kind) and #hosts >= (min_hosts or 1) then
      local result = { kind = group.kind, hosts = #hosts, networks24 = count(group[24]), networks16 = count(group[16]) }
      local known = true
      for _, host in ipairs(hosts) do known = known and host.hash ~= nil end
      if known then
        table.sort(hosts, function(a, b) return math.ult(a.hash, b.hash) end)
        result.examples = {}
        for i = 1, math.min(4, #hosts) do result.examples[i] = hosts[i].text end
        for _, host in ipairs(hosts) do
          result.example = result.example or group.texts[host.text]
        end
      end
      list[#list + 1] = result
    end
  end
  return list
end

return M
