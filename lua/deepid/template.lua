--- Fills in the fields of a match line (deepid.match_fields): `p v i h o d` and `cpe`, with Nmap's helpers.
--
-- A template is an array of literal strings and helper calls {name, group, ...};
-- see "Version info" in Nmap's chapter "nmap-service-probes File Format".

local M = {}

--- Field letters in Nmap's order, and what each means in our results.
M.FIELDS = { p = "product", v = "version", i = "info", h = "hostname", o = "os", d = "device" }

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
-- @param parts     from <code>match_fields.parse</code>
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
