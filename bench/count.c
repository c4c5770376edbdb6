/*
 * count - the engine alone, for callgrind, whose counts do not depend on what else the machine does.
 *
 *   count RULES          matches 2,000 greetings once, after all that they need has been compiled
 *   count RULES build    builds the set, no more
 *   count RULES time     matches 20,000 greetings, and prints the CPU time of one, in ns
 */
#define _POSIX_C_SOURCE 200809L

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <valgrind/callgrind.h>

#include "bench.h"

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
	return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

int main(int argc, char **argv)
{
	struct bench_list rules = { NULL, 0, 0 }, replies = { NULL, 0, 0 };
	volatile size_t sink = 0;

	bench_read(&rules, argv[1]);
	bool build = argc > 2 && strcmp(argv[2], "build") == 0, timed = argc > 2 && !build;
	bench_greetings(&replies, &rules, timed ? 20000 : 2000, 19, 1);
	if (build)
		CALLGRIND_START_INSTRUMENTATION;
	void *engine = bench_deepid.open(&rules);
	if (build) {
		CALLGRIND_STOP_INSTRUMENTATION;
		return 0;
	}
	for (size_t i = 0; i < replies.count; i++)
		sink += bench_deepid.first(engine, &replies.items[i]);
	double start = now();
	CALLGRIND_START_INSTRUMENTATION;
	for (size_t i = 0; i < replies.count; i++)
		sink += bench_deepid.first(engine, &replies.items[i]);
	CALLGRIND_STOP_INSTRUMENTATION;
	if (timed)
		printf("%.1f\n", (now() - start) / (double)replies.count);
	return 0;
}
