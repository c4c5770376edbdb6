/* compare - a set with the filter against the naive loop over the same patterns: what both report of one reply. */
#ifndef DEEPID_TEST_COMPARE_H
#define DEEPID_TEST_COMPARE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fpset.h"

#define COMPARE_MOST 64 /* patterns of a set */

struct compared_pattern {
	const char *text;
	size_t length;
	uint32_t options;
	uint8_t slot;
};

static inline void compare_open(struct fpset *set, struct fpscratch *scratch, const struct fplimits *limits,
    const struct compared_pattern *patterns, size_t count)
{
	struct fperror error;

	if (fpset_open(set, count, limits, NULL) != DEEPID_OK)
		abort();
	for (size_t i = 0; i < count; i++)
		if (fpset_add(set, patterns[i].text, patterns[i].length, patterns[i].options, patterns[i].slot, &error) == DEEPID_NOMEM)
			abort();
	if (fpset_build(set) != DEEPID_OK || fpscratch_open(scratch, set) != DEEPID_OK)
		abort();
}

static inline void compare_close(struct fpset *set, struct fpscratch *scratch)
{
	fpscratch_close(scratch);
	fpset_close(set);
}

struct seen {
	size_t hits, stuck[COMPARE_MOST], stuck_count;
	uint64_t sum; /* of rules, groups and spans, in order */
};

static inline void compare_run(struct seen *seen, const struct fpset *set, struct fpscratch *scratch, const char *reply, size_t length)
{
	enum deepid_err event;
	struct fprun run;

	memset(seen, 0, sizeof *seen);
	fprun_start(&run, set, reply, length);
	while ((event = fpset_next(set, scratch, &run)) != DEEPID_END) {
		if (event == DEEPID_STUCK && seen->stuck_count < COMPARE_MOST)
			seen->stuck[seen->stuck_count++] = run.rule;
		if (event != DEEPID_HIT)
			continue;
		seen->hits++;
		seen->sum = seen->sum * 31 + run.rule + 1;
		for (uint32_t i = 0; i < 2 * (run.groups + 1); i++)
			seen->sum = seen->sum * 31 + run.spans[i];
	}
}

/* The same hits; and nothing is given up on that the naive loop does not give up on. */
static inline bool compare_same(const struct seen *naive, const struct seen *filtered)
{
	if (naive->hits != filtered->hits || naive->sum != filtered->sum)
		return false;
	for (size_t i = 0; i < filtered->stuck_count; i++) {
		bool told = false;
		for (size_t k = 0; k < naive->stuck_count; k++)
			told = told || naive->stuck[k] == filtered->stuck[i];
		if (!told)
			return false;
	}
	return true;
}

#endif
