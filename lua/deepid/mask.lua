--- Masks what varies from reply to reply: dates, times, ids, numbers, and the names of client and target. Plain Lua; the C core's
-- <code>mask</code> does more, and takes this one's place where the core has it.

local M = {}

local function plain(text) return (text:gsub("%p", "%%%0")) end

--- @param bytes     a reply
-- @param strength  "volatile" (what varies from reply to reply) or "template" (host names and addresses too)
-- @param names     (optional) array of names and addresses to mask as the client's or the target's own
-- @return the masked bytes
function M.mask(bytes, strength, names)
  local text = bytes
  for _, name in ipairs(names or {}) do
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

return M
