/* facts - what the survey's tests add, and a source of memory that counts and fails. */
#ifndef DEEPID_TEST_FACTS_H
#define DEEPID_TEST_FACTS_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "survey.h"

#define CHECK(call) \
	do { \
		if ((call) != DEEPID_OK) { \
			printf("# %s:%d: %s: %s\n", __FILE__, __LINE__, #call, strerror(errno)); \
			fflush(stdout); \
			abort(); \
		} \
	} while (0)

/* xorshift64*: small, and the same everywhere. */
static inline uint64_t draw(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * UINT64_C(0x2545f4914f6cdd1d);
}

struct fact {
	struct address host;
	uint8_t kind;
	uint32_t key;
	uint32_t text; /* 0: none */
};

/* Few large groups, some of middle size, many small; IPv4 and IPv6; hosts that recur, with other texts. */
static inline struct fact draw_fact(uint64_t *state, uint32_t hosts)
{
	uint32_t host = (uint32_t)(draw(state) % hosts), size = (uint32_t)(draw(state) % 8);
	struct fact fact = { .kind = (uint8_t)(1 + draw(state) % 3), .text = (uint32_t)(draw(state) % 5) };

	if (host % 8 == 0)
		fact.host = (struct address){ UINT64_C(0x20010db800000000) + (uint64_t)host * 2654435761U, host };
	else
		fact.host = (struct address){ 0, UINT64_C(0xffff00000000) | (host * 2654435761U) };
	fact.key = (uint32_t)(size == 0 ? draw(state) % 3 : size < 3 ? 10 + draw(state) % 60 : 100 + draw(state) % (hosts * 4));
	return fact;
}

static inline enum deepid_err add_fact(struct survey *survey, const struct fact *fact)
{
	char key[32], text[400] = "";
	int key_length = snprintf(key, sizeof key, "key %u", fact->key);

	/* Some are longer than is kept, and differ only behind the cut. */
	int length = snprintf(text, sizeof text, "%*s%u", fact->text == 4 ? 250 : (int)(fact->key % 70), "", fact->text * 7 + fact->kind);
	return survey_add(survey, &fact->host, fact->kind, key, (size_t)key_length, fact->text > 0 ? text : NULL, (size_t)length);
}

struct budget {
	long left; /* allocations until one fails; below 0: none does */
	bool for_good, failed;
	long blocks;
	size_t live, peak;
};

static inline void *budget_take(size_t size, void *data)
{
	struct budget *budget = data;

	if (budget->failed && budget->for_good)
		return NULL;
	if (budget->left >= 0 && budget->left-- == 0) {
		budget->failed = true;
		return NULL;
	}
	size_t *block = malloc(size + 16);
	if (block == NULL)
		abort();
	*block = size;
	budget->blocks++;
	budget->live += size;
	budget->peak = budget->live > budget->peak ? budget->live : budget->peak;
	return (char *)block + 16;
}

static inline void budget_give(void *block, void *data)
{
	struct budget *budget = data;
	size_t *start = (size_t *)(void *)((char *)block - 16);

	budget->blocks--;
	budget->live -= *start;
	free(start);
}

/* The whole file, which the caller frees. */
static inline unsigned char *read_all(const char *path, size_t *length)
{
	FILE *file = fopen(path, "rb");
	unsigned char *bytes;

	if (file == NULL || fseek(file, 0, SEEK_END) != 0)
		abort();
	*length = (size_t)ftell(file);
	rewind(file);
	bytes = malloc(*length + 1);
	if (bytes == NULL || fread(bytes, 1, *length, file) != *length)
		abort();
	fclose(file);
	return bytes;
}

static inline bool same_file(const char *a, const char *b)
{
	size_t a_length, b_length;
	unsigned char *a_bytes = read_all(a, &a_length), *b_bytes = read_all(b, &b_length);
	bool same = a_length == b_length && memcmp(a_bytes, b_bytes, a_length) == 0;

	if (!same)
		printf("# %s has %zu bytes, %s has %zu\n", a, a_length, b, b_length);
	free(a_bytes);
	free(b_bytes);
	return same;
}

static inline void write_all(const char *path, const unsigned char *bytes, size_t length)
{
	unlink(path);
	FILE *file = fopen(path, "wb");

	if (file == NULL || fwrite(bytes, 1, length, file) != length || fclose(file) != 0)
		abort();
}

/* All groups to a file, as records in their order. */
static inline enum deepid_err write_groups(struct survey *survey, const char *path)
{
	FILE *file = fopen(path, "wb");
	struct survey_walk walk;
	const unsigned char *record;
	size_t size;

	if (file == NULL)
		abort();
	enum deepid_err result = survey_walk_start(&walk, survey);
	while (result == DEEPID_OK && (result = survey_walk_next(&walk, &record, &size)) == DEEPID_OK)
		if (fwrite(record, 1, size, file) != size)
			abort();
	if (fclose(file) != 0)
		abort();
	return result == DEEPID_END ? DEEPID_OK : result;
}

/* A folder of the test's own; it ends as the current one, and its path in `folder`. */
static inline void enter_folder(char folder[64])
{
	const char *base = getenv("TMPDIR");

	if ((size_t)snprintf(folder, 64, "%s/deepid-test-XXXXXX", base != NULL && strlen(base) < 32 ? base : "/tmp") >= 64)
		abort();
	if (mkdtemp(folder) == NULL || chdir(folder) != 0)
		abort();
}

#endif
