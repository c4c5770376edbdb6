/*
 * lpack - values of Lua as bytes, and the checksum that goes with them.
 *
 *   checksum of all that follows (16 bytes), count of strings, of shared tables (4 bytes each, lowest first), then one value:
 *
 *   f t          false, true
 *   i 8 bytes    integer
 *   d 8 bytes    number, IEEE 754
 *   s 4 + n      a string of n bytes, which is from now on the next one that `r` can mean
 *   r 4 bytes    the string of that number, from 1
 *   T 4 + 4      a table: so many items 1, 2, 3 ...; so many pairs of key and value
 *   S 4 + 4      the same, and from now on the next one that `v` can mean
 *   v 4 bytes    the table of that number, from 1, which is complete
 *
 * lua/deepid/pack.lua writes it.
 */
#ifndef DEEPID_LPACK_H
#define DEEPID_LPACK_H

#include "compat.h"

/*
 * core.unpack(bytes [, from]) -> value
 *
 * from: where it begins, default 1.  Raises an error where the bytes are not of this form, or not those of the checksum.
 */
int l_unpack(lua_State *L);

/* core.checksum(text ...) -> 16 bytes: XXH3 of all texts and their lengths */
int l_checksum(lua_State *L);

#endif
