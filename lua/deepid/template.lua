--- Fields of a match line: `p v i h o d` and `cpe`, with Nmap's helpers.
--
-- A template is an array of literal strings and helper calls {name, group, ...};
-- see "Version info" in Nmap's chapter "nmap-service-probes File Format".

local M = {}

--- Field letters in Nmap's order, and what each means in our results.
M.FIELDS = { p = "product", v = "version", i = "info", h = "hostname", o = "os", d = "device" }

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

--- Parses one template.
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

-- Bytes of a big- or little-endian number; Nmap allows eight at most.
local function unpack_number(bytes, order)
  if #bytes == 0 or #bytes > 8 then return nil end
  return ("%d"):format(string.unpack((order == ">" and ">I" or "<I") .. #bytes, bytes))
end

local function replace_all(text, find, replacement)
  if find == "" then return text end
  local plain = find:gsub("%p", "%%%0")
  return (text:gsub(plain, (replacement:gsub("%%", "%%%%"))))
end

local function call_helper(call, captures)
  local name, capture = call[1], captures[call[2]]
  if not capture then return nil end
  if name == "P" then return (capture:gsub("[^\32-\126]", "")) end
  if name == "I" then return unpack_number(capture, call[3]) end
  if name == "SUBST" then return replace_all(capture, call[3], call[4]) end
  return capture
end

-- CPE 2.2, section 5.4: what is reserved is percent-encoded.
local function cpe_text(text)
  text = text:lower():gsub("%s", "_")
  return (text:gsub("[^%w_.~-]", function(byte) return ("%%%02x"):format(byte:byte()) end))
end

--- Fills a template in.
--
-- @param parts     from <code>parse</code>
-- @param captures  array of strings, false where a group is unset
-- @param cpe       true: captures are lower-cased and encoded as CPE 2.2 asks
-- @return the text, or nil when a group is unset or nothing is left
function M.expand(parts, captures, cpe)
  local out = {}
  for i, part in ipairs(parts) do
    if type(part) == "table" then
      part = call_helper(part, captures)
      if not part then return nil end
      if cpe then part = cpe_text(part) end
    end
    out[i] = part
  end
  local text = table.concat(out):match("^(.-)[%s,]*$")
  return text ~= "" and text or nil
end

--- The highest and all groups that a template uses, as a set.
function M.groups(parts, into)
  into = into or {}
  for _, part in ipairs(parts) do
    if type(part) == "table" then into[part[2]] = true end
  end
  return into
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
function M.parse_fields(text)
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

--- Fills all fields in: product, version, info, hostname, os, device (each may
-- be missing) and cpe, an array of "cpe:/..." strings.
function M.expand_fields(fields, captures)
  local out = { cpe = {} }
  for letter, name in pairs(M.FIELDS) do
    if fields[letter] then out[name] = M.expand(fields[letter], captures) end
  end
  for _, parts in ipairs(fields.cpe) do
    local text = M.expand(parts, captures, true)
    if text then out.cpe[#out.cpe + 1] = "cpe:/" .. text end
  end
  return out
end

return M
