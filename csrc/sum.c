/* sum - checksums of texts and files; see sum.h. */

#define _DEFAULT_SOURCE

#include "sum.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#define ROOM 32768 /* bytes of a file that are read at once */

static void add_length(XXH3_state_t *state, uint64_t length)
{
	unsigned char bytes[8];

	for (int i = 0; i < 8; i++)
		bytes[i] = (unsigned char)(length >> 8 * i);
	XXH3_128bits_update(state, bytes, sizeof bytes);
}

static void finish(unsigned char *sum, const XXH3_state_t *state)
{
	XXH128_canonical_t canonical;

	XXH128_canonicalFromHash(&canonical, XXH3_128bits_digest(state));
	memcpy(sum, &canonical, SUM);
}

void sum_texts(unsigned char *sum, const struct text_span *texts, size_t count)
{
	XXH3_state_t state;

	XXH3_128bits_reset(&state);
	for (size_t i = 0; i < count; i++) {
		XXH3_128bits_update(&state, texts[i].bytes, texts[i].length);
		add_length(&state, texts[i].length);
	}
	finish(sum, &state);
}

static bool add_file(XXH3_state_t *state, const char *path)
{
	unsigned char room[ROOM];
	uint64_t length = 0;
	ssize_t got = -1;
	int file = open(path, O_RDONLY | O_CLOEXEC);

	if (file < 0)
		return false;
	while ((got = read(file, room, sizeof room)) > 0) {
		XXH3_128bits_update(state, room, (size_t)got);
		length += (uint64_t)got;
	}
	add_length(state, length);
	close(file);
	return got == 0;
}

enum deepid_err sum_files(unsigned char *sum, const char *const *paths, size_t count, size_t *failed)
{
	XXH3_state_t state;

	XXH3_128bits_reset(&state);
	for (size_t i = 0; i < count; i++) {
		if (!add_file(&state, paths[i])) {
			*failed = i;
			return DEEPID_IO;
		}
	}
	finish(sum, &state);
	return DEEPID_OK;
}
