/*
 * What the filter reads out of patterns, by tables: the literal text of each, the texts that it wants, whether there is a program for it;
 * and which replies it is then tried on.
 */
#define _POSIX_C_SOURCE 200809L

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fpset.h"
#include "skeleton.h"
#include "tap.h"

#define I PCRE2_CASELESS
#define M PCRE2_MULTILINE
#define S PCRE2_DOTALL

struct pattern_case {
	const char *pattern;
	uint32_t options;
	const char *want;
};

/* --- Skeletons --- */

/*
 * `want`: the runs, each behind a blank or, at offset 0, behind "^"; "|" between skeletons; "?" for a blank byte.
 */
static const struct pattern_case skeleton_cases[] = {
	{ "^220 foo", 0, "^220?foo" },
	{ "220 FOO", 0, " 220?foo" },
	{ "^220 foo", M, " 220?foo" },
	{ "\\A220", M, "^220" },
	{ "ab.cd", 0, " ab cd" },
	{ "ab?cd", 0, " cd" },
	{ "abx*cd", 0, " ab cd" },
	{ "abx+cd", 0, " abx cd" },
	{ "ab(?:cd)ef(gh)", 0, " abcdefgh" },
	{ "ab(cd)+ef", 0, " abcd ef" },
	{ "ab(cd)*ef", 0, " ab ef" },
	{ "ab(cd|ef)gh", 0, " ab gh" },
	{ "ab|cd", 0, " ab| cd" },
	{ "ab|", 0, " ab|" },
	{ "^(?:ab|cd)ef", 0, " ef" },
	{ "^(?:ab |cd\\s)ef", 0, " ef" },
	{ " (?:ab )?ef", 0, " ef" },
	{ "x(?:ab )?ef(?: | ?)gh", 0, " ef gh" },
	{ "a{3}b", 0, " aaab" },
	{ "a{2,}b{0}cd", 0, " aa cd" },
	{ "ab{x}cd{,", 0, " ab[x]cd[," },
	{ "ab{,2}cd", 0, "" },
	{ "a\\.b\\r\\n\\x43\\x{44}e\\e", 0, " a.b-*cde;" },
	{ "\\Qa.b*\\Ec+", 0, " a.b*c" },
	{ "\\Qab", 0, " ab" },
	{ "[.]a[Bb]c[^d]ef[ ]gh", 0, " .abc ef?gh" },
	{ "[ \\t]abc", 0, " abc" },
	{ "\\s+abcd", 0, " abcd" },
	{ "[]a]bc[^]d]ef", 0, " bc ef" },
	{ "[a\\]]bc[[:alpha:]]de[\\d-]fg", 0, " bc de fg" },
	{ "(?=abc)de(?!fg)hi(?<=jk)lm(?<!no)pq", 0, " dehilmpq" },
	{ "(?i)ab(?-i)CD(?s:.)ef", 0, " abcd ef" },
	{ "(?x:a b)c d", 0, " abc?d" },
	{ "(a(?x) b)c d", 0, " abc?d" },
	{ "(?x) a b # c\n d (?#e) f", 0, " abdf" },
	{ "(?<name>ab)(?'n'cd)(?P<m>ef)(?>gh)(?|ij)", 0, " abcdefghij" },
	{ "(ab)cd\\1ef", 0, " abcd ef" },
	{ "ab(?R)?cd", 0, "" },
	{ "(*COMMIT)ab", 0, "" },
	{ "ab(?(1)cd)ef", 0, "" },
	{ "ab\\12cd", 0, "" },
	{ "a\\bbc\\Bde\\Kf$", 0, " abcdef" },
	{ "ab(", 0, "" },
	{ "ab(?i:c|d)ef", 0, " ab ef" },
	{ "", 0, "" },
};

/* Folded, a brace and a bracket are the same; the tables have brackets. */
static void write_folded(FILE *out, int byte)
{
	fputc(byte == ' ' ? '?' : byte == '{' ? '[' : byte == '}' ? ']' : byte, out);
}

static void write_skeletons(FILE *out, const struct skeletons *skeletons)
{
	for (size_t s = 0; s < skeletons->count; s++) {
		if (s > 0)
			fputc('|', out);
		for (uint32_t r = 0; r < skeletons->list[s].count; r++) {
			const struct run *run = &skeletons->runs[skeletons->list[s].first + r];
			fputc(run->fixed ? '^' : ' ', out);
			for (unsigned i = 0; i < run->length; i++) {
				write_folded(out, skeletons->bytes[run->at + i]);
			}
		}
	}
}

/* Whether what was read out of a pattern is what the table wants. */
static void compare_texts(const char *what, const char *pattern, const char *got, const char *want)
{
	char name[100];

	snprintf(name, sizeof name, "%s of %s", what, pattern);
	for (char *newline = name; (newline = strchr(newline, '\n')) != NULL;)
		*newline = ' ';
	if (!tap_ok(strcmp(got, want) == 0, name))
		printf("# got `%s`, want `%s`\n", got, want);
}

static void skeletons_are_as_told(void)
{
	struct pattern pattern = { .nodes = NULL };

	for (size_t i = 0; i < sizeof skeleton_cases / sizeof skeleton_cases[0]; i++) {
		const struct pattern_case *test = &skeleton_cases[i];
		struct skeletons skeletons = { .bytes = NULL };
		char *got;
		size_t written;
		FILE *out = open_memstream(&got, &written);
		if (pattern_parse(&pattern, test->pattern, strlen(test->pattern), test->options, &deepid_malloc) != DEEPID_OK
		    || skeletons_add(&skeletons, &pattern, &deepid_malloc) != DEEPID_OK)
			abort();
		write_skeletons(out, &skeletons);
		fclose(out);
		compare_texts("skeleton", test->pattern, got, test->want);
		free(got);
		skeletons_close(&skeletons, &deepid_malloc);
	}
	pattern_close(&pattern, &deepid_malloc);
}

/* --- What patterns want --- */

/* `want`: the choices, each behind a blank, its texts with "," between; "|" between branches; "?" for a blank byte. */
static const struct pattern_case wanted_cases[] = {
	{ "^220 foo", 0, " 220?foo" },
	{ "foo bar", 0, " foo?bar" },
	{ "foo", 0, "" },
	{ "listed", 0, "" },
	{ "wildduck", 0, " wildduck" },
	{ "WILD", I, " wild" },
	{ "[zone/|Wild", 0, "" },
	{ "\\[zone/|Wild", 0, " [zone/| wild" },
	{ " abc\\d def", 0, " ?abc ?def" },
	{ " abc.? def", 0, " ?abc ?def" },
	{ " abcx? def", 0, " ?abc ?abc?def,?abcx?def" },
	{ " abcx* def", 0, " ?abc ?def" },
	{ " abcx+ def", 0, " ?abcx ?def" },
	{ " gr[ea]y-?list", 0, " ?gray,?grey ?graylist,?greylist,?gray-list,?grey-list" },
	{ "( cat| dog) (food|toys)", 0, " ?cat,?dog ?cat?,?dog? ?cat?food,?dog?food,?cat?toys,?dog?toys" },
	{ "( cat|.)( food)", 0, " ?food" },
	{ "( cat|dog)?( food)", 0, " ?food" },
	{ "( cat)+ food", 0, " ?cat ?food" },
	{ "( cat){0} food", 0, " ?food" },
	{ "( cat| a dog| vixen|q)", 0, "" },
	{ "(?:very (?: cat| dog)|a bird)s", 0, " very??cat,very??dog,a?bird very??cats,very??dogs,a?birds" },
	{ "(?= cat).* food", 0, " ?cat ?food" },
	{ "(?=.*(?: cat| dog))[ab]", 0, " ?cat,?dog" },
	{ "(?:(?= cat).| dog)", 0, " ?cat,?dog" },
	{ "(?= cat)?.* food", 0, " ?food" },
	{ "(?! cat)(?<= dog)(?<! cow).* food", 0, " ?food" },
	{ " cat(?<n> dog)\\1 food", 0, " ?cat?dog ?food" },
	{ " cat$^ dog", M, " ?cat?dog" },
	{ "0123456789abcdef xyz", 0, " 89abcdef?xyz" },
	{ "v123456789012345678901234", 0, " v123456789012345" },
	{ " [a-z]abc", 0, "" },
	{ " [a-h]abc", 0, " ?aabc,?babc,?cabc,?dabc,?eabc,?fabc,?gabc,?habc" },
	{ " [ab][ab][ab][ab][ab]ab", 0, " ?aaa,?baa,?aba,?bba,?aab,?bab,?abb,?bbb ?aaaa,?baaa,?abaa,?bbaa,?aaba,?baba,?abba,?bbba,?aaab,?baab,?abab,?bbab,?aabb,?babb,?abbb,?bbbb" },
	{ "(*COMMIT) food", 0, "" },
	{ "", 0, "" },
};

static void write_wanted(FILE *out, const struct wanted *wanted)
{
	for (size_t b = 0; b < wanted->branches_count; b++) {
		if (b > 0)
			fputc('|', out);
		for (uint32_t c = 0; c < wanted->branches[b].count; c++) {
			const struct span *choice = &wanted->choices[wanted->branches[b].first + c];
			for (uint32_t t = 0; t < choice->count; t++) {
				const struct text *text = &wanted->texts[choice->first + t];
				fputc(t == 0 ? ' ' : ',', out);
				for (unsigned i = 0; i < text->length; i++)
					write_folded(out, text->bytes[i]);
			}
		}
	}
}

static void texts_are_as_told(void)
{
	struct pattern pattern = { .nodes = NULL };

	for (size_t i = 0; i < sizeof wanted_cases / sizeof wanted_cases[0]; i++) {
		const struct pattern_case *test = &wanted_cases[i];
		struct wanted wanted = { .texts = NULL };
		char *got;
		size_t written;
		FILE *out = open_memstream(&got, &written);
		if (pattern_parse(&pattern, test->pattern, strlen(test->pattern), test->options, &deepid_malloc) != DEEPID_OK
		    || wanted_add(&wanted, &pattern, &deepid_malloc) != DEEPID_OK)
			abort();
		write_wanted(out, &wanted);
		fclose(out);
		compare_texts("texts", test->pattern, got, test->want);
		free(got);
		wanted_close(&wanted, &deepid_malloc);
	}
	pattern_close(&pattern, &deepid_malloc);
}

/* --- Programs --- */

static const struct {
	const char *pattern;
	uint32_t options;
	bool plain;
} plain_cases[] = { { "^220 ([-.\\w]+) ESMTP (?:Exim|exim4)? (\\d\\S*)\\b.*?\\r\\n$", 0, true }, { "\\A[^x]{2,300}(a|(b)|)++", 0, false },
	{ "^a(b|c)??\\z", I, true }, { "^(?i:a)(?s).\\Z", S, true }, { "(?:^a|^b)", 0, true }, { "a", 0, false }, { "(?:^a|b)", 0, false }, { "^a", M, false },
	{ "\\Aa$", M, false }, { "^(?:ab)+", 0, false }, { "^(?:ab){0}", 0, false }, { "^a(?=b)", 0, false }, { "^(?>a)", 0, false }, { "^(a)\\1", 0, false },
	{ "^\\Ka", 0, false }, { "^(?<n>a)", 0, false }, { "^(?|a)", 0, false }, { "^\\h", 0, false }, { "^(?U)a*", 0, false }, { "^a{3,2}", 0, false } };

static void programs_are_of_plain_patterns(void)
{
	struct pattern pattern = { .nodes = NULL };
	struct directs directs;
	struct direct direct;

	if (directs_open(&directs, &deepid_malloc) != DEEPID_OK)
		abort();
	for (size_t i = 0; i < sizeof plain_cases / sizeof plain_cases[0]; i++) {
		const char *text = plain_cases[i].pattern;
		char name[100];
		if (pattern_parse(&pattern, text, strlen(text), plain_cases[i].options, &deepid_malloc) != DEEPID_OK
		    || directs_add(&directs, &pattern, &direct, &deepid_malloc) != DEEPID_OK)
			abort();
		snprintf(name, sizeof name, "%s is %splain", text, plain_cases[i].plain ? "" : "not ");
		tap_ok(direct.is_plain == plain_cases[i].plain, name);
	}
	directs_close(&directs, &deepid_malloc);
	pattern_close(&pattern, &deepid_malloc);
}

/* --- Candidates --- */

static const struct {
	const char *pattern, *reply;
	bool is_candidate;
} candidate_cases[] = {
	{ "^220 .* mail server", "220 mx mail server", true },
	{ "^220 .* mail server", "220 mx MAIL Server", true }, /* bytes are folded */
	{ "^220 .* mail server", "220 mx mail serve", false },
	{ "^220 .* mail server", "220 mx male server", false },
	{ "^[45]\\d\\d .* mail server", "220 mx mail server", false }, /* it begins otherwise */
	{ "^[45]\\d\\d .* mail server", "450 mx mail server", true },
	{ "xyzzy", "220 myxyzzyna", true },
	{ "xyzzy", "220 myxyzy", false },
	{ "x(?:yzzy|ylophone)", "a xylophone", true },
	{ "x(?:yzzy|ylophone)", "a xylofon", false },
	{ "^220 (?=.*(?:zone-mta|wildduck)).*r", "220 mx ready wildduck", true },
	{ "^220 (?=.*(?:zone-mta|wildduck)).*r", "220 mx ready", false },
	{ "^220 q", "220 q", true }, /* no text: by its first bytes */
	{ "^220 q", "220 p", false },
	{ " food", " food", true },
	{ " food", " foo", false },
	{ " food", "", false },
};

static void candidates_are_as_told(void)
{
	for (size_t i = 0; i < sizeof candidate_cases / sizeof candidate_cases[0]; i++) {
		const char *pattern = candidate_cases[i].pattern, *reply = candidate_cases[i].reply;
		struct filter_scratch scratch;
		struct filter filter;
		char name[100];
		if (filter_open(&filter, 1, FILTER_ALL, &deepid_malloc) != DEEPID_OK)
			abort();
		filter_add(&filter, pattern, strlen(pattern), 0);
		if (filter_build(&filter, &deepid_malloc) != DEEPID_OK || filter_scratch_open(&scratch, &filter, 100, &deepid_malloc) != DEEPID_OK)
			abort();
		filter_find(&filter, &scratch, (const unsigned char *)reply, strlen(reply));
		snprintf(name, sizeof name, "%s is %stried on '%s'", pattern, candidate_cases[i].is_candidate ? "" : "not ", reply);
		tap_ok((candidates_take(&scratch.found) == 0) == candidate_cases[i].is_candidate, name);
		filter_scratch_close(&scratch, &deepid_malloc);
		filter_close(&filter, &deepid_malloc);
	}
}

int main(void)
{
	skeletons_are_as_told();
	texts_are_as_told();
	programs_are_of_plain_patterns();
	candidates_are_as_told();
	return tap_done();
}
