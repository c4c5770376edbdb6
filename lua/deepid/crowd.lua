--- Many hosts in little memory: how many, which, and the first of them by address. Hosts are told by their <code>ordinal</code>.

local M = {}

--- Of so many, address and ordinal are kept; the others are only counted.
M.KEPT = 1000

local Crowd = {}
Crowd.__index = Crowd

function M.new() return setmetatable({ count = 0, first = {}, bits = {} }, Crowd) end

--- Adds a host; they come in the order of their ordinals, which is that of their addresses.
function Crowd:add(host)
  local word, bit = host.ordinal >> 6, 1 << (host.ordinal & 63)
  local bits = self.bits[word] or 0
  if bits & bit ~= 0 then return end
  self.bits[word], self.count = bits | bit, self.count + 1
  if #self.first < M.KEPT then self.first[#self.first + 1] = { address = host.address, ordinal = host.ordinal } end
end

--- A crowd of the hosts in an array, in whatever order.
function M.of(hosts)
  local sorted, crowd = table.move(hosts, 1, #hosts, 1, {}), M.new()
  table.sort(sorted, function(a, b) return a.ordinal < b.ordinal end)
  for _, host in ipairs(sorted) do crowd:add(host) end
  return crowd
end

function Crowd:has(host) return (self.bits[host.ordinal >> 6] or 0) & 1 << (host.ordinal & 63) ~= 0 end

local function count_bits(bits)
  local count = 0
  while bits ~= 0 do
    bits, count = bits & bits - 1, count + 1
  end
  return count
end

--- Adds all of another crowd to the count; who is first is not kept.
function Crowd:join(other)
  for word, bits in pairs(other.bits) do
    local own = self.bits[word] or 0
    self.bits[word], self.count = own | bits, self.count + count_bits(bits & ~own)
  end
end

--- How many are in another crowd, too.
function Crowd:common(other)
  local count = 0
  for word, bits in pairs(self.bits) do count = count + count_bits(bits & (other.bits[word] or 0)) end
  return count
end

M.MOST_EXAMPLES = 3

--- The addresses of the first few hosts, for the reader.
function M.first_addresses(hosts)
  local list = {}
  for i = 1, math.min(#hosts, M.MOST_EXAMPLES) do list[i] = hosts[i].address end
  return list
end

return M
