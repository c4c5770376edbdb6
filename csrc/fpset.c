/* fpset - an ordered set of fingerprint patterns over PCRE2; see fpset.h. */

#include "fpset.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

/* --- The set --- */

enum deepid_err fpset_open(struct fpset *set, size_t room, const struct fplimits *limits, const struct deepid_memory *memory)
{
	assert(limits->cap >= 1 && limits->cap <= DEEPID_REPLY_MAX);
	memset(set, 0, sizeof *set);
	set->limits = *limits;
	set->source = memory ? *memory : deepid_malloc;
	if (room > SIZE_MAX / sizeof *set->rules)
		return DEEPID_NOMEM;
	if (room > 0) {
		set->rules = set->source.take(room * sizeof *set->rules, set->source.data);
		set->slots_of = set->source.take(room, set->source.data);
		if (set->rules == NULL || set->slots_of == NULL)
			return DEEPID_NOMEM;
		set->room = room;
	}
	set->memory = pcre2_general_context_create(set->source.take, set->source.give, set->source.data);
	if (set->memory == NULL)
		return DEEPID_NOMEM;
	set->compiler = pcre2_compile_context_create(set->memory);
	set->context = pcre2_match_context_create(set->memory);
	if (set->compiler == NULL || set->context == NULL)
		return DEEPID_NOMEM;
	/* Fixed here, so that a rule means the same whatever this PCRE2's build thinks a newline is. */
	pcre2_set_newline(set->compiler, PCRE2_NEWLINE_LF);
	pcre2_set_bsr(set->compiler, PCRE2_BSR_UNICODE);
	pcre2_set_match_limit(set->context, limits->steps);
	pcre2_set_depth_limit(set->context, limits->depth);
	pcre2_set_heap_limit(set->context, limits->heap);
	return DEEPID_OK;
}

/* Compiles into *code; on DEEPID_BAD the error is filled. */
static enum deepid_err compile(const struct fpset *set, const char *pattern, size_t length, uint32_t options, pcre2_code **code,
    struct fperror *error)
{
	uint32_t groups = 0;
	int number;

	/* PCRE2 takes no NULL pattern, however empty. */
	*code = pcre2_compile((PCRE2_SPTR)(length > 0 ? pattern : ""), length, options | PCRE2_NEVER_UTF | PCRE2_NEVER_UCP, &number,
	    &error->offset, set->compiler);
	if (*code == NULL && number == PCRE2_ERROR_HEAP_FAILED)
		return DEEPID_NOMEM;
	if (*code == NULL) {
		/* A message that is too long arrives cut, but ended. */
		pcre2_get_error_message(number, (PCRE2_UCHAR *)error->message, sizeof error->message);
		return DEEPID_BAD;
	}
	pcre2_pattern_info(*code, PCRE2_INFO_CAPTURECOUNT, &groups);
	if (groups <= DEEPID_GROUPS_MAX)
		return DEEPID_OK;
	pcre2_code_free(*code);
	*code = NULL;
	error->offset = length;
	snprintf(error->message, sizeof error->message, "more than %d capture groups", DEEPID_GROUPS_MAX);
	return DEEPID_BAD;
}

enum deepid_err fpset_add(struct fpset *set, const char *pattern, size_t length, uint32_t options, uint8_t slot, struct fperror *error)
{
	struct fprule *rule = &set->rules[set->count];
	enum deepid_err result = DEEPID_OK;
	char *text = NULL;

	assert(set->count < set->room && slot < DEEPID_SLOTS);
	if (!set->limits.trusted) {
		pcre2_code *code;
		result = compile(set, pattern, length, options, &code, error);
		pcre2_code_free(code);
	}
	if (result == DEEPID_OK) {
		text = set->source.take(length + 1, set->source.data);
		if (text == NULL)
			result = DEEPID_NOMEM;
		else if (length > 0)
			memcpy(text, pattern, length);
	}
	if (result == DEEPID_NOMEM)
		return result;
	*rule = (struct fprule){ .text = text, .length = length, .options = options };
	set->slots_of[set->count] = slot;
	atomic_init(&rule->code, NULL);
	atomic_init(&rule->groups, 0);
	set->slots |= UINT32_C(1) << slot;
	set->count++;
	return result;
}

enum deepid_err fpset_build(struct fpset *set)
{
	enum deepid_err result = filter_open(&set->filter, set->count, set->limits.stages, &set->source);

	if (result != DEEPID_OK)
		return result;
	for (size_t i = 0; i < set->count; i++)
		filter_add(&set->filter, set->rules[i].text, set->rules[i].length, set->rules[i].options);
	return filter_build(&set->filter, &set->source);
}

const pcre2_code *fpset_code(const struct fpset *set, size_t index, enum deepid_err *result)
{
	struct fprule *rule = &set->rules[index];
	pcre2_code *code = atomic_load_explicit(&rule->code, memory_order_acquire), *other = NULL;
	struct fperror error;

	*result = rule->text != NULL ? DEEPID_OK : DEEPID_BAD;
	if (code != NULL || rule->text == NULL)
		return code;
	*result = compile(set, rule->text, rule->length, rule->options, &code, &error);
	if (*result != DEEPID_OK)
		return NULL;
	/* Every failure, even for want of memory, means the same: pcre2_match interprets. */
	if (set->limits.jit)
		(void)pcre2_jit_compile(code, PCRE2_JIT_COMPLETE);
	uint32_t groups = 0;
	pcre2_pattern_info(code, PCRE2_INFO_CAPTURECOUNT, &groups);
	atomic_store_explicit(&rule->groups, groups, memory_order_relaxed);
	/* Another thread may have been faster; its code is as good. */
	if (atomic_compare_exchange_strong_explicit(&rule->code, &other, code, memory_order_acq_rel, memory_order_acquire))
		return code;
	pcre2_code_free(code);
	return other;
}

size_t fpset_jitted(const struct fpset *set)
{
	size_t jitted = 0;

	for (size_t i = 0; i < set->count; i++) {
		enum deepid_err result;
		const pcre2_code *code = fpset_code(set, i, &result);
		size_t size = 0;
		if (code != NULL && pcre2_pattern_info(code, PCRE2_INFO_JITSIZE, &size) == 0 && size > 0)
			jitted++;
	}
	return jitted;
}

void fpset_close(struct fpset *set)
{
	for (size_t i = 0; i < set->count; i++) {
		pcre2_code_free(atomic_load_explicit(&set->rules[i].code, memory_order_relaxed));
		if (set->rules[i].text != NULL)
			set->source.give(set->rules[i].text, set->source.data);
	}
	if (set->source.give != NULL)
		filter_close(&set->filter, &set->source);
	pcre2_match_context_free(set->context);
	pcre2_compile_context_free(set->compiler);
	pcre2_general_context_free(set->memory);
	if (set->rules != NULL)
		set->source.give(set->rules, set->source.data);
	if (set->slots_of != NULL)
		set->source.give(set->slots_of, set->source.data);
	memset(set, 0, sizeof *set);
}

/* --- Scratch and runs --- */

enum deepid_err fpscratch_open(struct fpscratch *scratch, const struct fpset *set)
{
	memset(scratch, 0, sizeof *scratch);
	scratch->source = &set->source;
	if (filter_scratch_open(&scratch->candidates, &set->filter, set->limits.cap, scratch->source) != DEEPID_OK)
		return DEEPID_NOMEM;
	scratch->data = pcre2_match_data_create(DEEPID_GROUPS_MAX + 1, set->memory);
	return scratch->data != NULL ? DEEPID_OK : DEEPID_NOMEM;
}

void fpscratch_close(struct fpscratch *scratch)
{
	if (scratch->source != NULL)
		filter_scratch_close(&scratch->candidates, scratch->source);
	pcre2_match_data_free(scratch->data);
	memset(scratch, 0, sizeof *scratch);
}

void fprun_start(struct fprun *run, const struct fpset *set, const char *reply, size_t length)
{
	run->truncated = length > set->limits.cap;
	run->reply = length > 0 ? reply : "";
	run->length = run->truncated ? set->limits.cap : length;
	run->next = 0;
	run->taken = 0;
	run->tried = 0;
	run->last = CANDIDATES_NONE;
	run->serial = 0;
}

/* The candidates from run->next on, into the scratch. */
static void find_candidates(const struct fpset *set, struct fpscratch *scratch, struct fprun *run)
{
	struct candidates *found = &scratch->candidates.found;

	filter_find(&set->filter, &scratch->candidates, (const unsigned char *)run->reply, run->length);
	/* Another run had the scratch meanwhile: what was tried is not tried again. */
	for (size_t rule = 0; rule < run->next; rule++)
		candidates_drop(found, rule);
	run->serial = ++scratch->serial;
	run->scratch = scratch;
}

/* One pattern against the reply: PCRE2's return value. */
static int match(const struct fpset *set, struct fpscratch *scratch, const pcre2_code *code, const struct fprun *run)
{
	uint32_t options = run->truncated ? PCRE2_NOTEOL : 0;
	PCRE2_SPTR reply = (PCRE2_SPTR)run->reply;

	/* pcre2_match would do the same after looking at its arguments. */
	int rc = pcre2_jit_match(code, reply, run->length, 0, options, scratch->data, set->context);
	if (rc == PCRE2_ERROR_JIT_BADOPTION)
		rc = pcre2_match(code, reply, run->length, 0, options, scratch->data, set->context);
	/* The JIT has its stack on the machine's, 32 KiB; the interpreter has set->limits.heap. */
	if (rc == PCRE2_ERROR_JIT_STACKLIMIT)
		rc = pcre2_match(code, reply, run->length, 0, options | PCRE2_NO_JIT, scratch->data, set->context);
	return rc;
}

/* What PCRE2 says of run->rule; DEEPID_END: it does not match. */
static enum deepid_err confirm(const struct fpset *set, struct fpscratch *scratch, struct fprun *run)
{
	enum deepid_err result;

	if (set->limits.budget > 0 && run->tried == set->limits.budget)
		return DEEPID_STUCK;
	run->tried++;
	enum direct_answer answer = filter_match(&set->filter, &scratch->candidates, run->rule, run->spans, &run->groups);
	/* The programs take the cut end of a reply for its end. */
	if (answer == DIRECT_YES && !run->truncated)
		return DEEPID_HIT;
	if (answer == DIRECT_NO)
		return DEEPID_END;
	const pcre2_code *code = fpset_code(set, run->rule, &result);
	if (code == NULL)
		return result == DEEPID_NOMEM ? DEEPID_NOMEM : DEEPID_STUCK;
	int rc = match(set, scratch, code, run);
	if (rc == PCRE2_ERROR_NOMATCH)
		return DEEPID_END;
	if (rc == PCRE2_ERROR_NOMEMORY)
		return DEEPID_NOMEM;
	if (rc < 0)
		return DEEPID_STUCK;
	run->groups = fpset_groups(set, run->rule);
	memcpy(run->spans, pcre2_get_ovector_pointer(scratch->data), 2 * (run->groups + 1) * sizeof run->spans[0]);
	return DEEPID_HIT;
}

/* The same, but that of two rules with the same pattern, one behind the other, only the first is tried. */
static enum deepid_err confirm_once(const struct fpset *set, struct fpscratch *scratch, struct fprun *run)
{
	bool known = set->filter.checks[run->rule].again && run->rule == run->last + 1 && run->said != DEEPID_NOMEM;

	if (!known)
		run->said = confirm(set, scratch, run);
	run->last = run->rule;
	return run->said;
}

enum deepid_err fpset_next(const struct fpset *set, struct fpscratch *scratch, struct fprun *run)
{
	struct candidates *found = &scratch->candidates.found;

	if (run->serial == 0 || run->serial != scratch->serial || run->scratch != scratch)
		find_candidates(set, scratch, run);
	/* Where no slot is left to be taken, nothing is left to be said. */
	while (run->taken != set->slots) {
		size_t index = candidates_take(found);
		if (index == CANDIDATES_NONE)
			break;
		uint32_t bit = (UINT32_C(1) << set->slots_of[index]) & ~UINT32_C(1);
		run->next = index + 1;
		if ((run->taken & bit) != 0)
			continue;
		run->rule = index;
		enum deepid_err result = confirm_once(set, scratch, run);
		if (result == DEEPID_HIT)
			run->taken |= bit;
		if (result != DEEPID_END)
			return result;
	}
	run->next = set->count;
	return DEEPID_END;
}
