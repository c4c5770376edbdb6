/* run - files of sorted records; see run.h. */

#define _DEFAULT_SOURCE /* mkstemp, pread */

#include "run.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int run_open(const char *folder)
{
	char path[4096];

	if ((size_t)snprintf(path, sizeof path, "%s/deepid-XXXXXX", folder) >= sizeof path) {
		errno = ENAMETOOLONG;
		return -1;
	}
	int fd = mkstemp(path);
	if (fd >= 0 && unlink(path) != 0) {
		close(fd);
		return -1;
	}
	return fd;
}

bool run_flush(struct run_writer *writer)
{
	size_t done = 0;

	if (writer->sum != NULL)
		writer->sum(writer->buffer, writer->used, writer->data);
	while (done < writer->used) {
		ssize_t count = write(writer->fd, writer->buffer + done, writer->used - done);
		if (count < 0 && errno == EINTR)
			continue;
		if (count < 0)
			return false;
		done += (size_t)count;
	}
	writer->written += (off_t)writer->used;
	writer->used = 0;
	return true;
}

unsigned char *run_room(struct run_writer *writer)
{
	if (writer->form->buffer - writer->used < writer->form->most && !run_flush(writer))
		return NULL;
	return writer->buffer + writer->used;
}

void run_wrote(struct run_writer *writer, size_t size)
{
	writer->used += size;
}

/* Reads on until `wanted` bytes are in the buffer. */
static enum deepid_err fill(struct run_reader *reader, size_t wanted)
{
	memmove(reader->buffer, reader->buffer + reader->from, reader->to - reader->from);
	reader->to -= reader->from;
	reader->from = 0;
	while (reader->to < wanted) {
		size_t room = reader->form->buffer - reader->to;
		if ((off_t)room > reader->end - reader->at)
			room = (size_t)(reader->end - reader->at);
		if (room == 0)
			return DEEPID_BAD;
		ssize_t count = pread(reader->fd, reader->buffer + reader->to, room, reader->at);
		if (count < 0 && errno == EINTR)
			continue;
		if (count < 0)
			return DEEPID_IO;
		if (count == 0)
			return DEEPID_BAD; /* it has been cut short since */
		reader->to += (size_t)count;
		reader->at += count;
	}
	return DEEPID_OK;
}

enum deepid_err run_next(struct run_reader *reader)
{
	enum deepid_err result = DEEPID_OK;
	size_t head = reader->form->head;

	reader->record = NULL;
	if (reader->from == reader->to && reader->at == reader->end)
		return DEEPID_END;
	if (reader->to - reader->from < head && (result = fill(reader, head)) != DEEPID_OK)
		return result;
	size_t size = reader->form->size(reader->buffer + reader->from);
	if (size == 0)
		return DEEPID_BAD;
	if (reader->to - reader->from < size && (result = fill(reader, size)) != DEEPID_OK)
		return result;
	reader->record = reader->buffer + reader->from;
	reader->size = size;
	reader->from += size;
	return DEEPID_OK;
}

enum deepid_err run_merge_start(struct run_merge *merge)
{
	for (size_t i = 0; i < merge->count; i++) {
		enum deepid_err result = run_next(&merge->readers[i]);
		if (result != DEEPID_OK && result != DEEPID_END)
			return result;
	}
	return DEEPID_OK;
}

/* Joins the current records of the readers marked in `same`. */
static size_t join(struct run_merge *merge, uint32_t same)
{
	const unsigned char *records[RUN_FAN_MAX];
	size_t count = 0;

	if (merge->pool != NULL)
		pool_reset(merge->pool);
	for (size_t i = 0; i < merge->count; i++)
		if ((same >> i & 1) != 0)
			records[count++] = merge->readers[i].record;
	return merge->readers[0].form->join(records, count, merge->pool, merge->joined);
}

enum deepid_err run_merge_next(struct run_merge *merge, const unsigned char **record, size_t *size)
{
	struct run_reader *first = NULL;
	enum deepid_err result = DEEPID_OK;
	uint32_t same = 0;

	for (size_t i = 0; i < merge->count; i++) {
		struct run_reader *reader = &merge->readers[i];
		if (reader->record == NULL)
			continue;
		int order = first == NULL ? -1 : reader->form->compare(reader->record, first->record);
		if (order < 0) {
			first = reader;
			same = 0;
		}
		if (order <= 0)
			same |= UINT32_C(1) << i;
	}
	if (first == NULL)
		return DEEPID_END;
	bool alone = (same & (same - 1)) == 0;
	*size = alone ? first->size : join(merge, same);
	if (*size == 0)
		return DEEPID_NOMEM;
	/* The record must outlast the reader's step to the next. */
	if (alone)
		memcpy(merge->joined, first->record, *size);
	*record = merge->joined;
	for (size_t i = 0; i < merge->count; i++) {
		if ((same >> i & 1) == 0)
			continue;
		result = run_next(&merge->readers[i]);
		if (result != DEEPID_OK && result != DEEPID_END)
			return result;
	}
	return DEEPID_OK;
}

enum deepid_err run_merge_write(struct run_merge *merge, struct run_writer *writer)
{
	const unsigned char *record;
	enum deepid_err result;
	size_t size;

	while ((result = run_merge_next(merge, &record, &size)) == DEEPID_OK) {
		unsigned char *room = run_room(writer);
		if (room == NULL)
			return DEEPID_IO;
		memcpy(room, record, size);
		run_wrote(writer, size);
	}
	if (result != DEEPID_END)
		return result;
	return run_flush(writer) ? DEEPID_OK : DEEPID_IO;
}
