--- SMTP replies (RFC 5321 section 4.2): when one is whole, and what it says.

local memo = require "deepid.memo"

local M = {}

--- Whether the bytes end in a whole reply: their last line is finished and is
-- the last of its reply (a blank or nothing after the code). Bare LF counts as
-- a line end, since real servers send it. Looks at the last line only.
--
-- @param bytes  what arrived so far
-- @return true or false
function M.complete(bytes)
  local last = #bytes
  if bytes:byte(last) ~= 10 then return false end
  local first = last
  while first > 1 and bytes:byte(first - 1) ~= 10 do first = first - 1 end
  return bytes:find("^%d%d%d[ \r\n]", first) ~= nil
end

--- The first reply in these bytes, and what follows it; all of them where no reply is whole.
function M.split(bytes)
  local at = 1
  while true do
    local line, after = bytes:match("([^\n]*\n)()", at)
    if not line then return bytes, "" end
    if not line:find("^%d%d%d%-") then return bytes:sub(1, after - 1), bytes:sub(after) end
    at = after
  end
end

--- How many replies end in these bytes: lines whose code is followed by a blank or nothing.
function M.count(bytes)
  local _, count = ("\n" .. bytes):gsub("\n%d%d%d%f[ \r\n]", "")
  return count
end

--- The code of the first line (string of three digits), or nil.
function M.code(bytes) return bytes:match("^%d%d%d") end

--- Parses one reply.
--
-- @param bytes  raw reply; may be cut short or not be SMTP at all
-- @return table: <code>code</code> of the first line (string of three digits, or
-- nil), <code>enhanced</code> status code of the last line (RFC 2034; or nil),
-- <code>lines</code> array of {code, sep, text}; others may have the same table, so it is not to be changed
M.parse = memo(function(bytes)
  local parsed = { lines = {} }
  for line, ending in bytes:gmatch("([^\n]*)(\n?)") do
    if line ~= "" or ending ~= "" then
      local text = line:match("^(.-)\r?$")
      local code, sep, rest = text:match("^(%d%d%d)([ -]?)(.*)$")
      parsed.lines[#parsed.lines + 1] = { code = code, sep = sep or "", text = rest or text }
    end
  end
  local first, last = parsed.lines[1], parsed.lines[#parsed.lines]
  parsed.code = first and first.code
  parsed.enhanced = last and last.text:match("^([245]%.%d%d?%d?%.%d%d?%d?)%f[^%d]")
  return parsed
end)

--- The domain that a greeting or EHLO reply begins with, if it looks like one
-- (RFC 5321 sections 4.2 and 4.1.1.1): a name with a dot, or an address literal.
--
-- @return the domain, or nil
function M.domain(bytes)
  local word = bytes:match("^2%d%d[ -]([^%s]+)")
  if word and (word:find("^%w[%w_-]*%.[%w._-]*%w$") or word:find("^%[[%x:.IPv]+%]$")) then return word end
end

-- By the lines behind the first, which servers of a kind have in common: that one names the host.
local extensions_in = memo(function(lines)
  local found = {}
  for line in lines:gmatch("\n250[ -]?([^\n]*)") do
    local text = line:byte(-1) == 13 and line:sub(1, -2) or line
    if text ~= "" then found[#found + 1] = text end
  end
  return found
end)

--- The extension keywords of an EHLO reply, with their parameters, in order:
-- every line but the first (RFC 5321 section 4.1.1.1).
--
-- @return array of strings; others may have the same, so it is not to be changed
function M.extensions(bytes) return extensions_in(bytes:match("\n.*") or "") end

--- Whether a line of it ends in a bare LF.
function M.has_bare_lf(bytes)
  local at = bytes:find("\n", 1, true)
  while at do
    if bytes:byte(at - 1) ~= 13 then return true end
    at = bytes:find("\n", at + 1, true)
  end
  return false
end

return M
