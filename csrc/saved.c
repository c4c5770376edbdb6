/* saved - files of sorted records with a checksum; see saved.h. */

#define _DEFAULT_SOURCE

#include "saved.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "address.h"

#define MARK 0xff
#define TRAILER 25 /* bytes: the mark, the count, the checksum */
#define CHECKSUM 16

static void put_trailer(unsigned char *bytes, uint64_t count)
{
	bytes[0] = MARK;
	put_be64(bytes + 1, count);
}

static void put_checksum(unsigned char *bytes, const XXH3_state_t *state)
{
	XXH128_hash_t hash = XXH3_128bits_digest(state);

	put_be64(bytes, hash.high64);
	put_be64(bytes + 8, hash.low64);
}

/* --- Writing --- */

static void sum(const void *bytes, size_t length, void *data)
{
	XXH3_128bits_update(data, bytes, length);
}

static enum deepid_err write_all(struct run_writer *writer, const struct saved_form *form, saved_next *next, void *data, bool *own)
{
	XXH3_state_t state;
	const unsigned char *record;
	unsigned char *room;
	enum deepid_err result;
	uint64_t count = 0;
	size_t size;

	XXH3_128bits_reset(&state);
	writer->sum = sum;
	writer->data = &state;
	memcpy(writer->buffer, form->magic, SAVED_MAGIC);
	run_wrote(writer, SAVED_MAGIC);
	*own = false;
	while ((result = next(data, &record, &size)) == DEEPID_OK) {
		if ((room = run_room(writer)) == NULL)
			break;
		memcpy(room, record, size);
		run_wrote(writer, size);
		count++;
	}
	if (result != DEEPID_END && result != DEEPID_OK)
		return result;
	*own = true;
	if (result == DEEPID_OK || (room = run_room(writer)) == NULL)
		return DEEPID_IO;
	put_trailer(room, count);
	run_wrote(writer, TRAILER - CHECKSUM);
	if (!run_flush(writer))
		return DEEPID_IO;
	writer->sum = NULL;
	put_checksum(writer->buffer, &state);
	run_wrote(writer, CHECKSUM);
	return run_flush(writer) ? DEEPID_OK : DEEPID_IO;
}

enum deepid_err saved_write(const char *path, const struct saved_form *form, unsigned char *buffer, saved_next *next, void *data, bool *own)
{
	struct run_writer writer = { .form = form->records, .buffer = buffer };
	char part[PATH_MAX];

	*own = true;
	if ((size_t)snprintf(part, sizeof part, "%s.part", path) >= sizeof part) {
		errno = ENAMETOOLONG;
		return DEEPID_IO;
	}
	writer.fd = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (writer.fd < 0)
		return DEEPID_IO;
	enum deepid_err result = write_all(&writer, form, next, data, own);
	int why = errno;
	if (close(writer.fd) != 0 && result == DEEPID_OK) {
		result = DEEPID_IO;
		why = errno;
	}
	if (result == DEEPID_OK && rename(part, path) == 0)
		return DEEPID_OK;
	if (result == DEEPID_OK) {
		result = DEEPID_IO;
		why = errno;
	}
	unlink(part);
	errno = why;
	return result;
}

/* --- Reading --- */

static enum deepid_err refuse(const char **why, const char *what)
{
	*why = what;
	return DEEPID_BAD;
}

/* Hands out all records, and compares with the trailer. */
static enum deepid_err read_all(struct run_reader *reader, const struct saved_form *form, const unsigned char *trailer, saved_take *take, void *data,
    const char **why, bool *own)
{
	unsigned char wanted[TRAILER];
	enum deepid_err result;
	XXH3_state_t state;
	uint64_t count = 0;

	XXH3_128bits_reset(&state);
	XXH3_128bits_update(&state, form->magic, SAVED_MAGIC);
	while ((result = run_next(reader)) == DEEPID_OK) {
		XXH3_128bits_update(&state, reader->record, reader->size);
		*own = false;
		if ((result = take(data, reader->record, reader->size, count++, why)) != DEEPID_OK)
			return result;
		*own = true;
	}
	if (result == DEEPID_BAD)
		return refuse(why, "a record that is none");
	if (result != DEEPID_END)
		return result;
	put_trailer(wanted, count);
	XXH3_128bits_update(&state, wanted, TRAILER - CHECKSUM);
	put_checksum(wanted + TRAILER - CHECKSUM, &state);
	return memcmp(wanted, trailer, TRAILER) == 0 ? DEEPID_OK : refuse(why, "it was cut short or altered");
}

static enum deepid_err read_file(int fd, const struct saved_form *form, unsigned char *buffer, saved_take *take, void *data, const char **why, bool *own)
{
	unsigned char head[SAVED_MAGIC], trailer[TRAILER];
	struct stat stat;

	if (fstat(fd, &stat) != 0)
		return DEEPID_IO;
	if (!S_ISREG(stat.st_mode) || stat.st_size < SAVED_MAGIC + TRAILER)
		return refuse(why, "no file, or too short");
	off_t end = stat.st_size - TRAILER;
	if (pread(fd, head, sizeof head, 0) != (ssize_t)sizeof head || pread(fd, trailer, TRAILER, end) != TRAILER)
		return DEEPID_IO;
	if (memcmp(head, form->magic, sizeof head) != 0)
		return refuse(why, "it begins otherwise, or is of another version");
	struct run_reader reader = { .form = form->records, .fd = fd, .at = sizeof head, .end = end, .buffer = buffer };
	return read_all(&reader, form, trailer, take, data, why, own);
}

enum deepid_err saved_read(const char *path, const struct saved_form *form, unsigned char *buffer, saved_take *take, void *data, const char **why, bool *own)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	*own = true;
	if (fd < 0)
		return DEEPID_IO;
	enum deepid_err result = read_file(fd, form, buffer, take, data, why, own);
	int because = errno;
	close(fd);
	errno = because;
	return result;
}
