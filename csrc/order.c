/* order - looks for runs of folded bytes in their order; see order.h. */

#include "order.h"

#include "eight.h"
#include "sixteen.h"

/* Whether the run stands at `at`.  The first eight bytes at once, whose last ones may be beyond the run. */
static inline bool is_here(const unsigned char *at, const unsigned char *run, size_t length)
{
	if (eight_cut(eight_load(at) ^ eight_load(run), length < 8 ? (unsigned)length : 8) != 0)
		return false;
	for (size_t i = 8; i < length; i += 8) {
		size_t last = i + 8 <= length ? i : length - 8;
		if (eight_load(at + last) != eight_load(run + last))
			return false;
	}
	return true;
}

/*
 * Bit i: at from + i the run's first and last byte are in their places.  64 at once, without leaving early: to guess wrong where a run
 * stands costs more than to look at them all.
 */
static inline uint64_t places_of(const unsigned char *from, const unsigned char *run, size_t length)
{
	uint64_t places = 0;

	for (unsigned i = 0; i < 64; i += 16)
		places |= (uint64_t)sixteen_pairs(from + i, from + i + length - 1, run[0], run[length - 1]) << i;
	return places;
}

/* The first place at or behind `from` where the run stands; NULL: nowhere. */
static const unsigned char *find(const unsigned char *from, const unsigned char *end, const unsigned char *run, size_t length)
{
	for (; end - from >= (ptrdiff_t)length; from += 64)
		for (uint64_t places = places_of(from, run, length); places != 0; places &= places - 1)
			if (is_here(from + lowest_bit(places), run, length))
				return from + lowest_bit(places);
	return NULL;
}

/* Whether all runs up to the skeleton's end are there; *order is left behind the run that is not, or behind the end. */
static bool all_here(const unsigned char **order, const struct reply *reply)
{
	const unsigned char *at = reply->folded, *end = reply->folded + reply->length;

	while (**order != 0) {
		size_t size = **order & ~ORDER_FIXED;
		const unsigned char *run = *order + 1;
		bool is_fixed = (**order & ORDER_FIXED) != 0;
		*order += 1 + size;
		if (is_fixed) {
			at = reply->folded; /* behind other text it cannot match at all; but `at` must not leave the reply */
			if (!is_here(at, run, size))
				return false;
		} else {
			at = find(at, end, run, size);
			if (at == NULL)
				return false;
		}
		at += size;
	}
	return true;
}

bool order_holds(const unsigned char *order, const struct reply *reply)
{
	while (*order != ORDER_END) {
		if (all_here(&order, reply))
			return true;
		while (*order != 0)
			order += 1 + (*order & ~ORDER_FIXED);
		order++;
	}
	return false;
}

size_t order_size(const struct skeletons *skeletons, uint32_t first, uint32_t count)
{
	size_t size = 1 + (size_t)count;

	for (uint32_t i = first; i < first + count; i++)
		for (uint32_t r = 0; r < skeletons->list[i].count; r++)
			size += 1 + (size_t)skeletons->runs[skeletons->list[i].first + r].length;
	return size;
}

unsigned char *order_write(unsigned char *order, const struct skeletons *skeletons, uint32_t first, uint32_t count)
{
	for (uint32_t i = first; i < first + count; i++) {
		for (uint32_t r = 0; r < skeletons->list[i].count; r++) {
			const struct run *run = &skeletons->runs[skeletons->list[i].first + r];
			*order++ = (unsigned char)(run->length | (run->fixed ? ORDER_FIXED : 0));
			memcpy(order, skeletons->bytes + run->at, run->length);
			order += run->length;
		}
		*order++ = 0;
	}
	*order++ = ORDER_END;
	return order;
}
