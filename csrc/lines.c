/* lines - many `address TAB greeting` lines at once; see survey.h. */

#include <string.h>

#include "mask.h"
#include "survey.h"

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

static enum deepid_err add_line(struct survey *s, const struct address *host, const char *greeting, size_t length)
{
	char weak[SURVEY_LINE_MAX], strong[SURVEY_LINE_MAX];
	size_t weak_length, strong_length;

	if (length > SURVEY_LINE_MAX)
		length = SURVEY_LINE_MAX;
	mask_both(greeting, length, weak, &weak_length, strong, &strong_length);
	enum deepid_err result = survey_add(s, host, s->options.greeting, weak, weak_length, greeting, length);
	if (result == DEEPID_OK)
		result = survey_add(s, host, s->options.template, strong, strong_length, greeting, length);
	return result;
}

enum deepid_err survey_add_lines(struct survey *s, const char *lines, size_t length, size_t *taken, size_t *skipped)
{
	const char *end = lines + length;
	enum deepid_err result = s->broken;

	*taken = *skipped = 0;
	while (lines < end && result == DEEPID_OK) {
		struct address host;
		const char *newline = memchr(lines, '\n', (size_t)(end - lines));
		const char *stop = newline != NULL ? newline : end;
		const char *tab = memchr(lines, '\t', (size_t)(stop - lines));
		if (tab == NULL || !address_parse(&host, lines, (size_t)(tab - lines))) {
			++*skipped;
		} else {
			size_t greeting = (size_t)(stop - tab - 1);
			if (greeting > 0 && stop[-1] == '\r')
				greeting--;
			result = add_line(s, &host, tab + 1, greeting);
			*taken += result == DEEPID_OK;
		}
		lines = newline != NULL ? newline + 1 : end;
	}
	return result;
}
