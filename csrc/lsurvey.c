/* lsurvey - binds survey to Lua as the userdata "deepid.survey". */

#include "lsurvey.h"

#include <string.h>

#include "loptions.h"
#include "survey.h"

#define TYPE "deepid.survey"

struct l_survey {
	struct survey survey;
	bool open;
};

/* What Lua is told of a group, copied before Lua is called: a finalizer may use the same survey. */
struct view {
	struct group_key key;
	uint64_t counts[ADDRESS_WIDTHS];
	struct address examples[GROUP_EXAMPLES];
	size_t example_count, text_length;
	bool has_text;
	char text[GROUP_TEXT_MAX];
};

struct survey *l_survey_check(lua_State *L, int index)
{
	struct l_survey *self = luaL_checkudata(L, index, TYPE);

	luaL_argcheck(L, self->open, index, "the survey is closed");
	return &self->survey;
}

/* --- Making one --- */

/* Pushes an empty survey. */
static struct survey *push_survey(lua_State *L, int index)
{
	struct l_store_options given = l_store_options(L, index, SURVEY_MEMORY, SURVEY_MEMORY_MIN);
	struct survey_options options = { .memory = given.memory, .folder = given.folder, .fan = given.fan };
	struct l_survey *self = lua_newuserdata(L, sizeof *self);

	/* Anchored first, so that whatever raises from here on leaks nothing. */
	memset(self, 0, sizeof *self);
	luaL_setmetatable(L, TYPE);
	self->open = true;
	if (survey_open(&self->survey, &options, NULL) != DEEPID_OK)
		luaL_error(L, "not enough memory");
	return &self->survey;
}

int l_survey_new(lua_State *L)
{
	push_survey(L, 1);
	return 1;
}

/* --- Adding --- */

/* survey:add(address, kind, key [, example]) -> true, or nil and a message */
static int l_survey_add(lua_State *L)
{
	struct survey *s = l_survey_check(L, 1);
	size_t address_length, key_length, text_length = 0;
	struct address host;

	const char *address = luaL_checklstring(L, 2, &address_length);
	lua_Integer kind = luaL_checkinteger(L, 3);
	luaL_argcheck(L, kind >= 1 && kind <= SURVEY_KIND_MAX, 3, "a kind is 1 to 15");
	const char *key = luaL_checklstring(L, 4, &key_length);
	const char *text = lua_isnoneornil(L, 5) ? NULL : luaL_checklstring(L, 5, &text_length);
	if (!address_parse(&host, address, address_length)) {
		lua_pushnil(L);
		lua_pushfstring(L, "%s is no address", address);
		return 2;
	}
	return l_result(L, survey_add(s, &host, (uint8_t)kind, key, key_length, text, text_length), s->problem);
}

/* --- Reading --- */

static void look(struct view *view, const unsigned char *record)
{
	struct record_scratch scratch;
	struct group group;

	record_read(record, &group, &scratch);
	view->key = group.key;
	for (unsigned width = 0; width < ADDRESS_WIDTHS; width++)
		view->counts[width] = group_count(&group, width);
	view->example_count = group_examples(&group, view->examples);
	view->has_text = group.text_length != GROUP_NO_TEXT;
	view->text_length = view->has_text ? group.text_length : 0;
	memcpy(view->text, view->has_text ? group.text : "", view->text_length);
}

/* Sets hosts, networks24 and networks16 in the table on top. */
static void set_counts(lua_State *L, const uint64_t *counts)
{
	static const char *const names[ADDRESS_WIDTHS] = { "hosts", "networks24", "networks16" };

	for (unsigned width = 0; width < ADDRESS_WIDTHS; width++) {
		lua_pushinteger(L, (lua_Integer)counts[width]);
		lua_setfield(L, -2, names[width]);
	}
}

static void push_group(lua_State *L, const struct view *view)
{
	static const char digits[] = "0123456789abcdef";
	char key[32], text[ADDRESS_TEXT];

	for (unsigned i = 0; i < 32; i++)
		key[i] = digits[(i < 16 ? view->key.high >> (60 - 4 * i) : view->key.low >> (124 - 4 * i)) & 15];
	lua_createtable(L, 0, 7);
	lua_pushlstring(L, key, sizeof key);
	lua_setfield(L, -2, "key");
	lua_pushinteger(L, view->key.kind);
	lua_setfield(L, -2, "kind");
	set_counts(L, view->counts);
	lua_createtable(L, (int)view->example_count, 0);
	for (size_t i = 0; i < view->example_count; i++) {
		address_format(&view->examples[i], text);
		lua_pushstring(L, text);
		lua_rawseti(L, -2, (lua_Integer)i + 1);
	}
	lua_setfield(L, -2, "examples");
	if (view->has_text) {
		lua_pushlstring(L, view->text, view->text_length);
		lua_setfield(L, -2, "example");
	}
}

/* The iterator: upvalues are the walk, the survey, the kind and the fewest hosts. */
static int next_group(lua_State *L)
{
	struct survey_walk *walk = lua_touserdata(L, lua_upvalueindex(1));
	struct l_survey *self = lua_touserdata(L, lua_upvalueindex(2));
	lua_Integer kind = lua_tointeger(L, lua_upvalueindex(3)), least = lua_tointeger(L, lua_upvalueindex(4));
	const unsigned char *record;
	enum deepid_err result;
	struct view view;
	size_t size;

	if (!self->open)
		return luaL_error(L, "the survey is closed");
	while ((result = survey_walk_next(walk, &record, &size)) == DEEPID_OK) {
		if (kind != 0 && record[0] != kind)
			continue;
		look(&view, record);
		if (view.counts[0] < (lua_Unsigned)least)
			continue;
		push_group(L, &view);
		return 1;
	}
	if (result != DEEPID_END)
		return luaL_error(L, "%s", result == DEEPID_NOMEM ? "not enough memory" : self->survey.problem);
	lua_pushnil(L);
	return 1;
}

/* survey:groups([kind [, min_hosts]]) -> iterator; or nil and a message */
static int l_survey_groups(lua_State *L)
{
	struct survey *s = l_survey_check(L, 1);
	lua_Integer kind = luaL_optinteger(L, 2, 0), least = luaL_optinteger(L, 3, 1);

	luaL_argcheck(L, kind >= 0 && kind <= SURVEY_KIND_MAX, 2, "a kind is 1 to 15");
	luaL_argcheck(L, least >= 0, 3, "below 0");
	struct survey_walk *walk = lua_newuserdata(L, sizeof *walk);
	enum deepid_err result = survey_walk_start(walk, s);
	if (result != DEEPID_OK)
		return l_failed(L, result, s->problem);
	lua_pushvalue(L, 1);
	lua_pushinteger(L, kind);
	lua_pushinteger(L, least);
	lua_pushcclosure(L, next_group, 4);
	return 1;
}

/* __gc, __close and survey:close() */
static int l_survey_close(lua_State *L)
{
	struct l_survey *self = luaL_checkudata(L, 1, TYPE);

	self->open = false;
	survey_close(&self->survey);
	return 0;
}

void l_survey_register(lua_State *L)
{
	static const luaL_Reg meta[] = { { "__gc", l_survey_close }, { "__close", l_survey_close }, { NULL, NULL } };
	static const luaL_Reg methods[] = { { "add", l_survey_add }, { "groups", l_survey_groups }, { "close", l_survey_close },
		{ NULL, NULL } };

	luaL_newmetatable(L, TYPE);
	luaL_setfuncs(L, meta, 0);
	luaL_newlib(L, methods);
	lua_setfield(L, -2, "__index");
	lua_pop(L, 1);
}
