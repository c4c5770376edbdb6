/* group - distinct hosts and networks that share a key; see group.h. */

#include "group.h"

#include <string.h>

void group_init(struct group *group, struct group_key key)
{
	memset(group, 0, sizeof *group);
	group->key = key;
	group->text_length = GROUP_NO_TEXT;
}

/* --- Registers and examples --- */

void group_place(uint64_t hash, size_t *index, uint8_t *rank)
{
	uint64_t rest = hash << GROUP_INDEX_BITS;

	*index = (size_t)(hash >> (64 - GROUP_INDEX_BITS));
	*rank = rest == 0 ? GROUP_RANK_MAX : (uint8_t)(__builtin_clzll(rest) + 1);
}

static void pour(uint8_t *registers, uint64_t hash)
{
	size_t index;
	uint8_t rank;

	group_place(hash, &index, &rank);
	if (registers[index] < rank)
		registers[index] = rank;
}

/* The registers that a group of its own may write to; those of a decoded one belong to its record. */
static uint8_t *own(const struct sketch *sketch, unsigned width)
{
	return (uint8_t *)(uintptr_t)sketch->registers[width];
}

/* Puts the host among the `count` examples where its hash wants it; returns their new number. */
static size_t keep_example(struct address *examples, uint64_t *hashes, size_t count, const struct address *host, uint64_t hash)
{
	size_t at = count;

	while (at > 0 && (hash < hashes[at - 1] || (hash == hashes[at - 1] && address_compare(host, &examples[at - 1]) < 0)))
		at--;
	if (at == GROUP_EXAMPLES || (at > 0 && address_compare(host, &examples[at - 1]) == 0))
		return count;
	size_t last = count < GROUP_EXAMPLES ? count++ : count - 1;
	for (; last > at; last--) {
		examples[last] = examples[last - 1];
		hashes[last] = hashes[last - 1];
	}
	examples[at] = *host;
	hashes[at] = hash;
	return count;
}

/* --- The list --- */

/* Where the address is in the list, or belongs. */
static size_t find(const struct group *group, const struct address *address)
{
	size_t low = 0, high = group->count;

	while (low < high) {
		size_t middle = (low + high) / 2;
		if (address_compare(&group->list[middle], address) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool grow(struct group *group, struct pool *pool)
{
	size_t room = group->room > 0 ? 2 * (size_t)group->room : 1;
	struct address *list = pool_take(pool, room * sizeof *list);

	if (list == NULL)
		return false;
	if (group->room > 0) {
		memcpy(list, group->list, group->count * sizeof *list);
		pool_give(pool, group->list, group->room * sizeof *list);
	}
	group->list = list;
	group->room = (uint16_t)room;
	return true;
}

/* Widens the list by one width: sorted again, and without what has become the same. */
static size_t widen(struct address *list, size_t count, unsigned width)
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++) {
		struct address address = address_widen(list[i], width);
		size_t at = kept;
		/* They are nearly in order: only ::/48 of IPv6 has IPv4 in its midst. */
		while (at > 0 && address_compare(&address, &list[at - 1]) < 0)
			at--;
		if (at > 0 && address_compare(&address, &list[at - 1]) == 0)
			continue;
		memmove(list + at + 1, list + at, (kept - at) * sizeof *list);
		list[at] = address;
		kept++;
	}
	return kept;
}

/* From a form whose list overflows to the next: the list is poured into registers and widened. */
static bool deepen(struct group *group, struct pool *pool)
{
	struct sketch *sketch = group->sketch;
	uint8_t *registers = pool_take(pool, GROUP_REGISTERS);

	if (registers == NULL)
		return false;
	if (sketch == NULL && (sketch = pool_take(pool, sizeof *sketch)) == NULL) {
		pool_give(pool, registers, GROUP_REGISTERS);
		return false;
	}
	memset(registers, 0, GROUP_REGISTERS);
	for (size_t i = 0; i < group->count; i++)
		pour(registers, address_hash(&group->list[i]));
	if (group->form == 0) {
		size_t count = 0;
		for (size_t i = 0; i < group->count; i++)
			count = keep_example(sketch->examples, sketch->hashes, count, &group->list[i], address_hash(&group->list[i]));
		/* A group that is joined before it has so many hosts gets the rest from the other. */
		for (; count < GROUP_EXAMPLES; count++) {
			sketch->examples[count] = (struct address){ UINT64_MAX, UINT64_MAX };
			sketch->hashes[count] = UINT64_MAX;
		}
	}
	sketch->registers[group->form] = registers;
	group->sketch = sketch;
	group->form++;
	if (group->form < ADDRESS_WIDTHS) {
		group->count = (uint16_t)widen(group->list, group->count, group->form);
	} else if (group->room > 0) {
		pool_give(pool, group->list, group->room * sizeof *group->list);
		group->list = NULL;
		group->count = group->room = 0;
	}
	return true;
}

/* Adds a network of the width to all that the group keeps of that width and of wider ones; narrower ones are not looked at. */
static bool insert(struct group *group, struct pool *pool, const struct host *host, unsigned width)
{
	for (;;) {
		if (width == 0 && group->form > 0) {
			if (host->hashes[0] <= group->sketch->hashes[GROUP_EXAMPLES - 1])
				keep_example(group->sketch->examples, group->sketch->hashes, GROUP_EXAMPLES, &host->networks[0], host->hashes[0]);
		}
		for (unsigned w = width; w < group->form; w++)
			pour(own(group->sketch, w), host->hashes[w]);
		if (group->form == ADDRESS_WIDTHS)
			return true;
		struct address address = host->networks[group->form];
		size_t at = find(group, &address);
		if (at < group->count && address_compare(&group->list[at], &address) == 0)
			return true;
		if (group->count < GROUP_LIST_MAX) {
			if (group->count == group->room && !grow(group, pool))
				return false;
			memmove(group->list + at + 1, group->list + at, (group->count - at) * sizeof *group->list);
			group->list[at] = address;
			group->count++;
			return true;
		}
		if (!deepen(group, pool))
			return false;
	}
}

/* --- Text --- */

/* Takes the text over if it is a better example than the one there is. */
static bool offer_text(struct group *group, struct pool *pool, const struct address *host, uint64_t hash, const char *text, size_t length)
{
	if (length > GROUP_TEXT_MAX)
		length = GROUP_TEXT_MAX;
	if (group->text_length != GROUP_NO_TEXT) {
		uint64_t best = group->text_hash;
		int order = hash != best ? (hash < best ? -1 : 1) : address_compare(host, &group->text_host);
		if (order == 0) {
			size_t common = length < group->text_length ? length : group->text_length;
			order = common > 0 ? memcmp(text, group->text, common) : 0;
			if (order == 0)
				order = (length > group->text_length) - (length < group->text_length);
		}
		if (order >= 0)
			return true;
	}
	char *copy = pool_take(pool, length);
	if (copy == NULL)
		return false;
	if (length > 0)
		memcpy(copy, text, length);
	if (group->text_length != GROUP_NO_TEXT)
		pool_give(pool, (void *)(uintptr_t)group->text, group->text_length);
	group->text = copy;
	group->text_length = (uint16_t)length;
	group->text_host = *host;
	group->text_hash = hash;
	return true;
}

bool group_add(struct group *group, struct pool *pool, const struct host *host, const char *text, size_t length)
{
	/* The host first: the host of a text is always one of the hosts. */
	return insert(group, pool, host, 0) && (text == NULL || offer_text(group, pool, &host->networks[0], host->hashes[0], text, length));
}

void group_fetch(const struct group *group, const struct host *host)
{
	size_t index;
	uint8_t rank;

	for (unsigned width = 0; width < group->form; width++) {
		group_place(host->hashes[width], &index, &rank);
		__builtin_prefetch(&group->sketch->registers[width][index]);
	}
	if (group->form < ADDRESS_WIDTHS)
		__builtin_prefetch(&group->list[group->count / 2]);
}

bool group_join(struct group *group, struct pool *pool, const struct group *other)
{
	for (unsigned width = 0; width < other->form; width++) {
		if (group->form == width && !deepen(group, pool))
			return false;
		uint8_t *registers = own(group->sketch, width);
		const uint8_t *more = other->sketch->registers[width];
		for (size_t i = 0; i < GROUP_REGISTERS; i++)
			registers[i] = registers[i] < more[i] ? more[i] : registers[i];
	}
	if (other->form > 0)
		for (size_t i = 0; i < GROUP_EXAMPLES; i++)
			keep_example(group->sketch->examples, group->sketch->hashes, GROUP_EXAMPLES, &other->sketch->examples[i], other->sketch->hashes[i]);
	for (size_t i = 0; i < other->count; i++) {
		struct host host = host_of(&other->list[i]);
		if (!insert(group, pool, &host, other->form))
			return false;
	}
	return other->text_length == GROUP_NO_TEXT ||
	    offer_text(group, pool, &other->text_host, other->text_hash, other->text, other->text_length);
}

size_t group_examples(const struct group *group, struct address examples[GROUP_EXAMPLES])
{
	uint64_t hashes[GROUP_EXAMPLES];
	size_t count = 0;

	if (group->form > 0) {
		memcpy(examples, group->sketch->examples, sizeof group->sketch->examples);
		return GROUP_EXAMPLES;
	}
	for (size_t i = 0; i < group->count; i++)
		count = keep_example(examples, hashes, count, &group->list[i], address_hash(&group->list[i]));
	return count;
}

/* --- Counting --- */

/* The sum of the improved estimator for registers that are still zero (Ertl 2017, "New cardinality estimation algorithms", 4). */
static double sigma(double x)
{
	double y = 1, z = x, before;

	do {
		x *= x;
		before = z;
		z += x * y;
		y += y;
	} while (z != before);
	return z;
}

static uint64_t estimate(const uint8_t *registers)
{
	const double m = GROUP_REGISTERS, alpha = 0.721347520444481703680; /* 1 / (2 ln 2) */
	size_t histogram[GROUP_RANK_MAX + 1] = { 0 };
	double z = 0;

	for (size_t i = 0; i < GROUP_REGISTERS; i++)
		histogram[registers[i]]++;
	if (histogram[0] == GROUP_REGISTERS)
		return 0;
	for (int rank = GROUP_RANK_MAX; rank >= 1; rank--)
		z = 0.5 * (z + (double)histogram[rank]);
	z += m * sigma((double)histogram[0] / m);
	return (uint64_t)(alpha * m * m / z + 0.5);
}

uint64_t group_count(const struct group *group, unsigned width)
{
	struct address list[GROUP_LIST_MAX];

	if (width >= group->form) {
		if (group->count == 0)
			return 0;
		memcpy(list, group->list, group->count * sizeof *list);
		return width == group->form ? group->count : widen(list, group->count, width);
	}
	uint64_t count = estimate(group->sketch->registers[width]);
	/* A wider network is never more than the narrower ones in it, and none of these so few as would fit a list. */
	uint64_t wider = width + 1 < ADDRESS_WIDTHS ? group_count(group, width + 1) : 0;
	uint64_t least = wider > GROUP_LIST_MAX ? wider : GROUP_LIST_MAX + 1;
	return count > least ? count : least;
}
