--- Finds and loads the C core that fits the running Lua.
--
-- The core lies beside this file as <code>core-5.3.so</code> and <code>core-5.4.so</code>; failing that, on an absolute template of
-- <code>package.cpath</code> as <code>deepid/core-5.x.so</code>. Never in the current folder.

local M = {}

local VERSION = _VERSION:match "%d+%.%d+"
local NAME = "core-" .. VERSION .. ".so"

-- From the debug information and not from require's second argument: Nmap's own loader passes none.
local FOLDER = debug.getinfo(1, "S").source:match "^@(.*/)" or "./"

local function exists(path)
  local file = io.open(path, "rb")
  if file then file:close() end
  return file ~= nil
end

-- What mends a missing or broken core.
local function remedy()
  if VERSION ~= "5.3" and VERSION ~= "5.4" then
    return "it is made for Lua 5.3 and 5.4 only"
  end
  if exists(FOLDER .. "../../csrc/lcore.c") then
    return "run `make` in the folder of smtp-deepid"
  end
  return "install smtp-deepid again (`make install` in its folder)"
end

-- Where the core may lie, best first.
local function places()
  local paths = { FOLDER .. NAME }
  for template in package.cpath:gmatch "[^;]+" do
    if template:sub(1, 1) == "/" then
      paths[#paths + 1] = (template:gsub("%?", "deepid/core-" .. VERSION))
    end
  end
  return paths
end

-- Whether the file was cut short: the dynamic linker maps such a library all the same, and the process dies of SIGBUS. The table of
-- sections, which linkers write last, must lie within the file (System V ABI, "ELF Header": e_shoff, e_shentsize, e_shnum).
local function cut_short(path)
  local file = assert(io.open(path, "rb"))
  local header, size = file:read(64) or "", file:seek "end"
  file:close()
  if #header < 64 or header:sub(1, 4) ~= "\127ELF" then return false end -- the linker says so itself
  local wide, order = header:byte(5) == 2, header:byte(6) == 2 and ">" or "<"
  local offset = string.unpack(order .. (wide and "I8" or "I4"), header, wide and 41 or 33)
  local entry, count = string.unpack(order .. "I2I2", header, wide and 59 or 47)
  return offset + entry * count > size
end

local function open(path)
  if cut_short(path) then return nil, "the file was cut short" end
  local opener, problem = package.loadlib(path, "luaopen_deepid_core")
  if not opener then return nil, problem end
  local ok, core = pcall(opener)
  if not ok then return nil, core end
  return core
end

local loaded

--- Loads the core, once.
--
-- @return the table of DESIGN.md, "The C core"
-- @return nil and a message that says what is wrong and which command mends it
function M.load()
  if loaded then return loaded end
  local problem = "no " .. NAME .. " beside " .. FOLDER .. "core.lua or on package.cpath"
  for _, path in ipairs(places()) do
    if exists(path) then
      loaded, problem = open(path)
      if loaded then return loaded end
      problem = path .. " does not load: " .. tostring(problem)
      break
    end
  end
  return nil, ("the C core of smtp-deepid for %s is not usable: %s; %s"):format(_VERSION, problem, remedy())
end

return M
