/*
 * The survey is a function of the set of facts: whatever the order, the cap and the spills, its groups are the same bytes; and its memory
 * stays under the cap.
 */
#define _DEFAULT_SOURCE /* mkdtemp */

#include <unistd.h>

#include "facts.h"
#include "tap.h"

#define FACTS 60000
#define HOSTS 12000

static struct fact facts[FACTS];
static char folder[64];

static struct survey_options options_of(size_t memory, unsigned fan)
{
	struct survey_options options = SURVEY_DEFAULT;

	options.memory = memory;
	options.fan = fan;
	options.folder = folder;
	return options;
}

static void shuffle(uint64_t *random)
{
	for (size_t i = FACTS; i > 1; i--) {
		size_t other = draw(random) % i;
		struct fact fact = facts[i - 1];
		facts[i - 1] = facts[other];
		facts[other] = fact;
	}
}

static void one_pass(void)
{
	struct survey_options options = options_of(SURVEY_MEMORY, RUN_FAN_MAX);
	struct survey survey;

	CHECK(survey_open(&survey, &options, NULL));
	for (size_t i = 0; i < FACTS; i++)
		CHECK(add_fact(&survey, &facts[i]));
	tap_ok(survey.run_count == 0, "one pass in memory");
	CHECK(write_groups(&survey, "want"));
	for (size_t i = 0; i < FACTS; i += 3)
		CHECK(add_fact(&survey, &facts[i]));
	CHECK(write_groups(&survey, "got"));
	tap_ok(same_file("want", "got"), "adding what is there changes nothing");
	survey_close(&survey);
}

/* All facts in some order, some of them again, with some cap and fan. */
static void any_order(uint64_t seed)
{
	uint64_t random = seed;
	struct survey_options options = options_of(seed % 2 ? SURVEY_MEMORY_MIN : SURVEY_MEMORY_MIN * 2, 2 + (unsigned)(seed % 3));
	struct survey survey;
	char name[80];

	shuffle(&random);
	CHECK(survey_open(&survey, &options, NULL));
	for (size_t i = 0; i < FACTS; i++) {
		CHECK(add_fact(&survey, &facts[i]));
		if (draw(&random) % 16 == 0)
			CHECK(add_fact(&survey, &facts[draw(&random) % FACTS]));
		/* To go over it in the midst changes nothing. */
		if (draw(&random) % (FACTS / 2) == 0)
			CHECK(write_groups(&survey, "got"));
	}
	printf("# %zu runs\n", survey.run_count);
	CHECK(write_groups(&survey, "got"));
	snprintf(name, sizeof name, "any order, cap and fan: seed %llu", (unsigned long long)seed);
	tap_ok(same_file("want", "got"), name);
	survey_close(&survey);
}

/* With the smallest cap and fan: many runs, several levels, and no more memory or files than is said. */
static void small_memory(void)
{
	struct survey_options options = options_of(SURVEY_MEMORY_MIN, 2);
	struct budget budget = { .left = -1 };
	struct deepid_memory memory = { budget_take, budget_give, &budget };
	struct survey survey;
	unsigned level = 0;
	size_t runs = 0;

	CHECK(survey_open(&survey, &options, &memory));
	for (size_t i = 0; i < FACTS; i++) {
		CHECK(add_fact(&survey, &facts[i]));
		if (survey.run_count > 0 && survey.runs[0].level > level)
			level = survey.runs[0].level;
		runs = survey.run_count > runs ? survey.run_count : runs;
	}
	tap_ok(level >= 2, "runs of several levels");
	tap_ok(runs <= level + 1, "no more files than levels");
	CHECK(write_groups(&survey, "got"));
	tap_ok(same_file("want", "got"), "the same bytes from many runs");
	printf("# peak %zu of %zu bytes\n", budget.peak, options.memory);
	tap_ok(budget.peak <= options.memory, "memory stays under the cap");
	survey_close(&survey);
	tap_ok(budget.blocks == 0, "all is given back");
}

/* Many facts of unique keys, and the largest records there are: the cap holds in a short form of `make soak`. */
static void cap(void)
{
	struct survey_options options = options_of((size_t)4 << 20, RUN_FAN_MAX);
	struct budget budget = { .left = -1 };
	struct deepid_memory memory = { budget_take, budget_give, &budget };
	struct survey survey;
	uint64_t random = 5;
	char key[32];

	CHECK(survey_open(&survey, &options, &memory));
	for (uint32_t i = 0; i < 200000; i++) {
		struct address host = { 0, UINT64_C(0xffff00000000) | (uint32_t)draw(&random) };
		if (draw(&random) % 2)
			host = (struct address){ draw(&random), draw(&random) };
		int length = snprintf(key, sizeof key, "%u", i % 8 ? i % 307 : 1000 + i);
		CHECK(survey_add(&survey, &host, 1, key, (size_t)length, key, (size_t)length));
	}
	CHECK(write_groups(&survey, "got"));
	printf("# peak %zu of %zu bytes, %zu runs\n", budget.peak, options.memory, survey.run_count);
	tap_ok(survey.run_count > 0 && budget.peak <= options.memory, "the cap holds on 200,000 hosts");
	survey_close(&survey);
}

/* Counts against the truth, at the sizes where the form changes. */
static void counts(void)
{
	static const uint32_t sizes[] = { 1, 2, 4, 5, 255, 256, 257, 300, 1000, 20000, 100000 };
	bool exact = true, near = true, ordered = true;

	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		struct pool pool;
		struct group group;
		pool_open(&pool, 1 << 20, &deepid_malloc);
		group_init(&group, (struct group_key){ 1, 2, 3 });
		for (uint32_t n = 0; n < sizes[i]; n++) {
			struct address address = { 0, UINT64_C(0xffff0a000000) + n * 7 };
			struct host host = host_of(&address);
			if (!group_add(&group, &pool, &host, NULL, 0))
				abort();
		}
		uint64_t truth[] = { sizes[i], (uint64_t)(sizes[i] - 1) * 7 / 256 + 1, (uint64_t)(sizes[i] - 1) * 7 / 65536 + 1 };
		for (unsigned width = 0; width < ADDRESS_WIDTHS; width++) {
			uint64_t count = group_count(&group, width);
			/* Four standard errors. */
			uint64_t slack = truth[width] <= GROUP_LIST_MAX ? 0 : truth[width] / 15;
			exact = exact && (slack > 0 || count == truth[width]);
			near = near && count + slack >= truth[width] && count <= truth[width] + slack;
			ordered = ordered && (width == 0 || count <= group_count(&group, width - 1));
			if (count != truth[width])
				printf("# %u hosts, width %u: %llu for %llu\n", sizes[i], width, (unsigned long long)count, (unsigned long long)truth[width]);
		}
		pool_close(&pool);
	}
	tap_ok(exact, "few are counted exactly");
	tap_ok(near, "many are counted nearly");
	tap_ok(ordered, "no more networks than hosts");
}

/* The text is that of the lowest hash, of one host the smallest, whatever came first. */
static void texts(void)
{
	static const char *const texts[] = { "b", "ab", "a", "", "abc", "aa" };
	bool same = true;

	for (size_t first = 0; first < 6; first++) {
		struct address low = { 0, UINT64_C(0xffff00000001) }, high = { 0, UINT64_C(0xffff00000002) };
		struct host one = host_of(&low), two = host_of(&high), *best = one.hashes[0] < two.hashes[0] ? &one : &two;
		struct pool pool;
		struct group group;
		pool_open(&pool, 1 << 20, &deepid_malloc);
		group_init(&group, (struct group_key){ 1, 2, 3 });
		for (size_t i = 0; i < 6; i++) {
			const char *text = texts[(first + i) % 6];
			if (!group_add(&group, &pool, best == &one ? &two : &one, "", 0) || !group_add(&group, &pool, best, *text ? text : "aaa", *text ? strlen(text) : 3))
				abort();
		}
		same = same && group.text_length == 1 && group.text[0] == 'a' && address_compare(&group.text_host, &best->networks[0]) == 0;
		pool_close(&pool);
	}
	tap_ok(same, "of several texts the same one stays");
}

/* IPv4 lies within ::/48, so widening changes the order of addresses around it. */
static void mixed_order(void)
{
	struct pool pool, other_pool;
	struct group group, other;
	unsigned char a[RECORD_MAX], b[RECORD_MAX];

	pool_open(&pool, 1 << 20, &deepid_malloc);
	pool_open(&other_pool, 1 << 20, &deepid_malloc);
	group_init(&group, (struct group_key){ 1, 2, 3 });
	group_init(&other, (struct group_key){ 1, 2, 3 });
	for (uint64_t n = 0; n < 600; n++) {
		uint64_t i = n * 7 % 600, k = 599 - n;
		struct address up = { 0, i % 3 == 0 ? i : i % 3 == 1 ? UINT64_C(0xffff0a000000) + i * 256 : UINT64_C(0xffffff0000000000) + i };
		struct address down = { 0, k % 3 == 0 ? k : k % 3 == 1 ? UINT64_C(0xffff0a000000) + k * 256 : UINT64_C(0xffffff0000000000) + k };
		struct host first = host_of(&up), second = host_of(&down);
		if (!group_add(&group, &pool, &first, NULL, 0) || !group_add(&other, &other_pool, &second, NULL, 0))
			abort();
	}
	size_t length = record_write(a, &group);
	tap_ok(length == record_write(b, &other) && memcmp(a, b, length) == 0, "IPv4 amid IPv6, in any order");
	tap_ok(group_count(&group, 1) == 201 && group_count(&group, 2) == 4, "its networks are counted");
	pool_close(&pool);
	pool_close(&other_pool);
}

int main(void)
{
	uint64_t random = 20261124;

	enter_folder(folder);
	for (size_t i = 0; i < FACTS; i++)
		facts[i] = draw_fact(&random, HOSTS);
	one_pass();
	for (uint64_t seed = 1; seed <= 6; seed++)
		any_order(seed);
	small_memory();
	cap();
	counts();
	texts();
	mixed_order();
	unlink("want");
	unlink("got");
	tap_ok(rmdir(folder) == 0, "no file is left behind");
	return tap_done();
}
