/* fpset - an ordered set of fingerprint patterns over PCRE2; see fpset.h. */

#include "fpset.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

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
		if (set->rules == NULL)
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
	int number;

	/* PCRE2 takes no NULL pattern, however empty. */
	*code = pcre2_compile((PCRE2_SPTR)(length > 0 ? pattern : ""), length, options | PCRE2_NEVER_UTF | PCRE2_NEVER_UCP, &number,
	    &error->offset, set->compiler);
	if (*code != NULL)
		return DEEPID_OK;
	if (number == PCRE2_ERROR_HEAP_FAILED)
		return DEEPID_NOMEM;
	/* A message that is too long arrives cut, but ended. */
	pcre2_get_error_message(number, (PCRE2_UCHAR *)error->message, sizeof error->message);
	return DEEPID_BAD;
}

enum deepid_err fpset_add(struct fpset *set, const char *pattern, size_t length, uint32_t options, uint8_t slot, struct fperror *error)
{
	struct fprule rule = { NULL, 0, slot };

	assert(set->count < set->room && slot < DEEPID_SLOTS);
	enum deepid_err result = compile(set, pattern, length, options, &rule.code, error);
	if (result == DEEPID_NOMEM)
		return result;
	if (result == DEEPID_OK) {
		pcre2_pattern_info(rule.code, PCRE2_INFO_CAPTURECOUNT, &rule.groups);
		if (rule.groups > DEEPID_GROUPS_MAX) {
			pcre2_code_free(rule.code);
			rule.code = NULL;
			rule.groups = 0;
			error->offset = length;
			snprintf(error->message, sizeof error->message, "more than %d capture groups", DEEPID_GROUPS_MAX);
			result = DEEPID_BAD;
		} else if (set->limits.jit) {
			/* Every failure, even for want of memory, means the same: pcre2_match interprets. */
			(void)pcre2_jit_compile(rule.code, PCRE2_JIT_COMPLETE);
		}
	}
	set->rules[set->count++] = rule;
	return result;
}

size_t fpset_jitted(const struct fpset *set)
{
	size_t jitted = 0;

	for (size_t i = 0; i < set->count; i++) {
		size_t size = 0;
		if (set->rules[i].code != NULL && pcre2_pattern_info(set->rules[i].code, PCRE2_INFO_JITSIZE, &size) == 0 && size > 0)
			jitted++;
	}
	return jitted;
}

void fpset_close(struct fpset *set)
{
	for (size_t i = 0; i < set->count; i++)
		pcre2_code_free(set->rules[i].code);
	pcre2_match_context_free(set->context);
	pcre2_compile_context_free(set->compiler);
	pcre2_general_context_free(set->memory);
	if (set->rules != NULL)
		set->source.give(set->rules, set->source.data);
	memset(set, 0, sizeof *set);
}

enum deepid_err fpscratch_open(struct fpscratch *scratch, const struct fpset *set)
{
	scratch->data = pcre2_match_data_create(DEEPID_GROUPS_MAX + 1, set->memory);
	return scratch->data != NULL ? DEEPID_OK : DEEPID_NOMEM;
}

void fpscratch_close(struct fpscratch *scratch)
{
	pcre2_match_data_free(scratch->data);
	scratch->data = NULL;
}

void fprun_start(struct fprun *run, const struct fpset *set, const char *reply, size_t length)
{
	run->truncated = length > set->limits.cap;
	run->reply = length > 0 ? reply : "";
	run->length = run->truncated ? set->limits.cap : length;
	run->next = 0;
	run->taken = 0;
}

/* One pattern against the reply: PCRE2's return value. */
static int match(const struct fpset *set, struct fpscratch *scratch, const struct fprule *rule, const struct fprun *run)
{
	uint32_t options = run->truncated ? PCRE2_NOTEOL : 0;
	PCRE2_SPTR reply = (PCRE2_SPTR)run->reply;

	int rc = pcre2_match(rule->code, reply, run->length, 0, options, scratch->data, set->context);
	/* The JIT has its stack on the machine's, 32 KiB; the interpreter has set->limits.heap. */
	if (rc == PCRE2_ERROR_JIT_STACKLIMIT)
		rc = pcre2_match(rule->code, reply, run->length, 0, options | PCRE2_NO_JIT, scratch->data, set->context);
	return rc;
}

enum deepid_err fpset_next(const struct fpset *set, struct fpscratch *scratch, struct fprun *run)
{
	while (run->next < set->count) {
		size_t index = run->next++;
		const struct fprule *rule = &set->rules[index];
		uint32_t bit = rule->slot > 0 ? UINT32_C(1) << rule->slot : 0;

		if (rule->code == NULL || (run->taken & bit) != 0)
			continue;
		int rc = match(set, scratch, rule, run);
		if (rc == PCRE2_ERROR_NOMATCH)
			continue;
		run->rule = index;
		if (rc == PCRE2_ERROR_NOMEMORY)
			return DEEPID_NOMEM;
		if (rc < 0)
			return DEEPID_STUCK;
		run->taken |= bit;
		run->groups = rule->groups;
		memcpy(run->spans, pcre2_get_ovector_pointer(scratch->data), 2 * (rule->groups + 1) * sizeof run->spans[0]);
		return DEEPID_HIT;
	}
	return DEEPID_END;
}
