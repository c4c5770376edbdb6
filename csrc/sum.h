/*
 * sum - one checksum of many texts: XXH3 of each text and, behind it, its length (8 bytes, lowest first); the same on every machine.
 */
#ifndef DEEPID_SUM_H
#define DEEPID_SUM_H

#include "deepid.h"

#define SUM 16 /* bytes */

struct text_span {
	const char *bytes;
	size_t length;
};

void sum_texts(unsigned char *sum, const struct text_span *texts, size_t count);

/*
 * sum_files - the same of what files hold.
 *
 * Returns DEEPID_OK, or DEEPID_IO: one cannot be read, *failed says which.
 */
enum deepid_err sum_files(unsigned char *sum, const char *const *paths, size_t count, size_t *failed);

#endif
