--- Scripted mail servers for tests (test/peers.py), and the Nmaps to scan them with.

local json = require "deepid.json"

local M = {}
M.__index = M

--- Standard output of a shell command; then what io.close says of its end.
function M.output(command)
  local pipe = assert(io.popen(command, "r"))
  local text = pipe:read("a")
  return text, pipe:close()
end

--- A file's bytes; empty where there is none.
function M.read_file(path)
  local handle = io.open(path, "rb")
  local text = handle and handle:read("a") or ""
  if handle then handle:close() end
  return text
end

--- JSON lines, as an array.
function M.read_records(path)
  local records = {}
  for line in M.read_file(path):gmatch("[^\n]+") do records[#records + 1] = assert(json.decode(line)) end
  return records
end

--- Every Nmap to test with: {name, command}.
function M.nmaps()
  local list = {}
  for line in M.output("test/nmap/nmaps"):gmatch("[^\n]+") do
    local name, command = line:match("^(%S+)\t(.*)$")
    list[#list + 1] = { name = name, command = command }
  end
  return list
end

--- Starts a set of peers on each network ("127.0.50."); <code>list</code> is an array of {address, port, name}.
function M.start(set, networks)
  local self = setmetatable({ folder = M.output("mktemp -d"):gsub("\n", ""), list = {} }, M)
  self.input = assert(io.popen(("exec python3 test/peers.py %s %s %s >%s")
    :format(self.folder, set, table.concat(networks, " "), self:file "ready"), "w"))
  for _ = 1, 300 do
    if M.read_file(self:file "ready"):find("ready") then break end
    os.execute("sleep 0.1")
  end
  for address, port, name in M.read_file(self:file "peers"):gmatch("(%S+) (%d+) (%S+)\n") do
    self.list[#self.list + 1] = { address = address, port = tonumber(port), name = name }
  end
  assert(#self.list > 0, "the peers did not start")
  return self
end

--- A path in the peers' folder, which goes with them.
function M:file(name) return self.folder .. "/" .. name end

--- The peers on one network, and their addresses in one string.
function M:on(network)
  local list, addresses = {}, {}
  for _, peer in ipairs(self.list) do
    if peer.address:sub(1, #network) == network then
      list[#list + 1] = peer
      addresses[#addresses + 1] = peer.address
    end
  end
  return list, table.concat(addresses, " ")
end

--- Ends the peers; returns what each address heard, joined over its connections, and an array of the addresses that
-- heard something before their greeting.
function M:stop()
  self.input:close()
  local heard, early = {}, {}
  for _, record in ipairs(M.read_records(self:file "heard")) do
    heard[record.address] = (heard[record.address] or "") .. record.heard
    early[#early + 1] = record.early ~= "" and record.address or nil
  end
  return heard, early
end

--- Removes the folder.
function M:remove() os.execute("rm -rf " .. self.folder) end

return M
