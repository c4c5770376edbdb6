/* Reading any bytes as a survey's state. An odd first byte: what follows are records, to which magic, number and checksum are put. */
#define _GNU_SOURCE /* memfd_create */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "survey.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The state whose records the bytes are; returns its length. */
static size_t seal(unsigned char *state, const uint8_t *records, size_t size)
{
	static const unsigned char magic[] = "deepid-survey\n\x1a\x01";
	uint64_t count = 0;

	memcpy(state, magic, 16);
	memcpy(state + 16, records, size);
	for (size_t at = 0; size - at >= RECORD_HEAD && record_size(records + at) > 0 && record_size(records + at) <= size - at; count++)
		at += record_size(records + at);
	state[16 + size] = 0xff;
	put_be64(state + 17 + size, count);
	XXH128_hash_t hash = XXH3_128bits(state, 25 + size);
	put_be64(state + 25 + size, hash.high64);
	put_be64(state + 33 + size, hash.low64);
	return size + 41;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct survey_options options = SURVEY_DEFAULT;
	struct survey survey;
	char path[64];

	if (size == 0)
		return 0;
	unsigned char *state = malloc(size + 41);
	size_t length = size - 1;
	if (data[0] % 2)
		length = seal(state, data + 1, size - 1);
	else
		memcpy(state, data + 1, size - 1);
	int fd = memfd_create("state", 0);
	if (write(fd, state, length) != (ssize_t)length || survey_open(&survey, &options, NULL) != DEEPID_OK)
		abort();
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	if (survey_load(&survey, path) == DEEPID_OK) {
		struct survey_walk walk;
		const unsigned char *record;
		struct record_scratch scratch;
		struct group group;
		if (survey_walk_start(&walk, &survey) != DEEPID_OK)
			abort();
		while (survey_walk_next(&walk, &record, &length) == DEEPID_OK) {
			record_read(record, &group, &scratch);
			if (group_count(&group, 0) < group_count(&group, 1) || group_count(&group, 1) < group_count(&group, 2))
				abort();
		}
	}
	survey_close(&survey);
	close(fd);
	free(state);
	return 0;
}
