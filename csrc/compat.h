/* compat - what differs between Lua 5.3 and 5.4; include this and not lua.h. */
#ifndef DEEPID_COMPAT_H
#define DEEPID_COMPAT_H

#include <lauxlib.h>
#include <lua.h>

/*
 * The functions that only one of the two Luas exports are weak, so that the other can load the module at all, and be told by
 * luaopen_deepid_core what is wrong.  Without this the dynamic linker would refuse with a symbol's name.
 */
#if LUA_VERSION_NUM >= 504
#pragma weak lua_newuserdatauv
#else
#pragma weak lua_newuserdata
#endif

#endif
