/*
 * record - a group as bytes, as it is in runs.
 *
 *   0  kind       1 byte     1..15
 *   1  hash       16         of the key
 *   17 form       1
 *   18 count      2          addresses in the list
 *   20 length     2          of the text; 65535: none
 *   22 list       16 each
 *      examples   4 * 16     only in forms 1 to 3, as are
 *      registers  4096 each  as many as the form says
 *      text host  16         only with a text, as is
 *      text       length
 *
 * Numbers and addresses have their most significant byte first, so records sort by their first bytes.
 */
#ifndef DEEPID_RECORD_H
#define DEEPID_RECORD_H

#include "group.h"
#include "run.h"

#define RECORD_KEY 17
#define RECORD_HEAD 22
#define RECORD_BUFFER 32768
#define RECORD_MAX \
	(RECORD_HEAD + 16 * GROUP_LIST_MAX + 16 * GROUP_EXAMPLES + ADDRESS_WIDTHS * GROUP_REGISTERS + 16 + GROUP_TEXT_MAX)

/* Where a record's list and examples lie once they are read. */
struct record_scratch {
	struct address list[GROUP_LIST_MAX];
	struct sketch sketch;
};

/* Files of such records. */
extern const struct run_form record_form;

/* record_size - the bytes of the record whose first RECORD_HEAD bytes these are, or 0 when no record begins so. */
size_t record_size(const unsigned char *bytes);

/* record_write - writes the group, at most RECORD_MAX bytes; returns how many. */
size_t record_write(unsigned char *bytes, const struct group *group);

/* record_read - the group that a whole record holds; it points into the bytes and the scratch, and must not be added to. */
void record_read(const unsigned char *bytes, struct group *group, struct record_scratch *scratch);

#endif
