/* peers - the engines that are compared; see bench.h. */

#include "bench.h"

#include <hs/hs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fpset.h"

/* --- PCRE2, one pattern after another --- */

struct sequence {
	pcre2_code **codes;
	size_t count;
	pcre2_match_data *data;
	pcre2_match_context *context;
};

static struct sequence *open_sequence(const struct bench_list *rules, bool jit)
{
	struct sequence *self = malloc(sizeof *self);

	*self = (struct sequence){ calloc(rules->count, sizeof *self->codes), rules->count, pcre2_match_data_create(100, NULL),
		pcre2_match_context_create(NULL) };
	pcre2_set_match_limit(self->context, BENCH_STEPS);
	for (size_t i = 0; i < rules->count; i++) {
		PCRE2_SIZE offset;
		int error;
		self->codes[i] = pcre2_compile((PCRE2_SPTR)rules->items[i].bytes, rules->items[i].length, rules->items[i].options, &error, &offset, NULL);
		if (self->codes[i] != NULL && jit)
			pcre2_jit_compile(self->codes[i], PCRE2_JIT_COMPLETE);
	}
	return self;
}

static void *open_interpreted(const struct bench_list *rules)
{
	return open_sequence(rules, false);
}

void *bench_jit_open(const struct bench_list *rules)
{
	return open_sequence(rules, true);
}

static size_t first_interpreted(void *engine, const struct bench_text *reply)
{
	struct sequence *self = engine;

	for (size_t i = 0; i < self->count; i++)
		if (self->codes[i] != NULL
		    && pcre2_match(self->codes[i], (PCRE2_SPTR)reply->bytes, reply->length, 0, PCRE2_NO_JIT, self->data, self->context) > 0)
			return i;
	return BENCH_NONE;
}

bool bench_jit_matches(void *engine, size_t rule, const struct bench_text *reply)
{
	struct sequence *self = engine;

	return self->codes[rule] != NULL
	    && pcre2_jit_match(self->codes[rule], (PCRE2_SPTR)reply->bytes, reply->length, 0, 0, self->data, self->context) > 0;
}

static size_t first_jit(void *engine, const struct bench_text *reply)
{
	struct sequence *self = engine;

	for (size_t i = 0; i < self->count; i++)
		if (bench_jit_matches(self, i, reply))
			return i;
	return BENCH_NONE;
}

const struct bench_engine bench_interpreted = { "PCRE2, interpreted, one after another", open_interpreted, first_interpreted, 1000 };
const struct bench_engine bench_jit = { "PCRE2 JIT, one after another", bench_jit_open, first_jit, 2000 };

/* --- Filters that name all patterns that may match, and then PCRE2 for the captures --- */

struct filtered {
	void *filter;
	hs_scratch_t *scratch;
	struct sequence *sequence;
	uint32_t *always; /* patterns that the filter cannot take */
	size_t always_count;
	uint32_t *found;
	size_t count, most;
};

static int by_number(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static size_t confirm_in_order(struct filtered *self, const struct bench_text *reply)
{
	if (self->count > 1)
		qsort(self->found, self->count, sizeof *self->found, by_number);
	for (size_t i = 0; i < self->count; i++)
		if (bench_jit_matches(self->sequence, self->found[i], reply))
			return self->found[i];
	return BENCH_NONE;
}

static struct filtered *open_filtered(const struct bench_list *rules)
{
	struct filtered *self = calloc(1, sizeof *self);

	self->sequence = bench_jit_open(rules);
	self->always = calloc(rules->count, sizeof *self->always);
	self->found = calloc(2 * rules->count, sizeof *self->found);
	self->most = 2 * rules->count;
	return self;
}

static void *open_hyperscan(const struct bench_list *rules)
{
	struct filtered *self = open_filtered(rules);
	const char **texts = calloc(rules->count, sizeof *texts);
	unsigned *flags = calloc(rules->count, sizeof *flags), *ids = calloc(rules->count, sizeof *ids), count = 0;
	hs_database_t *database = NULL;
	hs_compile_error_t *error = NULL;

	for (size_t i = 0; i < rules->count; i++) {
		const struct bench_text *rule = &rules->items[i];
		unsigned bits = HS_FLAG_SINGLEMATCH | HS_FLAG_ALLOWEMPTY | HS_FLAG_PREFILTER;
		hs_expr_info_t *info = NULL;
		bits |= (rule->options & PCRE2_CASELESS) != 0 ? HS_FLAG_CASELESS : 0;
		bits |= (rule->options & PCRE2_DOTALL) != 0 ? HS_FLAG_DOTALL : 0;
		bits |= (rule->options & PCRE2_MULTILINE) != 0 ? HS_FLAG_MULTILINE : 0;
		rule->bytes[rule->length] = '\0';
		if (hs_expression_info(rule->bytes, bits, &info, &error) != HS_SUCCESS) {
			hs_free_compile_error(error);
			self->always[self->always_count++] = (uint32_t)i;
			continue;
		}
		free(info);
		texts[count] = rule->bytes;
		flags[count] = bits;
		ids[count++] = (unsigned)i;
	}
	if (hs_compile_multi(texts, flags, ids, count, HS_MODE_BLOCK, NULL, &database, &error) != HS_SUCCESS) {
		fprintf(stderr, "Hyperscan: %s\n", error->message);
		return NULL;
	}
	hs_alloc_scratch(database, &self->scratch);
	self->filter = database;
	return self;
}

static int note(unsigned id, unsigned long long from, unsigned long long to, unsigned flags, void *data)
{
	struct filtered *self = data;

	(void)from, (void)to, (void)flags;
	if (self->count < self->most)
		self->found[self->count++] = id;
	return 0;
}

static size_t first_hyperscan(void *engine, const struct bench_text *reply)
{
	struct filtered *self = engine;

	memcpy(self->found, self->always, self->always_count * sizeof *self->found);
	self->count = self->always_count;
	hs_scan(self->filter, reply->bytes, (unsigned)reply->length, 0, self->scratch, note, self);
	return confirm_in_order(self, reply);
}

const struct bench_engine bench_hyperscan = { "Hyperscan, then PCRE2 JIT", open_hyperscan, first_hyperscan, 0 };

static void *open_re2(const struct bench_list *rules)
{
	struct filtered *self = open_filtered(rules);

	self->filter = bench_re2_open(rules);
	return self;
}

static size_t first_re2(void *engine, const struct bench_text *reply)
{
	struct filtered *self = engine;

	self->count = bench_re2_find(self->filter, reply->bytes, reply->length, self->found, self->most);
	return confirm_in_order(self, reply);
}

const struct bench_engine bench_re2 = { "RE2::Set, then PCRE2 JIT", open_re2, first_re2, 0 };

/* --- Ours --- */

struct ours {
	struct fpset set;
	struct fpscratch scratch;
};

void *bench_deepid_open(const struct bench_list *rules, unsigned stages)
{
	struct fplimits limits = FPLIMITS_DEFAULT;
	struct ours *self = calloc(1, sizeof *self);

	limits.stages = stages;
	limits.budget = stages == FILTER_ALL ? limits.budget : 0;
	limits.cap = DEEPID_REPLY_MAX;
	limits.steps = BENCH_STEPS;
	if (fpset_open(&self->set, rules->count, &limits, NULL) != DEEPID_OK)
		return NULL;
	for (size_t i = 0; i < rules->count; i++) {
		struct fperror error;
		fpset_add(&self->set, rules->items[i].bytes, rules->items[i].length, rules->items[i].options, 1, &error);
	}
	if (fpset_build(&self->set) != DEEPID_OK || fpscratch_open(&self->scratch, &self->set) != DEEPID_OK)
		return NULL;
	return self;
}

static void *open_deepid(const struct bench_list *rules)
{
	return bench_deepid_open(rules, FILTER_ALL);
}

static size_t first_deepid(void *engine, const struct bench_text *reply)
{
	struct ours *self = engine;
	enum deepid_err event;
	struct fprun run;

	fprun_start(&run, &self->set, reply->bytes, reply->length);
	while ((event = fpset_next(&self->set, &self->scratch, &run)) != DEEPID_END)
		if (event == DEEPID_HIT)
			return run.rule;
	return BENCH_NONE;
}

const struct bench_engine bench_deepid = { "smtp-deepid", open_deepid, first_deepid, 0 };
