--- What no single reply holds, as steps of their own that rules can match.
--
-- <code>ehloorder</code>: whether the keywords that two EHLO replies share come in the same order, <code>same</code> or
-- <code>shuffled</code>. Real servers write them in a fixed order, whatever TLS adds or takes away.
--
-- <code>greetingpace</code>: the greeting began, and its end was held back. <code>teaser</code>: of several lines; <code>stutter</code>: of one,
-- or byte by byte. How long a server waits before it begins tells nothing: a name server, ident and a slow line do the same.

local memo = require "deepid.memo"
local reply = require "deepid.reply"

local M = {}

local FEWEST = 5 -- shared keywords; fewer may fall into the same order by chance
-- A greeting fits into one packet. To come in two that far apart by losses, the second must be lost five times in a row (RFC 6298 5.5);
-- postscreen waits 6 s there, spamd a second before each byte.
local HELD_MS, BYTE_MS = 5000, 300

-- The keywords of an EHLO reply in order, and where each stands.
local keywords = memo(function(extensions)
  local list, at = {}, {}
  for _, extension in ipairs(extensions) do
    local word = extension:match("^[%w-]+")
    if word and not at[word] then
      list[#list + 1] = word
      at[word] = #list
    end
  end
  return { list = list, at = at }
end)

-- Whether the shared keywords keep their order, and how many they are.
local function same_order(first, second)
  local at = keywords(reply.extensions(second.reply)).at
  local last, shared, same = 0, 0, true
  for _, word in ipairs(keywords(reply.extensions(first.reply)).list) do
    if at[word] then
      shared, same = shared + 1, same and at[word] > last
      last = at[word]
    end
  end
  return same, shared
end

local function order_of_keywords(transcript)
  local first, shuffled, compared
  for _, step in ipairs(transcript.steps) do
    if step.step == "ehlo" and step.reply:find("^250") then
      local same, shared = true, 0
      if first then same, shared = same_order(first, step) end
      first = first or step
      compared = compared or shared >= FEWEST
      shuffled = shuffled or (shared >= FEWEST and not same)
    end
  end
  return compared and (shuffled and "shuffled" or "same")
end

local function pace_of_greeting(transcript)
  for _, step in ipairs(transcript.steps) do
    local held_ms = step.step == "greeting" and (step.ms or 0) - (step.first_ms or step.ms or 0) or 0
    if held_ms >= HELD_MS then
      local is_teaser = step.reply:find("\n.") and held_ms < BYTE_MS * #step.reply
      return is_teaser and "teaser" or "stutter"
    end
  end
end

--- The derived steps of a transcript, in the form of its own.
function M.steps(transcript)
  local list = {}
  local function add(name, says)
    if says then list[#list + 1] = { step = name, sent = "", reply = says .. "\r\n", ["end"] = "reply" } end
  end
  add("ehloorder", order_of_keywords(transcript))
  add("greetingpace", pace_of_greeting(transcript))
  return list
end

return M
