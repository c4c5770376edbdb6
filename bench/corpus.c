/* corpus - rules read, and replies made from them, the same for the same seed; see bench.h. */

#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "generate.h"
#include "wanted.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

static void *must(void *block)
{
	if (block == NULL) {
		fputs("out of memory\n", stderr);
		exit(1);
	}
	return block;
}

void bench_add(struct bench_list *list, const char *bytes, size_t length, uint32_t options)
{
	if (list->count == list->room) {
		list->room = list->room > 0 ? 2 * list->room : 1024;
		list->items = must(realloc(list->items, list->room * sizeof *list->items));
	}
	struct bench_text *item = &list->items[list->count++];
	*item = (struct bench_text){ must(malloc(length + 1)), length, options };
	memcpy(item->bytes, bytes, length);
}

void bench_read(struct bench_list *list, const char *path)
{
	FILE *file = fopen(path, "rb");
	unsigned char size[4], flags_size;
	static char text[1 << 20];

	if (file == NULL) {
		perror(path);
		exit(1);
	}
	while (fread(size, 1, 4, file) == 4) {
		size_t length = size[0] | (size_t)size[1] << 8 | (size_t)size[2] << 16;
		char flags[256];
		uint32_t options = 0;
		if (length > sizeof text || fread(text, 1, length, file) != length || fread(&flags_size, 1, 1, file) != 1
		    || fread(flags, 1, flags_size, file) != flags_size)
			exit(1);
		for (int i = 0; i < flags_size; i++)
			options |= flags[i] == 'i' ? PCRE2_CASELESS : flags[i] == 's' ? PCRE2_DOTALL : PCRE2_MULTILINE;
		bench_add(list, text, length, options);
	}
	fclose(file);
}

static void parse(struct pattern *pattern, const struct bench_text *rule)
{
	if (pattern_parse(pattern, rule->bytes, rule->length, rule->options, &deepid_malloc) != DEEPID_OK)
		exit(1);
}

static void put(struct generated *out, const char *text)
{
	for (; *text != '\0'; text++)
		generate_put(out, (unsigned char)*text);
}

/* A greeting of nobody's: words that greetings have, in an order that none has. */
static void put_unknown(struct generated *out, uint64_t *random)
{
	static const char *const words[] = { "ESMTP", "SMTP", "ready", "Mail", "Server", "service", "Welcome", "to", "gateway", "at",
		"Tue, 24 Nov 2026 10:00:00 +0000", "(Linux)", "v4.2", "relay", "Postmaster" };

	put(out, "220 ");
	for (unsigned labels = 2 + random_below(random, 3); labels > 0; labels--) {
		for (unsigned i = 3 + random_below(random, 8); i > 0; i--)
			generate_put(out, (unsigned char)('a' + random_below(random, 26)));
		put(out, labels > 1 ? "." : " ");
	}
	for (unsigned count = 1 + random_below(random, 6); count > 0; count--) {
		put(out, words[random_below(random, sizeof words / sizeof words[0])]);
		put(out, count > 1 ? " " : "\r\n");
	}
}

void bench_greetings(struct bench_list *replies, const struct bench_list *rules, size_t count, unsigned unmatched, uint64_t seed)
{
	struct pattern pattern = { .nodes = NULL };
	char text[512];

	while (replies->count < count) {
		struct generated out = { text, 0, sizeof text };
		if (random_below(&seed, 100) < unmatched) {
			put_unknown(&out, &seed);
		} else {
			parse(&pattern, &rules->items[random_below(&seed, (unsigned)rules->count)]);
			generate_text(&out, &pattern, &seed);
			if (out.length < 2 || text[out.length - 1] != '\n')
				put(&out, "\r\n");
		}
		bench_add(replies, text, out.length, 0);
	}
	pattern_close(&pattern, &deepid_malloc);
}

/* How many repetitions of nearly any byte a pattern has, without an end: two and more go back and forth. */
static unsigned open_gaps(const struct pattern *pattern)
{
	unsigned gaps = 0;

	for (size_t i = 0; i < pattern->count; i++) {
		const struct pattern_node *node = &pattern->nodes[i];
		gaps += node->kind == PATTERN_BYTE && node->max == PATTERN_FOREVER && byteset_has(&node->set, ' ') && byteset_has(&node->set, 'a');
	}
	return gaps;
}

void bench_hostile(struct bench_list *replies, const struct bench_list *rules, size_t count, uint64_t seed)
{
	static const char *const filler[] = { "a", " ", "220 ", "ESMTP ", "-.", "1.2.3.4", "ready at ", "a b", "[", "\r\n220-", "(", "; " };
	struct pattern pattern = { .nodes = NULL };
	static char text[65536];

	while (replies->count < count) {
		struct generated out = { text, 0, 2048U << random_below(&seed, 6) };
		unsigned kind = random_below(&seed, 3);
		const char *same = filler[random_below(&seed, sizeof filler / sizeof filler[0])];
		/* Who wants to do harm takes the rules that can be harmed. */
		do
			parse(&pattern, &rules->items[random_below(&seed, (unsigned)rules->count)]);
		while (kind == 2 && open_gaps(&pattern) < 2);
		generate_text(&out, &pattern, &seed);
		/* Cut before its end, so that it nearly matches. */
		if (kind != 2)
			out.length -= random_below(&seed, (unsigned)out.length / 2 + 1);
		/* Its own words again and again on one line: what `.*` in front of each of them may have taken. */
		for (size_t own = out.length, i = 4; kind == 2 && own > 4 && out.length < out.room; i = i + 1 < own ? i + 1 : 4)
			generate_put(&out, (unsigned char)(text[i] == '\r' || text[i] == '\n' ? ' ' : text[i]));
		while (out.length < out.room)
			put(&out, kind == 0 ? same : filler[random_below(&seed, sizeof filler / sizeof filler[0])]);
		text[out.length - 1] = '\n'; /* what most rules end with is there, but does not fit */
		bench_add(replies, text, out.length, 0);
	}
	pattern_close(&pattern, &deepid_malloc);
}

void bench_adversarial(struct bench_list *replies, const struct bench_list *rules, size_t count, uint64_t seed)
{
	struct wanted wanted = { .texts = NULL };
	struct pattern pattern = { .nodes = NULL };
	static char text[4096];

	for (size_t i = 0; i < rules->count; i++) {
		parse(&pattern, &rules->items[i]);
		if (wanted_add(&wanted, &pattern, &deepid_malloc) != DEEPID_OK)
			exit(1);
	}
	while (replies->count < count) {
		struct generated out = { text, 0, sizeof text };
		put(&out, "220 ");
		while (out.length < out.room) {
			const struct text *one = &wanted.texts[random_below(&seed, (unsigned)wanted.texts_count)];
			put(&out, " ");
			for (unsigned i = 0; i < one->length; i++)
				generate_put(&out, one->bytes[i]);
		}
		bench_add(replies, text, out.length, 0);
	}
	wanted_close(&wanted, &deepid_malloc);
	pattern_close(&pattern, &deepid_malloc);
}

void bench_more_rules(struct bench_list *more, const struct bench_list *rules, size_t count, uint64_t seed)
{
	for (size_t n = 0; more->count < count; n++) {
		const struct bench_text *rule = &rules->items[n % rules->count];
		bench_add(more, rule->bytes, rule->length, rule->options);
		if (n < rules->count)
			continue;
		/* The letters of words, which no escape or class begins: three of a kind before them. */
		char *bytes = more->items[more->count - 1].bytes;
		uint64_t word = 0;
		for (size_t i = 3; i < rule->length; i++) {
			bool letters = true;
			for (size_t k = i - 3; k <= i; k++)
				letters = letters && ((bytes[k] >= 'a' && bytes[k] <= 'z') || (bytes[k] >= 'A' && bytes[k] <= 'Z'));
			word = letters ? word + 1 : 0;
			if (word > 0 && memchr(rule->bytes, '[', i) == NULL)
				bytes[i] = (char)((bytes[i] & 0x20) | ('A' + random_below(&seed, 26)));
			else if (word > 0)
				bytes[i] = (char)('a' + random_below(&seed, 26));
		}
		/* One that has no words would be there twice. */
		more->count -= memcmp(bytes, rule->bytes, rule->length) == 0;
	}
}
