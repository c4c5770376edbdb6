/*
 * The shelf is a function of the set of pairs: whatever the order, the partition, the cap, the runs and the tree of merges, its file has
 * the same bytes, those of a plain sorted array.  In a hostile world (files cut, altered or made to deceive, no memory, no disk) it says so, never
 * crashes, leaves no file behind and gives everything back.
 */
#define _DEFAULT_SOURCE /* mkdtemp */

#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "facts.h"
#include "shelf.h"
#include "tap.h"

#define PAIRS 40000
#define PARTS 5

struct sample {
	char key[24], value[80];
	size_t key_length, value_length;
};

static struct sample samples[PAIRS];
static char folder[64];

/* Keys that recur, that are beginnings of others, and that hold NULs; values that differ late or only in length. */
static void make_samples(void)
{
	uint64_t random = 7;

	for (size_t i = 0; i < PAIRS; i++) {
		struct sample *sample = &samples[i];
		uint64_t draws = draw(&random);
		int length = snprintf(sample->key, sizeof sample->key, "%u", (unsigned)(draws % 15000));
		sample->key_length = (size_t)length + draws / 15000 % 3;
		sample->value_length = draws >> 40 & 63;
		memset(sample->value, 'v', sizeof sample->value);
		sample->value[sample->value_length] = (char)(draws >> 50);
		sample->value_length += draws >> 60 & 1;
	}
}

static struct shelf_pair pair_of(const struct sample *sample)
{
	return (struct shelf_pair){ sample->key, sample->value, sample->key_length, sample->value_length };
}

#define OPEN(shelf, fan) CHECK(shelf_open(shelf, SHELF_MEMORY_MIN, folder, fan, NULL))

static int compare(const char *a, size_t a_length, const char *b, size_t b_length)
{
	int order = memcmp(a, b, a_length < b_length ? a_length : b_length);

	return order != 0 ? order : (a_length > b_length) - (a_length < b_length);
}

static int by_pair(const void *a, const void *b)
{
	const struct sample *one = a, *other = b;
	int order = compare(one->key, one->key_length, other->key, other->key_length);

	return order != 0 ? order : compare(one->value, one->value_length, other->value, other->value_length);
}

/* Whether the shelf holds what the sorted samples say: of each key the last. */
static bool holds_all(struct shelf *shelf)
{
	static struct sample sorted[PAIRS];
	struct shelf_walk walk;
	struct shelf_pair pair;

	memcpy(sorted, samples, sizeof sorted);
	qsort(sorted, PAIRS, sizeof *sorted, by_pair);
	CHECK(shelf_walk_start(&walk, shelf));
	for (size_t i = 0; i < PAIRS; i++) {
		const struct sample *one = &sorted[i], *next = &sorted[i + 1];
		if (i + 1 < PAIRS && compare(one->key, one->key_length, next->key, next->key_length) == 0)
			continue;
		if (shelf_walk_next(&walk, &pair) != DEEPID_OK || compare(pair.key, pair.key_length, one->key, one->key_length) != 0 ||
		    compare(pair.value, pair.value_length, one->value, one->value_length) != 0)
			return false;
	}
	return shelf_walk_next(&walk, &pair) == DEEPID_END && shelf_walk_next(&walk, &pair) == DEEPID_END;
}

static void one_pass(void)
{
	struct shelf shelf;

	CHECK(shelf_open(&shelf, (size_t)64 << 20, folder, RUN_FAN_MAX, NULL));
	for (size_t i = 0; i < PAIRS; i++) {
		struct shelf_pair pair = pair_of(&samples[i]);
		CHECK(shelf_put(&shelf, &pair));
	}
	tap_ok(shelf.run_count == 0 && holds_all(&shelf), "in memory: of each key the greatest value, in order");
	CHECK(shelf_dump(&shelf, "whole"));
	shelf_close(&shelf);
	shelf_close(&shelf);
}

/* Each pair on one to three of the shelves, with pairs of padding until they spill; then merged in some order. */
static bool merged_as_whole(uint64_t *random, unsigned fan, size_t *runs)
{
	struct shelf parts[PARTS];
	size_t left = PARTS;

	for (size_t i = 0; i < PARTS; i++)
		OPEN(&parts[i], fan);
	for (size_t i = 0; i < 3 * PAIRS; i++) {
		struct shelf_pair pair = pair_of(&samples[i < PAIRS ? i : draw(random) % PAIRS]);
		CHECK(shelf_put(&parts[draw(random) % PARTS], &pair));
	}
	while (left > 1) {
		size_t from = draw(random) % left, to = draw(random) % left;
		if (from == to)
			continue;
		*runs += parts[from].run_count;
		CHECK(shelf_merge(&parts[to], &parts[from]));
		if (draw(random) % 2 == 0)
			CHECK(shelf_merge(&parts[to], &parts[from]));
		shelf_close(&parts[from]);
		parts[from] = parts[--left];
	}
	*runs += parts[0].run_count;
	unlink("merged");
	CHECK(shelf_dump(&parts[0], "merged"));
	bool good = same_file("whole", "merged") && holds_all(&parts[0]);
	shelf_close(&parts[0]);
	return good;
}

static void partitions(void)
{
	uint64_t random = 99;
	bool good = true;
	size_t runs = 0;

	for (unsigned round = 0; round < 12; round++)
		good = merged_as_whole(&random, 2 + round % 4, &runs) && good;
	printf("# %zu runs\n", runs);
	tap_ok(good && runs > 20, "any partition, with repeats, in any order and tree of merges: the same bytes");
	struct shelf shelf;
	OPEN(&shelf, 2);
	CHECK(shelf_load(&shelf, "whole"));
	CHECK(shelf_dump(&shelf, "again"));
	tap_ok(same_file("whole", "again"), "what was read is written in the same bytes");
	shelf_close(&shelf);
}

static void cap_holds(void)
{
	struct budget budget = { .left = -1 };
	struct deepid_memory source = { budget_take, budget_give, &budget };
	uint64_t random = 5;
	struct shelf shelf;
	char key[40], value[200];
	unsigned level = 0;
	bool falling = true;

	memset(value, 'v', sizeof value);
	CHECK(shelf_open(&shelf, SHELF_MEMORY_MIN, folder, RUN_FAN_MAX, &source));
	for (size_t i = 0; i < 400000; i++) {
		int length = snprintf(key, sizeof key, "%016llx", (unsigned long long)draw(&random));
		struct shelf_pair pair = { key, value, (size_t)length, draw(&random) % sizeof value };
		CHECK(shelf_put(&shelf, &pair));
		level = shelf.run_count > 0 && shelf.runs[0].level > level ? shelf.runs[0].level : level;
	}
	for (size_t i = 1; i < shelf.run_count; i++)
		falling = falling && shelf.runs[i - 1].level >= shelf.runs[i].level;
	struct shelf_walk walk;
	struct shelf_pair pair;
	size_t count = 0;
	CHECK(shelf_walk_start(&walk, &shelf));
	while (shelf_walk_next(&walk, &pair) == DEEPID_OK)
		count++;
	printf("# peak %zu of %zu bytes, %zu runs, level %u\n", budget.peak, SHELF_MEMORY_MIN, shelf.run_count, level);
	tap_ok(count == 400000 && level >= 1 && falling && budget.peak <= SHELF_MEMORY_MIN, "the cap holds on 400,000 pairs in runs of two levels");
	shelf_close(&shelf);
	tap_ok(budget.blocks == 0, "all memory is given back");
}

static void largest_records(void)
{
	static char key[SHELF_KEY_MAX], value[SHELF_VALUE_MAX];
	struct shelf shelf, other;
	struct shelf_walk walk;
	struct shelf_pair pair;
	size_t count = 0;

	OPEN(&shelf, RUN_FAN_MAX);
	OPEN(&other, RUN_FAN_MAX);
	for (int i = 0; i < 300; i++) {
		memset(key, 'a' + i % 26, sizeof key);
		key[sizeof key - 1] = (char)i;
		pair = (struct shelf_pair){ key, value, sizeof key, sizeof value };
		CHECK(shelf_put(i % 3 ? &shelf : &other, &pair));
	}
	CHECK(shelf_merge(&shelf, &other));
	CHECK(shelf_walk_start(&walk, &shelf));
	while (shelf_walk_next(&walk, &pair) == DEEPID_OK)
		count += pair.key_length == sizeof key && pair.value_length == sizeof value;
	tap_ok(count == 300 && shelf.run_count > 1, "300 of the largest records");
	shelf_close(&shelf);
	shelf_close(&other);
}

/* --- Files that are not to be trusted --- */

static enum deepid_err load_bytes(const unsigned char *bytes, size_t length)
{
	struct shelf shelf;

	write_all("hostile", bytes, length);
	OPEN(&shelf, 2);
	enum deepid_err result = shelf_load(&shelf, "hostile");
	bool said = result == DEEPID_OK || (result == DEEPID_BAD && strstr(shelf.problem, "hostile is no state") != NULL);
	struct shelf_pair pair = { "k", "", 1, 0 };
	bool stays = shelf_put(&shelf, &pair) == result;
	shelf_close(&shelf);
	return said && stays ? result : DEEPID_STUCK;
}

/* Loads a file with these records, and a trailer that is right. */
static enum deepid_err load_records(const char *records, size_t length, uint64_t count)
{
	unsigned char bytes[256] = "deepid-hosts\n\x1a\x00\x01";

	memcpy(bytes + 16, records, length);
	bytes[16 + length] = 0xff;
	put_be64(bytes + 17 + length, count);
	XXH128_hash_t hash = XXH3_128bits(bytes, 25 + length);
	put_be64(bytes + 25 + length, hash.high64);
	put_be64(bytes + 33 + length, hash.low64);
	return load_bytes(bytes, length + 41);
}

static void refused(void)
{
	struct shelf shelf;
	size_t length;
	bool cut = true, altered = true;

	OPEN(&shelf, 2);
	for (size_t i = 0; i < 12; i++) {
		struct shelf_pair pair = pair_of(&samples[i]);
		CHECK(shelf_put(&shelf, &pair));
	}
	CHECK(shelf_dump(&shelf, "state"));
	shelf_close(&shelf);
	unsigned char *bytes = read_all("state", &length);
	tap_ok(load_bytes(bytes, length) == DEEPID_OK, "a file as it was written");
	for (size_t i = 0; i < length; i++)
		cut = cut && load_bytes(bytes, i) == DEEPID_BAD;
	tap_ok(cut, "every truncation is refused");
	for (size_t i = 0; i < length; i++) {
		bytes[i] ^= (unsigned char)(1 << i % 8);
		altered = altered && load_bytes(bytes, length) == DEEPID_BAD;
		bytes[i] ^= (unsigned char)(1 << i % 8);
	}
	tap_ok(altered, "every altered byte is refused");
	free(bytes);
	tap_ok(load_records("\0\1\0\1av\0\1\0\0b", 11, 2) == DEEPID_OK, "two records made by hand");
	tap_ok(load_records("\0\1\0\0b\0\1\0\1av", 11, 2) == DEEPID_BAD, "records out of order");
	tap_ok(load_records("\0\1\0\0a\0\1\0\0a", 10, 2) == DEEPID_BAD, "a key twice");
	tap_ok(load_records("\0\0\0\1v", 5, 1) == DEEPID_BAD, "a record without a key");
	tap_ok(load_records("\2\1\0\0a", 5, 1) == DEEPID_BAD, "a key that is too long");
	tap_ok(load_records("\0\1\377\377a", 5, 1) == DEEPID_BAD, "a value that is too long");
	tap_ok(load_records("\0\1\0\0a", 5, 2) == DEEPID_BAD, "another number of records");
	OPEN(&shelf, 2);
	tap_ok(shelf_load(&shelf, "absent") == DEEPID_IO && strstr(shelf.problem, "cannot read absent: No such file") != NULL, "a file that is not there");
	shelf_close(&shelf);
	OPEN(&shelf, 2);
	tap_ok(shelf_load(&shelf, folder) == DEEPID_BAD, "a folder is no state");
	tap_ok(shelf_dump(&shelf, "absent/x") == DEEPID_BAD, "it stays refused");
	shelf_close(&shelf);
	OPEN(&shelf, 2);
	tap_ok(shelf_dump(&shelf, "absent/x") == DEEPID_IO && shelf.broken == DEEPID_OK, "a file that cannot be written breaks nothing");
	shelf_close(&shelf);
}

/* --- Memory and disk that run out --- */

static enum deepid_err whole_life(struct budget *budget)
{
	struct deepid_memory source = { budget_take, budget_give, budget };
	struct shelf one, two = { 0 };

	enum deepid_err result = shelf_open(&one, SHELF_MEMORY_MIN, folder, 2, &source);
	if (result == DEEPID_OK)
		result = shelf_open(&two, SHELF_MEMORY_MIN, folder, 2, &source);
	for (size_t i = 0; i < PAIRS && result == DEEPID_OK; i++) {
		struct shelf_pair pair = pair_of(&samples[i]);
		result = shelf_put(i % 2 ? &one : &two, &pair);
	}
	if (result == DEEPID_OK)
		result = shelf_merge(&one, &two);
	if (result == DEEPID_OK)
		result = shelf_load(&one, "whole");
	shelf_close(&one);
	shelf_close(&two);
	return result;
}

static void memory_runs_out(void)
{
	bool failed = true, good = true;
	long n = 0;

	for (; failed; n++) {
		struct budget budget = { .left = n };
		enum deepid_err result = whole_life(&budget);
		failed = budget.failed;
		good = good && budget.blocks == 0 && result == (failed ? DEEPID_NOMEM : DEEPID_OK);
	}
	tap_ok(good && n >= 10, "each allocation fails once: it is said, and all is given back");
}

static void disk_is_full(void)
{
	struct rlimit before, limit;
	bool good = true;

	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &before);
	for (rlim_t size = 0; size < 400000; size = size * 4 + 1000) {
		struct shelf shelf;
		enum deepid_err result = DEEPID_OK;
		OPEN(&shelf, 2);
		limit = (struct rlimit){ size, before.rlim_max };
		setrlimit(RLIMIT_FSIZE, &limit);
		for (size_t i = 0; i < 10 * PAIRS && result == DEEPID_OK; i++) {
			struct shelf_pair pair = pair_of(&samples[i % PAIRS]);
			result = shelf_put(&shelf, &pair);
		}
		struct shelf_walk walk;
		good = good && result == DEEPID_IO && shelf_walk_start(&walk, &shelf) == DEEPID_IO && strstr(shelf.problem, "File too large") != NULL;
		setrlimit(RLIMIT_FSIZE, &before);
		shelf_close(&shelf);
	}
	tap_ok(good, "a disk that is full is said, and stays so");
}

/* --- Lines --- */

static void lines(void)
{
	static const char text[] = "192.0.2.1\t220 mx\r\n{\"record\":\"scan\"}\n2001:db8::1\t220 six\n\n192.0.2.300\tno address\n::ffff:192.0.2.1\tmapped\n"
	                           "fe80::1%eth0\tzone\n192.0.2.2\t\n192.0.2.1 no tab\n192.0.2.1\t220 zz\n192.0.2.3\t123456789012";
	static const char *const odd[] = { "{\"record\":\"scan\"}", "", "192.0.2.300\tno address", "::ffff:192.0.2.1\tmapped", "fe80::1%eth0\tzone", "192.0.2.1 no tab" };
	static const uint64_t numbers[] = { 2, 4, 5, 6, 7, 9 };
	static const char *const keys[] = { "192.0.2.1!", "192.0.2.2!", "192.0.2.3!", "2001:db8::1!" }, *const values[] = { "=220 zz", "=", "=1234567890", "=220 six" };
	struct shelf_line_form form = { "!", "=", 1, 1, 10 };
	struct shelf_lines read = { text, text + sizeof text - 1, 0, NULL, 0 };
	struct shelf_walk walk;
	struct shelf_pair pair;
	struct shelf shelf;
	bool good = true;

	OPEN(&shelf, 2);
	for (size_t i = 0; i < 6; i++)
		good = good && shelf_put_lines(&shelf, &read, &form) == DEEPID_HIT && read.number == numbers[i] && read.odd_length == strlen(odd[i]) &&
		       memcmp(read.odd, odd[i], read.odd_length) == 0;
	good = good && shelf_put_lines(&shelf, &read, &form) == DEEPID_END && read.number == 11;
	tap_ok(good, "lines that are none are handed back, with their numbers");
	CHECK(shelf_walk_start(&walk, &shelf));
	for (size_t i = 0; i < 4; i++)
		good = good && shelf_walk_next(&walk, &pair) == DEEPID_OK && compare(pair.key, pair.key_length, keys[i], strlen(keys[i])) == 0 &&
		       compare(pair.value, pair.value_length, values[i], strlen(values[i])) == 0;
	tap_ok(good && shelf_walk_next(&walk, &pair) == DEEPID_END, "the others are pairs, cut where they are too long");
	CHECK(shelf_walk_start(&walk, &shelf));
	pair = (struct shelf_pair){ "k", "", 1, 0 };
	CHECK(shelf_put(&shelf, &pair));
	tap_ok(shelf_walk_next(&walk, &pair) == DEEPID_BAD, "a walk ends when something is put there");
	shelf_close(&shelf);
}

int main(void)
{
	enter_folder(folder);
	make_samples();
	one_pass();
	partitions();
	cap_holds();
	largest_records();
	refused();
	memory_runs_out();
	disk_is_full();
	lines();
	static const char *const names[] = { "whole", "merged", "again", "state", "hostile" };
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		unlink(names[i]);
	tap_ok(rmdir(folder) == 0, "no file is left behind");
	return tap_done();
}
