/* Frozen sets: thawed they say what they said; of bytes that are none, none harms. */
#include "compare.h"
#include "frozen.h"
#include "generate.h"
#include "tap.h"

#define TEXT(text) text, sizeof text - 1

static const struct compared_pattern patterns[] = {
	{ TEXT("^220 ([-.\\w]+) ESMTP Exim (\\d\\S*)"), 0, 1 },
	{ TEXT("^220 (\\S+) (?:gr[ae]y )?(ICEWARP|merak)[ \\d]{2,}?(?:x|(y)z)*$"), PCRE2_CASELESS, 1 },
	{ TEXT("^220 (\\S+) (?:gr[ae]y )?(ICEWARP|merak)[ \\d]{2,}?(?:x|(y)z)*$"), PCRE2_CASELESS, 2 },
	{ TEXT("^[245]\\d\\d[- ].*$"), PCRE2_MULTILINE, 0 },
	{ TEXT("(?=.*WildDuck)(a+)"), PCRE2_DOTALL, 0 },
	{ TEXT("^(?:421|(554)) .*?no.*?never"), PCRE2_DOTALL, 3 },
	{ TEXT(""), 0, 0 },
};
#define COUNT (sizeof patterns / sizeof patterns[0])

static const char *const replies[] = { "220 mx.example.org ESMTP Exim 4.97 ready\r\n", "220 mx gray IceWarp 12 xyz", "220-mx\r\n220 WildDuck aaa\r\n",
	"554 no, not now or never", "421 nono" };
#define REPLIES (sizeof replies / sizeof replies[0])

/* What a set says of all replies. */
static uint64_t sum_of(const struct fpset *set, struct fpscratch *scratch)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < REPLIES; i++) {
		struct seen seen;
		compare_run(&seen, set, scratch, replies[i], strlen(replies[i]));
		sum = sum * 31 + seen.sum + seen.hits;
	}
	return sum;
}

static void freeze(struct frozen *frozen, uint64_t *sum)
{
	struct fplimits limits = FPLIMITS_DEFAULT;
	struct fpscratch scratch;
	struct fpset set;

	*frozen = (struct frozen){ .bytes = NULL };
	compare_open(&set, &scratch, &limits, patterns, COUNT);
	if (fpset_freeze(&set, frozen, &deepid_malloc) != DEEPID_OK)
		abort();
	*sum = sum_of(&set, &scratch);
	compare_close(&set, &scratch);
}

/* Thaws a copy that ends where its memory does, and asks it. */
static enum deepid_err thaw(const unsigned char *bytes, size_t length, uint64_t *sum, struct frozen *again)
{
	struct fpscratch scratch = { NULL };
	struct fpset set;
	unsigned char *copy = malloc(length + 1);

	if (copy == NULL)
		abort();
	memcpy(copy + 1, bytes, length);
	enum deepid_err result = fpset_thaw(&set, copy + 1, length, NULL);
	free(copy);
	if (result == DEEPID_OK)
		result = fpscratch_open(&scratch, &set);
	if (result == DEEPID_OK)
		*sum = sum_of(&set, &scratch);
	if (result == DEEPID_OK && again != NULL && fpset_freeze(&set, again, &deepid_malloc) != DEEPID_OK)
		abort();
	compare_close(&set, &scratch);
	return result;
}

static void it_is_the_same(const struct frozen *frozen, uint64_t sum)
{
	struct frozen again = { NULL, 0, 0 };
	uint64_t other = 0;

	bool thawed = thaw(frozen->bytes, frozen->length, &other, &again) == DEEPID_OK;
	tap_ok(thawed && sum == other, "a thawed set says the same");
	tap_ok(thawed && again.length == frozen->length && memcmp(again.bytes, frozen->bytes, again.length) == 0, "and freezes to the same bytes");
	frozen_close(&again, &deepid_malloc);
}

static void other_bytes_do_no_harm(const struct frozen *frozen)
{
	size_t refused = 0, thawed = 0;
	uint64_t sum, random = 1;
	bool cut = true;

	for (size_t length = 0; length < frozen->length; length++)
		cut = cut && thaw(frozen->bytes, length, &sum, NULL) == DEEPID_BAD;
	tap_ok(cut, "cut short it is refused");
	for (size_t at = 0; at < frozen->length; at++) {
		unsigned char was = frozen->bytes[at];
		unsigned char values[] = { 0, 1, 0x7f, 0x80, 0xff, (unsigned char)(was ^ 1), (unsigned char)(was + 4), (unsigned char)random_below(&random, 256) };
		for (size_t i = 0; i < sizeof values; i++) {
			frozen->bytes[at] = values[i];
			enum deepid_err result = thaw(frozen->bytes, frozen->length, &sum, NULL);
			refused += result == DEEPID_BAD;
			thawed += result == DEEPID_OK;
		}
		frozen->bytes[at] = was;
	}
	printf("# %zu were refused, %zu said something\n", refused, thawed);
	tap_ok(refused > 0 && thawed > 0, "changed anywhere it is refused, or says something else");
}

static void some_cannot_be_frozen(void)
{
	static const struct compared_pattern bad[] = { { TEXT("("), 0, 0 } };
	struct fplimits limits = FPLIMITS_DEFAULT;
	struct frozen frozen = { NULL, 0, 0 };
	struct fpscratch scratch;
	struct fpset set;

	compare_open(&set, &scratch, &limits, bad, 1);
	tap_ok(fpset_freeze(&set, &frozen, &deepid_malloc) == DEEPID_BAD, "a pattern that does not compile cannot be frozen");
	compare_close(&set, &scratch);
	limits.stages = 0;
	compare_open(&set, &scratch, &limits, patterns, COUNT);
	tap_ok(fpset_freeze(&set, &frozen, &deepid_malloc) == DEEPID_BAD, "nor can a set without the filter");
	compare_close(&set, &scratch);
	limits.stages = FILTER_ALL;
	compare_open(&set, &scratch, &limits, patterns, 0);
	uint64_t sum;
	tap_ok(fpset_freeze(&set, &frozen, &deepid_malloc) == DEEPID_OK && thaw(frozen.bytes, frozen.length, &sum, NULL) == DEEPID_OK, "an empty set can");
	compare_close(&set, &scratch);
	frozen_close(&frozen, &deepid_malloc);
}

int main(void)
{
	struct frozen frozen;
	uint64_t sum;

	freeze(&frozen, &sum);
	it_is_the_same(&frozen, sum);
	other_bytes_do_no_harm(&frozen);
	frozen_close(&frozen, &deepid_malloc);
	some_cannot_be_frozen();
	return tap_done();
}
