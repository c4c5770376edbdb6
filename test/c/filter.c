/* The filter changes nothing, whichever of its stages are on: random patterns and replies, large sets, bounds, threads. */
#define _POSIX_C_SOURCE 200809L

#include <pthread.h>

#include "compare.h"
#include "generate.h"
#include "tap.h"

#define I PCRE2_CASELESS
#define M PCRE2_MULTILINE
#define S PCRE2_DOTALL

/* --- Random patterns --- */

static const char *const pieces[] = { "a", "b", "ab", "ESMTP", " ", "220 ", "ready", "Service ", ".", "\\d", "\\w", "\\s", "\\S", "[ab]", "[^a]", "[-.\\w]",
	"[ -]", "\\r\\n", "\\n", "^", "$", "\\b", "\\.", "\\x41", "\\Qa b\\E", "(?i)", "(?-i)", "(?s)", "(?m)", "(?=a)", "(?!b)", "(?<=a)", "|", "\\1", "\\A", "\\z",
	"[[:alpha:]]", "\\t", "[\\s]", "(?x)", "(?#c)", "\\R", "\\N", "\\h", "\\K", "(*COMMIT)", "{", "]", "mail Server", " ESMTP Ex", "xyzz", "-mta/" };
static const char *const quantifiers[] = { "*", "+", "?", "{2}", "{0,2}", "{1,}", "*?", "++", "??", "{0}" };

static void random_pattern(struct generated *out, uint64_t *random, unsigned depth)
{
	static const char *const opens[] = { "(", "(?:", "(?>", "(?i:", "(?|", "(?=", "(?!", "(?<n>" };

	for (unsigned items = 1 + random_below(random, 5); items > 0; items--) {
		bool group = depth < 3 && random_below(random, 5) == 0;
		const char *piece = group ? opens[random_below(random, 8)] : pieces[random_below(random, sizeof pieces / sizeof pieces[0])];
		for (; *piece != '\0'; piece++)
			generate_put(out, (unsigned char)*piece);
		if (group) {
			random_pattern(out, random, depth + 1);
			generate_put(out, ')');
		}
		if (random_below(random, 4) == 0)
			for (piece = quantifiers[random_below(random, 10)]; *piece != '\0'; piece++)
				generate_put(out, (unsigned char)*piece);
	}
}

/* A plain pattern over few letters, so that it often goes back. */
static void random_plain(struct generated *out, uint64_t *random, unsigned depth)
{
	static const char *const items[] = { "a", "b", "ab", "xab", "x", "[ab]", "[^a]", ".", "\\w", "\\n", "\\b", "\\B", "$", "(?i)a", "\\S", "\\s", "\\W", "\\xa0", "[\\d\\xa0]" };

	for (unsigned count = 1 + random_below(random, 4); count > 0; count--) {
		bool group = depth < 3 && random_below(random, 3) == 0;
		const char *item = group ? (random_below(random, 3) > 0 ? "(" : "(?:") : items[random_below(random, sizeof items / sizeof items[0])];
		for (; *item != '\0'; item++)
			generate_put(out, (unsigned char)*item);
		if (group) {
			for (bool more = true; more; more = random_below(random, 2) == 0) {
				random_plain(out, random, depth + 1);
				generate_put(out, '|');
			}
			out->text[out->length - 1] = ')';
		}
		static const char *const of_groups[] = { "", "", "?", "??" }, *const of_items[] = { "", "*", "+", "?", "*?", "+?", "??", "{1,3}", "{2}", "{2,3}?" };
		item = group ? of_groups[random_below(random, 4)] : of_items[random_below(random, 10)];
		for (; *item != '\0'; item++)
			generate_put(out, (unsigned char)*item);
	}
}

/* A text of a pattern of the set, of pieces, or of both; sometimes with a byte changed. */
static void random_reply(struct generated *out, const struct compared_pattern *patterns, size_t count, uint64_t *random)
{
	struct pattern pattern = { .nodes = NULL };

	for (unsigned parts = 1 + random_below(random, 3); parts > 0; parts--) {
		const struct compared_pattern *one = &patterns[random_below(random, (unsigned)count)];
		if (random_below(random, 4) == 0) {
			const char *piece = pieces[random_below(random, 10)];
			for (; *piece != '\0'; piece++)
				generate_put(out, (unsigned char)*piece);
			continue;
		}
		if (pattern_parse(&pattern, one->text, one->length, one->options, &deepid_malloc) != DEEPID_OK)
			abort();
		generate_text(out, &pattern, random);
	}
	if (out->length > 0 && random_below(random, 3) == 0)
		out->text[random_below(random, (unsigned)out->length)] = (char)random_below(random, 256);
	if (random_below(random, 4) == 0)
		generate_put(out, '\n');
	for (size_t i = 0; random_below(random, 3) == 0 && i < out->length; i++)
		out->text[i] ^= (out->text[i] | 0x20) >= 'a' && (out->text[i] | 0x20) <= 'z' ? 0x20 : 0;
	pattern_close(&pattern, &deepid_malloc);
}

static size_t random_set(struct compared_pattern *patterns, char (*texts)[256], uint64_t *random)
{
	size_t count = 1 + random_below(random, 12);
	bool plain = random_below(random, 2) == 0;

	for (size_t i = 0; i < count; i++) {
		struct generated text = { texts[i], 0, 256 };
		if (i > 0 && random_below(random, 6) == 0) {
			patterns[i] = patterns[i - 1]; /* the same once more, in another slot or not */
			patterns[i].slot = (uint8_t)random_below(random, 4);
			patterns[i].options ^= random_below(random, 3) == 0 ? I : 0;
			continue;
		}
		if (plain || random_below(random, 2) == 0)
			generate_put(&text, '^'); /* as nearly all fingerprints do */
		if (plain)
			random_plain(&text, random, 0);
		else
			random_pattern(&text, random, 0);
		patterns[i] = (struct compared_pattern){ texts[i], text.length, 0, (uint8_t)random_below(random, 4) };
		patterns[i].options = (random_below(random, 4) == 0 ? I : 0) | (random_below(random, 4) == 0 ? M : 0) | (random_below(random, 4) == 0 ? S : 0);
	}
	return count;
}

/* One random set with all combinations of stages; how many hits there were, or -1 after a difference. */
static long try_set(uint64_t seed)
{
	struct compared_pattern patterns[COMPARE_MOST];
	char texts[COMPARE_MOST][256];
	struct fpset sets[FILTER_ALL + 1];
	struct fpscratch scratches[FILTER_ALL + 1];
	struct fplimits limits = FPLIMITS_DEFAULT;
	uint64_t random = seed;
	size_t count = random_set(patterns, texts, &random);
	long hits = 0;

	limits.steps = 200000; /* so that the naive loop hardly ever gives up */
	limits.depth = 20000;
	limits.cap = 1 + random_below(&random, 300);
	limits.jit = random_below(&random, 4) == 0; /* machine code takes long to make */
	limits.trusted = random_below(&random, 2) == 0;
	for (limits.stages = 0; limits.stages <= FILTER_ALL; limits.stages++)
		compare_open(&sets[limits.stages], &scratches[limits.stages], &limits, patterns, count);
	for (int replies = 0; replies < 20 && hits >= 0; replies++) {
		struct generated reply = { (char[400]){ 0 }, 0, 400 };
		struct seen naive, filtered;
		random_reply(&reply, patterns, count, &random);
		compare_run(&naive, &sets[0], &scratches[0], reply.text, reply.length);
		hits += (long)naive.hits;
		for (unsigned stages = 1; stages <= FILTER_ALL && hits >= 0; stages++) {
			compare_run(&filtered, &sets[stages], &scratches[stages], reply.text, reply.length);
			if (!compare_same(&naive, &filtered)) {
				printf("# seed %llu, stages %u, reply %d: %zu hits, %zu with the filter\n", (unsigned long long)seed, stages, replies, naive.hits, filtered.hits);
				hits = -1;
			}
		}
	}
	for (unsigned stages = 0; stages <= FILTER_ALL; stages++)
		compare_close(&sets[stages], &scratches[stages]);
	return hits;
}

static void the_filter_changes_nothing(void)
{
	const char *sets = getenv("SETS");
	long most = sets != NULL ? atol(sets) : 1500, hits = 0, different = 0;

	for (long i = 1; i <= most; i++) {
		long found = try_set((uint64_t)i * UINT64_C(0x9e3779b97f4a7c15));
		different += found < 0;
		hits += found > 0 ? found : 0;
	}
	printf("# %ld sets, %ld hits\n", most, hits);
	tap_ok(different == 0, "random patterns: the same as the naive loop, with any stages");
	tap_ok(hits > 10 * most, "and there was something to be found");
}

/* --- Large sets, bounds, threads --- */

/* Thousands of rules that all fit: none is lost, in any order of bits and words. */
static void nothing_is_cut_off(void)
{
	enum { MANY = 9000 };
	struct fplimits limits = FPLIMITS_DEFAULT;
	struct fpscratch scratch;
	struct fperror error;
	struct fprun run;
	struct fpset set;
	size_t next = 0, stuck = 0;
	bool in_order = true;

	limits.jit = false;
	limits.budget = 0;
	if (fpset_open(&set, MANY, &limits, NULL) != DEEPID_OK)
		abort();
	for (int i = 0; i < MANY; i++) {
		static const char *const texts[] = { "^220 word", " other [a-z]", "^2", "x|y", "wor." };
		fpset_add(&set, texts[i % 5], strlen(texts[i % 5]), 0, 0, &error);
	}
	if (fpset_build(&set) != DEEPID_OK || fpscratch_open(&scratch, &set) != DEEPID_OK)
		abort();
	fprun_start(&run, &set, "220 word other xy", 17);
	while (fpset_next(&set, &scratch, &run) == DEEPID_HIT)
		in_order = in_order && run.rule == next++;
	tap_ok(in_order && next == MANY, "nine thousand candidates, and all are told, in order");

	set.limits.budget = 10;
	fprun_start(&run, &set, "220 word other xy", 17);
	enum deepid_err event;
	for (next = 0; (event = fpset_next(&set, &scratch, &run)) != DEEPID_END; next++)
		stuck += event == DEEPID_STUCK;
	tap_ok(next == MANY && stuck == MANY - 10, "beyond the budget each candidate is told as given up on");
	compare_close(&set, &scratch);
}

/* A word is found wherever it stands: at the end, and across the blocks in which a reply is looked at. */
static void words_are_found_anywhere(void)
{
	struct compared_pattern patterns[] = { { "ESMTP Exim", 10, 0, 0 }, { "^220.* [eE]SMTP Ex", 18, 0, 0 }, { " exim", 5, I, 0 } };
	struct fplimits limits = FPLIMITS_DEFAULT;
	struct fpscratch scratch;
	struct fpset set;
	struct seen seen;
	bool all = true;

	compare_open(&set, &scratch, &limits, patterns, 3);
	for (size_t before = 0; before < 200; before++)
		for (size_t behind = 0; behind < 70; behind++) {
			char reply[300] = "220";
			memset(reply + 3, 'x', sizeof reply - 3);
			memcpy(reply + 3 + before, " ESMTP Exim", 11);
			compare_run(&seen, &set, &scratch, reply, 3 + before + 11 + behind);
			all = all && seen.hits == 3;
		}
	tap_ok(all, "words are found wherever they stand");
	compare_close(&set, &scratch);
}

/* A program remembers where a repetition fails: no more than that, and enough that two gaps need not try each pair of places. */
static void failures_are_remembered(void)
{
	static const struct compared_pattern patterns[] = { { "^(?:.|.{9}|.{5})a*ac", 20, 0, 0 }, { "^220.*b .*c\\s*\\n", 16, S, 0 } };
	struct fplimits limits = FPLIMITS_DEFAULT;
	struct fpscratch scratch;
	struct fpset set;
	struct seen seen;
	char reply[1000] = "220\n\n";

	limits.steps = 1; /* PCRE2 would give up */
	compare_open(&set, &scratch, &limits, patterns, 2);
	compare_run(&seen, &set, &scratch, "-aaX-aac-aaX", 12);
	tap_ok(seen.hits == 1 && seen.stuck_count == 0, "between two places where a repetition fails, it may match");
	for (size_t i = 5; i + 5 < sizeof reply; i += 5)
		memcpy(reply + i, "b c. ", 5);
	compare_run(&seen, &set, &scratch, reply, 5 + 5 * 150);
	tap_ok(seen.hits == 0 && seen.stuck_count == 0, "two gaps are settled without PCRE2");
	compare_close(&set, &scratch);
}

/* Two runs with one scratch, in turn: each is told all, and nothing twice. */
static void runs_may_take_turns(void)
{
	struct compared_pattern patterns[] = { { "a", 1, 0, 0 }, { "b", 1, 0, 0 }, { "^a", 2, 0, 0 }, { "c", 1, 0, 0 }, { "b", 1, 0, 0 } };
	struct fplimits limits = FPLIMITS_DEFAULT;
	struct fpscratch scratch;
	struct fprun one, other;
	struct fpset set;
	size_t told = 0;

	compare_open(&set, &scratch, &limits, patterns, 5);
	fprun_start(&one, &set, "ab", 2);
	fprun_start(&other, &set, "bc", 2);
	while (fpset_next(&set, &scratch, &one) == DEEPID_HIT) {
		told = 10 * told + one.rule + 1;
		if (fpset_next(&set, &scratch, &other) == DEEPID_HIT)
			told = 10 * told + other.rule + 1;
	}
	tap_ok(told == 1224355, "two runs take turns with one scratch");
	compare_close(&set, &scratch);
}

static void trust_is_no_blindness(void)
{
	struct fplimits limits = FPLIMITS_DEFAULT;
	struct compared_pattern patterns[] = { { "a(", 2, 0, 0 }, { "a", 1, 0, 0 }, { "(*UTF)a", 7, 0, 0 } };
	struct fpscratch scratch;
	struct fpset set;
	struct seen seen;

	limits.trusted = true;
	compare_open(&set, &scratch, &limits, patterns, 3);
	compare_run(&seen, &set, &scratch, "a", 1);
	tap_ok(seen.hits == 1 && seen.stuck_count == 2 && seen.stuck[0] == 0 && seen.stuck[1] == 2,
	    "a trusted pattern that does not compile is told as given up on");
	compare_close(&set, &scratch);
}

struct thread {
	pthread_t id;
	const struct fpset *set;
	size_t hits;
};

static void *match_much(void *data)
{
	struct thread *thread = data;
	struct fpscratch scratch;
	struct fprun run;

	if (fpscratch_open(&scratch, thread->set) != DEEPID_OK)
		abort();
	for (int i = 0; i < 200; i++) {
		fprun_start(&run, thread->set, "220 mx ESMTP Exim 4.97 word7 word13", 35);
		while (fpset_next(thread->set, &scratch, &run) == DEEPID_HIT)
			thread->hits++;
	}
	fpscratch_close(&scratch);
	return NULL;
}

/* All patterns are compiled while the threads match: by several of them at once. */
static void threads_share_a_set(void)
{
	enum { THREADS = 4, RULES = 20 };
	struct fplimits limits = FPLIMITS_DEFAULT;
	struct thread threads[THREADS];
	struct fperror error;
	struct fpset set;
	bool same = true;
	char text[32];

	if (fpset_open(&set, RULES, &limits, NULL) != DEEPID_OK)
		abort();
	for (int i = 0; i < RULES; i++) {
		snprintf(text, sizeof text, i % 2 == 0 ? "^220 (\\S+) ESMTP Exim" : "word%d(?!\\d)", i);
		fpset_add(&set, text, strlen(text), 0, 0, &error);
	}
	if (fpset_build(&set) != DEEPID_OK)
		abort();
	for (int i = 0; i < THREADS; i++) {
		threads[i] = (struct thread){ .set = &set };
		if (pthread_create(&threads[i].id, NULL, match_much, &threads[i]) != 0)
			abort();
	}
	for (int i = 0; i < THREADS; i++) {
		pthread_join(threads[i].id, NULL);
		same = same && threads[i].hits == 200 * (RULES / 2 + 2);
	}
	tap_ok(same, "threads share a set and compile its patterns as they go");
	fpset_close(&set);
}

int main(void)
{
	nothing_is_cut_off();
	words_are_found_anywhere();
	failures_are_remembered();
	runs_may_take_turns();
	trust_is_no_blindness();
	threads_share_a_set();
	the_filter_changes_nothing();
	return tap_done();
}
