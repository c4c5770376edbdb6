/* state - a survey gone over in order, written to a file, read from one, added to another; see survey.h. */

#include "survey.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "saved.h"

static const struct saved_form form = { "deepid-survey\n\x1a\x01", &record_form };

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
	*size = record_write(s->buffer + RECORD_BUFFER, s->groups[walk->next++]);
	*record = s->buffer + RECORD_BUFFER;
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

/* --- State files --- */

static enum deepid_err next_record(void *walk, const unsigned char **record, size_t *size)
{
	return survey_walk_next(walk, record, size);
}

enum deepid_err survey_dump(struct survey *s, const char *path)
{
	struct survey_walk walk;
	bool own;

	enum deepid_err result = survey_walk_start(&walk, s);
	if (result == DEEPID_OK)
		result = saved_write(path, &form, s->buffer, next_record, &walk, &own);
	if (result == DEEPID_OK || s->broken != DEEPID_OK)
		return result;
	/* A file of the user's; the survey stays whole. */
	snprintf(s->problem, sizeof s->problem, "cannot write %s: %s", path, strerror(errno));
	return DEEPID_IO;
}

/* What is read goes here. */
struct intake {
	struct survey *survey;
	struct group_key before; /* of the last record */
};

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

static enum deepid_err take_record(void *data, const unsigned char *record, size_t size, uint64_t number, const char **why)
{
	struct record_scratch scratch;
	struct intake *intake = data;
	struct group group;

	(void)size;
	record_read(record, &group, &scratch);
	if ((*why = check(&group, &intake->before, number)) != NULL)
		return DEEPID_BAD;
	intake->before = group.key;
	return survey_absorb(intake->survey, &group);
}

enum deepid_err survey_load(struct survey *s, const char *path)
{
	struct intake intake = { s, { 0, 0, 0 } };
	const char *why;
	bool own;

	if (s->broken != DEEPID_OK)
		return s->broken;
	unsigned char *buffer = s->source.take(RECORD_BUFFER, s->source.data);
	if (buffer == NULL)
		return s->broken = DEEPID_NOMEM;
	enum deepid_err result = saved_read(path, &form, buffer, take_record, &intake, &why, &own);
	if (result == DEEPID_IO && own)
		survey_fail(s, "cannot read", path);
	if (result == DEEPID_BAD) {
		snprintf(s->problem, sizeof s->problem, "%s is no state of a survey that can be read: %s", path, why);
		s->broken = DEEPID_BAD;
	}
	s->source.give(buffer, s->source.data);
	return result;
}
