/*
 * maskrun - the runs of a text: letters, digits and bytes from 0x80 on, joined by . + - _ (see mask.h); found in windows of 64 bytes.
 *
 *   bytes    mx-1.own.org ESM
 *   alnum    ++.+.+++.+++.+++
 *   joint    ..+.+...+.......      a joiner with alnum on both sides
 *   run      ++++++++++++.+++      as far as one of both is set
 *   starts   +............+..      the first byte of each run
 *
 * A run that does not end in the window has the window moved to where it begins; one longer than that is read step by step.
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
	size_t first_dot, last_dot; /* where, from the run's start; 0: it has none */
	/* Not 0: it has some. */
	uint64_t digits, letters, joints;
	uint64_t other_joints; /* joints, none of them dots */
	uint64_t names, tail;  /* letters before the last dot; digits and joints behind it */
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

/* Moves the window so that it shows what begins at `at`; near the end of the text it may begin before. */
static inline void look(struct mask_run *m, size_t at)
{
	unsigned char padded[16] = { 0 };
	const unsigned char *bytes = (const unsigned char *)m->text;
	size_t base = m->length - at >= 16 ? at : m->length >= 16 ? m->length - 16 : 0, last = 0;
	uint64_t alnum = 0, digit = 0, joiner = 0, dot = 0, mark = 0, local = 0;

	if (m->length < 16)
		bytes = memcpy(padded, bytes, m->length);
	else
		last = m->length - base - 16;
	bytes += base;
	/* What is looked at twice, at the end, is the same both times. */
	for (size_t i = 0; i < MASK_WINDOW; i += 16) {
		size_t from = i < last ? i : last;
		struct sixteen_text text = sixteen_text_of(bytes + from);
		alnum |= (uint64_t)(text.letter | text.digit) << from;
		digit |= (uint64_t)text.digit << from;
		joiner |= (uint64_t)text.joiner << from;
		dot |= (uint64_t)text.dot << from;
		mark |= (uint64_t)text.mark << from;
		local |= (uint64_t)text.local << from;
	}
	uint64_t joint = joiner & alnum << 1 & alnum >> 1, run = alnum | joint, starts = run & ~(run << 1);
	m->window = (struct mask_window){ .base = base, .alnum = alnum, .digit = digit, .dot = dot, .joint = joint, .joiner = joiner, .mark = mark, .starts = starts,
		.odd = digit | (dot & joint) | mark | (joiner & joiner >> 1) | (starts & local) | (m->any_word ? starts : 0) | UINT64_C(1) << (MASK_WINDOW - 1) };
}

/* Reads the run that begins here joint by joint. */
static inline void read_long_run(const struct mask_run *m, struct run *run)
{
	size_t start = m->at, at = start, gap = 0;

	*run = (struct run){ .start = start };
	do {
		if (gap > 0 && m->text[at] == '.') {
			run->first_dot = run->first_dot > 0 ? run->first_dot : at - start;
			run->last_dot = at - start;
			run->names = run->letters;
			run->tail = 0;
		} else if (gap > 0) {
			run->other_joints = run->tail = 1;
		}
		for (at += gap; at < m->length && MASK_IS_ALNUM(m->text[at]); at++) {
			if (MASK_IS(m->text[at], MASK_DIGIT))
				run->digits = run->tail = 1;
			else
				run->letters = 1;
		}
		gap = joint(m, at);
		run->joints |= gap > 0;
	} while (gap > 0);
	run->end = at;
}

/* The length of the run that begins at that bit of the window, as far as this shows it. */
static inline unsigned run_length(const struct mask_window *w, unsigned offset)
{
	return lowest_bit(~((w->alnum | w->joint) >> offset) | UINT64_C(1) << (MASK_WINDOW - 1));
}

/* Whether the run ends there; if not, it goes on behind the window or behind several of - and _ in a row. */
static inline bool run_ends(const struct mask_window *w, unsigned offset, unsigned length)
{
	/* The last byte but tells whether a joiner before it is a joint. */
	return offset + length < MASK_WINDOW - 1 && (w->joiner >> (offset + length) & 3) != 3;
}

/* Reads the run that begins here. */
static inline void read_run(struct mask_run *m, struct run *run)
{
	const struct mask_window *w = &m->window;
	unsigned offset = (unsigned)(m->at - w->base), length = run_length(w, offset);

	if (!run_ends(w, offset, length)) {
		look(m, m->at);
		offset = (unsigned)(m->at - w->base);
		length = run_length(w, offset);
		if (!run_ends(w, offset, length)) {
			read_long_run(m, run);
			return;
		}
	}
	uint64_t all = (UINT64_C(1) << length) - 1, digits = w->digit >> offset & all, joints = w->joint >> offset & all, dots = w->dot >> offset & joints;
	*run = (struct run){ .start = m->at, .end = m->at + length, .digits = digits, .letters = all & ~(digits | joints), .joints = joints, .other_joints = joints & ~dots };
	if (dots != 0) {
		run->first_dot = lowest_bit(dots);
		run->last_dot = highest_bit(dots);
		run->names = run->letters & ((UINT64_C(1) << run->last_dot) - 1);
		run->tail = (digits | joints) >> run->last_dot >> 1;
	}
}

#endif
