/* address - addresses as numbers; see address.h. */

#include "address.h"

#include <arpa/inet.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#define MAPPED (UINT64_C(0xffff) << 32)

/* Four numbers up to 255 without leading zeros. */
static bool parse_ipv4(struct address *address, const char *text, size_t length)
{
	uint64_t value = 0;
	size_t at = 0;

	for (int part = 0; part < 4; part++) {
		unsigned number = 0;
		size_t from = at;
		for (; at < length && at - from < 3 && text[at] >= '0' && text[at] <= '9'; at++)
			number = number * 10 + (unsigned)(text[at] - '0');
		if (at == from || number > 255 || (at - from > 1 && text[from] == '0'))
			return false;
		if (part < 3 && (at == length || text[at++] != '.'))
			return false;
		value = value << 8 | number;
	}
	*address = (struct address){ 0, MAPPED | value };
	return at == length;
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

struct address address_widen(struct address address, unsigned width)
{
	static const uint64_t ipv4[] = { UINT64_MAX, ~UINT64_C(0xff), ~UINT64_C(0xffff) };
	static const uint64_t ipv6[] = { UINT64_MAX, ~UINT64_C(0xffff), ~UINT64_C(0xffffffff) };

	if (address_is_ipv4(&address)) {
		address.low &= ipv4[width];
	} else if (width > 0) {
		address.high &= ipv6[width];
		address.low = 0;
	}
	return address;
}

uint64_t address_hash(const struct address *address)
{
	unsigned char bytes[16];

	put_be64(bytes, address->high);
	put_be64(bytes + 8, address->low);
	return address_is_ipv4(address) ? XXH3_64bits(bytes + 12, 4) : XXH3_64bits(bytes, 16);
}

struct host host_of(const struct address *address)
{
	struct host host;

	for (unsigned width = 0; width < ADDRESS_WIDTHS; width++) {
		host.networks[width] = address_widen(*address, width);
		host.hashes[width] = address_hash(&host.networks[width]);
	}
	return host;
}
