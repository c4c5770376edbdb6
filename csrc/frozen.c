/* frozen - sets to bytes and back; see frozen.h. */

#include "frozen.h"

#include <string.h>

#include "grow.h"
#include "order.h"

#define IS_PLAIN 1U /* flags of a rule */
#define IS_AGAIN 2U
#define OPTIONS (PCRE2_CASELESS | PCRE2_MULTILINE | PCRE2_DOTALL)

/* --- Freezing --- */

struct writer {
	struct frozen *frozen;
	const struct deepid_memory *memory;
	bool nomem; /* sticky */
};

static void put(struct writer *writer, const void *bytes, size_t length)
{
	struct frozen *frozen = writer->frozen;

	if (writer->nomem || length == 0)
		return;
	void *grown = grow_room(frozen->bytes, frozen->length, length, &frozen->room, 1, writer->memory);
	writer->nomem = grown == NULL;
	if (writer->nomem)
		return;
	frozen->bytes = grown;
	memcpy(frozen->bytes + frozen->length, bytes, length);
	frozen->length += length;
}

static void put_number(struct writer *writer, size_t number)
{
	uint32_t value = (uint32_t)number;

	put(writer, &value, sizeof value);
}

static void put_rules(struct writer *writer, const struct fpset *set)
{
	put_number(writer, set->count);
	for (size_t i = 0; i < set->count; i++) {
		put_number(writer, set->rules[i].length);
		put_number(writer, set->rules[i].options);
		put(writer, &set->slots_of[i], 1);
		put(writer, set->rules[i].text, set->rules[i].length);
	}
	for (size_t i = 0; i < set->count; i++) {
		const struct filter_check *check = &set->filter.checks[i];
		uint8_t flags = (uint8_t)((check->direct.is_plain ? IS_PLAIN : 0) | (check->again ? IS_AGAIN : 0));
		put(writer, &check->direct.groups, 1);
		put(writer, &flags, 1);
	}
}

static void put_heads(struct writer *writer, const struct heads *heads)
{
	put_number(writer, heads->count);
	for (size_t i = 0; i < heads->count; i++) {
		struct head head;
		uint8_t ends = 0;
		put_number(writer, heads_get(heads, i, &head));
		put(writer, head.bytes, sizeof head.bytes);
		for (unsigned offset = 0; offset < HEADS_OFFSETS; offset++)
			ends |= (uint8_t)(head.ends[offset] << offset);
		put(writer, &ends, 1);
	}
}

enum deepid_err fpset_freeze(const struct fpset *set, struct frozen *frozen, const struct deepid_memory *memory)
{
	const struct filter *filter = &set->filter;
	struct writer writer = { frozen, memory, false };

	for (size_t i = 0; i < set->count; i++)
		if (set->rules[i].text == NULL)
			return DEEPID_BAD;
	if (filter->stages != FILTER_ALL)
		return DEEPID_BAD;
	put_rules(&writer, set);
	put_number(&writer, filter->needles.links_count);
	put(&writer, filter->needles.links, filter->needles.links_count * sizeof *filter->needles.links);
	put_heads(&writer, &filter->heads);
	put_number(&writer, filter->orders_size);
	put(&writer, filter->orders, filter->orders_size);
	put_number(&writer, filter->directs.sets_count);
	for (size_t i = 0; i < filter->directs.sets_count; i++)
		put(&writer, &filter->directs.sets[i].bits, sizeof filter->directs.sets[i].bits);
	put_number(&writer, filter->directs.count);
	put(&writer, filter->directs.hops, filter->directs.count * sizeof *filter->directs.hops);
	return writer.nomem ? DEEPID_NOMEM : DEEPID_OK;
}

void frozen_close(struct frozen *frozen, const struct deepid_memory *memory)
{
	grow_free(frozen->bytes, memory);
	*frozen = (struct frozen){ .bytes = NULL };
}

/* --- Thawing --- */

struct thaw {
	const unsigned char *at, *end;
	const struct deepid_memory *memory;
	enum deepid_err result; /* sticky */
};

static void refuse(struct thaw *thaw, bool wrong)
{
	if (wrong && thaw->result == DEEPID_OK)
		thaw->result = DEEPID_BAD;
}

/* The next bytes; NULL: there are not so many. */
static const void *take(struct thaw *thaw, size_t count, size_t each)
{
	const unsigned char *bytes = thaw->at;

	refuse(thaw, count > (size_t)(thaw->end - bytes) / each);
	if (thaw->result != DEEPID_OK)
		return NULL;
	thaw->at += count * each;
	return bytes;
}

/* 0 where something was wrong. */
static size_t take_number(struct thaw *thaw)
{
	uint32_t value = 0;
	const void *bytes = take(thaw, 1, sizeof value);

	if (bytes != NULL)
		memcpy(&value, bytes, sizeof value);
	return value;
}

static unsigned take_byte(struct thaw *thaw)
{
	const unsigned char *byte = take(thaw, 1, 1);

	return byte != NULL ? *byte : 0;
}

/* The next `count` of a kind, copied, with `behind` zeros; NULL: it failed. */
static void *copy(struct thaw *thaw, size_t count, size_t each, size_t behind)
{
	const void *bytes = take(thaw, count, each);

	if (bytes == NULL)
		return NULL;
	unsigned char *copied = thaw->memory->take(count * each + behind + 1, thaw->memory->data);
	if (copied == NULL) {
		thaw->result = DEEPID_NOMEM;
		return NULL;
	}
	memcpy(copied, bytes, count * each);
	memset(copied + count * each, 0, behind);
	return copied;
}

static void thaw_rules(struct thaw *thaw, struct fpset *set)
{
	struct fplimits limits = FPLIMITS_DEFAULT;
	size_t count = take_number(thaw);

	limits.trusted = true;
	refuse(thaw, count > (size_t)(thaw->end - thaw->at));
	if (thaw->result == DEEPID_OK)
		thaw->result = fpset_open(set, count, &limits, thaw->memory);
	for (size_t i = 0; i < count && thaw->result == DEEPID_OK; i++) {
		size_t length = take_number(thaw), options = take_number(thaw);
		unsigned slot = take_byte(thaw);
		const char *text = take(thaw, length, 1);
		refuse(thaw, (options & ~(size_t)OPTIONS) != 0 || slot >= DEEPID_SLOTS);
		if (thaw->result == DEEPID_OK)
			thaw->result = fpset_add(set, text, length, (uint32_t)options, (uint8_t)slot, NULL);
	}
}

static void thaw_checks(struct thaw *thaw, struct filter *filter)
{
	grow_free(filter->rules, thaw->memory);
	filter->rules = NULL;
	for (size_t i = 0; i < filter->room && thaw->result == DEEPID_OK; i++) {
		uint8_t groups = (uint8_t)take_byte(thaw);
		unsigned flags = take_byte(thaw);
		filter->checks[filter->count++] = (struct filter_check){ .direct = { .groups = groups, .is_plain = (flags & IS_PLAIN) != 0 },
			.again = (flags & IS_AGAIN) != 0 };
		refuse(thaw, groups > DEEPID_GROUPS_MAX || (i == 0 && flags >= IS_AGAIN));
	}
}

static void thaw_links(struct thaw *thaw, struct filter *filter)
{
	size_t count = take_number(thaw);
	struct link *links = copy(thaw, count, sizeof *links, 0);

	for (size_t i = 0; i < count && thaw->result == DEEPID_OK; i++)
		refuse(thaw, links[i].rule >= filter->count || links[i].before + WANTED_NEEDLE > WANTED_MOST);
	if (thaw->result == DEEPID_OK)
		thaw->result = needles_place(&filter->needles, links, count, thaw->memory);
	grow_free(links, thaw->memory);
}

static void thaw_heads(struct thaw *thaw, struct filter *filter)
{
	size_t count = take_number(thaw);

	refuse(thaw, count > filter->count);
	if (thaw->result == DEEPID_OK)
		thaw->result = heads_open(&filter->heads, count, thaw->memory);
	for (size_t i = 0; i < count && thaw->result == DEEPID_OK; i++) {
		struct head head;
		size_t rule = take_number(thaw);
		const void *bytes = take(thaw, 1, sizeof head.bytes);
		unsigned ends = take_byte(thaw);
		refuse(thaw, rule >= filter->count);
		if (thaw->result != DEEPID_OK)
			return;
		memcpy(head.bytes, bytes, sizeof head.bytes);
		for (unsigned offset = 0; offset < HEADS_OFFSETS; offset++)
			head.ends[offset] = (ends >> offset & 1) != 0;
		heads_add(&filter->heads, (uint32_t)rule, &head);
	}
}

/* Where the order that begins here ends; NULL: it is none. */
static const unsigned char *end_of_order(const unsigned char *order, const unsigned char *end)
{
	for (bool inside = false; order < end;) {
		size_t size = *order & ~ORDER_FIXED;
		if (!inside && *order == ORDER_END)
			return order + 1;
		inside = *order != 0;
		if (inside && (size == 0 || size > RUN_MAX || size >= (size_t)(end - order)))
			return NULL;
		order += 1 + size;
	}
	return NULL;
}

static void thaw_orders(struct thaw *thaw, struct filter *filter)
{
	filter->orders_size = take_number(thaw);
	filter->orders = copy(thaw, filter->orders_size, 1, RUN_BEHIND);
	const unsigned char *order = filter->orders;
	for (size_t i = 0; i < filter->count && thaw->result == DEEPID_OK; i++) {
		filter->checks[i].order = (uint32_t)(order - filter->orders);
		order = end_of_order(order, filter->orders + filter->orders_size);
		refuse(thaw, order == NULL);
	}
}

static void thaw_sets(struct thaw *thaw, struct directs *directs)
{
	size_t count = take_number(thaw);

	if (thaw->result == DEEPID_OK)
		thaw->result = directs_open(directs, thaw->memory);
	for (size_t i = 0; i < count && thaw->result == DEEPID_OK; i++) {
		struct byteset bits;
		const void *bytes = take(thaw, 1, sizeof bits);
		if (bytes == NULL)
			return;
		memcpy(&bits, bytes, sizeof bits);
		refuse(thaw, i == DIRECT_SETS || directs_set(directs, &bits) != i);
	}
}

static bool is_sound(const struct hop *hop, const struct directs *directs, unsigned groups)
{
	unsigned slots = 2 * groups + 1;
	bool is_repetition = hop->op <= DIRECT_LEAST;

	if (hop->op > DIRECT_DONE || hop->count > DIRECT_BYTES || hop->before > slots || hop->after > slots)
		return false;
	return !is_repetition || (hop->set < directs->sets_count && (hop->then == DIRECT_NO_SET || hop->then < directs->sets_count));
}

/* Where the program that begins at this hop ends: behind its first DONE, which no jump may leave behind.  0: it is none. */
static size_t end_of_program(const struct directs *directs, size_t hop, unsigned groups)
{
	size_t farthest = hop;

	for (; hop < directs->count && is_sound(&directs->hops[hop], directs, groups); hop++) {
		const struct hop *here = &directs->hops[hop];
		size_t target = here->op == DIRECT_TRY || here->op == DIRECT_JUMP ? hop + 1 + here->over : hop;
		farthest = target > farthest ? target : farthest;
		if (here->op == DIRECT_DONE)
			return farthest <= hop ? hop + 1 : 0;
	}
	return 0;
}

static void thaw_programs(struct thaw *thaw, struct filter *filter)
{
	struct directs *directs = &filter->directs;
	size_t hop = 0;

	directs->count = directs->room = take_number(thaw);
	directs->hops = copy(thaw, directs->count, sizeof *directs->hops, 0);
	for (size_t i = 0; i < filter->count && thaw->result == DEEPID_OK; i++) {
		struct direct *direct = &filter->checks[i].direct;
		direct->first = (uint32_t)hop;
		if (!direct->is_plain)
			continue;
		hop = end_of_program(directs, hop, direct->groups);
		refuse(thaw, hop == 0);
	}
}

enum deepid_err fpset_thaw(struct fpset *set, const unsigned char *bytes, size_t length, const struct deepid_memory *memory)
{
	struct thaw thaw = { bytes, bytes + length, memory != NULL ? memory : &deepid_malloc, DEEPID_OK };
	struct filter *filter = &set->filter;

	memset(set, 0, sizeof *set);
	thaw_rules(&thaw, set);
	if (thaw.result == DEEPID_OK)
		thaw.result = filter_open(filter, set->count, FILTER_ALL, thaw.memory);
	thaw_checks(&thaw, filter);
	thaw_links(&thaw, filter);
	thaw_heads(&thaw, filter);
	thaw_orders(&thaw, filter);
	thaw_sets(&thaw, &filter->directs);
	thaw_programs(&thaw, filter);
	refuse(&thaw, thaw.at != thaw.end);
	return thaw.result;
}
