/* Reading any bytes as a shelf's file. An odd first byte: what follows are records, to which magic, number and checksum are put. */
#define _GNU_SOURCE /* memfd_create */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "address.h"
#include "shelf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The file whose records the bytes are; returns its length. */
static size_t seal(unsigned char *file, const uint8_t *records, size_t size)
{
	static const unsigned char magic[17] = "deepid-hosts\n\x1a\x00\x01";
	uint64_t count = 0;

	memcpy(file, magic, 16);
	memcpy(file + 16, records, size);
	for (size_t at = 0; size - at >= SHELF_HEAD && shelf_runs.size(records + at) > 0 && shelf_runs.size(records + at) <= size - at; count++)
		at += shelf_runs.size(records + at);
	file[16 + size] = 0xff;
	put_be64(file + 17 + size, count);
	XXH128_hash_t hash = XXH3_128bits(file, 25 + size);
	put_be64(file + 25 + size, hash.high64);
	put_be64(file + 33 + size, hash.low64);
	return size + 41;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct shelf shelf;
	char path[64];

	if (size == 0)
		return 0;
	unsigned char *file = malloc(size + 41);
	size_t length = size - 1;
	if (data[0] % 2)
		length = seal(file, data + 1, size - 1);
	else
		memcpy(file, data + 1, size - 1);
	int fd = memfd_create("state", 0);
	if (write(fd, file, length) != (ssize_t)length || shelf_open(&shelf, SHELF_MEMORY_MIN, "/tmp", 2, NULL) != DEEPID_OK)
		abort();
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	if (shelf_load(&shelf, path) == DEEPID_OK) {
		struct shelf_walk walk;
		struct shelf_pair pair;
		size_t bytes = 41;
		if (shelf_walk_start(&walk, &shelf) != DEEPID_OK)
			abort();
		while (shelf_walk_next(&walk, &pair) == DEEPID_OK)
			bytes += SHELF_HEAD + pair.key_length + pair.value_length;
		/* Keys are told apart and in order, so what was read is what is there. */
		if (bytes != length)
			abort();
	}
	shelf_close(&shelf);
	close(fd);
	free(file);
	return 0;
}
