/* loptions - what the bindings of survey and shelf share; see loptions.h. */

#include "loptions.h"

#include <stdlib.h>

#include "run.h"

static lua_Integer number_option(lua_State *L, int index, const char *name, lua_Integer preset, lua_Integer least, lua_Integer most)
{
	int isint;

	if (lua_getfield(L, index, name) == LUA_TNIL) {
		lua_pop(L, 1);
		return preset;
	}
	lua_Integer value = lua_tointegerx(L, -1, &isint);
	if (!isint || value < least || value > most)
		luaL_error(L, "bad options (%s must be an integer from %I to %I)", name, (LUAI_UACINT)least, (LUAI_UACINT)most);
	lua_pop(L, 1);
	return value;
}

struct l_store_options l_store_options(lua_State *L, int index, size_t memory, size_t least)
{
	struct l_store_options options = { .memory = memory, .fan = RUN_FAN_MAX, .folder = getenv("TMPDIR") };

	if (options.folder == NULL || *options.folder == '\0')
		options.folder = "/tmp";
	if (lua_isnoneornil(L, index))
		return options;
	luaL_checktype(L, index, LUA_TTABLE);
	options.memory = (size_t)number_option(L, index, "memory", (lua_Integer)memory, (lua_Integer)least, INT32_MAX);
	options.fan = (unsigned)number_option(L, index, "fan", options.fan, 2, RUN_FAN_MAX);
	if (lua_getfield(L, index, "folder") == LUA_TSTRING)
		options.folder = lua_tostring(L, -1);
	else if (!lua_isnil(L, -1))
		luaL_error(L, "bad options (folder must be a string)");
	return options;
}

int l_failed(lua_State *L, enum deepid_err result, const char *problem)
{
	if (result == DEEPID_NOMEM)
		return luaL_error(L, "not enough memory");
	lua_pushnil(L);
	lua_pushstring(L, problem);
	return 2;
}

int l_result(lua_State *L, enum deepid_err result, const char *problem)
{
	if (result != DEEPID_OK)
		return l_failed(L, result, problem);
	lua_pushboolean(L, 1);
	return 1;
}
