/*
 * The binding when memory runs out, Lua's or the engine's: each allocation of a script that loads the core, builds a set, matches,
 * masks, surveys, shelves and sweeps fails, and the script ends with the error that it should.  That nothing leaks is for the sanitizer to say, when the program ends.
 * Linked with --wrap=malloc, which is how the engine's allocations come to __wrap_malloc; Lua's come to allocate().
 */
#include <stdlib.h>
#include <string.h>

#include "compat.h"
#include <lualib.h>

#include "tap.h"

int luaopen_deepid_core(lua_State *L);

static const char script[] =
    "local core = require 'deepid.core'\n"
    "local set, errors = core.fpset({ { pattern = '^220 (.*) Exim (x)?' }, { pattern = '(' },\n"
    "    { pattern = '(?:a+)+$', slot = 1 }, { pattern = 'a', slot = 1, flags = 'ims' } }, { steps = 1000 })\n"
    "local hits, stuck, truncated = set:match('220 mx Exim ' .. ('a'):rep(40) .. 'b')\n"
    "assert(#set == 4 and #errors == 1 and errors[1].index == 2)\n"
    "assert(#hits == 2 and hits[1][1] == 'mx' and hits[1][2] == false and stuck[1] == 3 and not truncated)\n"
    "assert(core.mask('220 mx at 10:00:00', 'volatile', { 'mx' }) == '220 \\4 at \\1')\n"
    "local bytes = '\\0\\0T\\1\\0t'\n"
    "local path = 'build/binding.packed'\n"
    "local file = assert(io.open(path, 'wb'))\n"
    "assert(file:write('head', core.checksum(bytes), bytes) and file:close())\n"
    "assert(core.packed(path, 'head'):value()[1] == true and not core.packed(path, 'heap') and #core.checksum_files(path) == 16)\n"
    "local good = core.fpset({ { pattern = '^220 (.*) Exim (x)?' } })\n"
    "assert(core.fpset_thaw(good:freeze()):first('220 mx Exim ') == 1 and not pcall(set.freeze, set))\n"
    "local survey = core.survey({ folder = '/tmp' })\n"
    "assert(survey:add('192.0.2.1', 1, 'key', 'text'))\n"
    "for group in survey:groups(1) do assert(group.examples[1] == '192.0.2.1' and group.example == 'text') end\n"
    "assert(not survey:add('mx', 1, 'key'))\n"
    "local shelf = core.shelf({ folder = '/tmp', memory = 4 << 20 })\n"
    "assert(shelf:put(core.hash('key'), 'value') and shelf:put_lines('192.0.2.1\\t220 mx\\nodd', 's', 'm', 100) == 2)\n"
    "for key, value in shelf:pairs() do assert(#key == 16 and value == 'value' or value == 'm220 mx') end\n"
    "assert(core.mask('220 mx at 10:00:00', 'volatile', {}, true) == '220 mx at <date>')\n"
    "local lone, members = core.shelf({ folder = '/tmp', memory = 4 << 20 }), core.shelf({ folder = '/tmp', memory = 4 << 20 })\n"
    "assert(lone:put_lines('192.0.2.1\\t220 mx.own.org Exim x\\n192.0.2.2\\t220 mx.own.org Exim x\\n192.0.2.3\\t220 mx', '\\0s', '0', 100) == 3)\n"
    "local counted = 0\n"
    "local iterate, sweep = core.sweep(lone, { slot = 's', mark = '0', set = set, groups = survey, kinds = { hostname = 1, notice = 7 },\n"
    "    refusals = '421', classify = function(_, number) return true, number == 1 end, network = function(_, n) counted = counted + n end,\n"
    "    chosen = { hostname = { ['mx.own.org'] = true } }, members = members })\n"
    "assert(iterate() == '192.0.2.1' and iterate() == '192.0.2.2' and iterate() == nil and counted == 3 and sweep:counts()[2] == 1)\n"
    "assert(#members:pairs()() == 33 + 11)\n";

struct budget {
	long left; /* allocations until one fails; below 0: none does */
	bool failed;
};

static struct budget engine = { -1, false };

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);

void *__wrap_malloc(size_t size)
{
	if (engine.left >= 0 && engine.left-- == 0) {
		engine.failed = true;
		return NULL;
	}
	return __real_malloc(size);
}

static void *allocate(void *data, void *block, size_t old, size_t size)
{
	struct budget *budget = data;

	(void)old;
	if (size == 0) {
		free(block);
		return NULL;
	}
	/* Lua takes a failure to shrink for a bug of the allocator. */
	bool grows = block == NULL || size > old;
	if (grows && budget->left >= 0 && budget->left-- == 0)
		budget->failed = true;
	/* Lua collects its garbage and asks once more: that must fail, too. */
	return grows && budget->failed ? NULL : realloc(block, size);
}

/* A state with the script on its stack, ready to run. */
static lua_State *prepare(struct budget *budget)
{
	lua_State *L = lua_newstate(allocate, budget);

	if (L == NULL)
		abort();
	luaL_openlibs(L);
	luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
	lua_pushcfunction(L, luaopen_deepid_core);
	lua_setfield(L, -2, "deepid.core");
	lua_pop(L, 1);
	if (luaL_loadstring(L, script) != LUA_OK)
		abort();
	return L;
}

/* From Lua's n-th allocation on all fail; true when the script ended as it should. */
static bool lua_fails(long n, bool *failed)
{
	struct budget budget = { -1, false };
	lua_State *L = prepare(&budget);

	budget.left = n;
	int status = lua_pcall(L, 0, 0, 0);
	*failed = budget.failed;
	budget = (struct budget){ -1, false };
	bool good = status == (*failed ? LUA_ERRMEM : LUA_OK);
	if (!good)
		printf("# allocation %ld: status %d, %s\n", n, status, lua_tostring(L, -1));
	lua_close(L);
	return good;
}

/* The engine's n-th allocation fails; JIT can do without some, all others must raise. */
static bool engine_fails(long n, bool *failed)
{
	struct budget budget = { -1, false };
	lua_State *L = prepare(&budget);

	engine = (struct budget){ n, false };
	int status = lua_pcall(L, 0, 0, 0);
	*failed = engine.failed;
	engine = (struct budget){ -1, false };
	const char *message = status != LUA_OK ? lua_tostring(L, -1) : "";
	bool good = status == LUA_OK || (*failed && strstr(message, "not enough memory") != NULL);
	if (!good)
		printf("# allocation %ld: status %d, %s\n", n, status, message);
	lua_close(L);
	return good;
}

static void walk(bool (*step)(long n, bool *failed), long least, const char *name)
{
	bool good = true, failed = true;
	long n = 0;

	for (; failed; n++)
		good = step(n, &failed) && good;
	printf("# %ld allocations\n", n - 1);
	tap_ok(good && n > least, name);
}

int main(void)
{
	walk(lua_fails, 50, "every allocation of Lua's may fail");
	walk(engine_fails, 15, "every allocation of the engine's may fail");
	return tap_done();
}
