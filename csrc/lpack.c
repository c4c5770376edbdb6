/* lpack - builds values of Lua from bytes; see lpack.h. */

#include "lpack.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#define DEPTH_MOST 30 /* tables within tables */

struct cursor {
	const unsigned char *at, *end;
	int strings;       /* the stack's place of the table of strings */
	lua_Integer count; /* of them */
};

static uint64_t read_number(lua_State *L, struct cursor *cursor, int bytes)
{
	uint64_t value = 0;

	if (cursor->end - cursor->at < bytes)
		luaL_error(L, "packed value: cut short");
	for (int i = bytes - 1; i >= 0; i--)
		value = value << 8 | cursor->at[i];
	cursor->at += bytes;
	return value;
}

static void read_string(lua_State *L, struct cursor *cursor)
{
	size_t length = (size_t)read_number(L, cursor, 4);

	if ((size_t)(cursor->end - cursor->at) < length)
		luaL_error(L, "packed value: cut short");
	lua_pushlstring(L, (const char *)cursor->at, length);
	cursor->at += length;
	lua_pushvalue(L, -1);
	lua_rawseti(L, cursor->strings, ++cursor->count);
}

static void read_value(lua_State *L, struct cursor *cursor, int depth);

static void read_table(lua_State *L, struct cursor *cursor, int depth)
{
	uint64_t items = read_number(L, cursor, 4), pairs = read_number(L, cursor, 4), left = (uint64_t)(cursor->end - cursor->at);

	/* Each takes a byte at least, which bounds what is asked of the allocator. */
	if (items > left || pairs > left || depth == DEPTH_MOST)
		luaL_error(L, "packed value: no such table");
	luaL_checkstack(L, 4, "packed value");
	lua_createtable(L, (int)items, (int)pairs);
	for (uint64_t i = 1; i <= items; i++) {
		read_value(L, cursor, depth + 1);
		lua_rawseti(L, -2, (lua_Integer)i);
	}
	for (uint64_t i = 0; i < pairs; i++) {
		read_value(L, cursor, depth + 1);
		read_value(L, cursor, depth + 1);
		lua_rawset(L, -3);
	}
}

static void read_value(lua_State *L, struct cursor *cursor, int depth)
{
	uint64_t bits = (uint64_t)read_number(L, cursor, 1);
	lua_Number number;
	lua_Integer integer;

	switch ((int)bits) {
	case 'f':
	case 't':
		lua_pushboolean(L, bits == 't');
		break;
	case 'i':
		bits = read_number(L, cursor, 8);
		memcpy(&integer, &bits, sizeof integer);
		lua_pushinteger(L, integer);
		break;
	case 'd':
		bits = read_number(L, cursor, 8);
		memcpy(&number, &bits, sizeof number);
		/* A key must not be one; and nobody packs it. */
		if (number != number)
			luaL_error(L, "packed value: not a number");
		lua_pushnumber(L, number);
		break;
	case 's':
		read_string(L, cursor);
		break;
	case 'r':
		bits = read_number(L, cursor, 4);
		if (bits == 0 || (lua_Integer)bits > cursor->count)
			luaL_error(L, "packed value: no such string");
		lua_rawgeti(L, cursor->strings, (lua_Integer)bits);
		break;
	case 'T':
		read_table(L, cursor, depth);
		break;
	default:
		luaL_error(L, "packed value: no such kind");
	}
}

int l_unpack(lua_State *L)
{
	size_t length;
	const unsigned char *bytes = (const unsigned char *)luaL_checklstring(L, 1, &length);
	lua_Integer from = luaL_optinteger(L, 2, 1);

	luaL_argcheck(L, from >= 1 && (lua_Unsigned)from <= length, 2, "beyond the bytes");
	struct cursor cursor = { bytes + from - 1, bytes + length, 3, 0 };
	lua_settop(L, 2);
	uint64_t strings = read_number(L, &cursor, 4);
	if (strings > length)
		return luaL_error(L, "packed value: no such strings");
	lua_createtable(L, (int)strings, 0);
	read_value(L, &cursor, 0);
	if (cursor.at != cursor.end)
		return luaL_error(L, "packed value: more bytes than it takes");
	return 1;
}

int l_checksum(lua_State *L)
{
	XXH3_state_t state;
	char text[33];

	XXH3_128bits_reset(&state);
	for (int i = 1; i <= lua_gettop(L); i++) {
		size_t length;
		const char *bytes = luaL_checklstring(L, i, &length);
		uint64_t size = length;
		XXH3_128bits_update(&state, &size, sizeof size);
		XXH3_128bits_update(&state, bytes, length);
	}
	XXH128_hash_t hash = XXH3_128bits_digest(&state);
	snprintf(text, sizeof text, "%016llx%016llx", (unsigned long long)hash.high64, (unsigned long long)hash.low64);
	lua_pushstring(L, text);
	return 1;
}
