/* What is read sixteen bytes at a time out of a line, against the same read byte by byte: addresses, and the domain of a greeting. */
#define _DEFAULT_SOURCE /* inet_pton */

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "facts.h"
#include "greeting.h"
#include "tap.h"

#define TEXTS 400000

static size_t draw_below(uint64_t *random, size_t limit)
{
	return (size_t)(draw(random) % limit);
}

/* Four numbers, most of which may be an address's; one text in four has a byte changed, one in seven lost its last. */
static size_t draw_address(uint64_t *random, char *text)
{
	static const char bytes[] = "0123456789..:a- ";
	size_t length = 0;

	for (int part = 0; part < 4; part++)
		length += (size_t)sprintf(text + length, part > 0 ? ".%s%zu" : "%s%zu", draw_below(random, 40) > 0 ? "" : "0", draw_below(random, part < 3 ? 262 : 300));
	if (draw_below(random, 4) == 0)
		text[draw_below(random, length)] = bytes[draw_below(random, sizeof bytes)];
	return draw_below(random, 7) > 0 ? length : length - 1;
}

static void addresses(void)
{
	uint64_t random = 1;
	size_t good = 0;
	bool same = true;

	for (size_t i = 0; i < TEXTS && same; i++) {
		char text[64];
		unsigned char bytes[4];
		struct address address;
		size_t length = draw_address(&random, text);
		/* Each in a block of its own, so that nothing behind is read. */
		char *alone = malloc(length);
		memcpy(alone, text, length);
		text[length] = '\0';
		bool is_one = strlen(text) == length && inet_pton(AF_INET, text, bytes) == 1;
		same = address_parse(&address, alone, length) == is_one &&
		    (!is_one || (address_is_ipv4(&address) && (uint32_t)address.low == ((uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3])));
		good += is_one;
		free(alone);
	}
	tap_ok(same && good > TEXTS / 4 && good < TEXTS / 4 * 3, "an IPv4 address is read as inet_pton reads it");
}

static bool is_part(char byte)
{
	return (MASK_IS_ALNUM(byte) && (unsigned char)byte < 0x80) || byte == '.' || byte == '-' || byte == '_';
}

/* The domain byte by byte; false: it is too long. */
static bool plain_domain(char *domain, size_t *length, const char *reply, size_t size)
{
	size_t at = 4;

	*length = 0;
	while (at < size && is_part(reply[at]))
		at++;
	if (at == 4 || (at < size && strchr(" \t\n\v\f\r", reply[at]) == NULL) || memchr(reply + 4, '.', at - 4) == NULL || strchr(".-_", reply[4]) != NULL ||
	    strchr(".-_", reply[at - 1]) != NULL)
		return true;
	if (at - 4 > GREETING_KEY_MAX)
		return false;
	*length = at - 4;
	for (size_t i = 0; i < *length; i++)
		domain[i] = mask_fold(reply[4 + i]);
	return true;
}

static void domains(void)
{
	static const char bytes[] = "abyzAZMQ0199.--_", others[] = "  \r\n\t@[`{/:+,^\x80\xff\xdf";
	uint64_t random = 2;
	size_t found = 0, long_ones = 0;
	bool same = true;

	for (size_t i = 0; i < TEXTS && same; i++) {
		char reply[400] = "220 ", domain[GREETING_KEY_MAX];
		struct greeting_key key;
		size_t count = draw_below(&random, 5) > 0 ? draw_below(&random, 40) : 215 + draw_below(&random, 40), length, size = 4 + count + 1 + draw_below(&random, 20);
		for (size_t k = 4; k < sizeof reply; k++)
			reply[k] = bytes[draw_below(&random, sizeof bytes - 1)];
		reply[4 + count] = others[draw_below(&random, sizeof others - 1)];
		size -= draw_below(&random, 10) > 0 ? 0 : size - 4 - count; /* nothing behind the name */
		bool fits = plain_domain(domain, &length, reply, size);
		same = greeting_domain(&key, reply, size) == fits && key.length == length && memcmp(key.bytes, domain, length) == 0;
		found += length > 0;
		long_ones += !fits;
	}
	tap_ok(same && found > TEXTS / 10 && long_ones > 100, "a domain is what it is byte by byte");
}

/* Tokens in a text are found wherever they are, and nothing behind it is taken for one. */
static void tokens(void)
{
	bool same = true;

	for (size_t length = 1; length < 70; length++) {
		for (size_t at = 0; at < length + GREETING_SLACK; at++) {
			char text[70 + GREETING_SLACK];
			struct greeting_key key;
			memset(text, 'x', sizeof text);
			text[at] = MASK_HOST;
			greeting_masked(NULL, &key, text, length, &(struct mask_name){ "", 0 });
			same = same && key.length == (at < length ? length - 1 + 6 : length); /* <host> */
		}
	}
	tap_ok(same, "tokens are found wherever they are, and nowhere behind");
}

int main(void)
{
	addresses();
	domains();
	tokens();
	return tap_done();
}
