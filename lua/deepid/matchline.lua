--- The lines of Nmap's probe file format: `Probe`, `match` and `softmatch`.
--
-- Shared by our own rules and by the user's nmap-service-probes.

local match_fields = require "deepid.match_fields"

local M = {}

--- Parses `m|REGEX|flags` with any delimiter; there is no escape for it.
--
-- @param text   a pattern, at its `m`
-- @param flags  Lua character class of the flags allowed, such as "is"
-- @return table {pattern, flags}, and what follows it
-- @return nil and a message
function M.pattern(text, flags)
  local delimiter, start = text:match("^m(.)()")
  if not delimiter then return nil, "expected m and a delimiter, found " .. text end
  local stop = text:find(delimiter, start, true)
  if not stop then return nil, "pattern without its closing " .. delimiter end
  local letters, after = text:match("^(%a*)()", stop + 1)
  local unknown = letters:match("[^" .. flags .. "]")
  if unknown then return nil, ("unknown flag %s (known: %s)"):format(unknown, flags) end
  return { pattern = text:sub(start, stop - 1), flags = letters }, text:sub(after)
end

--- Parses a `match` or `softmatch` line.
--
-- @return table: soft (boolean), service, pattern, flags, fields
-- @return nil and a message
-- @return nil alone when it is another kind of line
function M.match(line)
  local kind, service, rest = line:match("^(%l+)%s+(%S+)%s+(.*)$")
  if kind ~= "match" and kind ~= "softmatch" then return nil end
  local pattern, after = M.pattern(rest, "is")
  if not pattern then return nil, after end
  if after ~= "" and not after:find("^%s") then return nil, "no blank after the pattern, but " .. after end
  local fields, message = match_fields.read(after)
  if not fields then return nil, message end
  return { soft = kind == "softmatch", service = service, pattern = pattern.pattern, flags = pattern.flags, fields = fields }
end

--- The protocol and name of a `Probe` line, or nil.
function M.probe(line)
  local protocol, name = line:match("^Probe%s+(%u+)%s+(%S+)%s+q.")
  return protocol and { protocol = protocol, name = name }
end

return M
