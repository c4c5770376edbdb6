--- Bytes to printable text and back: nothing from the network is shown unescaped.

local M = {}

local NAMED = { ["\r"] = "\\r", ["\n"] = "\\n", ["\t"] = "\\t", ["\\"] = "\\\\" }
local BYTES = { r = "\r", n = "\n", t = "\t", ["\\"] = "\\" }

local function escape_byte(byte)
  return NAMED[byte] or ("\\x%02X"):format(byte:byte())
end

--- Printable ASCII that says exactly which bytes these are.
--
-- @param bytes  any string
-- @param most   (optional) bytes to show; the rest becomes " [+N bytes]"
-- @return text without control, 8-bit or escape characters
function M.visible(bytes, most)
  local tail = ""
  if most and #bytes > most then
    tail = (" [+%d bytes]"):format(#bytes - most)
    bytes = bytes:sub(1, most)
  end
  if not bytes:find("[\0-\31\\\127-\255]") then return bytes .. tail end
  return (bytes:gsub("[\0-\31\\\127-\255]", escape_byte)) .. tail
end

--- Undoes <code>visible</code>: reads \r \n \t \\ and \xHH.
--
-- @return the bytes
-- @return nil and a message for any other escape
function M.bytes(text)
  local problem
  local out = text:gsub("\\(.)(%x?%x?)", function(kind, hex)
    if kind == "x" and #hex == 2 then return string.char(tonumber(hex, 16)) end
    if BYTES[kind] then return BYTES[kind] .. hex end
    problem = problem or "unknown escape \\" .. kind
  end)
  if problem or text:gsub("\\.", ""):find("\\", 1, true) then
    return nil, problem or "a lone backslash at the end"
  end
  return out
end

return M
