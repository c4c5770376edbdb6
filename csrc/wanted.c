/* wanted - from the form of a pattern to texts of which each match holds one; see wanted.h. */

#include "wanted.h"

#include "grow.h"

#define MEMBERS_MOST 8 /* bytes of a class that are written out one by one */
#define LONG_ENOUGH 8  /* bytes of a text: those that are longer are hardly rarer */
#define FORKS_MOST 12  /* groups of several branches within each other */

/* Texts of which one is there. */
struct bundle {
	struct text texts[WANTED_TEXTS];
	unsigned count;
};

/* The way through one branch of the whole. */
struct walk {
	struct wanted *wanted;
	const struct pattern_node *nodes;
	const struct deepid_memory *memory;
	struct bundle tails; /* what stands before the place that was reached; a text may be empty */
	struct bundle *best; /* where it goes on in one branch of several: the best choice of that branch.  NULL: all are written */
	unsigned forks;
	bool nomem;
};

/* --- Bundles --- */

/* Whether each text that ends in `longer` ends in `shorter`, too. */
static bool is_tail(const struct text *shorter, const struct text *longer)
{
	return shorter->length <= longer->length
	    && memcmp(shorter->bytes, longer->bytes + longer->length - shorter->length, shorter->length) == 0;
}

/* Adds a text, and drops those that say no more than another one; false: there is no room. */
static bool add_text(struct bundle *bundle, const struct text *text)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < bundle->count; i++) {
		const struct text *other = &bundle->texts[i];
		if (is_tail(other, text))
			return true;
		if (!is_tail(text, other))
			bundle->texts[kept++] = *other;
	}
	bundle->count = kept;
	if (kept == WANTED_TEXTS)
		return false;
	bundle->texts[bundle->count++] = *text;
	return true;
}

static bool add_bundle(struct bundle *bundle, const struct bundle *more)
{
	for (unsigned i = 0; i < more->count; i++)
		if (!add_text(bundle, &more->texts[i]))
			return false;
	return true;
}

static bool has_needle(const struct text *text)
{
	for (unsigned i = 0; i + WANTED_NEEDLE <= text->length; i++)
		if (text_has_needle(text, i))
			return true;
	return false;
}

/* How good a choice it is: by the length of its shortest text, up to a point, and by how few they are; 0: it is none. */
static unsigned worth_of(const struct bundle *bundle)
{
	unsigned shortest = LONG_ENOUGH;

	for (unsigned i = 0; i < bundle->count; i++) {
		if (!has_needle(&bundle->texts[i]))
			return 0;
		shortest = bundle->texts[i].length < shortest ? bundle->texts[i].length : shortest;
	}
	return bundle->count > 0 ? 2 * shortest + WANTED_TEXTS - bundle->count : 0;
}

/* --- Choices --- */

/* Whether this choice was the branch's last one, too. */
static bool is_written(const struct wanted *all, const struct bundle *bundle)
{
	if (all->branches[all->branches_count - 1].count == 0)
		return false;
	const struct span *choice = &all->choices[all->choices_count - 1];
	return choice->count == bundle->count && memcmp(all->texts + choice->first, bundle->texts, bundle->count * sizeof *all->texts) == 0;
}

static void write_choice(struct walk *walk, const struct bundle *bundle)
{
	struct wanted *all = walk->wanted;

	if (is_written(all, bundle))
		return;
	void *texts = grow_room(all->texts, all->texts_count, bundle->count, &all->texts_room, sizeof *all->texts, walk->memory);

	if (texts != NULL)
		all->texts = texts;
	void *choices = grow_room(all->choices, all->choices_count, 1, &all->choices_room, sizeof *all->choices, walk->memory);
	if (choices != NULL)
		all->choices = choices;
	if (texts == NULL || choices == NULL) {
		walk->nomem = true;
		return;
	}
	memcpy(all->texts + all->texts_count, bundle->texts, bundle->count * sizeof *all->texts);
	all->choices[all->choices_count++] = (struct span){ (uint32_t)all->texts_count, bundle->count };
	all->texts_count += bundle->count;
	all->branches[all->branches_count - 1].count++;
}

static void offer(struct walk *walk, const struct bundle *bundle)
{
	unsigned worth = worth_of(bundle);

	if (worth == 0 || walk->nomem)
		return;
	if (walk->best == NULL)
		write_choice(walk, bundle);
	else if (worth > worth_of(walk->best))
		*walk->best = *bundle;
}

static void start_anew(struct walk *walk)
{
	walk->tails.count = 1;
	walk->tails.texts[0] = (struct text){ .length = 0 };
}

/* Any bytes come, perhaps none. */
static void leave_gap(struct walk *walk)
{
	offer(walk, &walk->tails);
	start_anew(walk);
}

/* --- Bytes --- */

/* The folded bytes of a node, in ascending order; their number, or 0: they are more than MEMBERS_MOST. */
static unsigned members_of(const struct pattern_node *node, unsigned char *members)
{
	unsigned count = 0;

	if (node->folded >= 0) {
		members[0] = (unsigned char)node->folded;
		return 1;
	}
	for (unsigned i = 0; i < 4; i++)
		for (uint64_t half = byteset_fold(&node->set, i); half != 0; half &= half - 1) {
			if (count == MEMBERS_MOST)
				return 0;
			members[count++] = (unsigned char)(64 * i + lowest_bit(half));
		}
	return count;
}

/* Of a text that is full the second half stays. */
static void put(struct text *text, unsigned char byte)
{
	if (text->length == WANTED_MOST) {
		memmove(text->bytes, text->bytes + WANTED_MOST / 2, WANTED_MOST / 2);
		memset(text->bytes + WANTED_MOST / 2, 0, WANTED_MOST / 2);
		text->length = WANTED_MOST / 2;
	}
	text->bytes[text->length++] = byte;
}

static bool is_full(const struct bundle *tails)
{
	bool full = false;

	for (unsigned i = 0; i < tails->count; i++)
		full = full || tails->texts[i].length == WANTED_MOST;
	return full;
}

static void walk_once(struct walk *walk, const struct pattern_node *node)
{
	struct bundle *tails = &walk->tails;
	unsigned char members[MEMBERS_MOST];

	if (node->folded >= 0 && tails->count == 1 && tails->texts[0].length < WANTED_MOST) {
		put(&tails->texts[0], (unsigned char)node->folded);
		return;
	}
	unsigned count = members_of(node, members);

	if (count != 1 || is_full(tails))
		offer(walk, tails);
	if (count == 0 || count * tails->count > WANTED_TEXTS) {
		start_anew(walk);
		return;
	}
	for (unsigned m = 1; m < count; m++)
		for (unsigned i = 0; i < tails->count; i++) {
			tails->texts[m * tails->count + i] = tails->texts[i];
			put(&tails->texts[m * tails->count + i], members[m]);
		}
	for (unsigned i = 0; i < tails->count; i++)
		put(&tails->texts[i], members[0]);
	tails->count *= count;
}

/* Afterwards what was there before may stand there, too. */
static void unite(struct walk *walk, const struct bundle *before)
{
	struct bundle both = *before;

	if (add_bundle(&both, &walk->tails))
		walk->tails = both;
	else
		start_anew(walk);
}

static void walk_byte(struct walk *walk, const struct pattern_node *node)
{
	uint32_t copies = node->min < WANTED_MOST ? node->min : WANTED_MOST;

	for (uint32_t i = 0; i < copies; i++)
		walk_once(walk, node);
	if (node->min == 0 && node->max == 1) {
		struct bundle before = walk->tails;
		offer(walk, &before);
		walk_once(walk, node);
		unite(walk, &before);
	} else if (node->max != copies) {
		leave_gap(walk);
	}
}

/* --- Groups --- */

static void walk_branch(struct walk *walk, uint32_t branch);

/* All branches of a group: afterwards the tails of any of them may stand there.  A choice of each together is one of the group. */
static void walk_fork(struct walk *walk, const struct pattern_node *group)
{
	struct bundle before = walk->tails, after = { .count = 0 }, sum = { .count = 0 }, each, *best = walk->best;
	bool sure = true, fits = true;

	walk->forks++;
	walk->best = &each;
	for (uint32_t branch = group->first; branch != PATTERN_NONE; branch = walk->nodes[branch].next) {
		walk->tails = before;
		each.count = 0;
		walk_branch(walk, branch);
		offer(walk, &walk->tails);
		sure = sure && worth_of(&each) > 0 && add_bundle(&sum, &each);
		fits = fits && add_bundle(&after, &walk->tails);
	}
	walk->forks--;
	walk->best = best;
	walk->tails = after;
	if (sure)
		offer(walk, &sum);
	if (!fits)
		start_anew(walk);
}

static void walk_group(struct walk *walk, const struct pattern_node *group)
{
	bool optional = group->min == 0, single = walk->nodes[group->first].next == PATTERN_NONE;
	struct bundle before, *best = walk->best, ignored;

	if ((optional && group->max != 1) || (!single && walk->forks == FORKS_MOST)) {
		leave_gap(walk);
		return;
	}
	if (optional || !single)
		offer(walk, &walk->tails);
	if (optional) {
		before = walk->tails;
		ignored.count = 0;
		walk->best = &ignored;
	}
	if (single)
		walk_branch(walk, group->first);
	else
		walk_fork(walk, group);
	walk->best = best;
	if (optional)
		unite(walk, &before);
	if (group->max > 1)
		leave_gap(walk);
}

/* What a lookahead wants must be there, too; the place stays. */
static void walk_ahead(struct walk *walk, const struct pattern_node *group)
{
	struct bundle before = walk->tails;

	if (walk->forks == FORKS_MOST)
		return;
	start_anew(walk);
	walk_fork(walk, group);
	walk->tails = before;
}

static void walk_branch(struct walk *walk, uint32_t branch)
{
	for (uint32_t i = walk->nodes[branch].first; i != PATTERN_NONE && !walk->nomem; i = walk->nodes[i].next) {
		const struct pattern_node *node = &walk->nodes[i];
		if (node->kind == PATTERN_BYTE)
			walk_byte(walk, node);
		else if (node->kind == PATTERN_GROUP)
			walk_group(walk, node);
		else if (node->kind == PATTERN_OPAQUE)
			leave_gap(walk);
		else if (node->kind == PATTERN_EMPTY && node->letter == '=' && node->min > 0)
			walk_ahead(walk, node);
	}
}

static bool new_branch(struct wanted *wanted, const struct deepid_memory *memory)
{
	void *branches = grow_room(wanted->branches, wanted->branches_count, 1, &wanted->branches_room, sizeof *wanted->branches, memory);

	if (branches == NULL)
		return false;
	wanted->branches = branches;
	wanted->branches[wanted->branches_count++] = (struct span){ (uint32_t)wanted->choices_count, 0 };
	return true;
}

enum deepid_err wanted_add(struct wanted *wanted, const struct pattern *pattern, const struct deepid_memory *memory)
{
	struct walk walk = { .wanted = wanted, .nodes = pattern->nodes, .memory = memory };

	if (pattern->nodes[0].kind == PATTERN_OPAQUE)
		return new_branch(wanted, memory) ? DEEPID_OK : DEEPID_NOMEM;
	for (uint32_t branch = pattern->nodes[0].first; branch != PATTERN_NONE; branch = pattern->nodes[branch].next) {
		if (!new_branch(wanted, memory))
			return DEEPID_NOMEM;
		start_anew(&walk);
		walk_branch(&walk, branch);
		offer(&walk, &walk.tails);
		if (walk.nomem)
			return DEEPID_NOMEM;
	}
	return DEEPID_OK;
}

void wanted_close(struct wanted *wanted, const struct deepid_memory *memory)
{
	grow_free(wanted->texts, memory);
	grow_free(wanted->choices, memory);
	grow_free(wanted->branches, memory);
	*wanted = (struct wanted){ .texts = NULL };
}
