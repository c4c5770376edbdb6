/* lcore - opens the module deepid.core: the only symbol that it exports is luaopen_deepid_core. */

#include "lfpset.h"
#include "lmask.h"
#include "lpack.h"
#include "lshelf.h"
#include "lsurvey.h"
#include "lsweep.h"

#include "fpset.h"

#define DEEPID_RELEASE "0.1.0"

/* What sets its cores apart: the checksum of its sources, by the Makefile, and the machine. */
#ifndef DEEPID_SOURCES
#define DEEPID_SOURCES "unknown"
#endif
#define TEXT_OF(number) #number
#define TEXT(macro) TEXT_OF(macro)
#define DEEPID_BUILD DEEPID_SOURCES " " TEXT(__BYTE_ORDER__) " " TEXT(__SIZEOF_POINTER__)

#define EXPORT __attribute__((visibility("default")))

EXPORT int luaopen_deepid_core(lua_State *L);

static int check_version(lua_State *L)
{
	luaL_checkversion(L);
	return 0;
}

/* PCRE2's own version, such as "10.42 2022-12-11". */
static void push_pcre_version(lua_State *L)
{
	char version[64] = "";

	if (pcre2_config(PCRE2_CONFIG_VERSION, NULL) <= (int)sizeof version)
		pcre2_config(PCRE2_CONFIG_VERSION, version);
	lua_pushstring(L, version);
}

EXPORT int luaopen_deepid_core(lua_State *L)
{
	static const luaL_Reg functions[] = { { "fpset", l_fpset_new }, { "fpset_thaw", l_fpset_thaw }, { "mask", l_mask }, { "survey", l_survey_new },
		{ "shelf", l_shelf_new }, { "shelf_load", l_shelf_load }, { "hash", l_hash },
		{ "sweep", l_sweep_new }, { "packed", l_packed_new }, { "checksum", l_checksum },
		{ "checksum_files", l_checksum_files }, { NULL, NULL } };

	/* Until this check is through, only functions that both Luas have may be called; see compat.h. */
	lua_pushcfunction(L, check_version);
	if (lua_pcall(L, 0, 0, 0) != LUA_OK) {
		lua_getglobal(L, "_VERSION");
		return luaL_error(L, "this core is built for " LUA_VERSION ", but %s loads it (%s)",
		    lua_tostring(L, -1), lua_tostring(L, -2));
	}
	l_fpset_register(L);
	l_survey_register(L);
	l_shelf_register(L);
	l_sweep_register(L);
	l_packed_register(L);
	lua_createtable(L, 0, 16);
	luaL_setfuncs(L, functions, 0);
	lua_pushliteral(L, DEEPID_RELEASE);
	lua_setfield(L, -2, "release");
	lua_pushliteral(L, LUA_VERSION_MAJOR "." LUA_VERSION_MINOR);
	lua_setfield(L, -2, "lua");
	lua_pushliteral(L, DEEPID_BUILD);
	lua_setfield(L, -2, "build");
	push_pcre_version(L);
	lua_setfield(L, -2, "pcre");
	lua_pushinteger(L, DEEPID_REPLY_MAX);
	lua_setfield(L, -2, "REPLY_MAX");
	return 1;
}
