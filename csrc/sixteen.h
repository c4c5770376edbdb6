/*
 * sixteen - sixteen bytes at a time: SSE2, which every x86-64 has, or plain C with the same results.
 *
 * DEEPID_PORTABLE chooses plain C everywhere, for tests.
 */
#ifndef DEEPID_SIXTEEN_H
#define DEEPID_SIXTEEN_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* What sixteen bytes of text are made of; bit i is byte i. */
struct sixteen_text {
	uint32_t digit;
	uint32_t letter; /* bytes from 0x80 on, too */
	uint32_t joiner; /* . + - _ */
	uint32_t dot;
	uint32_t mark;  /* colons and newlines */
	uint32_t local; /* l and L, which begin `localhost` */
};

/* Which of sixteen bytes may be of a domain, ASCII letters, digits, . - and _, and which are dots; bit i is byte i. */
struct sixteen_domain {
	uint32_t part, dot;
};

/* Of folded bytes: digits, and letters that are frequent in words: all but f, k and v to z. */
static inline bool is_frequent(unsigned char byte)
{
	return (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'e') || (byte >= 'g' && byte <= 'j') || (byte >= 'l' && byte <= 'u');
}

#if defined(__SSE2__) && !defined(DEEPID_PORTABLE)

#include <emmintrin.h>

/* Bit i: byte i is at most `limit`. */
static inline uint32_t sixteen_up_to(const unsigned char *bytes, unsigned char limit)
{
	__m128i block = _mm_loadu_si128((const __m128i *)bytes);

	return (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(_mm_max_epu8(block, _mm_set1_epi8((char)limit)), _mm_set1_epi8((char)limit)));
}

/* Bit i: byte i of `first` is `a` and byte i of `second` is `b`. */
static inline uint32_t sixteen_pairs(const unsigned char *first, const unsigned char *second, unsigned char a, unsigned char b)
{
	__m128i one = _mm_cmpeq_epi8(_mm_loadu_si128((const __m128i *)first), _mm_set1_epi8((char)a));
	__m128i two = _mm_cmpeq_epi8(_mm_loadu_si128((const __m128i *)second), _mm_set1_epi8((char)b));

	return (uint32_t)_mm_movemask_epi8(_mm_and_si128(one, two));
}

/* Bit i: byte i of both is the same. */
static inline uint32_t sixteen_same(const unsigned char *one, const unsigned char *other)
{
	return (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(_mm_loadu_si128((const __m128i *)one), _mm_loadu_si128((const __m128i *)other)));
}

/* Bit i: byte i is `a` or `b`. */
static inline uint32_t sixteen_either(const unsigned char *bytes, unsigned char a, unsigned char b)
{
	__m128i block = _mm_loadu_si128((const __m128i *)bytes);

	return (uint32_t)_mm_movemask_epi8(_mm_or_si128(_mm_cmpeq_epi8(block, _mm_set1_epi8((char)a)), _mm_cmpeq_epi8(block, _mm_set1_epi8((char)b))));
}

/* All ones where a byte is one of `count` from `first` on: moved to the upper end of what a signed byte holds. */
static inline __m128i sixteen_among(__m128i block, char first, char count)
{
	return _mm_cmpgt_epi8(_mm_add_epi8(block, _mm_set1_epi8((char)(128 - count - first))), _mm_set1_epi8((char)(127 - count)));
}

/* Bit i: byte i is frequent. */
static inline uint32_t sixteen_frequent(const unsigned char *bytes)
{
	__m128i block = _mm_loadu_si128((const __m128i *)bytes);
	__m128i most = _mm_or_si128(sixteen_among(block, '0', 10), sixteen_among(block, 'l', 10));

	return (uint32_t)_mm_movemask_epi8(_mm_or_si128(most, _mm_or_si128(sixteen_among(block, 'a', 5), sixteen_among(block, 'g', 4))));
}

/* Copies sixteen bytes, as they are and after `fold` is or-ed to each. */
static inline void sixteen_copy(unsigned char *plain, unsigned char *folded, const unsigned char *bytes, unsigned char fold)
{
	__m128i block = _mm_loadu_si128((const __m128i *)bytes);

	_mm_storeu_si128((__m128i *)plain, block);
	_mm_storeu_si128((__m128i *)folded, _mm_or_si128(block, _mm_set1_epi8((char)fold)));
}

/* Whether each byte is one from its place in `low` to that in `high`. */
static inline bool sixteen_between(const unsigned char *bytes, const char *low, const char *high)
{
	__m128i block = _mm_loadu_si128((const __m128i *)bytes), lows = _mm_loadu_si128((const __m128i *)low), highs = _mm_loadu_si128((const __m128i *)high);
	__m128i within = _mm_min_epu8(_mm_max_epu8(block, lows), highs);

	return _mm_movemask_epi8(_mm_cmpeq_epi8(within, block)) == 0xffff;
}

static inline struct sixteen_text sixteen_text_of(const unsigned char *bytes)
{
	__m128i block = _mm_loadu_si128((const __m128i *)bytes);
	__m128i dot = _mm_cmpeq_epi8(block, _mm_set1_epi8('.')), plus = _mm_cmpeq_epi8(block, _mm_set1_epi8('+'));
	__m128i dash = _mm_cmpeq_epi8(block, _mm_set1_epi8('-')), low = _mm_cmpeq_epi8(block, _mm_set1_epi8('_'));
	__m128i folded = _mm_or_si128(block, _mm_set1_epi8(0x20)), letter = sixteen_among(folded, 'a', 26);

	return (struct sixteen_text){
		.digit = (uint32_t)_mm_movemask_epi8(sixteen_among(block, '0', 10)),
		.letter = (uint32_t)_mm_movemask_epi8(_mm_or_si128(letter, block)),
		.joiner = (uint32_t)_mm_movemask_epi8(_mm_or_si128(_mm_or_si128(dot, plus), _mm_or_si128(dash, low))),
		.dot = (uint32_t)_mm_movemask_epi8(dot),
		.mark = (uint32_t)_mm_movemask_epi8(_mm_or_si128(_mm_cmpeq_epi8(block, _mm_set1_epi8(':')), _mm_cmpeq_epi8(block, _mm_set1_epi8('\n')))),
		.local = (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(folded, _mm_set1_epi8('l'))),
	};
}

/* Writes the bytes in lower case, and says what they are. */
static inline struct sixteen_domain sixteen_domain_of(unsigned char *lower, const unsigned char *bytes)
{
	__m128i block = _mm_loadu_si128((const __m128i *)bytes), upper = sixteen_among(block, 'A', 26), dot = _mm_cmpeq_epi8(block, _mm_set1_epi8('.'));
	__m128i folded = _mm_or_si128(block, _mm_and_si128(upper, _mm_set1_epi8(0x20)));
	__m128i alnum = _mm_or_si128(sixteen_among(folded, 'a', 26), sixteen_among(block, '0', 10));
	__m128i others = _mm_or_si128(_mm_cmpeq_epi8(block, _mm_set1_epi8('-')), _mm_cmpeq_epi8(block, _mm_set1_epi8('_')));

	_mm_storeu_si128((__m128i *)lower, folded);
	return (struct sixteen_domain){ (uint32_t)_mm_movemask_epi8(_mm_or_si128(_mm_or_si128(alnum, others), dot)), (uint32_t)_mm_movemask_epi8(dot) };
}

#else

static inline struct sixteen_domain sixteen_domain_of(unsigned char *lower, const unsigned char *bytes)
{
	struct sixteen_domain domain = { 0, 0 };

	for (unsigned i = 0; i < 16; i++) {
		unsigned char byte = bytes[i], folded = byte >= 'A' && byte <= 'Z' ? byte | 0x20 : byte;
		bool alnum = (folded >= 'a' && folded <= 'z') || (byte >= '0' && byte <= '9');
		domain.part |= (uint32_t)(alnum || byte == '.' || byte == '-' || byte == '_') << i;
		domain.dot |= (uint32_t)(byte == '.') << i;
		lower[i] = folded;
	}
	return domain;
}

static inline struct sixteen_text sixteen_text_of(const unsigned char *bytes)
{
	struct sixteen_text text = { 0, 0, 0, 0, 0, 0 };

	for (unsigned i = 0; i < 16; i++) {
		unsigned char byte = bytes[i], folded = byte | 0x20;
		text.digit |= (uint32_t)(byte >= '0' && byte <= '9') << i;
		text.letter |= (uint32_t)((folded >= 'a' && folded <= 'z') || byte >= 0x80) << i;
		text.joiner |= (uint32_t)(byte == '.' || byte == '+' || byte == '-' || byte == '_') << i;
		text.dot |= (uint32_t)(byte == '.') << i;
		text.mark |= (uint32_t)(byte == ':' || byte == '\n') << i;
		text.local |= (uint32_t)(folded == 'l') << i;
	}
	return text;
}

static inline bool sixteen_between(const unsigned char *bytes, const char *low, const char *high)
{
	bool within = true;

	for (unsigned i = 0; i < 16; i++)
		within = within && bytes[i] >= (unsigned char)low[i] && bytes[i] <= (unsigned char)high[i];
	return within;
}

static inline void sixteen_copy(unsigned char *plain, unsigned char *folded, const unsigned char *bytes, unsigned char fold)
{
	for (unsigned i = 0; i < 16; i++) {
		plain[i] = bytes[i];
		folded[i] = bytes[i] | fold;
	}
}

static inline uint32_t sixteen_frequent(const unsigned char *bytes)
{
	uint32_t mask = 0;

	for (unsigned i = 0; i < 16; i++)
		mask |= (uint32_t)is_frequent(bytes[i]) << i;
	return mask;
}

static inline uint32_t sixteen_up_to(const unsigned char *bytes, unsigned char limit)
{
	uint32_t mask = 0;

	for (unsigned i = 0; i < 16; i++)
		mask |= (uint32_t)(bytes[i] <= limit) << i;
	return mask;
}

static inline uint32_t sixteen_pairs(const unsigned char *first, const unsigned char *second, unsigned char a, unsigned char b)
{
	uint32_t mask = 0;

	for (unsigned i = 0; i < 16; i++)
		mask |= (uint32_t)(first[i] == a && second[i] == b) << i;
	return mask;
}

static inline uint32_t sixteen_same(const unsigned char *one, const unsigned char *other)
{
	uint32_t mask = 0;

	for (unsigned i = 0; i < 16; i++)
		mask |= (uint32_t)(one[i] == other[i]) << i;
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

/* The highest one. */
static inline unsigned highest_bit(uint64_t mask)
{
	return 63 - (unsigned)__builtin_clzll(mask);
}

#endif
