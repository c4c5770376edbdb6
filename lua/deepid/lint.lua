--- Lint of the knowledge: what a rule must prove before it may be used.

local escape = require "deepid.escape"
local knowledge = require "deepid.knowledge"
local rules = require "deepid.rules"
local signatures = require "deepid.signatures"
local template = require "deepid.template"

local M = {}

local function transcript_of(steps)
  local list = {}
  for name, bytes in pairs(steps) do list[#list + 1] = { step = name, sent = "", reply = bytes, ["end"] = "reply" } end
  table.sort(list, function(a, b) return a.step < b.step end)
  return { steps = list }
end

-- Every group of the patterns that feed the fields, against those used.
local function check_captures(rule, compiled, report)
  local used = {}
  for _, parts in pairs(rule.fields) do
    if parts ~= rule.fields.cpe then template.groups(parts, used) end
  end
  for _, parts in ipairs(rule.fields.cpe) do template.groups(parts, used) end
  for _, key in ipairs({ "egg", "advice" }) do template.groups(rule[key] or {}, used) end
  for _, key in ipairs({ "inner", "quote", "list" }) do
    if rule[key] then used[rule[key]] = true end
  end
  local most = 0
  for _, pattern in ipairs(rules.patterns(rule)) do
    if pattern.kind ~= "forbid" then most = math.max(most, compiled.captures(rule, pattern)) end
    for group in pattern.pattern:gsub("\\\\", ""):gmatch("\\([1-9])") do used[tonumber(group)] = true end -- a back reference
  end
  for group = 1, most do
    if not used[group] then report(rule.line, ("capture %d is never used; write (?:...)"):format(group)) end
  end
  for group in pairs(used) do
    if group > most then report(rule.line, ("$%d has no capture"):format(group)) end
  end
end

local function find_hit(hits, rule)
  for _, hit in ipairs(hits) do
    if hit.rule == rule then return hit end
  end
end

local function check_yields(hit, example, report)
  local got, want = hit.fields, example.yields
  for _, name in pairs(template.FIELDS) do
    if got[name] ~= want[name] and not (name == "product" and want[name] == nil) then
      report(example.line, ("yields %s %s, expected %s"):format(name, tostring(got[name]), tostring(want[name])))
    end
  end
  local cpe, expected = table.concat(got.cpe, " "), table.concat(want.cpe, " ")
  if cpe ~= expected then report(example.line, ("yields %s, expected %s"):format(cpe, expected)) end
end

-- An example must match, and no earlier rule of its role may match before it.
local function check_example(rule, example, steps, report)
  local hits = signatures.hits(steps, transcript_of(example.steps))
  local hit = find_hit(hits, rule)
  for _, other in ipairs(hits) do
    if other.rule.order < rule.order and other.rule.role == rule.role and rule.role ~= "note" and not other.rule.soft then
      return report(example.line, ("rule %s (%s:%d) matches this example first"):format(other.rule.id, other.rule.file, other.rule.line))
    end
  end
  if not hit then return report(example.line, "the example does not match") end
  if example.yields then check_yields(hit, example, report) end
end

local function gives_fields(rule)
  for name, parts in pairs(rule.fields) do
    if name ~= "p" and name ~= "d" and name ~= "cpe" and next(template.groups(parts)) then return true end
  end
  return false
end

local function check_examples(rule, steps, report)
  if #rule.examples == 0 then report(rule.line, "no example") end
  local any_yields
  for _, example in ipairs(rule.examples) do
    check_example(rule, example, steps, report)
    any_yields = any_yields or example.yields
  end
  if #rule.examples > 0 and gives_fields(rule) and not any_yields then report(rule.line, "no example with yields") end
  for _, reject in ipairs(rule.rejects) do
    local hits = signatures.hits(steps, transcript_of({ [reject.step] = reject.bytes }))
    if find_hit(hits, rule) then report(reject.line, "it matches what it should reject") end
  end
end

-- Replies made to be expensive: long runs of what a rule accepts, then something
-- that it does not, then the rest of its own example, so that PCRE2 cannot tell at a
-- glance that it fails.
local function hostile_replies(rule)
  local list = { ("a"):rep(4096), (" "):rep(4096), ("250-a "):rep(680), ("220 a.a ESMTP "):rep(290), ("\n"):rep(4096) }
  for _, example in ipairs(rule.examples) do
    for _, bytes in pairs(example.steps) do
      list[#list + 1] = bytes:sub(1, -3):rep(4096 // math.max(#bytes - 2, 1))
      for _, at in ipairs({ 1 / 4, 1 / 2, 3 / 4 }) do
        local cut = math.floor(#bytes * at)
        list[#list + 1] = bytes:sub(1, cut) .. bytes:sub(cut, cut):rep(3000) .. "\1" .. bytes:sub(cut + 1)
      end
    end
  end
  return list
end

local function check_steps(rule, compiled, report)
  for _, pattern in ipairs(rules.patterns(rule)) do
    local set = compiled.alone(rule, pattern)
    if set then
      if #(set:match("")) > 0 then report(pattern.line, "it matches the empty reply") end
      for _, bytes in ipairs(hostile_replies(rule)) do
        local _, stuck = set:match(bytes)
        if stuck then
          report(pattern.line, "runs out of steps on " .. escape.visible(bytes, 60))
          break
        end
      end
    end
  end
end

-- Each pattern compiled alone, once.
local function compile_alone(fpset)
  local sets = {}
  local function alone(_, pattern)
    if sets[pattern] == nil then
      local set, errors = fpset({ { pattern = pattern.pattern, flags = pattern.flags, slot = 0 } })
      sets[pattern] = #errors == 0 and set
    end
    return sets[pattern]
  end
  return { alone = alone, captures = function(rule, pattern)
    local set = alone(rule, pattern)
    return set and set:captures(1) or 0
  end }
end

local function check_rule(rule, steps, compiled, report)
  if #rule.cites == 0 then report(rule.line, "no source (cite)") end
  if not rule.fields.p and not rule.egg and not rule.advice then report(rule.line, "it says nothing: no product, egg or advice") end
  check_captures(rule, compiled, report)
  check_steps(rule, compiled, report)
  check_examples(rule, steps, report)
end

--- Checks rule files.
--
-- @param paths  array of file names, in order
-- @param fpset  the core's <code>fpset</code>
-- @return array of messages "file:line: rule: what"; empty when all is well
-- @return number of rules and number of examples
function M.check(paths, fpset)
  local list, problems = knowledge.read(paths)
  local steps, wrong = knowledge.compile(list)
  if not steps then return { wrong }, 0, 0 end
  table.move(wrong, 1, #wrong, #problems + 1, problems)
  local compiled, seen, examples = compile_alone(fpset), {}, 0
  for _, rule in ipairs(list) do
    local function report(line, message)
      problems[#problems + 1] = ("%s:%d: %s: %s"):format(rule.file, line, rule.id, message)
    end
    if seen[rule.id] then report(rule.line, "the id is taken by line " .. seen[rule.id]) end
    seen[rule.id] = rule.line
    examples = examples + #rule.examples
    if not rule.bad then check_rule(rule, steps, compiled, report) end
  end
  return problems, #list, examples
end

return M
