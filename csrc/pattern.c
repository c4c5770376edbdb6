/* pattern - the form of PCRE2 patterns; see pattern.h, and pcre2pattern(3) for the syntax. */

#include "pattern.h"

#include <string.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "grow.h"
#include "reader.h"
#include "sixteen.h"

struct parser {
	struct reader reader;
	struct pattern *pattern;
	const struct deepid_memory *memory;
	bool nomem;
	uint32_t last; /* the node of this branch that a quantifier would repeat */
	uint32_t tail; /* the node of this branch that the next one follows: its branch, while it has none */
};

/* --- Nodes --- */

static uint32_t new_node(struct parser *parser, enum pattern_kind kind)
{
	struct pattern *pattern = parser->pattern;

	void *nodes = grow_room(pattern->nodes, pattern->count, 1, &pattern->room, sizeof *pattern->nodes, parser->memory);
	if (nodes == NULL) {
		parser->nomem = parser->reader.failed = true;
		return 0;
	}
	pattern->nodes = nodes;
	pattern->nodes[pattern->count] = (struct pattern_node){ .kind = kind, .min = 1, .max = 1, .first = PATTERN_NONE, .next = PATTERN_NONE };
	return (uint32_t)pattern->count++;
}

/* A node at the end of this branch. */
static void append(struct parser *parser, uint32_t node)
{
	struct pattern_node *tail = &parser->pattern->nodes[parser->tail];

	if (tail->kind == PATTERN_BRANCH)
		tail->first = node;
	else
		tail->next = node;
	parser->tail = parser->last = node;
}

static void append_kind(struct parser *parser, enum pattern_kind kind, char letter)
{
	uint32_t node = new_node(parser, kind);

	if (parser->reader.failed)
		return;
	parser->pattern->nodes[node].letter = letter;
	append(parser, node);
}

static int16_t folded_byte(const struct byteset *set)
{
	int16_t folded = -1;

	for (unsigned i = 0; i < 4; i++) {
		uint64_t half = byteset_fold(set, i);
		if (half == 0)
			continue;
		if (folded >= 0 || (half & (half - 1)) != 0)
			return -1;
		folded = (int16_t)(64 * i + lowest_bit(half));
	}
	return folded;
}

/* `folded`: the byte that all of the set are when they are folded, or -1. */
static void append_byte(struct parser *parser, const struct byteset *set, int16_t folded)
{
	uint32_t node = new_node(parser, PATTERN_BYTE);

	if (parser->reader.failed)
		return;
	parser->pattern->nodes[node].set = *set;
	parser->pattern->nodes[node].folded = folded;
	append(parser, node);
}

static void append_set(struct parser *parser, const struct byteset *set)
{
	append_byte(parser, set, folded_byte(set));
}

static void append_literal(struct parser *parser, unsigned byte)
{
	struct byteset set = { { 0 } };

	reader_literal(&parser->reader, &set, byte);
	append_byte(parser, &set, (int16_t)(byte | FOLD));
}

/* --- Quantifiers --- */

static bool read_number(struct reader *reader, uint32_t *value)
{
	const unsigned char *start = reader->at;

	for (*value = 0; reader->at < reader->end && *reader->at >= '0' && *reader->at <= '9' && *value <= 65535; reader->at++)
		*value = *value * 10 + (uint32_t)(*reader->at - '0');
	return reader->at > start;
}

/* {n}, {n,} or {n,m}; false, and nothing read: the brace is a brace.  What newer versions of PCRE2 read otherwise is not understood. */
static bool read_braces(struct reader *reader, uint32_t *min, uint32_t *max)
{
	const unsigned char *start = reader->at;

	reader->at++;
	if (read_number(reader, min)) {
		*max = *min;
		if (reader_take(reader, ',') && !read_number(reader, max))
			*max = PATTERN_FOREVER;
		if (reader_take(reader, '}'))
			return true;
	}
	for (; reader->at < reader->end && strchr("0123456789, \t", *reader->at) != NULL && *reader->at != '\0'; reader->at++)
		;
	if (reader_has(reader, 0, '}') && reader->at > start + 1)
		reader->failed = true;
	reader->at = start;
	return false;
}

/* Takes a quantifier, if one comes next, onto the last node. */
static bool read_quantifier(struct parser *parser)
{
	struct reader *reader = &parser->reader;
	uint32_t min = 0, max = PATTERN_FOREVER;

	if (reader_has(reader, 0, '{')) {
		if (!read_braces(reader, &min, &max))
			return false;
	} else if (reader_take(reader, '+')) {
		min = 1;
	} else if (reader_take(reader, '?')) {
		max = 1;
	} else if (!reader_take(reader, '*')) {
		return false;
	}
	enum pattern_greed greed = reader_take(reader, '?') ? PATTERN_LAZY : reader_take(reader, '+') ? PATTERN_POSSESSIVE : PATTERN_GREEDY;
	if (parser->last == PATTERN_NONE) {
		reader->failed = true;
		return true;
	}
	struct pattern_node *node = &parser->pattern->nodes[parser->last];
	node->min = min;
	node->max = max;
	node->greed = greed;
	parser->last = PATTERN_NONE;
	return true;
}

/* --- Escapes and groups --- */

static void read_quoted(struct parser *parser)
{
	struct reader *reader = &parser->reader;

	/* Empty, it is nothing between an item and its quantifier. */
	if (reader_has(reader, 0, '\\') && reader_has(reader, 1, 'E'))
		reader->failed = true;
	while (reader->at < reader->end && !reader->failed) {
		if (reader_has(reader, 0, '\\') && reader_has(reader, 1, 'E')) {
			reader->at += 2;
			return;
		}
		append_literal(parser, *reader->at++);
	}
}

/* \1 to \9; with more digits it may be a byte in octal. */
static bool is_reference(const struct reader *reader)
{
	size_t left = (size_t)(reader->end - reader->at);

	return left > 0 && reader->at[0] >= '1' && reader->at[0] <= '9' && (left == 1 || reader->at[1] < '0' || reader->at[1] > '9');
}

static void read_backslash(struct parser *parser)
{
	struct reader *reader = &parser->reader;
	struct byteset set = { { 0 } };

	/* PCRE2 believes that \S holds none of \h and \v, and so never goes back from it, though \xa0 and \x85 are of both. */
	if (reader->at < reader->end && strchr("hHvV", *reader->at) != NULL)
		parser->pattern->plain = false;
	if (reader_escape(reader, &set, false)) {
		append_set(parser, &set);
	} else if (reader_take(reader, 'Q')) {
		read_quoted(parser);
	} else if (reader_take(reader, 'A')) {
		append_kind(parser, PATTERN_START, 'A');
	} else if (reader_take(reader, 'N') && !reader_has(reader, 0, '{')) {
		byteset_add(&set, '\n');
		byteset_invert(&set);
		append_set(parser, &set);
	} else if (reader_has(reader, 0, 'z') || reader_has(reader, 0, 'Z')) {
		append_kind(parser, PATTERN_END, (char)*reader->at++);
	} else if (reader_has(reader, 0, 'b') || reader_has(reader, 0, 'B')) {
		append_kind(parser, PATTERN_EMPTY, (char)*reader->at++);
	} else if (reader_take(reader, 'G') || reader_take(reader, 'K')) {
		parser->pattern->plain = false;
		append_kind(parser, PATTERN_EMPTY, '\0');
	} else if (is_reference(reader)) {
		reader->at++;
		parser->pattern->plain = false;
		append_kind(parser, PATTERN_OPAQUE, '\0');
	} else {
		reader->failed = true; /* references by name, properties, control characters, what does not exist */
	}
}

/* The letters between (? and ) or : - false: they are no flags. */
static bool read_flags(struct reader *reader, bool *plain)
{
	uint32_t on = 0, off = 0, *letters = &on;

	if (reader_take(reader, '^'))
		reader->options &= ~(uint32_t)(PCRE2_CASELESS | PCRE2_MULTILINE | PCRE2_DOTALL | PCRE2_EXTENDED);
	for (; reader->at < reader->end; reader->at++) {
		switch (*reader->at) {
		case 'i': *letters |= PCRE2_CASELESS; break;
		case 'm': *letters |= PCRE2_MULTILINE; break;
		case 's': *letters |= PCRE2_DOTALL; break;
		case 'x':
			*letters |= PCRE2_EXTENDED;
			if (reader_has(reader, 1, 'x'))
				return false; /* blanks count in no class, either: not understood */
			break;
		case 'n': case 'J': case 'U':
			*plain = false;
			break;
		case '-':
			letters = &off;
			break;
		default:
			reader->options = (reader->options & ~off) | (on & ~(off & on));
			return *reader->at == ')' || *reader->at == ':';
		}
	}
	return false;
}

/* What comes behind (? of a group that captures by name, up to its name's end. */
static bool skip_name(struct reader *reader)
{
	int close = '>';

	if (reader_take(reader, '\''))
		close = '\'';
	else if (!reader_take(reader, '<'))
		return false;
	const unsigned char *name = reader->at;
	while (reader->at < reader->end && *reader->at != close && *reader->at != '*')
		reader->at++;
	return reader->at > name && reader_take(reader, close);
}

enum opening { OPENS_CAPTURE, OPENS_GROUP, OPENS_SPECIAL, OPENS_AHEAD, OPENS_LOOK, IS_FLAGS, IS_UNKNOWN };

/* What comes behind an opening parenthesis. */
static enum opening read_opening(struct reader *reader, bool *plain)
{
	if (reader_has(reader, 0, '*'))
		return IS_UNKNOWN;
	if (!reader_take(reader, '?'))
		return OPENS_CAPTURE;
	if (reader_take(reader, '='))
		return OPENS_AHEAD;
	if (reader_take(reader, '!'))
		return OPENS_LOOK;
	if (reader_has(reader, 0, '<') && (reader_has(reader, 1, '=') || reader_has(reader, 1, '!'))) {
		reader->at += 2;
		return OPENS_LOOK;
	}
	if (reader_take(reader, '>') || reader_take(reader, '|'))
		return OPENS_SPECIAL;
	if (reader_has(reader, 0, 'P') && reader_has(reader, 1, '<'))
		reader->at++;
	if (reader_has(reader, 0, '<') || reader_has(reader, 0, '\'')) {
		*plain = false; /* PCRE2 refuses a name that is there twice */
		return skip_name(reader) ? OPENS_CAPTURE : IS_UNKNOWN;
	}
	if (!read_flags(reader, plain))
		return IS_UNKNOWN;
	return *reader->at++ == ')' ? IS_FLAGS : OPENS_GROUP;
}

static uint32_t read_alternatives(struct parser *parser, unsigned depth);

static void read_parenthesis(struct parser *parser, unsigned depth)
{
	struct reader *reader = &parser->reader;
	uint32_t outer = reader->options, tail = parser->tail;
	enum opening opening = read_opening(reader, &parser->pattern->plain);

	if (opening == IS_FLAGS) {
		parser->last = PATTERN_NONE;
		return; /* they hold until the enclosing group ends */
	}
	if (opening == IS_UNKNOWN || depth == PATTERN_DEPTH) {
		reader->failed = true;
		return;
	}
	if (opening == OPENS_SPECIAL || opening == OPENS_AHEAD || opening == OPENS_LOOK)
		parser->pattern->plain = false;
	uint32_t capture = opening == OPENS_CAPTURE ? ++parser->pattern->captures : 0;
	uint32_t group = read_alternatives(parser, depth + 1);
	if (!reader_take(reader, ')'))
		reader->failed = true;
	if (reader->failed)
		return;
	parser->pattern->nodes[group].capture = capture;
	reader->options = outer;
	parser->tail = tail;
	if (opening == OPENS_AHEAD || opening == OPENS_LOOK)
		parser->pattern->nodes[group].kind = PATTERN_EMPTY;
	if (opening == OPENS_AHEAD)
		parser->pattern->nodes[group].letter = '=';
	append(parser, group);
}

/* --- The whole --- */

/* Skips what stands for nothing: (?#...), and in extended mode blanks and #... */
static bool skip_comment(struct reader *reader)
{
	if (reader_has(reader, 0, '(') && reader_has(reader, 1, '?') && reader_has(reader, 2, '#')) {
		while (reader->at < reader->end && *reader->at != ')')
			reader->at++;
		return reader_take(reader, ')');
	}
	if ((reader->options & PCRE2_EXTENDED) == 0 || reader->at == reader->end)
		return false;
	if (reader_take(reader, '#')) {
		while (reader->at < reader->end && *reader->at++ != '\n')
			;
		return true;
	}
	bool blank = *reader->at == ' ' || (*reader->at >= '\t' && *reader->at <= '\r');
	reader->at += blank;
	return blank;
}

static void read_item(struct parser *parser, unsigned depth)
{
	struct reader *reader = &parser->reader;
	struct byteset set = { { 0 } };

	if (skip_comment(reader) || read_quantifier(parser) || reader->failed)
		return;
	int byte = *reader->at++;
	switch (byte) {
	case '(':
		read_parenthesis(parser, depth);
		break;
	case '[':
		reader_class(reader, &set);
		append_set(parser, &set);
		break;
	case '\\':
		read_backslash(parser);
		break;
	case '.':
		if ((reader->options & PCRE2_DOTALL) == 0)
			byteset_add(&set, '\n');
		byteset_invert(&set);
		append_set(parser, &set);
		break;
	case '^':
		append_kind(parser, (reader->options & PCRE2_MULTILINE) != 0 ? PATTERN_LINE : PATTERN_START, '^');
		break;
	case '$':
		if ((reader->options & PCRE2_MULTILINE) == 0)
			append_kind(parser, PATTERN_END, '$');
		else
			append_kind(parser, PATTERN_EMPTY, '\0');
		break;
	default:
		append_literal(parser, (unsigned)byte);
	}
}

/* Reads up to the group's closing parenthesis, which stays; returns the group. */
static uint32_t read_alternatives(struct parser *parser, unsigned depth)
{
	uint32_t group = new_node(parser, PATTERN_GROUP), branch = new_node(parser, PATTERN_BRANCH);
	struct reader *reader = &parser->reader;

	if (reader->failed)
		return group;
	parser->pattern->nodes[group].first = parser->tail = branch;
	parser->last = PATTERN_NONE;
	while (!reader->failed && reader->at < reader->end && *reader->at != ')') {
		if (*reader->at != '|') {
			read_item(parser, depth);
			continue;
		}
		reader->at++;
		uint32_t next = new_node(parser, PATTERN_BRANCH);
		if (reader->failed)
			break;
		parser->pattern->nodes[branch].next = next;
		branch = parser->tail = next;
		parser->last = PATTERN_NONE;
	}
	return group;
}

enum deepid_err pattern_parse(struct pattern *pattern, const char *text, size_t length, uint32_t options, const struct deepid_memory *memory)
{
	const unsigned char *start = (const unsigned char *)(length > 0 ? text : "");
	struct parser parser = { { start, start + length, options, false }, pattern, memory, false, PATTERN_NONE, PATTERN_NONE };

	pattern->count = 0;
	pattern->captures = 0;
	pattern->plain = true;
	read_alternatives(&parser, 0);
	if (parser.nomem)
		return DEEPID_NOMEM;
	if (parser.reader.failed || parser.reader.at < parser.reader.end) {
		pattern->nodes[0].kind = PATTERN_OPAQUE;
		pattern->plain = false;
	}
	return DEEPID_OK;
}

void pattern_close(struct pattern *pattern, const struct deepid_memory *memory)
{
	if (pattern->nodes != NULL)
		memory->give(pattern->nodes, memory->data);
	*pattern = (struct pattern){ .nodes = NULL };
}
