--- Control addresses: the user says that no mail server is there, so whatever answers SMTP answers for absent hosts.

local lazy = require "deepid.lazy"
local nmap = require "nmap"
local stdnse = require "stdnse"
local knock, path = lazy "deepid.knock", lazy "deepid.path"

local M = {}

M.MOST = 16

-- One control: a greeting, and the path where there was one.
local function ask(address, options, done)
  local transcript = knock.greeting({ ip = address, registry = {} }, options.session)
  if not transcript then return end
  -- No other port of an absent host answers.
  transcript.path = path.collect({ address = address, number = 25 }, { references = {}, trace = options.trace })
  done(transcript)
end

--- Asks every control address that was not scanned itself, all at once.
--
-- @param addresses  array of addresses
-- @param options    as of <code>path.collect</code>, and <code>session</code>
-- @return array of the transcripts of those that answered
function M.run(addresses, options)
  local found, running = {}, 0
  local changed = nmap.condvar(found)
  for i = 1, math.min(#addresses, M.MOST) do
    running = running + 1
    stdnse.new_thread(function()
      local ok, message = pcall(ask, addresses[i], options, function(transcript) found[#found + 1] = transcript end)
      if not ok then stdnse.debug1("control %s: %s", addresses[i], message) end
      running = running - 1
      changed("signal")
    end)
  end
  while running > 0 do changed("wait") end
  table.sort(found, function(a, b) return a.address < b.address end)
  return found
end

return M
