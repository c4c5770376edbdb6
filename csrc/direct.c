/* direct - from the form of a plain pattern to its program; see direct.h, and directrun.c for how it runs. */

#include "direct.h"

#include "grow.h"
#include "sixteen.h"

#define GROUPS_MOST 99 /* as in fpset.h */
#define LOOKAHEAD 8    /* nested alternatives that are looked into */

struct writer {
	struct directs *directs;
	const struct pattern *pattern;
	const struct deepid_memory *memory;
	size_t first; /* the program's first hop */
	bool open;    /* the last hop has no op yet */
	size_t landed; /* the hop that is to come, where a jump ends before it */
	bool nomem, too_much;
};

static struct hop *last_hop(const struct writer *writer)
{
	return &writer->directs->hops[writer->directs->count - 1];
}

/* A hop at the end that may still be given bytes, `before` and an op; NULL: it failed. */
static struct hop *open_hop(struct writer *writer)
{
	struct directs *directs = writer->directs;

	if (writer->open)
		return last_hop(writer);
	void *hops = grow_room(directs->hops, directs->count, 1, &directs->room, sizeof *directs->hops, writer->memory);
	if (hops == NULL) {
		writer->nomem = true;
		return NULL;
	}
	directs->hops = hops;
	directs->hops[directs->count++] = (struct hop){ .op = DIRECT_NOTHING };
	writer->open = true;
	return last_hop(writer);
}

/* Gives the open hop its op, or a new one where it has bytes behind which nothing may come; NULL: it failed. */
static struct hop *put_op(struct writer *writer, enum direct_op op)
{
	struct hop *hop = open_hop(writer);

	if (hop != NULL)
		hop->op = (uint8_t)op;
	writer->open = false;
	return hop;
}

/* The members of a set, or those that it lacks, where there are one or two. */
static struct few few_of(const struct byteset *set, bool members)
{
	struct few few = { 0, 0, 0 };

	for (unsigned word = 0; word < 4; word++)
		for (uint64_t bits = members ? set->bits[word] : ~set->bits[word]; bits != 0; bits &= bits - 1) {
			if (few.count == 2)
				return (struct few){ 0, 0, 0 };
			few.b = (uint8_t)(64 * word + lowest_bit(bits));
			few.a = few.count++ == 0 ? few.b : few.a;
		}
	return few;
}

uint8_t directs_set(struct directs *directs, const struct byteset *set)
{
	size_t i = 0;

	while (i < directs->sets_count && !byteset_same(&directs->sets[i].bits, set))
		i++;
	if (i < directs->sets_count || i == DIRECT_SETS)
		return (uint8_t)i;
	directs->sets_count++;
	directs->sets[i] = (struct direct_set){ .bits = *set, .only = few_of(set, true), .all_but = few_of(set, false) };
	for (unsigned byte = 0; byte < 256; byte++)
		directs->sets[i].members[byte] = byteset_has(set, byte);
	return (uint8_t)i;
}

static void put_repeated(struct writer *writer, enum direct_op op, const struct byteset *set, uint32_t min, uint32_t max)
{
	struct hop *hop = put_op(writer, op);

	if (hop == NULL)
		return;
	hop->set = directs_set(writer->directs, set);
	hop->then = DIRECT_NO_SET;
	hop->min = (uint16_t)min;
	hop->max = (uint16_t)max;
	writer->too_much = writer->too_much || hop->set == DIRECT_NO_SET;
}

/* --- Bytes and sets --- */

/* The only byte of the set, or its small letter where the set is a letter in both cases; -1: it is something else. */
static int only_byte(const struct byteset *set, uint8_t *fold)
{
	unsigned word = 0;

	while (word < 3 && set->bits[word] == 0)
		word++;
	for (unsigned i = word + 1; i < 4; i++)
		if (set->bits[i] != 0)
			return -1;
	if (set->bits[word] == 0)
		return -1;
	int lowest = (int)(64 * word + lowest_bit(set->bits[word]));
	uint64_t others = set->bits[word] & (set->bits[word] - 1);
	bool both = lowest >= 'A' && lowest <= 'Z' && others == UINT64_C(1) << (lowest - 64 + 32);
	*fold = both ? 0x20 : 0;
	return both ? lowest + 0x20 : others == 0 ? lowest : -1;
}

static void write_set(struct writer *writer, const struct byteset *set)
{
	uint8_t fold;
	int byte = only_byte(set, &fold);

	if (byte < 0) {
		put_repeated(writer, DIRECT_ONCE, set, 1, 1);
		return;
	}
	struct hop *hop = open_hop(writer);
	if (hop != NULL && (hop->count == DIRECT_BYTES || (hop->count > 0 && hop->fold != fold) || hop->before != 0)) {
		writer->open = false;
		hop = open_hop(writer);
	}
	if (hop == NULL)
		return;
	hop->fold = fold;
	hop->bytes[hop->count++] = (unsigned char)byte;
}

static void write_byte(struct writer *writer, const struct pattern_node *node)
{
	static const enum direct_op ops[] = { [PATTERN_GREEDY] = DIRECT_MOST, [PATTERN_LAZY] = DIRECT_LEAST, [PATTERN_POSSESSIVE] = DIRECT_ONCE };
	uint8_t fold;

	if (node->min == node->max && (node->min == 1 || (node->min <= DIRECT_BYTES && only_byte(&node->set, &fold) >= 0))) {
		for (uint32_t i = 0; i < node->min; i++)
			write_set(writer, &node->set);
		return;
	}
	bool forever = node->max == PATTERN_FOREVER;
	if (node->min >= DIRECT_FOREVER || (!forever && node->max >= DIRECT_FOREVER) || node->max < node->min)
		writer->too_much = true;
	else
		put_repeated(writer, node->min == node->max ? DIRECT_ONCE : ops[node->greed], &node->set, node->min, forever ? DIRECT_FOREVER : node->max);
}

/* --- Groups --- */

/* Where a group begins or ends: before what the open hop will do, or behind what the last one did. */
static void put_slot(struct writer *writer, uint32_t slot, bool inside)
{
	bool at_end = !writer->open && writer->directs->count > writer->first && writer->directs->count != writer->landed;

	if (!inside && at_end && last_hop(writer)->op <= DIRECT_LEAST && last_hop(writer)->after == 0) {
		last_hop(writer)->after = (uint8_t)slot;
		return;
	}
	struct hop *hop = open_hop(writer);
	if (hop != NULL && hop->before != 0) {
		writer->open = false;
		hop = open_hop(writer);
	}
	if (hop == NULL)
		return;
	hop->before = (uint8_t)slot;
	if (inside)
		put_op(writer, DIRECT_KEEP);
}

/* A TRY or JUMP whose target is not known yet; returns which hop it is. */
static size_t put_jump(struct writer *writer, enum direct_op op)
{
	put_op(writer, op);
	return writer->directs->count - 1;
}

static void land(struct writer *writer, size_t jump)
{
	size_t over = writer->directs->count - jump - 1;

	writer->open = false;
	writer->landed = writer->directs->count;
	writer->too_much = writer->too_much || over > UINT16_MAX;
	if (!writer->nomem)
		writer->directs->hops[jump].over = (uint16_t)over;
}

static void write_alternatives(struct writer *writer, uint32_t branch, bool inside);

static void write_group(struct writer *writer, const struct pattern_node *group, bool inside)
{
	bool optional = group->min == 0;
	size_t over = 0;

	if (group->max != 1 || (optional && group->greed == PATTERN_POSSESSIVE)) {
		writer->too_much = true;
		return;
	}
	if (optional && group->greed == PATTERN_LAZY) {
		size_t into = put_jump(writer, DIRECT_TRY);
		over = put_jump(writer, DIRECT_JUMP);
		land(writer, into);
	} else if (optional) {
		over = put_jump(writer, DIRECT_TRY);
	}
	inside = inside || optional;
	if (group->capture > 0)
		put_slot(writer, 2 * group->capture, inside);
	write_alternatives(writer, group->first, inside);
	if (group->capture > 0)
		put_slot(writer, 2 * group->capture + 1, inside);
	if (optional)
		land(writer, over);
}

static void write_assertion(struct writer *writer, const struct pattern_node *node)
{
	static const struct {
		char letter;
		enum direct_op op;
	} assertions[] = { { '^', DIRECT_START }, { 'A', DIRECT_START }, { '$', DIRECT_LAST }, { 'Z', DIRECT_LAST }, { 'z', DIRECT_END },
		{ 'b', DIRECT_WORD }, { 'B', DIRECT_NO_WORD } };

	writer->too_much = writer->too_much || node->kind == PATTERN_LINE || node->min != 1 || node->max != 1 || node->letter == '\0';
	if (node->kind == PATTERN_START && writer->directs->count == writer->first)
		return; /* a program begins nowhere else */
	for (size_t i = 0; i < sizeof assertions / sizeof assertions[0]; i++)
		if (assertions[i].letter == node->letter)
			put_op(writer, assertions[i].op);
}

static void write_branch(struct writer *writer, uint32_t branch, bool inside)
{
	const struct pattern_node *nodes = writer->pattern->nodes;

	for (uint32_t i = nodes[branch].first; i != PATTERN_NONE && !writer->nomem && !writer->too_much; i = nodes[i].next) {
		if (nodes[i].kind == PATTERN_BYTE)
			write_byte(writer, &nodes[i]);
		else if (nodes[i].kind == PATTERN_GROUP)
			write_group(writer, &nodes[i], inside);
		else
			write_assertion(writer, &nodes[i]);
	}
}

static void write_alternatives(struct writer *writer, uint32_t branch, bool inside)
{
	uint32_t next = writer->pattern->nodes[branch].next;

	if (next == PATTERN_NONE) {
		write_branch(writer, branch, inside);
		return;
	}
	size_t other = put_jump(writer, DIRECT_TRY);
	write_branch(writer, branch, true);
	size_t end = put_jump(writer, DIRECT_JUMP);
	land(writer, other);
	if (!writer->nomem && !writer->too_much)
		write_alternatives(writer, next, true);
	land(writer, end);
}

/* --- Repetitions that never go back --- */

/* What may come from a hop on. */
struct coming {
	struct byteset first; /* bytes that it may begin with */
	bool done;            /* perhaps nothing: then the match is complete */
	bool end;             /* perhaps nothing, but at the reply's end alone */
	bool unknown;
};

/* sure: no assertion was met, which may fail though nothing need come. */
static void look_ahead(const struct directs *directs, const struct hop *hop, bool sure, struct coming *coming, unsigned depth)
{
	for (;; hop++) {
		if (hop->count > 0) {
			byteset_add(&coming->first, hop->bytes[0]);
			byteset_add(&coming->first, hop->bytes[0] ^ (unsigned)hop->fold);
			return;
		}
		switch (hop->op) {
		case DIRECT_ONCE:
		case DIRECT_MOST:
		case DIRECT_LEAST:
			byteset_unite(&coming->first, &directs->sets[hop->set].bits);
			if (hop->min > 0)
				return;
			break;
		case DIRECT_NOTHING:
		case DIRECT_KEEP:
			break;
		case DIRECT_LAST:
			byteset_add(&coming->first, '\n');
			/* fall through */
		case DIRECT_END:
			coming->end = true;
			return;
		case DIRECT_DONE:
			coming->done = true;
			coming->unknown = coming->unknown || !sure;
			return;
		case DIRECT_TRY:
		case DIRECT_JUMP:
			if (depth == 0) {
				coming->unknown = true;
				return;
			}
			depth--;
			if (hop->op == DIRECT_TRY)
				look_ahead(directs, hop + 1, sure, coming, depth);
			hop += hop->over;
			break;
		default:
			sure = false;
		}
	}
}

static bool are_apart(const struct byteset *one, const struct byteset *other)
{
	uint64_t common = 0;

	for (unsigned i = 0; i < 4; i++)
		common |= one->bits[i] & other->bits[i];
	return common == 0;
}

/*
 * A repetition that stops before its end leaves a byte of its set to what follows.  Where that cannot begin so, it fails; and where
 * nothing need follow, the most is right at once: it never goes back.  Others need not stop where what follows cannot begin.
 */
static void settle(struct directs *directs, struct hop *hop)
{
	struct coming coming = { .done = false };

	look_ahead(directs, hop + 1, true, &coming, LOOKAHEAD);
	if (coming.unknown)
		return;
	bool apart = are_apart(&directs->sets[hop->set].bits, &coming.first);
	if (hop->op == DIRECT_MOST ? apart || coming.done : apart && !coming.done)
		hop->op = DIRECT_ONCE;
	else if (!coming.done && !coming.end)
		hop->then = directs_set(directs, &coming.first);
}

/* --- All programs --- */

/* Whether a match begins at offset 0, in every branch. */
static bool starts_at_zero(const struct pattern_node *nodes, const struct pattern_node *group)
{
	for (uint32_t branch = group->first; branch != PATTERN_NONE; branch = nodes[branch].next) {
		uint32_t i = nodes[branch].first;
		if (i == PATTERN_NONE || nodes[i].min != 1)
			return false;
		if (nodes[i].kind != PATTERN_START && (nodes[i].kind != PATTERN_GROUP || !starts_at_zero(nodes, &nodes[i])))
			return false;
	}
	return true;
}

enum deepid_err directs_open(struct directs *directs, const struct deepid_memory *memory)
{
	*directs = (struct directs){ .sets = memory->take(DIRECT_SETS * sizeof *directs->sets, memory->data) };
	return directs->sets != NULL ? DEEPID_OK : DEEPID_NOMEM;
}

enum deepid_err directs_add(struct directs *directs, const struct pattern *pattern, struct direct *direct, const struct deepid_memory *memory)
{
	struct writer writer = { .directs = directs, .pattern = pattern, .memory = memory, .first = directs->count };

	*direct = (struct direct){ .first = (uint32_t)directs->count };
	if (!pattern->plain || pattern->captures > GROUPS_MOST || !starts_at_zero(pattern->nodes, &pattern->nodes[0]))
		return DEEPID_OK;
	write_alternatives(&writer, pattern->nodes[0].first, false);
	put_op(&writer, DIRECT_DONE);
	if (writer.nomem)
		return DEEPID_NOMEM;
	direct->is_plain = !writer.too_much && directs->count < UINT32_MAX;
	if (!direct->is_plain) {
		directs->count = writer.first;
		return DEEPID_OK;
	}
	direct->groups = (uint8_t)pattern->captures;
	for (struct hop *hop = &directs->hops[writer.first]; hop->op != DIRECT_DONE; hop++)
		if (hop->op == DIRECT_MOST || hop->op == DIRECT_LEAST)
			settle(directs, hop);
	return DEEPID_OK;
}

void directs_close(struct directs *directs, const struct deepid_memory *memory)
{
	grow_free(directs->hops, memory);
	grow_free(directs->sets, memory);
	*directs = (struct directs){ .hops = NULL };
}
