/* directrun - runs the programs of plain patterns; see direct.h. */

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "direct.h"
#include "eight.h"
#include "order.h"
#include "sixteen.h"

#define FRAMES 48   /* places to go back to, at a time */
#define STEPS 1000  /* goings back, and places given up there */
#define FAILED 8    /* repetitions of which it is remembered where they fail */
#define USUAL_SLOTS 8
#define FEW 2      /* steps that cost no more than to look for all words of a rule */

/* A place to go back to. */
struct frame {
	const struct hop *hop;
	size_t low, high; /* MOST, LEAST: where it may still end; TRY: low is where it was met; KEEP: low is what the slot held */
	size_t first;     /* MOST, LEAST: where it ended first */
};

/* What follows a repetition does not fit where it ends from..to, wherever it begins. */
struct failed {
	const struct hop *hop;
	size_t from, to;
};

struct direct_run {
	const struct directs *directs;
	const struct reply *whole;
	const unsigned char *reply; /* plain */
	size_t length;
	size_t *spans;
	const unsigned char *order; /* the rule's words; NULL: they are not to be looked for */
	struct frame frames[FRAMES];
	unsigned depth;
	unsigned steps; /* that are left */
	struct failed failed[FAILED];
	unsigned known; /* bit i: failed[i] */
};

static inline bool is_word(const struct direct_run *run, size_t at)
{
	unsigned byte = run->reply[at], letter = byte | 0x20;

	return (letter >= 'a' && letter <= 'z') || (byte >= '0' && byte <= '9') || byte == '_';
}

static inline bool is_edge(const struct direct_run *run, size_t at)
{
	return (at > 0 && is_word(run, at - 1)) != (at < run->length && is_word(run, at));
}

static inline bool fits_at(const struct direct_run *run, const struct hop *hop, size_t at)
{
	uint64_t folds = hop->fold * UINT64_C(0x0101010101010101);

	if (run->length - at < hop->count)
		return false;
	return eight_cut((eight_load(run->reply + at) | folds) ^ eight_load(hop->bytes), hop->count) == 0;
}

/* The first of these at `at` or behind, but before `end`; else `end`. */
static size_t first_of(const struct direct_run *run, size_t at, size_t end, const struct few *few)
{
	for (; at < end; at += 16) {
		uint32_t places = sixteen_either(run->reply + at, few->a, few->b);
		if (places != 0)
			return at + lowest_bit(places) < end ? at + lowest_bit(places) : end;
	}
	return end;
}

/* The last of these before `end`, but not before `at`; SIZE_MAX: there is none. */
static size_t last_of(const struct direct_run *run, size_t at, size_t end, const struct few *few)
{
	while (at < end) {
		size_t from = end - at < 16 ? at : end - 16;
		uint32_t places = sixteen_either(run->reply + from, few->a, few->b) & UINT32_MAX >> (32 - (end - from));
		if (places != 0)
			return from + 31 - (unsigned)__builtin_clz(places);
		end = from;
	}
	return SIZE_MAX;
}

/* Bit i: byte i of eight is a member.  All of them at once, for to guess wrong where they end costs more. */
static inline unsigned members_of(const uint8_t *members, const unsigned char *bytes)
{
	return members[bytes[0]] | (unsigned)members[bytes[1]] << 1 | (unsigned)members[bytes[2]] << 2 | (unsigned)members[bytes[3]] << 3
	    | (unsigned)members[bytes[4]] << 4 | (unsigned)members[bytes[5]] << 5 | (unsigned)members[bytes[6]] << 6 | (unsigned)members[bytes[7]] << 7;
}

/* Where as many bytes of the hop's set as there are end. */
static inline size_t end_of(const struct direct_run *run, const struct hop *hop, size_t at)
{
	const struct direct_set *set = &run->directs->sets[hop->set];
	size_t end = hop->max == DIRECT_FOREVER || run->length - at <= hop->max ? run->length : at + hop->max;

	if (set->all_but.count > 0)
		return first_of(run, at, end, &set->all_but);
	for (; at < end; at += 8) {
		unsigned members = members_of(set->members, run->reply + at);
		if (members != 0xff)
			return at + lowest_bit(~members) < end ? at + lowest_bit(~members) : end;
	}
	return end;
}

/* The next place where a repetition may end: where it is left by one of few bytes. */
static bool end_before_few(struct frame *frame, const struct direct_run *run, const struct few *few, size_t *at)
{
	if (frame->hop->op == DIRECT_LEAST) {
		frame->low = first_of(run, frame->low + 1, frame->high + 1 < run->length ? frame->high + 1 : run->length, few);
		*at = frame->low;
		return frame->low <= frame->high && frame->low < run->length;
	}
	size_t last = last_of(run, frame->low, frame->high, few);
	*at = frame->high = last == SIZE_MAX ? frame->low : last;
	return last != SIZE_MAX;
}

/* The next place where a repetition may end; false: there is none. */
static bool end_elsewhere(struct direct_run *run, struct frame *frame, size_t *at)
{
	const struct direct_set *then = frame->hop->then != DIRECT_NO_SET ? &run->directs->sets[frame->hop->then] : NULL;

	while (frame->low < frame->high && run->steps > 0) {
		run->steps--;
		if (run->steps == STEPS - FEW && run->order != NULL && !order_holds(run->order, run->whole)) {
			run->depth = 0;
			return false;
		}
		if (then != NULL && then->only.count > 0)
			return end_before_few(frame, run, &then->only, at);
		*at = frame->hop->op == DIRECT_MOST ? --frame->high : ++frame->low;
		if (then == NULL || (*at < run->length && then->members[run->reply[*at]] != 0))
			return true;
	}
	return false;
}

static inline const struct failed *failed_of(const struct direct_run *run, const struct hop *hop)
{
	size_t i = (size_t)(hop - run->directs->hops) % FAILED;

	return (run->known >> i & 1) != 0 && run->failed[i].hop == hop ? &run->failed[i] : NULL;
}

/* Leaves out of its ends those that are known to fail; false: there are no others. */
static inline bool leave_out_failed(const struct direct_run *run, const struct hop *hop, size_t least, size_t *most)
{
	const struct failed *failed = failed_of(run, hop);

	if (failed == NULL || *most < failed->from || *most > failed->to)
		return true;
	*most = failed->from - 1;
	return failed->from > least;
}

/* All ends of the frame's repetition have been tried.  Who would forget that, would try each pair of places that two `.*` may end at. */
static void note_failed(struct direct_run *run, const struct frame *frame)
{
	bool most = frame->hop->op == DIRECT_MOST;
	struct failed now = { frame->hop, most ? frame->low : frame->first, most ? frame->first : frame->high };
	const struct failed *before = failed_of(run, frame->hop);
	size_t i = (size_t)(frame->hop - run->directs->hops) % FAILED;

	if (before != NULL && now.from <= before->to + 1 && before->from <= now.to + 1) {
		now.from = before->from < now.from ? before->from : now.from;
		now.to = before->to > now.to ? before->to : now.to;
	}
	run->failed[i] = now;
	run->known |= 1U << i;
}

/* Goes back to the last place where something else is left to be tried: the hop to go on with, and *at; NULL: there is none, or it took too long. */
static const struct hop *go_back(struct direct_run *run, size_t *at)
{
	while (run->depth > 0 && run->steps > 0) {
		struct frame *frame = &run->frames[run->depth - 1];
		const struct hop *hop = frame->hop;
		bool repeats = hop->op == DIRECT_MOST || hop->op == DIRECT_LEAST;
		if (repeats && end_elsewhere(run, frame, at)) {
			run->spans[hop->after] = *at;
			return hop + 1;
		}
		if (run->steps == 0 || run->depth == 0)
			return NULL;
		run->steps--;
		run->depth--;
		if (repeats)
			note_failed(run, frame);
		if (hop->op == DIRECT_KEEP)
			run->spans[hop->before] = frame->low;
		if (hop->op != DIRECT_TRY)
			continue;
		*at = frame->low;
		return hop + 1 + hop->over;
	}
	return NULL;
}

static bool remember(struct direct_run *run, const struct hop *hop, size_t low, size_t high)
{
	if (run->depth == FRAMES)
		return false;
	run->frames[run->depth++] = (struct frame){ hop, low, high, hop->op == DIRECT_MOST ? high : low };
	return true;
}

/* Does what the hop says behind its bytes: what is none of the frequent kinds.  *room is false where frames ran out; returns whether it fits. */
static bool act(struct direct_run *run, const struct hop **hop, size_t *at, bool *room)
{
	const struct hop *here = *hop;
	size_t least = *at + here->min;

	*hop = here + 1;
	switch (here->op) {
	case DIRECT_MOST:
	case DIRECT_LEAST: {
		size_t most = end_of(run, here, *at);
		if (most < least || !leave_out_failed(run, here, least, &most))
			return false;
		*room = least == most || remember(run, here, least, most);
		*at = here->op == DIRECT_MOST ? most : least;
		return true;
	}
	case DIRECT_KEEP:
		*room = remember(run, here, run->spans[here->before], 0);
		return true;
	case DIRECT_TRY:
		*room = remember(run, here, *at, 0);
		return true;
	case DIRECT_JUMP:
		*hop += here->over;
		return true;
	case DIRECT_START:
		return *at == 0;
	case DIRECT_LAST:
		return *at == run->length || (*at + 1 == run->length && run->reply[*at] == '\n');
	case DIRECT_END:
		return *at == run->length;
	case DIRECT_WORD:
		return is_edge(run, *at);
	case DIRECT_NO_WORD:
		return !is_edge(run, *at);
	default:
		return true;
	}
}

/* One hop, or as many as fit one behind the other; false: *hop does not fit. */
static inline bool go_on(struct direct_run *run, const struct hop **hop, size_t *at, bool *room)
{
	const struct hop *here = *hop;

	if (!fits_at(run, here, *at))
		return false;
	*at += here->count;
	if (here->op == DIRECT_ONCE) {
		size_t end = end_of(run, here, *at);
		run->spans[here->before] = *at;
		run->spans[here->after] = end;
		*hop = here + 1;
		bool fits = end - *at >= here->min;
		*at = end;
		return fits;
	}
	size_t place = *at;
	if (!act(run, hop, at, room))
		return false;
	run->spans[here->before] = place;
	run->spans[here->after] = *at;
	return true;
}

enum direct_answer direct_match(const struct directs *directs, const struct direct *direct, const unsigned char *order, const struct reply *reply, size_t *spans)
{
	struct direct_run run;
	const struct hop *hop = &directs->hops[direct->first];
	size_t at = 0;
	bool room = true;

	run.directs = directs;
	run.whole = reply;
	run.reply = reply->plain;
	run.length = reply->length;
	run.spans = spans;
	run.order = order;
	run.depth = 0;
	run.steps = STEPS;
	run.known = 0;
	/* A number of them that mostly is enough, since to guess wrong costs more than some in vain. */
	for (unsigned i = 0; i < USUAL_SLOTS; i++)
		spans[i] = PCRE2_UNSET;
	for (unsigned i = USUAL_SLOTS; i < 2 * (direct->groups + 1U); i++)
		spans[i] = PCRE2_UNSET;
	for (bool done = false; !done;) {
		done = hop->op == DIRECT_DONE;
		if (go_on(&run, &hop, &at, &room) && room)
			continue;
		hop = room ? go_back(&run, &at) : NULL;
		if (hop == NULL)
			return run.depth > 0 ? DIRECT_ASK : DIRECT_NO;
		done = false;
	}
	spans[0] = 0;
	spans[1] = at;
	return DIRECT_YES;
}
