/*
 * reply - a reply as the filter looks at it: once as it is and once folded, with zeros before and behind.
 *
 *   |0 ... 0|220 MX ESMTP\r\n|0 ... 0|0 ... 0|220 mx esmtp-*|0 ... 0|
 *           plain                            folded
 *
 * So sixteen bytes may be read wherever one of them is the reply's, and nothing looks where it ends: a folded byte is never 0.
 */
#ifndef DEEPID_REPLY_H
#define DEEPID_REPLY_H

#include <stddef.h>

#include "pattern.h"
#include "sixteen.h"

#define REPLY_BEFORE 16 /* zeros */
#define REPLY_BEHIND 80

struct reply {
	const unsigned char *plain, *folded;
	size_t length;
};

/* The bytes that a reply of `most` bytes takes. */
static inline size_t reply_room(size_t most)
{
	return 2 * (REPLY_BEFORE + most + REPLY_BEHIND);
}

static inline void reply_pad(unsigned char *text, size_t length)
{
	memset(text - REPLY_BEFORE, 0, REPLY_BEFORE);
	memset(text + length, 0, REPLY_BEHIND);
}

/* Copies the bytes into the room. */
static inline struct reply reply_copy(unsigned char *room, const unsigned char *bytes, size_t length)
{
	unsigned char *plain = room + REPLY_BEFORE, *folded = plain + length + REPLY_BEHIND + REPLY_BEFORE;
	size_t at = 0;

	for (; at + 16 <= length; at += 16)
		sixteen_copy(plain + at, folded + at, bytes + at, FOLD);
	if (length >= 16)
		sixteen_copy(plain + length - 16, folded + length - 16, bytes + length - 16, FOLD); /* some of it again */
	for (; length < 16 && at < length; at++) {
		plain[at] = bytes[at];
		folded[at] = bytes[at] | FOLD;
	}
	reply_pad(plain, length);
	reply_pad(folded, length);
	return (struct reply){ plain, folded, length };
}

#endif
