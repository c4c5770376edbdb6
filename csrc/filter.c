/* filter - puts the stages together; see filter.h. */

#include "filter.h"

#include "grow.h"
#include "order.h"

#define SHORT_REPLY 256 /* bytes */

enum deepid_err filter_open(struct filter *filter, size_t room, unsigned stages, const struct deepid_memory *memory)
{
	*filter = (struct filter){ .room = room, .stages = stages };
	if (room == 0)
		return DEEPID_OK;
	if (room > UINT32_MAX / 2 || room > SIZE_MAX / sizeof *filter->rules)
		return DEEPID_NOMEM;
	filter->rules = memory->take(room * sizeof *filter->rules, memory->data);
	filter->checks = memory->take(room * sizeof *filter->checks, memory->data);
	return filter->rules != NULL && filter->checks != NULL ? DEEPID_OK : DEEPID_NOMEM;
}

static bool is_same(const struct filter_rule *one, const struct filter_rule *other)
{
	return one->text != NULL && other->text != NULL && one->length == other->length && one->options == other->options
	    && memcmp(one->text, other->text, one->length) == 0;
}

void filter_add(struct filter *filter, const char *text, size_t length, uint32_t options)
{
	struct filter_rule *rule = &filter->rules[filter->count];

	*rule = (struct filter_rule){ .text = text, .length = length, .options = options };
	filter->checks[filter->count] = (struct filter_check){ .again = (filter->stages & FILTER_AGAIN) != 0 && filter->count > 0 && is_same(rule, rule - 1) };
	filter->count++;
}

/* What is needed while a filter is built. */
struct building {
	struct skeletons skeletons;
	struct wanted wanted;
	struct pattern pattern;
	struct span *branches; /* by rule, of wanted.branches */
	struct head *heads;    /* by rule */
	bool *kept;            /* by rule: the needles find it */
};

/* Reads all patterns: what they want and begin with, their skeletons, and the programs of those that are plain. */
static enum deepid_err add_patterns(struct filter *filter, struct building *building, const struct deepid_memory *memory)
{
	struct pattern *pattern = &building->pattern;

	if (directs_open(&filter->directs, memory) != DEEPID_OK)
		return DEEPID_NOMEM;
	for (size_t i = 0; i < filter->count; i++) {
		struct filter_rule *rule = &filter->rules[i];
		rule->skeletons = (struct span){ (uint32_t)building->skeletons.count, 0 };
		building->branches[i] = (struct span){ (uint32_t)building->wanted.branches_count, 0 };
		building->heads[i] = (struct head){ .ends = { false } };
		if (rule->text == NULL)
			continue;
		if (pattern_parse(pattern, rule->text, rule->length, rule->options, memory) != DEEPID_OK
		    || skeletons_add(&building->skeletons, pattern, memory) != DEEPID_OK || wanted_add(&building->wanted, pattern, memory) != DEEPID_OK)
			return DEEPID_NOMEM;
		if ((filter->stages & FILTER_HEADS) == 0)
			pattern->nodes[0].kind = PATTERN_OPAQUE;
		head_read(&building->heads[i], pattern);
		rule->skeletons.count = (uint32_t)building->skeletons.count - rule->skeletons.first;
		building->branches[i].count = (uint32_t)building->wanted.branches_count - building->branches[i].first;
		if ((filter->stages & FILTER_DIRECT) != 0 && directs_add(&filter->directs, pattern, &filter->checks[i].direct, memory) != DEEPID_OK)
			return DEEPID_NOMEM;
	}
	return DEEPID_OK;
}

/* Those that the needles do not find; without that stage all. */
static enum deepid_err add_heads(struct filter *filter, const struct building *building, const struct deepid_memory *memory)
{
	size_t without = 0;

	for (size_t i = 0; i < filter->count; i++)
		without += !building->kept[i];
	if (heads_open(&filter->heads, without, memory) != DEEPID_OK)
		return DEEPID_NOMEM;
	for (size_t i = 0; i < filter->count; i++)
		if (!building->kept[i])
			heads_add(&filter->heads, (uint32_t)i, &building->heads[i]);
	return DEEPID_OK;
}

static enum deepid_err add_orders(struct filter *filter, const struct skeletons *skeletons, const struct deepid_memory *memory)
{
	size_t size = RUN_BEHIND;

	for (size_t i = 0; i < filter->count; i++)
		size += order_size(skeletons, filter->rules[i].skeletons.first, filter->rules[i].skeletons.count);
	filter->orders = memory->take(size, memory->data);
	if (filter->orders == NULL || size > UINT32_MAX)
		return DEEPID_NOMEM;
	filter->orders_size = size;
	unsigned char *order = filter->orders;
	for (size_t i = 0; i < filter->count; i++) {
		filter->checks[i].order = (uint32_t)(order - filter->orders);
		order = order_write(order, skeletons, filter->rules[i].skeletons.first, filter->rules[i].skeletons.count);
	}
	memset(order, 0, RUN_BEHIND);
	return DEEPID_OK;
}

static enum deepid_err add_stages(struct filter *filter, struct building *building, const struct deepid_memory *memory)
{
	enum deepid_err result = add_patterns(filter, building, memory);

	memset(building->kept, 0, filter->count);
	if (result == DEEPID_OK && (filter->stages & FILTER_NEEDLES) != 0)
		result = needles_build(&filter->needles, &building->wanted, building->branches, building->heads, filter->count,
		    building->kept, memory);
	if (result == DEEPID_OK)
		result = add_heads(filter, building, memory);
	if (result == DEEPID_OK)
		result = add_orders(filter, &building->skeletons, memory);
	return result;
}

enum deepid_err filter_build(struct filter *filter, const struct deepid_memory *memory)
{
	struct building building = { .branches = memory->take((filter->count + 1) * sizeof *building.branches, memory->data),
		.heads = memory->take((filter->count + 1) * sizeof *building.heads, memory->data), .kept = memory->take(filter->count + 1, memory->data) };
	enum deepid_err result = DEEPID_NOMEM;

	if (building.branches != NULL && building.heads != NULL && building.kept != NULL)
		result = add_stages(filter, &building, memory);
	grow_free(building.branches, memory);
	grow_free(building.heads, memory);
	grow_free(building.kept, memory);
	wanted_close(&building.wanted, memory);
	skeletons_close(&building.skeletons, memory);
	pattern_close(&building.pattern, memory);
	grow_free(filter->rules, memory);
	filter->rules = NULL;
	return result;
}

void filter_close(struct filter *filter, const struct deepid_memory *memory)
{
	grow_free(filter->orders, memory);
	directs_close(&filter->directs, memory);
	needles_close(&filter->needles, memory);
	heads_close(&filter->heads, memory);
	grow_free(filter->rules, memory);
	grow_free(filter->checks, memory);
	*filter = (struct filter){ .rules = NULL };
}

static uint64_t *lay(struct candidates *set, size_t members, uint64_t *block)
{
	set->words = block;
	set->words_count = (members + 63) / 64;
	set->summary = block + set->words_count;
	set->summary_count = (set->words_count + 63) / 64;
	return set->summary + set->summary_count;
}

enum deepid_err filter_scratch_open(struct filter_scratch *scratch, const struct filter *filter, size_t most, const struct deepid_memory *memory)
{
	size_t places = needles_places(&filter->needles), size = (candidates_words(filter->count) + candidates_words(places)) * sizeof *scratch->block;

	*scratch = (struct filter_scratch){ .block = memory->take(size + reply_room(most), memory->data) };
	if (scratch->block == NULL)
		return DEEPID_NOMEM;
	memset(scratch->block, 0, size);
	scratch->room = (unsigned char *)lay(&scratch->seen, places, lay(&scratch->found, filter->count, scratch->block));
	return DEEPID_OK;
}

void filter_scratch_close(struct filter_scratch *scratch, const struct deepid_memory *memory)
{
	grow_free(scratch->block, memory);
	*scratch = (struct filter_scratch){ .block = NULL };
}

void filter_find(const struct filter *filter, struct filter_scratch *scratch, const unsigned char *reply, size_t length)
{
	candidates_clear(&scratch->found);
	scratch->reply = reply_copy(scratch->room, reply, length);
	if ((filter->stages & FILTER_NEEDLES) != 0)
		needles_find(&filter->needles, &scratch->reply, &scratch->found, &scratch->seen);
	heads_find(&filter->heads, scratch->reply.plain, length, &scratch->found);
}

enum direct_answer filter_match(const struct filter *filter, const struct filter_scratch *scratch, size_t rule, size_t *spans, uint32_t *groups)
{
	const struct filter_check *one = &filter->checks[rule];
	const unsigned char *order = (filter->stages & FILTER_ORDER) != 0 ? filter->orders + one->order : NULL;

	*groups = one->direct.groups;
	/* In a short reply a program is through before all words are found. */
	if ((scratch->reply.length > SHORT_REPLY || !one->direct.is_plain) && order != NULL) {
		if (!order_holds(order, &scratch->reply))
			return DIRECT_NO;
		order = NULL;
	}
	return one->direct.is_plain ? direct_match(&filter->directs, &one->direct, order, &scratch->reply, spans) : DIRECT_ASK;
}
