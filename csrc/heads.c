/* heads - bitsets of rules by the first bytes of a reply; see heads.h. */

#include "heads.h"

#include <string.h>

#include "grow.h"

#define BEYOND HEADS_OFFSETS /* the offset that stands for all later ones */
#define EVERYWHERE ((1U << (BEYOND + 1)) - 1)

/* One rule's walk. A place is a set of offsets, one bit each: where in the reply a match may have come. */
struct walk {
	struct head *head;
	const struct pattern_node *nodes;
};

/* Anything may stand from the lowest of these offsets on, the end as well. */
static unsigned allow_all(const struct walk *walk, unsigned places)
{
	static const struct byteset all = { { UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX } };

	if (places == 0)
		return 0;
	unsigned lowest = lowest_bit(places);
	for (unsigned offset = lowest; offset < BEYOND; offset++) {
		walk->head->bytes[offset] = all;
		walk->head->ends[offset] = true;
	}
	return EVERYWHERE << lowest & EVERYWHERE;
}

/* Nothing is left here, or an LF; whatever follows in the pattern finds no more than that. */
static unsigned allow_end(const struct walk *walk, unsigned places)
{
	for (unsigned offset = 0; offset < BEYOND; offset++) {
		if ((places >> offset & 1) == 0)
			continue;
		walk->head->ends[offset] = true;
		byteset_add(&walk->head->bytes[offset], '\n');
		if (offset + 1 < BEYOND)
			walk->head->ends[offset + 1] = true;
	}
	return places & 1U << BEYOND;
}

static unsigned step(const struct walk *walk, const struct byteset *set, unsigned places)
{
	for (unsigned offset = 0; offset < BEYOND; offset++)
		if ((places >> offset & 1) != 0)
			byteset_unite(&walk->head->bytes[offset], set);
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

void head_read(struct head *head, const struct pattern *pattern)
{
	struct walk walk = { head, pattern->nodes };

	*head = (struct head){ .ends = { false } };
	if (pattern->nodes[0].kind == PATTERN_OPAQUE || !starts_at_zero(pattern->nodes, &pattern->nodes[0]))
		allow_all(&walk, 1);
	else
		allow_all(&walk, walk_group(&walk, &pattern->nodes[0], 1)); /* what is behind the match may be anything */
}

static uint64_t *cell(const struct heads *heads, unsigned offset, unsigned byte, size_t word)
{
	return &heads->allowed[((size_t)offset * HEADS_BYTES + byte) * heads->words + word];
}

void heads_add(struct heads *heads, uint32_t rule, const struct head *head)
{
	size_t word = heads->count / 64;
	uint64_t bit = UINT64_C(1) << heads->count % 64;

	heads->rules[heads->count++] = rule;
	for (unsigned offset = 0; offset < HEADS_OFFSETS; offset++) {
		for (unsigned byte = 0; byte < 256; byte++)
			*cell(heads, offset, byte, word) |= byteset_has(&head->bytes[offset], byte) ? bit : 0;
		*cell(heads, offset, HEADS_BYTES - 1, word) |= head->ends[offset] ? bit : 0;
	}
}

uint32_t heads_get(const struct heads *heads, size_t i, struct head *head)
{
	*head = (struct head){ .ends = { false } };
	for (unsigned offset = 0; offset < HEADS_OFFSETS; offset++) {
		for (unsigned byte = 0; byte < 256; byte++)
			if ((*cell(heads, offset, byte, i / 64) >> i % 64 & 1) != 0)
				byteset_add(&head->bytes[offset], byte);
		head->ends[offset] = (*cell(heads, offset, HEADS_BYTES - 1, i / 64) >> i % 64 & 1) != 0;
	}
	return heads->rules[i];
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
	size_t offsets = length < HEADS_OFFSETS ? length : HEADS_OFFSETS, words = heads->words;

	for (size_t word = 0; word < words; word++) {
		const uint64_t *allowed = heads->allowed + word;
		uint64_t rules = UINT64_MAX;
		for (size_t offset = 0; offset < offsets && rules != 0; offset++, allowed += HEADS_BYTES * words)
			rules &= allowed[reply[offset] * words];
		if (length < HEADS_OFFSETS)
			rules &= allowed[(HEADS_BYTES - 1) * words];
		for (; rules != 0; rules &= rules - 1)
			candidates_add(found, heads->rules[64 * word + lowest_bit(rules)]);
	}
}
