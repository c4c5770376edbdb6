/* order - looks for runs of folded bytes in their order; see order.h. */

#include "order.h"

#include "sixteen.h"

static bool is_here(const unsigned char *at, const unsigned char *run, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if ((at[i] | FOLD) != run[i])
			return false;
	return true;
}

/* The first place at or behind `from` where the run stands; NULL: nowhere.  By its first and last byte, sixteen places at a time. */
static const unsigned char *find(const unsigned char *from, const unsigned char *end, const unsigned char *run, size_t length)
{
	if ((size_t)(end - from) < length)
		return NULL;
	const unsigned char *last = end - length; /* the last place that there is */
	while (last - from >= 15) {
		uint32_t places = sixteen_pairs(from, from + length - 1, run[0], run[length - 1], FOLD);
		for (; places != 0; places &= places - 1) {
			const unsigned char *at = from + lowest_bit(places);
			if (is_here(at, run, length))
				return at;
		}
		from += 16;
	}
	for (; from <= last; from++)
		if ((*from | FOLD) == run[0] && is_here(from, run, length))
			return from;
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
			at = find(at, end, bytes, run->length);
			if (at == NULL)
				return false;
		}
		at += run->length;
	}
	return true;
}
