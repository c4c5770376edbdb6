/* deepid - what the parts of the engine share: results, and where memory comes from. */
#ifndef DEEPID_H
#define DEEPID_H

#include <stddef.h>

enum deepid_err {
	DEEPID_OK,
	DEEPID_BAD,   /* what was given is not well formed: a pattern, a state file, an address */
	DEEPID_NOMEM, /* out of memory */
	DEEPID_IO,    /* a file cannot be read or written; errno says why */
	DEEPID_HIT,   /* a pattern matches */
	DEEPID_STUCK, /* a pattern was given up on */
	DEEPID_END    /* nothing is left */
};

/* Where memory comes from; each function has malloc's or free's meaning. */
struct deepid_memory {
	void *(*take)(size_t size, void *data);
	void (*give)(void *block, void *data);
	void *data; /* the caller's; must outlive what draws on it */
};

/* malloc and free. */
extern const struct deepid_memory deepid_malloc;

#endif
