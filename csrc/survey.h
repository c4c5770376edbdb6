/*
 * survey - who shares what: groups of hosts by key, in one pass, in bounded memory.
 *
 *   survey_add(host, kind, key, text)
 *      |  XXH3-128 of the key
 *      v
 *   slots  [ tag | index ]--> groups [ pointer ]--> struct group --> lists, registers, texts        all in the pool
 *      |  when the pool or the table is full: groups are sorted and written out
 *      v
 *   runs   level 0: r r r     level 1: r r     level 2: r        unnamed files; `fan` of one level become one of the next
 *      |  survey_walk: all runs merged, or the groups alone when there are no runs
 *      v
 *   records by (kind, hash)
 *
 * A survey is a function of the *set* of facts (host, kind, key, text) that were added.  Each group depends on its set alone (group.h),
 * joining groups is joining their sets, and records come in the order of their keys: so they are the same bytes whatever the order of
 * adding, the cap, the spills and the tree of their merges, and adding again what is there changes nothing.
 *
 * Kinds 1..15 are the caller's.  Keys are told apart by 128 bits of hash: of n keys two are taken for one with a probability of
 * n * n / 2^129.
 *
 * All memory is taken from the caller's source and stays under the cap.  After a function has failed with DEEPID_NOMEM or DEEPID_IO, part
 * of what it was to add may be there; the survey then fails for good, with the same words, since its state is that of no set.
 */
#ifndef DEEPID_SURVEY_H
#define DEEPID_SURVEY_H

#include "record.h"

#define SURVEY_MEMORY ((size_t)64 << 20)    /* bytes: the cap unless the caller says otherwise */
#define SURVEY_MEMORY_MIN ((size_t)2 << 20) /* bytes: the least that all input can be handled in */
#define SURVEY_KIND_MAX 15
#define SURVEY_RUNS_MAX 128  /* (fan - 1) a level: more levels than any disk can hold */
#define SURVEY_PROBLEM_MAX 256
#define SURVEY_WAITING 32
#define SURVEY_SLACK 15 /* bytes behind a text that waits which may be read, since it is copied sixteen bytes at a time */

struct survey_options {
	size_t memory;      /* bytes, at least SURVEY_MEMORY_MIN */
	const char *folder; /* for runs; copied */
	unsigned fan;       /* runs of one level that are merged, 2..RUN_FAN_MAX */
};

#define SURVEY_DEFAULT ((struct survey_options){ .memory = SURVEY_MEMORY, .folder = "/tmp", .fan = RUN_FAN_MAX })

/* What waits to be added. */
struct survey_fact {
	struct host host;
	struct group_key key;
	size_t text_length;
	char text[GROUP_TEXT_MAX + SURVEY_SLACK];
};

struct survey {
	struct survey_options options; /* folder is owned */
	struct deepid_memory source;

	struct pool pool;      /* what groups are made of; while runs are read, the readers' buffers instead */
	struct group **groups; /* `count` of them */
	uint64_t *slots;       /* 2 * room: tag << 32 | index + 1, or 0; open addressing */
	size_t count, room;
	uint64_t secret;      /* mixed into the place of a slot, so that nobody can choose keys that meet there */
	bool sorted;          /* the groups are in the order of their keys */

	struct survey_fact waiting[SURVEY_WAITING];
	size_t waiting_count;

	struct run_file runs[SURVEY_RUNS_MAX]; /* levels never rise from one to the next */
	size_t run_count;
	struct pool join_pool;
	unsigned char *buffer; /* RECORD_BUFFER + RECORD_MAX bytes, for writing and for joined records */

	uint64_t walk; /* which walk may go on; each start and each add ends the one before */
	enum deepid_err broken;
	char problem[SURVEY_PROBLEM_MAX]; /* what went wrong, after DEEPID_IO and DEEPID_BAD */
};

struct survey_walk {
	struct survey *survey;
	uint64_t id;
	size_t next; /* the group to come, while there are no runs */
	struct run_merge merge;
};

/* survey_open - an empty survey; source NULL means malloc and free.  DEEPID_OK or DEEPID_NOMEM; survey_close may follow either way. */
enum deepid_err survey_open(struct survey *survey, const struct survey_options *options, const struct deepid_memory *source);

/* survey_close - frees what it owns and closes its files; may be called again, and on a zeroed survey. */
void survey_close(struct survey *survey);

/* survey_add - one fact; text NULL: without an example.  DEEPID_OK, DEEPID_NOMEM or DEEPID_IO. */
enum deepid_err survey_add(struct survey *survey, const struct address *host, uint8_t kind, const char *key, size_t key_length,
    const char *text, size_t text_length);

/* survey_walk_start - begins to go over all groups by kind and hash.  Ends when anything is added or another walk starts. */
enum deepid_err survey_walk_start(struct survey_walk *walk, struct survey *survey);

/* survey_walk_next - the next record, valid until the next call; DEEPID_END after the last; DEEPID_BAD: the walk has been ended. */
enum deepid_err survey_walk_next(struct survey_walk *walk, const unsigned char **record, size_t *size);

/* --- Between the files of survey --- */

/* The key of a group, from the bytes of its key. */
struct group_key survey_key(uint8_t kind, const char *key, size_t length);

/*
 * As survey_add, with the host worked out, but the fact waits for others, so that the memory of all their groups is fetched at once; what
 * fails then is told with a later one, or by the walk.  Behind the text SURVEY_SLACK bytes more can be read.
 */
enum deepid_err survey_add_soon(struct survey *survey, const struct host *host, uint8_t kind, const char *key, size_t key_length, const char *text,
    size_t text_length);

/* Adds what waits. */
enum deepid_err survey_settle(struct survey *survey);

/* Says what went wrong with a file, from errno, and breaks the survey. */
enum deepid_err survey_fail(struct survey *survey, const char *doing, const char *path);

/* What reading runs returned; all but DEEPID_OK and DEEPID_END breaks the survey. */
enum deepid_err survey_read(struct survey *survey, enum deepid_err result);

/* Puts the groups in the order of their keys, unless they are; the slots must then be filled anew. */
void survey_sort(struct survey *survey);

/* Fills the slots from the groups. */
void survey_index(struct survey *survey);

/* Writes the groups out as a run and forgets them. */
enum deepid_err survey_spill(struct survey *survey);

/* Takes the readers' buffers for the `count` runs from `first` on, and starts; the pool must hold nothing. */
enum deepid_err survey_read_runs(struct survey *survey, size_t first, size_t count, struct run_merge *merge);

/* Merges runs until at most `fan` are left. */
enum deepid_err survey_reduce(struct survey *survey);

#endif
