/*
 * The survey when memory runs out, at each allocation in turn, or the disk.  It must say so, never crash, leave no file behind and give
 * everything back.
 */
#define _DEFAULT_SOURCE /* mkdtemp */

#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include "facts.h"
#include "tap.h"

static char folder[64];

static struct survey_options small(void)
{
	struct survey_options options = SURVEY_DEFAULT;

	options.memory = SURVEY_MEMORY_MIN;
	options.fan = 2;
	options.folder = folder;
	return options;
}

static enum deepid_err fill(struct survey *survey, uint32_t count)
{
	enum deepid_err result = DEEPID_OK;
	uint64_t random = 7;

	for (uint32_t i = 0; i < count && result == DEEPID_OK; i++) {
		struct fact fact = draw_fact(&random, 20000);
		result = add_fact(survey, &fact);
	}
	return result;
}

/* A survey that spills several times, and is gone over twice. */
static enum deepid_err whole_life(struct budget *budget)
{
	struct deepid_memory memory = { budget_take, budget_give, budget };
	struct survey_options options = small();
	struct survey survey;

	enum deepid_err result = survey_open(&survey, &options, &memory);
	if (result == DEEPID_OK)
		result = fill(&survey, 300);
	if (result == DEEPID_OK)
		result = write_groups(&survey, "life");
	if (result == DEEPID_OK)
		result = fill(&survey, 30000);
	if (result == DEEPID_OK)
		result = write_groups(&survey, "life");
	survey_close(&survey);
	return result;
}

static void memory_runs_out(bool for_good, const char *name)
{
	bool good = true, failed = true;
	int said = 0;
	long n = 0;

	for (; failed; n++) {
		struct budget budget = { .left = n, .for_good = for_good };
		enum deepid_err result = whole_life(&budget);
		failed = budget.failed;
		said += result == DEEPID_NOMEM;
		/* Where only the pool did not get more, it spills and goes on. */
		if (budget.blocks != 0 || (result != DEEPID_OK && (result != DEEPID_NOMEM || !failed))) {
			printf("# allocation %ld: result %d, %ld blocks not given back\n", n, result, budget.blocks);
			good = false;
		}
	}
	printf("# %ld allocations, it was said %d times\n", n, said);
	tap_ok(good && said >= 5 && n > 15, name);
}

static void disk_is_full(void)
{
	struct survey_options options = small();
	struct rlimit before, limit;
	struct survey survey;

	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &before);
	for (rlim_t size = 0; size < 3000000; size = size * 4 + 1000) {
		CHECK(survey_open(&survey, &options, NULL));
		limit = (struct rlimit){ size, before.rlim_max };
		setrlimit(RLIMIT_FSIZE, &limit);
		enum deepid_err first = fill(&survey, 60000), second = fill(&survey, 1);
		struct survey_walk walk;
		bool stays = survey_walk_start(&walk, &survey) == DEEPID_IO;
		setrlimit(RLIMIT_FSIZE, &before);
		bool good = first == DEEPID_IO && second == DEEPID_IO && stays && strstr(survey.problem, "File too large") != NULL;
		char name[64];
		snprintf(name, sizeof name, "a disk that takes %lu bytes a file", (unsigned long)size);
		tap_ok(good, name);
		survey_close(&survey);
	}
	/* A byte too few for the first run: it fails with the last write. */
	off_t whole = 0;
	for (int again = 0; again < 2; again++) {
		enum deepid_err result = DEEPID_OK;
		CHECK(survey_open(&survey, &options, NULL));
		limit = (struct rlimit){ again ? (rlim_t)whole - 1 : before.rlim_max, before.rlim_max };
		setrlimit(RLIMIT_FSIZE, &limit);
		for (uint32_t i = 0; survey.run_count == 0 && result == DEEPID_OK; i++) {
			struct fact fact = { .host = { 0, UINT64_C(0xffff0a000000) + i }, .kind = 1, .key = i, .text = 1 };
			result = add_fact(&survey, &fact);
		}
		setrlimit(RLIMIT_FSIZE, &before);
		whole = again ? whole : survey.runs[0].size;
		if (again)
			tap_ok(result == DEEPID_IO && strstr(survey.problem, "File too large") != NULL, "a disk that takes all but the last byte");
		survey_close(&survey);
	}
}

int main(void)
{
	enter_folder(folder);
	memory_runs_out(false, "each allocation fails once");
	memory_runs_out(true, "all allocations fail from one on");
	disk_is_full();
	unlink("life");
	tap_ok(rmdir(folder) == 0, "no file is left behind");
	return tap_done();
}
