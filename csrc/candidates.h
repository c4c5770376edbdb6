/*
 * candidates - a set of rules, taken out from the lowest on; costs by its members, not by how many rules there are.
 *
 *   summary   1 0 1 0 ...        bit w: words[w] is not 0
 *             |   |
 *   words    64  64              bit r: rule 64 * w + r is in
 */
#ifndef DEEPID_CANDIDATES_H
#define DEEPID_CANDIDATES_H

#include <stddef.h>
#include <stdint.h>

#include "sixteen.h"

#define CANDIDATES_NONE SIZE_MAX

struct candidates {
	uint64_t *words;   /* all 0 while the set is empty */
	uint64_t *summary; /* behind them, in the same block */
	size_t words_count, summary_count;
};

/* Of `rules` rules: how many words both arrays take. */
static inline size_t candidates_words(size_t rules)
{
	size_t words = (rules + 63) / 64;

	return words + (words + 63) / 64;
}

static inline void candidates_add_word(struct candidates *set, size_t word, uint64_t bits)
{
	set->words[word] |= bits;
	set->summary[word / 64] |= UINT64_C(1) << word % 64;
}

static inline void candidates_add(struct candidates *set, size_t rule)
{
	candidates_add_word(set, rule / 64, UINT64_C(1) << rule % 64);
}

/* The same if `wanted` is 1, and nothing if it is 0, without a branch. */
static inline void candidates_add_if(struct candidates *set, size_t rule, unsigned wanted)
{
	set->words[rule / 64] |= (uint64_t)wanted << rule % 64;
	set->summary[rule / 4096] |= (uint64_t)wanted << rule / 64 % 64;
}

static inline int candidates_has(const struct candidates *set, size_t rule)
{
	return (int)(set->words[rule / 64] >> rule % 64 & 1);
}

static inline void candidates_drop(struct candidates *set, size_t rule)
{
	size_t word = rule / 64;

	set->words[word] &= ~(UINT64_C(1) << rule % 64);
	if (set->words[word] == 0)
		set->summary[word / 64] &= ~(UINT64_C(1) << word % 64);
}

/* Takes the lowest out; CANDIDATES_NONE: none is left. */
static inline size_t candidates_take(struct candidates *set)
{
	for (size_t s = 0; s < set->summary_count; s++) {
		if (set->summary[s] == 0)
			continue;
		size_t word = 64 * s + lowest_bit(set->summary[s]);
		size_t rule = 64 * word + lowest_bit(set->words[word]);
		set->words[word] &= set->words[word] - 1;
		if (set->words[word] == 0)
			set->summary[s] &= set->summary[s] - 1;
		return rule;
	}
	return CANDIDATES_NONE;
}

static inline void candidates_clear(struct candidates *set)
{
	for (size_t s = 0; s < set->summary_count; s++)
		for (; set->summary[s] != 0; set->summary[s] &= set->summary[s] - 1)
			set->words[64 * s + lowest_bit(set->summary[s])] = 0;
}

#endif
