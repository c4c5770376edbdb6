/*
 * maskrun - the runs of a text: letters, digits and bytes from 0x80 on, joined by . + - _ (see mask.h); found in windows of 64 bytes.
 *
 *   bytes    mx-1.own.org ESM
 *   alnum    ++.+.+++.+++.+++
 *   joint    ..+.+...+.......      a joiner with alnum on both sides
 *   run      ++++++++++++....      as far as one of both is set
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
	size_t dots, first_dot; /* first_dot: where, from the run's start */
	size_t first;           /* the bytes before its first joint */
	bool digits, letters, joints, other_joints; /* whether it has some; other_joints: none of them dots */
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

/* What sixteen bytes from `at` on are; `*past` of them, which are to be shifted out, lie before, lest the text's end is passed. */
static inline struct sixteen_text look_at(const struct mask_run *m, size_t at, unsigned *past)
{
	const unsigned char *bytes = (const unsigned char *)m->text;

	*past = 0;
	if (m->length - at >= 16)
		return sixteen_text_of(bytes + at);
	if (m->length >= 16) {
		*past = (unsigned)(16 - (m->length - at));
		return sixteen_text_of(bytes + m->length - 16);
	}
	unsigned char padded[16] = { 0 };
	memcpy(padded, bytes + at, m->length - at);
	return sixteen_text_of(padded);
}

/* Moves the window. */
static inline void look(struct mask_run *m, size_t at)
{
	uint64_t letter = 0, digit = 0, joiner = 0, dot = 0, mark = 0;

	for (unsigned i = 0; i < MASK_WINDOW && at + i < m->length; i += 16) {
		unsigned past;
		struct sixteen_text text = look_at(m, at + i, &past);
		letter |= (uint64_t)(text.letter >> past) << i;
		digit |= (uint64_t)(text.digit >> past) << i;
		joiner |= (uint64_t)(text.joiner >> past) << i;
		dot |= (uint64_t)(text.dot >> past) << i;
		mark |= (uint64_t)(text.mark >> past) << i;
	}
	uint64_t alnum = letter | digit, joint = joiner & alnum << 1 & alnum >> 1;
	m->window = (struct mask_window){ .base = at, .alnum = alnum, .digit = digit, .dot = dot, .joint = joint, .joiner = joiner, .stop = alnum | mark,
		.odd = digit | (dot & joint) | mark | (joiner & joiner >> 1) | UINT64_C(1) << (MASK_WINDOW - 1) };
}

/* Reads the run that begins here joint by joint. */
static inline void read_long_run(const struct mask_run *m, struct run *run)
{
	size_t start = m->at, at = start, gap = 0;

	*run = (struct run){ .start = start };
	do {
		run->other_joints |= gap > 0 && m->text[at] != '.';
		at += gap;
		for (; at < m->length && MASK_IS_ALNUM(m->text[at]); at++) {
			run->digits |= MASK_IS(m->text[at], MASK_DIGIT);
			run->letters |= MASK_IS(m->text[at], MASK_LETTER);
		}
		if (run->first == 0)
			run->first = at - start;
		gap = joint(m, at);
		run->joints |= gap > 0;
		if (gap > 0 && m->text[at] == '.' && run->dots++ == 0)
			run->first_dot = at - start;
	} while (gap > 0);
	run->end = at;
}

/* The length of the run that begins at that bit of a window's runs, as far as the window shows it; 0: none does. */
static inline unsigned run_length(uint64_t runs, unsigned offset)
{
	return lowest_bit(~(runs >> offset) | UINT64_C(1) << (MASK_WINDOW - 1));
}

/* Whether the run ends there; if not, it goes on behind the window or behind several of - and _ in a row. */
static inline bool run_ends(const struct mask_window *w, unsigned offset, unsigned length)
{
	/* The last byte but tells whether a joiner before it is a joint. */
	return offset + length < MASK_WINDOW - 1 && (w->joiner >> (offset + length) & 3) != 3;
}

/* Moves the window, if need be, to show all of the run that begins here; false: it cannot. */
static inline bool bring_run(struct mask_run *m)
{
	const struct mask_window *w = &m->window;
	unsigned offset = (unsigned)(m->at - w->base);

	if (run_ends(w, offset, run_length(w->alnum | w->joint, offset)))
		return true;
	look(m, m->at);
	return run_ends(w, 0, run_length(w->alnum | w->joint, 0));
}

/* The bits that a run has in the window, its first byte lowest. */
static inline uint64_t bits_of(uint64_t class, unsigned offset, unsigned length)
{
	return class >> offset & ((UINT64_C(1) << length) - 1);
}

/* Reads the run that begins here, which the window shows. */
static inline void read_run(const struct mask_run *m, struct run *run)
{
	const struct mask_window *w = &m->window;
	unsigned offset = (unsigned)(m->at - w->base), length = run_length(w->alnum | w->joint, offset);
	uint64_t dots = bits_of(w->dot, offset, length), joints = bits_of(w->joint, offset, length);

	run->start = m->at;
	run->end = m->at + length;
	run->digits = bits_of(w->digit, offset, length) != 0;
	run->letters = bits_of(w->alnum & ~w->digit, offset, length) != 0;
	run->joints = joints != 0;
	run->other_joints = joints != dots;
	run->first = joints != 0 ? lowest_bit(joints) : length;
	run->first_dot = dots != 0 ? lowest_bit(dots) : 0;
	for (run->dots = 0; dots != 0; dots &= dots - 1)
		run->dots++;
}

#endif
