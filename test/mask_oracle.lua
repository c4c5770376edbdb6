--- What masking means, in plain Lua and without regard to speed: csrc/mask.* must say the same. See csrc/mask.h.

local M = {}

local DATE, ID, NUMBER, CLIENT, HOST, ADDRESS = "\1", "\2", "\3", "\4", "\5", "\6"

local function set(words)
  local result = {}
  for word in words:gmatch "%S+" do result[word] = true end
  return result
end

local DAYS = set "monday tuesday wednesday thursday friday saturday sunday mon tue wed thu fri sat sun"
local MONTHS = set [[january february march april may june july august september october november december
  jan feb mar apr jun jul aug sep oct nov dec]]
local ZONES = set [[gmt utc ut z est edt cst cdt mst mdt pst pdt wet west bst cet cest met mest eet eest msk msd ist jst kst hkt sgt
  aest aedt nzst nzdt brt sast]]
local NUMBER_WORDS = set "pid qp id sid session process seq ticket connection"
local ADDRESS_WORDS = set [[ip ips ipv4 address addresses host client server peer sender source network relay from to by at for of on is
  your the see]]
local VERSION_WORDS = set "version ver v release build"
local NOT_DOMAINS = set "exe dll jar js"

local ALNUM = "[%w\128-\255]"
local PART = "[%w\1-\6\128-\255]" -- of a longer row; a token stands for some
local LETTER = "[%a\128-\255]"

local function lower(text)
  return (text:gsub("%u", string.lower))
end

-- Dates: each reader takes the text and a position, and returns the position behind what it read, or nil.

local read = {}

local function name_in(names)
  return function(text, at)
    local word, behind = text:match("^(" .. LETTER .. "+)()", at)
    if word and names[lower(word)] and not text:find("^%d", behind) then return behind end
  end
end

read.a, read.b, read.z = name_in(DAYS), name_in(MONTHS), name_in(ZONES)

function read._(text, at) return text:match("^ +()", at) end

read[","] = function(text, at) return text:match("^,?()", at) end

function read.d(text, at)
  local digits, behind = text:match("^(%d+)()", at)
  if digits and #digits <= 2 and tonumber(digits) >= 1 and tonumber(digits) <= 31 then return behind end
end

function read.Y(text, at)
  local digits, behind = text:match("^(%d+)()", at)
  if digits and (digits:find "^19..$" or digits:find "^20..$") then return behind end
end

function read.y(text, at)
  local digits, behind = text:match("^(%d+)()", at)
  return digits and #digits == 2 and behind or read.Y(text, at)
end

local function may_end(text, at)
  return not text:find("^" .. ALNUM, at) and not text:find("^:" .. PART, at)
end

local function clock(text, at, seconds)
  local h, behind = text:match("^(%d%d?)():%d", at)
  if not h or tonumber(h) > 23 then return nil end
  local m, after = text:match("^:(%d+)()", behind)
  if #m ~= 2 or tonumber(m) > 60 then return nil end
  behind = after
  local s
  s, after = text:match("^:(%d+)()", behind)
  if s then
    if #s ~= 2 or tonumber(s) > 60 then return nil end
    local fraction = text:match("^[.,]%d+()", after)
    behind = fraction and may_end(text, text:match("^[zZ]?()", fraction)) and fraction or after
  elseif seconds then
    return nil
  end
  local half, half_end = text:match("^ *(" .. LETTER .. "+)()", behind)
  if half and (lower(half) == "am" or lower(half) == "pm") and may_end(text, half_end) then behind = half_end end
  return behind
end

function read.c(text, at) return clock(text, at, false) end
function read.C(text, at) return clock(text, at, true) end

-- What may follow a clock at the end of a date.
local function zone(text, at)
  local behind = text:match("^ *[+-]%d%d%d%d()", at)
  if behind and text:find("^%d", behind) then behind = nil end
  behind = behind or text:match("^ *[+-]%d%d:%d%d()", at)
  if behind and text:find("^%d", behind) then behind = nil end
  if not behind and not text:find("^ *[+-]", at) and (text:find("^ ", at) or text:find("^[zZ]", at)) then
    behind = read.z(text, text:match("^ *()", at))
  end
  local zoned = behind ~= nil
  behind = behind or at
  if not may_end(text, behind) then return at end
  local comment, after = text:match("^ +%(([%a \128-\255]+)%)()", behind)
  if comment and #comment <= 40 and may_end(text, after) and (zoned or ZONES[lower(comment)]) then return after end
  return behind
end

local FORMS = {}
for form in ([[a,_d_b_y_c a,_d-b-y_c a,_d_b_y a,_b_d_c_z_y a,_b_d_c_y a,_b_d,_y_c a,_b_d,_y d_b_y_c d-b-y_c b_d_c_z_y b_d_c_y b_d,_y_c
    b_d_C Y-d-d_c Y-d-dTc Y/d/d_c Y.d.d_c d/d/y_c d.d.y_c d-d-y_c C]]):gmatch "%S+" do
  FORMS[#FORMS + 1] = form
end

local function date_end(text, at)
  if text:sub(at - 1, at - 1) == ":" and at > 1 then return nil end
  for _, form in ipairs(FORMS) do
    local behind = at
    for part in form:gmatch "." do
      local reader = read[part]
      if reader then
        behind = reader(text, behind)
      else
        behind = text:sub(behind, behind) == part and behind + 1 or nil
      end
      if not behind then break end
    end
    if behind and form:find "[cC]$" then behind = zone(text, behind) end
    if behind and may_end(text, behind) then return behind end
  end
end

-- Runs

local function joint_end(text, at)
  return text:match("^[.+]()" .. ALNUM, at) or text:match("^[-_]+()" .. ALNUM, at)
end

local function run_end(text, at)
  local behind = text:match("^" .. ALNUM .. "+()", at)
  while joint_end(text, behind) do
    behind = text:match("^" .. ALNUM .. "+()", joint_end(text, behind))
  end
  return behind
end

-- Whether a word, or a part of one, goes on here.
local function goes_on(text, at)
  return text:find("^" .. PART, at) or text:find("^[.+]" .. PART, at) or text:find("^[-_]+" .. PART, at)
end

local function is_ipv4(word)
  local parts = { word:match "^(%d+)%.(%d+)%.(%d+)%.(%d+)$" }
  for _, part in ipairs(parts) do
    if #part > 3 or tonumber(part) > 255 or part:find "^0." then return false end
  end
  return #parts == 4
end

local function is_ipv6(word)
  local before, tail = word:match "^(.*:)([^:]*%.[^:]*)$"
  if before then
    if not is_ipv4(tail) then return false end
    word = before .. "0:0"
  end
  local left, right = word:match "^(.-)::(.*)$"
  if left and right:find("::", 1, true) then return false end
  local groups = 0
  for _, half in ipairs { left or word, right } do
    if half ~= "" then
      for group in (half .. ":"):gmatch "([^:]*):" do
        if not group:find "^%x%x?%x?%x?$" then return false end
        groups = groups + 1
      end
    end
  end
  if left then return groups >= 1 and groups <= 7 end
  return groups == 8
end

local function ipv6_end(text, at)
  local word = text:match("^[%x:.]+", at)
  if not word or #word > 47 then return nil end
  while word:find "%.$" or word:find "[^:]:$" or word == ":" do word = word:sub(1, -2) end
  if is_ipv6(word) and not text:find("^[:.+_-]*" .. PART, at + #word) then return at + #word end
end

local function has_shape(word, ...)
  local lengths, at = { ... }, 1
  for i, length in ipairs(lengths) do
    local part = word:sub(at, at + length - 1)
    if #part ~= length or part:find("[^%w\128-\255]") then return false end
    at = at + length
    if i < #lengths then
      if word:sub(at, at) ~= "-" then return false end
      at = at + 1
    end
  end
  return at == #word + 1
end

local function one_case(word)
  return not (word:find "%l" and word:find "%u") and not word:find "[\128-\255]"
end

local function is_id(word)
  if not word:find "%d" or not word:find(LETTER) then return false end
  if has_shape(word, 8, 4, 4, 4, 12) and not word:find "[^%x-]" then return true end
  if word:find "^%d" and (has_shape(word, 6, 6, 2) or has_shape(word, 6, 11, 4)) then return true end
  if #word >= 9 and not word:find "%X" and one_case(word) then return true end
  if #word == 18 and word:find "^%d[%w\128-\255]*$" and word:find("^%d+$", 7) then return true end
  if #word < 12 or select(2, word:gsub("%d", "")) < 2 then return false end
  local padded = "-" .. word
  if padded:find "[^%a\128-\255]deb%d" or padded:find "[^%a\128-\255]ubuntu" then return false end
  -- Words, capitals, digits: a cut between two that touch is a turn.
  local marked = word:gsub("%d+", "%0|"):gsub("%u*%u[%l\128-\255]", function(s) return s end)
  marked = marked:gsub("([%l\128-\255])(%u)", "%1|%2"):gsub("(" .. LETTER .. ")(%d)", "%1|%2")
  local turns = select(2, marked:gsub("|%f[%w\128-\255]", ""))
  return 3 * (turns + 1) >= #word
end

local function is_host(word)
  local before, last = word:match "^(.*)%.([^.]+)$"
  if not before or #last < 2 or word:find("+", 1, true) or NOT_DOMAINS[lower(last)] then return false end
  if not before:find(LETTER) and not before:find "%d%d%d" then return false end
  return lower(last):find "^xn%-%-." ~= nil or not last:find("[^%a\128-\255]")
end

local QUIET = "^[ /(:=#-]$"

--- The masked text.
-- @param strength  "volatile" or "template"
-- @param names     (optional) the client's own, without brackets
function M.mask(text, strength, names)
  local out, at = {}, 1
  local own, word, counts

  local function start_line()
    word, own = nil, nil
    local code = text:match("^%d%d%d%f[ \r\n%z-]", at)
    if code and (at + 3 > #text or text:find("^[ \r\n-]", at + 3)) then
      out[#out + 1] = code
      at = at + 3
      own = at + 1
    end
  end

  local function put(behind, token, weak)
    out[#out + 1] = (strength == "template" or not weak) and token or text:sub(at, behind - 1)
    at, word = behind, nil
  end

  local function bracket(from, behind)
    if text:sub(behind, behind) ~= "]" then return nil end
    if lower(text:sub(from - 5, from - 1)) == "ipv6:" and from > 6 then from = from - 5 end
    return from > 1 and text:sub(from - 1, from - 1) == "[" and from - 1 or nil
  end

  local function put_address(behind)
    local open = bracket(at, behind)
    if open and open ~= own then put(behind, CLIENT) else put(behind, ADDRESS, true) end
  end

  local function client_end()
    local best
    for _, name in ipairs(names or {}) do
      local behind = at + #name
      if name:find "[%w\128-\255]$" and lower(text:sub(at, behind - 1)) == lower(name) and not goes_on(text, behind) and behind > (best or 0) then
        best = behind
      end
    end
    return best
  end

  local function literal_follows(from)
    local inner = text:match("^ %[([%x:.]+)%]", from) or text:match("^ %[[iI][pP][vV]6:([%x:.]+)%]", from)
    return inner and (is_ipv4(inner) or is_ipv6(inner))
  end

  -- What stands for the run [at, behind), and whether only in a template; nil when nothing does.
  local function judge(run, behind)
    local before, after = text:sub(at - 1, at - 1), text:sub(behind, behind)
    if at == 1 then before = "" end
    local closed = before ~= "" and after ~= "" and ("()[]<>"):find(before .. after, 1, true) and ("([<"):find(before, 1, true)
    local previous = word and lower(word)
    if run:find "^%d+$" then
      if closed and before == "[" and at > 2 and text:find("^" .. ALNUM, at - 2) then return NUMBER end
      if NUMBER_WORDS[previous] or (#run >= 9 and previous ~= "size") then return NUMBER end
      if closed and #run >= 6 and not run:find "^19......$" and not run:find "^20......$" then return ID end
    elseif run:find(".", 1, true) then
      local path = before == "/" and at > 2 and text:sub(at - 2, at - 2) ~= "/"
      if not path and is_host(run) then
        if at ~= own and literal_follows(behind) then return CLIENT end
        return HOST, true
      end
      local first = run:match "^[^.]*"
      if not run:find "[^%d.]" and #first >= 9 then return NUMBER end
      if is_ipv4(run) then
        local version = not bracket(at, behind) and word and not ADDRESS_WORDS[previous] and (counts or VERSION_WORDS[previous])
        return not version and "address" or nil
      end
      if run:find "%.%d+$" and is_id(first) then return ID end
    elseif run:find "%d" then
      if closed and #run >= 6 and not run:find "%X" and one_case(run) then return ID end
      if is_id(run) then return ID end
    elseif lower(run) == "localhost" then
      return HOST, true
    end
  end

  local function alnum_here()
    local behind = client_end()
    if behind then return put(behind, CLIENT) end
    local run_behind = run_end(text, at)
    local run = text:sub(at, run_behind - 1)
    -- In 1:2:3, which is no address, 2:3 is not tried again.
    local row = word and #word <= 4 and not word:find "%X" and text:sub(at - #word - 1, at - 1) == word .. ":"
    behind = #run <= 4 and text:sub(run_behind, run_behind) == ":" and not row and ipv6_end(text, at)
    if behind then return put_address(behind) end
    behind = (run:find "^%d" or not run:find "%d") and date_end(text, at)
    if behind then return put(behind, DATE) end
    local token, weak = judge(run, run_behind)
    if token == "address" then return put_address(run_behind) end
    if token then return put(run_behind, token, weak) end
    out[#out + 1] = run
    at, word = run_behind, run
    counts = run:find "%u" or (run:find "^%d" and run:find(".", 1, true))
  end

  start_line()
  while at <= #text do
    local byte = text:sub(at, at)
    if byte:find(ALNUM) then
      alnum_here()
    elseif text:find("^::%x", at) and not (at > 1 and text:find("^" .. PART, at - 1)) and (client_end() or ipv6_end(text, at)) then
      if client_end() then put(client_end(), CLIENT) else put_address(ipv6_end(text, at)) end
    else
      out[#out + 1] = byte
      at = at + 1
      if byte == "\n" then
        start_line()
      elseif not byte:find(QUIET) then
        word = nil
      end
    end
  end
  return table.concat(out)
end

return M
