--- Groups of hosts by key: how many hosts and networks share each. The C core's <code>survey</code>, where the core has it; else the
-- same interface in plain Lua.

local core = require "deepid.core"

local M = {}

--- Kinds of key, by name and by number, as the core knows them.
M.KINDS = { "hostname", "greeting", "template", "dialect", "ehlo", "certificate", "notice" }
for i, kind in ipairs(M.KINDS) do M.KINDS[kind] = i end

--- Opens an empty store: add, groups, totals (DESIGN.md, 'The C core').
function M.open()
  local lib = core.load()
  if lib and lib.survey then return lib.survey() end
  return require "deepid.plaingroups".open()
end

return M
