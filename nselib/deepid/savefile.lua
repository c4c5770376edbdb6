--- The file of a saved scan: JSON lines, a `scan` record first, then hosts and transcripts (DESIGN.md, 'Saved scans').

local json = require "deepid.json"
local nmap = require "nmap"

local M = {}

local MOST_ADDRESSES = 16

-- The script arguments that are ours. Values that are no text (a list of ports) are written as Nmap parsed them; a bare word, which
-- Nmap keeps as an item of a list, is true.
local function own_arguments()
  local own = {}
  for key, value in pairs(nmap.registry.args) do
    if type(key) == "string" and key:find("^smtp%-deepid%.") then own[key] = value end
    if type(key) == "number" and type(value) == "string" and value:find("^smtp%-deepid%.") then own[value] = true end
  end
  return own
end

-- The addresses that this machine may scan from: all but loopback and link-local ones, a few at most.
local function own_addresses()
  local list = json.array()
  for _, interface in ipairs(nmap.list_interfaces() or {}) do
    local address = interface.address
    local is_usable = address and interface.link ~= "loopback" and interface.up == "up" and not address:find("^fe[89ab]")
    if is_usable and #list < MOST_ADDRESSES then list[#list + 1] = address end
  end
  return list
end

--- The record of this scan.
function M.scan_record()
  return {
    record = "scan", format = 1, tool = "smtp-deepid", lua = _VERSION, started = math.floor(nmap.clock()),
    privileged = nmap.is_privileged(), scanner = own_addresses(), arguments = own_arguments(),
  }
end

--- Appends a record to the file; writes the scan record before the first one of this scan.
--
-- @param path    file, made where it is missing
-- @param record  a host or a transcript
-- @param state   table kept between the calls of one scan; its <code>scan</code> is the scan record
-- @return true
-- @return nil and a message
function M.append(path, record, state)
  local lines = json.encode(record) .. "\n"
  if not state.is_saving then lines = json.encode(state.scan) .. "\n" .. lines end
  local file, message = io.open(path, "ab")
  if not file then return nil, message end
  local ok, problem = file:write(lines)
  local closed, late = file:close() -- a full disk may only show here
  if not (ok and closed) then return nil, ("%s: %s"):format(path, problem or late) end
  state.is_saving = true
  return true
end

return M
