/*
 * The engine when memory runs out: every allocation of a whole life (open, compile, match, close) fails once, alone and with all after
 * it.  Each time the engine must say so or do without, answer right otherwise, and give everything back.
 */
#include <stdlib.h>
#include <string.h>

#include "frozen.h"
#include "tap.h"

#define WANTED 3 /* hits of the set below */

struct budget {
	long left;     /* allocations until one fails */
	bool for_good; /* those after it fail, too */
	bool failed;
	long live; /* blocks not yet given back */
};

static void *take(size_t size, void *data)
{
	struct budget *budget = data;

	if (budget->left-- == 0 || (budget->for_good && budget->left < 0)) {
		budget->failed = true;
		return NULL;
	}
	void *block = malloc(size);
	budget->live += block != NULL;
	return block;
}

static void give(void *block, void *data)
{
	struct budget *budget = data;

	budget->live -= block != NULL;
	free(block);
}

static enum deepid_err fill(struct fpset *set)
{
	static const char *const patterns[] = { "^220 (\\S+) ESMTP Exim (\\d[-.\\w]*)", "(bad", "^(?:(a)|[ -~\r\n])*$", "(?i)exim (?<v>4\\.\\d+)" };
	struct fperror error;

	for (size_t i = 0; i < sizeof patterns / sizeof patterns[0]; i++) {
		size_t before = set->count;
		enum deepid_err result = fpset_add(set, patterns[i], strlen(patterns[i]), PCRE2_DOTALL, 0, &error);
		if (result == DEEPID_NOMEM)
			return set->count == before ? result : DEEPID_BAD;
		if (result != (i == 1 ? DEEPID_BAD : DEEPID_OK))
			return DEEPID_BAD;
	}
	return DEEPID_OK;
}

/* DEEPID_OK: all the hits; DEEPID_NOMEM: it was said that some are missing; DEEPID_BAD: wrong. */
static enum deepid_err match_all(const struct fpset *set, struct fpscratch *scratch)
{
	static char reply[2000] = "220 mx ESMTP Exim 4.97 ";
	enum deepid_err event;
	struct fprun run;
	int hits = 0, missing = 0;

	/* Long, so that the interpreter's frames grow more than once. */
	memset(reply + 23, 'a', sizeof reply - 23);
	fprun_start(&run, set, reply, sizeof reply);
	while ((event = fpset_next(set, scratch, &run)) != DEEPID_END) {
		hits += event == DEEPID_HIT;
		missing += event == DEEPID_NOMEM;
	}
	if (hits + missing != WANTED)
		return DEEPID_BAD;
	return missing > 0 ? DEEPID_NOMEM : DEEPID_OK;
}

static enum deepid_err whole_life(struct budget *budget, bool jit)
{
	struct fplimits limits = FPLIMITS_DEFAULT;
	struct deepid_memory memory = { take, give, budget };
	struct fpscratch scratch = { NULL };
	struct fpset set;

	limits.jit = jit;
	limits.depth = 100000;
	enum deepid_err result = fpset_open(&set, 4, &limits, &memory);
	if (result == DEEPID_OK)
		result = fill(&set);
	if (result == DEEPID_OK)
		result = fpset_build(&set);
	if (result == DEEPID_OK)
		result = fpscratch_open(&scratch, &set);
	if (result == DEEPID_OK)
		result = match_all(&set, &scratch);
	fpscratch_close(&scratch);
	fpset_close(&set);
	return result;
}

static void walk(bool jit, bool for_good, const char *name)
{
	bool good = true, failed = true;
	int said = 0;

	for (long n = 0; failed; n++) {
		struct budget budget = { n, for_good, false, 0 };
		enum deepid_err result = whole_life(&budget, jit);
		failed = budget.failed;
		said += result == DEEPID_NOMEM;
		/* Only JIT can do without the memory that it did not get. */
		bool answer = result == DEEPID_OK ? jit || !failed : result == DEEPID_NOMEM && failed;
		if (!answer || budget.live != 0) {
			printf("# allocation %ld: result %d, %ld blocks not given back\n", n, result, budget.live);
			good = false;
		}
	}
	/* Fewer would mean that the walk did not get to compiling, scratch and matching. */
	good = good && said >= 10;
	printf("# it was said %d times\n", said);
	tap_ok(good, name);
}

/* A set is frozen and thawed with so much memory. */
static enum deepid_err freeze_and_thaw(const struct fpset *set, const struct deepid_memory *memory)
{
	struct frozen frozen = { NULL, 0, 0 };
	struct fpset thawed;

	enum deepid_err result = fpset_freeze(set, &frozen, memory);
	if (result == DEEPID_OK) {
		result = fpset_thaw(&thawed, frozen.bytes, frozen.length, memory);
		fpset_close(&thawed);
	}
	frozen_close(&frozen, memory);
	return result;
}

static void walk_frozen(void)
{
	struct fplimits limits = FPLIMITS_DEFAULT;
	bool good = true, failed = true;
	struct fperror error;
	struct fpset set;
	int said = 0;

	if (fpset_open(&set, 2, &limits, NULL) != DEEPID_OK || fpset_add(&set, "^220 (\\S+) Exim", 15, 0, 0, &error) != DEEPID_OK
	    || fpset_add(&set, "^\\d+$", 6, 0, 0, &error) != DEEPID_OK || fpset_build(&set) != DEEPID_OK)
		abort();
	for (long n = 0; failed; n++) {
		struct budget budget = { n, false, false, 0 };
		enum deepid_err result = freeze_and_thaw(&set, &(struct deepid_memory){ take, give, &budget });
		failed = budget.failed;
		said += result == DEEPID_NOMEM;
		good = good && result == (failed ? DEEPID_NOMEM : DEEPID_OK) && budget.live == 0;
	}
	fpset_close(&set);
	tap_ok(good && said >= 10, "a set frozen and thawed: each allocation fails once");
}

/* A pattern that could not be added for want of memory can be added again. */
static void add_again(void)
{
	struct fplimits limits = FPLIMITS_DEFAULT;
	struct budget budget = { 1000, false, false, 0 };
	struct deepid_memory memory = { take, give, &budget };
	struct fperror error;
	struct fpset set;

	if (fpset_open(&set, 1, &limits, &memory) != DEEPID_OK)
		abort();
	budget.left = 0;
	tap_ok(fpset_add(&set, "a", 1, 0, 0, &error) == DEEPID_NOMEM && set.count == 0, "no memory for a pattern");
	tap_ok(fpset_add(&set, "a", 1, 0, 0, &error) == DEEPID_OK && set.count == 1, "the second try succeeds");
	fpset_close(&set);
	tap_ok(budget.live == 0, "all is given back");

	tap_ok(fpset_open(&set, SIZE_MAX / 2, &limits, &memory) == DEEPID_NOMEM, "a room that no memory can hold");
	fpset_close(&set);
}

int main(void)
{
	walk(false, false, "interpreter: each allocation fails once");
	walk(false, true, "interpreter: all fail from one on");
	walk(true, false, "JIT: each allocation fails once");
	walk(true, true, "JIT: all fail from one on");
	walk_frozen();
	add_again();
	return tap_done();
}
