/* lone - the hosts on a shelf of which a greeting is all that is known; see lone.h. */

#include "lone.h"

#include <string.h>

/* Reads the pair ahead into the place that is not the current one's. */
static void read_ahead(struct lone *lone)
{
	struct shelf_pair *ahead = &lone->pairs[1 - lone->current];
	unsigned char *record = lone->records[1 - lone->current];
	struct shelf_pair pair;

	lone->ahead = shelf_walk_next(&lone->walk, &pair);
	if (lone->ahead != DEEPID_OK)
		return;
	memcpy(record, pair.key, pair.key_length);
	memcpy(record + pair.key_length, pair.value, pair.value_length);
	*ahead = (struct shelf_pair){ (char *)record, (char *)record + pair.key_length, pair.key_length, pair.value_length };
}

enum deepid_err lone_open(struct lone *lone, struct shelf *shelf, const struct lone_form *form, const struct deepid_memory *source)
{
	memset(lone, 0, sizeof *lone);
	lone->source = source != NULL ? *source : deepid_malloc;
	lone->form = *form;
	for (int i = 0; i < 2; i++)
		if ((lone->records[i] = lone->source.take(SHELF_RECORD_MAX, lone->source.data)) == NULL)
			return DEEPID_NOMEM;
	enum deepid_err result = shelf_walk_start(&lone->walk, shelf);
	if (result == DEEPID_OK)
		read_ahead(lone);
	return result;
}

void lone_close(struct lone *lone)
{
	for (int i = 0; i < 2; i++)
		if (lone->records[i] != NULL)
			lone->source.give(lone->records[i], lone->source.data);
	memset(lone, 0, sizeof *lone);
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

static bool is_greeting(const struct lone *lone, const struct shelf_pair *pair)
{
	size_t rest = pair->key_length - lone->address_length - 1;

	return rest == lone->form.slot_length && memcmp(pair->key + lone->address_length + 1, lone->form.slot, rest) == 0 && pair->value_length > 0 &&
	    pair->value_length - 1 <= lone->form.most && pair->value[0] == lone->form.mark;
}

enum deepid_err lone_next(struct lone *lone)
{
	const struct shelf_pair *before = lone_pair(lone), *pair = &lone->pairs[1 - lone->current];

	if (lone->ahead != DEEPID_OK)
		return lone->ahead;
	bool again = lone->address_length > 0 && same_host(before, lone->address_length, pair);
	lone->current = 1 - lone->current;
	read_ahead(lone);
	lone->address_length = address_of(pair);
	if (lone->address_length == 0)
		return DEEPID_OK;
	lone->ordinal += !again;
	if (again || (lone->ahead == DEEPID_OK && same_host(pair, lone->address_length, &lone->pairs[1 - lone->current])))
		return DEEPID_OK;
	return is_greeting(lone, pair) && shelf_plain_address(&lone->address, pair->key, lone->address_length) ? DEEPID_HIT : DEEPID_OK;
}
