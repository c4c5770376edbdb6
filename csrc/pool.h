/*
 * pool - memory under a cap, given back all at once.
 *
 *   chunks  +--------------------------+   +---------------------------+
 *   newest->| header | blocks ...| left |-->| header | blocks ......... |-->      each taken from the source and counted
 *           +--------------------------+   +---------------------------+
 *   spare[class] --> block --> block        given back one by one, to be taken again by the same class
 *
 * A class is a size: multiples of 16 bytes up to 256, then powers of two.  Blocks are aligned to 16 bytes.
 */
#ifndef DEEPID_POOL_H
#define DEEPID_POOL_H

#include "deepid.h"

#define POOL_BLOCK_MAX 32768 /* bytes of the largest block */
#define POOL_CLASSES 23
#define POOL_FIRST 65536 /* bytes of the first chunk, and of the later ones */
#define POOL_CHUNK 262144

struct pool {
	struct deepid_memory source;
	size_t limit; /* bytes of all chunks, at most */
	size_t used;  /* bytes of all chunks */
	struct pool_chunk *chunks;  /* newest first */
	struct pool_chunk *current; /* what is left in those behind it (older) is lost, those before it are empty */
	size_t left;                /* bytes, at the end of the current one */
	void *spare[POOL_CLASSES];
};

/* pool_open - an empty pool; takes nothing yet.  pool_close must follow. */
void pool_open(struct pool *pool, size_t limit, const struct deepid_memory *source);

/* pool_take - a block, not cleared; NULL when the cap or the source allow no more.  At most POOL_BLOCK_MAX bytes. */
void *pool_take(struct pool *pool, size_t size);

/* pool_give - a block goes back; `size` is what it was taken with. */
void pool_give(struct pool *pool, void *block, size_t size);

/* pool_reset - all blocks go back at once; the chunks are kept. */
void pool_reset(struct pool *pool);

/* pool_close - all goes back to the source; may be called again, and on a zeroed pool. */
void pool_close(struct pool *pool);

#endif
