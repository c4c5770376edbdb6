/* order - looks for runs of folded bytes in their order; see order.h. */

#include "order.h"

#include "sixteen.h"

#define FOLDS UINT64_C(0x2020202020202020)

static bool eight_differ(const unsigned char *at, const unsigned char *run)
{
	uint64_t a, b;

	memcpy(&a, at, 8);
	memcpy(&b, run, 8);
	return (a | FOLDS) != b;
}

/* Eight bytes at a time; the last eight may be partly the same again. */
static bool is_here(const unsigned char *at, const unsigned char *run, size_t length)
{
	if (length < 8) {
		for (size_t i = 0; i < length; i++)
			if ((at[i] | FOLD) != run[i])
				return false;
		return true;
	}
	for (size_t i = 0; i + 8 < length; i += 8)
		if (eight_differ(at + i, run + i))
			return false;
	return !eight_differ(at + length - 8, run + length - 8);
}

/*
 * The first place at or behind `from` where the run stands; NULL: nowhere.  By its first and last byte, sixteen places at a time, the
 * last sixteen partly again.
 */
static const unsigned char *find(const unsigned char *reply, const unsigned char *from, const unsigned char *end, const unsigned char *run,
    size_t length)
{
	if ((size_t)(end - from) < length)
		return NULL;
	const unsigned char *last = end - length; /* the last place that there is */
	if (last - reply < 15) {
		for (; from <= last; from++)
			if ((*from | FOLD) == run[0] && is_here(from, run, length))
				return from;
		return NULL;
	}
	for (uint32_t before = 0; from <= last; from += 16) {
		if (last - from < 15) {
			before = (1U << (15 - (last - from))) - 1;
			from = last - 15;
		}
		uint32_t places = sixteen_pairs(from, from + length - 1, run[0], run[length - 1], FOLD) & ~before;
		for (; places != 0; places &= places - 1) {
			const unsigned char *at = from + lowest_bit(places);
			if (is_here(at, run, length))
				return at;
		}
	}
	return NULL;
}

bool order_holds(const struct skeletons *skeletons, const struct skeleton *skeleton, const unsigned char *reply, size_t length)
{
	const struct run *run = skeletons->runs + skeleton->first, *behind = run + skeleton->count;
	const unsigned char *at = reply, *end = reply + length;

	for (; run < behind; run++) {
		const unsigned char *bytes = skeletons->bytes + run->at;
		if (run->fixed) {
			if (length < run->length || !is_here(reply, bytes, run->length))
				return false;
			at = reply; /* lest a ^ in the midst of a pattern be thought to stand behind something */
		} else {
			at = find(reply, at, end, bytes, run->length);
			if (at == NULL)
				return false;
		}
		at += run->length;
	}
	return true;
}
