--- Reads the fields of a match line; deepid.template fills them in.

local M = {}

-- Helpers by name: the Lua pattern of their arguments after the group.
local HELPERS = { P = "^%((%d)%)()", I = '^%((%d),%s*"([<>])"%)()', SUBST = '^%((%d),%s*"([^"]*)",%s*"([^"]*)"%)()' }

local function parse_helper(text, at)
  local digit = text:match("^[1-9]", at)
  if digit then return { "", tonumber(digit) }, at + 1 end
  local name = text:match("^%u+", at)
  local arguments = HELPERS[name]
  if not arguments then return nil end
  local found = { text:match(arguments, at + #name) }
  local after = table.remove(found)
  if not after or found[1] == "0" then return nil end
  return { name, tonumber(found[1]), found[2], found[3] }, after
end

--- Parses one template: see deepid.template.
--
-- @return array of strings and helper calls
-- @return nil and a message when a `$` begins nothing known
function M.parse(text)
  local parts, at = {}, 1
  while at <= #text do
    local dollar = text:find("$", at, true) or #text + 1
    if dollar > at then parts[#parts + 1] = text:sub(at, dollar - 1) end
    at = dollar
    if dollar <= #text then
      local call, after = parse_helper(text, dollar + 1)
      if not call then return nil, "nothing known follows $ in " .. text:sub(dollar) end
      parts[#parts + 1], at = call, after
    end
  end
  return parts
end

-- One field at `at`: letter (or cpe:), delimiter, text, delimiter.
local function parse_field(text, at)
  local name, delimiter, start = text:match("^(cpe):(%p)()", at)
  if not name then name, delimiter, start = text:match("^([pvihod])(%p)()", at) end
  if not name then return nil, "expected a field, found " .. text:sub(at) end
  local stop = text:find(delimiter, start, true)
  if not stop then return nil, "unfinished field " .. text:sub(at) end
  local parts, message = M.parse(text:sub(start, stop - 1))
  if not parts then return nil, message end
  local letters, after = text:match("^(%a*)()", stop + 1)
  if #letters > 3 or (name ~= "cpe" and letters ~= "") then return nil, "unknown letters " .. letters end
  return name, parts, after
end

--- Parses the fields of a match line.
--
-- @param text  what follows the pattern and its flags
-- @return table: field letter -> template, and `cpe` -> array of templates
-- @return nil and a message
function M.read(text)
  local fields, at = { cpe = {} }, text:match("^%s*()")
  while at <= #text do
    local name, parts, after = parse_field(text, at)
    if not name then return nil, parts end
    if name == "cpe" then
      fields.cpe[#fields.cpe + 1] = parts
    elseif fields[name] then
      return nil, "field " .. name .. " twice"
    else
      fields[name] = parts
    end
    if after <= #text and not text:find("^%s", after) then return nil, "no blank between fields at " .. text:sub(after) end
    at = text:match("^%s*()", after)
  end
  return fields
end

return M
