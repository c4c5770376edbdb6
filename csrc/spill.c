/* spill - what a survey does when its memory is full: runs, and their levels; see survey.h. */

#include "survey.h"

#include <assert.h>
#include <string.h>
#include <unistd.h>

#define AHEAD 8

/* Closes the file of a writer that failed. */
static enum deepid_err fail(struct survey *s, const struct run_writer *writer)
{
	survey_fail(s, "cannot write a temporary file in", s->options.folder);
	if (writer->fd >= 0)
		close(writer->fd);
	return s->broken;
}

static void keep_run(struct survey *s, const struct run_writer *writer, unsigned level)
{
	assert(s->run_count < SURVEY_RUNS_MAX);
	s->runs[s->run_count++] = (struct run_file){ .fd = writer->fd, .size = writer->written, .level = level };
}

enum deepid_err survey_read_runs(struct survey *s, size_t first, size_t count, struct run_merge *merge)
{
	memset(merge, 0, sizeof *merge);
	pool_reset(&s->pool);
	merge->pool = &s->join_pool;
	merge->joined = s->buffer + RECORD_BUFFER;
	merge->count = count;
	for (size_t i = 0; i < count; i++) {
		unsigned char *buffer = pool_take(&s->pool, RECORD_BUFFER);
		if (buffer == NULL)
			return s->broken = DEEPID_NOMEM;
		merge->readers[i] = (struct run_reader){ .form = &record_form, .fd = s->runs[first + i].fd, .end = s->runs[first + i].size, .buffer = buffer };
	}
	return survey_read(s, run_merge_start(merge));
}

/* Merges the last `count` runs into one of the next level. */
static enum deepid_err merge_last(struct survey *s, size_t count)
{
	size_t first = s->run_count - count;
	unsigned level = s->runs[first].level + 1;
	struct run_merge merge;

	enum deepid_err result = survey_read_runs(s, first, count, &merge);
	if (result != DEEPID_OK)
		return result;
	struct run_writer writer = { .form = &record_form, .fd = run_open(s->options.folder), .buffer = s->buffer };
	if (writer.fd < 0)
		return fail(s, &writer);
	result = run_merge_write(&merge, &writer);
	if (result == DEEPID_IO)
		return fail(s, &writer);
	if (result != DEEPID_OK) {
		close(writer.fd);
		return survey_read(s, result);
	}
	for (size_t i = first; i < s->run_count; i++)
		close(s->runs[i].fd);
	s->run_count = first;
	keep_run(s, &writer, level);
	pool_reset(&s->pool);
	return DEEPID_OK;
}

enum deepid_err survey_reduce(struct survey *s)
{
	enum deepid_err result = DEEPID_OK;

	while (result == DEEPID_OK && s->run_count > s->options.fan)
		result = merge_last(s, s->options.fan);
	return result;
}

enum deepid_err survey_spill(struct survey *s)
{
	struct run_writer writer = { .form = &record_form, .fd = run_open(s->options.folder), .buffer = s->buffer };
	size_t fan = s->options.fan;
	enum deepid_err result = DEEPID_OK;

	if (writer.fd < 0)
		return fail(s, &writer);
	survey_sort(s);
	for (size_t i = 0; i < s->count; i++) {
		/* They lie in the order in which they came. */
		if (i + 2 * AHEAD < s->count)
			__builtin_prefetch(s->groups[i + 2 * AHEAD]);
		if (i + AHEAD < s->count) {
			__builtin_prefetch(s->groups[i + AHEAD]->list);
			__builtin_prefetch(s->groups[i + AHEAD]->text);
		}
		/* One that memory gave out on before it had its first host; what was to be added comes again. */
		if (s->groups[i]->count == 0 && s->groups[i]->form < ADDRESS_WIDTHS)
			continue;
		unsigned char *room = run_room(&writer);
		if (room == NULL)
			return fail(s, &writer);
		run_wrote(&writer, record_write(room, s->groups[i]));
	}
	if (!run_flush(&writer))
		return fail(s, &writer);
	keep_run(s, &writer, 0);
	pool_reset(&s->pool);
	memset(s->slots, 0, 2 * s->room * sizeof *s->slots);
	s->count = 0;
	while (result == DEEPID_OK && s->run_count >= fan && s->runs[s->run_count - fan].level == s->runs[s->run_count - 1].level)
		result = merge_last(s, fan);
	return result;
}
