/* greeting - what a lone greeting shows; see greeting.h. */

#include "greeting.h"

#include <string.h>

#include "sixteen.h"

#define IS_ALNUM(byte) (MASK_IS(byte, MASK_DIGIT | MASK_LETTER) && ((unsigned char)(byte)) < 0x80)

/* --- The line --- */

static int hex_value(char byte)
{
	if (byte >= '0' && byte <= '9')
		return byte - '0';
	byte = mask_fold(byte);
	return byte >= 'a' && byte <= 'f' ? byte - 'a' + 10 : -1;
}

/* Undoes escapes; false: one of them is none. */
static bool unescape(char *out, const char *text, size_t length, size_t *written)
{
	static const char letters[] = "rnt\\", bytes[] = "\r\n\t\\";
	const char *end = text + length, *from = text, *at;
	char *to = out;

	while ((at = memchr(from, '\\', (size_t)(end - from))) != NULL) {
		memcpy(to, from, (size_t)(at - from));
		to += at - from;
		if (end - at < 2)
			return false;
		const char *known = at[1] != '\0' ? strchr(letters, at[1]) : NULL;
		if (known != NULL) {
			*to++ = bytes[known - letters];
			from = at + 2;
		} else if (at[1] == 'x' && end - at >= 4 && hex_value(at[2]) >= 0 && hex_value(at[3]) >= 0) {
			*to++ = (char)(hex_value(at[2]) << 4 | hex_value(at[3]));
			from = at + 4;
		} else {
			return false;
		}
	}
	memcpy(to, from, (size_t)(end - from));
	*written = (size_t)(to - out) + (size_t)(end - from);
	return true;
}

size_t greeting_reply(char *reply, const char *text, size_t length)
{
	size_t most = length == GREETING_TEXT_MAX ? 3 : 0, written = 0, cut = 0;

	/* The last escape of a line that was cut may be cut, too. */
	while (cut <= most && !unescape(reply, text, length - cut, &written))
		cut++;
	if (cut > most) {
		memcpy(reply, text, length);
		written = length;
	}
	if (written == 0 || reply[written - 1] != '\n') {
		reply[written++] = '\r';
		reply[written++] = '\n';
	}
	return written;
}

/* --- The domain --- */

static bool is_blank(char byte)
{
	return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

bool greeting_domain(struct greeting_key *key, const char *reply, size_t length)
{
	unsigned char beyond[16]; /* what is too long for a key */
	uint32_t dots = 0;
	size_t at = 4;

	key->length = 0;
	if (length < 5 || reply[0] != '2' || !MASK_IS(reply[1], MASK_DIGIT) || !MASK_IS(reply[2], MASK_DIGIT) || (reply[3] != ' ' && reply[3] != '-'))
		return true;
	/* A name with a dot that begins and ends with a letter or a digit. */
	for (unsigned parts = 16; parts == 16 && at < length; at += parts) {
		unsigned char *lower = at - 4 < GREETING_KEY_MAX ? (unsigned char *)key->bytes + at - 4 : beyond;
		struct sixteen_domain domain = sixteen_domain_of(lower, (const unsigned char *)reply + at);
		size_t left = length - at < 16 ? length - at : 16;
		parts = lowest_bit(~(domain.part & ((UINT32_C(1) << left) - 1)));
		dots |= domain.dot & ((UINT32_C(1) << parts) - 1);
	}
	if ((at < length && !is_blank(reply[at])) || dots == 0 || !IS_ALNUM(reply[4]) || !IS_ALNUM(reply[at - 1]))
		return true;
	if (at - 4 > GREETING_KEY_MAX)
		return false;
	key->length = at - 4;
	return true;
}

/* --- Masked keys --- */

/* A key that is being written; what is beyond its end is left out.  Up to GREETING_SLACK bytes behind both are touched. */
static void append(struct greeting_key *key, const char *bytes, size_t length)
{
	size_t room = GREETING_KEY_MAX - key->length;

	if (length > room)
		length = room;
	for (size_t i = 0; i < length; i += 16)
		memcpy(key->bytes + key->length + i, bytes + i, 16);
	key->length += length;
}

static void append_word(struct greeting_key *key, char token)
{
	const struct mask_word *word = &mask_words[(unsigned char)token];

	append(key, word->bytes, word->length);
}

static bool is_full(const struct greeting_key *key)
{
	return key->length == GREETING_KEY_MAX;
}

/* The same, and whoever sends the bytes of tokens gets their words. */
static void append_tokens(struct greeting_key *key, const char *bytes, size_t length)
{
	size_t from = 0;

	for (size_t i = 0; i < length && !is_full(key); i++) {
		if (!MASK_IS(bytes[i], MASK_TOKEN))
			continue;
		append(key, bytes + from, i - from);
		append_word(key, bytes[i]);
		from = i + 1;
	}
	append(key, bytes + from, length - from);
}

/* Whether a text may have the bytes of tokens: no honest one does. */
static bool has_tokens(const char *text, size_t length)
{
	uint32_t found = 0;
	size_t at = 0;

	for (; length - at >= 16; at += 16)
		found |= sixteen_up_to((const unsigned char *)text + at, MASK_ADDRESS);
	return (found | (sixteen_up_to((const unsigned char *)text + at, MASK_ADDRESS) & ((UINT32_C(1) << (length - at)) - 1))) != 0;
}

/* A key that is written along with the masking of a text. */
struct writer {
	struct greeting_key *key;
	enum mask_strength strength;
	size_t from; /* what of the text has been written */
};

/* Both keys in one pass over the text. */
static void mask_keys(struct greeting_key *whole, struct greeting_key *template, const char *text, size_t length, const struct mask_name *address)
{
	void (*write)(struct greeting_key *, const char *, size_t) = has_tokens(text, length) ? append_tokens : append;
	struct writer writers[2], *end = writers;
	struct mask_run run;
	bool more = true;

	if (whole != NULL)
		*end++ = (struct writer){ whole, MASK_VOLATILE, 0 };
	if (template != NULL)
		*end++ = (struct writer){ template, MASK_TEMPLATE, 0 };
	for (struct writer *writer = writers; writer < end; writer++)
		writer->key->length = 0;
	mask_start(&run, text, length, address, 1);
	while (more && mask_next(&run)) {
		more = false;
		for (struct writer *writer = writers; writer < end; writer++) {
			if (run.strength <= writer->strength) {
				write(writer->key, text + writer->from, run.start - writer->from);
				append_word(writer->key, run.token);
				writer->from = run.end;
			}
			more = more || !is_full(writer->key);
		}
	}
	for (struct writer *writer = writers; writer < end; writer++)
		write(writer->key, text + writer->from, length - writer->from);
}

void greeting_masked(struct greeting_key *whole, struct greeting_key *template, const char *reply, size_t length, const struct mask_name *address)
{
	mask_keys(whole, template, reply, length < GREETING_MASKED ? length : GREETING_MASKED, address);
}

/* The end of four numbers with dots between, whatever their size, that begin at `at`; or 0. */
static size_t four_numbers(const char *text, size_t length, size_t at)
{
	for (int part = 0; part < 4; part++) {
		size_t from = at;
		while (at < length && MASK_IS(text[at], MASK_DIGIT))
			at++;
		if (at == from || (part < 3 && (at == length || text[at++] != '.')))
			return 0;
	}
	return at;
}

/* Writes `<address>` for each row of four numbers, `room` bytes at most; returns how many. */
static size_t hide_addresses(char *out, size_t room, const char *text, size_t length)
{
	static const char word[] = "<address>";
	size_t written = 0;

	for (size_t at = 0; at < length && written < room;) {
		size_t end = MASK_IS(text[at], MASK_DIGIT) ? four_numbers(text, length, at) : 0;
		if (end > 0) {
			size_t size = room - written < sizeof word - 1 ? room - written : sizeof word - 1;
			memcpy(out + written, word, size);
			written += size;
			at = end;
			continue;
		}
		/* No row begins further on in the same number. */
		do
			out[written++] = text[at++];
		while (at < length && written < room && MASK_IS(text[at - 1], MASK_DIGIT) && MASK_IS(text[at], MASK_DIGIT));
	}
	return written;
}

static bool has_code(const char *reply, size_t length, const char *codes)
{
	if (length < 3)
		return false;
	for (; codes[0] != '\0'; codes += codes[3] == ' ' ? 4 : 3)
		if (memcmp(reply, codes, 3) == 0)
			return true;
	return false;
}

void greeting_notice(struct greeting_key *key, const char *reply, size_t length, const struct mask_name *address, const char *codes)
{
	char text[GREETING_MASKED + GREETING_SLACK];

	key->length = 0;
	if (!has_code(reply, length, codes))
		return;
	size_t size = hide_addresses(text, GREETING_MASKED, reply, length < GREETING_MASKED ? length : GREETING_MASKED);
	mask_keys(key, NULL, text, size, address);
	while (key->length > 0 && is_blank(key->bytes[key->length - 1]))
		key->length--;
}

/* --- All of it --- */

bool greeting_read(struct greeting *greeting, const char *text, size_t length, const struct mask_name *address, const struct greeting_form *form)
{
	struct greeting_key *keys = greeting->keys;

	greeting->length = greeting_reply(greeting->reply, text, length);
	if (form->kinds[GREETING_DOMAIN] != 0 && !greeting_domain(&keys[GREETING_DOMAIN], greeting->reply, greeting->length))
		return false;
	if (form->kinds[GREETING_NOTICE] != 0)
		greeting_notice(&keys[GREETING_NOTICE], greeting->reply, greeting->length, address, form->codes);
	struct greeting_key *whole = form->kinds[GREETING_WHOLE] != 0 ? &keys[GREETING_WHOLE] : NULL;
	struct greeting_key *template = form->kinds[GREETING_TEMPLATE] != 0 ? &keys[GREETING_TEMPLATE] : NULL;
	if (whole != NULL || template != NULL)
		greeting_masked(whole, template, greeting->reply, greeting->length, address);
	return true;
}

enum deepid_err greeting_add(const struct greeting *greeting, struct survey *survey, const struct address *address, const struct greeting_form *form)
{
	enum deepid_err result = DEEPID_OK;
	struct host host = host_of(address);

	for (int kind = 0; kind < GREETING_KINDS && result == DEEPID_OK; kind++) {
		const struct greeting_key *key = &greeting->keys[kind];
		if (form->kinds[kind] != 0 && key->length > 0)
			result = survey_add_soon(survey, &host, form->kinds[kind], key->bytes, key->length, key->bytes, key->length);
	}
	return result;
}
