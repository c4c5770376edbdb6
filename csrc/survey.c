/* survey - groups of hosts by key: the groups in memory; see survey.h. */

#include "survey.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#define ROOM_FIRST 128

/* Of the cap, three quarters are the pool's.  A group in the table needs 24 bytes, and 36 while the table grows: below a sixth. */
#define POOL_SHARE(memory) ((memory) / 4 * 3)
#define ROOM_MAX(memory) ((memory) / 256)

static size_t room_bytes(size_t room)
{
	return room * (sizeof(struct group *) + 2 * sizeof(uint64_t));
}

/* --- The table --- */

static size_t slot_of(const struct survey *s, const struct group_key *key)
{
	uint64_t mixed = (key->high ^ s->secret ^ key->kind) * UINT64_C(0x9e3779b97f4a7c15);

	return (size_t)(mixed >> 20) & (2 * s->room - 1);
}

static uint64_t tag_of(const struct group_key *key)
{
	return key->low << 32;
}

/* The slot of the group with that key, or the empty one where it belongs. */
static uint64_t *find(const struct survey *s, const struct group_key *key)
{
	size_t at = slot_of(s, key), mask = 2 * s->room - 1;
	uint64_t tag = tag_of(key);

	for (;; at = (at + 1) & mask) {
		uint64_t slot = s->slots[at];
		if (slot == 0)
			break;
		if ((slot & ~UINT64_C(0xffffffff)) == tag && group_key_compare(&s->groups[(uint32_t)slot - 1]->key, key) == 0)
			break;
	}
	return &s->slots[at];
}

/* Fills the slots anew from the groups. */
static void index_groups(struct survey *s)
{
	memset(s->slots, 0, 2 * s->room * sizeof *s->slots);
	for (size_t i = 0; i < s->count; i++)
		*find(s, &s->groups[i]->key) = tag_of(&s->groups[i]->key) | (i + 1);
}

/* Makes room for twice as many groups, or for the first. */
static bool grow(struct survey *s)
{
	size_t room = s->room > 0 ? 2 * s->room : ROOM_FIRST;

	if (room > ROOM_MAX(s->options.memory))
		return false;
	void *block = s->source.take(room_bytes(room), s->source.data);
	if (block == NULL)
		return false;
	uint64_t *slots = block;
	struct group **groups = (struct group **)(void *)(slots + 2 * room);
	if (s->count > 0)
		memcpy(groups, s->groups, s->count * sizeof *groups);
	if (s->slots != NULL)
		s->source.give(s->slots, s->source.data);
	s->slots = slots;
	s->groups = groups;
	s->room = room;
	index_groups(s);
	return true;
}

/* The group with that key, made if need be; NULL when there is no memory for it. */
static struct group *group_of(struct survey *s, const struct group_key *key)
{
	uint64_t *slot = find(s, key);

	if (*slot != 0)
		return s->groups[(uint32_t)*slot - 1];
	if (s->count == s->room) {
		if (!grow(s))
			return NULL;
		slot = find(s, key);
	}
	struct group *group = pool_take(&s->pool, sizeof *group);
	if (group == NULL)
		return NULL;
	group_init(group, *key);
	s->groups[s->count++] = group;
	*slot = tag_of(key) | s->count;
	s->sorted = false;
	return group;
}

/* A smaller key sinks until the heap of `count` is one again: the largest is on top. */
static void sink(struct group **heap, size_t count, size_t at)
{
	struct group *group = heap[at];

	for (size_t child; (child = 2 * at + 1) < count; at = child) {
		if (child + 1 < count && group_key_compare(&heap[child]->key, &heap[child + 1]->key) < 0)
			child++;
		if (group_key_compare(&heap[child]->key, &group->key) <= 0)
			break;
		heap[at] = heap[child];
	}
	heap[at] = group;
}

/* Heapsort: in place, and never slower than n log n, whatever keys somebody chose. */
void survey_sort(struct survey *s)
{
	if (s->sorted)
		return;
	for (size_t i = s->count / 2; i-- > 0;)
		sink(s->groups, s->count, i);
	for (size_t last = s->count; last-- > 1;) {
		struct group *largest = s->groups[0];
		s->groups[0] = s->groups[last];
		s->groups[last] = largest;
		sink(s->groups, last, 0);
	}
	index_groups(s);
	s->sorted = true;
}

/* --- Opening, failing, closing --- */

static uint64_t draw_secret(const struct survey *s)
{
	struct timespec now = { 0, 0 };
	const void *place = s->slots;
	char bytes[sizeof now + sizeof place];

	timespec_get(&now, TIME_UTC);
	memcpy(bytes, &now, sizeof now);
	memcpy(bytes + sizeof now, &place, sizeof place);
	return XXH3_64bits(bytes, sizeof bytes);
}

enum deepid_err survey_open(struct survey *s, const struct survey_options *options, const struct deepid_memory *source)
{
	assert(options->memory >= SURVEY_MEMORY_MIN && options->fan >= 2 && options->fan <= RUN_FAN_MAX);
	memset(s, 0, sizeof *s);
	s->options = *options;
	s->source = source != NULL ? *source : deepid_malloc;
	pool_open(&s->pool, POOL_SHARE(options->memory), &s->source);
	pool_open(&s->join_pool, RUN_BUFFER, &s->source);
	size_t length = strlen(options->folder) + 1;
	char *folder = s->source.take(length, s->source.data);
	s->options.folder = folder;
	if (folder == NULL)
		return DEEPID_NOMEM;
	memcpy(folder, options->folder, length);
	s->buffer = s->source.take(RUN_BUFFER + RECORD_MAX, s->source.data);
	if (s->buffer == NULL || !grow(s))
		return DEEPID_NOMEM;
	s->secret = draw_secret(s);
	return DEEPID_OK;
}

void survey_close(struct survey *s)
{
	void *owned[] = { s->slots, s->buffer, (void *)(uintptr_t)s->options.folder };

	for (size_t i = 0; i < s->run_count; i++)
		close(s->runs[i].fd);
	pool_close(&s->pool);
	pool_close(&s->join_pool);
	for (size_t i = 0; i < sizeof owned / sizeof owned[0]; i++)
		if (owned[i] != NULL)
			s->source.give(owned[i], s->source.data);
	memset(s, 0, sizeof *s);
}

enum deepid_err survey_fail(struct survey *s, const char *doing, const char *path)
{
	snprintf(s->problem, sizeof s->problem, "%s %s: %s", doing, path, strerror(errno));
	return s->broken = DEEPID_IO;
}

/* --- Adding --- */

/* What is to be added ends all walks; their buffers in the pool are forgotten. */
static enum deepid_err begin(struct survey *s)
{
	s->walk++;
	if (s->count == 0) {
		pool_reset(&s->pool);
		s->totals = NULL;
	}
	return s->broken;
}

/* Room for what could not be added; DEEPID_NOMEM when there was nothing to spill. */
static enum deepid_err make_room(struct survey *s)
{
	if (s->count == 0)
		return s->broken = DEEPID_NOMEM;
	return survey_spill(s);
}

/* Adds to the totals, unless the host is the last one again. */
static bool add_total(struct survey *s, const struct address *host)
{
	static const struct group_key all = { 0, 0, 0 };

	if (s->totals != NULL && address_compare(&s->last, host) == 0)
		return true;
	struct group *totals = s->totals != NULL ? s->totals : group_of(s, &all);
	if (totals == NULL || !group_add(totals, &s->pool, host, NULL, 0))
		return false;
	s->totals = totals;
	s->last = *host;
	return true;
}

enum deepid_err survey_add(struct survey *s, const struct address *host, uint8_t kind, const char *key, size_t key_length, const char *text,
    size_t text_length)
{
	assert(kind >= 1 && kind <= SURVEY_KIND_MAX);
	XXH128_hash_t hash = XXH3_128bits(key, key_length);
	struct group_key name = { .high = hash.high64, .low = hash.low64, .kind = kind };
	enum deepid_err result = begin(s);

	for (int tries = 0; result == DEEPID_OK; tries++) {
		struct group *group = add_total(s, host) ? group_of(s, &name) : NULL;
		if (group != NULL && group_add(group, &s->pool, host, text, text_length))
			return DEEPID_OK;
		result = tries == 0 ? make_room(s) : (s->broken = DEEPID_NOMEM);
	}
	return result;
}

enum deepid_err survey_absorb(struct survey *s, const struct group *other)
{
	enum deepid_err result = begin(s);

	for (int tries = 0; result == DEEPID_OK; tries++) {
		struct group *group = group_of(s, &other->key);
		if (group != NULL && group_join(group, &s->pool, other))
			return DEEPID_OK;
		result = tries == 0 ? make_room(s) : (s->broken = DEEPID_NOMEM);
	}
	return result;
}
