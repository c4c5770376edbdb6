/* shelf - a sorted map on disk; see shelf.h. */

#include "shelf.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* --- Records --- */

#define KEY_LENGTH(record) ((size_t)(record)[0] << 8 | (record)[1])
#define VALUE_LENGTH(record) ((size_t)(record)[2] << 8 | (record)[3])

static size_t record_bytes(const unsigned char *head)
{
	size_t key = KEY_LENGTH(head), value = VALUE_LENGTH(head);

	return key > 0 && key <= SHELF_KEY_MAX && value <= SHELF_VALUE_MAX ? SHELF_HEAD + key + value : 0;
}

int shelf_compare(const unsigned char *a, size_t a_length, const unsigned char *b, size_t b_length)
{
	int order = memcmp(a, b, a_length < b_length ? a_length : b_length);

	return order != 0 ? order : (a_length > b_length) - (a_length < b_length);
}

static int compare_keys(const unsigned char *a, const unsigned char *b)
{
	return shelf_compare(a + SHELF_HEAD, KEY_LENGTH(a), b + SHELF_HEAD, KEY_LENGTH(b));
}

static int compare_values(const unsigned char *a, const unsigned char *b)
{
	return shelf_compare(a + SHELF_HEAD + KEY_LENGTH(a), VALUE_LENGTH(a), b + SHELF_HEAD + KEY_LENGTH(b), VALUE_LENGTH(b));
}

static size_t keep_greatest(const unsigned char *const *records, size_t count, struct pool *pool, unsigned char *joined)
{
	const unsigned char *greatest = records[0];

	(void)pool;
	for (size_t i = 1; i < count; i++)
		if (compare_values(records[i], greatest) > 0)
			greatest = records[i];
	memcpy(joined, greatest, record_bytes(greatest));
	return record_bytes(greatest);
}

const struct run_form shelf_runs = {
	.head = SHELF_HEAD, .most = SHELF_RECORD_MAX, .buffer = SHELF_BUFFER, .size = record_bytes, .compare = compare_keys, .join = keep_greatest
};

struct shelf_pair shelf_pair_of(const unsigned char *record)
{
	const char *key = (const char *)record + SHELF_HEAD;

	return (struct shelf_pair){ key, key + KEY_LENGTH(record), KEY_LENGTH(record), VALUE_LENGTH(record) };
}

/* --- Opening, failing, closing --- */

enum deepid_err shelf_open(struct shelf *s, size_t memory, const char *folder, unsigned fan, const struct deepid_memory *source)
{
	assert(memory >= SHELF_MEMORY_MIN && fan >= 2 && fan <= RUN_FAN_MAX);
	size_t length = strlen(folder) + 1;

	memset(s, 0, sizeof *s);
	s->source = source != NULL ? *source : deepid_malloc;
	s->fan = fan;
	/* A half of the cap for records, a quarter for each of the two lists; the buffer and the name are taken off the records. */
	s->item_room = memory / 4 / sizeof *s->items;
	s->room = memory / 2 - SHELF_BUFFER - SHELF_RECORD_MAX - length;
	s->folder = s->source.take(length, s->source.data);
	s->buffer = s->source.take(SHELF_BUFFER + SHELF_RECORD_MAX, s->source.data);
	s->arena = s->source.take(s->room, s->source.data);
	s->items = s->source.take(2 * s->item_room * sizeof *s->items, s->source.data);
	if (s->folder == NULL || s->buffer == NULL || s->arena == NULL || s->items == NULL)
		return s->broken = DEEPID_NOMEM;
	memcpy(s->folder, folder, length);
	s->spare = s->items + s->item_room;
	return DEEPID_OK;
}

void shelf_close(struct shelf *s)
{
	/* The lower of the two lists is what was taken. */
	struct shelf_item *items = s->spare != NULL && s->spare < s->items ? s->spare : s->items;
	void *owned[] = { s->folder, s->buffer, s->arena, items };

	for (size_t i = 0; i < s->run_count; i++)
		close(s->runs[i].fd);
	for (size_t i = 0; i < sizeof owned / sizeof owned[0]; i++)
		if (owned[i] != NULL)
			s->source.give(owned[i], s->source.data);
	memset(s, 0, sizeof *s);
}

enum deepid_err shelf_fail(struct shelf *s, const char *doing, const char *path)
{
	snprintf(s->problem, sizeof s->problem, "cannot %s %s: %s", doing, path, strerror(errno));
	return s->broken = DEEPID_IO;
}

/* What reading runs returned; all but DEEPID_OK and DEEPID_END breaks the shelf. */
static enum deepid_err checked(struct shelf *s, enum deepid_err result)
{
	if (result == DEEPID_OK || result == DEEPID_END)
		return result;
	if (result == DEEPID_BAD)
		errno = EIO; /* not the bytes that were written */
	return shelf_fail(s, "write or read a temporary file in", s->folder);
}

/* --- Sorting --- */

/* By key; what has the same key, by value. */
static bool sorts_before(const struct shelf_item *a, const struct shelf_item *b)
{
	if (a->first != b->first)
		return a->first < b->first;
	int order = compare_keys(a->record, b->record);
	return order != 0 ? order < 0 : compare_values(a->record, b->record) < 0;
}

static void merge_two(struct shelf_item *to, const struct shelf_item *a, size_t a_count, const struct shelf_item *b, size_t b_count)
{
	while (a_count > 0 && b_count > 0) {
		bool second = sorts_before(b, a);
		*to++ = second ? *b++ : *a++;
		b_count -= second;
		a_count -= !second;
	}
	memcpy(to, a_count > 0 ? a : b, (a_count + b_count) * sizeof *to);
}

/* Merge sort, from runs of one up: whoever chooses the keys cannot make it slow. */
static void sort(struct shelf *s)
{
	for (size_t width = 1; !s->sorted && width < s->count; width *= 2) {
		for (size_t at = 0; at < s->count; at += 2 * width) {
			size_t left = s->count - at, first = left < width ? left : width;
			size_t second = left - first < width ? left - first : width;
			merge_two(s->spare + at, s->items + at, first, s->items + at + first, second);
		}
		struct shelf_item *sorted = s->spare;
		s->spare = s->items;
		s->items = sorted;
	}
	s->sorted = true;
}

/* The record of the next key, the greatest of its values, from the item at *next on; NULL behind the last. */
static const unsigned char *next_item(const struct shelf *s, size_t *next)
{
	if (*next == s->count)
		return NULL;
	const unsigned char *record = s->items[(*next)++].record;
	while (*next < s->count && compare_keys(s->items[*next].record, record) == 0)
		record = s->items[(*next)++].record;
	return record;
}

/* --- Runs --- */

static void keep_run(struct shelf *s, const struct run_writer *writer, unsigned level)
{
	assert(s->run_count < SHELF_RUNS_MAX);
	s->runs[s->run_count++] = (struct run_file){ .fd = writer->fd, .size = writer->written, .level = level };
}

/* Starts to read the `count` runs from `first` on; nothing may be in the arena. */
static enum deepid_err read_runs(struct shelf *s, size_t first, size_t count, struct run_merge *merge)
{
	assert(s->used == 0 && count <= RUN_FAN_MAX);
	memset(merge, 0, sizeof *merge);
	merge->joined = s->buffer + SHELF_BUFFER;
	merge->count = count;
	for (size_t i = 0; i < count; i++)
		merge->readers[i] = (struct run_reader){ .form = &shelf_runs, .fd = s->runs[first + i].fd, .end = s->runs[first + i].size,
			.buffer = s->arena + i * SHELF_BUFFER };
	return checked(s, run_merge_start(merge));
}

/* Merges the last `fan` runs into one of the next level. */
static enum deepid_err merge_last(struct shelf *s)
{
	size_t first = s->run_count - s->fan;
	unsigned level = s->runs[first].level + 1;
	struct run_merge merge;

	enum deepid_err result = read_runs(s, first, s->fan, &merge);
	if (result != DEEPID_OK)
		return result;
	struct run_writer writer = { .form = &shelf_runs, .fd = run_open(s->folder), .buffer = s->buffer };
	if (writer.fd < 0)
		return checked(s, DEEPID_IO);
	result = checked(s, run_merge_write(&merge, &writer));
	if (result != DEEPID_OK) {
		close(writer.fd);
		return result;
	}
	for (size_t i = first; i < s->run_count; i++)
		close(s->runs[i].fd);
	s->run_count = first;
	keep_run(s, &writer, level);
	return DEEPID_OK;
}

/* Writes what is in the arena as a run. */
static enum deepid_err spill(struct shelf *s)
{
	struct run_writer writer = { .form = &shelf_runs, .fd = run_open(s->folder), .buffer = s->buffer };
	enum deepid_err result = DEEPID_OK;
	const unsigned char *record;
	size_t next = 0;

	if (writer.fd < 0)
		return checked(s, DEEPID_IO);
	sort(s);
	while ((record = next_item(s, &next)) != NULL) {
		unsigned char *room = run_room(&writer);
		if (room == NULL)
			break;
		memcpy(room, record, record_bytes(record));
		run_wrote(&writer, record_bytes(record));
	}
	if (record != NULL || !run_flush(&writer)) {
		result = checked(s, DEEPID_IO);
		close(writer.fd);
		return result;
	}
	keep_run(s, &writer, 0);
	s->count = s->used = 0;
	while (result == DEEPID_OK && s->run_count >= s->fan && s->runs[s->run_count - s->fan].level == s->runs[s->run_count - 1].level)
		result = merge_last(s);
	return result;
}

/* --- Putting --- */

enum deepid_err shelf_put(struct shelf *s, const struct shelf_pair *pair)
{
	size_t size = SHELF_HEAD + pair->key_length + pair->value_length;
	unsigned char first[8] = { 0 };
	uint64_t number = 0;

	assert(pair->key_length > 0 && pair->key_length <= SHELF_KEY_MAX && pair->value_length <= SHELF_VALUE_MAX);
	s->walk++;
	if (s->broken == DEEPID_OK && (s->room - s->used < size || s->count == s->item_room))
		spill(s);
	if (s->broken != DEEPID_OK)
		return s->broken;
	unsigned char *record = s->arena + s->used;
	record[0] = (unsigned char)(pair->key_length >> 8);
	record[1] = (unsigned char)pair->key_length;
	record[2] = (unsigned char)(pair->value_length >> 8);
	record[3] = (unsigned char)pair->value_length;
	memcpy(record + SHELF_HEAD, pair->key, pair->key_length);
	if (pair->value_length > 0)
		memcpy(record + SHELF_HEAD + pair->key_length, pair->value, pair->value_length);
	memcpy(first, pair->key, pair->key_length < 8 ? pair->key_length : 8);
	for (int i = 0; i < 8; i++)
		number = number << 8 | first[i];
	s->items[s->count++] = (struct shelf_item){ number, record };
	s->used += size;
	s->sorted = false;
	return DEEPID_OK;
}

enum deepid_err shelf_merge(struct shelf *s, struct shelf *other)
{
	struct shelf_walk walk;
	struct shelf_pair pair;

	enum deepid_err result = shelf_walk_start(&walk, other);
	while (result == DEEPID_OK && (result = shelf_walk_next(&walk, &pair)) == DEEPID_OK)
		result = shelf_put(s, &pair);
	if (result == DEEPID_END)
		return DEEPID_OK;
	/* Whose trouble it was, this shelf tells it. */
	if (s->broken == DEEPID_OK)
		memcpy(s->problem, other->problem, sizeof s->problem);
	return s->broken = result;
}

/* --- Going over the pairs --- */

enum deepid_err shelf_walk_start(struct shelf_walk *walk, struct shelf *s)
{
	memset(walk, 0, sizeof *walk);
	walk->shelf = s;
	walk->id = ++s->walk;
	if (s->broken != DEEPID_OK)
		return s->broken;
	if (s->run_count == 0) {
		sort(s);
		return DEEPID_OK;
	}
	if (s->count > 0)
		spill(s);
	while (s->broken == DEEPID_OK && s->run_count > s->fan)
		merge_last(s);
	return s->broken != DEEPID_OK ? s->broken : read_runs(s, 0, s->run_count, &walk->merge);
}

enum deepid_err shelf_walk_record(void *data, const unsigned char **record, size_t *size)
{
	struct shelf_walk *walk = data;
	struct shelf *s = walk->shelf;

	if (s->broken != DEEPID_OK)
		return s->broken;
	if (walk->id != s->walk) {
		snprintf(s->problem, sizeof s->problem, "the shelf has changed, or another walk has begun");
		return DEEPID_BAD;
	}
	if (s->run_count > 0)
		return checked(s, run_merge_next(&walk->merge, record, size));
	*record = next_item(s, &walk->next);
	if (*record == NULL)
		return DEEPID_END;
	*size = record_bytes(*record);
	return DEEPID_OK;
}

enum deepid_err shelf_walk_next(struct shelf_walk *walk, struct shelf_pair *pair)
{
	const unsigned char *record;
	size_t size;

	enum deepid_err result = shelf_walk_record(walk, &record, &size);
	if (result == DEEPID_OK)
		*pair = shelf_pair_of(record);
	return result;
}
