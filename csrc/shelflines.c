/* shelflines - many `address TAB text` lines at once; see shelf.h. */

#include <string.h>

#include "shelf.h"

bool shelf_plain_address(struct address *address, const char *bytes, size_t length)
{
	bool dots = false, colons = false;

	if (length >= ADDRESS_TEXT)
		return false;
	for (size_t i = 0; i < length; i++) {
		dots = dots || bytes[i] == '.';
		colons = colons || bytes[i] == ':';
		if (bytes[i] == '%')
			return false;
	}
	return dots != colons && address_parse(address, bytes, length);
}

enum deepid_err shelf_put_lines(struct shelf *s, struct shelf_lines *lines, const struct shelf_line_form *form)
{
	char key[SHELF_KEY_MAX], value[SHELF_VALUE_MAX];
	struct address address;

	memcpy(value, form->prefix, form->prefix_length);
	while (lines->at < lines->end) {
		const char *line = lines->at, *newline = memchr(line, '\n', (size_t)(lines->end - line));
		const char *stop = newline != NULL ? newline : lines->end;
		lines->at = newline != NULL ? newline + 1 : lines->end;
		lines->number++;
		stop -= stop > line && stop[-1] == '\r';
		const char *tab = memchr(line, '\t', (size_t)(stop - line));
		if (tab == NULL || !shelf_plain_address(&address, line, (size_t)(tab - line))) {
			lines->odd = line;
			lines->odd_length = (size_t)(stop - line);
			return DEEPID_HIT;
		}
		size_t length = (size_t)(stop - tab - 1), address_length = (size_t)(tab - line);
		if (length > form->most)
			length = form->most;
		memcpy(key, line, address_length);
		memcpy(key + address_length, form->suffix, form->suffix_length);
		memcpy(value + form->prefix_length, tab + 1, length);
		struct shelf_pair pair = { key, value, address_length + form->suffix_length, form->prefix_length + length };
		enum deepid_err result = shelf_put(s, &pair);
		if (result != DEEPID_OK)
			return result;
	}
	return DEEPID_END;
}
