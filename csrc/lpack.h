/*
 * lpack - values of Lua as bytes, and the checksum that goes with them.
 *
 *   count of strings (4 bytes, lowest first), then one value:
 *
 *   f t          false, true
 *   i 8 bytes    integer
 *   d 8 bytes    number, IEEE 754
 *   s 4 + n      a string of n bytes, which is from now on the next one that `r` can mean
 *   r 4 bytes    the string of that number, from 1
 *   T 4 + 4      a table: so many items 1, 2, 3 ...; so many pairs of key and value
 *
 * lua/deepid/pack.lua writes it.
 */
#ifndef DEEPID_LPACK_H
#define DEEPID_LPACK_H

#include "compat.h"

/* core.unpack(bytes [, from]) -> value; from: where it begins, default 1.  Raises an error where the bytes are not of this form. */
int l_unpack(lua_State *L);

/* core.checksum(text ...) -> XXH3, 128 bits in hexadecimal, of all texts and their lengths */
int l_checksum(lua_State *L);

#endif
