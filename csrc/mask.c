/* mask - replaces what varies in a reply by tokens; see mask.h. */

#include "mask.h"

#include <string.h>

#include "maskrun.h"

#define COUNT(table) (sizeof(table) / sizeof(table)[0])

#define DG (MASK_DIGIT | MASK_HEX)
#define UX (MASK_LETTER | MASK_UPPER | MASK_HEX)
#define UP (MASK_LETTER | MASK_UPPER)
#define LX (MASK_LETTER | MASK_HEX)
#define LO MASK_LETTER
#define JQ (MASK_JOINER | MASK_QUIET)
#define TIMES16(class) class, class, class, class, class, class, class, class, class, class, class, class, class, class, class, class

const uint8_t mask_class[256] = {
	[MASK_DATE] = MASK_TOKEN, [MASK_ID] = MASK_TOKEN, [MASK_NUMBER] = MASK_TOKEN,
	[MASK_CLIENT] = MASK_TOKEN, [MASK_HOST] = MASK_TOKEN, [MASK_ADDRESS] = MASK_TOKEN,
	[' '] = MASK_QUIET, ['#'] = MASK_QUIET, ['('] = MASK_QUIET, ['/'] = MASK_QUIET, [':'] = MASK_QUIET, ['='] = MASK_QUIET,
	['+'] = MASK_JOINER, ['-'] = JQ, ['.'] = MASK_JOINER, ['_'] = MASK_JOINER,
	['0'] = DG, DG, DG, DG, DG, DG, DG, DG, DG, DG,
	['A'] = UX, UX, UX, UX, UX, UX, UP, UP, UP, UP, UP, UP, UP, UP, UP, UP, UP, UP, UP, UP, UP, UP, UP, UP, UP, UP,
	['a'] = LX, LX, LX, LX, LX, LX, LO, LO, LO, LO, LO, LO, LO, LO, LO, LO, LO, LO, LO, LO, LO, LO, LO, LO, LO, LO,
	[128] = TIMES16(LO), TIMES16(LO), TIMES16(LO), TIMES16(LO), TIMES16(LO), TIMES16(LO), TIMES16(LO), TIMES16(LO),
};

#define WORD(text) { text, sizeof text - 1 }
const struct mask_word mask_words[7] = { [MASK_DATE] = WORD("<date>"), [MASK_ID] = WORD("<id>"), [MASK_NUMBER] = WORD("<number>"),
	[MASK_CLIENT] = WORD("<client>"), [MASK_HOST] = WORD("<host>"), [MASK_ADDRESS] = WORD("<address>") };

/* A number behind one of these is a pid or a counter. */
static const char *const number_words[] = { "pid", "qp", "id", "sid", "session", "process", "seq", "ticket", "connection" };

/* Four numbers behind one of these are an address, though it may have a capital letter; behind `version_words` a version. */
static const char *const address_words[] = { "ip", "ips", "ipv4", "address", "addresses", "host", "client", "server", "peer", "sender",
	"source", "network", "relay", "from", "to", "by", "at", "for", "of", "on", "is", "your", "the", "see" };
static const char *const version_words[] = { "version", "ver", "v", "release", "build" };

#define PART (MASK_DIGIT | MASK_LETTER | MASK_TOKEN) /* of a longer row; a token stands for some */
#define IPV6_MAX 47 /* bytes of the longest IPv6 address, and a colon and a dot behind it */

bool mask_word_in(const char *bytes, size_t length, const char *const *words, size_t count)
{
	char first = length > 0 ? mask_fold(bytes[0]) : '\0';

	for (size_t i = 0; length > 0 && i < count; i++) {
		size_t k = 1;
		if (words[i][0] != first)
			continue;
		while (k < length && words[i][k] != '\0' && mask_fold(bytes[k]) == words[i][k])
			k++;
		if (k == length && words[i][k] == '\0')
			return true;
	}
	return false;
}

/* The end of the longest of the client's names that begins at `at`, or 0. */
static size_t client_at(const struct mask_run *m, size_t at)
{
	size_t longest = 0;

	for (size_t i = 0; i < m->count; i++) {
		const struct mask_name *name = &m->names[i];
		size_t k = 0;
		if (name->length <= longest || name->length > m->length - at || !MASK_IS_ALNUM(name->bytes[name->length - 1]))
			continue;
		while (k < name->length && mask_fold(m->text[at + k]) == mask_fold(name->bytes[k]))
			k++;
		if (k < name->length)
			continue;
		/* Not in the middle of a run, be its rest masked already. */
		size_t next = joiners(m, at + name->length);
		if (!(next < m->length && MASK_IS(m->text[next], PART)))
			longest = name->length;
	}
	return longest > 0 ? at + longest : 0;
}

/* The end of the IPv6 address that begins at `at`, or 0. */
static size_t ipv6_at(const struct mask_run *m, size_t at)
{
	size_t end = at;

	while (end < m->length && (MASK_IS(m->text[end], MASK_HEX) || m->text[end] == ':' || m->text[end] == '.'))
		if (++end - at > IPV6_MAX)
			return 0;
	while (end > at && (m->text[end - 1] == '.' || (m->text[end - 1] == ':' && !(end - at > 1 && m->text[end - 2] == ':'))))
		end--;
	size_t next = end;
	while (next < m->length && (m->text[next] == ':' || MASK_IS(m->text[next], MASK_JOINER)))
		next++;
	if (next < m->length && MASK_IS(m->text[next], PART))
		return 0;
	return mask_ipv6(m->text + at, end - at) ? end : 0;
}

/* Whether the run at `at` goes on a row of short hexadecimal numbers, such as 1:2:3, that was found to be no address. */
static bool goes_on(const struct mask_run *m, size_t at)
{
	if (m->word_end == 0 || m->word_end + 1 != at || m->text[m->word_end] != ':' || m->word_end - m->word > 4)
		return false;
	for (size_t i = m->word; i < m->word_end; i++)
		if (!MASK_IS(m->text[i], MASK_HEX))
			return false;
	return true;
}

/* Where the bracket before an address in brackets is ([192.0.2.1], [IPv6:2001:db8::1]); none: SIZE_MAX. */
static size_t bracket_of(const struct mask_run *m, size_t start, size_t end)
{
	static const char *const tag[] = { "ipv6:" };

	if (end >= m->length || m->text[end] != ']')
		return SIZE_MAX;
	if (start >= 6 && mask_word_in(m->text + start - 5, 5, tag, 1))
		start -= 5;
	return start > 0 && m->text[start - 1] == '[' ? start - 1 : SIZE_MAX;
}

/* Whether ` [ADDRESS]` follows. */
static bool literal_follows(const struct mask_run *m, size_t at)
{
	static const char *const tag[] = { "ipv6:" };
	size_t end;

	if (m->length - at < 4 || m->text[at] != ' ' || m->text[at + 1] != '[')
		return false;
	at += 2;
	if (m->length - at > 5 && mask_word_in(m->text + at, 5, tag, 1))
		at += 5;
	for (end = at; end < m->length && (MASK_IS(m->text[end], MASK_HEX) || m->text[end] == ':' || m->text[end] == '.');)
		end++;
	if (end == m->length || m->text[end] != ']')
		return false;
	return mask_ipv4(m->text + at, end - at) || mask_ipv6(m->text + at, end - at);
}

/* Whether the word before the number at `at`, if one counts, is in the list. */
static bool behind(struct mask_run *m, size_t at, const char *const *words, size_t count)
{
	for (size_t i = m->word_end; m->word_end > 0 && i < at; i++)
		if (!MASK_IS(m->text[i], MASK_QUIET))
			m->word_end = 0;
	return m->word_end > 0 && mask_word_in(m->text + m->word, m->word_end - m->word, words, count);
}

static bool found(struct mask_run *m, size_t start, size_t end, char token, enum mask_strength strength)
{
	m->start = start;
	m->end = end;
	m->token = token;
	m->strength = strength;
	m->at = end;
	m->word_end = 0;
	return true;
}

/* An address: the client's in brackets, but for the place of the server's own name. */
static bool found_address(struct mask_run *m, size_t start, size_t end)
{
	size_t bracket = bracket_of(m, start, end);

	if (bracket != SIZE_MAX && bracket != m->own)
		return found(m, start, end, MASK_CLIENT, MASK_VOLATILE);
	return found(m, start, end, MASK_ADDRESS, MASK_TEMPLATE);
}

/* Whether a word makes four numbers behind it a version: it has a capital letter, or is a version itself. */
static bool counts(const char *word, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (MASK_IS(word[i], MASK_UPPER))
			return true;
	return MASK_IS(word[0], MASK_DIGIT) && memchr(word, '.', length) != NULL;
}

/* Whether four numbers are a version and no address. */
static bool is_version(struct mask_run *m, const struct run *run)
{
	if (bracket_of(m, run->start, run->end) != SIZE_MAX || behind(m, run->start, address_words, COUNT(address_words)) || m->word_end == 0)
		return false;
	return counts(m->text + m->word, m->word_end - m->word) || behind(m, run->start, version_words, COUNT(version_words));
}

/* Whether the run stands alone in ( ), [ ] or < >. */
static bool enclosed(const struct mask_run *m, const struct run *run)
{
	if (run->start == 0 || run->end == m->length)
		return false;
	char open = m->text[run->start - 1], shut = m->text[run->end];
	return (open == '(' && shut == ')') || (open == '[' && shut == ']') || (open == '<' && shut == '>');
}

/* What a run of digits alone is; true when it is masked. */
static bool judge_digits(struct mask_run *m, const struct run *run)
{
	static const char *const size[] = { "size" };
	const char *bytes = m->text + run->start;
	size_t length = run->end - run->start;
	bool closed = enclosed(m, run);

	if (closed && bytes[-1] == '[' && run->start >= 2 && MASK_IS_ALNUM(bytes[-2]))
		return found(m, run->start, run->end, MASK_NUMBER, MASK_VOLATILE);
	if (behind(m, run->start, number_words, COUNT(number_words)) || (length >= 9 && !behind(m, run->start, size, 1)))
		return found(m, run->start, run->end, MASK_NUMBER, MASK_VOLATILE);
	bool day = length == 8 && (memcmp(bytes, "19", 2) == 0 || memcmp(bytes, "20", 2) == 0);
	if (closed && length >= 6 && !day)
		return found(m, run->start, run->end, MASK_ID, MASK_VOLATILE);
	return false;
}

/* Whether what is behind the last dot is the end of a file's name. */
static bool is_no_domain(const char *bytes, size_t length)
{
	if (length > 3)
		return false;
	uint32_t three = MASK_THREE((unsigned char)bytes[0], (unsigned char)bytes[1], length == 3 ? (unsigned char)bytes[2] : ' ') | 0x202020;
	return three == MASK_THREE('e', 'x', 'e') || three == MASK_THREE('d', 'l', 'l') || three == MASK_THREE('j', 'a', 'r') || three == MASK_THREE('j', 's', ' ');
}

/* Whether there are three digits in a row, as in 163.com. */
static bool has_three_digits(const char *bytes, size_t length)
{
	size_t digits = 0;

	for (size_t i = 0; i < length && digits < 3; i++)
		digits = MASK_IS(bytes[i], MASK_DIGIT) ? digits + 1 : 0;
	return digits == 3;
}

/* Whether a run with a dot is a host name. */
static bool is_host(const char *bytes, const struct run *run)
{
	const char *last = bytes + run->last_dot + 1;
	size_t length = run->end - run->start, left = length - run->last_dot - 1;

	/* Most versions end here. */
	if (left < 2 || !MASK_IS(last[0], MASK_LETTER) || is_no_domain(last, left))
		return false;
	/* Without a letter before the last label it is a version such as 4.2.beta. */
	if ((run->names == 0 && !has_three_digits(bytes, run->last_dot)) || (run->other_joints != 0 && memchr(bytes, '+', length) != NULL))
		return false;
	return run->tail == 0 || (left > 4 && mask_fold(last[0]) == 'x' && mask_fold(last[1]) == 'n' && memcmp(last + 2, "--", 2) == 0);
}

/* What a run of several labels is. */
static bool judge_labels(struct mask_run *m, const struct run *run)
{
	const char *bytes = m->text + run->start;
	size_t length = run->end - run->start, last = length;

	bool path = run->start >= 2 && bytes[-1] == '/' && bytes[-2] != '/';
	if (!path && is_host(bytes, run)) {
		bool client = run->start != m->own && literal_follows(m, run->end);
		return found(m, run->start, run->end, client ? MASK_CLIENT : MASK_HOST, client ? MASK_VOLATILE : MASK_TEMPLATE);
	}
	if (!run->letters && !run->other_joints) {
		if (run->first_dot >= 9)
			return found(m, run->start, run->end, MASK_NUMBER, MASK_VOLATILE);
		return run->last_dot - run->first_dot >= 4 && mask_ipv4(bytes, length) && !is_version(m, run) && found_address(m, run->start, run->end);
	}
	/* Google's: l10si2344234wrt.123 */
	while (MASK_IS(bytes[last - 1], MASK_DIGIT))
		last--;
	if (last < length && bytes[last - 1] == '.' && mask_is_id(bytes, run->first_dot))
		return found(m, run->start, run->end, MASK_ID, MASK_VOLATILE);
	return false;
}

static bool may_be_client(const struct mask_run *m, char first)
{
	return (m->firsts[(unsigned char)first >> 6 & 1] >> ((unsigned char)first & 63) & 1) != 0;
}

/* Notes the last of the words that begin at these bits of the window. */
static void note_words(struct mask_run *m, uint64_t words)
{
	if (words == 0)
		return;
	unsigned last = highest_bit(words);
	uint64_t others = words & ~(UINT64_C(1) << last);
	size_t word = m->window.base + last, before = m->word_end > 0 ? m->word : word;
	m->before = others != 0 ? m->window.base + highest_bit(others) : before;
	m->word = word;
	m->word_end = word + run_length(&m->window, last);
}

/* Goes on to the next in the window that may have to be masked; false: to the window's end. */
static bool skip_words(struct mask_run *m)
{
	const struct mask_window *w = &m->window;
	/* What was masked may end within a run: then the rest of it is one, too. */
	uint64_t left = UINT64_MAX << (m->at - w->base), alnum = w->alnum & left, words = (w->starts & left) | (alnum & -alnum);

	for (uint64_t odd = (w->odd & left) | (words & ~w->starts); odd != 0; odd &= odd - 1) {
		unsigned at = lowest_bit(odd);
		uint64_t begun = words & ((UINT64_C(2) << at) - 1);
		unsigned run = begun != 0 ? highest_bit(begun) : 0;
		if (begun != 0 && run + run_length(w, run) >= at)
			begun &= ~(UINT64_C(1) << (at = run));
		else if ((w->mark >> at & 1) == 0)
			continue;
		note_words(m, begun);
		m->at = w->base + at;
		return true;
	}
	note_words(m, words);
	m->at = w->base + MASK_WINDOW;
	return false;
}

static bool found_date(struct mask_run *m, size_t at)
{
	size_t end = mask_date(m->text, m->length, at);

	return end > 0 && found(m, at, end, MASK_DATE, MASK_VOLATILE);
}

/* Whether a date begins with one of the words before this number: with the name of a day or of a month. */
static bool found_named_date(struct mask_run *m)
{
	if (m->word_end == 0 || !mask_begins_name(m->text + m->word))
		return false;
	return (mask_begins_name(m->text + m->before) && found_date(m, m->before)) || found_date(m, m->word);
}

/* Whether the run is two numbers or the like, which no date begins with, and most versions are. */
static bool is_short_version(const struct run *run)
{
	return run->first_dot > 0 && run->first_dot == run->last_dot && run->other_joints == 0;
}

/* What a run is; true when it is masked, else it is the word before the next. */
static bool judge(struct mask_run *m, const struct run *run)
{
	static const char *const local[] = { "localhost" };
	size_t at = run->start, length = run->end - at, end;
	bool number = MASK_IS(m->text[at], MASK_DIGIT);

	if (number && found_named_date(m))
		return true;
	if (may_be_client(m, m->text[at]) && (end = client_at(m, at)) > 0)
		return found(m, at, end, MASK_CLIENT, MASK_VOLATILE);
	if (run->end < m->length && m->text[run->end] == ':' && length <= 4 && !goes_on(m, at) && (end = ipv6_at(m, at)) > 0)
		return found_address(m, at, end);
	if (number && !is_short_version(run) && found_date(m, at))
		return true;
	if (run->first_dot > 0) {
		if (judge_labels(m, run))
			return true;
	} else if (!run->letters && !run->joints) {
		if (judge_digits(m, run))
			return true;
	} else if (run->digits) {
		bool short_id = length >= 6 && enclosed(m, run) && !run->joints && mask_is_short_id(m->text + at, length);
		if (short_id || mask_is_id(m->text + at, length))
			return found(m, at, run->end, MASK_ID, MASK_VOLATILE);
	} else if (length == 9 && mask_word_in(m->text + at, length, local, 1)) {
		return found(m, at, run->end, MASK_HOST, MASK_TEMPLATE);
	}
	m->before = m->word_end > 0 ? m->word : at;
	m->word = at;
	m->word_end = m->at = run->end;
	return false;
}

/* The same of the run that begins here. */
static bool judge_here(struct mask_run *m)
{
	struct run run;

	read_run(m, &run);
	return judge(m, &run);
}

/* At the start of a line: over its reply code, if it has one. */
static void start_line(struct mask_run *m)
{
	const char *line = m->text + m->at;
	size_t left = m->length - m->at;

	m->word_end = 0;
	m->own = SIZE_MAX;
	if (left < 3 || !MASK_IS(line[0], MASK_DIGIT) || !MASK_IS(line[1], MASK_DIGIT) || !MASK_IS(line[2], MASK_DIGIT))
		return;
	if (left > 3 && !((line[3] == ' ') | (line[3] == '-') | (line[3] == '\r') | (line[3] == '\n')))
		return;
	m->at += 3;
	m->own = m->at + 1;
}

void mask_start(struct mask_run *m, const char *text, size_t length, const struct mask_name *names, size_t count)
{
	m->text = length > 0 ? text : "";
	m->length = length;
	m->names = names;
	m->count = count;
	m->at = 0;
	m->any_word = false;
	m->firsts[0] = m->firsts[1] = 0;
	for (size_t i = 0; i < count; i++) {
		unsigned char first = names[i].length > 0 ? (unsigned char)names[i].bytes[0] : 0;
		m->firsts[first >> 6 & 1] |= UINT64_C(1) << (first & 63);
		m->any_word = m->any_word || MASK_IS(first, MASK_LETTER);
		if (MASK_IS(first, MASK_LETTER))
			m->firsts[1] |= UINT64_C(1) << ((first ^ 0x20) & 63);
	}
	start_line(m);
	look(m, m->at);
}

/* What begins with a newline or a colon; true when it is masked. */
static bool judge_mark(struct mask_run *m)
{
	size_t at = m->at, end;

	if (m->text[at] == ':' && at + 2 < m->length && m->text[at + 1] == ':' && MASK_IS(m->text[at + 2], MASK_HEX) &&
	    !(at > 0 && MASK_IS(m->text[at - 1], PART))) {
		if ((end = client_at(m, at)) > 0)
			return found(m, at, end, MASK_CLIENT, MASK_VOLATILE);
		if ((end = ipv6_at(m, at)) > 0)
			return found_address(m, at, end);
	}
	m->at++;
	if (m->text[at] == '\n')
		start_line(m);
	return false;
}

bool mask_next(struct mask_run *m)
{
	while (m->at < m->length) {
		if (m->at - m->window.base >= MASK_WINDOW)
			look(m, m->at);
		if (skip_words(m) && ((m->window.mark >> (m->at - m->window.base) & 1) == 0 ? judge_here(m) : judge_mark(m)))
			return true;
	}
	return false;
}

size_t mask(char *out, const char *text, size_t length, enum mask_strength strength, const struct mask_name *names, size_t count)
{
	struct mask_run run;
	size_t written = 0, from = 0;

	mask_start(&run, text, length, names, count);
	while (mask_next(&run)) {
		if (run.strength > strength)
			continue;
		memcpy(out + written, run.text + from, run.start - from);
		written += run.start - from;
		out[written++] = run.token;
		from = run.end;
	}
	memcpy(out + written, run.text + from, length - from);
	return written + length - from;
}
