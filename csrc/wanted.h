/*
 * wanted - short texts of which each match of a pattern holds one.
 *
 *   ^220 (\S+) gr[ae]y (?:IceWarp|Merak)|(?=.*WildDuck)      two branches
 *
 *   " gray " or " grey "                         a choice of two texts     each match of the first branch holds one of them,
 *   " gray icewarp" or " grey icewarp" or ...    a choice of four          and one of these
 *   "wildduck"                                   a choice of one           the other branch's
 *
 * Whoever looks for the texts of one choice of each branch finds all replies that may match.  Bytes are folded, as in pattern.h.  What
 * would be too many texts, or too deep, is taken for any bytes: that says less, and loses nothing.
 */
#ifndef DEEPID_WANTED_H
#define DEEPID_WANTED_H

#include "pattern.h"
#include "sixteen.h"

#define WANTED_MOST 16  /* bytes of a text */
#define WANTED_NEEDLE 4 /* of them, the first of which is no frequent one, make a needle; each text has one */
#define WANTED_TEXTS 24 /* of a choice */

struct text {
	unsigned char bytes[WANTED_MOST]; /* zeros behind the last one */
	uint8_t length;
};

/* Whether a needle begins at this byte. */
static inline bool text_has_needle(const struct text *text, unsigned at)
{
	return at + WANTED_NEEDLE <= text->length && !is_frequent(text->bytes[at]);
}

/* The first, and how many. */
struct span {
	uint32_t first, count;
};

/* Of many patterns, behind each other. */
struct wanted {
	struct text *texts;
	struct span *choices;  /* of texts */
	struct span *branches; /* of choices; none: nothing is known of it */
	size_t texts_count, choices_count, branches_count;
	size_t texts_room, choices_room, branches_room;
};

/* wanted_add - appends the branches of one pattern, at least one.  DEEPID_OK or DEEPID_NOMEM.  Time in proportion to its nodes. */
enum deepid_err wanted_add(struct wanted *wanted, const struct pattern *pattern, const struct deepid_memory *memory);

/* wanted_close - frees them; may be called on zeroed ones. */
void wanted_close(struct wanted *wanted, const struct deepid_memory *memory);

#endif
