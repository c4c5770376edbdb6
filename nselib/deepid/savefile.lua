--- The file of a saved scan: JSON lines, a `scan` record first, then one transcript a port (DESIGN.md, 'Saved scans').

local json = require "deepid.json"
local nmap = require "nmap"

local M = {}

-- The script arguments that are ours. Values that are no text (a list of ports) are written as Nmap parsed them.
local function own_arguments()
  local own = {}
  for key, value in pairs(nmap.registry.args) do
    if type(key) == "string" and key:find("^smtp%-deepid%.") then own[key] = value end
  end
  return own
end

local function scan_record()
  return {
    record = "scan", format = 1, tool = "smtp-deepid", lua = _VERSION, started = math.floor(nmap.clock()),
    privileged = nmap.is_privileged(), arguments = own_arguments(),
  }
end

--- Appends a transcript to the file; writes the scan record before the first one of this scan.
--
-- @param path        file, made where it is missing
-- @param transcript  the transcript
-- @param state       table kept between the calls of one scan
-- @return true
-- @return nil and a message
function M.append(path, transcript, state)
  local lines = json.encode(transcript) .. "\n"
  if not state.is_saving then lines = json.encode(scan_record()) .. "\n" .. lines end
  local file, message = io.open(path, "ab")
  if not file then return nil, message end
  local ok, problem = file:write(lines)
  local closed, late = file:close() -- a full disk may only show here
  if not (ok and closed) then return nil, ("%s: %s"):format(path, problem or late) end
  state.is_saving = true
  return true
end

return M
