/*
 * fpset - an ordered set of fingerprint patterns, matched against one reply.
 *
 *   struct fpset                     struct fprule, one a pattern, in the order given
 *   +-------------+             0   +------+--------------------------------------------+
 *   | rules     --+---------------> | text | code: PCRE2 and JIT, or NULL: not yet needed |
 *   | filter      | which rules a   +------+--------------------------------------------+
 *   |             | reply matches   : text NULL: it does not compile                    :
 *   | limits      |                 +---------------------------------------------------+
 *   | context   --+-> match limits
 *   | compiler  --+-> newline, and
 *   | memory    --+-> allocator
 *   +-------------+
 *    immutable once it is built, but for code, which appears once, atomically; may be shared by threads
 *
 *   struct fpscratch                 struct fprun
 *   +-------------+                 +---------------------------------------+
 *   | data (PCRE2)|                 | reply, length, truncated              | what is matched
 *   | candidates  |                 | next, taken (one bit a slot)          | how far it got
 *   +-------------+                 | rule, groups, spans                   | the last answer
 *    used by one fpset_next         +---------------------------------------+
 *    at a time                       one reply's way through the set; lives on the caller's stack
 *
 * What is said is what this loop would say, the naive one: try every pattern in order; of the patterns in one slot only the first, in
 * order, that matches is reported, and the later ones are not tried; those in slot 0 are all reported.  The filter (filter.h) spares
 * most tries, and knows most answers.  There is one difference: where PCRE2 would give up although the filter knows, what it knows is
 * reported.
 *
 * Between two calls of fpset_next nothing of the run is kept in the set, and in the scratch only what can be found again, so the caller
 * may do anything there, even match another reply with the same set and scratch.
 *
 * Patterns are PCRE2's, 8-bit, never UTF; patterns and replies may hold NULs.  No function here writes to a global.
 */
#ifndef DEEPID_FPSET_H
#define DEEPID_FPSET_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "deepid.h"
#include "filter.h"

#define DEEPID_REPLY_MAX 65536 /* bytes: no reply is matched beyond this */
#define DEEPID_SLOTS 32        /* slots 0..31 */
#define DEEPID_GROUPS_MAX 99   /* capture groups of one pattern */
#define DEEPID_MESSAGE_MAX 160 /* bytes of an error message, its NUL included */

struct fplimits {
	uint32_t steps; /* match steps of one pattern from one start position */
	uint32_t depth; /* nested backtracking; the interpreter's alone */
	uint32_t heap;  /* KiB of backtracking memory; the interpreter's alone */
	uint32_t cap;   /* bytes of a reply that are matched, 1..DEEPID_REPLY_MAX */
	uint32_t budget; /* candidates of one reply that are tried; 0: all.  Replies of real servers have fewer than 40 */
	unsigned stages; /* of the filter, FILTER_ALL; with 0 it is the naive loop */
	bool jit;        /* compile to machine code where that is possible */
	bool trusted;    /* the patterns are known to compile: fpset_add does not try */
};

#define FPLIMITS_DEFAULT \
	((struct fplimits){ .steps = 50000, .depth = 1000, .heap = 10240, .cap = 4096, .budget = 64, .stages = FILTER_ALL, .jit = true })

struct fprule {
	_Atomic(pcre2_code *) code; /* owned; NULL until it is first needed */
	_Atomic(uint32_t) groups;   /* capture groups; known as soon as there is code */
	char *text;                 /* owned; NULL when the pattern does not compile */
	size_t length;
	uint32_t options;
};

struct fpset {
	struct fprule *rules; /* owned; `room` of them, the first `count` in use */
	uint8_t *slots_of;    /* owned; by rule: 0..DEEPID_SLOTS-1 */
	size_t count, room;
	struct filter filter;
	uint32_t slots; /* bit s: there are patterns in slot s */
	struct fplimits limits;
	struct deepid_memory source;   /* what `memory` draws on */
	pcre2_general_context *memory; /* owned, like the two below */
	pcre2_compile_context *compiler;
	pcre2_match_context *context;
};

struct fpscratch {
	pcre2_match_data *data; /* owned */
	struct filter_scratch candidates;
	uint64_t serial; /* of the run whose candidates those are */
	const struct deepid_memory *source;
};

struct fperror {
	size_t offset;                    /* bytes of the pattern before the mistake */
	char message[DEEPID_MESSAGE_MAX]; /* ends in a NUL; PCRE2's words or ours */
};

struct fprun {
	const char *reply; /* the caller's; must outlive the run */
	size_t length;     /* bytes that are matched: at most the set's cap */
	bool truncated;    /* the reply was longer; `$` then does not match at its cut end */

	size_t next;    /* the lowest rule that has not been tried */
	uint32_t taken; /* bit s: slot s has its match */
	uint32_t tried; /* candidates */
	size_t last;          /* the rule that was tried last, and */
	enum deepid_err said; /* what was said of it */
	uint64_t serial; /* 0: not begun; else what the scratch has, too, while it holds the candidates of this run */
	const struct fpscratch *scratch;

	size_t rule;                                /* from 0: the rule that the last call reports */
	uint32_t groups;                            /* its capture groups, after DEEPID_HIT */
	size_t spans[2 * (DEEPID_GROUPS_MAX + 1)];  /* start and end of the whole match and of each group,
	                                               in bytes from the reply's start; PCRE2_UNSET, twice,
	                                               for a group that took no part */
};

/*
 * fpset_open - an empty set with room for `room` patterns.
 *
 * set     need not be initialised; owns nothing before the call
 * limits  copied; cap must be within 1..DEEPID_REPLY_MAX
 * memory  copied; NULL means malloc and free.  Where threads share the set, they call it at once
 *
 * Returns DEEPID_OK or DEEPID_NOMEM.  Either way fpset_close may follow, and must after DEEPID_OK.
 */
enum deepid_err fpset_open(struct fpset *set, size_t room, const struct fplimits *limits, const struct deepid_memory *memory);

/*
 * fpset_add - one more pattern for the set; at most `room` times.
 *
 * pattern, length  its bytes; copied, may hold NULs
 * options          any of PCRE2_CASELESS, PCRE2_MULTILINE, PCRE2_DOTALL
 * slot             0..DEEPID_SLOTS-1
 * error            out: filled when DEEPID_BAD is returned
 *
 * DEEPID_OK: the pattern has the index set->count - 1.  DEEPID_BAD: it does not compile, or has more than DEEPID_GROUPS_MAX groups, or
 * asks for UTF; it takes its index all the same, and never matches.  DEEPID_NOMEM: the set is as it was.
 *
 * To find that out the pattern is compiled, and forgotten: most patterns are never needed.  With limits.trusted the caller says that
 * all are good; one that is not is then reported as stuck by every run that would try it.
 */
enum deepid_err fpset_add(struct fpset *set, const char *pattern, size_t length, uint32_t options, uint8_t slot, struct fperror *error);

/*
 * fpset_build - once, when all patterns are in and before the first scratch is opened.  DEEPID_OK or DEEPID_NOMEM.
 *
 * Takes time and memory in proportion to the patterns.
 */
enum deepid_err fpset_build(struct fpset *set);

/*
 * fpset_code - the compiled pattern, compiled now if it was not yet; NULL: it does not compile, or out of memory.
 *
 * Where the machine or the pattern does not allow JIT, the interpreter will do the work; that is no error.  Threads may ask at once.
 */
const pcre2_code *fpset_code(const struct fpset *set, size_t index, enum deepid_err *result);

/* fpset_groups - the capture groups of a pattern that fpset_code has given. */
static inline uint32_t fpset_groups(const struct fpset *set, size_t index)
{
	return atomic_load_explicit(&set->rules[index].groups, memory_order_relaxed);
}

/* fpset_jitted - compiles all patterns, and says how many run as machine code. */
size_t fpset_jitted(const struct fpset *set);

/* fpset_close - frees what the set owns; may be called again, and on a zeroed set. */
void fpset_close(struct fpset *set);

/*
 * fpscratch_open - scratch memory for any pattern of the set.
 *
 * Draws on the set's memory, so it must be closed before the set.  What the interpreter needs for backtracking is kept here from one
 * match to the next: at most the set's heap limit.  Returns DEEPID_OK or DEEPID_NOMEM.
 */
enum deepid_err fpscratch_open(struct fpscratch *scratch, const struct fpset *set);

/* fpscratch_close - frees what the scratch owns; may be called again, and on a zeroed scratch. */
void fpscratch_close(struct fpscratch *scratch);

/*
 * fprun_start - begins to match one reply.
 *
 * reply   raw bytes as received, CRLF kept; may hold NULs, need not end in one; not copied
 * length  bytes; what lies beyond the set's cap is left out, and run->truncated says so
 */
void fprun_start(struct fprun *run, const struct fpset *set, const char *reply, size_t length);

/*
 * fpset_next - the next thing to report about the reply, in the order of the patterns.
 *
 * DEEPID_HIT    run->rule matches: groups and spans are set
 * DEEPID_STUCK  run->rule was given up on: it ran out of steps, depth or heap, or the reply's budget was spent (its slot stays free)
 * DEEPID_NOMEM  out of memory in run->rule; the run may go on behind it
 * DEEPID_END    all patterns are done; further calls say so again
 *
 * Cost: PCRE2 counts steps anew from each start position in the reply, so one pattern that is not anchored can spend up to
 * limits.steps * (length + 1) steps; one that begins with ^ or \A (not multi-line) at most limits.steps.  Allocates in the scratch, and
 * for patterns that are needed for the first time.
 */
enum deepid_err fpset_next(const struct fpset *set, struct fpscratch *scratch, struct fprun *run);

#endif
