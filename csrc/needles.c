/* needles - the index from short texts to rules; see needles.h. */

#include "needles.h"

#include "grow.h"

#define COUNTERS_EACH 4  /* a text */
#define TRY 4            /* how much longer it takes to try a rule than to compare its text */
#define BITS_LEAST 10    /* of a table's places */
#define BITS_MOST 16     /* of a hash */
#define BLOCK 64U        /* places of a reply that are looked at together */
#define COMPARISONS 500  /* of texts in one reply; those of real servers take some ten */

static unsigned bits_for(size_t places)
{
	unsigned bits = BITS_LEAST;

	while (bits < BITS_MOST && (size_t)1 << bits < places)
		bits++;
	return bits;
}

/* Of four folded bytes. */
static inline uint32_t hash_at(const unsigned char *bytes)
{
	uint32_t value;

	memcpy(&value, bytes, WANTED_NEEDLE);
	return value * UINT32_C(0x9e3779b1) >> (32 - BITS_MOST);
}

/* --- Choosing --- */

/* How often texts hold four bytes, by their hash: what is rare in the rules is rare in replies, too. */
struct counters {
	uint32_t *counts;
	unsigned shift;
};

static inline uint32_t *counter_of(const struct counters *counters, const struct text *text, unsigned at)
{
	return &counters->counts[hash_at(text->bytes + at) >> counters->shift];
}

static void count_all(const struct wanted *wanted, const struct counters *counters)
{
	for (size_t i = 0; i < wanted->texts_count; i++)
		for (unsigned at = 0; at + WANTED_NEEDLE <= wanted->texts[i].length; at++)
			++*counter_of(counters, &wanted->texts[i], at);
}

/* A text's rarest needle, and what it costs to look for it: replies where the needle is, and those where all of the text is. */
struct needle {
	unsigned at;
	uint64_t cost;
};

static struct needle rarest(const struct text *text, const struct counters *counters)
{
	uint32_t of_text = UINT32_MAX, of_needle = UINT32_MAX;
	struct needle needle = { 0 };

	for (unsigned at = 0; at + WANTED_NEEDLE <= text->length; at++) {
		uint32_t count = *counter_of(counters, text, at);
		of_text = count < of_text ? count : of_text;
		if (count >= of_needle || !text_has_needle(text, at))
			continue;
		of_needle = count;
		needle.at = at;
	}
	needle.cost = (uint64_t)TRY * of_text + of_needle;
	return needle;
}

/* The choice of a branch that costs the least, and of such the first. */
static const struct span *choose(const struct wanted *wanted, const struct span *branch, const struct counters *counters)
{
	const struct span *chosen = NULL;
	uint64_t least = UINT64_MAX;

	for (uint32_t c = branch->first; c < branch->first + branch->count; c++) {
		const struct span *choice = &wanted->choices[c];
		uint64_t sum = 0;
		for (uint32_t t = choice->first; t < choice->first + choice->count; t++)
			sum += rarest(&wanted->texts[t], counters).cost;
		if (sum < least) {
			least = sum;
			chosen = choice;
		}
	}
	return chosen;
}

/* --- Building --- */

struct builder {
	struct needles *needles;
	const struct wanted *wanted;
	const struct span *rules;
	const struct head *heads;
	size_t count;
	const struct span **chosen; /* by branch; NULL: there is no choice */
	struct counters counters;
};

static void *take_zeros(size_t count, size_t each, const struct deepid_memory *memory)
{
	void *block = memory->take(count * each, memory->data);

	if (block != NULL)
		memset(block, 0, count * each);
	return block;
}

/* Makes the choices; returns how many texts they have. */
static size_t choose_all(const struct builder *builder, bool *kept)
{
	size_t texts = 0;

	for (size_t i = 0; i < builder->count; i++) {
		const struct span *rule = &builder->rules[i];
		size_t of_rule = 0;
		kept[i] = true;
		for (uint32_t b = rule->first; b < rule->first + rule->count; b++) {
			builder->chosen[b] = choose(builder->wanted, &builder->wanted->branches[b], &builder->counters);
			kept[i] = kept[i] && builder->chosen[b] != NULL;
			of_rule += kept[i] ? builder->chosen[b]->count : 0;
		}
		texts += kept[i] ? of_rule : 0;
	}
	return texts;
}

/* The first bytes modulo 8. */
static uint8_t bits_of(const struct head *head)
{
	const uint64_t *bits = head->bytes[0].bits;
	uint64_t all = bits[0] | bits[1] | bits[2] | bits[3];

	for (unsigned half = 32; half >= 8; half /= 2)
		all |= all >> half;
	return (uint8_t)all;
}

static struct link link_of(const struct builder *builder, size_t rule, const struct text *text)
{
	struct link link = { .counts = (uint16_t)((1U << text->length) - 1), .before = (uint8_t)rarest(text, &builder->counters).at,
		.heads = bits_of(&builder->heads[rule]), .rule = (uint32_t)rule };

	memcpy(link.text, text->bytes, WANTED_MOST);
	return link;
}

static void make_links(const struct builder *builder, const bool *kept, struct link *links)
{
	for (size_t i = 0; i < builder->count; i++) {
		const struct span *rule = &builder->rules[i];
		for (uint32_t b = rule->first; kept[i] && b < rule->first + rule->count; b++)
			for (uint32_t t = builder->chosen[b]->first; t < builder->chosen[b]->first + builder->chosen[b]->count; t++)
				*links++ = link_of(builder, i, &builder->wanted->texts[t]);
	}
}

static enum deepid_err build(const struct builder *builder, bool *kept, const struct deepid_memory *memory)
{
	count_all(builder->wanted, &builder->counters);
	size_t texts = choose_all(builder, kept);
	struct link *links = memory->take((texts + 1) * sizeof *links, memory->data);
	if (links == NULL)
		return DEEPID_NOMEM;
	make_links(builder, kept, links);
	enum deepid_err result = needles_place(builder->needles, links, texts, memory);
	grow_free(links, memory);
	return result;
}

enum deepid_err needles_build(struct needles *needles, const struct wanted *wanted, const struct span *rules, const struct head *heads,
    size_t count, bool *kept, const struct deepid_memory *memory)
{
	unsigned counter_bits = bits_for(COUNTERS_EACH * wanted->texts_count);
	struct builder builder = { needles, wanted, rules, heads, count, take_zeros(wanted->branches_count + 1, sizeof *builder.chosen, memory),
		{ take_zeros((size_t)1 << counter_bits, sizeof *builder.counters.counts, memory), BITS_MOST - counter_bits } };
	enum deepid_err result = DEEPID_NOMEM;

	if (builder.chosen != NULL && builder.counters.counts != NULL)
		result = build(&builder, kept, memory);
	grow_free(builder.chosen, memory);
	grow_free(builder.counters.counts, memory);
	return result;
}

static uint32_t hash_of(const struct link *link)
{
	return hash_at(link->text + link->before);
}

enum deepid_err needles_place(struct needles *needles, const struct link *links, size_t count, const struct deepid_memory *memory)
{
	unsigned place_bits = bits_for(count);
	size_t places = (size_t)1 << place_bits;

	needles->place_shift = BITS_MOST - place_bits;
	needles->links_count = count;
	needles->hints = take_zeros(NEEDLES_HINTS, sizeof *needles->hints, memory);
	needles->first = take_zeros(places + 1, sizeof *needles->first, memory);
	needles->links = memory->take((count + 1) * sizeof *needles->links, memory->data);
	if (needles->hints == NULL || needles->first == NULL || needles->links == NULL)
		return DEEPID_NOMEM;
	for (size_t i = 0; i < count; i++) {
		uint32_t hash = hash_of(&links[i]);
		needles->first[hash >> needles->place_shift]++;
		needles->hints[hash / 32] |= UINT32_C(1) << hash % 32;
	}
	for (size_t i = 1; i <= places; i++)
		needles->first[i] += needles->first[i - 1];
	for (size_t i = count; i-- > 0;)
		needles->links[--needles->first[hash_of(&links[i]) >> needles->place_shift]] = links[i];
	return DEEPID_OK;
}

void needles_close(struct needles *needles, const struct deepid_memory *memory)
{
	grow_free(needles->hints, memory);
	grow_free(needles->first, memory);
	grow_free(needles->links, memory);
	*needles = (struct needles){ .hints = NULL };
}

/* --- Finding --- */

/* A search through one reply. */
struct search {
	const struct needles *needles;
	const unsigned char *reply; /* folded */
	unsigned head;              /* its first byte modulo 8 */
	struct candidates *found, *seen;
	unsigned comparisons; /* that are left */
	bool is_late;         /* some are in `seen` */
};

/* Whether the text stands around `at`, and the rule's replies begin as this one.  Without a branch. */
static inline unsigned is_here(const struct search *search, const struct link *link, size_t at)
{
	uint32_t others = ~sixteen_same(search->reply + at - link->before, link->text);

	return ((others & link->counts) == 0) & link->heads >> search->head;
}

/* Who says a thousand times what many rules want, is not compared with all of them each time: they are all taken, once. */
static void take_all(struct search *search, uint32_t place)
{
	const struct needles *needles = search->needles;

	if (candidates_has(search->seen, place))
		return;
	candidates_add(search->seen, place);
	search->is_late = true;
	for (uint32_t i = needles->first[place]; i < needles->first[place + 1]; i++)
		candidates_add(search->found, needles->links[i].rule);
}

/* All rules that want the text around `at`. */
static inline void find_rules(struct search *search, size_t at)
{
	const struct needles *needles = search->needles;
	uint32_t place = hash_at(search->reply + at) >> needles->place_shift, first = needles->first[place], end = needles->first[place + 1];

	if (search->comparisons == 0) {
		take_all(search, place);
		return;
	}
	search->comparisons -= end - first < search->comparisons ? end - first : search->comparisons;
	for (const struct link *link = needles->links + first; link < needles->links + end; link++)
		candidates_add_if(search->found, link->rule, is_here(search, link, at));
}

/* Which of the BLOCK bytes from `at` on may begin a needle, of those before `end`. */
static inline uint64_t starts_of(const unsigned char *reply, size_t at, size_t end)
{
	uint64_t frequent = end - at < BLOCK ? UINT64_MAX << (end - at) : 0;

	for (unsigned i = 0; i < BLOCK; i += 16)
		frequent |= (uint64_t)sixteen_frequent(reply + at + i) << i;
	return ~frequent;
}

/*
 * The needles that may start at these bits of a block.  Those that the hints know are gathered first, without a branch: to guess wrong
 * which ones they are would cost more than all the rest.
 */
static inline void find_block(struct search *search, size_t block, uint64_t starts)
{
	const uint32_t *hints = search->needles->hints;
	uint8_t places[BLOCK];
	unsigned count = 0;

	for (; starts != 0; starts &= starts - 1) {
		size_t at = (size_t)lowest_bit(starts);
		uint32_t hash = hash_at(search->reply + block + at);
		places[count] = (uint8_t)at;
		count += hints[hash / 32] >> hash % 32 & 1;
	}
	for (unsigned i = 0; i < count; i++)
		find_rules(search, block + places[i]);
}

void needles_find(const struct needles *needles, const struct reply *reply, struct candidates *found, struct candidates *seen)
{
	if (reply->length < WANTED_NEEDLE)
		return;
	struct search search = { needles, reply->folded, reply->plain[0] % 8, found, seen, COMPARISONS, false };
	size_t end = reply->length - WANTED_NEEDLE + 1;

	for (size_t at = 0; at < end; at += BLOCK)
		find_block(&search, at, starts_of(search.reply, at, end));
	if (search.is_late)
		candidates_clear(seen);
}
