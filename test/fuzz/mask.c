/* Masking of any bytes: within bounds, and masking twice is masking once. The first byte says how long the client's name behind it is. */
#include <stdlib.h>
#include <string.h>

#include "mask.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mask_name name = { NULL, 0 };

	if (size > 0) {
		size_t length = data[0] % 24 < size ? data[0] % 24 : size - 1;
		name = (struct mask_name){ (const char *)data + 1, length };
		data += 1 + length;
		size -= 1 + length;
	}
	char *once = malloc(size + 1), *twice = malloc(size + 1);
	for (int strength = MASK_VOLATILE; strength <= MASK_TEMPLATE; strength++) {
		size_t length = mask(once, (const char *)data, size, (enum mask_strength)strength, &name, 1);
		if (length > size)
			abort();
		size_t again = mask(twice, once, length, (enum mask_strength)strength, &name, 1);
		if (again != length || memcmp(once, twice, length) != 0)
			abort();
	}
	free(once);
	free(twice);
	return 0;
}
