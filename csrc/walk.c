/* walk - a survey gone over in order; see survey.h. */

#include "survey.h"

#include <stdio.h>
#include <string.h>

enum deepid_err survey_walk_start(struct survey_walk *walk, struct survey *s)
{
	enum deepid_err result = survey_settle(s);

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
