/*
 * bench - what the benchmark's parts share: rules, replies, and engines that name the first rule that matches a reply.
 */
#ifndef DEEPID_BENCH_H
#define DEEPID_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define BENCH_NONE SIZE_MAX
#define BENCH_STEPS 50000 /* match steps of a pattern, for all engines alike */

struct bench_text {
	char *bytes;
	size_t length;
	uint32_t options; /* of PCRE2; patterns alone */
};

struct bench_list {
	struct bench_text *items;
	size_t count, room;
};

/* An engine's way to the first match with its captures, in the order of the rules; BENCH_NONE: none. */
struct bench_engine {
	const char *name;
	void *(*open)(const struct bench_list *rules); /* NULL: it cannot */
	size_t (*first)(void *engine, const struct bench_text *reply);
	size_t most; /* replies a round, lest it take all day; 0: all */
};

extern const struct bench_engine bench_interpreted, bench_jit, bench_hyperscan, bench_re2, bench_deepid;

/* Ours with some stages of the filter alone; csrc/filter.h has their bits. */
void *bench_deepid_open(const struct bench_list *rules, unsigned stages);

/* The filters of RE2: candidates in order; the number of them. `more` is called for each. */
void *bench_re2_open(const struct bench_list *rules);
size_t bench_re2_find(void *engine, const char *text, size_t length, uint32_t *found, size_t most);

/* Patterns that run one after another; also the confirmation behind the filters. */
void *bench_jit_open(const struct bench_list *rules);
bool bench_jit_matches(void *engine, size_t rule, const struct bench_text *reply);

/* --- corpus.c --- */

void bench_read(struct bench_list *list, const char *path);
void bench_add(struct bench_list *list, const char *bytes, size_t length, uint32_t options);

/* Greetings that fit the rules, and as many of a hundred as `unmatched` that fit none. */
void bench_greetings(struct bench_list *replies, const struct bench_list *rules, size_t count, unsigned unmatched, uint64_t seed);

/* Beginnings that rules like, and then 2 to 64 KiB of what makes them go back and forth. */
void bench_hostile(struct bench_list *replies, const struct bench_list *rules, size_t count, uint64_t seed);

/* Replies of the cap's size, packed with the words that the filter looks for, by somebody who has the rules. */
void bench_adversarial(struct bench_list *replies, const struct bench_list *rules, size_t count, uint64_t seed);

/* `count` rules made from these by changing their words. */
void bench_more_rules(struct bench_list *more, const struct bench_list *rules, size_t count, uint64_t seed);

#ifdef __cplusplus
}
#endif

#endif
