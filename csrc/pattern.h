/*
 * pattern - the form of a PCRE2 pattern: which bytes a match must hold, and for plain patterns all that they say.
 *
 *   ^220 (foo|b[ao]r)+ x?        node 0: group
 *                                  branch
 *                                    start, byte 2, byte 2, byte 0, byte ' '
 *                                    group {1,}
 *                                      branch: byte f, byte o, byte o
 *                                      branch: byte b, byte [ao], byte r
 *                                    byte ' ', byte x {0,1}
 *
 * What is rare in fingerprints (conditions, recursion, references by name, verbs, Unicode properties) is not understood: then the
 * whole pattern is one opaque node, of which nothing may be concluded.  Lookaround is an empty node.  `plain` says that nothing was
 * lost.  A pattern that PCRE2 would refuse has any form at all.
 */
#ifndef DEEPID_PATTERN_H
#define DEEPID_PATTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "deepid.h"

#define PATTERN_NONE UINT32_MAX    /* no node */
#define PATTERN_FOREVER UINT32_MAX /* no upper bound */
#define FOLD 0x20                  /* or-ed to a byte: letters are alike then in either case, and so are some others */
#define PATTERN_DEPTH 250          /* nested groups; PCRE2's own limit */

struct byteset {
	uint64_t bits[4];
};

enum pattern_kind {
	PATTERN_BYTE,   /* one byte out of a set */
	PATTERN_EMPTY,  /* holds no byte: \b, lookaround */
	PATTERN_START,  /* holds no byte, at offset 0 alone: ^, \A */
	PATTERN_LINE,   /* holds no byte, at offset 0 or behind LF: ^ with flag m */
	PATTERN_END,    /* holds no byte, at the end or before an LF that ends the reply: $, \z, \Z */
	PATTERN_OPAQUE, /* any bytes */
	PATTERN_GROUP,  /* one of its branches */
	PATTERN_BRANCH  /* its nodes one after another */
};

enum pattern_greed { PATTERN_GREEDY, PATTERN_LAZY, PATTERN_POSSESSIVE };

struct pattern_node {
	enum pattern_kind kind;
	enum pattern_greed greed;
	char letter;       /* of what holds no byte: ^ A $ z Z b B, where it is one of these; =: what comes fits one of its branches */
	int16_t folded;    /* byte: the one that all of the set are, with FOLD or-ed to it; -1: they are several */
	uint32_t min, max; /* how often it is repeated */
	uint32_t capture;  /* group: its number, from 1; 0: it captures nothing */
	uint32_t first;    /* group: its first branch; branch: its first node */
	uint32_t next;     /* the next branch of the group, the next node of the branch */
	struct byteset set;
};

/* The nodes are used again from one pattern to the next. */
struct pattern {
	struct pattern_node *nodes; /* owned; the first is the root, a group or opaque */
	size_t count, room;
	uint32_t captures; /* groups that capture */
	bool plain;        /* the nodes say all that the pattern says: no lookaround, no reference, no group of a special kind */
};

/*
 * pattern_parse - reads a pattern; what `pattern` held before is gone.
 *
 * options  PCRE2_CASELESS, PCRE2_MULTILINE, PCRE2_DOTALL count; newline is LF
 *
 * Returns DEEPID_OK or DEEPID_NOMEM.  Takes time and nodes in proportion to the length.
 */
enum deepid_err pattern_parse(struct pattern *pattern, const char *text, size_t length, uint32_t options, const struct deepid_memory *memory);

/* pattern_close - frees the nodes; may be called on a zeroed pattern. */
void pattern_close(struct pattern *pattern, const struct deepid_memory *memory);

static inline void byteset_add(struct byteset *set, unsigned byte)
{
	set->bits[byte >> 6] |= UINT64_C(1) << (byte & 63);
}

static inline bool byteset_has(const struct byteset *set, unsigned byte)
{
	return (set->bits[byte >> 6] >> (byte & 63) & 1) != 0;
}

static inline void byteset_invert(struct byteset *set)
{
	for (int i = 0; i < 4; i++)
		set->bits[i] = ~set->bits[i];
}

static inline bool byteset_same(const struct byteset *one, const struct byteset *other)
{
	return ((one->bits[0] ^ other->bits[0]) | (one->bits[1] ^ other->bits[1]) | (one->bits[2] ^ other->bits[2]) | (one->bits[3] ^ other->bits[3])) == 0;
}

/* Bytes 64 * word and behind, folded: only the upper half is left. */
static inline uint64_t byteset_fold(const struct byteset *set, unsigned word)
{
	return (set->bits[word] >> 32 | set->bits[word]) << 32;
}

static inline void byteset_unite(struct byteset *set, const struct byteset *other)
{
	for (int i = 0; i < 4; i++)
		set->bits[i] |= other->bits[i];
}

#endif
