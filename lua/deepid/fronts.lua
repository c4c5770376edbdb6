--- What stands in front of the hosts of a scan: what the rules named, and what takes STARTTLS out of the way to port 25.

local crowds = require "deepid.crowd"
local facts = require "deepid.facts"
local json = require "deepid.json"

local M = {}

--- Named where hosts that something answers for offer STARTTLS on another port and not on 25.
M.STRIPPER = "something that removes STARTTLS"

local PATTERN = 3 -- hosts, at least: one may well be set up so
local MOST_EXAMPLES = 3

local Watch = {}
Watch.__index = Watch

--- Begins to look, host by host.
function M.watch() return setmetatable({ by_name = {}, list = {}, stripped = crowds.new(), rewritten = crowds.new(), offered = crowds.new() }, Watch) end

local function note(watch, front, host)
  local key = front.role .. " " .. (front.name or "unknown")
  local one = watch.by_name[key]
  if not one then
    one = { role = front.role, name = front.name or "unknown", hosts = 0, examples = json.array() }
    watch.by_name[key], watch.list[#watch.list + 1] = one, one
  end
  if one.last == host.address then return end -- on another of its ports
  one.hosts, one.last = one.hosts + 1, host.address
  if #one.examples < MOST_EXAMPLES then table.insert(one.examples, host.address) end
end

local function offers_starttls(digest) return digest.ehlo and digest.ehlo:find("STARTTLS", 1, true) ~= nil end

-- Whether another port for mail transport offers STARTTLS, where port 25 was asked for what it offers.
local function look_at_starttls(watch, host)
  local main = host.sessions[25]
  if not (main and main.ehlo) then return end
  for port, digest in pairs(host.sessions) do
    if port ~= 25 and facts.MAIL_PORTS[port] and offers_starttls(digest) then
      watch.offered:add(host)
      if not offers_starttls(main) then watch.stripped:add(host) end
      return
    end
  end
end

--- Takes one host; they come by address.
function Watch:see(host)
  for _, digest in pairs(host.sessions) do
    for _, front in ipairs(digest.fronts or {}) do
      note(self, front, host)
      if front.role == "rewriter" then self.rewritten:add(host) end
    end
  end
  if not host.greets_only then look_at_starttls(self, host) end
end

--- @param accused  crowd of the hosts that something answers for
-- @return array of {role, name, hosts, examples}, those of the most hosts first
-- @return of the accused, how many show that what passes is changed
function Watch:found(accused)
  local stripped = self.stripped:common(accused)
  if stripped >= PATTERN and stripped * 2 >= self.offered:common(accused) then
    for _, host in ipairs(self.stripped.first) do
      if accused:has(host) then note(self, { role = "rewriter", name = M.STRIPPER }, host) end
    end
    self.by_name["rewriter " .. M.STRIPPER].hosts = stripped
    self.rewritten:join(self.stripped)
  end
  for _, one in ipairs(self.list) do one.last = nil end
  table.sort(self.list, function(a, b)
    if a.hosts ~= b.hosts then return a.hosts > b.hosts end
    return a.role .. a.name < b.role .. b.name
  end)
  return json.array(self.list), self.rewritten:common(accused)
end

return M
