/* lpack - builds values of Lua from bytes; see lpack.h. */

#include "lpack.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#define DEPTH_MOST 30 /* tables within tables */

struct cursor {
	const unsigned char *at, *end;
	int strings, tables; /* the stack's places of what was read and may be meant again */
	lua_Integer strings_count, tables_count;
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
	lua_rawseti(L, cursor->strings, ++cursor->strings_count);
}

static void read_value(lua_State *L, struct cursor *cursor, int depth);

static void read_table(lua_State *L, struct cursor *cursor, int depth, bool is_shared)
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
	if (is_shared) {
		lua_pushvalue(L, -1);
		lua_rawseti(L, cursor->tables, ++cursor->tables_count);
	}
}

/* What was read before, by its number. */
static void read_again(lua_State *L, struct cursor *cursor, int registry, lua_Integer count)
{
	lua_Integer number = (lua_Integer)read_number(L, cursor, 4);

	if (number == 0 || number > count)
		luaL_error(L, "packed value: no such number");
	lua_rawgeti(L, registry, number);
}

static void read_value(lua_State *L, struct cursor *cursor, int depth)
{
	uint64_t bits = read_number(L, cursor, 1);
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
		read_again(L, cursor, cursor->strings, cursor->strings_count);
		break;
	case 'v':
		read_again(L, cursor, cursor->tables, cursor->tables_count);
		break;
	case 'S':
	case 'T':
		read_table(L, cursor, depth, bits == 'S');
		break;
	default:
		luaL_error(L, "packed value: no such kind");
	}
}

#define SUM sizeof(XXH128_canonical_t)

/* Of all texts and their lengths, the same on every machine. */
static XXH128_canonical_t sum_up(const char *const *texts, const size_t *lengths, int count)
{
	XXH128_canonical_t sum;
	XXH3_state_t state;

	XXH3_128bits_reset(&state);
	for (int i = 0; i < count; i++) {
		unsigned char size[8];
		for (int k = 0; k < 8; k++)
			size[k] = (unsigned char)((uint64_t)lengths[i] >> 8 * k);
		XXH3_128bits_update(&state, size, sizeof size);
		XXH3_128bits_update(&state, texts[i], lengths[i]);
	}
	XXH128_canonicalFromHash(&sum, XXH3_128bits_digest(&state));
	return sum;
}

int l_unpack(lua_State *L)
{
	size_t length;
	const char *bytes = luaL_checklstring(L, 1, &length);
	lua_Integer from = luaL_optinteger(L, 2, 1);

	luaL_argcheck(L, from >= 1 && (lua_Unsigned)from <= length, 2, "beyond the bytes");
	const char *text = bytes + from - 1 + SUM;
	size_t left = length - (size_t)from + 1;
	if (left < SUM)
		return luaL_error(L, "packed value: cut short");
	left -= SUM;
	XXH128_canonical_t sum = sum_up(&text, &left, 1);
	if (memcmp(&sum, text - SUM, SUM) != 0)
		return luaL_error(L, "packed value: damaged");
	struct cursor cursor = { (const unsigned char *)text, (const unsigned char *)bytes + length, 3, 4, 0, 0 };
	lua_settop(L, 2);
	uint64_t strings = read_number(L, &cursor, 4), tables = read_number(L, &cursor, 4);
	if (strings > length || tables > length)
		return luaL_error(L, "packed value: cut short");
	lua_createtable(L, (int)strings, 0);
	lua_createtable(L, (int)tables, 0);
	read_value(L, &cursor, 0);
	if (cursor.at != cursor.end)
		return luaL_error(L, "packed value: more bytes than it takes");
	return 1;
}

#define TEXTS_MOST 100

int l_checksum(lua_State *L)
{
	const char *texts[TEXTS_MOST];
	size_t lengths[TEXTS_MOST];
	int count = lua_gettop(L);

	luaL_argcheck(L, count <= TEXTS_MOST, TEXTS_MOST, "too many texts");
	for (int i = 0; i < count; i++)
		texts[i] = luaL_checklstring(L, i + 1, &lengths[i]);
	XXH128_canonical_t sum = sum_up(texts, lengths, count);
	lua_pushlstring(L, (const char *)&sum, SUM);
	return 1;
}
