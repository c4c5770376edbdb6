/*
 * solo - goes over the hosts on a shelf, and tells those of which a greeting is all that is known.
 *
 *   key      address \0 slot       a host is the pairs with one address; a pair whose key begins with a NUL belongs to none, and is given as it is
 *   value    mark text             of a lone greeting, in its own slot
 */
#ifndef DEEPID_SOLO_H
#define DEEPID_SOLO_H

#include "address.h"
#include "shelf.h"

struct solo_form {
	const char *slot; /* of a greeting; the caller's */
	size_t slot_length;
	char mark;   /* that its value begins with */
	size_t most; /* bytes of text; a longer one is none of ours */
};

struct solo {
	struct shelf_walk walk;
	struct solo_form form;
	struct shelf_pair pairs[2]; /* copies of the current pair and of the one ahead */
	unsigned char *records[2];  /* where their bytes are; owned */
	unsigned current;           /* which of them is the current one */
	enum deepid_err ahead;      /* what reading the one ahead came to */
	struct deepid_memory source;

	uint64_t ordinal;      /* of the current host, from 1 */
	size_t address_length; /* of its key's bytes; 0: the pair is no host's */
	struct address address; /* of a lone greeting */
};

/* solo_open - begins with the shelf's first host; source NULL: malloc and free.  solo_close may follow either way. */
enum deepid_err solo_open(struct solo *solo, struct shelf *shelf, const struct solo_form *form, const struct deepid_memory *source);

/* solo_close - frees what it owns; may be called again, and on a zeroed one. */
void solo_close(struct solo *solo);

/*
 * solo_next - the next lone greeting, or the next other pair, in the order of their keys; valid until the next call.
 *
 * DEEPID_HIT  a lone greeting: its address is an address as shelf_put_lines takes them
 * DEEPID_OK   another pair
 * Else as shelf_walk_next.
 */
enum deepid_err solo_next(struct solo *solo);

static inline const struct shelf_pair *solo_pair(const struct solo *solo)
{
	return &solo->pairs[solo->current];
}

#endif
