--- A reply taken apart: what stays from server to server, and what varies by its nature.
--
-- A token is {kind, text}. Kinds: `code` (reply code and what follows it), `end` (of a line), `word`, `blank`, `mark` (one other byte), which
-- stay; `host`, `address`, `version`, `date`, `number`, `id`, which vary. A date has a `regex` of its form.

local M = {}

local TIME = "%d%d?:%d%d:%d%d"

-- Forms of dates, the longest first: a Lua pattern, and the regex of the form.
local DATES = {
  { "%a%a%a, +%d%d? %a%a%a %d%d%d%d " .. TIME .. " [-+]%d%d%d%d %(%u+%)", [[\w{3}, +\d{1,2} \w{3} \d{4} [\d:]{7,8} [-+]\d{4} \(\w+\)]] },
  { "%a%a%a, +%d%d? %a%a%a %d%d%d%d " .. TIME .. " [-+]%d%d%d%d", [[\w{3}, +\d{1,2} \w{3} \d{4} [\d:]{7,8} [-+]\d{4}]] },
  { "%a%a%a, +%d%d? %a%a%a %d%d%d%d " .. TIME .. " %u%u%u?%u?", [[\w{3}, +\d{1,2} \w{3} \d{4} [\d:]{7,8} \w{2,4}]] },
  { "%a%a%a, +%d%d? %a%a%a %d%d%d%d " .. TIME, [[\w{3}, +\d{1,2} \w{3} \d{4} [\d:]{7,8}]] },
  { "%a%a%a %a%a%a +%d%d? " .. TIME .. " %d%d%d%d", [[\w{3} \w{3} +\d{1,2} [\d:]{7,8} \d{4}]] },
  { "%d%d?[ -]%a%a%a[ -]%d%d%d%d " .. TIME .. " [-+]%d%d%d%d", [[\d{1,2}[- ]\w{3}[- ]\d{4} [\d:]{7,8} [-+]\d{4}]] },
  { "%d%d?[ -]%a%a%a[ -]%d%d%d%d", [[\d{1,2}[- ]\w{3}[- ]\d{4}]] },
  { "%d%d%d%d%-%d%d%-%d%d[ T]" .. TIME, [[\d{4}-\d\d-\d\d[ T][\d:]{7,8}]] },
  { "%d%d%d%d%-%d%d%-%d%d", [[\d{4}-\d\d-\d\d]] },
  { "%d%d?/%d%d?/%d%d%d%d", [[\d{1,2}/\d{1,2}/\d{4}]] },
  { TIME, [[[\d:]{7,8}]] },
}

local function is_host(text)
  local last = text:match("%.(%a[%w-]*)$")
  return last ~= nil and #last >= 2 and not last:find("%d") and not text:find("..", 1, true) and not text:find("^%d+%.%d")
end

local function date_at(text, at)
  for _, form in ipairs(DATES) do
    local found = text:match("^" .. form[1], at)
    if found then return { kind = "date", text = found, regex = form[2] } end
  end
end

-- A word that a machine made: letters and digits, or hexadecimal digits, in a length that no name has.
local function is_id(text)
  local digits = select(2, text:gsub("%d", ""))
  return #text >= 8 and digits >= 3 and text:find("%a") ~= nil
end

local function word_at(text, at)
  local word = text:match("^%w[%w_.-]*", at):gsub("[.-]+$", "")
  if is_host(word) then return { kind = "host", text = word } end
  local version = text:match("^%d+%.%d[%w.+-]*", at)
  if version then return { kind = "version", text = version:gsub("[.+-]+$", "") } end
  if text:find("^[vV]%d+%.%d", at) then return { kind = "word", text = text:sub(at, at) } end
  word = text:match("^[%w_-]+", at):gsub("%-+$", "")
  if is_id(word) then return { kind = "id", text = word } end
  if word:find("^%d+$") then return { kind = "number", text = word } end
  return { kind = "word", text = word }
end

local ADDRESS_WORDS = { IP = true, Host = true, Client = true, From = true }

local function four_at(text, at)
  local found = text:match("^%d+%.%d+%.%d+%.%d+%f[^%w.]", at)
  for number in (found or ""):gmatch("%d+") do
    if tonumber(number) > 255 then return nil end
  end
  return found
end

-- Four numbers are a version behind a word with a capital letter that does not announce an address, as masking has it.
local function address_at(text, at)
  local four = four_at(text, at)
  local found = four or text:match("^IPv6:[%x:.]+", at) or text:match("^%x+:[%x:]*:[%x.:]*", at) or text:match("^::[%x.:]*", at)
  local word = text:sub(1, at - 1):match("(%a[%w-]*)[ /]$")
  local is_version = four and word and word:find("%u") and not ADDRESS_WORDS[word]
  return found and not is_version and { kind = "address", text = found } or nil
end

local function token_at(text, at)
  local byte = text:sub(at, at)
  local line_end = text:match("^\r?\n", at)
  if line_end then return { kind = "end", text = line_end } end
  if at == 1 or text:sub(at - 1, at - 1) == "\n" then
    -- With the enhanced status code behind it (RFC 3463), which is no version.
    local code = text:match("^%d%d%d[ -][245]%.%d%d?%d?%.%d%d?%d?%f[^%d.]", at) or text:match("^%d%d%d[ -]", at)
    if code then return { kind = "code", text = code } end
  end
  if byte == " " or byte == "\t" then return { kind = "blank", text = text:match("^[ \t]+", at) } end
  local found = date_at(text, at) or address_at(text, at)
  if found then return found end
  if byte:find("%w") then return word_at(text, at) end
  return { kind = "mark", text = byte }
end

-- Host names vary where they are the server's own (the first word of a line, and its neighbours) or the client's; any other is the maker's,
-- and stays: a link to the product's page.
local function keep_strangers(tokens, sent)
  local own
  for i, token in ipairs(tokens) do
    if token.kind == "host" then
      local domain = token.text:lower():match("[^.]+%.[^.]+$")
      if i == 1 or tokens[i - 1].kind == "code" then
        own = own or domain
      elseif domain ~= own and not sent:find(token.text, 1, true) then
        token.kind = "word"
      end
    end
  end
end

--- Takes a reply apart. The texts of the tokens, joined, are the reply.
--
-- @param text  the reply
-- @param sent  (optional) what it answers: names in it are the client's
-- @return array of tokens
function M.split(text, sent)
  local tokens, at = {}, 1
  while at <= #text do
    local token = token_at(text, at)
    tokens[#tokens + 1] = token
    at = at + #token.text
  end
  if tokens[2] and tokens[2].text == "localhost" then tokens[2].kind = "host" end
  keep_strangers(tokens, sent or "")
  return tokens
end

return M
