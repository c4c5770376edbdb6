/*
 * tokens - which rules a reply may fit, by the words at the starts of its tokens.
 *
 *   220 mx.example.org ESMTP Exim 4.97\r\n
 *   ^   ^              ^     ^    ^   ^^     token starts
 *
 *   the first 4, 6 and 8 bytes, folded, hashed --> hints[]: is there such a key?  0 almost everywhere
 *                                                      |
 *                                                 entries[]: the key --> links[]: the rules kept under it, one behind the other, each
 *                                                                        with the text that it wants from there on, 16 bytes at most
 *
 * Each skeleton is kept under one key: the first 4, 6 or 8 bytes of the token whose text the fewest skeletons hold.
 *
 * Why it pays: the naive loop tries every pattern, some 15 ns each; this looks at the reply once, a few ns a token, however many
 * patterns there are.
 */
#ifndef DEEPID_TOKENS_H
#define DEEPID_TOKENS_H

#include "candidates.h"
#include "skeleton.h"

#define KEY_LEAST 4 /* bytes */
#define KEY_MOST 8
#define TEXT_MOST 16
#define TOKENS_NONE UINT32_MAX

struct entry {
	uint32_t print; /* a hash of key and length: rules that are found by another key of the same hash fall by the order check */
	uint32_t first; /* the first of links kept under it; TOKENS_NONE: the place is free */
};

struct link {
	uint64_t text[2]; /* from the key's first byte on, folded, as eight_load gives it */
	uint32_t rule;
	uint32_t next;    /* TOKENS_NONE: the last */
	uint8_t count[2]; /* bytes of each half that count */
};

struct tokens {
	uint8_t *hints;        /* bit i: there are keys of KEY_LEAST + 2 * i bytes with this hash */
	struct entry *entries; /* a power of two, half of them free at least */
	struct link *links;    /* by skeleton */
	unsigned hint_shift, entry_shift; /* from a hash to a place: the hash's upper bits */
};

/*
 * tokens_build - keeps each skeleton that has a token.
 *
 * rules  by skeleton: whose it is
 * kept   out, by skeleton: whether it has a token; the rules of those that have none are not found by any reply
 *
 * DEEPID_OK or DEEPID_NOMEM; tokens_close may follow either.  Time and memory in proportion to the skeletons and their bytes.
 */
enum deepid_err tokens_build(struct tokens *tokens, const struct skeletons *skeletons, const uint32_t *rules, bool *kept,
    const struct deepid_memory *memory);

/* tokens_close - frees them; may be called on zeroed ones. */
void tokens_close(struct tokens *tokens, const struct deepid_memory *memory);

/*
 * tokens_find - adds all rules with a key that begins a token of the reply, and perhaps some more.  Reads the reply's bytes alone.
 *
 * seen  room for as many members as there are skeletons; empty before and after
 */
void tokens_find(const struct tokens *tokens, const unsigned char *reply, size_t length, struct candidates *found, struct candidates *seen);

#endif
