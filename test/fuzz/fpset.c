/*
 * Patterns and a reply of any bytes: the filter says what the naive loop says. Parts end at byte 0xff; the last one is the reply. A
 * pattern's first byte holds its flags and slot.
 */
#include "../c/compare.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct compared_pattern patterns[8];
	struct fplimits limits = FPLIMITS_DEFAULT;
	size_t count = 0;

	while (count < 8) {
		const uint8_t *end = size > 0 ? memchr(data, 0xff, size) : NULL;
		if (end == NULL)
			break;
		size_t length = (size_t)(end - data);
		if (length > 0) {
			uint32_t options = (data[0] & 1 ? PCRE2_CASELESS : 0U) | (data[0] & 2 ? PCRE2_MULTILINE : 0U) | (data[0] & 4 ? PCRE2_DOTALL : 0U);
			patterns[count++] = (struct compared_pattern){ (const char *)data + 1, length - 1, options, data[0] >> 3 & 3 };
		}
		size -= length + 1;
		data = end + 1;
	}
	limits.jit = false;
	limits.steps = 2000;
	struct fpset sets[2];
	struct fpscratch scratches[2];
	struct seen naive, filtered;
	for (unsigned i = 0; i < 2; i++) {
		limits.stages = i == 0 ? 0 : FILTER_ALL;
		compare_open(&sets[i], &scratches[i], &limits, patterns, count);
		compare_run(i == 0 ? &naive : &filtered, &sets[i], &scratches[i], (const char *)data, size);
	}
	/* Where the naive loop gives up, the filter may know. */
	if (naive.stuck_count == 0 && !compare_same(&naive, &filtered))
		abort();
	for (unsigned i = 0; i < 2; i++)
		compare_close(&sets[i], &scratches[i]);
	return 0;
}
