--- A finished rule from samples of one reply: what stays is spelled out, what varies becomes a group of the right kind.

local alignment = require "deepid.alignment"
local escape = require "deepid.escape"
local tokens = require "deepid.tokens"
local wording = require "deepid.wording"

local M = {}

local MOST_EXAMPLES = 3
local MOST_BYTES = 900 -- of a reply that go into a rule, whose lines have 2,000 at most; Nmap keeps as many of each

-- What a kind that varies is in a pattern; where `field` is set, the first of its kind is captured for that field.
local KINDS = {
  host = { regex = [[[-.\w]+]], field = "h", says = "host name" },
  version = { regex = [[\d[-+.\w]*]], field = "v", says = "version" },
  address = { regex = [[[\w.:]+]], says = "address" },
  number = { regex = [[\d+]], says = "number" },
  id = { regex = [[[-\w]+]], says = "id" },
  vary = { regex = [[[-.\w]+]], says = "word that differs" },
  blank = { regex = [=[[ \t]+]=], says = "blanks" },
  ["end"] = { regex = [[\r?\n]] },
}

local SYSTEMS = { debian = "Debian Linux", ubuntu = "Ubuntu Linux", freebsd = "FreeBSD", netbsd = "NetBSD", openbsd = "OpenBSD", windows = "Windows" }

-- Bytes as PCRE spells them: printable ones as they are, or behind a backslash.
local NAMED = { ["\r"] = "\\r", ["\n"] = "\\n", ["\t"] = "\\t" }
local function spell(text)
  return (text:gsub("[^%w _/:;,<>=@!\"'%%&~#-]", function(byte)
    if NAMED[byte] then return NAMED[byte] end
    return byte:find("%g") and "\\" .. byte or ("\\x%02x"):format(byte:byte())
  end))
end

-- A gap ends with its line, unless samples had lines more there.
local function gap_regex(element)
  local longest, lines = 0, false
  for _, text in ipairs(element.texts) do
    longest, lines = math.max(longest, #text), lines or text:find("\n", 1, true)
  end
  return (lines and "[\\s\\S]{0,%d}?" or "[^\\r\\n]{0,%d}?"):format(2 * longest + 20)
end

local function varies(element)
  if element.kind == "blank" or element.kind == "end" then return #element.texts > 1 end
  return KINDS[element.kind] ~= nil or element.kind == "date" or element.kind == "gap"
end

local function element_regex(element)
  if element.kind == "gap" then return gap_regex(element) end
  if element.kind == "date" then return element.regex end
  return KINDS[element.kind].regex
end

-- The pattern, the group of each field, and what varies, for people.
local function build_pattern(elements)
  local parts, groups, notes, captures = { "^" }, {}, {}, 0
  for _, element in ipairs(elements) do
    if not varies(element) then
      parts[#parts + 1] = spell(element.text)
    else
      local kind, regex = KINDS[element.kind] or { says = element.kind }, element_regex(element)
      if kind.field and not groups[kind.field] then
        captures = captures + 1
        groups[kind.field], regex = captures, "(" .. regex .. ")"
      end
      parts[#parts + 1] = regex
      if kind.says then notes[#notes + 1] = { says = kind.says, regex = regex, texts = element.texts } end
    end
  end
  return table.concat(parts), groups, notes
end

-- The runs of text that stay, in order; `false` for the version between them.
local function constant_runs(elements)
  local runs, current = {}, {}
  local function close()
    if #current > 0 then runs[#runs + 1] = table.concat(current) end
    current = {}
  end
  for _, element in ipairs(elements) do
    if element.kind == "word" or (element.kind == "blank" and #element.texts == 1) or (element.kind == "mark" and element.text:find("[-_&]")) then
      current[#current + 1] = element.text
    else
      close()
      if element.kind == "version" then runs[#runs + 1] = false end
    end
  end
  close()
  return runs
end

-- A run without the words at its ends that anyone says, nor small ones where there are proper names; nil when nothing is left.
local function product_in(run)
  local words = {}
  for word in run:gmatch("%S+") do words[#words + 1] = word end
  local first, last, proper = 1, #words, false
  local function skipped(word) return wording.generic((word:gsub("%W", ""))) or (proper and not word:find("%u")) end
  for _, word in ipairs(words) do proper = proper or (not skipped(word) and word:find("^%W*%u") ~= nil) end
  while first <= last and skipped(words[first]) do first = first + 1 end
  while last >= first and skipped(words[last]) do last = last - 1 end
  if first > last then return nil end
  return (table.concat(words, " ", first, last):gsub("^%W+", ""):gsub("%W+$", ""))
end

-- The product's name: what stands right before the version, else the first words that not everyone says.
local function guess_product(elements)
  local first, before
  for _, run in ipairs(constant_runs(elements)) do
    if run == false then
      if before then return before end
    else
      before = product_in(run)
      first = first or before
    end
  end
  return first
end

local function system_of(elements)
  for _, element in ipairs(elements) do
    local system = element.kind == "word" and SYSTEMS[element.text:lower():match("^%a*")]
    if system then return system end
  end
end

-- A number right behind the product's name, where nothing looks like a version, is one.
local function promote_number(elements, product)
  for i, element in ipairs(elements) do
    if element.kind == "version" then return end
    local word, blank = elements[i - 2], elements[i - 1]
    if element.kind == "number" and word and word.kind == "word" and blank.kind == "blank" and product:find(word.text, 1, true) then
      element.kind = "version"
      return
    end
  end
end

-- Other people's names and addresses do not belong into a public file.
local function anonymous(parts)
  local names, out = {}, {}
  for i, token in ipairs(parts) do
    out[i] = token.text
    if token.kind == "host" and token.text ~= "localhost" then
      if not names[token.text] then
        names.count = (names.count or 0) + 1
        names[token.text] = names.count == 1 and "mx.example.org" or ("host%d.example.org"):format(names.count)
      end
      out[i] = names[token.text]
    elseif token.kind == "address" then
      out[i] = token.text:find("^IPv6:") and "IPv6:2001:db8::9" or token.text:find(":", 1, true) and "2001:db8::9" or "192.0.2.9"
    end
  end
  return table.concat(out)
end

local function new_id(product, step, taken)
  local base = product:lower():gsub("[^%w]+", "-"):gsub("^%-+", ""):gsub("%-+$", "") .. "-" .. step
  local id, number = base, 1
  while taken[id] do
    number = number + 1
    id = base .. "-" .. number
  end
  return id
end

-- The first sign that does not occur in a text.
local function delimiter_for(text, signs)
  for delimiter in signs:gmatch(".") do
    if not text:find(delimiter, 1, true) then return delimiter end
  end
end

local function fields_line(draft)
  local product = draft.product:gsub("%$", "") -- which would begin a capture
  local sign = delimiter_for(product, "/|=!~%@,;") or "/"
  local parts = { "p" .. sign .. product .. sign }
  if draft.groups.v then parts[#parts + 1] = ("v/$%d/"):format(draft.groups.v) end
  if draft.groups.h then parts[#parts + 1] = ("h/$%d/"):format(draft.groups.h) end
  if draft.system then parts[#parts + 1] = ("o/%s/"):format(draft.system) end
  return table.concat(parts, " ")
end

local function add_examples(draft, apart)
  local seen = {}
  for _, parts in ipairs(apart) do
    local text = anonymous(parts)
    if not seen[text] and #draft.examples < MOST_EXAMPLES then draft.examples[#draft.examples + 1] = text end
    seen[text] = true
  end
end

-- Whether the text that stays could be anyone's.
local function says_nothing(elements)
  for _, run in ipairs(constant_runs(elements)) do
    if run and next(wording.telling(run)) then return false end
  end
  return true
end

-- The beginning of a long reply, whole lines where it has them.
local function beginning(reply)
  if #reply <= MOST_BYTES then return reply end
  return reply:sub(1, MOST_BYTES):match("^.*\n") or reply:sub(1, MOST_BYTES)
end

-- Where one sample begins with a host name, all do: a name of one label looks like any word.
local function name_hosts(apart)
  local found
  for _, parts in ipairs(apart) do found = found or (parts[2] and parts[2].kind == "host") end
  for _, parts in ipairs(found and apart or {}) do
    if parts[2] and parts[2].text:find("^%w") then parts[2].kind = "host" end
  end
end

--- Drafts a rule.
--
-- @param samples  array of {reply, sent}: the same reply of one or several servers
-- @param options  step; (optional) product, id, role; taken: set of ids that there are
-- @return table: id, role, step, product, pattern, delimiter, fields (text), groups, examples (array of bytes), notes, says_nothing
-- @return nil and a message
function M.draft(samples, options)
  local apart = {}
  for i, sample in ipairs(samples) do apart[i] = tokens.split(beginning(sample.reply), sample.sent) end
  name_hosts(apart)
  if #apart == 0 then return nil, "no reply to " .. options.step .. " in the samples" end
  local elements = alignment.align(apart)
  local product = options.product or guess_product(elements)
  if not product then
    return nil, "nothing that stays in these samples names a product; any server may say the same. If the form alone gives it away, say --product NAME"
  end
  promote_number(elements, product)
  local draft = { step = options.step, role = options.role or "mta", product = product, system = system_of(elements), examples = {},
    says_nothing = says_nothing(elements) }
  draft.id = options.id or new_id(product, options.step, options.taken or {})
  draft.pattern, draft.groups, draft.notes = build_pattern(elements)
  draft.delimiter = delimiter_for(draft.pattern, "|=!~%@,;:")
  if not draft.delimiter then return nil, "the samples hold every sign that could enclose a pattern" end
  draft.fields = fields_line(draft)
  add_examples(draft, apart)
  for _, note in ipairs(draft.notes) do
    for i, text in ipairs(note.texts) do note.texts[i] = escape.visible(text, 40) end
  end
  return draft
end

return M
