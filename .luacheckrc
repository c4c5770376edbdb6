-- Lua 5.3 is what 5.3 and 5.4 have in common; 5.4 only adds to its library.
std = "lua53"
max_line_length = false
files["scripts/*.nse"] = {
  globals = { "description", "author", "license", "categories", "dependencies", "prerule", "hostrule", "portrule", "postrule", "action" },
  read_globals = { "SCRIPT_TYPE", "SCRIPT_PATH", "SCRIPT_NAME" },
}
