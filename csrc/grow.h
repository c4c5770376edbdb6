/* grow - arrays that double when they are full. */
#ifndef DEEPID_GROW_H
#define DEEPID_GROW_H

#include <string.h>

#include "deepid.h"

#define GROW_FIRST 64 /* items */

/*
 * grow_room - the array, with room for `more` items behind its `count`, moved if need be; NULL: out of memory, and all is as it was.
 */
static inline void *grow_room(void *items, size_t count, size_t more, size_t *room, size_t each, const struct deepid_memory *memory)
{
	if (items != NULL && *room - count >= more)
		return items;
	size_t wanted = *room > 0 ? 2 * *room : GROW_FIRST;
	while (wanted - count < more)
		wanted *= 2;
	void *grown = memory->take(wanted * each, memory->data);
	if (grown == NULL)
		return NULL;
	if (items != NULL) {
		memcpy(grown, items, count * each);
		memory->give(items, memory->data);
	}
	*room = wanted;
	return grown;
}

static inline void grow_free(void *items, const struct deepid_memory *memory)
{
	if (items != NULL)
		memory->give(items, memory->data);
}

#endif
