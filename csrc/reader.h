/* reader - a cursor over a pattern's text, shared by the parser of patterns and that of classes and escapes. */
#ifndef DEEPID_READER_H
#define DEEPID_READER_H

#include "pattern.h"

struct reader {
	const unsigned char *at, *end;
	uint32_t options; /* of PCRE2, as they are at this place */
	bool failed;      /* something was not understood; sticky */
};

static inline bool reader_has(const struct reader *reader, size_t ahead, int byte)
{
	return (size_t)(reader->end - reader->at) > ahead && reader->at[ahead] == byte;
}

/* Takes the byte if it comes next. */
static inline bool reader_take(struct reader *reader, int byte)
{
	bool is_there = reader_has(reader, 0, byte);

	reader->at += is_there;
	return is_there;
}

/* One byte as the options have it: with its other case where case does not count. */
void reader_literal(const struct reader *reader, struct byteset *set, unsigned byte);

/* A class; the reader stands behind its opening bracket, and behind its closing one afterwards. */
void reader_class(struct reader *reader, struct byteset *set);

/*
 * An escape that stands for one byte, in a class or outside; the reader stands behind the backslash, and behind the escape
 * afterwards.  False, and nothing read: it is another kind of escape.
 */
bool reader_escape(struct reader *reader, struct byteset *set, bool in_class);

#endif
