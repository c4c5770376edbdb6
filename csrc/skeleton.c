/* skeleton - from the form of a pattern to the literal text in it; see skeleton.h. */

#include "skeleton.h"

#include "grow.h"

struct writer {
	struct skeletons *skeletons;
	const struct pattern *pattern;
	const struct deepid_memory *memory;
	bool nomem;
	bool open; /* the last run may grow */
	bool at_zero; /* the place that comes next is the reply's start */
};

static void open_run(struct writer *writer)
{
	struct skeletons *all = writer->skeletons;
	void *runs = grow_room(all->runs, all->runs_count, 1, &all->runs_room, sizeof *all->runs, writer->memory);

	if (runs == NULL) {
		writer->nomem = true;
		return;
	}
	all->runs = runs;
	all->runs[all->runs_count++] = (struct run){ .at = (uint32_t)all->bytes_count, .fixed = writer->at_zero };
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
	writer->at_zero = false;
}

static void write_byte(struct writer *writer, int byte)
{
	struct skeletons *all = writer->skeletons;

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
		all->runs[all->runs_count - 1].length++;
	}
	writer->at_zero = false;
}

static void write_branch(struct writer *writer, uint32_t branch);

static void write_group(struct writer *writer, const struct pattern_node *group)
{
	const struct pattern_node *nodes = writer->pattern->nodes;
	bool only_branch = nodes[group->first].next == PATTERN_NONE;

	if (!only_branch || group->min == 0) {
		leave_gap(writer);
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
		write_byte(writer, node->folded);
	if (node->max != copies)
		leave_gap(writer); /* more may follow, of the same set */
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
			writer->at_zero = true;
			break;
		case PATTERN_GROUP:
			write_group(writer, node);
			break;
		case PATTERN_LINE:
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
	struct writer writer = { skeletons, pattern, memory, false, false, false };

	if (pattern->nodes[0].kind == PATTERN_OPAQUE)
		return new_skeleton(skeletons, memory) ? DEEPID_OK : DEEPID_NOMEM;
	for (uint32_t branch = pattern->nodes[0].first; branch != PATTERN_NONE; branch = pattern->nodes[branch].next) {
		if (!new_skeleton(skeletons, memory))
			return DEEPID_NOMEM;
		writer.at_zero = false;
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
