/* shelffile - a shelf written to a file, and read from one; see shelf.h. */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "saved.h"
#include "shelf.h"

static const struct saved_form shelf_file = { "deepid-hosts\n\x1a\x00\x01", &shelf_runs };

enum deepid_err shelf_dump(struct shelf *s, const char *path)
{
	struct shelf_walk walk;
	bool own;

	enum deepid_err result = shelf_walk_start(&walk, s);
	if (result == DEEPID_OK)
		result = saved_write(path, &shelf_file, s->buffer, shelf_walk_record, &walk, &own);
	if (result == DEEPID_OK || s->broken != DEEPID_OK)
		return result;
	/* A file of the user's; the shelf stays whole. */
	snprintf(s->problem, sizeof s->problem, "cannot write %s: %s", path, strerror(errno));
	return DEEPID_IO;
}

/* What is read goes here. */
struct intake {
	struct shelf *shelf;
	size_t before_length;
	unsigned char before[SHELF_KEY_MAX]; /* the last key */
};

static enum deepid_err take_record(void *data, const unsigned char *record, size_t size, uint64_t number, const char **why)
{
	struct intake *intake = data;
	struct shelf_pair pair = shelf_pair_of(record);
	const unsigned char *key = record + SHELF_HEAD;

	(void)size;
	if (number > 0 && shelf_compare(intake->before, intake->before_length, key, pair.key_length) >= 0) {
		*why = "records out of order";
		return DEEPID_BAD;
	}
	memcpy(intake->before, key, pair.key_length);
	intake->before_length = pair.key_length;
	return shelf_put(intake->shelf, &pair);
}

enum deepid_err shelf_load(struct shelf *s, const char *path)
{
	struct intake intake = { .shelf = s };
	const char *why;
	bool own;

	if (s->broken != DEEPID_OK)
		return s->broken;
	unsigned char *buffer = s->source.take(SHELF_BUFFER, s->source.data);
	if (buffer == NULL)
		return s->broken = DEEPID_NOMEM;
	enum deepid_err result = saved_read(path, &shelf_file, buffer, take_record, &intake, &why, &own);
	if (result == DEEPID_IO && own)
		shelf_fail(s, "read", path);
	if (result == DEEPID_BAD) {
		snprintf(s->problem, sizeof s->problem, "%s is no state that can be read: %s", path, why);
		s->broken = DEEPID_BAD;
	}
	s->source.give(buffer, s->source.data);
	return result;
}
