/*
 * shelf - a sorted map that may be larger than memory; of several values of one key, the one that sorts last stays.
 *
 *   shelf_put(key, value)
 *      v
 *   arena  [ record | record | record | ...            ]   as they come
 *   items  [ first 8 bytes of the key, record | ...    ]   one a record
 *      |  when either is full: sorted, and written as a run
 *      v
 *   runs   level 0: r r r     level 1: r r     level 2: r  unnamed files (run.h); `fan` of one level become one of the next
 *      |  shelf_walk: all runs merged, or the items alone when there are no runs
 *      v
 *   records by the bytes of their keys: a state file, or put on another shelf
 *
 *   record  | bytes of the key, 2 | bytes of the value, 2 | key | value |      numbers with their most significant byte first
 *
 * Keeping the greatest value makes a shelf a function of the set of pairs that were put there: the order, the cap, the runs and the tree of
 * merges do not show, and putting a pair again changes nothing.
 *
 * All memory is taken from the caller's source and stays under the cap.  After a function has failed with DEEPID_NOMEM, DEEPID_IO or, in
 * shelf_load, DEEPID_BAD, the shelf fails for good, with the same words: part of what it was to take may be there.
 */
#ifndef DEEPID_SHELF_H
#define DEEPID_SHELF_H

#include "address.h"
#include "run.h"

#define SHELF_KEY_MAX 512     /* bytes; a key has one at least */
#define SHELF_VALUE_MAX 65000 /* bytes */
#define SHELF_HEAD 4
#define SHELF_RECORD_MAX (SHELF_HEAD + SHELF_KEY_MAX + SHELF_VALUE_MAX)
#define SHELF_BUFFER 98304 /* bytes that each writer and reader has */
#define SHELF_MEMORY ((size_t)8 << 20)
#define SHELF_MEMORY_MIN ((size_t)4 << 20) /* half of it must hold the readers of RUN_FAN_MAX runs */
#define SHELF_RUNS_MAX 128
#define SHELF_PROBLEM_MAX 256

struct shelf_item {
	uint64_t first; /* of the key, padded with zeros */
	const unsigned char *record;
};

struct shelf {
	struct deepid_memory source;
	char *folder; /* for runs */
	unsigned fan; /* runs of one level that are merged, 2..RUN_FAN_MAX */

	unsigned char *arena; /* `room` bytes, `used` of them records; while runs are read, the readers' buffers instead */
	size_t room, used;
	struct shelf_item *items, *spare; /* `item_room` each, `count` in use; sorting moves them from one to the other and back */
	size_t item_room, count;
	bool sorted;

	struct run_file runs[SHELF_RUNS_MAX]; /* levels never rise from one to the next */
	size_t run_count;
	unsigned char *buffer; /* SHELF_BUFFER bytes for writing, SHELF_RECORD_MAX for the record that is given out */

	uint64_t walk; /* which walk may go on; each start and each put ends the one before */
	enum deepid_err broken;
	char problem[SHELF_PROBLEM_MAX]; /* what went wrong, after DEEPID_IO and DEEPID_BAD */
};

struct shelf_walk {
	struct shelf *shelf;
	uint64_t id;
	size_t next; /* the item to come, while there are no runs */
	struct run_merge merge;
};

struct shelf_pair {
	const char *key, *value;
	size_t key_length, value_length;
};

/*
 * shelf_open - an empty shelf.
 *
 * memory  bytes, SHELF_MEMORY_MIN at least
 * folder  for runs; copied
 * source  NULL: malloc and free
 *
 * DEEPID_OK or DEEPID_NOMEM; shelf_close may follow either way.
 */
enum deepid_err shelf_open(struct shelf *shelf, size_t memory, const char *folder, unsigned fan, const struct deepid_memory *source);

/* shelf_close - frees what it owns and closes its files; may be called again, and on a zeroed shelf. */
void shelf_close(struct shelf *shelf);

/* shelf_put - a pair, whose lengths must be within the bounds above.  DEEPID_OK or DEEPID_IO. */
enum deepid_err shelf_put(struct shelf *shelf, const struct shelf_pair *pair);

/* shelf_merge - puts there all that the other has, which stays as it is; it may not be the same shelf.  Ends the walks of both. */
enum deepid_err shelf_merge(struct shelf *shelf, struct shelf *other);

/* shelf_dump - writes all to a file (saved.h), in place of what was there, once it is whole. */
enum deepid_err shelf_dump(struct shelf *shelf, const char *path);

/* shelf_load - puts there what such a file holds.  DEEPID_BAD: it is none, or not as it was written. */
enum deepid_err shelf_load(struct shelf *shelf, const char *path);

/* shelf_walk_start - begins to go over all pairs by key.  Ends when anything is put there or another walk starts. */
enum deepid_err shelf_walk_start(struct shelf_walk *walk, struct shelf *shelf);

/* shelf_walk_next - the next pair, valid until the next call; DEEPID_END after the last; DEEPID_BAD: the walk has been ended. */
enum deepid_err shelf_walk_next(struct shelf_walk *walk, struct shelf_pair *pair);

/* --- Between the files of shelf --- */

extern const struct run_form shelf_runs;

/* Below, at or above 0 when a sorts before, as or behind b. */
int shelf_compare(const unsigned char *a, size_t a_length, const unsigned char *b, size_t b_length);

struct shelf_pair shelf_pair_of(const unsigned char *record);

/* Says what cannot be done with a file, from errno, and breaks the shelf. */
enum deepid_err shelf_fail(struct shelf *shelf, const char *doing, const char *path);

/* As shelf_walk_next, of a struct shelf_walk: the pair as a record. */
enum deepid_err shelf_walk_record(void *walk, const unsigned char **record, size_t *size);

/* --- Lines --- */

struct shelf_lines {
	const char *at, *end; /* what is to be read yet */
	uint64_t number;      /* of the line last read, from 1 */
	const char *odd;      /* the line that shelf_put_lines stopped at, without LF and a CR before it */
	size_t odd_length;
};

/* What becomes of a line `address TAB text`: the key is address, suffix; the value is prefix, text, of which `most` bytes count. */
struct shelf_line_form {
	const char *suffix, *prefix;
	size_t suffix_length, prefix_length, most;
};

/*
 * shelf_put_lines - puts lines `address TAB text LF` there, the last LF and a CR before it may be missing, up to one that is none.
 *
 * Addresses are plain (shelf_plain_address): other ways to write one, such as ::ffff:192.0.2.1, are for the caller to look at.
 *
 * DEEPID_END when all is read; DEEPID_HIT at a line that is none: call it again to go on behind it; else as shelf_put.
 */
enum deepid_err shelf_put_lines(struct shelf *shelf, struct shelf_lines *lines, const struct shelf_line_form *form);

/* shelf_plain_address - whether it is such an address: digits and dots, or hexadecimal digits and colons. */
bool shelf_plain_address(struct address *address, const char *bytes, size_t length);

#endif
