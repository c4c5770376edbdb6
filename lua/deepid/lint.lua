--- Lint of the knowledge: what a rule must prove before it may be used.

local escape = require "deepid.escape"
local lint_order = require "deepid.lint_order"
local regex = require "deepid.regex"
local rules = require "deepid.rules"
local signatures = require "deepid.signatures"
local template = require "deepid.template"
local texts = require "deepid.texts"
local wording = require "deepid.wording"

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

local function seconds(set, bytes)
  local before = os.clock()
  set:match(bytes)
  return os.clock() - before
end

-- What one reply may take: a quarter of what a pattern takes that looks at all of it from each of its lines, on this machine, and
-- hundreds of times what rules take. PCRE2's limit of steps bounds only what begins at one place, and machine code counts otherwise; so the
-- time is measured, by the processor's clock, without machine code and without the filter (csrc/filter.h), which would spare most of it.
local most_seconds
local function measure_most(fpset)
  most_seconds = most_seconds or seconds(fpset({ { pattern = "^[^7]*\n9 9", flags = "m" } }, { jit = false, filter = false }), ("\n"):rep(4094) .. " 9") / 4
  return most_seconds
end

local function check_cost(pattern, sets, most, replies, report)
  for _, bytes in ipairs(replies) do
    for _, set in ipairs(sets) do
      local _, stuck = set:match(bytes)
      if stuck then return report(pattern.line, "runs out of steps on " .. escape.visible(bytes, 60)) end
    end
    if seconds(sets[2], bytes) > most and seconds(sets[2], bytes) > most then
      return report(pattern.line, "takes too long for " .. escape.visible(bytes, 60))
    end
  end
end

local function check_patterns(rule, compiled, fpset, report)
  local replies = hostile_replies(rule)
  for _, pattern in ipairs(rules.patterns(rule)) do
    local set = compiled.alone(rule, pattern)
    if set then
      if #(set:match("")) > 0 then report(pattern.line, "it matches the empty reply") end
      if pattern.kind ~= "forbid" and not pattern.pattern:find("^%^") then report(pattern.line, "it does not begin with ^") end
      local plain = fpset({ { pattern = pattern.pattern, flags = pattern.flags, slot = 0 } }, { jit = false, filter = false })
      check_cost(pattern, { set, plain }, measure_most(fpset), replies, report)
    end
  end
end

-- Whether the patterns spell out a word that not every server says, or no SMTP reply; true as well where a pattern cannot be read.
local function names_something(rule)
  for _, pattern in ipairs(rules.patterns(rule)) do
    local tree = regex.parse(pattern.pattern, pattern.flags)
    if not tree or pattern.pattern:find("^%^[^%d%[(]") or (pattern.kind ~= "forbid" and next(wording.telling((regex.fixed_text(tree))))) then return true end
  end
  return false
end

-- A server named by words that anyone may say: then it is the form that gives it away, or it is not sure.
local function check_weak(rule, report)
  if rule.role ~= "mta" or not rule.fields.p or rule.soft or rule.confidence or rule.basis == "behaves" or names_something(rule) then return end
  report(rule.line, "its text names nothing, every server may say these words: state its confidence or `basis behaves`, or make it a softmatch")
end

-- Each pattern compiled alone, once.
local function compile_alone(fpset)
  local sets = {}
  local function alone(_, pattern)
    if sets[pattern] == nil then
      local set, errors = fpset({ { pattern = pattern.pattern, flags = pattern.flags, slot = 0 } }, { filter = false })
      sets[pattern] = #errors == 0 and set
    end
    return sets[pattern]
  end
  return { alone = alone, captures = function(rule, pattern)
    local set = alone(rule, pattern)
    return set and set:captures(1) or 0
  end }
end

local function check_rule(rule, steps, compiled, fpset, report)
  if #rule.cites == 0 then report(rule.line, "no source (cite)") end
  if not rule.fields.p and not rule.egg and not rule.advice then report(rule.line, "it says nothing: no product, egg or advice") end
  check_captures(rule, compiled, report)
  check_patterns(rule, compiled, fpset, report)
  check_weak(rule, report)
  check_examples(rule, steps, report)
end

--- Checks rules.
--
-- @param list   array of rules, in order, as <code>texts.read</code> gives them; those that do not compile are marked `bad`
-- @param fpset  the core's <code>fpset</code>
-- @return array of messages "file:line: rule: what"; empty when all is well
function M.check_list(list, fpset)
  local steps, problems = texts.compile(list)
  if not steps then return { problems } end
  local compiled, seen = compile_alone(fpset), {}
  local function reporter(rule)
    return function(line, message) problems[#problems + 1] = ("%s:%d: %s: %s"):format(rule.file, line, rule.id, message) end
  end
  for _, rule in ipairs(list) do
    local report = reporter(rule)
    if seen[rule.id] then report(rule.line, "the id is taken by line " .. seen[rule.id]) end
    seen[rule.id] = rule.line
    if not rule.bad then check_rule(rule, steps, compiled, fpset, report) end
  end
  lint_order.check(list, fpset, compiled.alone, function(rule, message) reporter(rule)(rule.line, message) end)
  return problems
end

--- Checks rule files.
--
-- @param paths  array of file names, in order
-- @param fpset  the core's <code>fpset</code>
-- @return array of messages, number of rules, number of examples
function M.check(paths, fpset)
  local list, problems = texts.read(paths)
  local wrong, examples = M.check_list(list, fpset), 0
  table.move(wrong, 1, #wrong, #problems + 1, problems)
  for _, rule in ipairs(list) do examples = examples + #rule.examples end
  return problems, #list, examples
end

return M
