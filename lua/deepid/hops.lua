--- Reads a hop table: what SYNs of rising TTL brought back, for the mail port and for a reference port.
--
-- hops: array of { ttl =, port =, answer =, from = }
--   answer  "syn-ack" or "rst" (the port was reached), "time-exceeded" (a router on the way, at `from`), "unreachable" (refused
--           by `from`, with `reason`), "none"
-- An array may hold anything in any order: it may come from a file.

local M = {}

M.MOST = 32 -- the highest TTL that is tried

local REACHED = { ["syn-ack"] = true, rst = true }

local function each(hops, port, visit)
  for i = 1, math.min(#hops, 4 * M.MOST) do
    local hop = hops[i]
    if type(hop) == "table" and hop.port == port and math.type(hop.ttl) == "integer" then visit(hop) end
  end
end

--- The lowest TTL at which the port answered.
-- @return TTL, or nil where it never did
function M.answered_at(hops, port)
  local lowest
  each(hops, port, function(hop)
    if REACHED[hop.answer] and (not lowest or hop.ttl < lowest) then lowest = hop.ttl end
  end)
  return lowest
end

--- The router that a SYN to the port dies at with this TTL.
-- @return its address, or nil where it did not say
function M.router(hops, port, ttl)
  local from
  each(hops, port, function(hop)
    if hop.ttl == ttl and hop.answer == "time-exceeded" then from = from or hop.from end
  end)
  return from
end

--- The last router that let a SYN to the port pass on: the highest TTL that came back as Time Exceeded.
-- @return TTL and address
-- @return nil where none did
function M.last_router(hops, port)
  local ttl, from
  each(hops, port, function(hop)
    if hop.answer == "time-exceeded" and (not ttl or hop.ttl > ttl) then ttl, from = hop.ttl, hop.from end
  end)
  return ttl, from
end

--- Who refused a SYN to the port.
-- @return address, TTL and reason of the refusal met first
-- @return nil where none was
function M.refused_by(hops, port)
  local first
  each(hops, port, function(hop)
    if hop.answer == "unreachable" and (not first or hop.ttl < first.ttl) then first = hop end
  end)
  if first then return first.from, first.ttl, first.reason end
end

--- Where the mail port is answered against where the reference port is.
--
-- @param hops       hop table
-- @param port       the mail port
-- @param reference  the reference port
-- @return table: <code>answered_at</code> hops away; <code>target_at</code> hops away; <code>after</code> and
--   <code>by</code>, the routers before and at <code>answered_at</code> as the reference port's SYNs met them: the answer
--   came from between them. What is not known is nil.
function M.compare(hops, port, reference)
  local at, target = M.answered_at(hops, port), M.answered_at(hops, reference)
  local found = { answered_at = at, target_at = target }
  if at then
    found.by = M.router(hops, reference, at)
    found.after = M.router(hops, reference, at - 1) or M.router(hops, port, at - 1)
  end
  return found
end

return M
