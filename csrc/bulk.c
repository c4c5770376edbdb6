/* bulk - many `address TAB greeting` lines at once; see survey.h. */

#include <string.h>

#include "mask.h"
#include "survey.h"

#define BATCH 16 /* lines: enough for memory to answer, few enough for the cache */

/* Both strengths of masking in one pass; each result has at most `length` bytes. */
static void mask_both(const char *text, size_t length, char *weak, size_t *weak_length, char *strong, size_t *strong_length)
{
	struct mask_run run;
	size_t from = 0, w = 0, t = 0, strong_from = 0;

	mask_start(&run, text, length, NULL, 0);
	while (mask_next(&run)) {
		memcpy(strong + t, text + strong_from, run.start - strong_from);
		t += run.start - strong_from;
		strong[t++] = run.token;
		strong_from = run.end;
		if (run.strength == MASK_TEMPLATE)
			continue;
		memcpy(weak + w, text + from, run.start - from);
		w += run.start - from;
		weak[w++] = run.token;
		from = run.end;
	}
	memcpy(strong + t, text + strong_from, length - strong_from);
	memcpy(weak + w, text + from, length - from);
	*strong_length = t + length - strong_from;
	*weak_length = w + length - from;
}

/* A line that waits for its groups to come near. */
struct line {
	struct host host;
	struct group_key keys[2]; /* greeting, template */
	const char *greeting;
	size_t length;
};

static void read_greeting(const struct survey *s, struct line *line, const char *greeting, size_t length)
{
	char weak[SURVEY_LINE_MAX], strong[SURVEY_LINE_MAX];
	size_t weak_length, strong_length;

	if (length > SURVEY_LINE_MAX)
		length = SURVEY_LINE_MAX;
	mask_both(greeting, length, weak, &weak_length, strong, &strong_length);
	line->keys[0] = survey_key(s->options.greeting, weak, weak_length);
	line->keys[1] = survey_key(s->options.template, strong, strong_length);
	line->greeting = greeting;
	line->length = length;
	survey_prefetch(s, &line->keys[0]);
	survey_prefetch(s, &line->keys[1]);
}

/* Reads the next line that is one; false at the end. */
static bool read_line(const struct survey *s, struct line *line, const char **at, const char *end, size_t *skipped)
{
	while (*at < end) {
		struct address address;
		const char *start = *at, *newline = memchr(start, '\n', (size_t)(end - start));
		const char *stop = newline != NULL ? newline : end;
		const char *tab = memchr(start, '\t', (size_t)(stop - start));
		*at = newline != NULL ? newline + 1 : end;
		if (tab == NULL || !address_parse(&address, start, (size_t)(tab - start))) {
			++*skipped;
			continue;
		}
		line->host = host_of(&address);
		size_t length = (size_t)(stop - tab - 1);
		read_greeting(s, line, tab + 1, length - (length > 0 && stop[-1] == '\r'));
		return true;
	}
	return false;
}

enum deepid_err survey_add_lines(struct survey *s, const char *lines, size_t length, size_t *taken, size_t *skipped)
{
	const char *end = lines + length;
	enum deepid_err result = s->broken;
	struct line batch[BATCH];
	size_t count = BATCH;

	*taken = *skipped = 0;
	while (count == BATCH && result == DEEPID_OK) {
		for (count = 0; count < BATCH && read_line(s, &batch[count], &lines, end, skipped);)
			count++;
		for (size_t i = 0; i < count && result == DEEPID_OK; i++) {
			const struct line *line = &batch[i];
			for (int key = 0; key < 2 && result == DEEPID_OK; key++)
				result = survey_put(s, &line->host, &line->keys[key], line->greeting, line->length);
			*taken += result == DEEPID_OK;
		}
	}
	return result;
}
