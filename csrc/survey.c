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
#define AHEAD 16 /* how many groups on the memory of one is fetched */

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
	survey_index(s);
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

/* What groups are sorted by: the first 64 bits of kind and hash, beside the group. */
struct sort_item {
	uint64_t key;
	struct group *group;
};

static bool sorts_before(const struct sort_item *a, const struct sort_item *b)
{
	return a->key < b->key || (a->key == b->key && group_key_compare(&a->group->key, &b->group->key) < 0);
}

/* For few items, and for those whose first 64 bits are the same. */
static void sort_few(struct sort_item *items, size_t count)
{
	for (size_t i = 1; i < count; i++) {
		struct sort_item item = items[i];
		size_t at = i;
		for (; at > 0 && sorts_before(&item, &items[at - 1]); at--)
			items[at] = items[at - 1];
		items[at] = item;
	}
}

/* American flag sort, by the byte at `shift` and then those below: in place, and bounded whatever keys somebody chose. */
static void sort_items(struct sort_item *items, size_t count, unsigned shift)
{
	size_t next[256], ends[256] = { 0 }, at = 0;

	for (size_t i = 0; i < count; i++)
		ends[items[i].key >> shift & 255]++;
	for (size_t byte = 0; byte < 256; byte++) {
		next[byte] = at;
		at = ends[byte] += at;
	}
	for (size_t byte = 0; byte < 256; byte++) {
		while (next[byte] < ends[byte]) {
			struct sort_item item = items[next[byte]];
			size_t home = item.key >> shift & 255;
			items[next[byte]] = items[next[home]];
			items[next[home]++] = item;
		}
	}
	for (size_t byte = 0, from = 0; byte < 256; from = ends[byte++])
		if (shift > 0 && ends[byte] - from >= 32)
			sort_items(items + from, ends[byte] - from, shift - 8);
		else
			sort_few(items + from, ends[byte] - from);
}

/* The slots have just the room for what is sorted, and hold nothing of use behind. */
void survey_sort(struct survey *s)
{
	struct sort_item *items = (struct sort_item *)(void *)s->slots;

	if (s->sorted)
		return;
	for (size_t i = 0; i < s->count; i++) {
		const struct group_key *key = &s->groups[i]->key;
		items[i] = (struct sort_item){ (uint64_t)key->kind << 60 | key->high >> 4, s->groups[i] };
	}
	sort_items(items, s->count, 56);
	for (size_t i = 0; i < s->count; i++)
		s->groups[i] = items[i].group;
	s->sorted = true;
}

void survey_index(struct survey *s)
{
	memset(s->slots, 0, 2 * s->room * sizeof *s->slots);
	for (size_t i = 0; i < s->count; i++) {
		if (i + AHEAD < s->count)
			__builtin_prefetch(&s->slots[slot_of(s, &s->groups[i + AHEAD]->key)], 1);
		*find(s, &s->groups[i]->key) = tag_of(&s->groups[i]->key) | (i + 1);
	}
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
	pool_open(&s->join_pool, RECORD_BUFFER, &s->source);
	size_t length = strlen(options->folder) + 1;
	char *folder = s->source.take(length, s->source.data);
	s->options.folder = folder;
	if (folder == NULL)
		return DEEPID_NOMEM;
	memcpy(folder, options->folder, length);
	s->buffer = s->source.take(RECORD_BUFFER + RECORD_MAX, s->source.data);
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

enum deepid_err survey_read(struct survey *s, enum deepid_err result)
{
	if (result == DEEPID_OK || result == DEEPID_END)
		return result;
	if (result == DEEPID_NOMEM)
		return s->broken = DEEPID_NOMEM;
	if (result == DEEPID_BAD)
		errno = EIO; /* not the bytes that were written */
	return survey_fail(s, "cannot read a temporary file in", s->options.folder);
}

/* --- Adding --- */

/* What is to be added ends all walks; their buffers in the pool are forgotten. */
static enum deepid_err begin(struct survey *s)
{
	s->walk++;
	if (s->count == 0)
		pool_reset(&s->pool);
	return s->broken;
}

/* Room for what could not be added; DEEPID_NOMEM when there was nothing to spill. */
static enum deepid_err make_room(struct survey *s)
{
	if (s->count == 0)
		return s->broken = DEEPID_NOMEM;
	return survey_spill(s);
}

struct group_key survey_key(uint8_t kind, const char *key, size_t length)
{
	XXH128_hash_t hash = XXH3_128bits(key, length);

	return (struct group_key){ .high = hash.high64, .low = hash.low64, .kind = kind };
}

static enum deepid_err put(struct survey *s, const struct host *host, const struct group_key *key, const char *text, size_t text_length)
{
	enum deepid_err result = begin(s);

	for (int tries = 0; result == DEEPID_OK; tries++) {
		struct group *group = group_of(s, key);
		if (group != NULL && group_add(group, &s->pool, host, text, text_length))
			return DEEPID_OK;
		result = tries == 0 ? make_room(s) : (s->broken = DEEPID_NOMEM);
	}
	return result;
}

enum deepid_err survey_add(struct survey *s, const struct address *address, uint8_t kind, const char *key, size_t key_length, const char *text,
    size_t text_length)
{
	assert(kind >= 1 && kind <= SURVEY_KIND_MAX);
	struct group_key name = survey_key(kind, key, key_length);
	struct host host = host_of(address);

	return put(s, &host, &name, text, text_length);
}

/* Where the table first looks for a group's pointer; NULL: there is none with its key. */
static struct group **guess(const struct survey *s, const struct group_key *key)
{
	uint64_t slot = s->slots[slot_of(s, key)];

	return slot != 0 ? &s->groups[(uint32_t)slot - 1] : NULL;
}

enum deepid_err survey_settle(struct survey *s)
{
	enum deepid_err result = s->broken;
	size_t count = s->waiting_count;

	s->waiting_count = 0;
	for (size_t i = 0; i < count; i++)
		__builtin_prefetch(guess(s, &s->waiting[i].key));
	for (size_t i = 0; i < count; i++) {
		struct group **group = guess(s, &s->waiting[i].key);
		if (group != NULL) {
			__builtin_prefetch(*group);
			__builtin_prefetch(&(*group)->text_hash);
		}
	}
	for (size_t i = 0; i < count; i++) {
		struct group **group = guess(s, &s->waiting[i].key);
		if (group != NULL)
			group_fetch(*group, &s->waiting[i].host);
	}
	for (size_t i = 0; i < count && result == DEEPID_OK; i++) {
		const struct survey_fact *fact = &s->waiting[i];
		result = put(s, &fact->host, &fact->key, fact->text, fact->text_length);
	}
	return result;
}

enum deepid_err survey_add_soon(struct survey *s, const struct host *host, uint8_t kind, const char *key, size_t key_length, const char *text,
    size_t text_length)
{
	struct survey_fact *fact = &s->waiting[s->waiting_count++];

	s->walk++;
	fact->host = *host;
	fact->key = survey_key(kind, key, key_length);
	fact->text_length = text_length < GROUP_TEXT_MAX ? text_length : GROUP_TEXT_MAX;
	for (size_t i = 0; i < fact->text_length; i += 16)
		memcpy(fact->text + i, text + i, 16);
	__builtin_prefetch(&s->slots[slot_of(s, &fact->key)]);
	return s->waiting_count == SURVEY_WAITING ? survey_settle(s) : s->broken;
}
