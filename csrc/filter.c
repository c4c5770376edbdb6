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

void filter_add(struct filter *filter, const char *text, size_t length, uint32_t options)
{
	filter->checks[filter->count] = (struct filter_check){ .order = 0 };
	filter->rules[filter->count++] = (struct filter_rule){ .text = text, .length = length, .options = options };
}

/* Reads all patterns: their skeletons, and the programs of those that are plain. */
static enum deepid_err add_patterns(struct filter *filter, struct skeletons *skeletons, struct pattern *pattern, const struct deepid_memory *memory)
{
	if (directs_open(&filter->directs, memory) != DEEPID_OK)
		return DEEPID_NOMEM;
	for (size_t i = 0; i < filter->count; i++) {
		struct filter_rule *rule = &filter->rules[i];
		rule->first = (uint32_t)skeletons->count;
		if (rule->text == NULL)
			continue;
		if (pattern_parse(pattern, rule->text, rule->length, rule->options, memory) != DEEPID_OK
		    || skeletons_add(skeletons, pattern, memory) != DEEPID_OK)
			return DEEPID_NOMEM;
		rule->count = (uint32_t)skeletons->count - rule->first;
		if ((filter->stages & FILTER_DIRECT) != 0 && directs_add(&filter->directs, pattern, &filter->checks[i].direct, memory) != DEEPID_OK)
			return DEEPID_NOMEM;
	}
	filter->skeletons = skeletons->count;
	return DEEPID_OK;
}

/* Whether the index finds the rule, whichever of its branches matches. */
static bool is_kept(const struct filter_rule *rule, const bool *kept)
{
	for (uint32_t i = rule->first; i < rule->first + rule->count; i++)
		if (!kept[i])
			return false;
	return true;
}

static enum deepid_err add_heads(struct filter *filter, const bool *kept, struct pattern *pattern, const struct deepid_memory *memory)
{
	size_t without = 0;

	for (size_t i = 0; i < filter->count; i++)
		without += !is_kept(&filter->rules[i], kept);
	if (heads_open(&filter->heads, without, memory) != DEEPID_OK)
		return DEEPID_NOMEM;
	for (size_t i = 0; i < filter->count; i++) {
		const struct filter_rule *rule = &filter->rules[i];
		if (is_kept(rule, kept))
			continue;
		if (pattern_parse(pattern, rule->text, rule->length, rule->options, memory) != DEEPID_OK)
			return DEEPID_NOMEM;
		if ((filter->stages & FILTER_HEADS) == 0)
			pattern->nodes[0].kind = PATTERN_OPAQUE;
		heads_add(&filter->heads, (uint32_t)i, pattern);
	}
	return DEEPID_OK;
}

/* The index of tokens; without that stage it keeps nothing, and all is left to the heads. */
static enum deepid_err add_tokens(struct filter *filter, const struct skeletons *skeletons, uint32_t *owners, bool *kept, const struct deepid_memory *memory)
{
	for (size_t i = 0; i < filter->count; i++)
		for (uint32_t s = 0; s < filter->rules[i].count; s++)
			owners[filter->rules[i].first + s] = (uint32_t)i;
	if ((filter->stages & FILTER_TOKENS) != 0)
		return tokens_build(&filter->tokens, skeletons, owners, kept, memory);
	memset(kept, 0, skeletons->count * sizeof *kept);
	return DEEPID_OK;
}

static enum deepid_err add_orders(struct filter *filter, const struct skeletons *skeletons, const struct deepid_memory *memory)
{
	size_t size = RUN_BEHIND;

	for (size_t i = 0; i < filter->count; i++)
		size += order_size(skeletons, filter->rules[i].first, filter->rules[i].count);
	filter->orders = memory->take(size, memory->data);
	if (filter->orders == NULL || size > UINT32_MAX)
		return DEEPID_NOMEM;
	unsigned char *order = filter->orders;
	for (size_t i = 0; i < filter->count; i++) {
		filter->checks[i].order = (uint32_t)(order - filter->orders);
		order = order_write(order, skeletons, filter->rules[i].first, filter->rules[i].count);
	}
	memset(order, 0, RUN_BEHIND);
	return DEEPID_OK;
}

enum deepid_err filter_build(struct filter *filter, const struct deepid_memory *memory)
{
	struct skeletons skeletons = { .bytes = NULL };
	struct pattern pattern = { .nodes = NULL };
	uint32_t *owners = NULL;
	bool *kept = NULL;

	enum deepid_err result = add_patterns(filter, &skeletons, &pattern, memory);
	if (result == DEEPID_OK) {
		owners = memory->take((skeletons.count + 1) * sizeof *owners, memory->data);
		kept = memory->take(skeletons.count + 1, memory->data);
		result = owners != NULL && kept != NULL ? DEEPID_OK : DEEPID_NOMEM;
	}
	if (result == DEEPID_OK)
		result = add_tokens(filter, &skeletons, owners, kept, memory);
	if (result == DEEPID_OK)
		result = add_heads(filter, kept, &pattern, memory);
	if (result == DEEPID_OK)
		result = add_orders(filter, &skeletons, memory);
	grow_free(owners, memory);
	grow_free(kept, memory);
	skeletons_close(&skeletons, memory);
	pattern_close(&pattern, memory);
	grow_free(filter->rules, memory);
	filter->rules = NULL;
	return result;
}

void filter_close(struct filter *filter, const struct deepid_memory *memory)
{
	grow_free(filter->orders, memory);
	directs_close(&filter->directs, memory);
	tokens_close(&filter->tokens, memory);
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

enum deepid_err filter_scratch_open(struct filter_scratch *scratch, const struct filter *filter, const struct deepid_memory *memory)
{
	size_t words = candidates_words(filter->count) + candidates_words(filter->skeletons) + 1;

	*scratch = (struct filter_scratch){ .block = memory->take(words * sizeof *scratch->block, memory->data) };
	if (scratch->block == NULL)
		return DEEPID_NOMEM;
	memset(scratch->block, 0, words * sizeof *scratch->block);
	lay(&scratch->seen, filter->skeletons, lay(&scratch->found, filter->count, scratch->block));
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
	if ((filter->stages & FILTER_TOKENS) != 0)
		tokens_find(&filter->tokens, reply, length, &scratch->found, &scratch->seen);
	heads_find(&filter->heads, reply, length, &scratch->found);
}

enum direct_answer filter_match(const struct filter *filter, size_t rule, const unsigned char *reply, size_t length, size_t *spans, uint32_t *groups)
{
	const struct filter_check *one = &filter->checks[rule];
	const unsigned char *order = (filter->stages & FILTER_ORDER) != 0 ? filter->orders + one->order : NULL;

	*groups = one->direct.groups;
	/* In a short reply a program is through before all words are found. */
	if ((length > SHORT_REPLY || !one->direct.is_plain) && order != NULL) {
		if (!order_holds(order, reply, length))
			return DIRECT_NO;
		order = NULL;
	}
	return one->direct.is_plain ? direct_match(&filter->directs, &one->direct, order, reply, length, spans) : DIRECT_ASK;
}
