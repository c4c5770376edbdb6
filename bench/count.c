/*
 * count - the engine alone, for callgrind, whose counts do not depend on what else the machine does.
 *
 *   count RULES [build]      matches 2,000 greetings once, after all that they need has been compiled; with `build`, only builds
 */
#include <stdlib.h>

#include <valgrind/callgrind.h>

#include "bench.h"

int main(int argc, char **argv)
{
	struct bench_list rules = { NULL, 0, 0 }, replies = { NULL, 0, 0 };
	volatile size_t sink = 0;

	bench_read(&rules, argv[1]);
	bench_greetings(&replies, &rules, 2000, 19, 1);
	if (argc > 2)
		CALLGRIND_START_INSTRUMENTATION;
	void *engine = bench_deepid.open(&rules);
	if (argc > 2) {
		CALLGRIND_STOP_INSTRUMENTATION;
		return 0;
	}
	for (size_t i = 0; i < replies.count; i++)
		sink += bench_deepid.first(engine, &replies.items[i]);
	CALLGRIND_START_INSTRUMENTATION;
	for (size_t i = 0; i < replies.count; i++)
		sink += bench_deepid.first(engine, &replies.items[i]);
	CALLGRIND_STOP_INSTRUMENTATION;
	return 0;
}
