--- Masks what varies from reply to reply: dates, times, ids, numbers, and the names of client and target. The C core's
-- <code>mask</code> where the core has it; else a simpler one in plain Lua.

local core = require "deepid.core"

local M = {}

-- The core's tokens, in words.
local TOKENS = { ["\1"] = "<date>", ["\2"] = "<id>", ["\3"] = "<number>", ["\4"] = "<client>", ["\5"] = "<host>", ["\6"] = "<address>" }

local function plain(text) return (text:gsub("%p", "%%%0")) end

local function plain_mask(bytes, strength, names)
  local text = bytes
  for _, name in ipairs(names) do
    if #name > 3 then text = text:gsub(plain(name), "<name>") end
  end
  text = text:gsub("%a%a%a, +%d%d? %a%a%a %d%d%d%d %d%d:%d%d:%d%d [-+]%d%d%d%d[^\r\n]*", "<date>")
    :gsub("%d%d?:%d%d:%d%d", "<time>"):gsub("%d%d%d%d%-%d%d%-%d%d", "<date>")
  text = text:gsub("(%f[%w])(%w+)(%f[%W])", function(_, word)
    if #word >= 8 and word:find("%d") and word:find("%a") then return "<id>" end
    if #word >= 5 and word:find("^%d+$") then return "<number>" end
  end)
  if strength == "template" then
    text = text:gsub("%d+%.%d+%.%d+%.%d+", "<address>"):gsub("%w[%w-]*%.[%w.-]*%a%w", "<host>")
  end
  return text
end

--- @param bytes     a reply
-- @param strength  "volatile" (what varies from reply to reply) or "template" (host names and addresses too)
-- @param names     array of names and addresses to mask as the client's or the target's own, at most 32
-- @return the masked bytes, what was masked in words: <date>, <host>
function M.mask(bytes, strength, names)
  local lib = core.load()
  if lib and lib.mask then return (lib.mask(bytes, strength, names):gsub("[\1-\6]", TOKENS)) end
  return plain_mask(bytes, strength, names)
end

return M
