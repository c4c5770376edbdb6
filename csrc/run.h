/*
 * run - files of sorted records: written once, read any number of times, merged k ways.
 *
 *   run 0   | record a | record c | record f |        a, b, ... by kind and hash of the key
 *   run 1   | record b | record c | record d |
 *   merge   | record a | record b | record c: both joined | record d | record f |
 *
 * Runs are unnamed files: they are gone when they are closed, or when the process ends in whatever way.  What a record is, how long,
 * where it belongs and what becomes of several of one key, a `form` says.
 */
#ifndef DEEPID_RUN_H
#define DEEPID_RUN_H

#include <sys/types.h>

#include <stdbool.h>
#include <stdint.h>

#include "deepid.h"
#include "pool.h"

#define RUN_FAN_MAX 16 /* runs that are merged at once, at most */

struct run_form {
	size_t head;   /* the first bytes of a record, which say how long it is */
	size_t most;   /* bytes of the longest record */
	size_t buffer; /* bytes that each writer and reader is given: `most` or more */
	/* The bytes of the record that begins so; 0: none does. */
	size_t (*size)(const unsigned char *head);
	/* Below, at or above 0 when a belongs before, to or behind b. */
	int (*compare)(const unsigned char *a, const unsigned char *b);
	/* Writes one record in place of several, two at least; its size, or 0 when the pool is too small. */
	size_t (*join)(const unsigned char *const *records, size_t count, struct pool *pool, unsigned char *joined);
};

struct run_file {
	int fd;
	off_t size;     /* bytes */
	unsigned level; /* how often its records have been merged */
};

/* Writes to the end of a file; `sum` is called with all that goes there, in order, unless it is NULL. */
struct run_writer {
	const struct run_form *form;
	int fd;
	unsigned char *buffer; /* form->buffer bytes; the caller's */
	size_t used;
	off_t written;
	void (*sum)(const void *bytes, size_t length, void *data);
	void *data;
};

/* Reads records from a part of a file. */
struct run_reader {
	const struct run_form *form;
	int fd;
	off_t at, end;         /* what is not in the buffer yet */
	unsigned char *buffer; /* form->buffer bytes; the caller's */
	size_t from, to;       /* what is in the buffer and not used up */
	const unsigned char *record; /* the current one, whole; NULL before the first and after the last */
	size_t size;
};

struct run_merge {
	struct run_reader readers[RUN_FAN_MAX];
	size_t count;
	struct pool *pool;     /* for one join; reset for each; NULL where the form needs none */
	unsigned char *joined; /* form->most bytes, for the record that is given out */
};

/* run_open - an unnamed file in the folder; -1 and errno when that fails. */
int run_open(const char *folder);

/* run_room - form->most bytes in the buffer, to be filled and then counted by run_wrote; NULL and errno when the file takes no more. */
unsigned char *run_room(struct run_writer *writer);
void run_wrote(struct run_writer *writer, size_t size);

/* run_flush - writes out what is in the buffer; false and errno when the file takes no more. */
bool run_flush(struct run_writer *writer);

/*
 * run_next - the next record of the file.
 *
 * DEEPID_OK   reader->record is whole, but only its size has been checked
 * DEEPID_END  there are no more
 * DEEPID_BAD  what follows is no record, or not whole
 * DEEPID_IO   it cannot be read; errno says why
 */
enum deepid_err run_next(struct run_reader *reader);

/* run_merge_start - begins with the first record of each reader; readers, pool and joined are set. */
enum deepid_err run_merge_start(struct run_merge *merge);

/* run_merge_next - the next record of all runs together; those of one key are joined.  As run_next; DEEPID_NOMEM: the pool is too small. */
enum deepid_err run_merge_next(struct run_merge *merge, const unsigned char **record, size_t *size);

/* run_merge_write - what is left of the merge, to the end of the writer's file; DEEPID_OK when all is there, else as run_merge_next. */
enum deepid_err run_merge_write(struct run_merge *merge, struct run_writer *writer);

#endif
