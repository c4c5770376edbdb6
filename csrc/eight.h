/* eight - eight bytes at a time, in a word whose lowest byte is the first one, on every machine. */
#ifndef DEEPID_EIGHT_H
#define DEEPID_EIGHT_H

#include <stdint.h>
#include <string.h>

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

#endif
