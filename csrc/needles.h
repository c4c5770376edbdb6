/*
 * needles - which rules a reply may fit, by short texts that stand anywhere in it.
 *
 *   220 mx.example.org ESMTP Exim 4.97\r\n
 *                         ^                four bytes, folded, hashed --> hints: is there such a needle?  no almost everywhere
 *                                                                            |
 *                                            first[place], first[place+1] --> links: the rules whose needle has this hash, each with
 *                                                                             the text around the four bytes, 16 at most
 *
 * Of each branch of a pattern the choice of texts (wanted.h) is kept that the fewest patterns share, and of each of its texts the rarest
 * four bytes are the needle.  It begins with no digit and no letter that is frequent in words (sixteen.h), so that most places of a reply
 * are passed by, sixteen at a time.
 *
 * Why it pays: the naive loop tries every pattern, some 15 ns each; this looks at the reply once, however many patterns there are.
 */
#ifndef DEEPID_NEEDLES_H
#define DEEPID_NEEDLES_H

#include "candidates.h"
#include "heads.h"
#include "reply.h"
#include "wanted.h"

#define NEEDLES_HASHES 65536
#define NEEDLES_HINTS (NEEDLES_HASHES / 32)

struct link {
	unsigned char text[WANTED_MOST];
	uint16_t counts; /* bit i: byte i of the text counts */
	uint8_t before;  /* bytes of the text before the needle */
	uint8_t heads;   /* bit b: the rule's replies begin with a byte that is b modulo 8 */
	uint32_t rule;
};

struct needles {
	uint32_t *hints;      /* one bit a hash */
	uint32_t *first;      /* by place: its first link, and behind the last place the number of links */
	struct link *links;   /* by place */
	size_t links_count;
	unsigned place_shift; /* from a hash to its place, its upper bits */
};

/*
 * needles_build - keeps all rules each of whose branches has a choice.
 *
 * rules, heads  by rule: its branches, and what it begins with
 * kept          out, by rule: whether it is kept; the others are not found by any reply
 *
 * DEEPID_OK or DEEPID_NOMEM; needles_close may follow either.  Time and memory in proportion to the texts.
 */
enum deepid_err needles_build(struct needles *needles, const struct wanted *wanted, const struct span *rules, const struct head *heads,
    size_t count, bool *kept, const struct deepid_memory *memory);

/* needles_place - the same of links that were made before, each text with its needle; those of one place stay in their order. */
enum deepid_err needles_place(struct needles *needles, const struct link *links, size_t count, const struct deepid_memory *memory);

/* needles_close - frees them; may be called on zeroed ones. */
void needles_close(struct needles *needles, const struct deepid_memory *memory);

/* needles_places - how many members `seen` below must have room for. */
static inline size_t needles_places(const struct needles *needles)
{
	return needles->first != NULL ? (size_t)NEEDLES_HASHES >> needles->place_shift : 0;
}

/*
 * needles_find - adds all rules of whose texts one is in the reply, and perhaps some more.
 *
 * seen  room for needles_places; empty before and after
 */
void needles_find(const struct needles *needles, const struct reply *reply, struct candidates *found, struct candidates *seen);

#endif
