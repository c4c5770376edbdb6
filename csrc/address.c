/* address - addresses as numbers; see address.h. */

#include "address.h"

#include <arpa/inet.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "eight.h"
#include "sixteen.h"

#define MAPPED (UINT64_C(0xffff) << 32)
#define IPV4_TEXT 15 /* bytes of the longest */

/* Four numbers up to 255 without leading zeros.  All four are read whatever they are, since nobody guesses how many digits the next one has. */
static bool parse_ipv4(struct address *address, const char *text, size_t length)
{
	static const uint32_t least[] = { 0, 0, 0x100, 0x10000 }; /* as digits, a byte each, by their number */
	unsigned char bytes[IPV4_TEXT + 8] = { 0 };
	uint32_t value = 0;
	bool good = true;

	if (length > IPV4_TEXT)
		return false;
	memcpy(bytes, text, length);
	struct sixteen_text kinds = sixteen_text_of(bytes);
	uint32_t second = kinds.dot & (kinds.dot - 1), third = second & (second - 1), ends = kinds.dot | UINT32_C(1) << length;
	if ((kinds.dot | kinds.digit) != (UINT32_C(1) << length) - 1 || third == 0 || (third & (third - 1)) != 0)
		return false;
	for (unsigned part = 0, at = 0; part < 4; part++, ends &= ends - 1) {
		unsigned end = lowest_bit(ends), count = (end - at) & 3;
		/* Hundreds, tens and ones, the lowest byte first: zeros in front of what is shorter. */
		uint32_t digits = (uint32_t)eight_load(bytes + at) << 8 * (3 - count) & 0x0f0f0f, number = __builtin_bswap32(digits) >> 8;
		good &= (count == end - at) & (count > 0) & (number >= least[count]) & (number <= 0x020505);
		value = value << 8 | (digits * 0x640a01 >> 16 & 0xff); /* 100, 10, 1 */
		at = end + 1;
	}
	*address = (struct address){ 0, MAPPED | value };
	return good;
}

bool address_parse(struct address *address, const char *text, size_t length)
{
	char copy[INET6_ADDRSTRLEN];
	unsigned char bytes[16];

	if (parse_ipv4(address, text, length))
		return true;
	const char *zone = memchr(text, '%', length);
	if (zone != NULL)
		length = (size_t)(zone - text);
	if (length >= sizeof copy || memchr(text, '\0', length) != NULL)
		return false;
	memcpy(copy, text, length);
	copy[length] = '\0';
	if (inet_pton(AF_INET6, copy, bytes) != 1)
		return false;
	*address = (struct address){ get_be64(bytes), get_be64(bytes + 8) };
	return true;
}

void address_format(const struct address *address, char text[ADDRESS_TEXT])
{
	unsigned char bytes[16];

	put_be64(bytes, address->high);
	put_be64(bytes + 8, address->low);
	if (address_is_ipv4(address))
		inet_ntop(AF_INET, bytes + 12, text, ADDRESS_TEXT);
	else
		inet_ntop(AF_INET6, bytes, text, ADDRESS_TEXT);
}

/* What of an address is its network's, by width: of an IPv4 address in `low`, of an IPv6 address in `high`. */
static const uint64_t ipv4[] = { UINT64_MAX, ~UINT64_C(0xff), ~UINT64_C(0xffff) };
static const uint64_t ipv6[] = { UINT64_MAX, ~UINT64_C(0xffff), ~UINT64_C(0xffffffff) };

struct address address_widen(struct address address, unsigned width)
{
	if (address_is_ipv4(&address)) {
		address.low &= ipv4[width];
	} else if (width > 0) {
		address.high &= ipv6[width];
		address.low = 0;
	}
	return address;
}

static uint64_t hash_ipv4(uint64_t low)
{
	unsigned char bytes[8];

	put_be64(bytes, low);
	return XXH3_64bits(bytes + 4, 4);
}

static uint64_t hash_ipv6(const struct address *address)
{
	unsigned char bytes[16];

	put_be64(bytes, address->high);
	put_be64(bytes + 8, address->low);
	return XXH3_64bits(bytes, sizeof bytes);
}

uint64_t address_hash(const struct address *address)
{
	return address_is_ipv4(address) ? hash_ipv4(address->low) : hash_ipv6(address);
}

struct host host_of(const struct address *address)
{
	bool is_ipv4 = address_is_ipv4(address);
	struct host host;

	for (unsigned width = 0; width < ADDRESS_WIDTHS; width++) {
		struct address *network = &host.networks[width];
		network->high = is_ipv4 ? 0 : address->high & ipv6[width];
		network->low = is_ipv4 ? address->low & ipv4[width] : width == 0 ? address->low : 0;
		host.hashes[width] = is_ipv4 ? hash_ipv4(network->low) : hash_ipv6(network);
	}
	return host;
}
