/*
 * group - who shares one key: distinct hosts and networks, counted exactly while they are few, and a few of them by name.
 *
 *   form   width 0: hosts    width 1: /24, /48   width 2: /16, /32      examples
 *   0      list              (from the list)     (from the list)        (from the list)
 *   1      registers         list                (from the list)        kept
 *   2      registers         registers           list                   kept
 *   3      registers         registers           registers              kept
 *
 * A list holds up to GROUP_LIST_MAX addresses of one width, in order; those of a wider width follow from it.  The form is the first
 * whose list suffices: it depends on the set of hosts alone, whatever the order in which they came and however the group was put
 * together.  Registers are those of HyperLogLog (Flajolet et al. 2007) over *all* hosts, since the list is poured into them when it
 * overflows.  So a group is a function of its set, and group_join(A, B) is the group of the union.
 *
 * Examples are the GROUP_EXAMPLES hosts of the lowest hash.  The example text is that of the host with the lowest hash among those that
 * came with a text, the smallest by bytes where it came with several; cut to GROUP_TEXT_MAX bytes before anything is compared.
 */
#ifndef DEEPID_GROUP_H
#define DEEPID_GROUP_H

#include "address.h"
#include "pool.h"

#define GROUP_LIST_MAX 256
#define GROUP_INDEX_BITS 12
#define GROUP_REGISTERS (1 << GROUP_INDEX_BITS) /* a standard error of 1.04 / 64 = 1.6% */
#define GROUP_RANK_MAX (64 - GROUP_INDEX_BITS + 1)
#define GROUP_EXAMPLES 4
#define GROUP_TEXT_MAX 240 /* bytes */
#define GROUP_NO_TEXT UINT16_MAX

/* What a group is about; ordered by kind, then hash. */
struct group_key {
	uint64_t high, low; /* 128 bits of XXH3 of the key's bytes */
	uint8_t kind;
};

/* What a group of form 1 and above keeps beside its list. */
struct sketch {
	struct address examples[GROUP_EXAMPLES]; /* in the order of their hashes */
	uint64_t hashes[GROUP_EXAMPLES];
	const uint8_t *registers[ADDRESS_WIDTHS]; /* those below the group's form */
};

struct group {
	struct group_key key;
	uint8_t form;         /* 0..ADDRESS_WIDTHS */
	uint16_t count, room; /* of the list: in use, and taken */
	uint16_t text_length; /* bytes, or GROUP_NO_TEXT */
	struct address *list; /* of width `form`, in order; NULL while empty, and in form 3 */
	struct sketch *sketch; /* NULL in form 0 */
	const char *text;
	struct address text_host;
	uint64_t text_hash; /* of the text's host */
};

/* group_init - a group without hosts. */
void group_init(struct group *group, struct group_key key);

/*
 * group_add - one more host, with a text or NULL.
 *
 * False: the pool has no memory left.  Part of it may have been added then, and nothing else; adding it again to this group or to another
 * that is joined with it makes it whole.  Adding what is there changes nothing.
 */
bool group_add(struct group *group, struct pool *pool, const struct host *host, const char *text, size_t length);

/* group_fetch - asks for the memory that adding this host will touch; nothing else. */
void group_fetch(const struct group *group, const struct host *host);

/* group_join - adds all that `other` has; false as for group_add. */
bool group_join(struct group *group, struct pool *pool, const struct group *other);

/* group_count - the distinct networks of a width; a good guess, not below GROUP_LIST_MAX + 1, once they are too many for a list. */
uint64_t group_count(const struct group *group, unsigned width);

/* group_examples - up to GROUP_EXAMPLES of its hosts, those of the lowest hash in their order; returns how many. */
size_t group_examples(const struct group *group, struct address examples[GROUP_EXAMPLES]);

/* group_place - which register a hash belongs to, and its rank there: where its first 1 is among the bits behind the index. */
void group_place(uint64_t hash, size_t *index, uint8_t *rank);

static inline int group_key_compare(const struct group_key *a, const struct group_key *b)
{
	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	if (a->high != b->high)
		return a->high < b->high ? -1 : 1;
	return (a->low > b->low) - (a->low < b->low);
}

#endif
