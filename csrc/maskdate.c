/* maskdate - dates and times as mail servers write them; see mask.h. */

#include <string.h>

#include "mask.h"
#include "sixteen.h"

#define COUNT(table) (sizeof(table) / sizeof(table)[0])

/*
 * One form a line, the longest that begin alike first:
 *   a  name of a day         d  one or two digits, 1..31    c  h:mm, h:mm:ss or h:mm:ss.sss, AM or PM behind
 *   b  name of a month       y  two or four digits          C  the same, with seconds
 *   z  name of a zone        Y  four digits, 19.. or 20..   _  blanks     ,  a comma or nothing     others: themselves
 * Names are whole or of three letters.  Behind a clock at the end a zone and a comment may follow.
 */
static const char *const day_forms[] = { /* that begin with the name of a day */
	"a,_d_b_y_c",   /* RFC 5322 3.3: Exim, Sendmail, Exchange */
	"a,_d-b-y_c",   /* RFC 850 */
	"a,_d_b_y",
	"a,_b_d_c_z_y", /* date(1) */
	"a,_b_d_c_y",   /* ctime(3): spamd */
	"a,_b_d,_y_c",
	"a,_b_d,_y",
	NULL };
static const char *const month_forms[] = {
	"b_d_c_z_y",
	"b_d_c_y",
	"b_d,_y_c",
	"b_d_C",        /* syslog, RFC 3164 4.1.2 */
	NULL };
static const char *const blank_forms[] = { "d_b_y_c", NULL }, *const dash_forms[] = { "d-b-y_c", "d-d-y_c", NULL };
static const char *const slash_forms[] = { "d/d/y_c", NULL }, *const dot_forms[] = { "d.d.y_c", NULL }, *const clock_forms[] = { "C", NULL };
static const char *const year_dash_forms[] = { "Y-d-d_c", "Y-d-dTc", NULL }; /* ISO 8601 */
static const char *const year_slash_forms[] = { "Y/d/d_c", NULL }, *const year_dot_forms[] = { "Y.d.d_c", NULL };

/* Every name of a day (a) or a month (b): NAME(kind, its first three letters, the rest). */
#define NAMES \
	NAME('a', 'm', 'o', 'n', "day") NAME('a', 't', 'u', 'e', "sday") NAME('a', 'w', 'e', 'd', "nesday") NAME('a', 't', 'h', 'u', "rsday") \
	NAME('a', 'f', 'r', 'i', "day") NAME('a', 's', 'a', 't', "urday") NAME('a', 's', 'u', 'n', "day") NAME('b', 'j', 'a', 'n', "uary") \
	NAME('b', 'f', 'e', 'b', "ruary") NAME('b', 'm', 'a', 'r', "ch") NAME('b', 'a', 'p', 'r', "il") NAME('b', 'm', 'a', 'y', "") \
	NAME('b', 'j', 'u', 'n', "e") NAME('b', 'j', 'u', 'l', "y") NAME('b', 'a', 'u', 'g', "ust") NAME('b', 's', 'e', 'p', "tember") \
	NAME('b', 'o', 'c', 't', "ober") NAME('b', 'n', 'o', 'v', "ember") NAME('b', 'd', 'e', 'c', "ember")

#define NAME(kind, a, b, c, rest) [MASK_PLACE(MASK_THREE(a, b, c))] = MASK_THREE(a, b, c),
const uint32_t mask_name_letters[MASK_PLACES] = { NAMES };
#undef NAME

#define NAME(kind, a, b, c, rest) [MASK_PLACE(MASK_THREE(a, b, c))] = { rest, kind },
static const struct {
	char rest[7];
	char kind; /* as in a form: a or b */
} names[MASK_PLACES] = { NAMES };
#undef NAME

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

/* The number of digits at `at`, and their value where they are few. */
static size_t digits_at(const struct cursor *c, size_t at, unsigned *value)
{
	size_t end = at;

	*value = 0;
	for (; end < c->length && MASK_IS(c->text[end], MASK_DIGIT); end++)
		*value = *value * 10 + (unsigned)(c->text[end] - '0');
	return end - at;
}

/* The kind of the name that begins so, a or b; or 0. */
static char kind_of(const char *text)
{
	return mask_begins_name(text) ? names[MASK_PLACE(mask_three(text))].kind : '\0';
}

/* The length of the name at `at`, whole or of three letters, and its kind; or 0. */
static size_t name_at(const struct cursor *c, size_t at, char *kind)
{
	if (c->length - at < 3 || (*kind = kind_of(c->text + at)) == '\0')
		return 0;
	const char *text = c->text + at, *const rest[] = { names[MASK_PLACE(mask_three(text))].rest };
	size_t more = letters_at(c, at + 3);
	return more == 0 || mask_word_in(text + 3, more, rest, 1) ? 3 + more : 0;
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
	char kind;

	switch (part) {
	case 'a':
	case 'b':
		count = name_at(c, c->at, &kind);
		return count > 0 && kind == part ? count : SIZE_MAX;
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

/* Whether two more numbers follow the one that ends at `at`, divided by that byte: most versions have none that a date could have. */
static bool is_row(const struct cursor *c, size_t at, char byte, bool year_first)
{
	unsigned value;
	size_t count = digits_at(c, at + 1, &value), end = at + 1 + count;

	return count >= 1 && count <= 2 && end < c->length && c->text[end] == byte && digits_at(c, end + 1, &value) >= (year_first ? 1 : 2);
}

/* The forms that may begin so, NULL behind the last; NULL: none does. */
static const char *const *forms_at(const struct cursor *c)
{
	unsigned value;
	char kind;

	if (!MASK_IS(c->text[c->at], MASK_DIGIT))
		return name_at(c, c->at, &kind) == 0 ? NULL : kind == 'a' ? day_forms : month_forms;
	size_t count = digits_at(c, c->at, &value), end = c->at + count;
	if (end == c->length || (count > 2 && count != 4))
		return NULL;
	switch (c->text[end]) {
	case '-': return count == 4 ? year_dash_forms : dash_forms;
	case '/': return !is_row(c, end, '/', count == 4) ? NULL : count == 4 ? year_slash_forms : slash_forms;
	case '.': return !is_row(c, end, '.', count == 4) ? NULL : count == 4 ? year_dot_forms : dot_forms;
	case ':': return count <= 2 ? clock_forms : NULL;
	case ' ': return count <= 2 && name_at(c, end + blanks_at(c, end), &kind) > 0 && kind == 'b' ? blank_forms : NULL;
	default: return NULL;
	}
}

static unsigned two_digits(const char *text)
{
	return (unsigned)(text[0] - '0') * 10 + (unsigned)(text[1] - '0');
}

/*
 * The end of `Tue, 24 Nov 2026 10:00:00 +0000`, which most servers write (RFC 5322 3.3), or 0: it is not written just so.
 *
 * All that it says is what the first of the day forms says, at a tenth of the cost.
 */
static size_t usual_date(const struct cursor *c)
{
	static const char low[] = " AAA 0000 00:00:00 +0000", high[] = " zzz 9999 99:99:99 -9999";
	const char *name = c->text + c->at, *day = name + 5;

	if (c->length - c->at < 30 || memcmp(name + 3, ", ", 2) != 0 || !MASK_IS(day[0], MASK_DIGIT))
		return 0;
	const char *text = day + 1 + MASK_IS(day[1], MASK_DIGIT), *clock = text + 10;
	size_t end = (size_t)(text + 24 - c->text);
	if (end > c->length || !sixteen_between((const unsigned char *)text, low, high) || !sixteen_between((const unsigned char *)text + 8, low + 8, high + 8))
		return 0;
	unsigned number = text == day + 1 ? (unsigned)(day[0] - '0') : two_digits(day), century = two_digits(text + 5);
	if (number < 1 || number > 31 || two_digits(clock) > 23 || two_digits(clock + 3) > 60 || two_digits(clock + 6) > 60)
		return 0;
	if ((century != 19 && century != 20) || clock[9] == ',' || kind_of(name) != 'a' || kind_of(text + 1) != 'b' || !may_end(c, end))
		return 0;
	return end + comment_at(c, end, true);
}

size_t mask_date(const char *text, size_t length, size_t at)
{
	struct cursor c = { text, length, at };

	if (at > 0 && text[at - 1] == ':')
		return 0;
	size_t usual = MASK_IS(text[at], MASK_DIGIT) ? 0 : usual_date(&c);
	if (usual > 0)
		return usual;
	for (const char *const *form = forms_at(&c); form != NULL && *form != NULL; form++) {
		size_t end = match_form(c, *form);
		if (end > 0)
			return end;
	}
	return 0;
}
