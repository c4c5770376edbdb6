/*
 * sixteen - sixteen bytes at a time: SSE2, which every x86-64 has, or plain C with the same results.
 *
 * DEEPID_PORTABLE chooses plain C everywhere, for tests.
 */
#ifndef DEEPID_SIXTEEN_H
#define DEEPID_SIXTEEN_H

#include <stdint.h>
#include <string.h>

#if defined(__SSE2__) && !defined(DEEPID_PORTABLE)

#include <emmintrin.h>

/* Bit i: byte i is at most `limit`. */
static inline uint32_t sixteen_up_to(const unsigned char *bytes, unsigned char limit)
{
	__m128i block = _mm_loadu_si128((const __m128i *)bytes);

	return (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(_mm_max_epu8(block, _mm_set1_epi8((char)limit)), _mm_set1_epi8((char)limit)));
}

/* Bit i: byte i of `first` is `a` and byte i of `second` is `b`, each after `fold` is or-ed to it. */
static inline uint32_t sixteen_pairs(const unsigned char *first, const unsigned char *second, unsigned char a, unsigned char b, unsigned char fold)
{
	__m128i folds = _mm_set1_epi8((char)fold);
	__m128i one = _mm_or_si128(_mm_loadu_si128((const __m128i *)first), folds);
	__m128i two = _mm_or_si128(_mm_loadu_si128((const __m128i *)second), folds);

	one = _mm_cmpeq_epi8(one, _mm_set1_epi8((char)a));
	two = _mm_cmpeq_epi8(two, _mm_set1_epi8((char)b));
	return (uint32_t)_mm_movemask_epi8(_mm_and_si128(one, two));
}

/* Bit i: byte i is `a` or `b`. */
static inline uint32_t sixteen_either(const unsigned char *bytes, unsigned char a, unsigned char b)
{
	__m128i block = _mm_loadu_si128((const __m128i *)bytes);

	return (uint32_t)_mm_movemask_epi8(_mm_or_si128(_mm_cmpeq_epi8(block, _mm_set1_epi8((char)a)), _mm_cmpeq_epi8(block, _mm_set1_epi8((char)b))));
}

#else

static inline uint32_t sixteen_up_to(const unsigned char *bytes, unsigned char limit)
{
	uint32_t mask = 0;

	for (unsigned i = 0; i < 16; i++)
		mask |= (uint32_t)(bytes[i] <= limit) << i;
	return mask;
}

static inline uint32_t sixteen_pairs(const unsigned char *first, const unsigned char *second, unsigned char a, unsigned char b, unsigned char fold)
{
	uint32_t mask = 0;

	for (unsigned i = 0; i < 16; i++)
		mask |= (uint32_t)((first[i] | fold) == a && (second[i] | fold) == b) << i;
	return mask;
}

static inline uint32_t sixteen_either(const unsigned char *bytes, unsigned char a, unsigned char b)
{
	uint32_t mask = 0;

	for (unsigned i = 0; i < 16; i++)
		mask |= (uint32_t)(bytes[i] == a || bytes[i] == b) << i;
	return mask;
}

#endif

/* The lowest bit that is set; the mask must not be 0. */
static inline unsigned lowest_bit(uint64_t mask)
{
	return (unsigned)__builtin_ctzll(mask);
}

#endif
