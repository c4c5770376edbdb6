/*
 * frozen - a set as bytes, and a set from them: to build one from its patterns takes ten times as long.
 *
 *   count | each rule: length, options, slot, text | each rule: groups, flags
 *   | count | links | count | each rule without a needle: its number, first bytes | size | orders | count | classes | count | hops
 *
 * The bytes mean something to this machine and to this very core alone: whoever keeps them must see to that.  Of other bytes most are refused.
 * What is not, says something else of a reply, but neither leaves its memory nor runs for longer.
 */
#ifndef DEEPID_FROZEN_H
#define DEEPID_FROZEN_H

#include "fpset.h"

struct frozen {
	unsigned char *bytes; /* owned */
	size_t length, room;
};

/*
 * fpset_freeze - the bytes of a set with all stages of the filter, into a zeroed `frozen`.
 *
 * DEEPID_OK, DEEPID_NOMEM, or DEEPID_BAD: one of its patterns does not compile, or a stage is switched off.
 */
enum deepid_err fpset_freeze(const struct fpset *set, struct frozen *frozen, const struct deepid_memory *memory);

/* frozen_close - frees the bytes. */
void frozen_close(struct frozen *frozen, const struct deepid_memory *memory);

/*
 * fpset_thaw - the set that was frozen, in place of fpset_open, fpset_add and fpset_build; its limits are the usual ones.
 *
 * DEEPID_OK, DEEPID_NOMEM, or DEEPID_BAD: these are no such bytes.  fpset_close may follow any, and must.
 */
enum deepid_err fpset_thaw(struct fpset *set, const unsigned char *bytes, size_t length, const struct deepid_memory *memory);

#endif
