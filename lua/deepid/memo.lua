--- A function of one text whose results are kept until memory is tidied up: for what every host asks for again.
--
-- @param work  function of a text, or of a table that such a function gave, that gives a table, which nobody changes
return function(work)
  local known = setmetatable({}, { __mode = "v" })
  return function(given)
    local result = known[given]
    if result then return result end
    result = work(given)
    known[given] = result
    return result
  end
end
