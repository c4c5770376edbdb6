--- A session with a recording in a live server's place: the plan asks, the recording answers what it answered then.

local learn = require "deepid.learn"
local plan = require "deepid.plan"
local steps = require "deepid.steps"

local M = {}

local MOST_ACTIONS = 400
local NAME = "scanner.example"

-- The recorded answers by step and kind of TLS, the first of each.
local function answers_of(recorded)
  local answers = {}
  for _, step in ipairs(recorded.steps) do
    local key = step.step .. " " .. (step.tls == "starttls" and step.step ~= "tlsagain" and "starttls" or "none")
    answers[key] = answers[key] or step
  end
  return answers
end

-- How many errors it answers before it hangs up, and how.
local function limit_of(recorded)
  local limit, ending = learn.limit(recorded)
  return limit and limit - 1 or math.huge, { reply = "", ["end"] = ending ~= "reply" and ending or "close" }
end

--- Runs a session.
--
-- @param recorded  transcript of a recording
-- @param options   of plan.next
-- @param greeting  (optional) another greeting than the recorded one
-- @return transcript
function M.run(recorded, options, greeting)
  local answers, tls, errors = answers_of(recorded), "none", 0
  local limit, hangs_up = limit_of(recorded)
  local said = { record = "transcript", address = recorded.address, port = recorded.port, steps = {} }
  -- The recorder was told which servers speak LMTP, and never said EHLO to them; Nmap would know it too.
  if answers["lhlo none"] and not answers["ehlo none"] then said.service = "lmtp" end
  for _ = 1, MOST_ACTIONS do
    local action = plan.next(said, options)
    if not action then return said end
    local name = action.step or "greeting"
    if action.connect then tls, errors = "none", 0 end
    -- What was not recorded inside TLS is taken to be as it was outside.
    local known = answers[name .. " " .. tls] or answers[name .. " none"] or { reply = "", ["end"] = "error" }
    if errors > 0 and errors >= limit then known = hangs_up end
    if action.step and known.reply:find("^[45]") then errors = errors + 1 end
    local step = { step = name, connection = action.connect or action.connection, tls = tls, sent = action.step and steps.bytes(name, NAME) or "",
      reply = name == "greeting" and greeting or known.reply, ["end"] = known["end"] }
    said.steps[#said.steps + 1] = step
    if name == "starttls" and step.reply:find("^220") then
      if step["end"] == "reply" then tls = "starttls" end
    end
  end
  error("the plan does not end")
end

return M
