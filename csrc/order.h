/*
 * order - whether all the runs of a skeleton occur in a reply, one behind the other.
 *
 * Why it pays: a token says that a rule's rarest word is there; most rules that share it want other words, too.  To look for all of
 * them costs about 10 ns, PCRE2 some 60 to find out the same.
 */
#ifndef DEEPID_ORDER_H
#define DEEPID_ORDER_H

#include "skeleton.h"

/* order_holds - false: nothing with this skeleton matches.  Reads the `length` bytes of the reply alone; takes length * RUN_MAX steps at most. */
bool order_holds(const struct skeletons *skeletons, const struct skeleton *skeleton, const unsigned char *reply, size_t length);

#endif
