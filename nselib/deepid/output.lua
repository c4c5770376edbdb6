--- From the engine's plain results to what Nmap takes: ordered tables for its output, and its version record.

local report = require "deepid.report"

local M = {}

local SERVICES = { smtp = true, smtps = true, submission = true, ["smtp-proxy"] = true, lmtp = true }

local function is_array(value) return #value > 0 or next(value) == nil end

-- By kind of object: which keys the contract knows.
local known = {}
for kind, keys in pairs(report.KEYS) do
  known[kind] = {}
  for _, key in ipairs(keys) do known[kind][key] = true end
end

-- The keys of an object in the contract's order; those that the contract does not know come last, sorted.
local function keys_of(object, kind)
  local keys, rest, is_known = {}, {}, known[kind] or {}
  for _, key in ipairs(report.KEYS[kind] or {}) do
    if object[key] ~= nil then keys[#keys + 1] = key end
  end
  for key in pairs(object) do
    if not is_known[key] then rest[#rest + 1] = key end
  end
  table.sort(rest)
  return table.move(rest, 1, #rest, #keys + 1, keys)
end

-- As stdnse.output_table, which makes a coroutine and six closures for each of the objects of each host: a twentieth of all that a scan does.
local function ordered_table(keys, values)
  local function iterate()
    local at = 0
    return function()
      at = at + 1
      return keys[at], values[keys[at]]
    end
  end
  return setmetatable({}, { __index = values, __pairs = iterate })
end

--- A plain value as NSE's structured output, its keys in the order of <code>deepid.report.KEYS</code>.
--
-- @param value  what the engine gave: scalars, arrays and objects, without cycles
-- @param kind   the name of its order in KEYS; members of an object go by their own keys
function M.ordered(value, kind)
  if type(value) ~= "table" then return value end
  local out = {}
  if is_array(value) then
    for i, item in ipairs(value) do out[i] = M.ordered(item, kind) end
    return out
  end
  local keys = keys_of(value, kind)
  for _, key in ipairs(keys) do out[key] = M.ordered(value[key], key) end
  return ordered_table(keys, out)
end

local function is_implicit_tls(transcript)
  for _, step in ipairs(transcript.steps) do
    if step.tls == "implicit" and step.reply ~= "" then return true end
  end
  return false
end

local function is_lmtp(transcript)
  for _, step in ipairs(transcript.steps) do
    if step.step == "lhlo" and step.reply:find("^2") then return true end
  end
  return false
end

--- The version record that a result makes of Nmap's own; <code>nmap.set_port_version</code> replaces the whole record,
-- so all that is to stay is in it.
--
-- @param result      port result
-- @param transcript  what it was made from
-- @param old         the port's version record so far
-- @return table for <code>port.version</code>
-- @return nil when there is nothing to add: what Nmap has then stays, its service fingerprint included
function M.version(result, transcript, old)
  if not (result.identity.product or result.front[1] or result.inner) then return nil end
  local record = report.version(result, old)
  if is_implicit_tls(transcript) then record.service_tunnel = "ssl" end
  local is_guess = old.service_dtype ~= "probed" and not SERVICES[old.name]
  -- 'ssl/smtp' is how Nmap writes what its table of ports calls smtps.
  if is_guess or record.name == "smtps" then record.name = is_lmtp(transcript) and "lmtp" or "smtp" end
  return record
end

return M
