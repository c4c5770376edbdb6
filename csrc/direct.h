/*
 * direct - plain patterns as short programs, matched here instead of by PCRE2, with the same result.
 *
 *   ^220 ([-.\w]+) ESMTP (?:Exim|exim4) (\d\S*)
 *
 *   hop   bytes      and then
 *   0     "220 "     once [-.\w] 1.., kept as group 1
 *   1     " ESMTP "  try hop 2, else hop 4
 *   2     "Exim"     jump to hop 5
 *   4     "exim4"    nothing
 *   5     " "        nothing, the start of group 2
 *   6     \d         once \S 0..
 *   7                done, the end of group 2
 *
 * Plain are patterns of bytes, classes, quantifiers on these, groups that are there at most once, alternatives, anchors and \b, that
 * match at offset 0 alone.  Nearly all fingerprints are.
 *
 * Why it pays: a greeting of Postfix's takes 23 ns where PCRE2's machine code takes 33, all in the cache; to make that code takes 12,000.
 * A repetition that can end in one place only, since no byte of its class begins what follows, never goes back: ONCE; most are
 * of that kind, and so a match is a few hops, each the same few instructions.
 */
#ifndef DEEPID_DIRECT_H
#define DEEPID_DIRECT_H

#include "pattern.h"
#include "reply.h"

#define DIRECT_SETS 255       /* classes of all programs together */
#define DIRECT_NO_SET 255     /* of `then`: nothing is known */
#define DIRECT_FOREVER 0xffff /* of `max`: no upper bound */
#define DIRECT_BYTES 8        /* of a hop */

enum direct_op {
	DIRECT_ONCE,    /* as many bytes of the set as there are, but `max` */
	DIRECT_MOST,    /* the same, and fewer when what follows does not fit */
	DIRECT_LEAST,   /* as few as what follows allows */
	DIRECT_NOTHING, /* the bytes alone */
	DIRECT_KEEP,    /* `before` is kept, and gets its old place back when the group does not take part after all */
	DIRECT_TRY,     /* the next hop, and if that does not fit, the one that is `over` hops further */
	DIRECT_JUMP,    /* that one at once */
	DIRECT_START,   /* the place must be the reply's start, */
	DIRECT_LAST,    /* its end or before an LF that ends it, */
	DIRECT_END,     /* its end, */
	DIRECT_WORD,    /* where a word begins or ends, */
	DIRECT_NO_WORD, /* or does not */
	DIRECT_DONE
};

struct hop {
	unsigned char bytes[DIRECT_BYTES];
	uint8_t count;         /* of bytes, 0..DIRECT_BYTES */
	uint8_t fold;          /* 0x20: the bytes are letters, in either case */
	uint8_t op;
	uint8_t set;           /* ONCE, MOST, LEAST: its number */
	uint8_t then;          /* MOST, LEAST: the set that what follows begins with, or DIRECT_NO_SET */
	uint8_t before, after; /* the slots that keep the places before the op and behind it; slot 0 is for none */
	uint16_t min, max;     /* ONCE, MOST, LEAST */
	uint16_t over;         /* TRY, JUMP */
};

/* One byte or two, which are looked for sixteen places at a time. */
struct few {
	uint8_t count; /* 0: they are more */
	uint8_t a, b;
};

/* A class, in the forms in which it is asked for. */
struct direct_set {
	uint8_t members[256];
	struct byteset bits;
	struct few only;    /* its bytes, where they are few */
	struct few all_but; /* the bytes that it lacks, where they are few */
};

struct directs {
	struct hop *hops; /* of all programs, behind each other */
	size_t count, room;
	struct direct_set *sets; /* DIRECT_SETS of them */
	size_t sets_count;
};

/* A program. */
struct direct {
	uint32_t first;  /* its first hop */
	uint8_t groups;  /* that it captures */
	bool is_plain;   /* false: the pattern is not, there is no program */
};

enum direct_answer {
	DIRECT_NO,
	DIRECT_YES,
	DIRECT_ASK /* it goes back and forth for too long, or is no plain pattern */
};

/* directs_open - no programs yet.  DEEPID_OK or DEEPID_NOMEM; directs_close may follow either. */
enum deepid_err directs_open(struct directs *directs, const struct deepid_memory *memory);

/* directs_add - the program of a pattern, if it is plain.  DEEPID_OK or DEEPID_NOMEM.  Time in proportion to the pattern's nodes. */
enum deepid_err directs_add(struct directs *directs, const struct pattern *pattern, struct direct *direct, const struct deepid_memory *memory);

/* directs_set - the number of a class among the programs' own, which it is added to if need be; DIRECT_NO_SET: they are full. */
uint8_t directs_set(struct directs *directs, const struct byteset *set);

/* directs_close - frees them; may be called on zeroed ones. */
void directs_close(struct directs *directs, const struct deepid_memory *memory);

/*
 * direct_match - whether the pattern matches the reply.
 *
 * order  the rule's words (order.h), which are looked for before it goes back and forth for long; NULL: they are not
 * spans  out, after DIRECT_YES: start and end of the match and of each group, PCRE2_UNSET where a group took no part
 *
 * Takes some 1,000 steps at most, each of which may be followed by hops over the whole rest of the reply.
 */
enum direct_answer direct_match(const struct directs *directs, const struct direct *direct, const unsigned char *order, const struct reply *reply, size_t *spans);

#endif
