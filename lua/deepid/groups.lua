--- Groups of hosts by key: how many hosts and networks share each, counted by the C core's <code>survey</code>.

local core = require "deepid.core"

local M = {}

--- Kinds of key, by name and by number, as the core knows them.
M.KINDS = { "hostname", "greeting", "template", "dialect", "ehlo", "certificate", "notice" }
for i, kind in ipairs(M.KINDS) do M.KINDS[kind] = i end

--- Opens an empty store: add, groups, totals, close (DESIGN.md, 'The survey'). Raises where the core is missing: whoever opened the
-- engine has it.
function M.open() return assert(core.load()).survey() end

return M
