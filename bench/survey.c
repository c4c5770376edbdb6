/*
 * survey - many greetings, masked and counted: the engine's parts from memory, the product's command, and what people use instead.
 *
 * usage: survey LINES ROUNDS MORE_LINES      files of `address TAB greeting`; the last is read once, by the product alone
 *
 * Prints Markdown.  Each round runs all of them once, in turn.  Of what runs in this process thread CPU time is counted, of the others the CPU
 * time of the process and its children.
 */
#define _DEFAULT_SOURCE /* wait4 */

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "greeting.h"

#define ROUNDS_MAX 100

struct input {
	const char *path, *bytes;
	size_t size, lines;
};

struct way {
	const char *name, *note;
	void (*run)(const struct input *input); /* in this process; NULL: the command */
	const char *command;                    /* for sh; $1 is the file */
	double ns[ROUNDS_MAX];                  /* a line, one a round */
	double wall_ns;                         /* of the last */
	long peak_kib;
};

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

/* --- In this process --- */

static volatile size_t sink;

/* Both ends of the next line's greeting; false: there is none. */
static bool next_line(const char **at, const char *end, const char **tab, const char **stop)
{
	if (*at == end)
		return false;
	const char *newline = memchr(*at, '\n', (size_t)(end - *at));
	*stop = newline != NULL ? newline : end;
	*tab = memchr(*at, '\t', (size_t)(*stop - *at));
	if (*tab == NULL)
		exit(2);
	return true;
}

/* What the bar of the plain read pass means: the file is mapped anew, and its lines are split. */
static void read_lines(const struct input *input)
{
	int fd = open(input->path, O_RDONLY);
	char *bytes = mmap(NULL, input->size, PROT_READ, MAP_PRIVATE, fd, 0);
	const char *tab, *stop;

	if (bytes == MAP_FAILED)
		fail(input->path);
	for (const char *at = bytes, *end = bytes + input->size; next_line(&at, end, &tab, &stop); at = stop + 1)
		sink += (size_t)(stop - tab);
	munmap(bytes, input->size);
	close(fd);
}

static void mask_lines(const struct input *input)
{
	const char *tab, *stop;
	struct mask_run run;

	for (const char *at = input->bytes, *end = at + input->size; next_line(&at, end, &tab, &stop); at = stop + 1)
		for (mask_start(&run, tab + 1, (size_t)(stop - tab - 1), NULL, 0); mask_next(&run);)
			sink += run.end;
}

/* As the command does, but for the shelf and for naming. */
static void survey_lines(const struct input *input, const struct greeting_form *form)
{
	static struct greeting greeting;
	struct survey survey;
	struct address address;
	const char *tab, *stop;

	if (survey_open(&survey, &SURVEY_DEFAULT, NULL) != DEEPID_OK)
		exit(1);
	for (const char *at = input->bytes, *end = at + input->size; next_line(&at, end, &tab, &stop); at = stop + 1) {
		struct mask_name name = { at, (size_t)(tab - at) };
		if (address_parse(&address, at, name.length) && greeting_read(&greeting, tab + 1, (size_t)(stop - tab - 1), &name, form) &&
		    greeting_add(&greeting, &survey, &address, form) != DEEPID_OK)
			exit(1);
	}
	sink += survey.count + survey.run_count;
	survey_close(&survey);
}

static void count_templates(const struct input *input)
{
	survey_lines(input, &(struct greeting_form){ .kinds = { [GREETING_TEMPLATE] = 3 } });
}

static void count_names(const struct input *input)
{
	survey_lines(input, &(struct greeting_form){ .kinds = { [GREETING_DOMAIN] = 1, [GREETING_NOTICE] = 7 }, .codes = "421 450 451 452 521 550 553 554 571" });
}

static void count_all(const struct input *input)
{
	survey_lines(input, &(struct greeting_form){ .kinds = { 1, 2, 3, 7 }, .codes = "421 450 451 452 521 550 553 554 571" });
}

/* --- What is compared --- */

#define PYTHON "import re, sys, collections\n" \
	"date = re.compile(r'(\\w{3}, )?\\d{1,2} \\w{3} \\d{4} [\\d:]+( [+-]\\d{4})?')\n" \
	"id_ = re.compile(r'\\b(?=\\w*\\d)(?=\\w*[A-Za-z])[\\w-]{12,}\\b')\n" \
	"address = re.compile(r'\\b\\d+\\.\\d+\\.\\d+\\.\\d+\\b')\n" \
	"host = re.compile(r'\\b[\\w-]+(\\.[\\w-]+)*\\.[A-Za-z]{2,}\\b')\n" \
	"counts = collections.defaultdict(int)\n" \
	"for line in open(sys.argv[1], encoding='latin-1'):\n" \
	"    text = line.split('\\t', 1)[1]\n" \
	"    counts[host.sub('H', address.sub('A', id_.sub('I', date.sub('D', text))))] += 1\n" \
	"for text in counts: print(counts[text], text, end='')\n"

#define AWK "'{ sub(/^[^\\t]*\\t/, \"\"); gsub(/([A-Z][a-z][a-z], )?[0-9][0-9]? [A-Z][a-z][a-z] [0-9][0-9][0-9][0-9] [0-9:]+( [+-][0-9]+)?/, \"D\");" \
	" gsub(/[0-9]+\\.[0-9]+\\.[0-9]+\\.[0-9]+/, \"A\"); gsub(/[A-Za-z0-9_-]+(\\.[A-Za-z0-9_-]+)*\\.[a-z][a-z]+/, \"H\"); gsub(/[0-9]+/, \"N\"); n[$0]++ }" \
	" END { for (text in n) print n[text], text }' \"$1\""

static struct way ways[] = {
	{ .name = "plain read: `mmap`, split lines", .run = read_lines },
	{ .name = "engine: masks", .run = mask_lines, .note = "no keys" },
	{ .name = "engine: templates, counted", .run = count_templates, .note = "mask, XXH3, group" },
	{ .name = "engine: host names and refusals, counted", .run = count_names, .note = "what the verdict asks" },
	{ .name = "engine: four kinds of keys, counted", .run = count_all, .note = "what `--keys` asks" },
	{ .name = "**`deepid survey`**", .command = "lua5.4 lua/bin/deepid survey --json \"$1\"" },
	{ .name = "**`deepid survey --keys`**", .command = "lua5.4 lua/bin/deepid survey --json --keys \"$1\"" },
	{ .name = "`sort \\| uniq -c`, as they are", .command = "cut -f 2- \"$1\" | LC_ALL=C sort | uniq -c", .note = "no masks" },
	{ .name = "mawk, three masks and numbers", .command = "mawk " AWK },
	{ .name = "gawk, the same", .command = "LC_ALL=C gawk " AWK },
	{ .name = "Python, a dict and four regexes", .command = "python3 -c \"$PYTHON\" \"$1\"" },
};

#define WAYS (sizeof ways / sizeof ways[0])

static double seconds(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static double seconds_of(struct timeval time)
{
	return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

/* Both in a process of its own, so that its memory shows; gives CPU seconds. */
static double run_way(struct way *way, const struct input *input)
{
	int pipe_[2], status;
	double spent = 0, start = seconds(CLOCK_MONOTONIC);
	struct rusage usage;

	fflush(stdout);
	if (pipe(pipe_) != 0)
		fail("pipe");
	pid_t child = fork();
	if (child == 0 && way->run != NULL) {
		double before = seconds(CLOCK_THREAD_CPUTIME_ID);
		way->run(input);
		spent = seconds(CLOCK_THREAD_CPUTIME_ID) - before;
		_exit(write(pipe_[1], &spent, sizeof spent) != sizeof spent);
	}
	if (child == 0) {
		int null = open("/dev/null", O_WRONLY);
		dup2(null, 1);
		execl("/bin/sh", "sh", "-c", way->command, "sh", input->path, (char *)NULL);
		_exit(127);
	}
	if (child < 0 || wait4(child, &status, 0, &usage) != child)
		fail("fork");
	if (status != 0) {
		fprintf(stderr, "%s failed\n", way->name);
		exit(1);
	}
	if (way->run == NULL)
		spent = seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime);
	else if (read(pipe_[0], &spent, sizeof spent) != sizeof spent)
		fail("pipe");
	close(pipe_[0]);
	close(pipe_[1]);
	way->wall_ns = (seconds(CLOCK_MONOTONIC) - start) / (double)input->lines * 1e9;
	if (usage.ru_maxrss > way->peak_kib)
		way->peak_kib = usage.ru_maxrss;
	return spent;
}

static int by_number(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static struct input read_input(const char *path)
{
	struct input input = { .path = path };
	struct stat status;
	int fd = open(path, O_RDONLY);

	if (fd < 0 || fstat(fd, &status) != 0)
		fail(path);
	input.size = (size_t)status.st_size;
	input.bytes = mmap(NULL, input.size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
	if (input.bytes == MAP_FAILED)
		fail(path);
	for (const char *at = input.bytes, *end = at + input.size; (at = memchr(at, '\n', (size_t)(end - at))) != NULL; at++)
		input.lines++;
	close(fd);
	return input;
}

static void print_table(const struct input *input, unsigned rounds)
{
	double plain;

	for (size_t i = 0; i < WAYS; i++)
		qsort(ways[i].ns, rounds, sizeof ways[i].ns[0], by_number);
	plain = ways[0].ns[rounds / 2];
	printf("\n## Surveys\n\n%zu lines, %zu bytes; each process has %zu MiB of them mapped where it works from memory.\n\n", input->lines, input->size, input->size >> 20);
	printf("| way | CPU ns a line: median (lowest to highest) | times the plain read | times `deepid survey` | peak, MiB | |\n|---|---|---|---|---|---|\n");
	for (size_t i = 0; i < WAYS; i++) {
		const struct way *way = &ways[i];
		double median = way->ns[rounds / 2];
		printf("| %s | %.0f (%.0f to %.0f) | %.1f | %.3f | %ld | %s |\n", way->name, median, way->ns[0], way->ns[rounds - 1], median / plain,
		    median / ways[5].ns[rounds / 2], way->peak_kib >> 10, way->note != NULL ? way->note : "");
	}
}

int main(int argc, char **argv)
{
	if (argc != 4 || atoi(argv[2]) < 1 || atoi(argv[2]) > ROUNDS_MAX)
		return 2;
	unsigned rounds = (unsigned)atoi(argv[2]);
	struct input input = read_input(argv[1]), more = read_input(argv[3]);

	setenv("PYTHON", PYTHON, 1);
	for (unsigned round = 0; round < rounds; round++)
		for (size_t i = 0; i < WAYS; i++)
			ways[i].ns[round] = run_way(&ways[i], &input) / (double)input.lines * 1e9;
	print_table(&input, rounds);
	printf("\nOnce, with %zu lines, %zu bytes:\n\n| command | CPU ns a line | wall ns a line | peak, MiB |\n|---|---|---|---|\n", more.lines, more.size);
	munmap((void *)(uintptr_t)more.bytes, more.size);
	for (size_t i = 5; i < 7; i++) {
		ways[i].peak_kib = 0;
		double ns = run_way(&ways[i], &more) / (double)more.lines * 1e9;
		printf("| %s | %.0f | %.0f | %ld |\n", ways[i].name, ns, ways[i].wall_ns, ways[i].peak_kib >> 10);
	}
	return 0;
}
