/* pool - memory under a cap; see pool.h. */

#include "pool.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

struct pool_chunk {
	struct pool_chunk *older, *newer;
	size_t size; /* bytes, this header included */
	size_t filler; /* blocks begin at a multiple of 16 */
};

static size_t class_of(size_t *size)
{
	size_t class = 16, rounded = 512;

	if (*size <= 256) {
		*size = *size > 0 ? (*size + 15) / 16 * 16 : 16;
		return *size / 16 - 1;
	}
	for (; rounded < *size; rounded *= 2)
		class++;
	*size = rounded;
	return class;
}

void pool_open(struct pool *pool, size_t limit, const struct deepid_memory *source)
{
	memset(pool, 0, sizeof *pool);
	pool->limit = limit;
	pool->source = *source;
}

/* Makes a chunk current in which `size` bytes are left: the next that is empty, else a new one. */
static int next_chunk(struct pool *pool, size_t size)
{
	size_t wanted = pool->chunks == NULL ? POOL_FIRST : POOL_CHUNK, allowed = pool->limit - pool->used;
	struct pool_chunk *chunk = pool->current != NULL ? pool->current->newer : NULL;

	for (; chunk != NULL; chunk = chunk->newer) {
		pool->current = chunk;
		pool->left = chunk->size - sizeof *chunk;
		if (pool->left >= size)
			return 1;
	}
	if (wanted > allowed)
		wanted = allowed / 16 * 16;
	if (wanted < size + sizeof *chunk || (chunk = pool->source.take(wanted, pool->source.data)) == NULL)
		return 0;
	*chunk = (struct pool_chunk){ .older = pool->chunks, .size = wanted };
	if (pool->chunks != NULL)
		pool->chunks->newer = chunk;
	pool->chunks = pool->current = chunk;
	pool->used += wanted;
	pool->left = wanted - sizeof *chunk;
	return 1;
}

void *pool_take(struct pool *pool, size_t size)
{
	assert(size <= POOL_BLOCK_MAX);
	size_t class = class_of(&size);
	void *block = pool->spare[class];

	if (block != NULL) {
		memcpy(&pool->spare[class], block, sizeof(void *));
		return block;
	}
	if (pool->left < size && !next_chunk(pool, size))
		return NULL;
	block = (char *)pool->current + pool->current->size - pool->left;
	pool->left -= size;
	return block;
}

void pool_give(struct pool *pool, void *block, size_t size)
{
	size_t class = class_of(&size);

	memcpy(block, &pool->spare[class], sizeof(void *));
	pool->spare[class] = block;
}

void pool_reset(struct pool *pool)
{
	struct pool_chunk *chunk = pool->chunks;

	while (chunk != NULL && chunk->older != NULL)
		chunk = chunk->older;
	pool->current = chunk;
	pool->left = chunk != NULL ? chunk->size - sizeof *chunk : 0;
	memset(pool->spare, 0, sizeof pool->spare);
}

void pool_close(struct pool *pool)
{
	while (pool->chunks != NULL) {
		struct pool_chunk *chunk = pool->chunks;
		pool->chunks = chunk->older;
		pool->source.give(chunk, pool->source.data);
	}
	memset(pool, 0, sizeof *pool);
}
