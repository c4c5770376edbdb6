/* solo - the hosts on a shelf of which a greeting is all that is known; see solo.h. */

#include "solo.h"

#include <string.h>

/* Reads the pair ahead into the place that is not the current one's. */
static void read_ahead(struct solo *solo)
{
	struct shelf_pair *ahead = &solo->pairs[1 - solo->current];
	unsigned char *record = solo->records[1 - solo->current];
	struct shelf_pair pair;

	solo->ahead = shelf_walk_next(&solo->walk, &pair);
	if (solo->ahead != DEEPID_OK)
		return;
	memcpy(record, pair.key, pair.key_length);
	memcpy(record + pair.key_length, pair.value, pair.value_length);
	*ahead = (struct shelf_pair){ (char *)record, (char *)record + pair.key_length, pair.key_length, pair.value_length };
}

enum deepid_err solo_open(struct solo *solo, struct shelf *shelf, const struct solo_form *form, const struct deepid_memory *source)
{
	memset(solo, 0, sizeof *solo);
	solo->source = source != NULL ? *source : deepid_malloc;
	solo->form = *form;
	for (int i = 0; i < 2; i++)
		if ((solo->records[i] = solo->source.take(SHELF_RECORD_MAX, solo->source.data)) == NULL)
			return DEEPID_NOMEM;
	enum deepid_err result = shelf_walk_start(&solo->walk, shelf);
	if (result == DEEPID_OK)
		read_ahead(solo);
	return result;
}

void solo_close(struct solo *solo)
{
	for (int i = 0; i < 2; i++)
		if (solo->records[i] != NULL)
			solo->source.give(solo->records[i], solo->source.data);
	memset(solo, 0, sizeof *solo);
}

/* The bytes of a key's address; 0: it has none. */
static size_t address_of(const struct shelf_pair *pair)
{
	const char *nul = memchr(pair->key, '\0', pair->key_length);

	return nul != NULL ? (size_t)(nul - pair->key) : 0;
}

static bool same_host(const struct shelf_pair *a, size_t length, const struct shelf_pair *b)
{
	return b->key_length > length && memcmp(a->key, b->key, length + 1) == 0;
}

static bool is_greeting(const struct solo *solo, const struct shelf_pair *pair)
{
	size_t rest = pair->key_length - solo->address_length - 1;

	return rest == solo->form.slot_length && memcmp(pair->key + solo->address_length + 1, solo->form.slot, rest) == 0 && pair->value_length > 0 &&
	    pair->value_length - 1 <= solo->form.most && pair->value[0] == solo->form.mark;
}

enum deepid_err solo_next(struct solo *solo)
{
	const struct shelf_pair *before = solo_pair(solo), *pair = &solo->pairs[1 - solo->current];

	if (solo->ahead != DEEPID_OK)
		return solo->ahead;
	bool again = solo->address_length > 0 && same_host(before, solo->address_length, pair);
	solo->current = 1 - solo->current;
	read_ahead(solo);
	solo->address_length = address_of(pair);
	if (solo->address_length == 0)
		return DEEPID_OK;
	solo->ordinal += !again;
	if (again || (solo->ahead == DEEPID_OK && same_host(pair, solo->address_length, &solo->pairs[1 - solo->current])))
		return DEEPID_OK;
	return is_greeting(solo, pair) && shelf_plain_address(&solo->address, pair->key, solo->address_length) ? DEEPID_HIT : DEEPID_OK;
}
