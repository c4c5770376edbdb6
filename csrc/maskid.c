/* maskid - what one run is: a session id, an address; see mask.h. */

#include <string.h>

#include "mask.h"

#define COUNT(table) (sizeof(table) / sizeof(table)[0])

/* Whether the run is alphanumeric parts of just these lengths (0 ends them), divided by dashes. */
static bool has_shape(const char *bytes, size_t length, const uint8_t *parts)
{
	size_t at = 0;

	for (; *parts != 0; parts++) {
		size_t end = at + *parts;
		if (end > length || (end < length) != (parts[1] != 0))
			return false;
		for (; at < end; at++)
			if (!MASK_IS_ALNUM(bytes[at]))
				return false;
		if (at < length && bytes[at++] != '-')
			return false;
	}
	return at == length;
}

/* A Debian version's tail, such as Debian-2+deb12u2 or 22ubuntu3: mixed like an id, and stable. */
static bool is_packaging(const char *bytes, size_t length)
{
	for (size_t i = 0; i + 3 < length; i++) {
		bool starts = i == 0 || !MASK_IS(bytes[i - 1], MASK_LETTER);
		if (starts && memcmp(bytes + i, "deb", 3) == 0 && MASK_IS(bytes[i + 3], MASK_DIGIT))
			return true;
		if (starts && length - i >= 6 && memcmp(bytes + i, "ubuntu", 6) == 0)
			return true;
	}
	return false;
}

/* An id of LibSnert's programs (BarricadeMX, Roundhouse): when, in six letters or digits, and twelve digits, the process and a counter. */
static bool is_snert(const char *bytes, size_t length)
{
	static const uint8_t shape[] = { 18, 0 };

	if (!MASK_IS(bytes[0], MASK_DIGIT) || !has_shape(bytes, length, shape))
		return false;
	for (size_t i = 6; i < length; i++)
		if (!MASK_IS(bytes[i], MASK_DIGIT))
			return false;
	return true;
}

bool mask_is_id(const char *bytes, size_t length)
{
	/* From digits, small letters and capitals to each other; a capital that begins a word is no turn: Word, but woRd. */
	static const uint8_t is_turn[7][7] = { [MASK_DIGIT] = { [MASK_LETTER] = 1, [MASK_LETTER | MASK_UPPER] = 1 },
		[MASK_LETTER] = { [MASK_DIGIT] = 1, [MASK_LETTER | MASK_UPPER] = 1 }, [MASK_LETTER | MASK_UPPER] = { [MASK_DIGIT] = 1 } };
	static const uint8_t uuid[] = { 8, 4, 4, 4, 12, 0 }, exim[] = { 6, 6, 2, 0 }, exim_4_97[] = { 6, 11, 4, 0 };
	size_t digits = 0, letters = 0, hex = 0, upper = 0, turns = 0;
	unsigned before = 0;

	if (length < 9)
		return false;
	for (size_t i = 0; i < length; i++) {
		uint8_t class = mask_class[(unsigned char)bytes[i]];
		unsigned kind = class & (MASK_DIGIT | MASK_LETTER | MASK_UPPER);
		digits += class & MASK_DIGIT;
		letters += (class & MASK_LETTER) != 0;
		upper += (class & MASK_UPPER) != 0;
		hex += (class & MASK_HEX) != 0;
		turns += is_turn[before][kind];
		before = kind;
	}
	if (digits == 0 || letters == 0)
		return false;
	if (hex == length - 4 && has_shape(bytes, length, uuid))
		return true;
	if (MASK_IS(bytes[0], MASK_DIGIT) && (has_shape(bytes, length, exim) || has_shape(bytes, length, exim_4_97)))
		return true;
	if ((hex == length && (upper == 0 || upper == letters)) || is_snert(bytes, length))
		return true;
	/* Random digits and letters turn at nearly every second byte, words and versions seldom. */
	return length >= 12 && digits >= 2 && 3 * (turns + 1) >= length && !is_packaging(bytes, length);
}

bool mask_is_short_id(const char *bytes, size_t length)
{
	size_t upper = 0, letters = 0;

	for (size_t i = 0; i < length; i++) {
		if (!MASK_IS(bytes[i], MASK_HEX))
			return false;
		upper += MASK_IS(bytes[i], MASK_UPPER);
		letters += MASK_IS(bytes[i], MASK_LETTER);
	}
	return upper == 0 || upper == letters;
}

bool mask_ipv4(const char *bytes, size_t length)
{
	size_t at = 0;

	for (int part = 0; part < 4; part++) {
		unsigned value = 0;
		size_t from = at;
		while (at < length && at - from < 3 && MASK_IS(bytes[at], MASK_DIGIT))
			value = value * 10 + (unsigned)(bytes[at++] - '0');
		if (at == from || value > 255 || (at - from > 1 && bytes[from] == '0'))
			return false;
		if (part < 3 && (at == length || bytes[at++] != '.'))
			return false;
	}
	return at == length;
}

bool mask_ipv6(const char *bytes, size_t length)
{
	size_t at = 0, groups = 0;
	bool gap = false, any = false;

	while (at < length) {
		size_t from = at;
		while (at < length && MASK_IS(bytes[at], MASK_HEX))
			at++;
		if (at < length && bytes[at] == '.') {
			/* The last 32 bits may be written as IPv4. */
			groups += 2;
			return groups <= (gap ? 7 : 8) && (gap || groups == 8) && mask_ipv4(bytes + from, length - from);
		}
		if (at - from > 4)
			return false;
		groups += at > from;
		any = any || at > from;
		if (at == length)
			break;
		if (bytes[at++] != ':' || (at - 1 == from && (from > 0 || at == length || bytes[at] != ':')))
			return false;
		if (at == length)
			return false;
		if (bytes[at] == ':') {
			if (gap)
				return false;
			gap = true;
			if (++at == length)
				break;
		}
	}
	return any && (gap ? groups <= 7 : groups == 8);
}
