--- Reads Nmap's XML output, for tests: elements, attributes, NSE's tables.

local M = {}

local ENTITIES = { lt = "<", gt = ">", amp = "&", quot = '"', apos = "'" }

local function decode(text)
  return (text:gsub("&(#?x?)(%w+);", function(kind, name)
    if kind == "" then return ENTITIES[name] end
    return utf8.char(tonumber(name, kind == "#x" and 16 or 10))
  end))
end

-- One element a table: tag, attributes, children in order, text.
local function element(tag, attributes)
  local made = { tag = tag, attributes = {}, children = {}, text = "" }
  for name, value in attributes:gmatch('([%w:_-]+)="(.-)"') do made.attributes[name] = decode(value) end
  return made
end

--- Parses a document as Nmap writes it.
--
-- @return the root element {tag, attributes, children, text}
function M.parse(text)
  local stack = { { children = {}, text = "" } }
  text = text:gsub("<%?.-%?>", ""):gsub("<!%-%-.-%-%->", ""):gsub("<!DOCTYPE.->", "")
  for before, closing, tag, attributes, empty in text:gmatch("([^<]*)<(/?)([%w:_-]+)(.-)(/?)>") do
    local top = stack[#stack]
    top.text = top.text .. decode(before)
    if closing == "/" then
      assert(top.tag == tag, "unexpected </" .. tag .. ">")
      table.remove(stack)
    else
      local made = element(tag, attributes)
      top.children[#top.children + 1] = made
      if empty == "" then stack[#stack + 1] = made end
    end
  end
  assert(#stack == 1, "unfinished document")
  return stack[1].children[1]
end

--- All elements below one that have the tag, in document order.
function M.all(node, tag, found)
  found = found or {}
  for _, child in ipairs(node.children) do
    if child.tag == tag then found[#found + 1] = child end
    M.all(child, tag, found)
  end
  return found
end

--- The first such element, or nil.
function M.first(node, tag) return M.all(node, tag)[1] end

--- NSE's <table> and <elem> below a node, as a Lua table.
function M.value(node)
  local out = {}
  for _, child in ipairs(node.children) do
    if child.tag == "table" or child.tag == "elem" then
      local value = child.tag == "table" and M.value(child) or child.text
      local key = child.attributes.key
      if key then out[key] = value else out[#out + 1] = value end
    end
  end
  return out
end

--- The scan's ports: array of {address, port, state, service (attributes), scripts (id -> script element)}.
function M.ports(root)
  local list = {}
  for _, host in ipairs(M.all(root, "host")) do
    local address = M.first(host, "address").attributes.addr
    for _, port in ipairs(M.all(host, "port")) do
      local service, scripts = M.first(port, "service"), {}
      for _, script in ipairs(M.all(port, "script")) do scripts[script.attributes.id] = script end
      list[#list + 1] = { address = address, port = tonumber(port.attributes.portid), state = M.first(port, "state").attributes.state,
        service = service and service.attributes or {}, cpe = service and M.all(service, "cpe") or {}, scripts = scripts }
    end
  end
  return list
end

return M
