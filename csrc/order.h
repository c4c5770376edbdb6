/*
 * order - whether the literal runs of a rule occur in a reply, one behind the other.
 *
 *   |len 4, fixed|220 |len 6| esmtp|0|len 8|.example|0|END|
 *    `------ one skeleton's runs ----' `- another's -'        the rule may match where one of its skeletons does
 *
 * Why it pays: a needle says that a rule's rarest text is there; it may want other words, too.  To look for all of
 * them costs some 20 ns, PCRE2 60 to find out the same.  They lie behind each other, so that a rule takes one or two lines of the cache.
 */
#ifndef DEEPID_ORDER_H
#define DEEPID_ORDER_H

#include "reply.h"
#include "skeleton.h"

#define ORDER_FIXED 0x80U /* with a run's length: it stands at offset 0 */
#define ORDER_END 0xffU   /* behind the last skeleton of a rule */

/* order_size - the bytes that these skeletons of a rule take. */
size_t order_size(const struct skeletons *skeletons, uint32_t first, uint32_t count);

/* order_write - writes them; returns the byte behind. */
unsigned char *order_write(unsigned char *order, const struct skeletons *skeletons, uint32_t first, uint32_t count);

/* order_holds - false: nothing with these skeletons matches.  Reads up to RUN_BEHIND bytes behind the order.  At most length * RUN_MAX steps a skeleton. */
bool order_holds(const unsigned char *order, const struct reply *reply);

#endif
