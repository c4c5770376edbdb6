--- How a server answered, apart from what it says it is: one token for each step of a transcript.
--
-- A token is the reply with everything taken out that differs between two hosts of the same kind: names, addresses, dates, ids
-- (mask, "template"), and numbers but for the codes. It keeps codes, wording, spelling, line structure and line ends.
--
--   help        214-2.0.0 Topics:|214-2.0.0 <tab>HELO<tab>EHLO...
--   unknown     500 5.5.2 Error: command not recognized
--   http        221 2.7.0 Error: I can break rules, too. Goodbye. (closed)
--   ehlo        250-<host> Hello <client>              its first line alone
--   keywords    PIPELINING|SIZE #|8BITMIME             its other lines, in order
--   refrain     (as HELP)                              where other verbs are refused as HELP is, word for word
--   quit        221 2.0.0 Bye                          where something else was asked
--
-- The greeting and whatever names its product outright are no behaviour: that is what rules read.

local escape = require "deepid.escape"
local mask = require "deepid.mask"
local memo = require "deepid.memo"
local reply = require "deepid.reply"

local M = {}

local MASKED_BYTES = 2048
local TOKEN_BYTES = 400 -- a longer answer is told by its beginning
local GONE = { close = " (closed)", reset = " (closed)", timeout = " (waits)", limit = " (without end)" }
local FIRST_HELLO = { ehlo = true, lhlo = true }
local HELLO = { ehlo = true, lhlo = true, ehloagain = true, ehloliteral = true, ehlolower = true, ehlorubbish = true }
local SKIPPED = { greeting = true, errorlimit = true, quit = true }

-- Numbers that stand alone are a server's settings, or a version; codes at the start of a line are its dialect.
local function without_numbers(text)
  local code, rest = text:match("^(%d%d%d[ -]?[245]%.%d%d?%d?%.%d%d?%d?%f[^%d])(.*)$")
  if not code then
    code, rest = text:match("^(%d%d%d[ -]?)(.*)$")
  end
  return (code or "") .. (rest or text):gsub("%f[%w]%d[%d.,]*%f[^%w.,]", "#")
end

local function lines_of(text)
  local lines = {}
  for line, ending in text:gmatch("([^\n]*)(\n?)") do
    if line ~= "" or ending ~= "" then
      local bare = line:gsub("\r$", "")
      local mark = ending == "" and "(unended)" or bare == line and "(LF)" or ""
      lines[#lines + 1] = without_numbers(bare) .. mark
    end
  end
  return lines
end

-- By the masked reply, which hosts of a kind have in common.
local words_of = memo(function(masked)
  local lines = lines_of(masked)
  return { token = escape.visible(table.concat(lines, "|")):sub(1, TOKEN_BYTES), first = escape.visible(lines[1] or "") }
end)

-- By the reply and the names that are masked in it, in one line before it.
local masked_words = memo(function(key)
  local names, reply_bytes = key:match("^([^\n]*)\n(.*)$")
  local list = {}
  for name in names:gmatch("%S+") do list[#list + 1] = name end
  return words_of(mask.mask(reply_bytes, "template", list))
end)

local function token_of(step, names)
  local masked = masked_words(names .. step.reply:sub(1, MASKED_BYTES))
  return masked.token .. (GONE[step["end"]] or ""), masked.first
end

-- What the client calls itself in a step; never the server's word.
local function own_name(step) return step.sent:match("^[%a]+LO%s+(%S+)") end

-- The names that are masked, in one line: the target's address, and what the client called itself.
local function own_names(transcript)
  local names, seen = { transcript.address }, {}
  for _, step in ipairs(transcript.steps) do
    local said = own_name(step)
    if said and not seen[said] and #names < 8 then
      names[#names + 1] = said
      seen[said] = true
    end
  end
  return table.concat(names, " ") .. "\n"
end

-- The keywords of an EHLO reply as a token, without sizes and addresses.
local keywords = memo(function(extensions)
  local words = {}
  for i, extension in ipairs(extensions) do
    words[i] = extension:gsub("%f[%w]%d+%f[%W]", "#"):gsub("<.->", "<>")
  end
  return { token = escape.visible(table.concat(words, "|")):sub(1, TOKEN_BYTES) }
end)

-- An EHLO that was taken is told by its first line, and its keywords once, by the first.
local function add_hello(tokens, step, names)
  local token, first = token_of(step, names)
  local is_taken = step.reply:find("^250") ~= nil
  tokens[step.step] = is_taken and first or token
  if is_taken and FIRST_HELLO[step.step] then tokens.keywords = keywords(reply.extensions(step.reply)).token end
end

-- A server that insists on TLS answers for itself inside it only: outside it says so (RFC 3207 4), or hangs up without a word.
local function is_awaited(tokens, step)
  local token = tokens[step.step]
  if not token then return true end
  local is_refusal = token == GONE.close or token:find("^530") ~= nil
  return is_refusal and step.tls == "starttls" and not FIRST_HELLO[step.step]
end

--- Whether a step's answer is behaviour at all.
function M.is_told(step) return not SKIPPED[step.step] and step["end"] ~= "error" end

-- A client that is not wanted hears the same words whatever it asks, HELP and all. 4yz and 55z speak of mail and of policy, never of an unknown
-- command (RFC 5321 4.2.2). The words are an administrator's or a blocklist's, but that they come to everything is the server's way.
local function add_refrain(tokens)
  local refusal, is_refrain = tokens.help or "", false
  if not (refusal:find("^4") or refusal:find("^55")) then return end
  for name, token in pairs(tokens) do is_refrain = is_refrain or (token == refusal and not name:find("help")) end
  if is_refrain then tokens.refrain = "(as HELP)" end
end

local Reader = {}
Reader.__index = Reader

--- The tokens of a transcript that grows: what was read is carried from step to step.
function M.reader() return setmetatable({ count = 0, tokens = {} }, Reader) end

-- QUIT is no question, but what is said to it is told beside other answers; that the server closes then is no news.
local function take(tokens, step, names)
  if step.step == "quit" and step.reply ~= "" and not tokens.quit and next(tokens) then
    tokens.quit = masked_words(names .. step.reply:sub(1, MASKED_BYTES)).token
  end
  if not (M.is_told(step) and is_awaited(tokens, step)) then return end
  if HELLO[step.step] then
    add_hello(tokens, step, names)
  else
    tokens[step.step] = token_of(step, names)
  end
end

--- The tokens of a transcript: of each step the first whole answer, in clear text unless the server insists on TLS.
--
-- @param transcript  see DESIGN.md; the one that was given before and what has been added to it since
-- @return table: step name -> token; the reader's own, which the next call changes
function Reader:read(transcript)
  local all, is_named = transcript.steps, self.names ~= nil
  for i = self.count + 1, #all do is_named = is_named and not own_name(all[i]) end
  local names = is_named and self.names or own_names(transcript)
  if names ~= self.names then self.names, self.count, self.tokens = names, 0, {} end
  for i = self.count + 1, #all do take(self.tokens, all[i], names) end
  self.count = #all
  self.tokens.refrain = nil
  add_refrain(self.tokens)
  return self.tokens
end

--- The same of a whole transcript.
function M.tokens(transcript) return M.reader():read(transcript) end

--- The token of one step of it, the same as among all; nil where there is none, and of QUIT.
function M.token(transcript, name)
  local tokens, names = {}, own_names(transcript)
  for _, step in ipairs(transcript.steps) do
    if step.step == name then take(tokens, step, names) end
  end
  return tokens[name]
end

return M
