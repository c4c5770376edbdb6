--- A function of one text whose results are kept until memory is tidied up: for what every host asks for again.
--
-- @param work  function of a text that gives a table, which nobody changes
return function(work)
  local known = setmetatable({}, { __mode = "v" })
  return function(text)
    local result = known[text]
    if result then return result end
    result = work(text)
    known[text] = result
    return result
  end
end
