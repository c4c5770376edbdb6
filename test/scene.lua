--- Builds surveys for tests: hosts in unrelated networks that honestly answer for themselves, until a test says otherwise.
--
-- @usage
-- local scene = require "scene"
-- local object = scene.judge(scene.honest(24), { from = 1, to = 3, greeting = "220 mx.box.net ESMTP" })

local survey = require "deepid.survey"
local transcript = require "deepid.transcript"
local verdict = require "deepid.verdict"

local M = {}

--- The address of host i: a /16 of its own; with `near`, all in one /24.
function M.address(i, near)
  if near then return "198.51.7." .. i end
  return ("%d.%d.0.25"):format(20 + i % 60, i)
end

--- One honest host as a table that `records` understands; fields of `with` take the place of its own.
function M.host(i, with)
  local host = { address = M.address(i), greeting = ("220 mail.own%d.org ESMTP Exim 4.96"):format(i), names = { ("mail.own%d.org"):format(i) } }
  for key, value in pairs(with or {}) do
    if type(value) == "function" then value = value(i) end
    host[key] = value
  end
  return host
end

--- `count` honest hosts.
function M.honest(count, with)
  local hosts = {}
  for i = 1, count do hosts[i] = M.host(i, with) end
  return hosts
end

--- Changes hosts from..to.
function M.change(hosts, change)
  for i = change.from or 1, change.to or #hosts do
    for key, value in pairs(change) do
      if key ~= "from" and key ~= "to" then
        if type(value) == "function" then value = value(i) end
        if value == false then value = nil end
        hosts[i][key] = value
      end
    end
  end
  return hosts
end

--- The records that a saved scan holds of hosts.
function M.records(hosts)
  local list = {}
  for _, host in ipairs(hosts) do
    list[#list + 1] = { record = "host", address = host.address, names = host.names, ports = host.ports or {}, silent = host.silent,
      refused_by = host.refused_by, connects = host.connects, path = host.host_path }
    if host.greeting then
      local record = transcript.from_greeting(host.greeting, host.address, host.port)
      for _, step in ipairs(host.steps or {}) do record.steps[#record.steps + 1] = step end
      record.certificate, record.path = host.certificate, host.path
      list[#list + 1] = record
    end
    if host.other then list[#list + 1] = host.other end
  end
  return list
end

--- @param scan     (optional) a scan record's fields
-- @param engine   (optional) identifies the transcripts
function M.survey(hosts, scan, engine)
  local all = survey.new()
  if scan then
    scan.record = "scan"
    all:add(scan)
  end
  for _, record in ipairs(M.records(hosts)) do
    all:add(record, engine and record.record ~= "host" and engine:identify(record) or nil)
  end
  return all
end

--- The post-scan object of hosts.
function M.judge(hosts, scan, engine) return assert(verdict.judge(M.survey(hosts, scan, engine))) end

--- Names of the kinds of evidence, of the explanations of groups and of hosts in an object, as one text.
function M.told(object)
  local parts = {}
  for _, item in ipairs(object.evidence) do parts[#parts + 1] = "evidence:" .. item.kind end
  for _, group in ipairs(object.groups) do parts[#parts + 1] = "group:" .. (group.explanation or group.surprising or "nothing") end
  for _, one in ipairs(object.explained) do parts[#parts + 1] = "host:" .. one.name end
  for _, host in ipairs(object.hosts) do
    for _, says in ipairs(host.evidence) do parts[#parts + 1] = "odd:" .. says end
  end
  return table.concat(parts, "\n")
end

return M
