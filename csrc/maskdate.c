/* maskdate - dates and times as mail servers write them; see mask.h. */

#include <string.h>

#include "mask.h"

#define COUNT(table) (sizeof(table) / sizeof(table)[0])

/*
 * One form a line, the longest that begin alike first:
 *   a  name of a day         d  one or two digits, 1..31    c  h:mm, h:mm:ss or h:mm:ss.sss, AM or PM behind
 *   b  name of a month       y  two or four digits          C  the same, with seconds
 *   z  name of a zone        Y  four digits, 19.. or 20..   _  blanks     ,  a comma or nothing     others: themselves
 * Names are whole or of three letters.  Behind a clock at the end a zone and a comment may follow.
 */
static const char *const forms[] = {
	"a,_d_b_y_c",   /* RFC 5322 3.3: Exim, Sendmail, Exchange */
	"a,_d-b-y_c",   /* RFC 850 */
	"a,_d_b_y",
	"a,_b_d_c_z_y", /* date(1) */
	"a,_b_d_c_y",   /* ctime(3): spamd */
	"a,_b_d,_y_c",
	"a,_b_d,_y",
	"d_b_y_c",
	"d-b-y_c",
	"b_d_c_z_y",
	"b_d_c_y",
	"b_d,_y_c",
	"b_d_C",        /* syslog, RFC 3164 4.1.2 */
	"Y-d-d_c",      /* ISO 8601 */
	"Y-d-dTc",
	"Y/d/d_c",
	"Y.d.d_c",
	"d/d/y_c",
	"d.d.y_c",
	"d-d-y_c",
	"C",
};

static const char *const days[] = { "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday" };
static const char *const months[] = { "january", "february", "march", "april", "may", "june", "july", "august", "september", "october",
	"november", "december" };
static const char *const zones[] = { "gmt", "utc", "ut", "z", "est", "edt", "cst", "cdt", "mst", "mdt", "pst", "pdt", "wet", "west", "bst",
	"cet", "cest", "met", "mest", "eet", "eest", "msk", "msd", "ist", "jst", "kst", "hkt", "sgt", "aest", "aedt", "nzst", "nzdt", "brt",
	"sast" };

/* What is read, and how far; `at` is 0 once something did not fit. */
struct cursor {
	const char *text;
	size_t length, at;
};

static size_t letters_at(const struct cursor *c, size_t at)
{
	size_t end = at;

	while (end < c->length && MASK_IS(c->text[end], MASK_LETTER))
		end++;
	return end - at;
}

/* The number of digits at the cursor, and their value while it is small. */
static size_t digits_at(const struct cursor *c, size_t at, unsigned *value)
{
	size_t end = at;

	*value = 0;
	while (end < c->length && MASK_IS(c->text[end], MASK_DIGIT)) {
		*value = *value < 10000 ? *value * 10 + (unsigned)(c->text[end] - '0') : *value;
		end++;
	}
	return end - at;
}

/* The length of the name at `at`, whole or of three letters, or 0. */
static size_t name_at(const struct cursor *c, size_t at, const char *const *names, size_t count)
{
	size_t length = letters_at(c, at);
	const char *text = c->text + at;

	if (length < 3 || length > 9 || (at + length < c->length && MASK_IS(text[length], MASK_DIGIT)))
		return 0;
	char first[] = { mask_fold(text[0]), mask_fold(text[1]), mask_fold(text[2]) };
	/* No two names of a list have the first three letters in common. */
	for (size_t i = 0; i < count; i++)
		if (memcmp(first, names[i], 3) == 0)
			return length == 3 || mask_word_in(text, length, names + i, 1) ? length : 0;
	return 0;
}

static size_t zone_name_at(const struct cursor *c, size_t at)
{
	size_t length = letters_at(c, at);

	if (at + length < c->length && MASK_IS(c->text[at + length], MASK_DIGIT))
		return 0;
	return mask_word_in(c->text + at, length, zones, COUNT(zones)) ? length : 0;
}

static size_t blanks_at(const struct cursor *c, size_t at)
{
	size_t end = at;

	while (end < c->length && c->text[end] == ' ')
		end++;
	return end - at;
}

/* Whether a date may end here: not in the middle of a word, nor of a longer row of numbers, be they masked already. */
static bool may_end(const struct cursor *c, size_t end)
{
	if (end < c->length && MASK_IS_ALNUM(c->text[end]))
		return false;
	return !(end + 1 < c->length && c->text[end] == ':' && MASK_IS(c->text[end + 1], MASK_DIGIT | MASK_LETTER | MASK_TOKEN));
}

/* The length of .123 or ,123 at `at`, if a date may end there, or a Z before; or 0. */
static size_t fraction_at(const struct cursor *c, size_t at)
{
	unsigned value;

	if (at >= c->length || (c->text[at] != '.' && c->text[at] != ','))
		return 0;
	size_t count = digits_at(c, at + 1, &value), end = at + 1 + count;
	size_t zulu = end + (end < c->length && mask_fold(c->text[end]) == 'z');
	return count > 0 && may_end(c, zulu) ? 1 + count : 0;
}

/* The length of h:mm, h:mm:ss or h:mm:ss.sss at `at`, with AM or PM, or 0. */
static size_t clock_at(const struct cursor *c, size_t at, bool seconds)
{
	unsigned value;
	size_t end = at, count = digits_at(c, at, &value);

	if (count < 1 || count > 2 || value > 23)
		return 0;
	end += count;
	for (int part = 0; part < 2; part++) {
		bool more = end + 1 < c->length && c->text[end] == ':' && MASK_IS(c->text[end + 1], MASK_DIGIT);
		if (!more && part == 1 && !seconds)
			break;
		if (!more || digits_at(c, end + 1, &value) != 2 || value > 60)
			return 0;
		end += 3;
		if (part == 1)
			end += fraction_at(c, end);
	}
	size_t half = end + blanks_at(c, end);
	static const char *const halves[] = { "am", "pm" };
	if (letters_at(c, half) == 2 && mask_word_in(c->text + half, 2, halves, 2) && may_end(c, half + 2))
		end = half + 2;
	return end - at;
}

/* The length of one part of a form at the cursor; SIZE_MAX when it is not there. */
static size_t part_at(const struct cursor *c, char part)
{
	unsigned value;
	size_t count = 0;

	switch (part) {
	case 'a': count = name_at(c, c->at, days, COUNT(days)); break;
	case 'b': count = name_at(c, c->at, months, COUNT(months)); break;
	case 'z': count = zone_name_at(c, c->at); break;
	case 'c': count = clock_at(c, c->at, false); break;
	case 'C': count = clock_at(c, c->at, true); break;
	case '_': count = blanks_at(c, c->at); break;
	case ',': return c->at < c->length && c->text[c->at] == ',' ? 1 : 0;
	case 'd':
		count = digits_at(c, c->at, &value);
		return count >= 1 && count <= 2 && value >= 1 && value <= 31 ? count : SIZE_MAX;
	case 'y':
	case 'Y':
		count = digits_at(c, c->at, &value);
		return (count == 2 && part == 'y') || (count == 4 && value >= 1900 && value <= 2099) ? count : SIZE_MAX;
	default: count = c->at < c->length && c->text[c->at] == part; break;
	}
	return count > 0 ? count : SIZE_MAX;
}

/* The length of ` (Coordinated Universal Time)` at `at`: blanks and letters after a zone, without one only a zone's name. */
static size_t comment_at(const struct cursor *c, size_t at, bool zoned)
{
	size_t open = at + blanks_at(c, at), end = open + 1;

	if (open == at || open >= c->length || c->text[open] != '(')
		return 0;
	while (end < c->length && end - open <= 40 && (c->text[end] == ' ' || MASK_IS(c->text[end], MASK_LETTER)))
		end++;
	if (end >= c->length || c->text[end] != ')' || end == open + 1 || !may_end(c, end + 1))
		return 0;
	if (!zoned && zone_name_at(c, open + 1) != end - open - 1)
		return 0;
	return end + 1 - at;
}

/* The length of the zone and the comment behind a clock, which may be 0. */
static size_t zone_at(const struct cursor *c, size_t at)
{
	size_t blanks = blanks_at(c, at), from = at + blanks, end = at;
	unsigned value;

	if (from < c->length && (c->text[from] == '+' || c->text[from] == '-')) {
		size_t count = digits_at(c, from + 1, &value);
		if (count == 4)
			end = from + 5;
		else if (count == 2 && from + 3 < c->length && c->text[from + 3] == ':' && digits_at(c, from + 4, &value) == 2)
			end = from + 6;
	} else if (blanks > 0 || (from < c->length && mask_fold(c->text[from]) == 'z')) {
		end = zone_name_at(c, from) > 0 ? from + zone_name_at(c, from) : at;
	}
	if (!may_end(c, end))
		return 0;
	return end - at + comment_at(c, end, end > at);
}

static size_t match_form(struct cursor c, const char *form)
{
	for (const char *part = form; *part != '\0'; part++) {
		size_t length = part_at(&c, *part);
		if (length == SIZE_MAX)
			return 0;
		c.at += length;
		if ((part[0] == 'c' || part[0] == 'C') && part[1] == '\0')
			c.at += zone_at(&c, c.at);
	}
	return may_end(&c, c.at) ? c.at : 0;
}

size_t mask_date(const char *text, size_t length, size_t at)
{
	struct cursor c = { text, length, at };
	unsigned value;
	char first, second = '_';

	if (at > 0 && text[at - 1] == ':')
		return 0;
	if (MASK_IS(text[at], MASK_DIGIT)) {
		size_t count = digits_at(&c, at, &value);
		if (at + count == length)
			return 0;
		first = count == 4 ? 'Y' : 'd';
		second = text[at + count] == ' ' ? '_' : text[at + count];
	} else {
		first = name_at(&c, at, days, COUNT(days)) > 0 ? 'a' : 'b';
		if (first == 'b' && name_at(&c, at, months, COUNT(months)) == 0)
			return 0;
	}
	/* Only forms that begin so; the others would fail at their first two parts. */
	for (size_t i = 0; i < COUNT(forms); i++) {
		bool begins = forms[i][0] == 'C' ? second == ':' && first == 'd' : forms[i][0] == first && (first == 'a' || forms[i][1] == second);
		size_t end = begins ? match_form(c, forms[i]) : 0;
		if (end > 0)
			return end;
	}
	return 0;
}
