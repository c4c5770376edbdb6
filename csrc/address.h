/*
 * address - an IPv4 or IPv6 address as one 128-bit number, and the networks that it lies in.
 *
 *   2001:db8:1:2::9    20010db8 00010002 | 00000000 00000009        high | low
 *   192.0.2.7          00000000 00000000 | 0000ffff c0000207        as ::ffff:192.0.2.7 (RFC 4291 2.5.5.2), and the same as that
 *
 *   width     0         1     2
 *   IPv4   itself     /24   /16
 *   IPv6   itself     /48   /32
 */
#ifndef DEEPID_ADDRESS_H
#define DEEPID_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define ADDRESS_TEXT 48 /* bytes of an address as text, its NUL included */
#define ADDRESS_WIDTHS 3

struct address {
	uint64_t high, low;
};

/* A host with its networks and their hashes, worked out once. */
struct host {
	struct address networks[ADDRESS_WIDTHS]; /* by width: the first is the host itself */
	uint64_t hashes[ADDRESS_WIDTHS];
};

/* address_parse - reads an address; a zone behind (fe80::1%eth0) is left out.  False: it is none. */
bool address_parse(struct address *address, const char *text, size_t length);

/* address_format - the address as text that ends in a NUL. */
void address_format(const struct address *address, char text[ADDRESS_TEXT]);

/* address_widen - the network of that width that the address lies in, as its first address. */
struct address address_widen(struct address address, unsigned width);

/*
 * address_hash - XXH3, 64 bits, of the 4 bytes of an IPv4 or the 16 of an IPv6 address.
 *
 * The same on every machine.  Of 4 bytes it is a bijection, so no two IPv4 addresses share it; two of n IPv6 addresses do with a
 * probability of n * n / 2^65.
 */
uint64_t address_hash(const struct address *address);

/* host_of - all that of an address. */
struct host host_of(const struct address *address);

static inline bool address_is_ipv4(const struct address *address)
{
	return address->high == 0 && address->low >> 32 == 0xffff;
}

/* Below, at or above 0 when a is before, the same as or behind b. */
static inline int address_compare(const struct address *a, const struct address *b)
{
	if (a->high != b->high)
		return a->high < b->high ? -1 : 1;
	return (a->low > b->low) - (a->low < b->low);
}

/* A number whose first byte in memory is its highest, and back. */
static inline uint64_t big_endian(uint64_t value)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	return value;
#else
	return __builtin_bswap64(value);
#endif
}

static inline void put_be64(unsigned char *bytes, uint64_t value)
{
	value = big_endian(value);
	memcpy(bytes, &value, sizeof value);
}

static inline uint64_t get_be64(const unsigned char *bytes)
{
	uint64_t value;

	memcpy(&value, bytes, sizeof value);
	return big_endian(value);
}

#endif
