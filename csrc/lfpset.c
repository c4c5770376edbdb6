/* lfpset - binds fpset to Lua as the userdata "deepid.fpset". */

#include "lfpset.h"

#include <limits.h>
#include <string.h>

#include "frozen.h"

#define TYPE "deepid.fpset"

struct l_fpset {
	struct fpset set;
	struct fpscratch scratch; /* data is NULL before it is complete and after it is closed */
};

/* Whether the first argument is a set.  Methods have the metatable as an upvalue: to look it up by its name takes as long as a short match. */
static bool is_set(lua_State *L)
{
	if (!lua_getmetatable(L, 1))
		return false;
	bool same = lua_rawequal(L, -1, lua_upvalueindex(1));
	lua_pop(L, 1);
	return same;
}

static struct l_fpset *check_open(lua_State *L)
{
	struct l_fpset *self = is_set(L) ? lua_touserdata(L, 1) : luaL_checkudata(L, 1, TYPE);

	luaL_argcheck(L, self->scratch.data != NULL, 1, "the set is closed");
	return self;
}

const struct fpset *l_fpset_check(lua_State *L, int index, struct fpscratch **scratch)
{
	struct l_fpset *self = luaL_checkudata(L, index, TYPE);

	luaL_argcheck(L, self->scratch.data != NULL, index, "the set is closed");
	*scratch = &self->scratch;
	return &self->set;
}

static int raise_nomem(lua_State *L)
{
	return luaL_error(L, "not enough memory");
}

/* --- Reading the arguments: every mistake in them is the caller's, and raises. --- */

static uint32_t limit_option(lua_State *L, const char *name, uint32_t preset, uint32_t most)
{
	int isint;

	if (lua_getfield(L, 2, name) == LUA_TNIL) {
		lua_pop(L, 1);
		return preset;
	}
	lua_Integer value = lua_tointegerx(L, -1, &isint);
	if (!isint || value < 1 || value > (lua_Integer)most)
		luaL_error(L, "bad argument #2 to 'fpset' (%s must be an integer from 1 to %I)", name, (LUAI_UACINT)most);
	lua_pop(L, 1);
	return (uint32_t)value;
}

static bool switch_option(lua_State *L, const char *name, bool preset)
{
	int type = lua_getfield(L, 2, name);

	if (type != LUA_TNIL && type != LUA_TBOOLEAN)
		luaL_error(L, "bad argument #2 to 'fpset' (%s must be a boolean)", name);
	bool value = type == LUA_TBOOLEAN ? lua_toboolean(L, -1) : preset;
	lua_pop(L, 1);
	return value;
}

static struct fplimits read_options(lua_State *L)
{
	struct fplimits limits = FPLIMITS_DEFAULT;

	if (lua_isnoneornil(L, 2))
		return limits;
	luaL_checktype(L, 2, LUA_TTABLE);
	limits.steps = limit_option(L, "steps", limits.steps, UINT32_MAX);
	limits.depth = limit_option(L, "depth", limits.depth, UINT32_MAX);
	limits.heap = limit_option(L, "heap", limits.heap, UINT32_MAX);
	limits.cap = limit_option(L, "cap", limits.cap, DEEPID_REPLY_MAX);
	limits.budget = limit_option(L, "budget", limits.budget, UINT32_MAX);
	limits.jit = switch_option(L, "jit", limits.jit);
	limits.trusted = switch_option(L, "trusted", limits.trusted);
	if (!switch_option(L, "filter", true))
		limits.stages = 0;
	return limits;
}

/* The table on top of the stack is pattern `index`: pushes its regex, and gives its other fields. */
static void read_pattern(lua_State *L, lua_Integer index, uint32_t *options, uint8_t *slot)
{
	static const char letters[] = "ims";
	static const uint32_t bits[] = { PCRE2_CASELESS, PCRE2_MULTILINE, PCRE2_DOTALL };

	if (!lua_istable(L, -1))
		luaL_error(L, "bad argument #1 to 'fpset' (pattern %I is no table)", (LUAI_UACINT)index);
	int table = lua_gettop(L);
	if (lua_getfield(L, table, "flags") != LUA_TNIL && lua_type(L, -1) != LUA_TSTRING)
		luaL_error(L, "bad argument #1 to 'fpset' (pattern %I: flags must be a string)", (LUAI_UACINT)index);
	*options = 0;
	for (const char *flag = luaL_optstring(L, -1, ""); *flag != '\0'; flag++) {
		const char *known = strchr(letters, *flag);
		if (known == NULL)
			luaL_error(L, "bad argument #1 to 'fpset' (pattern %I: flags must be of 'i', 'm' and 's')", (LUAI_UACINT)index);
		*options |= bits[known - letters];
	}
	int isint = 1;
	lua_Integer number = lua_getfield(L, table, "slot") == LUA_TNIL ? 0 : lua_tointegerx(L, -1, &isint);
	if (!isint || number < 0 || number >= DEEPID_SLOTS)
		luaL_error(L, "bad argument #1 to 'fpset' (pattern %I: slot must be an integer from 0 to %d)", (LUAI_UACINT)index, DEEPID_SLOTS - 1);
	*slot = (uint8_t)number;
	if (lua_getfield(L, table, "pattern") != LUA_TSTRING)
		luaL_error(L, "bad argument #1 to 'fpset' (pattern %I: pattern must be a string)", (LUAI_UACINT)index);
}

/* Appends {index=, offset=, message=} to the table at `errors`. */
static void push_error(lua_State *L, int errors, lua_Integer index, const struct fperror *error)
{
	lua_createtable(L, 0, 3);
	lua_pushinteger(L, index);
	lua_setfield(L, -2, "index");
	lua_pushinteger(L, (lua_Integer)error->offset);
	lua_setfield(L, -2, "offset");
	lua_pushstring(L, error->message);
	lua_setfield(L, -2, "message");
	lua_rawseti(L, errors, (lua_Integer)lua_rawlen(L, errors) + 1);
}

int l_fpset_new(lua_State *L)
{
	luaL_checktype(L, 1, LUA_TTABLE);
	struct fplimits limits = read_options(L);
	lua_Integer count = (lua_Integer)lua_rawlen(L, 1);

	/* Anchored first, so that whatever raises from here on leaks nothing. */
	lua_settop(L, 2);
	struct l_fpset *self = lua_newuserdata(L, sizeof *self);
	memset(self, 0, sizeof *self);
	luaL_setmetatable(L, TYPE);
	lua_newtable(L);
	int errors = lua_gettop(L);
	if (fpset_open(&self->set, (size_t)count, &limits, NULL) != DEEPID_OK)
		return raise_nomem(L);
	for (lua_Integer i = 1; i <= count; i++) {
		struct fperror error;
		uint32_t options;
		uint8_t slot;
		size_t length;

		lua_rawgeti(L, 1, i);
		read_pattern(L, i, &options, &slot);
		const char *pattern = lua_tolstring(L, -1, &length);
		enum deepid_err result = fpset_add(&self->set, pattern, length, options, slot, &error);
		if (result == DEEPID_NOMEM)
			return raise_nomem(L);
		if (result == DEEPID_BAD)
			push_error(L, errors, i, &error);
		lua_settop(L, errors);
	}
	if (fpset_build(&self->set) != DEEPID_OK || fpscratch_open(&self->scratch, &self->set) != DEEPID_OK)
		return raise_nomem(L);
	return 2;
}

int l_fpset_thaw(lua_State *L)
{
	size_t length;
	const char *bytes = luaL_checklstring(L, 1, &length);

	struct l_fpset *self = lua_newuserdata(L, sizeof *self);
	memset(self, 0, sizeof *self);
	luaL_setmetatable(L, TYPE);
	enum deepid_err result = fpset_thaw(&self->set, (const unsigned char *)bytes, length, NULL);
	if (result == DEEPID_BAD)
		return luaL_error(L, "no frozen set");
	if (result != DEEPID_OK || fpscratch_open(&self->scratch, &self->set) != DEEPID_OK)
		return raise_nomem(L);
	return 1;
}

/* --- Methods --- */

/* Memory that Lua frees, left on the stack. */
static void *take_of_lua(size_t size, void *data)
{
	luaL_checkstack(data, 2, NULL);
	return lua_newuserdata((lua_State *)data, size);
}

static void leave(void *block, void *data)
{
	(void)block;
	(void)data;
}

/* set:freeze() -> bytes, of which core.fpset_thaw makes the same set with the usual options */
static int l_fpset_freeze(lua_State *L)
{
	struct deepid_memory memory = { take_of_lua, leave, L };
	struct frozen frozen = { .bytes = NULL };

	enum deepid_err result = fpset_freeze(&check_open(L)->set, &frozen, &memory);
	luaL_argcheck(L, result == DEEPID_OK, 1, "not all of its patterns compile, or it has no filter");
	lua_pushlstring(L, (const char *)frozen.bytes, frozen.length);
	return 1;
}

/* Pushes capture `i` of the run's last hit, or false. */
static void push_capture(lua_State *L, const struct fprun *run, uint32_t i)
{
	size_t from = run->spans[2 * i], to = run->spans[2 * i + 1];

	/* A group that took no part, or what somebody forged (frozen.h) says of it. */
	if (from > to || to > run->length)
		lua_pushboolean(L, 0);
	else
		lua_pushlstring(L, run->reply + from, to - from);
}

/* Pushes {rule=, n=, [1..n]=capture or false} for the run's last hit. */
static void push_hit(lua_State *L, const struct fprun *run)
{
	lua_createtable(L, (int)run->groups, 2);
	lua_pushinteger(L, (lua_Integer)run->rule + 1);
	lua_setfield(L, -2, "rule");
	lua_pushinteger(L, (lua_Integer)run->groups);
	lua_setfield(L, -2, "n");
	for (uint32_t i = 1; i <= run->groups; i++) {
		push_capture(L, run, i);
		lua_rawseti(L, -2, (lua_Integer)i);
	}
}

/* Begins a run over the string at 2, which stays on the stack while it lasts. */
static struct l_fpset *start_run(lua_State *L, struct fprun *run)
{
	struct l_fpset *self = check_open(L);
	size_t length;

	luaL_checktype(L, 2, LUA_TSTRING);
	const char *reply = lua_tolstring(L, 2, &length);
	lua_settop(L, 2);
	fprun_start(run, &self->set, reply, length);
	return self;
}

/* The next hit, past what was given up on: false at the end. */
static bool next_hit(lua_State *L, struct l_fpset *self, struct fprun *run)
{
	enum deepid_err event;

	do {
		event = fpset_next(&self->set, &self->scratch, run);
		if (event == DEEPID_NOMEM)
			raise_nomem(L);
	} while (event == DEEPID_STUCK);
	return event == DEEPID_HIT;
}

/* set:first(reply) -> rule, capture or false, ...; or nil */
static int l_fpset_first(lua_State *L)
{
	struct fprun run;
	struct l_fpset *self = start_run(L, &run);

	if (!next_hit(L, self, &run))
		return 0;
	luaL_checkstack(L, (int)run.groups + 1, NULL);
	lua_pushinteger(L, (lua_Integer)run.rule + 1);
	for (uint32_t i = 1; i <= run.groups; i++)
		push_capture(L, &run, i);
	return 1 + (int)run.groups;
}

/* set:rules(reply) -> rule, ... */
static int l_fpset_rules(lua_State *L)
{
	struct fprun run;
	struct l_fpset *self = start_run(L, &run);
	int hits = 0;

	for (; next_hit(L, self, &run); hits++) {
		luaL_checkstack(L, 1, "too many rules match");
		lua_pushinteger(L, (lua_Integer)run.rule + 1);
	}
	return hits;
}

/* set:match(reply) -> hits, stuck or nil, truncated */
static int l_fpset_match(lua_State *L)
{
	struct fprun run;
	struct l_fpset *self = start_run(L, &run);
	enum deepid_err event;
	lua_Integer hits = 0, stuck = 0;

	lua_createtable(L, 1, 0); /* one hit is what most replies have */
	lua_pushnil(L);
	while ((event = fpset_next(&self->set, &self->scratch, &run)) != DEEPID_END) {
		if (event == DEEPID_NOMEM)
			return raise_nomem(L);
		if (event == DEEPID_HIT) {
			push_hit(L, &run);
			lua_rawseti(L, 3, ++hits);
		} else {
			if (stuck == 0) {
				lua_newtable(L);
				lua_replace(L, 4);
			}
			lua_pushinteger(L, (lua_Integer)run.rule + 1);
			lua_rawseti(L, 4, ++stuck);
		}
	}
	lua_pushboolean(L, run.truncated);
	return 3;
}

/* set:captures(index) -> the number of groups of that pattern; nil when it did not compile */
static int l_fpset_captures(lua_State *L)
{
	struct l_fpset *self = check_open(L);
	lua_Integer index = luaL_checkinteger(L, 2);

	luaL_argcheck(L, index >= 1 && (lua_Unsigned)index <= self->set.count, 2, "no such pattern");
	enum deepid_err result;
	const pcre2_code *code = fpset_code(&self->set, (size_t)index - 1, &result);
	if (result == DEEPID_NOMEM)
		return raise_nomem(L);
	if (code == NULL) {
		lua_pushnil(L);
		return 1;
	}
	lua_pushinteger(L, (lua_Integer)fpset_groups(&self->set, (size_t)index - 1));
	return 1;
}

/* #set -> the number of patterns given, those that did not compile included: the range of the indices */
static int l_fpset_len(lua_State *L)
{
	lua_pushinteger(L, (lua_Integer)check_open(L)->set.count);
	return 1;
}

/* set:jitted() -> how many of the patterns run as machine code; compiles all of them */
static int l_fpset_jitted(lua_State *L)
{
	lua_pushinteger(L, (lua_Integer)fpset_jitted(&check_open(L)->set));
	return 1;
}

/* __gc and __close */
static int l_fpset_close(lua_State *L)
{
	struct l_fpset *self = luaL_checkudata(L, 1, TYPE);

	fpscratch_close(&self->scratch);
	fpset_close(&self->set);
	return 0;
}

void l_fpset_register(lua_State *L)
{
	static const luaL_Reg meta[] = { { "__gc", l_fpset_close }, { "__close", l_fpset_close }, { "__len", l_fpset_len }, { NULL, NULL } };
	static const luaL_Reg methods[] = { { "match", l_fpset_match }, { "first", l_fpset_first }, { "rules", l_fpset_rules },
		{ "captures", l_fpset_captures }, { "jitted", l_fpset_jitted }, { "freeze", l_fpset_freeze }, { NULL, NULL } };

	luaL_newmetatable(L, TYPE);
	luaL_setfuncs(L, meta, 0);
	luaL_newlibtable(L, methods);
	lua_pushvalue(L, -2);
	luaL_setfuncs(L, methods, 1);
	lua_setfield(L, -2, "__index");
	lua_pop(L, 1);
}
