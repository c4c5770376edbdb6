/* packed - reads a file whole, and checks it; see packed.h. */

#define _DEFAULT_SOURCE

#include "packed.h"

#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "grow.h"

static enum deepid_err read_all(struct packed *packed, int file, const struct deepid_memory *memory)
{
	struct stat about;
	size_t at = 0;
	ssize_t got = 1;

	if (fstat(file, &about) != 0 || about.st_size <= 0 || about.st_size > PACKED_MOST)
		return DEEPID_IO;
	packed->length = (size_t)about.st_size;
	packed->bytes = memory->take(packed->length, memory->data);
	if (packed->bytes == NULL)
		return DEEPID_NOMEM;
	for (; at < packed->length && got > 0; at += got > 0 ? (size_t)got : 0)
		got = read(file, packed->bytes + at, packed->length - at);
	return at == packed->length ? DEEPID_OK : DEEPID_IO;
}

static bool is_whole(struct packed *packed, const struct text_span *head)
{
	unsigned char sum[SUM];

	packed->from = head->length + SUM;
	if (packed->length < packed->from || memcmp(packed->bytes, head->bytes, head->length) != 0)
		return false;
	struct text_span rest = { (const char *)packed->bytes + packed->from, packed->length - packed->from };
	sum_texts(sum, &rest, 1);
	return memcmp(sum, packed->bytes + head->length, SUM) == 0;
}

enum deepid_err packed_read(struct packed *packed, const char *path, const struct text_span *head, const struct deepid_memory *memory)
{
	int file = open(path, O_RDONLY | O_CLOEXEC);

	if (file < 0)
		return DEEPID_IO;
	enum deepid_err result = read_all(packed, file, memory);
	close(file);
	return result == DEEPID_OK && !is_whole(packed, head) ? DEEPID_BAD : result;
}

void packed_close(struct packed *packed, const struct deepid_memory *memory)
{
	grow_free(packed->bytes, memory);
	*packed = (struct packed){ .bytes = NULL };
}
