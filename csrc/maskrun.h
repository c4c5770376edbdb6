/*
 * maskrun - the runs of a text: letters, digits and bytes from 0x80 on, joined by . + - _ (see mask.h); sixteen bytes at a time.
 *
 *   bytes    mx-1.own.org ESM      the first is a letter or a digit, the last but looked ahead at
 *   alnum    ++.+.+++.+++.+++
 *   joints   ..+.+...+.......      a joiner with alnum on both sides
 *   run      ++++++++++++....      as far as one of both is set
 *
 * Part of mask.c, which alone includes it.
 */
#ifndef DEEPID_MASKRUN_H
#define DEEPID_MASKRUN_H

#include <string.h>

#include "mask.h"
#include "sixteen.h"

/* What a run is made of. */
struct run {
	size_t start, end;
	size_t dots, first_dot; /* first_dot: where, from the run's start */
	size_t first;           /* the bytes before its first joint */
	uint32_t digits, letters, uppers, joints, other_joints; /* not 0: it has some; other_joints: none of them dots */
};

/* The end of what may join two parts of a run: one of . + or any number of - _. */
static inline size_t joiners(const struct mask_run *m, size_t at)
{
	if (at < m->length && (m->text[at] == '.' || m->text[at] == '+'))
		return at + 1;
	while (at < m->length && (m->text[at] == '-' || m->text[at] == '_'))
		at++;
	return at;
}

/* The length of what joins two parts of a run at `at`, or 0. */
static inline size_t joint(const struct mask_run *m, size_t at)
{
	size_t end = joiners(m, at);

	return end > at && end < m->length && MASK_IS_ALNUM(m->text[end]) ? end - at : 0;
}

/* What the next sixteen bytes are; those behind the text's end are nothing. */
static inline struct sixteen_text look(const struct mask_run *m, size_t at)
{
	const unsigned char *bytes = (const unsigned char *)m->text + at;
	unsigned char padded[16] = { 0 };

	if (m->length - at < 16)
		bytes = memcpy(padded, bytes, m->length - at);
	return sixteen_text_of(bytes);
}

/* Adds what the first `count` of sixteen bytes are to the run that they go on. */
static inline void take(struct run *run, const struct sixteen_text *text, uint32_t joints, unsigned count)
{
	uint32_t taken = (UINT32_C(1) << count) - 1, dots = joints & text->dot & taken;

	joints &= taken;
	run->digits |= text->digit & taken;
	run->letters |= text->letter & taken;
	run->uppers |= text->upper & taken;
	run->joints |= joints;
	run->other_joints |= joints & ~text->dot;
	if (run->first == 0 && joints != 0)
		run->first = run->end - run->start + lowest_bit(joints);
	for (; dots != 0; dots &= dots - 1)
		if (run->dots++ == 0)
			run->first_dot = run->end - run->start + lowest_bit(dots);
	run->end += count;
}

/* How many of sixteen bytes a run has that begins or goes on with the first of them; the last is but looked ahead at. */
static inline unsigned count_run(const struct sixteen_text *text, uint32_t *joints)
{
	uint32_t alnum = text->digit | text->letter;

	*joints = text->joiner & alnum << 1 & alnum >> 1;
	return lowest_bit(~(alnum | *joints) | 1 << 15);
}

/* Reads a run on that does not end within the first sixteen bytes, or has several of - and _ in a row. */
static inline void read_long_run(const struct mask_run *m, struct run *run)
{
	for (;;) {
		struct sixteen_text text = look(m, run->end);
		uint32_t joints;
		unsigned count = count_run(&text, &joints);
		if (count == 15) {
			/* To begin anew at a letter or a digit. */
			take(run, &text, joints, 14 + (joints >> 14 & 1));
			continue;
		}
		take(run, &text, joints, count);
		size_t gap = (text.joiner >> count & 1) != 0 ? joint(m, run->end) : 0;
		if (run->first == 0)
			run->first = run->end - run->start;
		if (gap == 0)
			return;
		run->joints = run->other_joints = 1;
		run->end += gap;
	}
}

/* The run that begins at `start`. */
static inline void read_run(const struct mask_run *m, size_t start, struct run *run)
{
	struct sixteen_text text = look(m, start);
	uint32_t joints;
	unsigned count = count_run(&text, &joints);

	memset(run, 0, sizeof *run);
	run->start = run->end = start;
	if (count == 15 || (text.joiner >> count & 3) == 3) {
		read_long_run(m, run);
		return;
	}
	take(run, &text, joints, count);
	if (run->first == 0)
		run->first = count;
}

#endif
