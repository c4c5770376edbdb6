--- Windows of versions: the published releases that a server's answers leave open.

local version = require "deepid.version"

local M = {}

-- Where no list of a product was made, its recorded versions stand for it.
local function list_of(lists, product) return lists[product.name] or product.versions end

--- The releases of a product that no answer excludes, as a window.
--
-- @param lists    of deepid.releases
-- @param model    of deepid.dialects
-- @param product  of that model
-- @param tokens   the answers (deepid.behaviour)
-- @return nil where nothing is excluded, or everything (the answers contradict each other: settings or patches we never saw)
-- @return table {min, max: the first and the last release, nil where it is the list's own end; below, above: {release, step} that was
--   excluded next to it; open: how many releases are not excluded, all: of how many}
function M.of(lists, model, product, tokens)
  local window, all = { open = 0, all = 0 }, list_of(lists, product)
  local last
  for _, release in ipairs(all) do
    local step = model:excluding(product, tokens, release)
    window.all = window.all + 1
    if not step then
      window.open = window.open + 1
      if not window.min then window.min, window.below = release, last end
      window.max, window.above = release, nil
    elseif window.max and not window.above then
      window.above = { release = release, step = step }
    end
    last = step and { release = release, step = step } or last
  end
  if window.open == 0 or window.open == window.all then return nil end
  -- At the ends of the list the window is open: older and newer releases may be out there.
  if not window.below then window.min = nil end
  if not window.above then window.max = nil end
  return window
end

--- Narrows an identity's version to what the rules that matched allow.
--
-- @param identity  of a port result: <code>product</code>; its <code>version_min</code> and <code>version_max</code> are changed
-- @param hits      array of hits, of other products too
function M.narrow_by_rules(identity, hits)
  for _, hit in ipairs(hits) do
    local bounds = hit.rule.window
    if bounds and hit.fields.product == identity.product then
      identity.version_min = version.later(identity.version_min, bounds[1])
      identity.version_max = version.earlier(identity.version_max, bounds[2])
    end
  end
end

--- Whether a version lies in a window; a version such as 3.7 lies in it when any 3.7.x does.
function M.contains(window, one)
  if window.min and version.less(one, window.min) and window.min:sub(1, #one + 1) ~= one .. "." then return false end
  return not (window.max and version.less(window.max, one) and one:sub(1, #window.max + 1) ~= window.max .. ".")
end

return M
