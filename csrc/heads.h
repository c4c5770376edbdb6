/*
 * heads - what the first bytes of a reply may be; and an index of the rules that no needle finds.
 *
 *   ^[245]\d\d[- ].*$      offset 0: 2 4 5      1: 0-9      2: 0-9      3: - blank      4, 5: any byte, or the end
 *
 *   allowed[offset][byte]  one bit a rule: it allows this byte there.  The rules that all of the first bytes allow are candidates:
 *                          six ANDs for 64 rules.
 *
 * Why it pays: such rules would else be tried on every reply.  What may match anywhere allows everything, and is.
 */
#ifndef DEEPID_HEADS_H
#define DEEPID_HEADS_H

#include "candidates.h"
#include "pattern.h"

#define HEADS_OFFSETS 6
#define HEADS_BYTES 257 /* the last one: the reply has ended */

/* What the first bytes of a reply may be, for one pattern. */
struct head {
	struct byteset bytes[HEADS_OFFSETS];
	bool ends[HEADS_OFFSETS]; /* the reply may end here */
};

struct heads {
	uint64_t *allowed; /* [offset][byte][word] */
	uint32_t *rules;   /* by bit: whose it is */
	size_t words, count, room;
};

/* heads_open - room for `room` rules, each of which allows nothing yet.  DEEPID_OK or DEEPID_NOMEM; heads_close may follow either. */
enum deepid_err heads_open(struct heads *heads, size_t room, const struct deepid_memory *memory);

/* head_read - what a pattern allows.  Time in proportion to its nodes. */
void head_read(struct head *head, const struct pattern *pattern);

/* heads_add - one more rule. */
void heads_add(struct heads *heads, uint32_t rule, const struct head *head);

/* heads_get - what was added as number `i`; returns the rule. */
uint32_t heads_get(const struct heads *heads, size_t i, struct head *head);

/* heads_close - frees it; may be called on a zeroed one. */
void heads_close(struct heads *heads, const struct deepid_memory *memory);

/* heads_find - adds the rules that allow the first bytes of the reply. */
void heads_find(const struct heads *heads, const unsigned char *reply, size_t length, struct candidates *found);

#endif
