/* deepid - where memory comes from unless the caller says otherwise. */

#include "deepid.h"

#include <stdlib.h>

static void *take_malloc(size_t size, void *data)
{
	(void)data;
	return malloc(size);
}

static void give_free(void *block, void *data)
{
	(void)data;
	free(block);
}

const struct deepid_memory deepid_malloc = { take_malloc, give_free, NULL };
