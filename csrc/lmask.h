/* lmask - mask as Lua sees it. */
#ifndef DEEPID_LMASK_H
#define DEEPID_LMASK_H

#include "compat.h"

/* core.mask(bytes, strength, names) -> masked; see DESIGN.md, "Masking". */
int l_mask(lua_State *L);

#endif
