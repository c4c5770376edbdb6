/* state - a survey gone over in order, written to a file, read from one, added to another; see survey.h. */

#define _DEFAULT_SOURCE

#include "survey.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

static const unsigned char magic[16] = "deepid-survey\n\x1a\x01";

#define TRAILER_MARK 0xff
#define TRAILER 25 /* bytes: the mark, the count, the checksum */
#define CHECKSUM 16

/* --- Going over the groups --- */

enum deepid_err survey_walk_start(struct survey_walk *walk, struct survey *s)
{
	enum deepid_err result = s->broken;

	memset(walk, 0, sizeof *walk);
	walk->survey = s;
	walk->id = ++s->walk;
	if (result == DEEPID_OK && s->run_count == 0) {
		if (!s->sorted) {
			survey_sort(s);
			survey_index(s);
		}
		return DEEPID_OK;
	}
	if (result == DEEPID_OK && s->count > 0)
		result = survey_spill(s);
	if (result == DEEPID_OK)
		result = survey_reduce(s);
	return result == DEEPID_OK ? survey_read_runs(s, 0, s->run_count, &walk->merge) : result;
}

enum deepid_err survey_walk_next(struct survey_walk *walk, const unsigned char **record, size_t *size)
{
	struct survey *s = walk->survey;

	if (s->broken != DEEPID_OK)
		return s->broken;
	if (walk->id != s->walk) {
		snprintf(s->problem, sizeof s->problem, "the survey has changed, or another walk has begun");
		return DEEPID_BAD;
	}
	if (s->run_count > 0)
		return survey_read(s, run_merge_next(&walk->merge, record, size));
	if (walk->next == s->count)
		return DEEPID_END;
	*size = record_write(s->buffer + RUN_BUFFER, s->groups[walk->next++]);
	*record = s->buffer + RUN_BUFFER;
	return DEEPID_OK;
}

enum deepid_err survey_merge(struct survey *s, struct survey *other)
{
	struct record_scratch scratch;
	struct survey_walk walk;
	struct group group;
	const unsigned char *record;
	size_t size;

	enum deepid_err result = survey_walk_start(&walk, other);
	while (result == DEEPID_OK && (result = survey_walk_next(&walk, &record, &size)) == DEEPID_OK) {
		record_read(record, &group, &scratch);
		result = survey_absorb(s, &group);
	}
	/* Whose trouble it was, this survey tells it. */
	if (result == DEEPID_IO && s->broken != DEEPID_IO)
		memcpy(s->problem, other->problem, sizeof s->problem);
	if (result != DEEPID_END)
		s->broken = result;
	return result == DEEPID_END ? DEEPID_OK : result;
}

/* --- Writing a state --- */

static void sum(const void *bytes, size_t length, void *data)
{
	XXH3_128bits_update(data, bytes, length);
}

static void put_checksum(unsigned char *bytes, const XXH3_state_t *state)
{
	XXH128_hash_t hash = XXH3_128bits_digest(state);

	put_be64(bytes, hash.high64);
	put_be64(bytes + 8, hash.low64);
}

/* The whole state goes through the writer; DEEPID_IO: see errno, unless the survey itself is broken. */
static enum deepid_err write_state(struct survey *s, struct run_writer *writer, XXH3_state_t *state)
{
	struct survey_walk walk;
	const unsigned char *record;
	unsigned char *room;
	uint64_t count = 0;
	size_t size;

	enum deepid_err result = survey_walk_start(&walk, s);
	if (result != DEEPID_OK)
		return result;
	writer->sum = sum;
	writer->data = state;
	memcpy(writer->buffer, magic, sizeof magic);
	run_wrote(writer, sizeof magic);
	while ((result = survey_walk_next(&walk, &record, &size)) == DEEPID_OK) {
		if ((room = run_room(writer)) == NULL)
			return DEEPID_IO;
		memcpy(room, record, size);
		run_wrote(writer, size);
		count++;
	}
	if (result != DEEPID_END)
		return result;
	if ((room = run_room(writer)) == NULL)
		return DEEPID_IO;
	room[0] = TRAILER_MARK;
	put_be64(room + 1, count);
	run_wrote(writer, TRAILER - CHECKSUM);
	if (!run_flush(writer))
		return DEEPID_IO;
	writer->sum = NULL;
	put_checksum(writer->buffer, state);
	run_wrote(writer, CHECKSUM);
	return run_flush(writer) ? DEEPID_OK : DEEPID_IO;
}

/* Says what went wrong with a file of the user's; the survey stays whole. */
static enum deepid_err complain(struct survey *s, const char *doing, const char *path, const char *why)
{
	snprintf(s->problem, sizeof s->problem, "cannot %s %s: %s", doing, path, why);
	return DEEPID_IO;
}

enum deepid_err survey_dump(struct survey *s, const char *path)
{
	struct run_writer writer = { .buffer = s->buffer };
	XXH3_state_t state;
	char part[PATH_MAX];

	if (s->broken != DEEPID_OK)
		return s->broken;
	if ((size_t)snprintf(part, sizeof part, "%s.part", path) >= sizeof part)
		return complain(s, "write", path, strerror(ENAMETOOLONG));
	writer.fd = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (writer.fd < 0)
		return complain(s, "write", path, strerror(errno));
	XXH3_128bits_reset(&state);
	enum deepid_err result = write_state(s, &writer, &state);
	int why = errno;
	if (close(writer.fd) != 0 && result == DEEPID_OK) {
		result = DEEPID_IO;
		why = errno;
	}
	if (result == DEEPID_OK && rename(part, path) == 0)
		return DEEPID_OK;
	if (result == DEEPID_OK)
		why = errno;
	unlink(part);
	return s->broken != DEEPID_OK ? s->broken : complain(s, "write", path, strerror(why));
}

/* --- Reading one --- */

static enum deepid_err refuse(struct survey *s, const char *path, const char *why)
{
	snprintf(s->problem, sizeof s->problem, "%s is no state of a survey that can be read: %s", path, why);
	return s->broken = DEEPID_BAD;
}

/* What is wrong with the record, in the place that it has in the file; NULL: nothing. */
static const char *check(const struct group *group, const struct group_key *before, uint64_t number)
{
	bool totals = group->key.kind == 0;

	if (group->key.kind > SURVEY_KIND_MAX || totals != (number == 0) || (totals && (group->key.high | group->key.low) != 0))
		return "a record of no kind, or in the wrong place";
	if (totals && group->text_length != GROUP_NO_TEXT)
		return "totals with a text";
	if (number > 0 && group_key_compare(before, &group->key) >= 0)
		return "records out of order";
	return record_check(group) ? NULL : "a record that contradicts itself";
}

/* Adds all records to the survey and to the checksum, and compares with the trailer. */
static enum deepid_err read_state(struct survey *s, const char *path, struct run_reader *reader, const unsigned char *trailer)
{
	struct group_key before = { 0, 0, 0 };
	struct record_scratch scratch;
	struct group group;
	unsigned char sums[CHECKSUM];
	uint64_t count = 0;
	enum deepid_err result;
	XXH3_state_t state;

	XXH3_128bits_reset(&state);
	XXH3_128bits_update(&state, magic, sizeof magic);
	while ((result = run_next(reader)) == DEEPID_OK) {
		XXH3_128bits_update(&state, reader->record, reader->size);
		record_read(reader->record, &group, &scratch);
		const char *why = check(&group, &before, count++);
		if (why != NULL)
			return refuse(s, path, why);
		before = group.key;
		if ((result = survey_absorb(s, &group)) != DEEPID_OK)
			return result;
	}
	if (result == DEEPID_IO)
		return survey_fail(s, "cannot read", path);
	if (result == DEEPID_BAD)
		return refuse(s, path, "a record that is none");
	XXH3_128bits_update(&state, trailer, TRAILER - CHECKSUM);
	put_checksum(sums, &state);
	if (trailer[0] != TRAILER_MARK || get_be64(trailer + 1) != count || memcmp(sums, trailer + TRAILER - CHECKSUM, CHECKSUM) != 0)
		return refuse(s, path, "it was cut short or altered");
	return DEEPID_OK;
}

static enum deepid_err read_file(struct survey *s, const char *path, int fd, unsigned char *buffer)
{
	unsigned char head[sizeof magic], trailer[TRAILER];
	struct stat stat;

	if (fstat(fd, &stat) != 0)
		return survey_fail(s, "cannot read", path);
	if (!S_ISREG(stat.st_mode) || stat.st_size < (off_t)(sizeof magic + TRAILER))
		return refuse(s, path, "no file, or too short");
	off_t end = stat.st_size - TRAILER;
	if (pread(fd, head, sizeof head, 0) != (ssize_t)sizeof head || pread(fd, trailer, TRAILER, end) != TRAILER)
		return survey_fail(s, "cannot read", path);
	if (memcmp(head, magic, sizeof magic) != 0)
		return refuse(s, path, "it begins otherwise, or is of another version");
	struct run_reader reader = { .fd = fd, .at = sizeof magic, .end = end, .buffer = buffer };
	return read_state(s, path, &reader, trailer);
}

enum deepid_err survey_load(struct survey *s, const char *path)
{
	if (s->broken != DEEPID_OK)
		return s->broken;
	unsigned char *buffer = s->source.take(RUN_BUFFER, s->source.data);
	if (buffer == NULL)
		return s->broken = DEEPID_NOMEM;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	enum deepid_err result = fd >= 0 ? read_file(s, path, fd, buffer) : survey_fail(s, "cannot read", path);
	if (fd >= 0)
		close(fd);
	s->source.give(buffer, s->source.data);
	return result;
}
