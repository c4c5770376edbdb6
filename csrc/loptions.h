/* loptions - what the bindings of survey and shelf share: options in a table, and results as Lua has them. */
#ifndef DEEPID_LOPTIONS_H
#define DEEPID_LOPTIONS_H

#include "compat.h"
#include "deepid.h"

/* Of what keeps a bounded part in memory and the rest in files. */
struct l_store_options {
	size_t memory; /* bytes */
	unsigned fan;
	const char *folder; /* its string stays on the stack, or is the environment's */
};

/* The options in the table at `index`, where there is one; `memory` is the preset, `least` the least that may be asked for. */
struct l_store_options l_store_options(lua_State *L, int index, size_t memory, size_t least);

/* What a function of the engine returned, where that is not DEEPID_OK: nil and the problem; without memory it raises. */
int l_failed(lua_State *L, enum deepid_err result, const char *problem);

/* The same, and true for DEEPID_OK. */
int l_result(lua_State *L, enum deepid_err result, const char *problem);

#endif
