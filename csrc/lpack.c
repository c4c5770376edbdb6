/* lpack - builds values of Lua from bytes; see lpack.h. */

#include "lpack.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "packed.h"

#define TYPE "deepid.packed"
#define DEPTH_MOST 30 /* tables within tables */
#define TEXTS_MOST 100

/* --- Values --- */

struct cursor {
	const unsigned char *start, *at, *end;
	int strings, tables; /* the stack's places of what was read and may be meant again */
	lua_Integer strings_count, tables_count;
};

static unsigned read_byte(lua_State *L, struct cursor *cursor)
{
	if (cursor->at == cursor->end)
		luaL_error(L, "packed value: cut short");
	return *cursor->at++;
}

static uint64_t read_number(lua_State *L, struct cursor *cursor)
{
	unsigned byte = read_byte(L, cursor), shift = 7;
	uint64_t value = byte & 0x7f;

	while (byte >= 0x80 && shift < 64) {
		byte = read_byte(L, cursor);
		value |= (uint64_t)(byte & 0x7f) << shift;
		shift += 7;
	}
	return value;
}

/* A length of what is still to come. */
static size_t read_length(lua_State *L, struct cursor *cursor)
{
	uint64_t length = read_number(L, cursor);

	if (length > (uint64_t)(cursor->end - cursor->at))
		luaL_error(L, "packed value: cut short");
	return (size_t)length;
}

static void push_integer(lua_State *L, struct cursor *cursor)
{
	uint64_t bits = read_number(L, cursor);
	lua_Integer integer;

	bits = bits >> 1 ^ (0 - (bits & 1));
	memcpy(&integer, &bits, sizeof integer);
	lua_pushinteger(L, integer);
}

static void push_float(lua_State *L, struct cursor *cursor)
{
	lua_Number number;
	uint64_t bits = 0;

	for (unsigned shift = 0; shift < 64; shift += 8)
		bits |= (uint64_t)read_byte(L, cursor) << shift;
	memcpy(&number, &bits, sizeof number);
	/* A key must not be one; and nobody packs it. */
	if (number != number)
		luaL_error(L, "packed value: not a number");
	lua_pushnumber(L, number);
}

static void push_string(lua_State *L, struct cursor *cursor)
{
	size_t length = read_length(L, cursor);

	lua_pushlstring(L, (const char *)cursor->at, length);
	cursor->at += length;
	lua_pushvalue(L, -1);
	lua_rawseti(L, cursor->strings, ++cursor->strings_count);
}

static void push_part(lua_State *L, struct cursor *cursor)
{
	size_t length = read_length(L, cursor);

	lua_pushinteger(L, cursor->at - cursor->start);
	cursor->at += length;
}

static void push_value(lua_State *L, struct cursor *cursor, int depth);

static void push_table(lua_State *L, struct cursor *cursor, int depth, bool is_shared)
{
	/* Each takes a byte at least, which bounds what is asked of the allocator. */
	size_t items = read_length(L, cursor), pairs = read_length(L, cursor);

	if (depth == DEPTH_MOST)
		luaL_error(L, "packed value: no such table");
	luaL_checkstack(L, 4, "packed value");
	lua_createtable(L, (int)items, (int)pairs);
	for (size_t i = 1; i <= items; i++) {
		push_value(L, cursor, depth + 1);
		lua_rawseti(L, -2, (lua_Integer)i);
	}
	for (size_t i = 0; i < pairs; i++) {
		push_value(L, cursor, depth + 1);
		push_value(L, cursor, depth + 1);
		lua_rawset(L, -3);
	}
	if (is_shared) {
		lua_pushvalue(L, -1);
		lua_rawseti(L, cursor->tables, ++cursor->tables_count);
	}
}

/* What was read before, by its number. */
static void push_again(lua_State *L, struct cursor *cursor, int registry, lua_Integer count)
{
	uint64_t number = read_number(L, cursor);

	if (number == 0 || number > (uint64_t)count)
		luaL_error(L, "packed value: no such number");
	lua_rawgeti(L, registry, (lua_Integer)number);
}

static void push_value(lua_State *L, struct cursor *cursor, int depth)
{
	unsigned kind = read_byte(L, cursor);

	switch (kind) {
	case 'f':
	case 't':
		lua_pushboolean(L, kind == 't');
		break;
	case 'i':
		push_integer(L, cursor);
		break;
	case 'd':
		push_float(L, cursor);
		break;
	case 's':
		push_string(L, cursor);
		break;
	case 'r':
		push_again(L, cursor, cursor->strings, cursor->strings_count);
		break;
	case 'v':
		push_again(L, cursor, cursor->tables, cursor->tables_count);
		break;
	case 'S':
	case 'T':
		push_table(L, cursor, depth, kind == 'S');
		break;
	case 'p':
		push_part(L, cursor);
		break;
	default:
		luaL_error(L, "packed value: no such kind");
	}
}

/* A whole value: leaves the cursor behind it. */
static void push_whole(lua_State *L, struct cursor *cursor)
{
	size_t strings = read_length(L, cursor), tables = read_length(L, cursor);

	lua_createtable(L, (int)strings, 0);
	cursor->strings = lua_gettop(L);
	lua_createtable(L, (int)tables, 0);
	cursor->tables = lua_gettop(L);
	push_value(L, cursor, 0);
}

/* --- Files --- */

int l_packed_new(lua_State *L)
{
	const char *path = luaL_checkstring(L, 1);
	struct text_span head;

	head.bytes = luaL_checklstring(L, 2, &head.length);
	/* Anchored first, so that whatever raises from here on leaks nothing. */
	struct packed *self = lua_newuserdata(L, sizeof *self);
	memset(self, 0, sizeof *self);
	luaL_setmetatable(L, TYPE);
	enum deepid_err result = packed_read(self, path, &head, &deepid_malloc);
	if (result == DEEPID_NOMEM)
		return luaL_error(L, "not enough memory");
	return result == DEEPID_OK ? 1 : 0;
}

/* packed:value([position]) */
static int l_packed_value(lua_State *L)
{
	struct packed *self = luaL_checkudata(L, 1, TYPE);
	bool is_all = lua_isnoneornil(L, 2);
	lua_Integer position = luaL_optinteger(L, 2, (lua_Integer)self->from);

	luaL_argcheck(L, position >= (lua_Integer)self->from && (lua_Unsigned)position <= self->length, 2, "beyond the bytes");
	struct cursor cursor = { .start = self->bytes, .at = self->bytes + position, .end = self->bytes + self->length };
	push_whole(L, &cursor);
	if (is_all && cursor.at != cursor.end)
		return luaL_error(L, "packed value: more bytes than it takes");
	return 1;
}

static int l_packed_close(lua_State *L)
{
	packed_close(luaL_checkudata(L, 1, TYPE), &deepid_malloc);
	return 0;
}

void l_packed_register(lua_State *L)
{
	luaL_newmetatable(L, TYPE);
	lua_pushcfunction(L, l_packed_close);
	lua_setfield(L, -2, "__gc");
	lua_createtable(L, 0, 1);
	lua_pushcfunction(L, l_packed_value);
	lua_setfield(L, -2, "value");
	lua_setfield(L, -2, "__index");
	lua_pop(L, 1);
}

/* --- Checksums --- */

int l_checksum(lua_State *L)
{
	struct text_span texts[TEXTS_MOST];
	unsigned char sum[SUM];
	int count = lua_gettop(L);

	luaL_argcheck(L, count <= TEXTS_MOST, TEXTS_MOST, "too many texts");
	for (int i = 0; i < count; i++)
		texts[i].bytes = luaL_checklstring(L, i + 1, &texts[i].length);
	sum_texts(sum, texts, (size_t)count);
	lua_pushlstring(L, (const char *)sum, SUM);
	return 1;
}

int l_checksum_files(lua_State *L)
{
	const char *paths[TEXTS_MOST];
	unsigned char sum[SUM];
	int count = lua_gettop(L);
	size_t failed;

	luaL_argcheck(L, count <= TEXTS_MOST, TEXTS_MOST, "too many files");
	for (int i = 0; i < count; i++)
		paths[i] = luaL_checkstring(L, i + 1);
	if (sum_files(sum, paths, (size_t)count, &failed) == DEEPID_OK) {
		lua_pushlstring(L, (const char *)sum, SUM);
		return 1;
	}
	lua_pushnil(L);
	lua_pushfstring(L, "cannot read %s: %s", paths[failed], strerror(errno));
	return 2;
}
