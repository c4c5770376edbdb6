--- The knowledge as one file that loads fast: written by `make` (deepid.pack), believed only while it is that of the text files beside it.
--
-- The file is a line that says so, a checksum of the text files and of the core that compiled their patterns, and a packed value
-- (csrc/lpack.h).

local core = require "deepid.core"

local M = {}

local MAGIC = "smtp-deepid knowledge 4\n"

--- Its name, in the folder of the knowledge.
M.NAME = "knowledge.packed"

--- What the file begins with: what it is true of, these texts as this core reads them.
-- @return nil and a message where one of them cannot be read
function M.head_of(paths)
  local lib = core.load()
  local sum, message = lib.checksum_files(table.unpack(paths))
  if not sum then return nil, message end
  return MAGIC .. lib.checksum(lib.build, lib.pcre, sum)
end

--- Opens the file.
--
-- @param path   of the file
-- @param paths  as for <code>pack.seal</code>
-- @return <code>packed</code> of the core; nil when the file is of other texts or another core, damaged, or not there
function M.open(path, paths)
  local lib = core.load()
  local head = lib and M.head_of(paths)
  return head and lib.packed(path, head)
end

return M
