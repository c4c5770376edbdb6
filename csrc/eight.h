/* eight - eight bytes at a time, in a word whose lowest byte is the first one, on every machine. */
#ifndef DEEPID_EIGHT_H
#define DEEPID_EIGHT_H

#include <stdint.h>
#include <string.h>

#define EIGHT_FOLDS UINT64_C(0x2020202020202020)

static inline uint64_t eight_load(const unsigned char *bytes)
{
	uint64_t value;

	memcpy(&value, bytes, 8);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	value = __builtin_bswap64(value);
#endif
	return value;
}

/* The first `count` bytes alone, 0..8. */
static inline uint64_t eight_cut(uint64_t bytes, unsigned count)
{
	static const uint64_t masks[] = { 0, UINT64_MAX >> 56, UINT64_MAX >> 48, UINT64_MAX >> 40, UINT64_MAX >> 32, UINT64_MAX >> 24, UINT64_MAX >> 16,
		UINT64_MAX >> 8, UINT64_MAX };

	return bytes & masks[count];
}

/* The eight bytes at `at`, zeros for those behind the end of the `length` bytes at `start`, which are eight at least.  Without a branch. */
static inline uint64_t eight_at(const unsigned char *start, size_t length, size_t at)
{
	size_t from = at + 8 <= length ? at : length - 8, beyond = at - from;

	beyond = beyond < 8 ? beyond : 8;
	return eight_load(start + from) >> 4 * beyond >> 4 * beyond;
}

#endif
