/* lshelf - shelf as Lua sees it. */
#ifndef DEEPID_LSHELF_H
#define DEEPID_LSHELF_H

#include "compat.h"

/* Registers the metatable "deepid.shelf". */
void l_shelf_register(lua_State *L);

/* core.shelf(options) -> shelf; see DESIGN.md, "The shelf". */
int l_shelf_new(lua_State *L);

/* core.shelf_load(path, options) -> shelf, or nil and a message */
int l_shelf_load(lua_State *L);

/* core.hash(bytes) -> 16 bytes of XXH3 */
int l_hash(lua_State *L);

/* The shelf at an index, which must be open. */
struct shelf *l_shelf_check(lua_State *L, int index);

#endif
