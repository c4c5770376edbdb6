--- Reads files of rules: Nmap's match lines, and the annotations in their comments.
--
-- A rule is a table:
--   id, role, file, line, order      who it is; order counts over all files
--   soft                             true for softmatch: it only hints
--   step, pattern, flags             a match line: one pattern on one step
--   conditions                       a `rule ... end`: array of {kind, step, pattern, flags, line}
--   fields                           see deepid.match_fields
--   examples                         array of {steps = {name = bytes}, yields, line}
--   rejects                          array of {step, bytes, line}
--   cites, advice, egg, inner, quote, list, vary, confidence, window, basis
--   service                          the protocol spoken, as Nmap spells it

local escape = require "deepid.escape"
local match_fields = require "deepid.match_fields"
local matchline = require "deepid.matchline"
local roles = require "deepid.roles"
local template = require "deepid.template"

local M = {}

local LONGEST_LINE = 2000

local KNOWN_ROLE = {}
for _, role in ipairs(roles.ALL) do KNOWN_ROLE[role] = true end

local PROBE_STEPS = { NULL = "greeting", Hello = "ehlo", Help = "help" }

-- One reader of a file: the rule being built, and what was found.
local Reader = {}
Reader.__index = Reader

function Reader:problem(message, line)
  self.problems[#self.problems + 1] = ("%s:%d: %s"):format(self.file, line or self.line, message)
  if self.pending then self.pending.bad = true end -- half a rule could match too much
end

function Reader:fresh()
  return { line = self.line, file = self.file, examples = {}, rejects = {}, cites = {}, fields = { cpe = {} } }
end

-- The rule that annotations belong to.
function Reader:current()
  self.pending = self.pending or self:fresh()
  return self.pending
end

local function parse_bytes(reader, text)
  local bytes, message = escape.bytes(text)
  if not bytes then reader:problem(message) end
  return bytes
end

-- An annotation that names a step before its text; only inside `rule ... end`,
-- since a match line has the step of its Probe.
local function split_step(reader, rule, text)
  if not rule.conditions then return reader.step, text end
  local step, rest = text:match("^(%l+)%s+(.*)$")
  if not step then reader:problem("expected a step's name before the text") end
  return step, rest
end

local function add_condition(kind)
  return function(reader, rule, text)
    if not rule.conditions then return reader:problem(kind .. " outside of rule ... end") end
    local step, rest = split_step(reader, rule, text)
    if not step then return end
    local pattern, after = matchline.pattern(rest, "ims")
    if not pattern then return reader:problem(after) end
    if after:find("%S") then return reader:problem("unexpected " .. after) end
    rule.positive = rule.positive or kind ~= "forbid"
    rule.conditions[#rule.conditions + 1] =
      { kind = kind, step = step, pattern = pattern.pattern, flags = pattern.flags, line = reader.line }
  end
end

local function add_example(reader, rule, text)
  local step, rest = split_step(reader, rule, text)
  local bytes = step and parse_bytes(reader, rest)
  if not bytes then return end
  local last = rule.examples[#rule.examples]
  if rule.conditions and last and not last.yields and not last.steps[step] then
    last.steps[step] = bytes
  else
    rule.examples[#rule.examples + 1] = { steps = { [step] = bytes }, line = reader.line }
  end
end

local function add_yields(reader, rule, text)
  local example = rule.examples[#rule.examples]
  if not example then return reader:problem("yields without an example above it") end
  if example.yields then return reader:problem("yields twice for one example") end
  local fields, message = match_fields.read(text)
  if not fields then return reader:problem(message) end
  example.yields = template.expand_fields(fields, {})
end

local function add_reject(reader, rule, text)
  local step, rest = split_step(reader, rule, text)
  local bytes = step and parse_bytes(reader, rest)
  if bytes then rule.rejects[#rule.rejects + 1] = { step = step, bytes = bytes, line = reader.line } end
end

local function set_fields(reader, rule, text)
  if not rule.conditions then return reader:problem("what outside of rule ... end") end
  local fields, message = match_fields.read(text)
  if not fields then return reader:problem(message) end
  rule.fields = fields
end

local function set_template(key)
  return function(reader, rule, text)
    local parts, message = match_fields.parse(text)
    if not parts then return reader:problem(message) end
    rule[key] = parts
  end
end

local function set_group(key)
  return function(reader, rule, text)
    rule[key] = tonumber(text:match("^[1-9]$"))
    if not rule[key] then reader:problem(key .. " takes the number of a capture, 1 to 9") end
  end
end

local function set_role(reader, rule, text)
  if not KNOWN_ROLE[text] then return reader:problem("unknown role " .. text) end
  rule.role = text
end

local function set_confidence(reader, rule, text)
  local value = tonumber(text)
  if not value or value <= 0 or value >= 1 then return reader:problem("confidence takes a number between 0 and 1") end
  rule.confidence = value
end

local function set_window(reader, rule, text)
  local first, last = text:match("^(%S+)%s+(%S+)$")
  if not first then return reader:problem("window takes the first and the last version, or - for none") end
  rule.window = { first ~= "-" and first or nil, last ~= "-" and last or nil }
end

local function set_basis(reader, rule, text)
  if text ~= "says" and text ~= "behaves" then return reader:problem("basis is says or behaves") end
  rule.basis = text
end

local function set_vary(reader, rule, text)
  if text:find("[^vihod%s]") then return reader:problem("vary takes field letters") end
  rule.vary = text
end

local function set_once(key)
  return function(reader, rule, text)
    if rule[key] then return reader:problem(key .. " twice in one rule") end
    rule[key] = text
  end
end

-- Every annotation that a rule can have.
local ANNOTATIONS = {
  id = set_once("id"), role = set_role, vary = set_vary,
  cite = function(_, rule, text) rule.cites[#rule.cites + 1] = text end,
  example = add_example, yields = add_yields, reject = add_reject,
  need = add_condition("need"), any = add_condition("any"), forbid = add_condition("forbid"),
  what = set_fields, egg = set_template("egg"), advice = set_template("advice"),
  inner = set_group("inner"), quote = set_group("quote"), list = set_group("list"),
  confidence = set_confidence, window = set_window, basis = set_basis, service = set_once("service"),
}

function Reader:finish()
  local rule = self.pending
  self.pending = nil
  if rule.bad then return end
  if not rule.id then return self:problem("a rule without an id", rule.line) end
  if not rule.role then return self:problem("rule " .. rule.id .. " has no role", rule.line) end
  self.rules[#self.rules + 1] = rule
end

function Reader:annotation(text)
  local name, rest = text:match("^%s*(%S+)%s*(.-)%s*$")
  if not name then return self:problem("an empty annotation") end
  if name == "step" then
    if not rest:find("^%l+$") then return self:problem("step takes a name in small letters") end
    self.step = rest
  elseif name == "rule" then
    if self.pending then self:problem("rule inside of another one that has no end", self.pending.line) end
    self.pending = self:fresh()
    self.pending.id, self.pending.conditions = rest ~= "" and rest or nil, {}
  elseif name == "end" then
    if not (self.pending and self.pending.conditions) then return self:problem("end without rule") end
    if not self.pending.positive and not self.pending.bad then self:problem("a rule without need or any") end
    self:finish()
  elseif not ANNOTATIONS[name] then
    self:problem("unknown annotation " .. name)
  else
    ANNOTATIONS[name](self, self:current(), rest)
  end
end

function Reader:match_line(line)
  local match, message = matchline.match(line)
  if not match then
    self.pending = nil
    return self:problem(message or "expected Probe, match, softmatch or a comment")
  end
  if self.pending and self.pending.conditions then
    self.pending = nil
    return self:problem("a match line inside of rule ... end")
  end
  if not self.step then
    self.pending = nil
    return self:problem("a match line before any Probe")
  end
  local rule = self:current()
  rule.soft, rule.pattern, rule.flags, rule.fields = match.soft, match.pattern, match.flags, match.fields
  rule.service, rule.step, rule.line = match.service, self.step, self.line
  self:finish()
end

function Reader:read_line(line)
  if #line > LONGEST_LINE then return self:problem(("a line of %d bytes (most: %d)"):format(#line, LONGEST_LINE)) end
  local annotation = line:match("^#:(.*)$")
  if annotation then return self:annotation(annotation) end
  if line:find("^%s*#") or not line:find("%S") then return end
  local probe = matchline.probe(line)
  if not probe then return self:match_line(line) end
  if self.pending then
    self:problem("annotations without a match line", self.pending.line)
    self.pending = nil
  end
  self.step = PROBE_STEPS[probe.name]
end

--- Reads the text of one file.
--
-- @param text  the file
-- @param file  its name, for messages
-- @return array of rules (the good ones), array of messages "file:line: what"
function M.parse(text, file)
  local reader = setmetatable({ file = file, line = 0, rules = {}, problems = {} }, Reader)
  for line in (text .. "\n"):gmatch("(.-)\r?\n") do
    reader.line = reader.line + 1
    reader:read_line(line)
  end
  if reader.pending then
    reader:problem(reader.pending.conditions and "rule without end" or "annotations without a match line", reader.pending.line)
  end
  return reader.rules, reader.problems
end

--- The patterns of a rule, whichever its form: array of {step, pattern, flags}.
function M.patterns(rule) return rule.conditions or { rule } end

return M
