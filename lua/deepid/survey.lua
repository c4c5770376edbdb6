--- What a scan showed, host by host: takes `scan`, `host` and `transcript` records and lists of greetings in any order, keeps what the
-- judge asks of each host on a shelf, on disk where that is much. Judges nothing: that is <code>deepid.verdict</code>'s.
--
-- A survey is a function of the set of what it was given. Its state can be written to a file, and joined with others.

local core = require "deepid.core"
local digests = require "deepid.digest"
local facts = require "deepid.facts"
local namings = require "deepid.naming"

local M = {}

local Survey = {}
Survey.__index = Survey

--- An empty survey. Raises where the core is missing: whoever opened the engine has it.
--
-- @param engine   (optional) what <code>deepid.open</code> gave: names products, and texts that give interceptors away
-- @param options  (optional) of the core's <code>shelf</code>
function M.new(engine, options)
  return setmetatable({ shelf = assert(core.load()).shelf(options), naming = namings.new(engine), scanner = {}, control = {}, known = {}, vantage = {} }, Survey)
end

-- What goes wrong with the shelf stays wrong, and is told by <code>hosts</code>.
local function put(survey, key, value)
  survey.shelf:put(key, value)
  local what, address = facts.of_scan(key)
  if what then survey[what][address] = true end
end

--- Takes one record of a saved scan.
--
-- @param record  as <code>transcript.from_record</code> checks it, a `scan` or `host` record, or a greeting of <code>deepid.intake</code>
-- @param result  (optional) a transcript's port result; else the engine is asked
function Survey:add(record, result)
  local named = result and namings.of(result) or record.steps and self.naming:transcript(record) or nil
  facts.put(record, function(key, value) put(self, key, value) end, named)
end

--- Takes whole lines of an address, a tab and a greeting.
--
-- @return how many lines there were
-- @return array of the number and the text, in turn, of each that is something else
function Survey:add_lines(buffer)
  return self.shelf:put_lines(buffer, "\0" .. facts.GREETING_SLOT, facts.GREETING_MARK, digests.TEXT_BYTES)
end

--- All hosts by address; each with <code>main</code>, the digest that stands for it, or nil. Only one such loop at a time.
--
-- @return iterator of host, and its slots and values (<code>deepid.facts</code>); raises when the disk fails
function Survey:hosts() return facts.hosts(assert(self.shelf:pairs()), 0, self.naming) end

--- The same but for lone greetings, which the core sees to where it can: it counts them, and takes their keys to groups.
--
-- @param options  of the core's <code>sweep</code>, but for those that say what a lone greeting is. <code>classify</code> there is
--   taken as a wish: <code>named</code>, a function of the names (<code>deepid.naming</code>) of a class of greetings and its number, which says
--   whether each of its hosts is to be told, gets them
-- @return iterator of host; where it is one that the core has counted, and that <code>named</code> asked for, it is
--   <code>counted</code>, and only its address, its ordinal and its names are known
-- @return what has <code>counts()</code>: how many hosts there were of each class
function Survey:sweep(options)
  local classes = {}
  options.slot, options.mark, options.refusals = facts.GREETING_SLOT, facts.GREETING_MARK, digests.REFUSALS
  options.special = next(self.control) and self.control
  if options.named then
    options.set = self.naming:set()
    options.classify = function(reply, number)
      local named = self.naming:shared(reply)
      classes[number] = named
      return named ~= nil, named and options.named(named, number)
    end
  end
  local iterate, counts = assert(core.load()).sweep(self.shelf, options)
  return facts.hosts(assert(iterate, counts), 0, self.naming, nil, classes), counts
end

--- Writes the state to a file, in place of what was there.
-- @return true; or nil and a message
function Survey:save(path) return self.shelf:dump(path) end

local REMEDY = "make it again with: deepid partial -o %s FILE..."

--- Adds the state in a file.
-- @return true; or nil and a message that says what is wrong with it, and what to do
function Survey:load(path)
  local shelf, message = assert(core.load()).shelf_load(path)
  if not shelf then return nil, ("%s; %s"):format(message, REMEDY:format(path)) end
  -- A lone greeting may be any bytes.
  for key, value in assert(assert(core.load()).sweep(shelf, { slot = facts.GREETING_SLOT, mark = facts.GREETING_MARK })) do
    if not facts.is_sound(key, value) then
      return nil, ("%s is no state that can be read: its facts are none of a survey; %s"):format(path, REMEDY:format(path))
    end
    local what, address = facts.of_scan(key)
    if what then self[what][address] = true end
  end
  local ok, problem = self.shelf:merge(shelf)
  shelf:close()
  return ok, problem
end

return M
