/*
 * generate - random texts that a pattern matches, or nearly, from its form; random numbers that are the same everywhere.
 *
 * Lookaround and references are left out of the text, so that not every text matches.
 */
#ifndef DEEPID_TEST_GENERATE_H
#define DEEPID_TEST_GENERATE_H

#include <stdlib.h>
#include <string.h>

#include "pattern.h"

/* Numbers by xorshift64*. */
static inline uint64_t random_number(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * UINT64_C(0x2545f4914f6cdd1d);
}

/* A number below `bound`. */
static inline unsigned random_below(uint64_t *state, unsigned bound)
{
	return (unsigned)(random_number(state) >> 33) % bound;
}

struct generated {
	char *text;
	size_t length, room; /* what does not fit is left out */
};

static inline void generate_put(struct generated *out, unsigned char byte)
{
	if (out->length < out->room)
		out->text[out->length++] = (char)byte;
}

/* One byte of the set: a letter or digit where there is one, mostly. */
static inline void generate_byte(struct generated *out, const struct byteset *set, uint64_t *random)
{
	static const char likely[] = "abcdefghijklmnopqrstuvwxyz0123456789.-";

	for (int i = 0; i < 40; i++) {
		unsigned byte = i < 8 ? (unsigned char)likely[random_below(random, sizeof likely - 1)] : random_below(random, 256);
		if (byteset_has(set, byte)) {
			generate_put(out, (unsigned char)byte);
			return;
		}
	}
	for (unsigned byte = 0; byte < 256; byte++)
		if (byteset_has(set, byte)) {
			generate_put(out, (unsigned char)byte);
			return;
		}
}

static inline void generate_group(struct generated *out, const struct pattern_node *nodes, const struct pattern_node *group, uint64_t *random, unsigned depth);

static inline void generate_node(struct generated *out, const struct pattern_node *nodes, const struct pattern_node *node, uint64_t *random,
    unsigned depth)
{
	uint32_t more = node->max - node->min;
	uint32_t times = node->min + (more > 0 ? random_below(random, (more < 10 ? more : 10) + 1) : 0);

	for (uint32_t i = 0; i < times && i < 300; i++) {
		if (node->kind == PATTERN_BYTE)
			generate_byte(out, &node->set, random);
		else if (node->kind == PATTERN_GROUP && depth < 30)
			generate_group(out, nodes, node, random, depth + 1);
	}
}

static inline void generate_group(struct generated *out, const struct pattern_node *nodes, const struct pattern_node *group, uint64_t *random, unsigned depth)
{
	unsigned branches = 0;

	for (uint32_t branch = group->first; branch != PATTERN_NONE; branch = nodes[branch].next)
		branches++;
	unsigned chosen = random_below(random, branches);
	uint32_t branch = group->first;
	while (chosen-- > 0)
		branch = nodes[branch].next;
	for (uint32_t i = nodes[branch].first; i != PATTERN_NONE; i = nodes[i].next)
		generate_node(out, nodes, &nodes[i], random, depth);
}

/* Appends a text for the whole pattern. */
static inline void generate_text(struct generated *out, const struct pattern *pattern, uint64_t *random)
{
	if (pattern->nodes[0].kind == PATTERN_GROUP)
		generate_group(out, pattern->nodes, &pattern->nodes[0], random, 0);
}

#endif
