/* tokens - the index from tokens to rules; see tokens.h. */

#include "tokens.h"

#include "grow.h"

#define FOLDS UINT64_C(0x2020202020202020)
#define HINTS_EACH 8 /* places of hints[] a skeleton: of eight lookups in vain seven end there */
#define ENTRIES_EACH 2
#define COUNTERS_EACH 16
#define BLOCK 64U /* bytes of a reply that are looked at together */
#define BITS_LEAST 8 /* of a table's places */

static unsigned bits_for(size_t places)
{
	unsigned bits = BITS_LEAST;

	while (bits < 31 && (size_t)1 << bits < places)
		bits++;
	return bits;
}

static inline uint64_t hash_key(uint64_t key, unsigned length)
{
	return (key + length) * UINT64_C(0x9e3779b97f4a7c15);
}

/* The bits of a hash that are not its place. */
static inline uint32_t print_of(uint64_t hash)
{
	return (uint32_t)(hash >> 8);
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
	unsigned length = (left < KEY_MOST ? left : KEY_MOST) & ~1U;
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
			for (unsigned length = KEY_LEAST; length <= most; length += 2)
				counters[hash_key(cut(key, length), length) >> shift]++;
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
			/* At offset 0, a short one says less than the heads do. */
			bool usable = length > 0 && !(run->fixed && lowest_bit(starts) == 0 && length < KEY_MOST);
			uint32_t count = usable ? counters[hash_key(key, length) >> shift] : UINT32_MAX;
			if (usable && (count < fewest || (count == fewest && length > chosen_length))) {
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
	uint64_t hash = hash_key(key, length);
	size_t mask = ((size_t)1 << (64 - tokens->entry_shift)) - 1, place = (size_t)(hash >> tokens->entry_shift);

	while (tokens->entries[place].first != TOKENS_NONE && tokens->entries[place].print != print_of(hash))
		place = (place + 1) & mask;
	struct entry *entry = &tokens->entries[place];
	tokens->links[skeleton].next = entry->first;
	*entry = (struct entry){ print_of(hash), skeleton };
	tokens->hints[hash >> tokens->hint_shift] |= (uint8_t)(1 << (length - KEY_LEAST) / 2);
}

static void *take_filled(size_t count, size_t each, int byte, const struct deepid_memory *memory)
{
	void *block = memory->take(count * each, memory->data);

	if (block != NULL)
		memset(block, byte, count * each);
	return block;
}

enum deepid_err tokens_build(struct tokens *tokens, const struct skeletons *skeletons, const uint32_t *rules, bool *kept,
    const struct deepid_memory *memory)
{
	unsigned hint_bits = bits_for(HINTS_EACH * skeletons->count), entry_bits = bits_for(ENTRIES_EACH * skeletons->count);
	unsigned counter_bits = bits_for(COUNTERS_EACH * skeletons->count);

	tokens->hint_shift = 64 - hint_bits;
	tokens->entry_shift = 64 - entry_bits;
	tokens->hints = take_filled((size_t)1 << hint_bits, 1, 0, memory);
	tokens->entries = take_filled((size_t)1 << entry_bits, sizeof *tokens->entries, 0xff, memory); /* TOKENS_NONE */
	tokens->links = take_filled(skeletons->count + 1, sizeof *tokens->links, 0, memory);
	uint32_t *counters = take_filled((size_t)1 << counter_bits, sizeof *counters, 0, memory);
	if (tokens->hints == NULL || tokens->entries == NULL || tokens->links == NULL || counters == NULL) {
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
	grow_free(tokens->hints, memory);
	grow_free(tokens->entries, memory);
	grow_free(tokens->links, memory);
	*tokens = (struct tokens){ .hints = NULL };
}

/* --- Finding --- */

/* All rules under the keys of this hash. */
static void find_key(const struct tokens *tokens, uint64_t hash, struct candidates *found, struct candidates *seen)
{
	size_t mask = ((size_t)1 << (64 - tokens->entry_shift)) - 1, place = (size_t)(hash >> tokens->entry_shift);
	const struct entry *entry = &tokens->entries[place];

	for (; entry->first != TOKENS_NONE && entry->print != print_of(hash); entry = &tokens->entries[place])
		place = (place + 1) & mask;
	if (entry->first == TOKENS_NONE)
		return;
	const struct link *link = &tokens->links[entry->first];
	candidates_add(found, link->rule);
	if (link->next == TOKENS_NONE || candidates_has(seen, entry->first))
		return;
	/* A token said a thousand times costs its list once. */
	candidates_add(seen, entry->first);
	for (uint32_t i = link->next; i != TOKENS_NONE; i = tokens->links[i].next)
		candidates_add(found, tokens->links[i].rule);
}

struct hashes {
	uint64_t four, six, eight;
};

/* What lies behind the reply's end counts as zeros. The reply has 16 bytes at least. */
static inline struct hashes hash_token(const unsigned char *reply, size_t length, size_t at)
{
	size_t from = at + KEY_MOST <= length ? at : length - KEY_MOST;
	uint64_t key = load_eight(reply + from) >> 8 * (at - from) | FOLDS;

	return (struct hashes){ hash_key(cut(key, 4), 4), hash_key(cut(key, 6), 6), hash_key(key, 8) };
}

/* Appends a hash if there may be such a key, without a branch. */
static inline unsigned queue(const struct tokens *tokens, uint64_t *known, unsigned count, uint64_t hash, unsigned bit)
{
	known[count] = hash;
	return count + (tokens->hints[hash >> tokens->hint_shift] >> bit & 1);
}

/* Which of the BLOCK bytes from `at` on are delimiters, those behind the reply's end among them. */
static uint64_t delimiters_of(const unsigned char *reply, size_t length, size_t at)
{
	uint64_t delimiters = 0;

	for (unsigned i = 0; i < BLOCK; i += 16) {
		size_t left = length - at > i ? length - at - i : 0;
		if (left >= 16)
			delimiters |= (uint64_t)sixteen_up_to(reply + at + i, DELIMITER) << i;
		else if (left > 0)
			/* The last sixteen bytes, of which some were seen before. */
			return delimiters | (uint64_t)(sixteen_up_to(reply + length - 16, DELIMITER) >> (16 - left)) << i | UINT64_MAX << left << i;
		else
			return delimiters | UINT64_MAX << i;
	}
	return delimiters;
}

/*
 * The tokens that start at these bits of a block.  Keys that the hints know are gathered first: to guess wrong which ones they are
 * would cost more than all the rest.
 */
static void find_tokens(const struct tokens *tokens, const unsigned char *reply, size_t length, size_t block, uint64_t starts,
    struct candidates *found, struct candidates *seen)
{
	uint64_t known[3 * BLOCK / 2 + 3];
	unsigned count = 0;

	for (; starts != 0; starts &= starts - 1) {
		struct hashes hashes = hash_token(reply, length, block + lowest_bit(starts));
		count = queue(tokens, known, count, hashes.four, 0);
		count = queue(tokens, known, count, hashes.six, 1);
		count = queue(tokens, known, count, hashes.eight, 2);
	}
	for (unsigned i = 0; i < count; i++)
		find_key(tokens, known[i], found, seen);
}

void tokens_find(const struct tokens *tokens, const unsigned char *reply, size_t length, struct candidates *found, struct candidates *seen)
{
	unsigned char copy[16] = { 0 };
	uint64_t carry = 1; /* a token may start at the block's first byte */

	if (length < sizeof copy) {
		memcpy(copy, reply, length);
		reply = copy;
		length = sizeof copy;
	}
	for (size_t at = 0; at < length; at += BLOCK) {
		uint64_t delimiters = delimiters_of(reply, length, at);
		find_tokens(tokens, reply, length, at, (delimiters << 1 | carry) & ~delimiters, found, seen);
		carry = delimiters >> (BLOCK - 1);
	}
	candidates_clear(seen);
}
