/*
 * bench - engines against each other: the time to the first match with its captures, per reply.
 *
 *   bench RULES [RULES ...] EXAMPLES ROUNDS     files of bench/rules.lua; the last two are examples and the number of rounds
 *
 * Rounds are interleaved, one engine after the other, so that a busy machine is busy for all; time is the thread's own; what is told is
 * the median of the rounds with their lowest and highest.
 */
#define _POSIX_C_SOURCE 200809L

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench.h"
#include "filter.h"

#define GREETINGS 50000
#define HOSTILE 300
#define CAP 4096
#define ROUNDS_MOST 31
#define SLOWEST_ROUNDS 7
#define ENGINES 6

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
	return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

/* --- The oracle: it knows the right rule, so that it takes one match and a look at the bytes --- */

static struct {
	void *sequence;
	const struct bench_list *replies;
	const size_t *right;
} oracle;

static void *open_oracle(const struct bench_list *rules)
{
	return oracle.sequence = bench_jit_open(rules);
}

static size_t first_oracle(void *engine, const struct bench_text *reply)
{
	size_t right = oracle.right[reply - oracle.replies->items];
	const void *volatile seen = memchr(reply->bytes, '\x01', reply->length);

	(void)seen;
	if (right == BENCH_NONE)
		return BENCH_NONE;
	return bench_jit_matches(engine, right, reply) ? right : BENCH_NONE;
}

static const struct bench_engine bench_oracle = { "oracle", open_oracle, first_oracle, 0 };

static const struct bench_engine *const engines[ENGINES] = { &bench_interpreted, &bench_jit, &bench_hyperscan, &bench_re2, &bench_oracle,
	&bench_deepid };

/* --- Rounds --- */

struct times {
	double rounds[ROUNDS_MOST];
	double median, lowest, highest;
};

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void sum_up(struct times *times, int rounds)
{
	qsort(times->rounds, (size_t)rounds, sizeof times->rounds[0], by_size);
	times->median = times->rounds[rounds / 2];
	times->lowest = times->rounds[0];
	times->highest = times->rounds[rounds - 1];
}

static double run_round(const struct bench_engine *engine, void *opened, const struct bench_list *replies, int round)
{
	size_t count = engine->most > 0 && engine->most < replies->count ? engine->most : replies->count;
	size_t first = (size_t)round * count % (replies->count - count + 1);
	volatile size_t sink = 0;

	double start = now();
	for (size_t i = first; i < first + count; i++)
		sink += engine->first(opened, &replies->items[i]);
	return (now() - start) / (double)count;
}

/* The longest single reply, in ns: of each the least of some rounds, for a machine that does something else is slow several times in a row. */
static double slowest(const struct bench_engine *engine, void *opened, const struct bench_list *replies)
{
	double *least = calloc(replies->count, sizeof *least), most = 0;

	for (int round = 0; round < SLOWEST_ROUNDS; round++)
		for (size_t i = 0; i < replies->count; i++) {
			double start = now();
			engine->first(opened, &replies->items[i]);
			double took = now() - start;
			least[i] = round == 0 || took < least[i] ? took : least[i];
		}
	for (size_t i = 0; i < replies->count; i++)
		most = least[i] > most ? least[i] : most;
	free(least);
	return most;
}

/* --- Tables --- */

struct scene {
	const struct bench_list *rules;
	void *opened[ENGINES];
	double build_ms[ENGINES];
};

static struct scene open_scene(const struct bench_list *rules)
{
	struct scene scene = { .rules = rules };

	for (int e = 0; e < ENGINES; e++) {
		double start = now();
		scene.opened[e] = engines[e]->open(rules);
		scene.build_ms[e] = (now() - start) / 1e6;
	}
	return scene;
}

/* Who disagrees with the naive loop on how many replies. */
static void compare(const struct scene *scene, const struct bench_list *replies, size_t *right, size_t *wrong)
{
	oracle.replies = replies;
	oracle.right = right;
	for (size_t i = 0; i < replies->count; i++)
		right[i] = bench_jit.first(scene->opened[1], &replies->items[i]);
	for (int e = 0; e < ENGINES; e++) {
		wrong[e] = 0;
		for (size_t i = 0; i < replies->count && i < 5000; i++)
			wrong[e] += engines[e]->first(scene->opened[e], &replies->items[i]) != right[i];
	}
}

/* What a table found: ns a reply, the medians of the naive loop and of ours. */
struct found {
	double naive, ours;
};

static struct found table(const struct scene *scene, const char *name, const struct bench_list *replies, int rounds, bool single)
{
	size_t *right = calloc(replies->count, sizeof *right), wrong[ENGINES], matched = 0, bytes = 0;
	static struct times times[ENGINES];

	compare(scene, replies, right, wrong);
	for (size_t i = 0; i < replies->count; i++) {
		matched += right[i] != BENCH_NONE;
		bytes += replies->items[i].length;
	}
	printf("\n### %s\n\n%zu rules; %zu replies of %zu bytes on average, %.0f%% match.\n\n", name, scene->rules->count, replies->count,
	    bytes / replies->count, 100.0 * (double)matched / (double)replies->count);
	printf("| engine | ns a reply: median (lowest to highest) | faster than sequential JIT | other answers in 5,000 | build, ms |%s\n", single ? " slowest reply, µs |" : "");
	printf("|---|---|---|---|---|%s\n", single ? "---|" : "");
	for (int round = -1; round < rounds; round++)
		for (int e = 0; e < ENGINES; e++) {
			double took = run_round(engines[e], scene->opened[e], replies, round < 0 ? 0 : round);
			if (round >= 0)
				times[e].rounds[round] = took;
		}
	for (int e = 0; e < ENGINES; e++)
		sum_up(&times[e], rounds);
	for (int e = 0; e < ENGINES; e++) {
		printf("| %s | %.0f (%.0f to %.0f) | %.2f× | %zu | %.1f |", engines[e]->name, times[e].median, times[e].lowest, times[e].highest,
		    times[1].median / times[e].median, wrong[e], scene->build_ms[e]);
		if (single)
			printf(" %.1f |", slowest(engines[e], scene->opened[e], replies) / 1e3);
		puts("");
	}
	printf("\nsmtp-deepid: %.1f× sequential JIT, %.1f× Hyperscan, %.1f× RE2::Set, %.2f× the oracle's time.\n", times[1].median / times[5].median,
	    times[2].median / times[5].median, times[3].median / times[5].median, times[5].median / times[4].median);
	fflush(stdout);
	free(right);
	return (struct found){ times[1].median, times[5].median };
}

/* What each stage of the filter is worth. */
static void stages(const struct bench_list *rules, const struct bench_list *replies, int rounds)
{
	static const struct {
		const char *name;
		unsigned bits;
	} kinds[] = { { "none: the naive loop", 0 }, { "first bytes", FILTER_HEADS }, { "order", FILTER_ORDER }, { "programs", FILTER_DIRECT },
		{ "needles", FILTER_NEEDLES }, { "needles, first bytes", FILTER_NEEDLES | FILTER_HEADS }, { "needles, first bytes, order", FILTER_ALL & ~FILTER_DIRECT },
		{ "needles, first bytes, programs", FILTER_ALL & ~FILTER_ORDER }, { "all", FILTER_ALL } };
	static struct times times[sizeof kinds / sizeof kinds[0]];
	void *opened[sizeof kinds / sizeof kinds[0]];
	struct bench_engine engine = bench_deepid;

	engine.most = 5000;
	for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++)
		opened[k] = bench_deepid_open(rules, kinds[k].bits);
	for (int round = -1; round < rounds; round++)
		for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
			double took = run_round(&engine, opened[k], replies, 0); /* the same replies, so that their patterns are compiled */
			if (round >= 0)
				times[k].rounds[round] = took;
		}
	printf("\n### What the stages of the filter are worth\n\n| stages | ns a reply: median (lowest to highest) |\n|---|---|\n");
	for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
		sum_up(&times[k], rounds);
		printf("| %s | %.0f (%.0f to %.0f) |\n", kinds[k].name, times[k].median, times[k].lowest, times[k].highest);
	}
	fflush(stdout);
}

static void cut(struct bench_list *cut, const struct bench_list *whole)
{
	for (size_t i = 0; i < whole->count; i++)
		bench_add(cut, whole->items[i].bytes, whole->items[i].length < CAP ? whole->items[i].length : CAP, 0);
}

static void one_set(const char *path, const char *examples, int rounds, bool grow)
{
	struct bench_list rules = { NULL, 0, 0 }, greetings = { NULL, 0, 0 }, told = { NULL, 0, 0 }, hostile = { NULL, 0, 0 };
	struct bench_list short_ones = { NULL, 0, 0 }, packed = { NULL, 0, 0 }, more = { NULL, 0, 0 };

	bench_read(&rules, path);
	bench_read(&told, examples);
	bench_greetings(&greetings, &rules, GREETINGS, 19, 1);
	bench_hostile(&hostile, &rules, HOSTILE, 2);
	cut(&short_ones, &hostile);
	bench_adversarial(&packed, &rules, HOSTILE, 3);
	printf("\n## Rules of %s\n", strrchr(path, '/') != NULL ? strrchr(path, '/') + 1 : path);
	struct scene scene = open_scene(&rules);
	table(&scene, "Greetings made from the rules", &greetings, rounds, false);
	stages(&rules, &greetings, rounds);
	table(&scene, "The examples of our rules", &told, rounds, false);
	struct found whole = table(&scene, "Hostile replies, whole", &hostile, 3, true);
	struct found at_cap = table(&scene, "Hostile replies, cut at the default cap", &short_ones, 3, true);
	printf("As each is used, smtp-deepid with its cap and the loop, as Nmap's, without one: %.0f×.\n", whole.naive / at_cap.ours);
	table(&scene, "Packed with the rules' words", &packed, 3, true);
	if (!grow)
		return;
	bench_more_rules(&more, &rules, 5000, 4);
	struct bench_list of_more = { NULL, 0, 0 };
	bench_greetings(&of_more, &more, GREETINGS, 19, 5);
	scene = open_scene(&more);
	table(&scene, "Ten times as many rules", &of_more, rounds, false);
}

int main(int argc, char **argv)
{
	if (argc < 4)
		return 2;
	int rounds = atoi(argv[argc - 1]);
	rounds = rounds < 1 ? 1 : rounds > ROUNDS_MOST ? ROUNDS_MOST : rounds;
	for (int i = 1; i < argc - 2; i++)
		one_set(argv[i], argv[argc - 2], rounds, i == 1);
	return 0;
}
