--- Writes patterns for the benchmark: of each, length and bytes, length and flags, as string.pack's "s4s1".
--
--   rules.lua nmap FILE      the hard match lines for SMTP of the installed nmap-service-probes
--   rules.lua ours FILE      our own patterns for greetings
--   rules.lua examples FILE  no patterns, but the greetings that our rules give as examples

local knowledge = require "deepid.knowledge"
local rules = require "deepid.rules"
local second_opinion = require "deepid.second_opinion"
local texts = require "deepid.texts"

local NMAP = { "/usr/share/nmap/nmap-service-probes", "/usr/local/share/nmap/nmap-service-probes" }
local SERVICES = { smtp = true, smtps = true, lmtp = true, ["smtp-proxy"] = true }

local function our_rules()
  local folder, paths = assert(knowledge.find()), {}
  for i, name in ipairs(knowledge.FILES) do paths[i] = folder .. "/" .. name end
  return (texts.read(paths))
end

local SOURCES = {}

function SOURCES.nmap(add)
  for _, path in ipairs(NMAP) do
    for _, match in ipairs(second_opinion.read(path, SERVICES) or {}) do
      if not match.soft then add(match.pattern, match.flags) end
    end
  end
end

function SOURCES.ours(add)
  for _, rule in ipairs(our_rules()) do
    for _, pattern in ipairs(rules.patterns(rule)) do
      if pattern.step == "greeting" then add(pattern.pattern, pattern.flags) end
    end
  end
end

function SOURCES.examples(add)
  for _, rule in ipairs(our_rules()) do
    for _, example in ipairs(rule.examples) do
      if example.steps.greeting then add(example.steps.greeting, "") end
    end
  end
end

local file = assert(io.open(arg[2], "wb"))
SOURCES[arg[1]](function(pattern, flags) file:write(string.pack("<s4s1", pattern, flags)) end)
assert(file:close())
