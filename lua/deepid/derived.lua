--- What no single reply holds, as steps of their own that rules can match.
--
-- <code>ehloorder</code>: whether the keywords that two EHLO replies share come in the same order, <code>same</code> or
-- <code>shuffled</code>. Real servers write them in a fixed order, whatever TLS adds or takes away.

local reply = require "deepid.reply"

local M = {}

local FEWEST = 5 -- shared keywords; fewer may fall into the same order by chance

local function keywords(step)
  local list, at = {}, {}
  for _, extension in ipairs(reply.extensions(step.reply)) do
    local word = extension:match("^[%w-]+")
    if word and not at[word] then
      list[#list + 1] = word
      at[word] = #list
    end
  end
  return list, at
end

-- Whether the shared keywords keep their order, and how many they are.
local function same_order(first, second)
  local list = keywords(first)
  local _, at = keywords(second)
  local last, shared, same = 0, 0, true
  for _, word in ipairs(list) do
    if at[word] then
      shared, same = shared + 1, same and at[word] > last
      last = at[word]
    end
  end
  return same, shared
end

--- The derived steps of a transcript, in the form of its own.
function M.steps(transcript)
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
  if not compared then return {} end
  return { { step = "ehloorder", sent = "", reply = shuffled and "shuffled\r\n" or "same\r\n", ["end"] = "reply" } }
end

return M
