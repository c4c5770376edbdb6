--- Masking for keys that people get to see: the C core's <code>mask</code>, its tokens in words.

local core = require "deepid.core"

local M = {}

--- @param bytes     a reply
-- @param strength  "volatile" (what varies from reply to reply) or "template" (host names and addresses too)
-- @param names     array of names and addresses to mask as the client's or the target's own, at most 32
-- @return the masked bytes
function M.mask(bytes, strength, names) return assert(core.load()).mask(bytes, strength, names, true) end

return M
