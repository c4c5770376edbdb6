-- The engine and the `deepid` command, without Nmap's part: `luarocks make rockspec/smtp-deepid-scm-1.rockspec` in a checkout.
rockspec_format = "3.0"
package = "smtp-deepid"
version = "scm-1"
source = { url = "." }
description = {
  summary = "Identifies mail servers, and what stands in front of them, from what they said",
  license = "BSD-2-Clause",
}
supported_platforms = { "linux" }
dependencies = { "lua >= 5.3, < 5.5" }
external_dependencies = { PCRE2 = { header = "pcre2.h" }, XXHASH = { header = "xxhash.h" } }
build = {
  type = "make",
  build_target = "rock",
  build_variables = { CFLAGS = "$(CFLAGS)", LUA = "$(LUA)", LUA_INCDIR = "$(LUA_INCDIR)", CPPFLAGS = "-I$(PCRE2_INCDIR) -I$(XXHASH_INCDIR)" },
  install_target = "rock-install",
  install_variables = { LUA = "$(LUA)", LUADIR = "$(LUADIR)", LIBDIR = "$(LIBDIR)", BINDIR = "$(BINDIR)" },
}
