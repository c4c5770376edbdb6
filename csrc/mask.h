/*
 * mask - replaces what varies in a reply by tokens, so that what is alike becomes the same bytes.
 *
 *   220 mx1.example.org ESMTP Exim 4.96 Tue, 24 Nov 2026 10:00:00 +0000          as received
 *   220 mx1.example.org ESMTP Exim 4.96 D                                        volatile: what varies from reply to reply
 *   220 H ESMTP Exim 4.96 D                                                      template: and from host to host
 *
 *   byte   drawn as   stands for                                                                      from
 *   0x01   D          a date with its time and zone, or a time of day                                 volatile
 *   0x02   I          a queue or session id: UUID, Exim's, Sendmail's, long tokens of mixed digits    volatile
 *   0x03   N          a process id, a counter, seconds since 1970                                     volatile
 *   0x04   C          the client: a given name, or an address in brackets, and the name before it     volatile
 *   0x05   H          a host name: labels divided by dots, the last of letters; localhost             template
 *   0x06   A          an IPv4 or IPv6 address                                                         template
 *
 * Tokens are control bytes, which no SMTP text holds (RFC 5321 4.2: textstring is HT, SP and printable ASCII).  A peer that sends them all
 * the same forges nothing more than if it had sent the text itself.  Each stands for one byte or more, so the result is never longer
 * than the reply.  Masking what is masked changes nothing.
 *
 * The text is read as *runs*: letters, digits and bytes from 0x80 on, joined by . + - _ (the last two also repeated).
 * A reply code at the start of a line is never masked, and what follows it is the server's own name: an address in brackets there is
 * the server's, anywhere else it is the client's.
 *
 * What stays: product names, versions, enhanced status codes, sizes (the number after SIZE), RFC numbers, the shape of a URL around its
 * host.  Four numbers such as 10.0.1.2 may be either: they are a version when the word before them (behind blanks, / ( : = - or #
 * alone) has a capital letter or is a version itself, or says 'version', and is not one of those that introduce an address; `ESMTP
 * Foo 10.0.1.2` and `Foo 8.1.1.1/8.1.1.2` keep theirs, `blocked: IP 10.0.1.2` does not.  In brackets they are an address always.
 * A date without a time needs the name of its day; 20231112 is a version.  A host name of one label stays, and so does what looks like
 * one behind a single slash, as in https://H/faq.html.
 */
#ifndef DEEPID_MASK_H
#define DEEPID_MASK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MASK_DATE '\x01'
#define MASK_ID '\x02'
#define MASK_NUMBER '\x03'
#define MASK_CLIENT '\x04'
#define MASK_HOST '\x05'
#define MASK_ADDRESS '\x06'

enum mask_strength { MASK_VOLATILE, MASK_TEMPLATE };

/* A name or an address of the client's own, without brackets; compared without regard to case, whole runs only. */
struct mask_name {
	const char *bytes; /* must begin with a letter, a digit or a colon and end with one of the former, else it is never found */
	size_t length;
};

#define MASK_WINDOW 64

/* What the bytes of a text from `base` on are, a bit each; those behind its end are nothing. */
struct mask_window {
	size_t base;
	uint64_t alnum, digit, dot;
	uint64_t joint, joiner; /* joint: a joiner between two of alnum */
	uint64_t mark;   /* colons and newlines */
	uint64_t starts; /* where runs begin */
	uint64_t odd;    /* what makes a run, or the one before it, more than a word: digits, dots that are joints, marks, the first of several
	                    joiners, the beginning of what may be `localhost`, the last byte */
};

/* One reply's way through the masking; lives on the caller's stack. */
struct mask_run {
	const char *text; /* the caller's, like `names` */
	size_t length;
	const struct mask_name *names;
	size_t count;

	size_t at;   /* how far it got */
	size_t own;  /* where the server's own name would begin in this line */
	size_t word; /* the word that may say what the next number is; none when `word_end` is 0 */
	size_t word_end;
	size_t before; /* the word before that, or the same */
	bool any_word; /* a name may be any word's */
	uint64_t firsts[2]; /* the bytes that the names begin with, modulo 128 */
	struct mask_window window;

	size_t start, end;           /* the last span */
	char token;                  /* what stands for it */
	enum mask_strength strength; /* the weakest at which it is masked */
};

/* mask_start - begins with a text; nothing is copied. */
void mask_start(struct mask_run *run, const char *text, size_t length, const struct mask_name *names, size_t count);

/*
 * mask_next - the next span to mask, of any strength, in order; false at the end.
 *
 * Spans are not empty and do not overlap.  Never allocates.  The steps are at most a small constant times the length times
 * (1 + the number of names).
 */
bool mask_next(struct mask_run *run);

/*
 * mask - the masked text.
 *
 * out  room for `length` bytes, which always suffices; must not overlap the text
 *
 * Returns the number of bytes written, at most `length`.
 */
size_t mask(char *out, const char *text, size_t length, enum mask_strength strength, const struct mask_name *names, size_t count);

/* What people are shown in a token's place, such as <date>. */
struct mask_word {
	char bytes[16]; /* zeros behind */
	size_t length;
};

extern const struct mask_word mask_words[7];

/* --- Between the files of mask --- */

#define MASK_DIGIT 1
#define MASK_LETTER 2 /* bytes from 0x80 on, too */
#define MASK_UPPER 4
#define MASK_HEX 8     /* 0-9 a-f A-F */
#define MASK_JOINER 16 /* . + - _ */
#define MASK_QUIET 32  /* may stand between a word and the number that it explains: blank / ( : = - # */
#define MASK_TOKEN 64

extern const uint8_t mask_class[256];

#define MASK_IS(byte, classes) ((mask_class[(unsigned char)(byte)] & (classes)) != 0)
#define MASK_IS_ALNUM(byte) MASK_IS(byte, MASK_DIGIT | MASK_LETTER)

/* ASCII letters in lower case; other bytes as they are. */
static inline char mask_fold(char byte)
{
	return byte >= 'A' && byte <= 'Z' ? (char)(byte - 'A' + 'a') : byte;
}

/* Whether the bytes, folded, are one of the `count` words. */
bool mask_word_in(const char *bytes, size_t length, const char *const *words, size_t count);

/* The first three letters of the names of days and months, small, in places that they tell; the compiler warns where two would have one place. */
#define MASK_PLACES 32
#define MASK_PLACE(three) ((uint32_t)((three) * UINT32_C(241365)) >> 27)
#define MASK_THREE(a, b, c) ((uint32_t)(a) | (uint32_t)(b) << 8 | (uint32_t)(c) << 16)

extern const uint32_t mask_name_letters[MASK_PLACES];

/* The first three bytes of a name, small. */
static inline uint32_t mask_three(const char *bytes)
{
	return MASK_THREE((unsigned char)bytes[0], (unsigned char)bytes[1], (unsigned char)bytes[2]) | 0x202020;
}

/* mask_begins_name - whether a name of a day or a month begins with these three bytes. */
static inline bool mask_begins_name(const char *bytes)
{
	/* What this bit makes a small letter was a letter. */
	uint32_t three = mask_three(bytes);

	return mask_name_letters[MASK_PLACE(three)] == three;
}

/* mask_date - the end of the date or time that begins at `at`, or 0. */
size_t mask_date(const char *text, size_t length, size_t at);

/* mask_ipv4, mask_ipv6 - whether all of the bytes are an address (RFC 4291 2.2; IPv4 without leading zeros). */
bool mask_ipv4(const char *bytes, size_t length);
bool mask_ipv6(const char *bytes, size_t length);

/* mask_is_id - whether a run looks like a queue or session id. */
bool mask_is_id(const char *bytes, size_t length);

/* mask_is_short_id - whether a run that stands in brackets may be one: hexadecimal, in one case. */
bool mask_is_short_id(const char *bytes, size_t length);

#endif
