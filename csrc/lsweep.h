/* lsweep - a walk over a shelf that sees to lone greetings in the core. */
#ifndef DEEPID_LSWEEP_H
#define DEEPID_LSWEEP_H

#include "compat.h"

/* Registers the metatable "deepid.sweep". */
void l_sweep_register(lua_State *L);

/* core.sweep(shelf, options) -> iterator, sweep; see DESIGN.md, "The sweep". */
int l_sweep_new(lua_State *L);

#endif
