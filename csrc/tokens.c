/* tokens - the index from tokens to rules; see tokens.h. */

#include "tokens.h"

#include "grow.h"

#define FOLDS UINT64_C(0x2020202020202020)
#define PREFIXES_EACH 8 /* places of prefixes[] a skeleton: seven of eight lookups end there */
#define ENTRIES_EACH 2
#define COUNTERS_EACH 16
#define BITS_LEAST 8 /* of a table's places */

static unsigned bits_for(size_t places)
{
	unsigned bits = BITS_LEAST;

	while (bits < 31 && (size_t)1 << bits < places)
		bits++;
	return bits;
}

static inline uint32_t hash_prefix(uint64_t key, unsigned shift)
{
	return (uint32_t)key * UINT32_C(0x9e3779b1) >> shift;
}

static inline size_t hash_key(uint64_t key, unsigned length, unsigned shift)
{
	return (size_t)((key + length) * UINT64_C(0x9e3779b97f4a7c15) >> shift);
}

/* The first `length` bytes alone; the first byte is the lowest, on every machine. */
static inline uint64_t cut(uint64_t bytes, unsigned length)
{
	return bytes & UINT64_MAX >> (64 - 8 * length);
}

static inline uint64_t load_eight(const unsigned char *bytes)
{
	uint64_t value;

	memcpy(&value, bytes, 8);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	value = __builtin_bswap64(value);
#endif
	return value;
}

/* --- Choosing keys --- */

/* The key at byte `at` of a run, and its length; 0: what is left is too short. */
static unsigned key_at(const struct skeletons *skeletons, const struct run *run, unsigned at, uint64_t *key)
{
	unsigned left = run->length - at;

	if (left < KEY_LEAST)
		return 0;
	unsigned length = left < KEY_MOST ? left : KEY_MOST;
	unsigned char bytes[KEY_MOST] = { 0 };
	memcpy(bytes, skeletons->bytes + run->at + at, length);
	*key = load_eight(bytes);
	return length;
}

/* How often each beginning of a token, by its hash, occurs in all skeletons: what is rare in the rules is rare in replies, too. */
static void count_keys(const struct skeletons *skeletons, uint32_t *counters, unsigned shift)
{
	for (size_t r = 0; r < skeletons->runs_count; r++) {
		const struct run *run = &skeletons->runs[r];
		for (uint64_t starts = run->starts; starts != 0; starts &= starts - 1) {
			uint64_t key;
			unsigned most = key_at(skeletons, run, lowest_bit(starts), &key);
			for (unsigned length = KEY_LEAST; length <= most; length++)
				counters[hash_key(cut(key, length), length, shift)]++;
		}
	}
}

/* The skeleton's rarest key, the longest of such; returns its length, 0: it has none. */
static unsigned choose_key(const struct skeletons *skeletons, const struct skeleton *skeleton, const uint32_t *counters, unsigned shift,
    uint64_t *chosen)
{
	uint32_t fewest = UINT32_MAX;
	unsigned chosen_length = 0;

	for (uint32_t r = skeleton->first; r < skeleton->first + skeleton->count; r++) {
		const struct run *run = &skeletons->runs[r];
		for (uint64_t starts = run->starts; starts != 0; starts &= starts - 1) {
			uint64_t key;
			unsigned length = key_at(skeletons, run, lowest_bit(starts), &key);
			uint32_t count = length > 0 ? counters[hash_key(key, length, shift)] : UINT32_MAX;
			if (count < fewest || (count == fewest && length > chosen_length)) {
				fewest = count;
				chosen_length = length;
				*chosen = key;
			}
		}
	}
	return chosen_length;
}

static void keep(struct tokens *tokens, uint32_t skeleton, uint64_t key, unsigned length)
{
	size_t mask = ((size_t)1 << (64 - tokens->entry_shift)) - 1, place = hash_key(key, length, tokens->entry_shift);

	while (tokens->entries[place].length != 0 && (tokens->entries[place].key != key || tokens->entries[place].length != length))
		place = (place + 1) & mask;
	struct entry *entry = &tokens->entries[place];
	if (entry->length == 0)
		*entry = (struct entry){ key, length, TOKENS_NONE };
	tokens->links[skeleton].next = entry->first;
	entry->first = skeleton;
	tokens->prefixes[hash_prefix(key, tokens->prefix_shift)] |= (uint8_t)(1 << (length - KEY_LEAST));
}

static void *take_zeroed(size_t count, size_t each, const struct deepid_memory *memory)
{
	void *block = memory->take(count * each, memory->data);

	if (block != NULL)
		memset(block, 0, count * each);
	return block;
}

enum deepid_err tokens_build(struct tokens *tokens, const struct skeletons *skeletons, const uint32_t *rules, bool *kept,
    const struct deepid_memory *memory)
{
	unsigned prefix_bits = bits_for(PREFIXES_EACH * skeletons->count), entry_bits = bits_for(ENTRIES_EACH * skeletons->count);
	unsigned counter_bits = bits_for(COUNTERS_EACH * skeletons->count);

	tokens->prefix_shift = 32 - prefix_bits;
	tokens->entry_shift = 64 - entry_bits;
	tokens->prefixes = take_zeroed((size_t)1 << prefix_bits, 1, memory);
	tokens->entries = take_zeroed((size_t)1 << entry_bits, sizeof *tokens->entries, memory);
	tokens->links = take_zeroed(skeletons->count + 1, sizeof *tokens->links, memory);
	uint32_t *counters = take_zeroed((size_t)1 << counter_bits, sizeof *counters, memory);
	if (tokens->prefixes == NULL || tokens->entries == NULL || tokens->links == NULL || counters == NULL) {
		grow_free(counters, memory);
		return DEEPID_NOMEM;
	}
	count_keys(skeletons, counters, 64 - counter_bits);
	/* From the last to the first, so that a list begins with its lowest rule. */
	for (size_t i = skeletons->count; i-- > 0;) {
		uint64_t key = 0;
		unsigned length = choose_key(skeletons, &skeletons->list[i], counters, 64 - counter_bits, &key);
		tokens->links[i].rule = rules[i];
		kept[i] = length > 0;
		if (kept[i])
			keep(tokens, (uint32_t)i, key, length);
	}
	memory->give(counters, memory->data);
	return DEEPID_OK;
}

void tokens_close(struct tokens *tokens, const struct deepid_memory *memory)
{
	grow_free(tokens->prefixes, memory);
	grow_free(tokens->entries, memory);
	grow_free(tokens->links, memory);
	*tokens = (struct tokens){ .prefixes = NULL };
}

/* --- Finding --- */

/* All rules under keys that begin like these eight bytes, whose prefix is known. */
static void find_keys(const struct tokens *tokens, uint64_t bytes, unsigned lengths, struct candidates *found, struct candidates *seen)
{
	size_t mask = ((size_t)1 << (64 - tokens->entry_shift)) - 1;

	for (; lengths != 0; lengths &= lengths - 1) {
		unsigned length = KEY_LEAST + lowest_bit(lengths);
		uint64_t key = cut(bytes, length);
		size_t place = hash_key(key, length, tokens->entry_shift);
		const struct entry *entry = &tokens->entries[place];
		for (; entry->length != 0 && (entry->key != key || entry->length != length); entry = &tokens->entries[place])
			place = (place + 1) & mask;
		if (entry->length == 0)
			continue;
		const struct link *link = &tokens->links[entry->first];
		candidates_add(found, link->rule);
		if (link->next == TOKENS_NONE || candidates_has(seen, entry->first))
			continue;
		/* A token said a thousand times costs its list once. */
		candidates_add(seen, entry->first);
		for (uint32_t i = link->next; i != TOKENS_NONE; i = tokens->links[i].next)
			candidates_add(found, tokens->links[i].rule);
	}
}

static inline void find_token(const struct tokens *tokens, const unsigned char *bytes, struct candidates *found,
    struct candidates *seen)
{
	uint64_t key = load_eight(bytes) | FOLDS;
	unsigned lengths = tokens->prefixes[hash_prefix(key, tokens->prefix_shift)];

	if (lengths != 0)
		find_keys(tokens, key, lengths, found, seen);
}

#define BLOCK 16
#define TAIL (BLOCK + KEY_MOST) /* bytes at the end of a reply that are looked at in a copy, lest what lies behind be read */

void tokens_find(const struct tokens *tokens, const unsigned char *reply, size_t length, struct candidates *found, struct candidates *seen)
{
	unsigned char tail[TAIL + BLOCK + KEY_MOST] = { 0 };
	size_t at = 0; /* the bytes before it are done; a token starts at bit 0 of the next mask if byte at - 1 is a delimiter */
	uint32_t carry = 1;

	for (; length - at >= BLOCK + KEY_MOST; at += BLOCK) {
		uint32_t delimiters = sixteen_up_to(reply + at, DELIMITER);
		for (uint32_t starts = (delimiters << 1 | carry) & 0xffff; starts != 0; starts &= starts - 1)
			find_token(tokens, reply + at + lowest_bit(starts), found, seen);
		carry = delimiters >> 15;
	}
	memcpy(tail, reply + at, length - at);
	for (size_t i = 0; i < length - at; i += BLOCK) {
		uint32_t delimiters = sixteen_up_to(tail + i, DELIMITER);
		for (uint32_t starts = (delimiters << 1 | carry) & 0xffff; starts != 0; starts &= starts - 1)
			find_token(tokens, tail + i + lowest_bit(starts), found, seen);
		carry = delimiters >> 15;
	}
	candidates_clear(seen);
}
