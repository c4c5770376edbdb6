--- The second opinion: the user's own nmap-service-probes, read at run time.
--
-- Asked only where our own rules are silent. As in Nmap, its lines see greeting
-- and reply joined, match lines are tried in file order, probe after probe, and
-- the first hard match ends it. Nothing of the file is kept or passed on.

local core = require "deepid.core"
local matchline = require "deepid.matchline"
local template = require "deepid.template"

local M = {}

local SERVICES = { smtp = true, smtps = true, lmtp = true, ["smtp-proxy"] = true }

-- Probes in the order asked, and the step that sends the same bytes.
local PROBES = {
  { name = "NULL", step = "greeting" },
  { name = "Hello", step = "ehlo", sent = "EHLO\r\n" },
  { name = "Help", step = "help", sent = "HELP\r\n" },
}

--- Reads the match lines of a probe file.
--
-- @param path   file name
-- @param wants  (optional) set of services to keep; default: every service
-- @return array of {probe, protocol, service, soft, pattern, flags, fields, line}
-- @return array of messages about lines that cannot be read
-- @return nil and a message when the file cannot be read
function M.read(path, wants)
  local file, message = io.open(path, "rb")
  if not file then return nil, message end
  local list, problems, probe, number = {}, {}, nil, 0
  for line in file:lines() do
    number = number + 1
    probe = matchline.probe(line) or probe
    local service = line:match("^s?o?f?t?match%s+(%S+)")
    if service and (not wants or wants[service]) then
      local match, wrong = matchline.match((line:gsub("\r$", "")))
      if match and probe then
        match.probe, match.protocol, match.line = probe.name, probe.protocol, number
        list[#list + 1] = match
      else
        problems[#problems + 1] = ("%s:%d: %s"):format(path, number, wrong or "a match line before any Probe")
      end
    end
  end
  file:close()
  return list, problems
end

--- Compiles match lines, as one set: within a service, hard and soft apart,
-- nothing is left out, so that every one is tried.
--
-- @return the core's set; array of messages
-- @return nil and a message when the core cannot be loaded
function M.compile(list, path)
  local lib, message = core.load()
  if not lib then return nil, message end
  local patterns, problems = {}, {}
  for i, match in ipairs(list) do
    patterns[i] = { pattern = match.pattern, flags = match.flags, slot = match.soft and 2 or 1 }
  end
  local set, errors = lib.fpset(patterns)
  for _, wrong in ipairs(errors) do
    problems[#problems + 1] = ("%s:%d: %s at byte %d of the pattern"):format(path, list[wrong.index].line, wrong.message, wrong.offset)
  end
  return set, problems
end

-- Sorts the lines by probe and compiles each probe's.
local function load_opinion(opinion)
  opinion.probes = {}
  local list, problems = M.read(opinion.path, SERVICES)
  if not list then
    opinion.problems = { problems }
    return
  end
  opinion.problems = problems
  for _, match in ipairs(list) do
    local probe = opinion.probes[match.probe] or { list = {} }
    opinion.probes[match.probe] = probe
    probe.list[#probe.list + 1] = match
  end
  for _, probe in pairs(opinion.probes) do
    local wrong
    probe.set, wrong = M.compile(probe.list, opinion.path)
    if probe.set then table.move(wrong, 1, #wrong, #problems + 1, problems) end
  end
end

-- Some of Nmap's lines capture the blank or dash before the host name with it.
local function expand_fields(match, captures)
  local fields = template.expand_fields(match.fields, captures)
  fields.hostname = fields.hostname and fields.hostname:match("^[%s-]*(.-)$")
  return fields
end

local function find_step(transcript, name, sent)
  for _, step in ipairs(transcript.steps) do
    if step.step == name and step.reply ~= "" and (not sent or step.sent == sent) then return step end
  end
end

--- What the file's lines say of a transcript.
--
-- @param opinion     table: <code>path</code>, of the user's nmap-service-probes. The file is read when it is first asked; messages about it are
--   then in <code>problems</code>
-- @return hit {fields, step, line, service, soft}, or nil
function M.ask(opinion, transcript)
  if not opinion.problems then load_opinion(opinion) end
  local greeting, hint = find_step(transcript, "greeting"), nil
  for _, probe in ipairs(PROBES) do
    local step, known = find_step(transcript, probe.step, probe.sent), opinion.probes[probe.name]
    if step and known and known.set then
      local before = step ~= greeting and greeting and greeting.reply or ""
      for _, found in ipairs((known.set:match(before .. step.reply))) do
        local match = known.list[found.rule]
        local hit = { step = step, line = match.line, service = match.service, soft = match.soft, fields = expand_fields(match, found) }
        if not match.soft then return hit end
        hint = hint or hit
      end
    end
  end
  return hint
end

return M
