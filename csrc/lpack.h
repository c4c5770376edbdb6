/*
 * lpack - values of Lua out of a file (packed.h), and checksums.
 *
 *   a whole value: the count of its strings, that of its shared tables, and then
 *
 *   f t          false, true
 *   i n          integer, the lowest bit its sign
 *   d 8 bytes    number, IEEE 754, lowest byte first
 *   s n + bytes  a string of n bytes, which is from now on the next one that `r` can mean
 *   r n          the string of that number, from 1
 *   T n + n      a table: so many items 1, 2, 3 ...; so many pairs of key and value
 *   S n + n      the same, and from now on the next one that `v` can mean
 *   v n          the table of that number, from 1, which is complete
 *   p n + bytes  a part of n bytes, itself a value with both counts before it: in its stead stands its position in the file, an integer,
 *                so that it is built when it is asked for
 *
 * Each n, and each count, is written seven bits a byte, the lowest first; all but the last byte have the highest bit.
 * lua/deepid/pack.lua writes it.
 */
#ifndef DEEPID_LPACK_H
#define DEEPID_LPACK_H

#include "compat.h"

/*
 * core.packed(path, head) -> packed; nothing where there is no file that begins with the head and is whole
 * packed:value([position]) -> the part at that position; default: the value that the file is
 *
 * Where the bytes are not of this form it raises an error.
 */
int l_packed_new(lua_State *L);
void l_packed_register(lua_State *L);

/* core.checksum(text ...) -> 16 bytes: XXH3 of all texts and their lengths */
int l_checksum(lua_State *L);

/* core.checksum_files(path ...) -> the same of what these files hold; nil and a message where one cannot be read */
int l_checksum_files(lua_State *L);

#endif
