--- A trace of rules (deepid.trace_rules) in words, for people.

local escape = require "deepid.escape"
local observations = require "deepid.observations"
local template = require "deepid.template"

local M = {}

local BEFORE, AFTER = 60, 30 -- characters shown on either side of a break

--- A rule, for people: where it stands and what it is for.
function M.rule_name(rule)
  return ("%s (%s:%d, %s%s)"):format(rule.id, rule.file:match("[^/]*$"), rule.line, rule.role, rule.soft and ", only a hint" or "")
end

local function fields_words(rule, hit)
  local fields, parts = template.expand_fields(rule.fields, hit), {}
  for _, name in ipairs({ "product", "version", "os", "device", "hostname", "info" }) do
    if fields[name] then parts[#parts + 1] = ("%s %s"):format(name, escape.visible(fields[name], 80)) end
  end
  return #parts > 0 and table.concat(parts, ", ") or "no product"
end

-- A text cut around a place, and how many characters of it stand before the place.
local function around(before, after)
  if #before > BEFORE then before = "..." .. before:sub(-BEFORE) end
  if #after > AFTER then after = after:sub(1, AFTER) .. "..." end
  return before .. after, #before
end

local function add_marked(lines, title, before, after, says)
  local text, place = around(before, after)
  lines[#lines + 1] = ("      %-6s %s"):format(title, text)
  lines[#lines + 1] = ("      %-6s %s^ %s"):format("", (" "):rep(place), says)
end

local LOOKS = { ["?="] = "must be followed by ", ["?!"] = "must not be followed by ", ["?<="] = "must come after ", ["?<!"] = "must not come after " }

-- What a pattern wants at a node.
local function wanted(pattern, node)
  local text = pattern:match("^[%a ]+%f[^%a ?*+{]", node.from)
  if node.kind == "byte" then return ('wants "%s"'):format(text or escape.visible(node.byte)) end
  local source = pattern:sub(node.from, node.to)
  if node.look then return LOOKS[node.look] .. source:match("^%(%?<?[=!](.*)%)$") end
  return "wants " .. source
end

-- Where a pattern breaks, marked in it and in the reply.
local function add_break(lines, pattern, broke, reply)
  local from = broke.node.from
  add_marked(lines, "rule", pattern.pattern:sub(1, from - 1), pattern.pattern:sub(from), wanted(pattern.pattern, broke.node))
  local rest = reply:sub(broke.reached + 1)
  add_marked(lines, "reply", escape.visible(reply:sub(1, broke.reached)), escape.visible(rest),
    rest == "" and "the reply ends here" or broke.reached == 0 and "from the start" or "here")
end

local function matched_words(one)
  local name = M.rule_name(one.rule)
  if one.first == one.rule then return ("    matched: %s: %s"):format(name, fields_words(one.rule, one.hit)) end
  if one.first then return ("    matched: %s, but %s comes first in its role"):format(name, one.first.id) end
  return ("    matched: %s, but this connection was turned away and another one let in"):format(name)
end

local function step_lines(lines, trace, most)
  local reply = trace.step.reply
  lines[#lines + 1] = ("  %s: %s"):format(trace.step.step, escape.visible(reply, 300))
  for _, one in ipairs(trace.matched) do lines[#lines + 1] = matched_words(one) end
  if #trace.matched == 0 then lines[#lines + 1] = "    no rule matches" end
  for i = 1, math.min(most, #trace.near) do
    local near = trace.near[i]
    lines[#lines + 1] = ("    nearly:  %s: %d%% of its fixed text"):format(M.rule_name(near.rule), math.floor(near.done * 100))
    add_break(lines, near.rule, near.broke, reply)
  end
end

local STATE = { holds = "holds", fails = "fails", unknown = "unknown: the step was not observed" }

local function composite_lines(lines, trace)
  lines[#lines + 1] = ("  %s: %s"):format(M.rule_name(trace.rule), trace.matched and "holds" or "does not hold")
  for _, one in ipairs(trace.conditions) do
    local condition = one.condition
    lines[#lines + 1] = ("    %s %s: %s"):format(condition.kind, condition.step, STATE[one.state])
    if one.state == "fails" and one.near then add_break(lines, condition, one.near.broke, one.step.reply) end
  end
end

local function composite_first(a, b)
  if a.matched ~= b.matched then return a.matched end
  if a.share ~= b.share then return a.share > b.share end
  return a.rule.order < b.rule.order
end

--- The lines of a trace.
--
-- @param steps, composites  from <code>trace_rules.trace</code>
-- @param most  near misses shown, a step; and rules over several steps that do not hold
-- @return array of lines, without control characters
function M.lines(steps, composites, most)
  local lines, shown, quiet = {}, {}, {}
  for _, trace in ipairs(steps) do
    local key = trace.step.step .. "\0" .. trace.step.reply
    local is_quiet = #steps > 1 and #trace.matched == 0 and (most == 0 or #trace.near == 0)
    if is_quiet then
      observations.add_once(quiet, trace.step.step)
    elseif not shown[key] then
      step_lines(lines, trace, most)
    end
    shown[key] = true
  end
  if #quiet > 0 then lines[#lines + 1] = "  no rule of one step matches, and none nearly: " .. escape.visible(table.concat(quiet, ", ")) end
  table.sort(composites, composite_first)
  local missed = 0
  for _, trace in ipairs(composites) do
    if not trace.matched then missed = missed + 1 end
    if trace.matched or missed <= most then composite_lines(lines, trace) end
  end
  return lines
end

return M
