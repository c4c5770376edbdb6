/* reader - classes and escapes of PCRE2 patterns as sets of bytes; see pcre2pattern(3), in the C locale, never UTF. */

#include "reader.h"

#include <string.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

static bool is_letter(unsigned byte)
{
	return (byte | 0x20) >= 'a' && (byte | 0x20) <= 'z';
}

static bool is_digit(unsigned byte)
{
	return byte >= '0' && byte <= '9';
}

static int hex_value(unsigned byte)
{
	if (is_digit(byte))
		return (int)byte - '0';
	byte |= 0x20;
	return byte >= 'a' && byte <= 'f' ? (int)byte - 'a' + 10 : -1;
}

static void add_range(struct byteset *set, unsigned from, unsigned to)
{
	for (unsigned byte = from; byte <= to; byte++)
		byteset_add(set, byte);
}

static void add_bytes(struct byteset *set, const char *bytes)
{
	for (; *bytes != '\0'; bytes++)
		byteset_add(set, (unsigned char)*bytes);
}

void reader_literal(const struct reader *reader, struct byteset *set, unsigned byte)
{
	byteset_add(set, byte);
	if ((reader->options & PCRE2_CASELESS) != 0 && is_letter(byte))
		byteset_add(set, byte ^ 0x20);
}

/* --- Escapes --- */

/* The set of a small letter; false: it stands for none. */
static bool add_kind(struct byteset *set, int letter)
{
	switch (letter) {
	case 'd':
		add_range(set, '0', '9');
		return true;
	case 'w':
		add_range(set, '0', '9');
		add_range(set, 'a', 'z');
		add_range(set, 'A', 'Z');
		byteset_add(set, '_');
		return true;
	case 's':
		add_bytes(set, " \t\n\v\f\r");
		return true;
	case 'h':
		add_bytes(set, " \t\xa0");
		return true;
	case 'v':
		add_bytes(set, "\n\v\f\r\x85");
		return true;
	default:
		return false;
	}
}

/* \xHH with none, one or two digits, or \x{HH}. */
static int read_hex(struct reader *reader)
{
	bool braced = reader_take(reader, '{');
	int value = 0, digits = 0;

	while (reader->at < reader->end && hex_value(*reader->at) >= 0 && (braced || digits < 2) && value <= 0xff) {
		value = value * 16 + hex_value(*reader->at++);
		digits++;
	}
	if (value > 0xff || (braced && (digits == 0 || !reader_take(reader, '}'))))
		reader->failed = true;
	return value & 0xff;
}

/* The byte that an escape means; -1: it means no byte. */
static int read_byte(struct reader *reader, bool in_class)
{
	static const char letters[] = "aefnrt", bytes[] = "\a\033\f\n\r\t";
	int escape = *reader->at++;
	const char *known = escape != '\0' ? strchr(letters, escape) : NULL;

	if (known != NULL)
		return bytes[known - letters];
	if (escape == 'x')
		return read_hex(reader);
	if (escape == 'b' && in_class)
		return '\b';
	if (escape == '0') {
		int value = 0;
		for (int i = 0; i < 2 && reader->at < reader->end && *reader->at >= '0' && *reader->at <= '7'; i++)
			value = value * 8 + (*reader->at++ - '0');
		return value;
	}
	if (!is_letter((unsigned)escape) && !is_digit((unsigned)escape))
		return escape;
	reader->at--;
	return -1;
}

bool reader_escape(struct reader *reader, struct byteset *set, bool in_class)
{
	struct byteset kind = { { 0 } };

	if (reader->at == reader->end)
		return false;
	int letter = *reader->at;
	if (is_letter((unsigned)letter) && add_kind(&kind, letter | 0x20)) {
		reader->at++;
		if ((letter & 0x20) == 0)
			byteset_invert(&kind);
		byteset_unite(set, &kind);
		return true;
	}
	int byte = read_byte(reader, in_class);
	if (byte < 0)
		return false;
	reader_literal(reader, set, (unsigned)byte);
	return true;
}

/* --- Classes --- */

/* [:name:] or [:^name:]; the reader stands behind "[:". */
static void read_posix(struct reader *reader, struct byteset *set)
{
	static const struct {
		const char *name, *ranges; /* pairs of first and last */
	} classes[] = { { "alpha", "azAZ" }, { "digit", "09" }, { "alnum", "azAZ09" }, { "upper", "AZ" }, { "lower", "az" },
		{ "space", "\t\r  " }, { "blank", "\t\t  " }, { "punct", "!/:@[`{~" }, { "xdigit", "09afAF" }, { "graph", "!~" }, { "print", " ~" },
		{ "word", "azAZ09__" } };
	bool negated = reader_take(reader, '^');
	size_t left = (size_t)(reader->end - reader->at);

	for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++) {
		size_t length = strlen(classes[i].name);
		struct byteset found = { { 0 } };
		if (left < length + 2 || memcmp(reader->at, classes[i].name, length) != 0 || memcmp(reader->at + length, ":]", 2) != 0)
			continue;
		reader->at += length + 2;
		for (const char *range = classes[i].ranges; *range != '\0'; range += 2)
			add_range(&found, (unsigned char)range[0], (unsigned char)range[1]);
		/* Without case, upper and lower are alpha. */
		for (unsigned byte = 'a'; (reader->options & PCRE2_CASELESS) != 0 && byte <= 'z'; byte++)
			if (byteset_has(&found, byte) || byteset_has(&found, byte ^ 0x20))
				reader_literal(reader, &found, byte);
		if (negated)
			byteset_invert(&found);
		byteset_unite(set, &found);
		return;
	}
	reader->failed = true;
}

/* One end of a range; -1: what was read is a set of its own, already added. */
static int read_member(struct reader *reader, struct byteset *set)
{
	int byte = *reader->at++;

	if (byte == '[' && reader->at < reader->end && strchr(":.=", *reader->at) != NULL) {
		if (reader_take(reader, ':'))
			read_posix(reader, set);
		else
			reader->failed = true;
		return -1;
	}
	if (byte != '\\')
		return byte;
	const unsigned char *escape = reader->at;
	if (!reader_escape(reader, set, true)) {
		reader->failed = true;
		return -1;
	}
	if (is_letter(*escape) && strchr("dwshv", *escape | 0x20) != NULL)
		return -1;
	/* Read again as a number, for the range that it may begin. */
	reader->at = escape;
	return read_byte(reader, true);
}

void reader_class(struct reader *reader, struct byteset *set)
{
	bool negated = reader_take(reader, '^'), first = true;

	for (; reader->at < reader->end && !reader->failed; first = false) {
		if (!first && reader_take(reader, ']')) {
			if (negated)
				byteset_invert(set);
			return;
		}
		int from = read_member(reader, set), to = from;
		if (from < 0)
			continue;
		if (reader_has(reader, 0, '-') && !reader_has(reader, 1, ']') && reader->end - reader->at > 1) {
			reader->at++;
			to = read_member(reader, set);
			if (to < from) {
				reader->failed = true; /* PCRE2 refuses it */
				return;
			}
		}
		for (int byte = from; byte <= to; byte++)
			reader_literal(reader, set, (unsigned)byte);
	}
	reader->failed = true;
}
