/*
 * filter - which rules of a set a reply may match, and for plain ones whether it does, without asking PCRE2.
 *
 *   pattern text --pattern.h--> form --wanted.h--> short texts --needles.h--> index of the rarest ones of each
 *                                | | `--heads.h--> first bytes of those without such a text
 *                                | `--skeleton.h--> literal runs --order.h--> lists of them
 *                                `--direct.h--> programs of plain ones
 *
 *   reply --filter_find--> candidates, in order --filter_match: order.h, direct.h--> no, yes, or: ask PCRE2
 *
 * A rule that is left out does not match: all stages may only say too much.  Each can be switched off, and then says "perhaps" of all.
 */
#ifndef DEEPID_FILTER_H
#define DEEPID_FILTER_H

#include "candidates.h"
#include "direct.h"
#include "heads.h"
#include "needles.h"

#define FILTER_NEEDLES 1U /* stages, as bits */
#define FILTER_HEADS 2U
#define FILTER_ORDER 4U
#define FILTER_DIRECT 8U
#define FILTER_AGAIN 16U
#define FILTER_ALL 31U

/* A rule while the filter is built. */
struct filter_rule {
	const char *text; /* the caller's; must outlive the building */
	size_t length;
	uint32_t options;
	struct span skeletons;
};

/* What is asked of a candidate: small, so that those of many rules stay in the cache. */
struct filter_check {
	struct direct direct;
	uint32_t order; /* where its own begins */
	bool again;     /* its pattern is that of the rule before: so is what is said of it */
};

/* Immutable once built. */
struct filter {
	struct filter_rule *rules;   /* until it is built */
	struct filter_check *checks; /* by rule */
	size_t count, room;
	unsigned stages;
	struct needles needles;
	struct heads heads;
	unsigned char *orders; /* of order.h, behind each other, */
	size_t orders_size;    /* and RUN_BEHIND zeros */
	struct directs directs;
};

/* What a search needs: one for each thread. */
struct filter_scratch {
	struct candidates found, seen;
	struct reply reply;  /* that they were found for */
	unsigned char *room; /* for it */
	uint64_t *block;     /* what all of these lie in */
};

/* filter_open - an empty one with room for `room` rules.  DEEPID_OK or DEEPID_NOMEM; filter_close may follow either. */
enum deepid_err filter_open(struct filter *filter, size_t room, unsigned stages, const struct deepid_memory *memory);

/* filter_add - one more rule; its index is filter->count - 1.  With text NULL it never is a candidate. */
void filter_add(struct filter *filter, const char *text, size_t length, uint32_t options);

/* filter_build - once, when all rules are in.  DEEPID_OK or DEEPID_NOMEM; takes time in proportion to the patterns. */
enum deepid_err filter_build(struct filter *filter, const struct deepid_memory *memory);

/* filter_close - frees it; may be called on a zeroed one. */
void filter_close(struct filter *filter, const struct deepid_memory *memory);

/* filter_scratch_open - for replies of `most` bytes at most. */
enum deepid_err filter_scratch_open(struct filter_scratch *scratch, const struct filter *filter, size_t most, const struct deepid_memory *memory);
void filter_scratch_close(struct filter_scratch *scratch, const struct deepid_memory *memory);

/* filter_find - puts the candidates for a reply into scratch->found, in place of what was there. */
void filter_find(const struct filter *filter, struct filter_scratch *scratch, const unsigned char *reply, size_t length);

/*
 * filter_match - whether a candidate matches the reply that it was found for; DIRECT_ASK: PCRE2 knows.
 *
 * spans, groups  out, after DIRECT_YES, as of direct_match
 */
enum direct_answer filter_match(const struct filter *filter, const struct filter_scratch *scratch, size_t rule, size_t *spans, uint32_t *groups);

#endif
