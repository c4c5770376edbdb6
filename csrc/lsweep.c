/* lsweep - binds the walk over lone greetings to Lua: what there are millions of is counted here, host by host only the others go to Lua. */

#include "lsweep.h"

#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "fpset.h"
#include "greeting.h"
#include "lfpset.h"
#include "solo.h"
#include "lshelf.h"
#include "lsurvey.h"
#include "survey.h"

#define TYPE "deepid.sweep"

#define CLASSES_MAX 4096 /* sets of rules; hosts with any further set go to Lua */
#define HITS_MAX 64      /* rules of one set */
#define SLOT_MAX 16      /* bytes */
#define CODES_MAX 127    /* bytes */

/* Where things are on the stack of l_sweep_new, and then among the iterator's upvalues. */
enum { SHELF = 1, OPTIONS, SWEEP, SPECIAL, CHOSEN, CLASSIFY, NETWORK, SET, GROUPS, MEMBERS, NUMBERS };

struct class {
	uint64_t count; /* of hosts that were not told one by one */
	bool told;
};

struct sweep {
	struct solo solo;
	/* These belong to other userdata, which the iterator holds; NULL: not asked for. */
	const struct fpset *set;
	struct fpscratch *scratch;
	struct survey *groups;
	struct shelf *members;

	struct greeting_form form; /* its codes are those below */
	char slot[SLOT_MAX + 1];
	char codes[CODES_MAX + 1]; /* of refusals */
	bool classifies, has_network, has_special, has_chosen;

	struct class classes[CLASSES_MAX]; /* by number, from 1 */
	lua_Integer class_count;

	char place[ADDRESS_TEXT]; /* an address of the network whose hosts are being counted */
	size_t place_length;
	uint64_t network; /* that network */
	bool is_ipv4;
	lua_Integer in_network; /* hosts */

	struct greeting greeting; /* of the current host */
};

static const char *const kind_names[GREETING_KINDS] = { "hostname", "greeting", "template", "notice" };

/* --- Making one --- */

/* Copies a string of `most` bytes at most, and a NUL; returns its length. */
static size_t string_option(lua_State *L, const char *name, char *copy, size_t most)
{
	size_t length;

	if (lua_getfield(L, OPTIONS, name) != LUA_TSTRING)
		luaL_error(L, "bad options (%s must be a string)", name);
	const char *text = lua_tolstring(L, -1, &length);
	if (length > most)
		luaL_error(L, "bad options (%s is too long)", name);
	memcpy(copy, text, length + 1);
	lua_pop(L, 1);
	return length;
}

/* Pushes an option, which must be of that type, or nil; returns whether it is there. */
static bool push_option(lua_State *L, const char *name, int type)
{
	int found = lua_getfield(L, OPTIONS, name);

	if (found != LUA_TNIL && found != type)
		luaL_error(L, "bad options (%s must be a %s)", name, lua_typename(L, type));
	return found != LUA_TNIL;
}

/* Reads the numbers of kinds; returns whether there are any. */
static bool read_kinds(lua_State *L, struct sweep *s)
{
	bool any = false;

	lua_getfield(L, OPTIONS, "kinds");
	for (int kind = 0; lua_istable(L, -1) && kind < GREETING_KINDS; kind++) {
		lua_getfield(L, -1, kind_names[kind]);
		lua_Integer number = luaL_optinteger(L, -1, 0);
		if (number < 0 || number > SURVEY_KIND_MAX)
			luaL_error(L, "bad options (a kind is 1 to 15)");
		s->form.kinds[kind] = (uint8_t)number;
		any = any || number > 0;
		lua_pop(L, 1);
	}
	lua_pop(L, 1);
	return any;
}

/* Pushes what the iterator holds, from SPECIAL on. */
static void read_options(lua_State *L, struct sweep *s)
{
	bool wants_keys = read_kinds(L, s);

	s->form.codes = s->codes;
	if (s->form.kinds[GREETING_NOTICE] != 0 && string_option(L, "refusals", s->codes, CODES_MAX) % 4 != 3)
		luaL_error(L, "bad options (refusals must be codes of three digits with a blank between)");
	s->has_special = push_option(L, "special", LUA_TTABLE);
	s->has_chosen = push_option(L, "chosen", LUA_TTABLE);
	s->classifies = push_option(L, "classify", LUA_TFUNCTION);
	s->has_network = push_option(L, "network", LUA_TFUNCTION);
	if (push_option(L, "set", LUA_TUSERDATA))
		s->set = l_fpset_check(L, SET, &s->scratch);
	if (push_option(L, "groups", LUA_TUSERDATA))
		s->groups = l_survey_check(L, GROUPS);
	if (push_option(L, "members", LUA_TUSERDATA))
		s->members = l_shelf_check(L, MEMBERS);
	if (s->has_chosen != (s->members != NULL) || (wants_keys && s->groups == NULL && s->members == NULL))
		luaL_error(L, "bad options (%s)", wants_keys ? "kinds need groups, or chosen and members" : "chosen and members go together");
	lua_newtable(L);
}

/* --- Lone greetings --- */

static int raise_closed(lua_State *L)
{
	return luaL_error(L, "what the sweep works with is closed");
}

/* The rules that match the reply, as the bytes of their indices; false: they are too many. */
static bool match_rules(lua_State *L, struct sweep *s, uint16_t *hits, size_t *count)
{
	enum deepid_err event;
	struct fprun run;

	*count = 0;
	if (s->set == NULL)
		return true;
	if (s->scratch->data == NULL)
		raise_closed(L);
	fprun_start(&run, s->set, s->greeting.reply, s->greeting.length);
	while ((event = fpset_next(s->set, s->scratch, &run)) != DEEPID_END) {
		if (event == DEEPID_NOMEM)
			luaL_error(L, "not enough memory");
		if (event != DEEPID_HIT)
			continue;
		if (*count == HITS_MAX || run.rule > UINT16_MAX)
			return false;
		hits[(*count)++] = (uint16_t)run.rule;
	}
	return true;
}

/* A set that is new: Lua says whether hosts with it can be counted, and whether it must be told of them. Gives its number, or 0. */
static lua_Integer new_class(lua_State *L, struct sweep *s)
{
	if (s->class_count == CLASSES_MAX)
		return 0;
	lua_pushvalue(L, lua_upvalueindex(CLASSIFY));
	lua_pushlstring(L, s->greeting.reply, s->greeting.length);
	lua_pushinteger(L, s->class_count + 1);
	lua_call(L, 2, 2);
	bool counts = lua_toboolean(L, -2), told = lua_toboolean(L, -1);
	lua_pop(L, 2);
	if (!counts)
		return 0;
	s->classes[s->class_count++] = (struct class){ .count = 0, .told = told };
	return s->class_count;
}

/* The number of the reply's class; 0: it cannot be counted. */
static lua_Integer class_of(lua_State *L, struct sweep *s)
{
	uint16_t hits[HITS_MAX];
	size_t count;

	if (!match_rules(L, s, hits, &count))
		return 0;
	lua_pushlstring(L, (const char *)hits, count * sizeof *hits);
	lua_pushvalue(L, -1);
	if (lua_rawget(L, lua_upvalueindex(NUMBERS)) == LUA_TNIL) {
		lua_pop(L, 1);
		lua_pushinteger(L, new_class(L, s));
		lua_pushvalue(L, -2);
		lua_pushvalue(L, -2);
		lua_rawset(L, lua_upvalueindex(NUMBERS));
	}
	lua_Integer number = lua_tointeger(L, -1);
	lua_pop(L, 2);
	return number;
}

static void add_keys(lua_State *L, struct sweep *s)
{
	if (s->groups->slots == NULL)
		raise_closed(L);
	enum deepid_err result = greeting_add(&s->greeting, s->groups, &s->solo.address, &s->form);
	if (result != DEEPID_OK)
		luaL_error(L, "%s", result == DEEPID_NOMEM ? "not enough memory" : s->groups->problem);
}

/* Tells Lua how many hosts there were in the network that ends here. */
static void end_network(lua_State *L, struct sweep *s)
{
	if (s->in_network > 0) {
		lua_pushvalue(L, lua_upvalueindex(NETWORK));
		lua_pushlstring(L, s->place, s->place_length);
		lua_pushinteger(L, s->in_network);
		s->in_network = 0;
		lua_call(L, 2, 0);
	}
}

/* The widest network that somebody owns: the first two numbers of an address, or the first two groups. */
static void count_network(lua_State *L, struct sweep *s)
{
	const struct solo *solo = &s->solo;
	const char *text = solo_pair(solo)->key;
	bool is_ipv4 = memchr(text, '.', solo->address_length) != NULL;
	uint64_t network = is_ipv4 ? solo->address.low >> 16 : solo->address.high >> 32;

	if (network != s->network || is_ipv4 != s->is_ipv4)
		end_network(L, s);
	if (s->in_network++ == 0) {
		memcpy(s->place, text, solo->address_length);
		s->place_length = solo->address_length;
		s->network = network;
		s->is_ipv4 = is_ipv4;
	}
}

/* Puts the host where the members of its chosen groups are gathered: by kind, group, and hash of the address (deepid.members). */
static void put_members(lua_State *L, struct sweep *s)
{
	const struct shelf_pair *pair = solo_pair(&s->solo);
	size_t length = s->solo.address_length;

	for (int kind = 0; kind < GREETING_KINDS; kind++) {
		const struct greeting_key *key = &s->greeting.keys[kind];
		if (s->form.kinds[kind] == 0 || key->length == 0 || lua_getfield(L, lua_upvalueindex(CHOSEN), kind_names[kind]) != LUA_TTABLE)
			continue;
		lua_pushlstring(L, key->bytes, key->length);
		bool is_chosen = lua_rawget(L, -2) != LUA_TNIL;
		lua_pop(L, 2);
		if (!is_chosen)
			continue;
		unsigned char place[SHELF_KEY_MAX], *at = place;
		XXH128_hash_t hash = XXH3_128bits(key->bytes, key->length);
		*at++ = s->form.kinds[kind];
		put_be64(at, hash.high64);
		put_be64(at + 8, hash.low64);
		put_be64(at + 16, XXH3_128bits(pair->key, length).high64);
		put_be64(at + 24, s->solo.ordinal);
		memcpy(at + 32, pair->key, pair->key_length);
		at += 32 + pair->key_length;
		struct shelf_pair member = { (char *)place, pair->value, (size_t)(at - place), pair->value_length };
		if (s->members->arena == NULL)
			raise_closed(L);
		if (shelf_put(s->members, &member) != DEEPID_OK)
			luaL_error(L, "%s", s->members->problem);
	}
}

static bool is_special(lua_State *L, const struct sweep *s)
{
	if (!s->has_special)
		return false;
	lua_pushlstring(L, solo_pair(&s->solo)->key, s->solo.address_length);
	bool special = lua_rawget(L, lua_upvalueindex(SPECIAL)) != LUA_TNIL;
	lua_pop(L, 1);
	return special;
}

/* Sees to a lone greeting; false: Lua must. *number: its class, where Lua is to be told of it. */
static bool see(lua_State *L, struct sweep *s, lua_Integer *number)
{
	const struct shelf_pair *pair = solo_pair(&s->solo);

	*number = 0;
	if (is_special(L, s))
		return false;
	struct mask_name address = { pair->key, s->solo.address_length };
	if (!greeting_read(&s->greeting, pair->value + 1, pair->value_length - 1, &address, &s->form))
		return false;
	lua_Integer class = s->classifies ? class_of(L, s) : 0;
	if (s->classifies && class == 0)
		return false;
	if (s->groups != NULL)
		add_keys(L, s);
	if (s->has_network)
		count_network(L, s);
	if (s->has_chosen)
		put_members(L, s);
	if (class > 0 && s->classes[class - 1].told)
		*number = class;
	if (class > 0)
		s->classes[class - 1].count++;
	return true;
}

/* The iterator: key, value and ordinal of a pair; or address, nil, ordinal, number of a class. */
static int next_host(lua_State *L)
{
	struct sweep *s = lua_touserdata(L, lua_upvalueindex(SWEEP));
	enum deepid_err result;
	lua_Integer number = 0;

	while ((result = solo_next(&s->solo)) == DEEPID_HIT && see(L, s, &number))
		if (number > 0) {
			lua_pushlstring(L, solo_pair(&s->solo)->key, s->solo.address_length);
			lua_pushnil(L);
			lua_pushinteger(L, (lua_Integer)s->solo.ordinal);
			lua_pushinteger(L, number);
			return 4;
		}
	if (result == DEEPID_END) {
		end_network(L, s);
		lua_pushnil(L);
		return 1;
	}
	if (result != DEEPID_OK && result != DEEPID_HIT)
		return luaL_error(L, "%s", s->solo.walk.shelf->problem);
	const struct shelf_pair *pair = solo_pair(&s->solo);
	lua_pushlstring(L, pair->key, pair->key_length);
	lua_pushlstring(L, pair->value, pair->value_length);
	lua_pushinteger(L, (lua_Integer)s->solo.ordinal);
	return 3;
}

int l_sweep_new(lua_State *L)
{
	struct shelf *shelf = l_shelf_check(L, SHELF);
	char mark[2];

	luaL_checktype(L, OPTIONS, LUA_TTABLE);
	lua_settop(L, OPTIONS);
	/* Anchored first, so that whatever raises from here on leaks nothing. */
	struct sweep *s = lua_newuserdata(L, sizeof *s);
	memset(s, 0, sizeof *s);
	luaL_setmetatable(L, TYPE);
	read_options(L, s);
	struct solo_form form = { .slot = s->slot, .slot_length = string_option(L, "slot", s->slot, SLOT_MAX), .most = GREETING_TEXT_MAX };
	if (string_option(L, "mark", mark, 1) != 1)
		luaL_error(L, "bad options (a mark has one byte)");
	form.mark = mark[0];
	enum deepid_err result = solo_open(&s->solo, shelf, &form, NULL);
	if (result == DEEPID_NOMEM)
		return luaL_error(L, "not enough memory");
	if (result != DEEPID_OK) {
		lua_pushnil(L);
		lua_pushstring(L, shelf->problem);
		return 2;
	}
	lua_pushvalue(L, SWEEP);
	lua_insert(L, SHELF);
	lua_pushcclosure(L, next_host, NUMBERS);
	lua_insert(L, SHELF);
	return 2;
}

/* sweep:counts() -> array: the hosts of each class that were seen to, by the class's number */
static int l_sweep_counts(lua_State *L)
{
	const struct sweep *s = luaL_checkudata(L, 1, TYPE);

	lua_createtable(L, (int)s->class_count, 0);
	for (lua_Integer i = 0; i < s->class_count; i++) {
		lua_pushinteger(L, (lua_Integer)s->classes[i].count);
		lua_rawseti(L, -2, i + 1);
	}
	return 1;
}

/* __gc */
static int l_sweep_close(lua_State *L)
{
	struct sweep *s = luaL_checkudata(L, 1, TYPE);

	solo_close(&s->solo);
	return 0;
}

void l_sweep_register(lua_State *L)
{
	static const luaL_Reg methods[] = { { "counts", l_sweep_counts }, { NULL, NULL } };

	luaL_newmetatable(L, TYPE);
	lua_pushcfunction(L, l_sweep_close);
	lua_setfield(L, -2, "__gc");
	luaL_newlib(L, methods);
	lua_setfield(L, -2, "__index");
	lua_pop(L, 1);
}
