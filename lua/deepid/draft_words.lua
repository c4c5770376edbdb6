--- A draft as text: the block for a file of rules, the line for Nmap, and what to know about both.

local escape = require "deepid.escape"
local matchline = require "deepid.matchline"
local steps = require "deepid.steps"
local template = require "deepid.template"

local M = {}

local LONGEST_FOR_NMAP = 2047 -- bytes of a line; Nmap 7.93

-- What Nmap calls the probes that say what our steps say.
local PROBES = { greeting = "NULL", ehlo = "Hello", helo = "Helo", help = "Help", http = "GetRequest" }

local function probe_lines(step)
  local name = PROBES[step] or step:gsub("^%l", string.upper)
  local sent = escape.visible(steps.by_name[step] and steps.bytes(step, "scanner.example") or "")
  if step == "ehlo" then sent = "EHLO\\r\\n" end
  local lines = { ("Probe TCP %s q|%s|"):format(name, sent) }
  if not (step == "greeting" or step == "ehlo" or step == "help") then lines[2] = "#: step    " .. step end
  return lines
end

local function match_line(draft, pattern, flags)
  return ("match smtp m%s%s%s%s %s"):format(draft.delimiter, pattern, draft.delimiter, flags or "", draft.fields)
end

-- As an annotation takes it, which loses blanks at its ends.
local function example_text(bytes)
  return (escape.visible(bytes):gsub("^ ", "\\x20"):gsub(" $", "\\x20"))
end

-- What the fields give for one example, as a `yields` line has it; the product may be left out there.
local function yields_of(set, fields, example)
  local hit, parts = set:match(example)[1], {}
  local got = template.expand_fields(fields, hit)
  for _, letter in ipairs({ "v", "h", "o" }) do
    local value = got[template.FIELDS[letter]]
    if value then parts[#parts + 1] = ("%s/%s/"):format(letter, value) end
  end
  return #parts > 0 and table.concat(parts, " ") or nil
end

--- The block to paste into a file of rules.
--
-- @param draft    from <code>draft.draft</code>
-- @param checked  from <code>draft_check.check</code>
-- @param cite     where the samples come from
-- @param fpset    the core's
-- @return its lines
function M.block(draft, checked, cite, fpset)
  local line = match_line(draft, draft.pattern)
  local fields = assert(matchline.match(line)).fields
  local set = fpset({ { pattern = draft.pattern } })
  local lines = probe_lines(draft.step)
  local function add(name, text) lines[#lines + 1] = ("#: %-7s %s"):format(name, text) end
  add("id", draft.id)
  add("role", draft.role)
  if draft.groups.h then add("vary", "h") end
  if draft.says_nothing then add("basis", "behaves") end
  add("cite", cite)
  for _, example in ipairs(draft.examples) do
    add("example", example_text(example))
    local yields = yields_of(set, fields, example)
    if yields then add("yields", yields) end
  end
  if checked.nearest then add("reject", example_text(checked.nearest.bytes)) end
  lines[#lines + 1] = line
  return lines
end

-- Behind the greeting, which Nmap has before every other reply.
local GREETING = [[^220[- ].*?\r?\n]]

--- The line for Nmap's own file, or why there is none.
--
-- @return the Probe line it belongs below, and the match line
-- @return nil and a message
function M.for_nmap(draft, sent)
  local line
  if draft.step == "greeting" then
    line = match_line(draft, draft.pattern)
  elseif draft.step == "help" or (draft.step == "ehlo" and sent == "EHLO\r\n") then
    line = match_line(draft, GREETING .. draft.pattern:sub(2), "s")
  else
    return nil, "Nmap sends nothing that is answered so"
  end
  if #line > LONGEST_FOR_NMAP then return nil, "Nmap takes no line of more than 2,047 bytes" end
  return probe_lines(draft.step)[1], line
end

local function name_rules(list)
  local parts = {}
  for i, rule in ipairs(list) do parts[i] = ("%s (%s:%d)"):format(rule.id, rule.file:match("[^/]*$"), rule.line) end
  return table.concat(parts, ", ")
end

local function name_recordings(list)
  local counts, products, parts = {}, {}, {}
  for _, one in ipairs(list) do
    local product = one.product or "what names no product"
    if not counts[product] then products[#products + 1] = product end
    counts[product] = (counts[product] or 0) + 1
  end
  for i, product in ipairs(products) do parts[i] = ("%d of %s"):format(counts[product], product) end
  return table.concat(parts, ", ")
end

--- What is worth knowing before it is used, as lines of comment.
function M.notes(draft, checked, count)
  local lines = {}
  local function add(text) lines[#lines + 1] = "# " .. text end
  add(("A draft from %d sample%s. What varies:"):format(count, count == 1 and "" or "s"))
  for _, note in ipairs(draft.notes) do add(("  %-17s %s: %s"):format(note.says, note.regex, table.concat(note.texts, ", ", 1, math.min(3, #note.texts)))) end
  if draft.says_nothing then add("Nothing in it names a product: only its form gives it away, and another server may use the same words.") end
  if #checked.answered > 0 then
    add("Already matched by " .. name_rules(checked.answered) .. ".")
    add("Of one role the first match wins: put this one before those that are more general, or extend the rule that is right.")
  end
  if #checked.robbed > 0 then add("COLLISION: it matches examples of " .. name_rules(checked.robbed) .. ". Give more samples, or put it behind them.") end
  if #checked.recordings > 0 then add("It matches recordings: " .. name_recordings(checked.recordings) .. ".") end
  if #checked.robbed == 0 then
    local others = checked.looked_at - #checked.recordings
    add(("No collision with the %d examples for this step, nor with %d recordings."):format(checked.examples, others))
  end
  if count == 1 then add("One sample does not show what varies: samples of a second server or version make it better.") end
  return lines
end

return M
