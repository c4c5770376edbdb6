--- The recordings, digested for learning, and which of them are frozen. From the repository's root.

local learn = require "deepid.learn"
local transcript = require "deepid.transcript"
local windows = require "deepid.window"

local M = {}

-- What some recordings state as the version of Python's module is what it calls itself: the releases of Python that held such a module.
local OWN_NUMBERS = { ["Python smtpd module"] = { ["0.2"] = { "2.1", "3.2" }, ["0.3"] = { "3.3", "3.11" } } }

local function read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read("a")
  file:close()
  return text
end

-- The pairs of a file of two columns.
local function pairs_of(path)
  local list = {}
  for first, second in read(path):gmatch("([^#\n][^\t\n]*)\t([^\n]*)\n") do list[#list + 1] = { first, second } end
  return list
end

--- The first and the last release that a program's own number stands for; nil where a version is a release.
function M.own_number(product, version) return OWN_NUMBERS[product] and OWN_NUMBERS[product][version] end

--- Whether a window of versions holds a recorded one: any of its releases, where the program's own number stands for several.
function M.is_inside(window, product, version)
  local span = M.own_number(product, version)
  if not span then return windows.contains(window, version) end
  -- Two spans meet where one holds the beginning of the other.
  local is_later = window.min and windows.contains({ min = span[1], max = span[2] }, window.min)
  return is_later or windows.contains(window, span[1])
end

--- What kind of program each product is.
function M.kinds()
  local kinds = {}
  for _, pair in ipairs(pairs_of("test/accuracy/kinds.tsv")) do kinds[pair[1]] = pair[2] end
  return kinds
end

--- Whether a recording is frozen: a function of its facts.
function M.frozen()
  local set = {}
  for _, pair in ipairs(pairs_of("test/accuracy/frozen.tsv")) do set[pair[1] .. "\t" .. pair[2]] = true end
  -- What another product's library says is frozen with the library.
  local function is_frozen(product, release) return product ~= nil and (set[product .. "\t*"] or set[product .. "\t" .. tostring(release)]) or false end
  return function(facts) return is_frozen(facts.product, facts.version) or is_frozen(facts.library, facts["library version"]) end
end

--- All recordings.
--
-- @return array of digests (deepid.learn), each with <code>path</code>, <code>facts</code>, <code>transcript</code>, <code>frozen</code>
function M.all()
  local list, is_frozen = {}, M.frozen()
  local pipe = assert(io.popen("LC_ALL=C ls test/transcripts/*.md"))
  for path in pipe:lines() do
    local text = read(path)
    local recorded, facts = transcript.from_markdown(text, path)
    assert(recorded, facts)
    local digest = learn.digest(recorded, facts)
    digest.path, digest.facts, digest.transcript = path, facts, recorded
    digest.frozen = is_frozen(facts)
    -- Where a front passes a server's words on, that is whose name is right.
    if facts.server then digest.facts = setmetatable({ product = facts.server, front = facts.product }, { __index = facts }) end
    list[#list + 1] = digest
  end
  pipe:close()
  return list
end

--- Those that may be learned from.
function M.learnable(all)
  local list = {}
  for _, digest in ipairs(all) do
    if not digest.frozen then list[#list + 1] = digest end
  end
  return list
end

return M
