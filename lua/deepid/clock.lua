--- Dates in greetings: the server's time zone, and how far its clock is off.

local M = {}

local MONTHS = {}
for i, name in ipairs({ "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" }) do MONTHS[name] = i end

-- Minutes east of Greenwich: RFC 5322 section 4.3; others are no names that all agree on.
local ZONES = { UT = 0, GMT = 0, UTC = 0, Z = 0, EST = -300, EDT = -240, CST = -360, CDT = -300, MST = -420, MDT = -360, PST = -480,
  PDT = -420 }

-- How the fields of a date lie.
local FORMS = {
  -- RFC 5322 section 3.3, with or without the day's name: Tue, 24 Nov 2026 10:00:00 +0000
  { "(%d%d?) (%a%a%a) (%d%d%d%d) (%d%d):(%d%d):(%d%d) ([-+]?%w+)", "day month year hour minute second zone" },
  { "(%d%d?) (%a%a%a) (%d%d%d%d) (%d%d):(%d%d):(%d%d)", "day month year hour minute second" },
  -- ctime(3): Tue Nov 24 10:00:00 2026, which names no zone
  { "%a%a%a (%a%a%a) +(%d%d?) (%d%d):(%d%d):(%d%d) (%d%d%d%d)", "month day hour minute second year" },
  -- Java's medium form, as Zoho greets: March 6, 2024 6:59:13 AM PST
  { "%f[%a](%a%a%a)%a* (%d%d?), (%d%d%d%d) (%d%d?):(%d%d):(%d%d) ([AP]M) (%u+)", "month day year hour minute second half zone" },
}

local LEAST_YEAR = 1990

-- Days from 1970 to a date of the Gregorian calendar.
local function days(year, month, day)
  local shifted = month <= 2 and year - 1 or year
  local era = shifted // 400
  local of_era = shifted - era * 400
  local of_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
  return era * 146097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719468
end

local function minutes_of(zone)
  local sign, hours, minutes = zone:match("^([-+])(%d%d)(%d%d)$")
  if not sign then return ZONES[zone] end
  return (sign == "-" and -1 or 1) * (tonumber(hours) * 60 + tonumber(minutes))
end

local function is_date(date)
  return date.month and date.day >= 1 and date.day <= 31 and date.year >= LEAST_YEAR and date.hour < 24 and date.minute < 60
    and date.second <= 60
end

local function to_hour(date)
  if date.half then date.hour = date.hour % 12 + (date.half == "PM" and 12 or 0) end
end

local function read(form, text)
  local found = { text:match(form[1]) }
  if #found == 0 then return nil end
  local date, i = {}, 0
  for name in form[2]:gmatch("%l+") do
    i = i + 1
    date[name] = tonumber(found[i]) or found[i]
  end
  date.month = MONTHS[date.month]
  if type(date.zone) == "number" then date.zone = found[#found] end -- an offset reads as a number
  to_hour(date)
  return is_date(date) and date or nil
end

--- Reads the first date in a text.
--
-- @return table: <code>seconds</code> since 1970 by the server's local time, <code>offset</code> of its zone in minutes (nil where
-- the date names none)
-- @return nil where there is none
function M.read(text)
  for _, form in ipairs(FORMS) do
    local date = read(form, text)
    if date then
      local seconds = days(date.year, date.month, date.day) * 86400 + date.hour * 3600 + date.minute * 60 + date.second
      return { seconds = seconds, offset = date.zone and minutes_of(tostring(date.zone)) }
    end
  end
end

local function zone_text(offset)
  local minutes = math.abs(offset)
  return ("%s%02d%02d"):format(offset < 0 and "-" or "+", minutes // 60, minutes % 60)
end

--- What a date in a reply tells of the server's clock.
--
-- @param text  the reply
-- @param at    (optional) when it came, in seconds since 1970 by the scanner's clock
-- @return table: <code>zone</code> ("+0100"), <code>skew_s</code>, whole seconds by which the server is ahead (negative: behind; nil
-- without the scanner's time)
-- @return nil where there is no date, or one without a zone
function M.judge(text, at)
  local date = M.read(text)
  if not (date and date.offset) then return nil end
  local skew = at and date.seconds - date.offset * 60 - at
  -- The date counts whole seconds, so a right clock is up to one behind.
  return { zone = zone_text(date.offset), skew_s = skew and math.floor(skew + 0.5) }
end

return M
