/* record - a group as bytes; see record.h. */

#include "record.h"

#include <string.h>

static unsigned get_be16(const unsigned char *bytes)
{
	return (unsigned)bytes[0] << 8 | bytes[1];
}

static unsigned char *put_be16(unsigned char *bytes, unsigned value)
{
	bytes[0] = (unsigned char)(value >> 8);
	bytes[1] = (unsigned char)value;
	return bytes + 2;
}

static unsigned char *put_address(unsigned char *bytes, const struct address *address)
{
	put_be64(bytes, address->high);
	put_be64(bytes + 8, address->low);
	return bytes + 16;
}

static struct address get_address(const unsigned char *bytes)
{
	return (struct address){ get_be64(bytes), get_be64(bytes + 8) };
}

size_t record_size(const unsigned char *bytes)
{
	size_t form = bytes[17], count = get_be16(bytes + 18), text = get_be16(bytes + 20);

	if (form > ADDRESS_WIDTHS || count > GROUP_LIST_MAX || (count == 0) != (form == ADDRESS_WIDTHS))
		return 0;
	if (text > GROUP_TEXT_MAX && text != GROUP_NO_TEXT)
		return 0;
	return RECORD_HEAD + 16 * count + (form > 0 ? 16 * GROUP_EXAMPLES + form * GROUP_REGISTERS : 0) +
	    (text != GROUP_NO_TEXT ? 16 + text : 0);
}

size_t record_write(unsigned char *bytes, const struct group *group)
{
	unsigned char *at = bytes;

	*at++ = group->key.kind;
	put_be64(at, group->key.high);
	put_be64(at + 8, group->key.low);
	at += 16;
	*at++ = group->form;
	at = put_be16(at, group->count);
	at = put_be16(at, group->text_length);
	for (size_t i = 0; i < group->count; i++)
		at = put_address(at, &group->list[i]);
	if (group->form > 0) {
		for (size_t i = 0; i < GROUP_EXAMPLES; i++)
			at = put_address(at, &group->sketch->examples[i]);
		for (unsigned width = 0; width < group->form; width++, at += GROUP_REGISTERS)
			memcpy(at, group->sketch->registers[width], GROUP_REGISTERS);
	}
	if (group->text_length != GROUP_NO_TEXT) {
		at = put_address(at, &group->text_host);
		memcpy(at, group->text, group->text_length);
		at += group->text_length;
	}
	return (size_t)(at - bytes);
}

void record_read(const unsigned char *bytes, struct group *group, struct record_scratch *scratch)
{
	const unsigned char *at = bytes + RECORD_HEAD;

	group_init(group, (struct group_key){ .kind = bytes[0], .high = get_be64(bytes + 1), .low = get_be64(bytes + 9) });
	group->form = bytes[17];
	group->count = (uint16_t)get_be16(bytes + 18);
	group->text_length = (uint16_t)get_be16(bytes + 20);
	group->list = scratch->list;
	for (size_t i = 0; i < group->count; i++, at += 16)
		scratch->list[i] = get_address(at);
	if (group->form > 0) {
		group->sketch = &scratch->sketch;
		for (size_t i = 0; i < GROUP_EXAMPLES; i++, at += 16) {
			scratch->sketch.examples[i] = get_address(at);
			scratch->sketch.hashes[i] = address_hash(&scratch->sketch.examples[i]);
		}
		for (unsigned width = 0; width < group->form; width++, at += GROUP_REGISTERS)
			scratch->sketch.registers[width] = at;
	}
	if (group->text_length != GROUP_NO_TEXT) {
		group->text_host = get_address(at);
		group->text_hash = address_hash(&group->text_host);
		group->text = (const char *)at + 16;
	}
}

static int compare_keys(const unsigned char *a, const unsigned char *b)
{
	return memcmp(a, b, RECORD_KEY);
}

static size_t join_groups(const unsigned char *const *records, size_t count, struct pool *pool, unsigned char *joined)
{
	struct record_scratch scratch;
	struct group all, one;

	group_init(&all, (struct group_key){ 0, 0, 0 });
	for (size_t i = 0; i < count; i++) {
		record_read(records[i], &one, &scratch);
		all.key = one.key;
		if (!group_join(&all, pool, &one))
			return 0;
	}
	return record_write(joined, &all);
}

const struct run_form record_form = {
	.head = RECORD_HEAD, .most = RECORD_MAX, .buffer = RECORD_BUFFER, .size = record_size, .compare = compare_keys, .join = join_groups
};
