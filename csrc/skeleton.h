/*
 * skeleton - the literal text that every match of a pattern holds, in order.
 *
 *   ^220 ([-.\w]+) ESMTP Exim (\d\S*)|smtp\d+\.example      two skeletons, one a branch of the whole
 *
 *   "220 "          run, at offset 0
 *   " esmtp exim "  run, anywhere behind
 *   "smtp"          run of the other skeleton
 *   ".example"
 *
 * Bytes are folded (| 0x20), here and where they are looked for, so that letters are found in either case; some other bytes then look
 * alike, too (CR and -), which costs a vain confirmation now and then and loses nothing.
 */
#ifndef DEEPID_SKELETON_H
#define DEEPID_SKELETON_H

#include "pattern.h"

#define RUN_MAX 64 /* bytes; what is longer becomes several runs */
#define RUN_BEHIND 7 /* bytes that may be read behind a run, though nothing in them counts */

struct run {
	uint32_t at;    /* of its first byte in skeletons.bytes */
	uint8_t length; /* 1..RUN_MAX */
	bool fixed;     /* it stands at offset 0 */
};

struct skeleton {
	uint32_t first, count; /* its runs */
};

/* The skeletons of many patterns, behind each other. */
struct skeletons {
	unsigned char *bytes;
	struct run *runs;
	struct skeleton *list;
	size_t bytes_count, runs_count, count;
	size_t bytes_room, runs_room, room;
};

/* skeletons_add - appends those of one pattern, at least one.  DEEPID_OK or DEEPID_NOMEM. */
enum deepid_err skeletons_add(struct skeletons *skeletons, const struct pattern *pattern, const struct deepid_memory *memory);

/* skeletons_close - frees them; may be called on zeroed ones. */
void skeletons_close(struct skeletons *skeletons, const struct deepid_memory *memory);

#endif
