/*
 * The engine on its own.  A case is a set, a reply, and what is to be reported; each runs with JIT and without, the reply ending at an
 * unreadable page, so that reading beyond it dies.
 */
#define _DEFAULT_SOURCE /* MAP_ANONYMOUS */

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "fpset.h"
#include "tap.h"

#define I PCRE2_CASELESS
#define M PCRE2_MULTILINE
#define S PCRE2_DOTALL

struct given {
	const char *text;
	uint32_t options;
	uint8_t slot;
	size_t length; /* 0: the text ends at its NUL */
};

/*
 * `want` is what happened, in order: the index of a pattern that matched and its captures, each behind a colon, "-" for an unset one;
 * "~" and an index for one that was given up on; "!" and an index for one that did not compile; "cut" for a truncated reply.
 */
struct test_case {
	const char *name;
	struct given patterns[6]; /* up to the first without a text */
	const char *reply;
	size_t length; /* 0: the reply ends at its NUL */
	const char *want;
	uint32_t cap, steps, depth, heap; /* 0: the default */
};

static const struct test_case cases[] = {
	{ "no pattern, no report", { { NULL } }, "220 mx\r\n", 0, "" },
	{ "no match", { { "^250" } }, "220 mx\r\n", 0, "" },
	{ "a match and its captures", { { "^220 (\\S+) (x)?(\\S*)" } }, "220 mx \r\n", 0, " 0:mx:-:" },
	{ "groups after the last that took part are unset", { { "(a)|(b)(c)" } }, "a", 0, " 0:a:-:-" },
	{ "slot 0 reports all, in order", { { "b" }, { "x" }, { "a" } }, "ab", 0, " 0 2" },
	{ "the first of a slot hides the later ones", { { "x", 0, 1 }, { "b", 0, 1 }, { "a", 0, 1 } }, "ab", 0, " 1" },
	{ "slots do not touch each other", { { "a", 0, 1 }, { "b" }, { "a", 0, 31 }, { "b", 0, 1 }, { "b", 0, 31 } }, "ab", 0, " 0 1 2" },
	{ "case", { { "exim" }, { "exim", I } }, "EXIM", 0, " 1" },
	{ "case, in the first bytes", { { "^[^E]", I }, { "^e[x]", I }, { "^[^i]x", I } }, "EXIM", 0, " 1 2" },
	{ "the end, in the first bytes", { { "^220 $" }, { "^220 $\\n" }, { "^220 \\z" }, { "^220$", M } }, "220 \n", 0, " 0 1" },
	{ "lines", { { "^250 b" }, { "^250 b", M }, { "a$", M } }, "250-a\n250 b\n", 0, " 1 2" },
	{ "a line ends at LF alone", { { "a$", M }, { "a.$", M }, { "a.b" } }, "a\r\n", 0, " 1" },
	{ "dot and newline", { { "a.b" }, { "a.b", S } }, "a\nb", 0, " 1" },
	{ "NULs in pattern and reply", { { "a\0(.)", S, 0, 5 }, { "c" } }, "a\0\0c", 4, " 0:@ 1" },
	{ "high bytes are bytes", { { "^\\xff(.)\\xfe$" } }, "\xff\x80\xfe", 0, " 0:\x80" },
	{ "UTF is refused", { { "(*UTF)a" }, { "(*UCP)a" }, { "a" } }, "a", 0, "!0!1 2" },
	{ "a bad pattern keeps its index", { { "a", 0, 1 }, { "(b" }, { "b" } }, "ab", 0, "!1 0 2" },
	{ "an empty pattern matches an empty reply", { { "" }, { "a?" }, { "a" } }, "", 0, " 0 1" },
	{ "the stuck is told, and its slot stays free", { { "(?:a+)+$", 0, 1 }, { "a", 0, 1 }, { "b", 0, 2 } },
	    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab", 0, "~0 1 2" },
	{ "steps are the set's", { { "(?:a+)+$" } }, "aaaaaab", 0, "~0", .steps = 10 },
	{ "a reply of just the cap is whole", { { "c$" } }, "abc", 0, " 0", .cap = 3 },
	{ "a longer one is cut and has no end there", { { "c$" }, { "c" }, { "d" }, { "(?m)c$" } }, "abcd", 0, " 1 cut", .cap = 3 },
	{ "a cut reply has its inner line ends", { { "a$", M } }, "a\nbc", 0, " 0 cut", .cap = 3 },
	{ "cut at one byte", { { "^(.)" } }, "abc", 0, " 0:a cut", .cap = 1 },
};

/* Lays the bytes right before an unreadable page; *map is to be unmapped, `size` bytes. */
static char *at_the_edge(const char *bytes, size_t length, char **map, size_t *size)
{
	size_t page = 4096, room = (length + page - 1) / page * page;

	*size = room + page;
	*map = mmap(NULL, *size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (*map == MAP_FAILED || mprotect(*map + room, page, PROT_NONE) != 0)
		abort();
	return memcpy(*map + room - length, bytes, length);
}

/* Writes the report of a run in the notation of `want`. */
static void report(FILE *out, const struct fpset *set, struct fpscratch *scratch, const char *reply, size_t length)
{
	enum deepid_err event;
	struct fprun run;

	fprun_start(&run, set, reply, length);
	while ((event = fpset_next(set, scratch, &run)) != DEEPID_END) {
		fprintf(out, "%s%zu", event == DEEPID_HIT ? " " : event == DEEPID_STUCK ? "~" : "?", run.rule);
		for (uint32_t i = 1; event == DEEPID_HIT && i <= run.groups; i++) {
			fputc(':', out);
			if (run.spans[2 * i] == PCRE2_UNSET)
				fputc('-', out);
			for (size_t at = run.spans[2 * i]; at < run.spans[2 * i + 1]; at++)
				fputc(reply[at] != '\0' ? reply[at] : '@', out);
		}
	}
	if (run.truncated)
		fputs(" cut", out);
}

static bool run_case(const struct test_case *test, bool jit)
{
	struct fplimits limits = FPLIMITS_DEFAULT;
	size_t length = test->length ? test->length : strlen(test->reply), size, written;
	struct fpscratch scratch;
	struct fpset set;
	char *got, *map;
	FILE *out = open_memstream(&got, &written);

	limits.jit = jit;
	limits.cap = test->cap ? test->cap : limits.cap;
	limits.steps = test->steps ? test->steps : limits.steps;
	limits.depth = test->depth ? test->depth : limits.depth;
	limits.heap = test->heap ? test->heap : limits.heap;
	if (out == NULL || fpset_open(&set, 6, &limits, NULL) != DEEPID_OK)
		abort();
	for (const struct given *p = test->patterns; p < test->patterns + 6 && p->text != NULL; p++) {
		struct fperror error;
		if (fpset_add(&set, p->text, p->length ? p->length : strlen(p->text), p->options, p->slot, &error) != DEEPID_OK)
			fprintf(out, "!%zu", set.count - 1);
	}
	if (fpset_build(&set) != DEEPID_OK || fpscratch_open(&scratch, &set) != DEEPID_OK)
		abort();
	char *reply = at_the_edge(test->reply, length, &map, &size);
	report(out, &set, &scratch, reply, length);
	fclose(out);
	munmap(map, size);
	fpscratch_close(&scratch);
	fpset_close(&set);

	bool same = strcmp(got, test->want) == 0;
	if (!same)
		printf("# %s, got %s, want %s\n", jit ? "with JIT" : "interpreted", got, test->want);
	free(got);
	return same;
}

static void errors_say_where(void)
{
	struct fplimits limits = FPLIMITS_DEFAULT;
	struct fperror error;
	struct fpset set;
	char many[3 * (DEEPID_GROUPS_MAX + 1) + 1] = "";

	if (fpset_open(&set, 4, &limits, NULL) != DEEPID_OK)
		abort();
	tap_ok(fpset_add(&set, "ab(c", 4, 0, 0, &error) == DEEPID_BAD && error.offset == 4 && strstr(error.message, "parenthesis") != NULL,
	    "an error has its offset and PCRE2's words");
	for (int i = 0; i < DEEPID_GROUPS_MAX; i++)
		strcat(many, "(a)");
	tap_ok(fpset_add(&set, many, strlen(many), 0, 0, &error) == DEEPID_OK && set.rules[1].text != NULL,
	    "as many groups as are allowed");
	strcat(many, "(a)");
	tap_ok(fpset_add(&set, many, strlen(many), 0, 0, &error) == DEEPID_BAD && error.offset == strlen(many)
	        && strcmp(error.message, "more than 99 capture groups") == 0 && set.rules[2].text == NULL,
	    "one more is an error");
	tap_ok(set.count == 3 && fpset_jitted(&set) == 1, "the bad ones count as patterns, not as machine code");
	fpset_close(&set);
	fpset_close(&set);
	tap_ok(set.rules == NULL, "closing twice is harmless");
}

/* A long reply against patterns that go deep: "^(?:(a)|b)*c" needs a backtracking frame a byte. */
static void deep_patterns(void)
{
	static const char pattern[] = "^(?:(a)|b)*c";
	static char reply[20001];
	struct test_case test = { "", { { pattern } }, reply, 0, " 0:a", DEEPID_REPLY_MAX, 1000000, 1000000, 1000000 };

	memset(reply, 'a', sizeof reply - 1);
	reply[sizeof reply - 2] = 'c';
	tap_ok(run_case(&test, false), "deep: the interpreter has its heap");
	tap_ok(run_case(&test, true), "deep: where the JIT runs out of stack, the interpreter takes over");
	test.want = "~0";
	test.depth = 1000;
	tap_ok(run_case(&test, false), "deep: the depth limit holds");
	tap_ok(run_case(&test, true), "deep: it holds for the interpreter that takes over, too");
	test.depth = 1000000;
	test.heap = 100;
	tap_ok(run_case(&test, false), "deep: the heap limit holds");
}

/* The scratch holds nothing of a run: one begun and left in the middle is not hurt by another. */
static void runs_are_independent(void)
{
	struct fplimits limits = FPLIMITS_DEFAULT;
	struct fpscratch scratch;
	struct fprun outer, inner;
	struct fperror error;
	struct fpset set;

	if (fpset_open(&set, 2, &limits, NULL) != DEEPID_OK || fpset_add(&set, "(\\d+)", 5, 0, 1, &error) != DEEPID_OK
	    || fpset_add(&set, "x(\\d)", 5, 0, 2, &error) != DEEPID_OK || fpset_build(&set) != DEEPID_OK || fpscratch_open(&scratch, &set) != DEEPID_OK)
		abort();
	fprun_start(&outer, &set, "x123", 4);
	tap_ok(fpset_next(&set, &scratch, &outer) == DEEPID_HIT, "outer run: first hit");
	fprun_start(&inner, &set, "yyyyy7", 6);
	tap_ok(fpset_next(&set, &scratch, &inner) == DEEPID_HIT && inner.spans[2] == 5 && inner.spans[3] == 6
	        && fpset_next(&set, &scratch, &inner) == DEEPID_END,
	    "inner run, in the midst of it");
	tap_ok(outer.spans[2] == 1 && outer.spans[3] == 4 && fpset_next(&set, &scratch, &outer) == DEEPID_HIT && outer.rule == 1
	        && outer.spans[2] == 1 && outer.spans[3] == 2,
	    "outer run: its captures and its place are kept");
	tap_ok(fpset_next(&set, &scratch, &outer) == DEEPID_END && fpset_next(&set, &scratch, &outer) == DEEPID_END,
	    "a run that has ended stays so");
	fpscratch_close(&scratch);
	fpset_close(&set);
}

static void an_empty_reply_may_be_null(void)
{
	struct fplimits limits = FPLIMITS_DEFAULT;
	struct fpscratch scratch;
	struct fprun run;
	struct fperror error;
	struct fpset set;

	if (fpset_open(&set, 1, &limits, NULL) != DEEPID_OK || fpset_add(&set, NULL, 0, 0, 0, &error) != DEEPID_OK
	    || fpset_build(&set) != DEEPID_OK || fpscratch_open(&scratch, &set) != DEEPID_OK)
		abort();
	fprun_start(&run, &set, NULL, 0);
	tap_ok(fpset_next(&set, &scratch, &run) == DEEPID_HIT, "an empty pattern and reply may be NULL");
	fpscratch_close(&scratch);
	fpset_close(&set);
}

int main(void)
{
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		bool interpreted = run_case(&cases[i], false), compiled = run_case(&cases[i], true);
		tap_ok(interpreted && compiled, cases[i].name);
	}
	errors_say_where();
	deep_patterns();
	runs_are_independent();
	an_empty_reply_may_be_null();
	return tap_done();
}
