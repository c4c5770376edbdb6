/*
 * packed - a file that is read whole and believed only if it is what is expected and whole.
 *
 *   head (the caller's) | checksum of all that follows (sum.h) | what follows
 *
 * It is read at once, so it does not matter what becomes of the file later.
 */
#ifndef DEEPID_PACKED_H
#define DEEPID_PACKED_H

#include "sum.h"

#define PACKED_MOST (64 << 20) /* bytes: no such file is longer */

struct packed {
	unsigned char *bytes; /* owned; NULL: nothing was read */
	size_t length, from;  /* what follows begins at `from` */
};

/*
 * packed_read - reads the file into a zeroed one.
 *
 * Returns DEEPID_OK, DEEPID_IO (it cannot be read), DEEPID_BAD (another head, or damaged) or DEEPID_NOMEM.  packed_close may follow any.
 */
enum deepid_err packed_read(struct packed *packed, const char *path, const struct text_span *head, const struct deepid_memory *memory);

/* packed_close - frees what it owns; may be called again. */
void packed_close(struct packed *packed, const struct deepid_memory *memory);

#endif
