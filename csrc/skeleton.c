/* skeleton - from the form of a pattern to the literal text in it; see skeleton.h. */

#include "skeleton.h"

#include "grow.h"

/* What is known of the place that comes next. */
enum place { ANYWHERE, TOKEN_START, AT_ZERO };

struct writer {
	struct skeletons *skeletons;
	const struct pattern *pattern;
	const struct deepid_memory *memory;
	bool nomem;
	bool open; /* the last run may grow */
	enum place place;
};

/* The byte that all of the set fold to; -1: there is none.  Folded, only the upper half of each 64 bytes is left. */
static int folded_byte(const struct byteset *set)
{
	int folded = -1;

	for (int i = 0; i < 4; i++) {
		uint64_t half = set->bits[i] >> 32 | (set->bits[i] & UINT32_MAX);
		if (half == 0)
			continue;
		if (folded >= 0 || (half & (half - 1)) != 0)
			return -1;
		folded = 64 * i + 32 + __builtin_ctzll(half);
	}
	return folded;
}

static bool is_delimiter(const struct byteset *set)
{
	/* Bytes 0..32. */
	return (set->bits[0] & ~UINT64_C(0x1ffffffff)) == 0 && (set->bits[1] | set->bits[2] | set->bits[3]) == 0;
}

static void open_run(struct writer *writer)
{
	struct skeletons *all = writer->skeletons;
	void *runs = grow_room(all->runs, all->runs_count, 1, &all->runs_room, sizeof *all->runs, writer->memory);

	if (runs == NULL) {
		writer->nomem = true;
		return;
	}
	all->runs = runs;
	all->runs[all->runs_count++] = (struct run){ .at = (uint32_t)all->bytes_count, .fixed = writer->place == AT_ZERO };
	all->list[all->count - 1].count++;
	writer->open = true;
}

/* A single byte somewhere is not worth looking for. */
static void close_run(struct writer *writer)
{
	struct skeletons *all = writer->skeletons;

	if (!writer->open)
		return;
	writer->open = false;
	const struct run *run = &all->runs[all->runs_count - 1];
	if (run->length >= 2 || run->fixed)
		return;
	all->bytes_count -= run->length;
	all->runs_count--;
	all->list[all->count - 1].count--;
}

static void leave_gap(struct writer *writer)
{
	close_run(writer);
	writer->place = ANYWHERE;
}

static void write_byte(struct writer *writer, const struct byteset *set)
{
	struct skeletons *all = writer->skeletons;
	int byte = folded_byte(set);

	if (byte < 0) {
		close_run(writer);
	} else {
		if (writer->open && all->runs[all->runs_count - 1].length == RUN_MAX)
			close_run(writer);
		if (!writer->open)
			open_run(writer);
		void *bytes = grow_room(all->bytes, all->bytes_count, 1, &all->bytes_room, 1, writer->memory);
		if (bytes == NULL)
			writer->nomem = true;
		else
			all->bytes = bytes;
		if (writer->nomem)
			return;
		all->bytes[all->bytes_count++] = (unsigned char)byte;
		struct run *run = &all->runs[all->runs_count - 1];
		if (writer->place != ANYWHERE && !is_delimiter(set))
			run->starts |= UINT64_C(1) << run->length;
		run->length++;
	}
	writer->place = is_delimiter(set) ? TOKEN_START : ANYWHERE;
}

static void write_branch(struct writer *writer, uint32_t branch);

/* Whether whatever stands for the group ends in a delimiter. */
static bool ends_in_delimiter(const struct pattern_node *nodes, const struct pattern_node *group)
{
	for (uint32_t branch = group->first; branch != PATTERN_NONE; branch = nodes[branch].next) {
		const struct pattern_node *last = NULL;
		for (uint32_t i = nodes[branch].first; i != PATTERN_NONE; i = nodes[i].next)
			last = &nodes[i];
		if (last == NULL || last->kind != PATTERN_BYTE || last->min == 0 || !is_delimiter(&last->set))
			return false;
	}
	return true;
}

static void write_group(struct writer *writer, const struct pattern_node *group)
{
	const struct pattern_node *nodes = writer->pattern->nodes;
	bool only_branch = nodes[group->first].next == PATTERN_NONE;

	if (!only_branch || group->min == 0) {
		bool starts = ends_in_delimiter(nodes, group) && (group->min > 0 || writer->place != ANYWHERE);
		leave_gap(writer);
		writer->place = starts ? TOKEN_START : ANYWHERE;
		return;
	}
	write_branch(writer, group->first);
	if (group->max > 1)
		leave_gap(writer); /* what follows stands behind the last repetition */
}

static void write_repeated(struct writer *writer, const struct pattern_node *node)
{
	uint32_t copies = node->min < RUN_MAX ? node->min : RUN_MAX;

	for (uint32_t i = 0; i < copies && !writer->nomem; i++)
		write_byte(writer, &node->set);
	if (node->max == copies)
		return;
	/* More may follow, of the same set: behind delimiters a token starts all the same. */
	close_run(writer);
	bool starts = is_delimiter(&node->set) && (copies > 0 || writer->place != ANYWHERE);
	writer->place = starts ? TOKEN_START : ANYWHERE;
}

static void write_branch(struct writer *writer, uint32_t branch)
{
	const struct pattern_node *nodes = writer->pattern->nodes;

	for (uint32_t i = nodes[branch].first; i != PATTERN_NONE && !writer->nomem; i = nodes[i].next) {
		const struct pattern_node *node = &nodes[i];
		switch (node->kind) {
		case PATTERN_BYTE:
			write_repeated(writer, node);
			break;
		case PATTERN_START:
			if (node->min == 0)
				break;
			close_run(writer);
			writer->place = AT_ZERO;
			break;
		case PATTERN_LINE:
			if (node->min > 0 && writer->place == ANYWHERE)
				writer->place = TOKEN_START;
			break;
		case PATTERN_GROUP:
			write_group(writer, node);
			break;
		case PATTERN_EMPTY:
		case PATTERN_END:
			break;
		default:
			leave_gap(writer);
		}
	}
}

static bool new_skeleton(struct skeletons *skeletons, const struct deepid_memory *memory)
{
	void *list = grow_room(skeletons->list, skeletons->count, 1, &skeletons->room, sizeof *skeletons->list, memory);

	if (list == NULL)
		return false;
	skeletons->list = list;
	skeletons->list[skeletons->count++] = (struct skeleton){ .first = (uint32_t)skeletons->runs_count };
	return true;
}

enum deepid_err skeletons_add(struct skeletons *skeletons, const struct pattern *pattern, const struct deepid_memory *memory)
{
	struct writer writer = { skeletons, pattern, memory, false, false, ANYWHERE };

	if (pattern->nodes[0].kind == PATTERN_OPAQUE)
		return new_skeleton(skeletons, memory) ? DEEPID_OK : DEEPID_NOMEM;
	for (uint32_t branch = pattern->nodes[0].first; branch != PATTERN_NONE; branch = pattern->nodes[branch].next) {
		if (!new_skeleton(skeletons, memory))
			return DEEPID_NOMEM;
		writer.place = ANYWHERE;
		write_branch(&writer, branch);
		if (writer.nomem)
			return DEEPID_NOMEM;
		close_run(&writer);
	}
	return DEEPID_OK;
}

void skeletons_close(struct skeletons *skeletons, const struct deepid_memory *memory)
{
	grow_free(skeletons->bytes, memory);
	grow_free(skeletons->runs, memory);
	grow_free(skeletons->list, memory);
	*skeletons = (struct skeletons){ .bytes = NULL };
}
