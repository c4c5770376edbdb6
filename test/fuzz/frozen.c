/*
 * Thawing what somebody changed: each three bytes of the input are a place in a frozen set (two of them) and what is written there. It is refused, or
 * says something of a reply, and touches no memory of others.
 */
#include "../c/compare.h"
#include "frozen.h"

#define TEXT(text) text, sizeof text - 1

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void freeze(struct frozen *frozen)
{
	static const struct compared_pattern patterns[] = { { TEXT("^220 ([-.\\w]+) ESMTP Exim (\\d\\S*)"), 0, 1 },
		{ TEXT("^220 (\\S+) (?:gr[ae]y )?(ICEWARP|merak)[ \\d]{2,}?(?:x|(y)z)*$"), PCRE2_CASELESS, 1 }, { TEXT("^[245]\\d\\d[- ].*(a)?x$"), 0, 0 } };
	struct fplimits limits = FPLIMITS_DEFAULT;
	struct fpscratch scratch;
	struct fpset set;

	compare_open(&set, &scratch, &limits, patterns, sizeof patterns / sizeof patterns[0]);
	if (fpset_freeze(&set, frozen, &deepid_malloc) != DEEPID_OK)
		abort();
	compare_close(&set, &scratch);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const replies[] = { "220 mx.example.org ESMTP Exim 4.97 ready\r\n", "220 mx gray IceWarp 12 xyzx", "5" };
	struct frozen frozen = { NULL, 0, 0 };
	struct fpscratch scratch = { NULL };
	struct fpset set;

	freeze(&frozen);
	for (size_t i = 0; i + 3 <= size && i < 60; i += 3)
		frozen.bytes[((size_t)data[i] << 8 | data[i + 1]) % frozen.length] = data[i + 2];
	if (fpset_thaw(&set, frozen.bytes, frozen.length, NULL) == DEEPID_OK && fpscratch_open(&scratch, &set) == DEEPID_OK)
		for (size_t i = 0; i < sizeof replies / sizeof replies[0]; i++) {
			struct seen seen;
			compare_run(&seen, &set, &scratch, replies[i], strlen(replies[i]));
		}
	compare_close(&set, &scratch);
	frozen_close(&frozen, &deepid_malloc);
	return 0;
}
