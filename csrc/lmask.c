/* lmask - binds mask to Lua as one function. */

#include "lmask.h"

#include "mask.h"

#define NAMES_MAX 32

/* A name as it may come from a transcript: [192.0.2.1] and [IPv6:2001:db8::1] (RFC 5321 4.1.3) mean the address in them. */
static struct mask_name read_name(const char *bytes, size_t length)
{
	static const char *const tag[] = { "ipv6:" };

	if (length >= 2 && bytes[0] == '[' && bytes[length - 1] == ']') {
		bytes++;
		length -= 2;
	}
	if (length >= 5 && mask_word_in(bytes, 5, tag, 1)) {
		bytes += 5;
		length -= 5;
	}
	return (struct mask_name){ bytes, length };
}

/* The names in the table at `index`; their bytes stay Lua's, alive as long as the table holds them. */
static size_t read_names(lua_State *L, int index, struct mask_name *names)
{
	if (lua_isnoneornil(L, index))
		return 0;
	luaL_checktype(L, index, LUA_TTABLE);
	size_t count = lua_rawlen(L, index);
	luaL_argcheck(L, count <= NAMES_MAX, index, "too many names");
	for (size_t i = 0; i < count; i++) {
		size_t length;
		luaL_argcheck(L, lua_rawgeti(L, index, (lua_Integer)i + 1) == LUA_TSTRING, index, "a name is no string");
		const char *bytes = lua_tolstring(L, -1, &length);
		names[i] = read_name(bytes, length);
		lua_pop(L, 1);
	}
	return count;
}

/* Writes the masked bytes with the tokens' words in their place. */
static void add_words(luaL_Buffer *buffer, const char *bytes, size_t length)
{
	size_t from = 0;

	for (size_t i = 0; i < length; i++) {
		if (!MASK_IS(bytes[i], MASK_TOKEN))
			continue;
		luaL_addlstring(buffer, bytes + from, i - from);
		luaL_addlstring(buffer, mask_words[(unsigned char)bytes[i]].bytes, mask_words[(unsigned char)bytes[i]].length);
		from = i + 1;
	}
	luaL_addlstring(buffer, bytes + from, length - from);
}

int l_mask(lua_State *L)
{
	static const char *const strengths[] = { "volatile", "template", NULL };
	struct mask_name names[NAMES_MAX];
	luaL_Buffer buffer;
	size_t length;

	luaL_checktype(L, 1, LUA_TSTRING);
	const char *bytes = lua_tolstring(L, 1, &length);
	enum mask_strength strength = luaL_checkoption(L, 2, NULL, strengths) == 0 ? MASK_VOLATILE : MASK_TEMPLATE;
	size_t count = read_names(L, 3, names);
	bool words = lua_toboolean(L, 4);
	char *out = luaL_buffinitsize(L, &buffer, length);
	luaL_pushresultsize(&buffer, mask(out, bytes, length, strength, names, count));
	if (words) {
		size_t masked_length;
		const char *masked = lua_tolstring(L, -1, &masked_length);
		luaL_buffinit(L, &buffer);
		add_words(&buffer, masked, masked_length);
		luaL_pushresult(&buffer);
	}
	return 1;
}
