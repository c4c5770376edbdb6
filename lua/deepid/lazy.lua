--- A module that is read when it is first used: to read all of them is a large part of what a scan of few hosts costs.
--
-- @usage
-- local lazy = require "deepid.lazy"
-- local x509 = lazy "deepid.x509"

-- require finds what it has read, and fails as it would have failed above.
return function(name)
  return setmetatable({}, { __index = function(_, key) return require(name)[key] end })
end
