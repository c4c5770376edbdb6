/*
 * The survey in a hostile world: state files cut short, altered, or made to deceive; memory that runs out at each allocation in turn; files
 * that take no more.  It must say so, never crash, leave no file behind and give everything back.
 */
#define _DEFAULT_SOURCE /* mkdtemp */

#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

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

/* --- State files --- */

/* A state with groups of all forms, with and without texts. */
static unsigned char *make_state(size_t *length, bool large)
{
	struct survey_options options = small();
	struct survey survey;

	CHECK(survey_open(&survey, &options, NULL));
	for (uint32_t i = 0; i < 8; i++) {
		struct address host = { i % 2 ? UINT64_C(0x20010db8) << 32 : 0, UINT64_C(0xffffc0000200) + i };
		CHECK(survey_add(&survey, &host, (uint8_t)(1 + i % 3), "key", i % 4, i % 3 ? "220 mx" : NULL, i));
	}
	for (uint32_t i = 0; large && i < 700; i++) {
		struct address one = { 0, UINT64_C(0xffff0a000000) + i * 8 }, two = { 0, UINT64_C(0xffff0a000000) + i * 2048 }, three = { 0, UINT64_C(0xffff0a000000) + i * 65536 };
		CHECK(survey_add(&survey, &one, 4, "form 1", 6, "one", 3));
		CHECK(survey_add(&survey, &two, 4, "form 2", 6, "two", 3));
		CHECK(survey_add(&survey, &three, 4, "form 3", 6, NULL, 0));
	}
	CHECK(survey_dump(&survey, "state"));
	survey_close(&survey);
	return read_all("state", length);
}

static enum deepid_err load_bytes(const unsigned char *bytes, size_t length)
{
	struct survey_options options = small();
	struct survey survey;

	write_all("hostile", bytes, length);
	CHECK(survey_open(&survey, &options, NULL));
	enum deepid_err result = survey_load(&survey, "hostile");
	bool said = result == DEEPID_OK || (result == DEEPID_BAD && strlen(survey.problem) > 20);
	/* What was taken can be written and gone over; in place of another file this would wait for the disk. */
	unlink("again");
	if (result == DEEPID_OK && survey_dump(&survey, "again") != DEEPID_OK)
		said = false;
	survey_close(&survey);
	return said ? result : DEEPID_STUCK;
}

static void refused(void)
{
	size_t length;
	unsigned char *bytes = make_state(&length, false);
	bool cut = true, altered = true;

	tap_ok(load_bytes(bytes, length) == DEEPID_OK, "a state as it was written");
	for (size_t i = 0; i < length; i++)
		cut = cut && load_bytes(bytes, i) == DEEPID_BAD;
	tap_ok(cut, "every truncation is refused");
	for (size_t i = 0; i < length; i++) {
		for (int bit = 0; bit < 8; bit++) {
			bytes[i] ^= (unsigned char)(1 << bit);
			altered = altered && load_bytes(bytes, length) == DEEPID_BAD;
			bytes[i] ^= (unsigned char)(1 << bit);
		}
	}
	tap_ok(altered, "every altered bit is refused");
	unsigned char *longer = calloc(1, length + 1);
	memcpy(longer, bytes, length);
	tap_ok(load_bytes(longer, length + 1) == DEEPID_BAD, "a byte behind the end is refused");
	free(longer);
	free(bytes);
}

static void seal(unsigned char *bytes, size_t length)
{
	XXH128_hash_t hash = XXH3_128bits(bytes, length - 16);

	put_be64(bytes + length - 16, hash.high64);
	put_be64(bytes + length - 8, hash.low64);
}

/* Where the record of that form begins; its size too. */
static size_t record_of_form(const unsigned char *bytes, size_t length, unsigned form, size_t *size)
{
	for (size_t at = 16; at < length - 25; at += *size) {
		*size = record_size(bytes + at);
		if (bytes[at] != 0 && bytes[at + 17] == form)
			return at;
	}
	abort();
}

/* Lies with a right checksum, each in one place of the record of one form. */
static void deceived(void)
{
	static const struct {
		const char *name;
		unsigned form;
		int at; /* from the record's start, or its end when below 0 */
		unsigned char byte;
	} lies[] = {
		{ "a kind of 16", 0, 0, 16 }, { "the kind of the totals", 0, 0, 0 }, { "a hash out of order", 3, 1, 0 }, { "form 4", 1, 17, 4 },
		{ "form 3 with a list", 1, 17, 3 }, { "form 2 for form 1", 1, 17, 2 }, { "an empty list", 1, 19, 0 }, { "a list too long", 1, 18, 255 },
		{ "a text too long", 1, 20, 1 }, { "an address out of order", 1, 22 + 14, 255 }, { "an address not widened", 1, 22 + 5 * 16 + 15, 1 },
		{ "an address not widened, /16", 2, 22 + 5 * 16 + 14, 1 }, { "a rank too high", 3, 22 + 64 + 5, 54 }, { "an example out of order", 3, 22, 255 },
		{ "an example that is in no register", 3, 22 + 63, 77 }, { "the text of a host that is none", 1, -5, 77 },
	};
	size_t length;
	unsigned char *bytes = make_state(&length, true);

	tap_ok(load_bytes(bytes, length) == DEEPID_OK, "a state with all forms");
	for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++) {
		size_t size, record = record_of_form(bytes, length, lies[i].form, &size);
		unsigned char *at = bytes + record + (lies[i].at < 0 ? (int)size + lies[i].at : lies[i].at), truth = *at;
		*at = lies[i].byte;
		seal(bytes, length);
		if (!tap_ok(truth != lies[i].byte && load_bytes(bytes, length) == DEEPID_BAD, lies[i].name))
			printf("# it was %d\n", truth);
		*at = truth;
	}
	bytes[length - 17]++;
	seal(bytes, length);
	tap_ok(load_bytes(bytes, length) == DEEPID_BAD, "a wrong number of records");
	free(bytes);
}

/* Random lies, sealed: taken or refused, but nothing else. */
static void survived(void)
{
	size_t length;
	unsigned char *bytes = make_state(&length, true), *copy = malloc(length);
	uint64_t random = 99;
	int taken = 0;
	bool good = true;

	for (int round = 0; round < 3000; round++) {
		memcpy(copy, bytes, length);
		for (uint64_t n = 1 + draw(&random) % 3; n > 0; n--) {
			/* Half of them in the small records, where most of the structure is. */
			size_t at = draw(&random) % 2 ? draw(&random) % length : length - 1 - draw(&random) % 500;
			copy[at] = draw(&random) % 2 ? (unsigned char)draw(&random) : (unsigned char)(copy[at] + 1);
		}
		seal(copy, length);
		enum deepid_err result = load_bytes(copy, length);
		good = good && (result == DEEPID_OK || result == DEEPID_BAD);
		taken += result == DEEPID_OK;
	}
	printf("# %d of 3000 random lies were taken\n", taken);
	tap_ok(good && taken < 3000, "random lies do no harm");
	free(bytes);
	free(copy);
}

static void no_files(void)
{
	struct survey_options options = small();
	struct survey survey;

	CHECK(survey_open(&survey, &options, NULL));
	tap_ok(survey_load(&survey, "absent") == DEEPID_IO && strstr(survey.problem, "absent: No such file") != NULL, "a file that is not there");
	survey_close(&survey);
	CHECK(survey_open(&survey, &options, NULL));
	tap_ok(survey_load(&survey, ".") == DEEPID_BAD, "a folder is no state");
	survey_close(&survey);
	CHECK(survey_open(&survey, &options, NULL));
	CHECK(survey_dump(&survey, "empty"));
	CHECK(survey_load(&survey, "empty"));
	tap_ok(survey.count == 0, "an empty state");
	tap_ok(survey_dump(&survey, "no/where") == DEEPID_IO, "nowhere to write");
	CHECK(survey_dump(&survey, "empty"));
	tap_ok(true, "a state that could not be written does not spoil the survey");
	survey_close(&survey);
	unlink("empty");
}

/* --- Memory and disk that run out --- */

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

/* Two surveys of which one spills; merged, dumped, loaded. */
static enum deepid_err whole_life(struct budget *budget)
{
	struct deepid_memory memory = { budget_take, budget_give, budget };
	struct survey_options options = small();
	struct survey one, two;

	memset(&two, 0, sizeof two);
	enum deepid_err result = survey_open(&one, &options, &memory);
	if (result == DEEPID_OK)
		result = survey_open(&two, &options, &memory);
	if (result == DEEPID_OK)
		result = fill(&one, 14000);
	if (result == DEEPID_OK)
		result = fill(&two, 300);
	if (result == DEEPID_OK)
		result = survey_merge(&two, &one);
	if (result == DEEPID_OK)
		result = survey_dump(&two, "life");
	if (result == DEEPID_OK)
		result = survey_load(&one, "life");
	survey_close(&one);
	survey_close(&two);
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
	tap_ok(good && said >= 8 && n > 20, name);
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
		bool stays = survey_walk_start(&walk, &survey) == DEEPID_IO && survey_dump(&survey, "full") == DEEPID_IO;
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
	CHECK(survey_open(&survey, &options, NULL));
	CHECK(fill(&survey, 1000));
	CHECK(survey_dump(&survey, "kept"));
	limit = (struct rlimit){ 5000, before.rlim_max };
	setrlimit(RLIMIT_FSIZE, &limit);
	enum deepid_err result = survey_dump(&survey, "kept");
	setrlimit(RLIMIT_FSIZE, &before);
	tap_ok(result == DEEPID_IO && access("kept.part", F_OK) != 0, "a state too large for the disk is said, and its beginning removed");
	CHECK(survey_load(&survey, "kept"));
	CHECK(survey_dump(&survey, "kept"));
	tap_ok(true, "the state before it is still whole, and so is the survey");
	survey_close(&survey);
}

int main(void)
{
	enter_folder(folder);
	refused();
	deceived();
	survived();
	no_files();
	memory_runs_out(false, "each allocation fails once");
	memory_runs_out(true, "all allocations fail from one on");
	disk_is_full();
	static const char *const names[] = { "state", "hostile", "again", "life", "kept" };
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		unlink(names[i]);
	tap_ok(rmdir(folder) == 0, "no file is left behind");
	return tap_done();
}
