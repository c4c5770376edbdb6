/* tokens - the index from tokens to rules; see tokens.h. */

#include "tokens.h"

#include "eight.h"
#include "grow.h"

#define HINTS_EACH 8 /* places of hints[] a skeleton: of eight lookups in vain seven end there */
#define ENTRIES_EACH 2
#define COUNTERS_EACH 16
#define BLOCK 64U /* bytes of a reply that are looked at together */
#define BITS_LEAST 8 /* of a table's places */
#define COMPARISONS 500 /* of texts in one reply; those of real servers take some ten */

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

/* --- Choosing keys --- */

/* A place in a skeleton where a token starts. */
struct start {
	uint64_t text[2]; /* the run's bytes from there on */
	unsigned count;   /* of them, TEXT_MOST at most */
	unsigned length;  /* of the key: 0, if there are too few of them */
};

static struct start start_at(const struct skeletons *skeletons, const struct run *run, unsigned at)
{
	unsigned left = run->length - at;
	struct start start = { .count = left < TEXT_MOST ? left : TEXT_MOST };
	unsigned char bytes[TEXT_MOST] = { 0 };

	memcpy(bytes, skeletons->bytes + run->at + at, start.count);
	start.text[0] = eight_load(bytes);
	start.text[1] = eight_load(bytes + 8);
	start.length = left < KEY_LEAST ? 0 : (left < KEY_MOST ? left : KEY_MOST) & ~3U;
	return start;
}

static inline uint64_t hash_text(const struct start *start)
{
	return hash_key(start->text[0] ^ start->text[1] * UINT64_C(0xff51afd7ed558ccd), start->count);
}

static inline uint64_t hash_start(const struct start *start)
{
	return hash_key(eight_cut(start->text[0], start->length), start->length);
}

/* How many skeletons hold a text, or a key, by its hash: what is rare in the rules is rare in replies, too. */
struct counters {
	uint32_t *texts, *keys;
	unsigned shift;
};

static void count_starts(const struct skeletons *skeletons, const struct counters *counters)
{
	for (size_t r = 0; r < skeletons->runs_count; r++) {
		const struct run *run = &skeletons->runs[r];
		for (uint64_t starts = run->starts; starts != 0; starts &= starts - 1) {
			struct start start = start_at(skeletons, run, lowest_bit(starts));
			if (start.length == 0)
				continue;
			/* A text is as frequent as all that begin with the same bytes: shorter ones are found there, too. */
			for (unsigned length = KEY_LEAST; length <= start.length; length += KEY_LEAST)
				counters->keys[hash_key(eight_cut(start.text[0], length), length) >> counters->shift]++;
			counters->texts[hash_text(&start) >> counters->shift]++;
		}
	}
}

/* The skeleton's start whose text is the rarest, and of such the one whose key is; .length is 0 if it has none. */
static struct start choose_start(const struct skeletons *skeletons, const struct skeleton *skeleton, const struct counters *counters)
{
	struct start chosen = { .length = 0 };
	uint64_t fewest = UINT64_MAX;

	for (uint32_t r = skeleton->first; r < skeleton->first + skeleton->count; r++) {
		const struct run *run = &skeletons->runs[r];
		for (uint64_t starts = run->starts; starts != 0; starts &= starts - 1) {
			struct start start = start_at(skeletons, run, lowest_bit(starts));
			/* At offset 0 a short one says less than the heads do, and so does the code of a further line. */
			bool is_code = (start.text[0] & 0xff) >= '0' && (start.text[0] & 0xff) <= '9';
			if (start.length == 0 || (start.length < KEY_MOST && (is_code || (run->fixed && lowest_bit(starts) == 0))))
				continue;
			uint64_t keys = counters->keys[hash_start(&start) >> counters->shift], texts = counters->texts[hash_text(&start) >> counters->shift];
			/* A long text is rare in replies, even where it is not in the rules. */
			uint64_t count = (start.count > KEY_MOST ? texts : keys) << 32 | keys;
			if (count < fewest || (count == fewest && start.count > chosen.count)) {
				fewest = count;
				chosen = start;
			}
		}
	}
	return chosen;
}

static void keep(struct tokens *tokens, uint32_t skeleton, uint32_t rule, const struct start *start)
{
	uint64_t hash = hash_start(start);
	size_t mask = ((size_t)1 << (64 - tokens->entry_shift)) - 1, place = (size_t)(hash >> tokens->entry_shift);

	while (tokens->entries[place].first != TOKENS_NONE && tokens->entries[place].print != print_of(hash))
		place = (place + 1) & mask;
	struct entry *entry = &tokens->entries[place];
	tokens->links[skeleton] = (struct link){ .rule = rule, .next = entry->first };
	for (unsigned i = 0; i < 2; i++) {
		unsigned count = start->count < 8 * i ? 0 : start->count - 8 * i;
		tokens->links[skeleton].text[i] = start->text[i];
		tokens->links[skeleton].count[i] = (uint8_t)(count < 8 ? count : 8);
	}
	*entry = (struct entry){ print_of(hash), skeleton };
	tokens->hints[hash >> tokens->hint_shift] |= (uint8_t)(1 << start->length / KEY_MOST);
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
	struct counters counters = { NULL, NULL, 64 - counter_bits };
	counters.texts = take_filled((size_t)2 << counter_bits, sizeof *counters.texts, 0, memory);
	if (tokens->hints == NULL || tokens->entries == NULL || tokens->links == NULL || counters.texts == NULL) {
		grow_free(counters.texts, memory);
		return DEEPID_NOMEM;
	}
	counters.keys = counters.texts + ((size_t)1 << counter_bits);
	count_starts(skeletons, &counters);
	/* From the last to the first, so that a list begins with its lowest rule. */
	for (size_t i = skeletons->count; i-- > 0;) {
		struct start start = choose_start(skeletons, &skeletons->list[i], &counters);
		kept[i] = start.length > 0;
		if (kept[i])
			keep(tokens, (uint32_t)i, rules[i], &start);
	}
	memory->give(counters.texts, memory->data);
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

/* A search through one reply. */
struct search {
	const struct tokens *tokens;
	const unsigned char *reply;
	size_t length;
	struct candidates *found, *seen;
	unsigned comparisons; /* that are left */
};

static inline bool has_text(const struct link *link, uint64_t low, uint64_t high)
{
	return (eight_cut(low ^ link->text[0], link->count[0]) | eight_cut(high ^ link->text[1], link->count[1])) == 0;
}

/* The whole list, once: who says a thousand times what many rules want, is not compared with all of them each time. */
static void take_all(struct search *search, uint32_t first)
{
	if (candidates_has(search->seen, first))
		return;
	candidates_add(search->seen, first);
	for (uint32_t i = first; i != TOKENS_NONE; i = search->tokens->links[i].next)
		candidates_add(search->found, search->tokens->links[i].rule);
}

static inline uint64_t folded_at(const struct search *search, size_t at)
{
	return eight_at(search->reply, search->length, at) | EIGHT_FOLDS;
}

/* All rules under the keys of this hash that want the text at `at`. */
static void find_key(struct search *search, uint64_t hash, size_t at)
{
	const struct tokens *tokens = search->tokens;
	size_t mask = ((size_t)1 << (64 - tokens->entry_shift)) - 1, place = (size_t)(hash >> tokens->entry_shift);
	const struct entry *entry = &tokens->entries[place];

	for (; entry->first != TOKENS_NONE && entry->print != print_of(hash); entry = &tokens->entries[place])
		place = (place + 1) & mask;
	uint64_t low = folded_at(search, at), high = folded_at(search, at + 8);
	for (uint32_t i = entry->first; i != TOKENS_NONE; i = tokens->links[i].next) {
		if (search->comparisons == 0) {
			take_all(search, entry->first);
			return;
		}
		search->comparisons--;
		if (has_text(&tokens->links[i], low, high))
			candidates_add(search->found, tokens->links[i].rule);
	}
}

/* A key that there may be. */
struct known {
	uint64_t hash;
	size_t at;
};

/* Appends the key of this length at `at`, if there may be such a one, without a branch. */
static inline unsigned queue(const struct tokens *tokens, struct known *known, unsigned count, uint64_t text, size_t at, unsigned length)
{
	uint64_t hash = hash_key(eight_cut(text, length), length);

	known[count] = (struct known){ hash, at };
	return count + (tokens->hints[hash >> tokens->hint_shift] >> length / KEY_MOST & 1);
}

/* Which of the BLOCK bytes from `at` on are delimiters, those behind the reply's end among them.  Without a branch. */
static uint64_t delimiters_of(const unsigned char *reply, size_t length, size_t at)
{
	uint64_t delimiters = length - at < BLOCK ? UINT64_MAX << (length - at) : 0;

	for (size_t i = 0; i < BLOCK; i += 16) {
		size_t from = at + i + 16 <= length ? at + i : length - 16, beyond = at + i - from;
		delimiters |= (uint64_t)(sixteen_up_to(reply + from, DELIMITER) >> (beyond < 16 ? beyond : 16)) << i;
	}
	return delimiters;
}

/*
 * The tokens that start at these bits of a block.  Keys that the hints know are gathered first: to guess wrong which ones they are
 * would cost more than all the rest.
 */
static void find_tokens(struct search *search, size_t block, uint64_t starts)
{
	struct known known[3 * BLOCK / 2 + 3];
	unsigned count = 0;

	for (; starts != 0; starts &= starts - 1) {
		size_t at = block + lowest_bit(starts);
		uint64_t text = folded_at(search, at);
		count = queue(search->tokens, known, count, text, at, 4);
		count = queue(search->tokens, known, count, text, at, 8);
	}
	for (unsigned i = 0; i < count; i++)
		find_key(search, known[i].hash, known[i].at);
}

void tokens_find(const struct tokens *tokens, const unsigned char *reply, size_t length, struct candidates *found, struct candidates *seen)
{
	unsigned char copy[16] = { 0 };
	struct search search = { tokens, reply, length, found, seen, COMPARISONS };
	uint64_t carry = 1; /* a token may start at the block's first byte */

	if (length < sizeof copy) {
		search.reply = memcpy(copy, reply, length);
		search.length = sizeof copy;
	}
	for (size_t at = 0; at < search.length; at += BLOCK) {
		uint64_t delimiters = delimiters_of(search.reply, search.length, at);
		find_tokens(&search, at, (delimiters << 1 | carry) & ~delimiters);
		carry = delimiters >> (BLOCK - 1);
	}
	candidates_clear(seen);
}
