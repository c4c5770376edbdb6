/*
 * saved - a file of sorted records that is whole or refused.
 *
 *   | magic, version | record | record | ... | 0xff | number of records | XXH3-128 over all before |
 *     16 bytes         as a run_form says       1      8                  16
 *
 * It is written beside what was there before, and takes its place once it is whole.  The checksum is against accidents; who forges a
 * file can forge it too, so whoever takes the records checks each besides.
 */
#ifndef DEEPID_SAVED_H
#define DEEPID_SAVED_H

#include "run.h"

#define SAVED_MAGIC 16

struct saved_form {
	char magic[SAVED_MAGIC]; /* what the file begins with, its version last */
	const struct run_form *records;
};

/* The next record to write, in order, valid until it is asked again; DEEPID_END behind the last; anything else ends the writing. */
typedef enum deepid_err saved_next(void *data, const unsigned char **record, size_t *size);

/* Takes a record that was read, the number of those before it given; DEEPID_BAD and *why: it may not be there; anything else but DEEPID_OK ends the reading. */
typedef enum deepid_err saved_take(void *data, const unsigned char *record, size_t size, uint64_t number, const char **why);

/*
 * saved_write - writes all records to a file.
 *
 * buffer  room for form->records->buffer bytes
 * own     out: whether the failure is the file's own, and errno says why; else it is what `next` returned
 */
enum deepid_err saved_write(const char *path, const struct saved_form *form, unsigned char *buffer, saved_next *next, void *data, bool *own);

/*
 * saved_read - reads all records of a file.
 *
 * why  out: what is wrong with it, after DEEPID_BAD
 * own  out: whether DEEPID_IO is the file's own, and errno says why; else it is what `take` returned
 */
enum deepid_err saved_read(const char *path, const struct saved_form *form, unsigned char *buffer, saved_take *take, void *data, const char **why, bool *own);

#endif
