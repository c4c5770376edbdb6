--- The roles that rules give to what answers.

local M = {}

--- All, in the order in which fronts are reported.
M.ALL = { "interceptor", "blocker", "screen", "proxy", "filter", "rewriter", "tarpit", "decoy", "backdoor", "mta", "note" }

--- Of these, the ones that answer themselves: the names in their replies are theirs.
M.ANSWERS_ITSELF = { interceptor = true, blocker = true, proxy = true, tarpit = true, decoy = true, backdoor = true }

return M
