/* heads - bitsets of rules by the first bytes of a reply; see heads.h. */

#include "heads.h"

#include <string.h>

#include "grow.h"

#define BEYOND HEADS_OFFSETS /* the offset that stands for all later ones */
#define EVERYWHERE ((1U << (BEYOND + 1)) - 1)

/* One rule's walk. A place is a set of offsets, one bit each: where in the reply a match may have come. */
struct walk {
	struct heads *heads;
	const struct pattern_node *nodes;
	size_t bit;
};

static uint64_t *cell(const struct heads *heads, unsigned offset, unsigned byte, size_t word)
{
	return &heads->allowed[((size_t)offset * HEADS_BYTES + byte) * heads->words + word];
}

static void allow(const struct walk *walk, unsigned offset, unsigned byte)
{
	*cell(walk->heads, offset, byte, walk->bit / 64) |= UINT64_C(1) << walk->bit % 64;
}

/* Anything may stand from the lowest of these offsets on, the end as well. */
static unsigned allow_all(const struct walk *walk, unsigned places)
{
	if (places == 0)
		return 0;
	unsigned lowest = lowest_bit(places);
	for (unsigned offset = lowest; offset < BEYOND; offset++)
		for (unsigned byte = 0; byte < HEADS_BYTES; byte++)
			allow(walk, offset, byte);
	return EVERYWHERE << lowest & EVERYWHERE;
}

/* Nothing is left here, or an LF; whatever follows in the pattern finds no more than that. */
static unsigned allow_end(const struct walk *walk, unsigned places)
{
	for (unsigned offset = 0; offset < BEYOND; offset++) {
		if ((places >> offset & 1) == 0)
			continue;
		allow(walk, offset, HEADS_BYTES - 1);
		allow(walk, offset, '\n');
		if (offset + 1 < BEYOND)
			allow(walk, offset + 1, HEADS_BYTES - 1);
	}
	return places & 1U << BEYOND;
}

static unsigned step(const struct walk *walk, const struct byteset *set, unsigned places)
{
	for (unsigned offset = 0; offset < BEYOND; offset++)
		for (unsigned word = 0; (places >> offset & 1) != 0 && word < 4; word++)
			for (uint64_t bits = set->bits[word]; bits != 0; bits &= bits - 1)
				allow(walk, offset, 64 * word + lowest_bit(bits));
	return (places << 1 & EVERYWHERE) | (places & 1U << BEYOND);
}

static unsigned walk_byte(const struct walk *walk, const struct pattern_node *node, unsigned places)
{
	uint32_t most = node->max < BEYOND + 1 ? node->max : BEYOND + 1, least = node->min < most ? node->min : most;

	for (uint32_t i = 0; i < least; i++)
		places = step(walk, &node->set, places);
	unsigned all = places;
	for (uint32_t i = least; i < most; i++) {
		places = step(walk, &node->set, places);
		all |= places;
	}
	return all;
}

static unsigned walk_branch(const struct walk *walk, uint32_t branch, unsigned places);

static unsigned walk_group(const struct walk *walk, const struct pattern_node *group, unsigned places)
{
	unsigned after = 0;

	if (group->min != 1 || group->max != 1)
		return allow_all(walk, places);
	for (uint32_t branch = group->first; branch != PATTERN_NONE; branch = walk->nodes[branch].next)
		after |= walk_branch(walk, branch, places);
	return after;
}

static unsigned walk_branch(const struct walk *walk, uint32_t branch, unsigned places)
{
	for (uint32_t i = walk->nodes[branch].first; i != PATTERN_NONE && places != 1U << BEYOND; i = walk->nodes[i].next) {
		const struct pattern_node *node = &walk->nodes[i];
		switch (node->kind) {
		case PATTERN_BYTE:
			places = walk_byte(walk, node, places);
			break;
		case PATTERN_GROUP:
			places = walk_group(walk, node, places);
			break;
		case PATTERN_OPAQUE:
			places = allow_all(walk, places);
			break;
		case PATTERN_END:
			if (node->min > 0)
				places = allow_end(walk, places);
			break;
		default:
			break; /* holds no byte */
		}
	}
	return places;
}

/* Whether a match begins at offset 0, in every branch. */
static bool starts_at_zero(const struct pattern_node *nodes, const struct pattern_node *group)
{
	for (uint32_t branch = group->first; branch != PATTERN_NONE; branch = nodes[branch].next) {
		uint32_t i = nodes[branch].first;
		while (i != PATTERN_NONE && nodes[i].kind == PATTERN_EMPTY)
			i = nodes[i].next;
		if (i == PATTERN_NONE || nodes[i].min == 0)
			return false;
		if (nodes[i].kind != PATTERN_START && (nodes[i].kind != PATTERN_GROUP || !starts_at_zero(nodes, &nodes[i])))
			return false;
	}
	return true;
}

void heads_add(struct heads *heads, uint32_t rule, const struct pattern *pattern)
{
	struct walk walk = { heads, pattern->nodes, heads->count };

	heads->rules[heads->count++] = rule;
	if (pattern->nodes[0].kind == PATTERN_OPAQUE || !starts_at_zero(pattern->nodes, &pattern->nodes[0])) {
		allow_all(&walk, 1);
		return;
	}
	/* What is behind the match may be anything. */
	allow_all(&walk, walk_group(&walk, &pattern->nodes[0], 1));
}

enum deepid_err heads_open(struct heads *heads, size_t room, const struct deepid_memory *memory)
{
	size_t words = (room + 63) / 64, size = HEADS_OFFSETS * HEADS_BYTES * words * sizeof *heads->allowed;

	*heads = (struct heads){ .words = words, .room = room };
	if (room == 0)
		return DEEPID_OK;
	heads->rules = memory->take(room * sizeof *heads->rules, memory->data);
	heads->allowed = memory->take(size, memory->data);
	if (heads->rules == NULL || heads->allowed == NULL)
		return DEEPID_NOMEM;
	memset(heads->allowed, 0, size);
	return DEEPID_OK;
}

void heads_close(struct heads *heads, const struct deepid_memory *memory)
{
	grow_free(heads->allowed, memory);
	grow_free(heads->rules, memory);
	*heads = (struct heads){ .allowed = NULL };
}

void heads_find(const struct heads *heads, const unsigned char *reply, size_t length, struct candidates *found)
{
	size_t offsets = length < HEADS_OFFSETS ? length : HEADS_OFFSETS;

	for (size_t word = 0; word < heads->words; word++) {
		uint64_t rules = length < HEADS_OFFSETS ? *cell(heads, (unsigned)length, HEADS_BYTES - 1, word) : UINT64_MAX;
		for (unsigned offset = 0; offset < offsets; offset++)
			rules &= *cell(heads, offset, reply[offset], word);
		for (; rules != 0; rules &= rules - 1)
			candidates_add(found, heads->rules[64 * word + lowest_bit(rules)]);
	}
}
