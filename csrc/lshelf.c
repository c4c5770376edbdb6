/* lshelf - binds shelf to Lua as the userdata "deepid.shelf". */

#include "lshelf.h"

#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "address.h"
#include "loptions.h"
#include "shelf.h"

#define TYPE "deepid.shelf"

struct l_shelf {
	struct shelf shelf;
	bool open;
};

struct shelf *l_shelf_check(lua_State *L, int index)
{
	struct l_shelf *self = luaL_checkudata(L, index, TYPE);

	luaL_argcheck(L, self->open, index, "the shelf is closed");
	return &self->shelf;
}

/* --- Making one --- */

/* Pushes an empty shelf. */
static struct shelf *push_shelf(lua_State *L, int index)
{
	struct l_store_options options = l_store_options(L, index, SHELF_MEMORY, SHELF_MEMORY_MIN);

	/* Anchored first, so that whatever raises from here on leaks nothing. */
	struct l_shelf *self = lua_newuserdata(L, sizeof *self);
	memset(self, 0, sizeof *self);
	luaL_setmetatable(L, TYPE);
	self->open = true;
	if (shelf_open(&self->shelf, options.memory, options.folder, options.fan, NULL) != DEEPID_OK)
		luaL_error(L, "not enough memory");
	return &self->shelf;
}

int l_shelf_new(lua_State *L)
{
	push_shelf(L, 1);
	return 1;
}

int l_shelf_load(lua_State *L)
{
	const char *path = luaL_checkstring(L, 1);
	struct shelf *s = push_shelf(L, 2);
	enum deepid_err result = shelf_load(s, path);

	return result != DEEPID_OK ? l_failed(L, result, s->problem) : 1;
}

/* --- Putting --- */

/* shelf:put(key, value) -> true, or nil and a message */
static int l_shelf_put(lua_State *L)
{
	struct shelf *s = l_shelf_check(L, 1);
	struct shelf_pair pair;

	pair.key = luaL_checklstring(L, 2, &pair.key_length);
	pair.value = luaL_checklstring(L, 3, &pair.value_length);
	luaL_argcheck(L, pair.key_length > 0 && pair.key_length <= SHELF_KEY_MAX, 2, "a key has 1 to 512 bytes");
	luaL_argcheck(L, pair.value_length <= SHELF_VALUE_MAX, 3, "a value has 65000 bytes at most");
	return l_result(L, shelf_put(s, &pair), s->problem);
}

/* shelf:put_lines(buffer, suffix, prefix, most) -> lines read, array of number and line in turn of those that are none; or nil and a message */
static int l_shelf_put_lines(lua_State *L)
{
	struct shelf *s = l_shelf_check(L, 1);
	struct shelf_line_form form;
	struct shelf_lines lines = { .number = 0 };
	enum deepid_err result;
	size_t length;

	lines.at = luaL_checklstring(L, 2, &length);
	lines.end = lines.at + length;
	form.suffix = luaL_checklstring(L, 3, &form.suffix_length);
	form.prefix = luaL_checklstring(L, 4, &form.prefix_length);
	lua_Integer most = luaL_checkinteger(L, 5);
	luaL_argcheck(L, form.suffix_length <= SHELF_KEY_MAX - ADDRESS_TEXT, 3, "too long");
	luaL_argcheck(L, form.prefix_length <= 256, 4, "too long");
	luaL_argcheck(L, most >= 0 && most <= SHELF_VALUE_MAX - 256, 5, "out of range");
	form.most = (size_t)most;
	lua_newtable(L);
	for (lua_Integer count = 0; (result = shelf_put_lines(s, &lines, &form)) == DEEPID_HIT; count += 2) {
		lua_pushinteger(L, (lua_Integer)lines.number);
		lua_rawseti(L, -2, count + 1);
		lua_pushlstring(L, lines.odd, lines.odd_length);
		lua_rawseti(L, -2, count + 2);
	}
	if (result != DEEPID_END)
		return l_failed(L, result, s->problem);
	lua_pushinteger(L, (lua_Integer)lines.number);
	lua_insert(L, -2);
	return 2;
}

/* shelf:merge(other) -> true, or nil and a message */
static int l_shelf_merge(lua_State *L)
{
	struct shelf *s = l_shelf_check(L, 1), *other = l_shelf_check(L, 2);

	luaL_argcheck(L, s != other, 2, "a shelf cannot be merged with itself");
	return l_result(L, shelf_merge(s, other), s->problem);
}

/* shelf:dump(path) -> true, or nil and a message */
static int l_shelf_dump(lua_State *L)
{
	struct shelf *s = l_shelf_check(L, 1);

	return l_result(L, shelf_dump(s, luaL_checkstring(L, 2)), s->problem);
}

/* --- Reading --- */

/* The iterator: upvalues are the walk and the shelf. */
static int next_pair(lua_State *L)
{
	struct shelf_walk *walk = lua_touserdata(L, lua_upvalueindex(1));
	struct l_shelf *self = lua_touserdata(L, lua_upvalueindex(2));
	char key[SHELF_KEY_MAX];
	struct shelf_pair pair;

	if (!self->open)
		return luaL_error(L, "the shelf is closed");
	enum deepid_err result = shelf_walk_next(walk, &pair);
	if (result != DEEPID_OK && result != DEEPID_END)
		return luaL_error(L, "%s", self->shelf.problem);
	if (result == DEEPID_END) {
		lua_pushnil(L);
		return 1;
	}
	/* The value goes to Lua first, and the key is copied: Lua may run a finalizer that uses the same shelf. */
	memcpy(key, pair.key, pair.key_length);
	lua_pushlstring(L, pair.value, pair.value_length);
	lua_pushlstring(L, key, pair.key_length);
	lua_insert(L, -2);
	return 2;
}

/* shelf:pairs() -> iterator of key and value; or nil and a message */
static int l_shelf_pairs(lua_State *L)
{
	struct shelf *s = l_shelf_check(L, 1);
	struct shelf_walk *walk = lua_newuserdata(L, sizeof *walk);
	enum deepid_err result = shelf_walk_start(walk, s);

	if (result != DEEPID_OK)
		return l_failed(L, result, s->problem);
	lua_pushvalue(L, 1);
	lua_pushcclosure(L, next_pair, 2);
	return 1;
}

/* __gc, __close and shelf:close() */
static int l_shelf_close(lua_State *L)
{
	struct l_shelf *self = luaL_checkudata(L, 1, TYPE);

	self->open = false;
	shelf_close(&self->shelf);
	return 0;
}

int l_hash(lua_State *L)
{
	unsigned char bytes[16];
	size_t length;
	const char *text = luaL_checklstring(L, 1, &length);
	XXH128_hash_t hash = XXH3_128bits(text, length);

	put_be64(bytes, hash.high64);
	put_be64(bytes + 8, hash.low64);
	lua_pushlstring(L, (const char *)bytes, sizeof bytes);
	return 1;
}

void l_shelf_register(lua_State *L)
{
	static const luaL_Reg meta[] = { { "__gc", l_shelf_close }, { "__close", l_shelf_close }, { NULL, NULL } };
	static const luaL_Reg methods[] = { { "put", l_shelf_put }, { "put_lines", l_shelf_put_lines }, { "merge", l_shelf_merge },
		{ "dump", l_shelf_dump }, { "pairs", l_shelf_pairs }, { "close", l_shelf_close }, { NULL, NULL } };

	luaL_newmetatable(L, TYPE);
	luaL_setfuncs(L, meta, 0);
	luaL_newlib(L, methods);
	lua_setfield(L, -2, "__index");
	lua_pop(L, 1);
}
