/* lfpset - fpset as Lua sees it. */
#ifndef DEEPID_LFPSET_H
#define DEEPID_LFPSET_H

#include "compat.h"
#include "fpset.h"

/* Registers the metatable "deepid.fpset". */
void l_fpset_register(lua_State *L);

/* core.fpset(patterns, options) -> set, errors; see DESIGN.md, "The C core". */
int l_fpset_new(lua_State *L);

/* core.fpset_thaw(bytes) -> set; raises an error where the bytes are not of set:freeze() */
int l_fpset_thaw(lua_State *L);

/* The set at an index, which must be open, and its scratch. */
const struct fpset *l_fpset_check(lua_State *L, int index, struct fpscratch **scratch);

#endif
