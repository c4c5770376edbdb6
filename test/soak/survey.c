/*
 * Five million hosts, each with a greeting of its own and one of few templates: the memory of the whole process stays under the survey's
 * cap and a slack, and another order of them gives the same groups.  Prints the time, but asks nothing of it.
 */
#define _DEFAULT_SOURCE /* mkdtemp, getrusage */

#include <sys/resource.h>
#include <time.h>

#include "facts.h"
#include "greeting.h"
#include "tap.h"

#define LINES 5000000
#define BLOCK 4000
#define SLACK_KIB 16384 /* the program, its libraries and a block of lines */

static double cpu_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* Lines from..from + count of the five million: synthetic, the same in each run. */
static size_t make_lines(char *lines, size_t room, uint32_t from, uint32_t count)
{
	static const char *const products[] = { "ESMTP Postfix (Debian/GNU)", "ESMTP Postfix", "ESMTP Exim 4.96 Tue, 24 Nov 2026 10:%02u:00 +0000",
		"Microsoft ESMTP MAIL Service ready at Tue, 24 Nov 2026 10:%02u:00 +0000", "ESMTP Sendmail 8.15.2/8.15.2; Tue, 24 Nov 2026 10:%02u:00 GMT" };
	size_t at = 0;

	for (uint32_t i = from; i < from + count; i++) {
		uint32_t host = i * 2654435761U;
		at += (size_t)snprintf(lines + at, room - at, "%u.%u.%u.%u\t220 mx.h%u.example.net ", host >> 24, host >> 16 & 255, host >> 8 & 255,
		    host & 255, i % 10 < 3 ? i % 2000 : i);
		at += (size_t)snprintf(lines + at, room - at, products[host % 5], i % 60);
		lines[at++] = '\n';
	}
	return at;
}

static void add_line(struct survey *survey, const char *line, const char *end)
{
	static const struct greeting_form form = { .kinds = { [GREETING_WHOLE] = 2, [GREETING_TEMPLATE] = 3 } };
	static struct greeting greeting;
	const char *tab = memchr(line, '\t', (size_t)(end - line));
	struct mask_name name = { line, (size_t)(tab - line) };
	struct address address;

	if (!address_parse(&address, line, name.length) || !greeting_read(&greeting, tab + 1, (size_t)(end - tab - 1), &name, &form))
		abort();
	CHECK(greeting_add(&greeting, survey, &address, &form));
}

/* Each `step`-th block, from one on. */
static void add_blocks(struct survey *survey, uint32_t first, uint32_t step, double *spent_s)
{
	static char lines[BLOCK * 160];

	for (uint32_t block = first; block < LINES / BLOCK; block += step) {
		size_t length = make_lines(lines, sizeof lines, block * BLOCK, BLOCK);
		double start_s = cpu_s();
		for (const char *at = lines, *end = lines + length; at < end; at++) {
			const char *newline = memchr(at, '\n', (size_t)(end - at));
			add_line(survey, at, newline);
			at = newline;
		}
		*spent_s += cpu_s() - start_s;
	}
}

int main(void)
{
	struct survey_options options = SURVEY_DEFAULT;
	struct survey survey;
	struct rusage usage;
	double spent_s = 0, other_s = 0;
	char folder[64];

	enter_folder(folder);
	options.folder = folder;
	CHECK(survey_open(&survey, &options, NULL));
	add_blocks(&survey, 0, 1, &spent_s);
	printf("# adding: %.0f ns a line of CPU time, %zu runs\n", spent_s / LINES * 1e9, survey.run_count);
	double start_s = cpu_s();
	CHECK(write_groups(&survey, "one"));
	printf("# going over the groups: %.0f ns a line\n", (cpu_s() - start_s) / LINES * 1e9);
	survey_close(&survey);
	getrusage(RUSAGE_SELF, &usage);
	printf("# peak %ld KiB, the cap is %zu\n", usage.ru_maxrss, options.memory >> 10);
	tap_ok(usage.ru_maxrss <= (long)(options.memory >> 10) + SLACK_KIB, "five million hosts under the cap");

	CHECK(survey_open(&survey, &options, NULL));
	add_blocks(&survey, 1, 2, &other_s);
	add_blocks(&survey, 0, 2, &other_s);
	CHECK(write_groups(&survey, "other"));
	survey_close(&survey);
	tap_ok(same_file("one", "other"), "another order gives the same groups");
	unlink("one");
	unlink("other");
	rmdir(folder);
	return tap_done();
}
