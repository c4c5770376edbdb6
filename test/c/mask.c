/* Masking at the edge of memory: the text ends at an unreadable page, and the result has just the room that is promised. */
#define _DEFAULT_SOURCE /* MAP_ANONYMOUS */

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "mask.h"
#include "sixteen.h"
#include "tap.h"

static const char *const texts[] = { "220 mx.example.org ESMTP Exim 4.96 Tue, 24 Nov 2026 10:00:00 +0000 (Coordinated Universal Time)", "24 Nov 2026 10:00:00.123Z",
	"Tue Nov 24 10:00:00 CET 2026", "2026-11-24T10:00:00+01:00", "x [IPv6:2001:db8::192.0.2.1]", "a.example [192.0.2.1]", "id=1ab2Cd-0003ef-GH",
	"smtpd[12345]", "https://mx.example.org/a", "::1", "::ffff:1.2.3.4", "1:2:3:4:5:6:7:8", "250 localhost", "a-_-", "a.xn--p1ai", "(A1B2C3)", "10:00:00 pm",
	"Mon", "Nov 3 10:00:00" };

/* Each byte at each place of sixteen is what the table of classes says that it is. */
static void classed(void)
{
	bool same = true;

	for (unsigned at = 0; at < 16; at++) {
		for (unsigned byte = 0; byte < 256; byte++) {
			unsigned char bytes[16];
			memset(bytes, ' ', sizeof bytes);
			bytes[at] = (unsigned char)byte;
			struct sixteen_text text = sixteen_text_of(bytes);
			uint8_t class = mask_class[byte];
			uint32_t bit = UINT32_C(1) << at;
			same = same && text.digit == (class & MASK_DIGIT ? bit : 0) && text.letter == (class & MASK_LETTER ? bit : 0) &&
			    text.joiner == (class & MASK_JOINER ? bit : 0) && text.dot == (byte == '.' ? bit : 0) &&
			    text.mark == (byte == ':' || byte == '\n' ? bit : 0) && text.local == (byte == 'l' || byte == 'L' ? bit : 0);
		}
	}
	tap_ok(same, "sixteen bytes are classed as one is");
}

/* A text is masked the same wherever it begins: windows end at each of its bytes. */
static void moved(void)
{
	bool same = true;

	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		for (size_t before = 0; before <= 2 * MASK_WINDOW; before++) {
			char text[4 * MASK_WINDOW], alone[4 * MASK_WINDOW], behind[4 * MASK_WINDOW];
			size_t length = strlen(texts[i]);
			memset(text, ' ', before);
			text[before] = '\n';
			memcpy(text + before + 1, texts[i], length);
			size_t count = mask(alone, texts[i], length, MASK_TEMPLATE, NULL, 0);
			same = same && mask(behind, text, before + 1 + length, MASK_TEMPLATE, NULL, 0) == before + 1 + count && memcmp(behind + before + 1, alone, count) == 0;
		}
	}
	tap_ok(same, "a text is masked the same wherever it begins");
}

int main(void)
{
	static const struct mask_name names[] = { { "mx.example.org", 14 }, { "::1", 3 }, { "192.0.2.1", 9 }, { "", 0 } };
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	char *pages = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	bool bounded = true, shorter = false, ordered = true;

	if (pages == MAP_FAILED || mprotect(pages + page, page, PROT_NONE) != 0)
		abort();
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		for (size_t length = 0; length <= strlen(texts[i]); length++) {
			char *text = memcpy(pages + page - length, texts[i], length);
			char *out = malloc(length > 0 ? length : 1);
			if (out == NULL)
				abort();
			for (int strength = MASK_VOLATILE; strength <= MASK_TEMPLATE; strength++) {
				size_t count = mask(out, text, length, (enum mask_strength)strength, names, length % 5);
				bounded = bounded && count <= length;
				shorter = shorter || count < length;
			}
			struct mask_run run;
			size_t end = 0;
			for (mask_start(&run, text, length, names, 4); mask_next(&run); end = run.end)
				ordered = ordered && run.start >= end && run.end > run.start && run.end <= length;
			free(out);
		}
	}
	tap_ok(bounded && shorter, "every beginning of every text: within bounds");
	classed();
	moved();
	tap_ok(ordered, "spans are in order and not empty");
	return tap_done();
}
