/* SPDX-License-Identifier: Apache-2.0 */
#include "core/pattern_escape.h"

#include <errno.h>
#include <string.h>

void pattern_reserved_init(struct pattern_reserved *table, const char *reserved)
{
	*table = (struct pattern_reserved){0};
	for (unsigned c = 0; c < 0x20; c++)
		table->encode[c] = true;
	table->encode[0x7f] = true;
	table->encode['%'] = true;
	table->encode['/'] = true;
	for (; reserved && *reserved; reserved++)
		if ((unsigned char)*reserved < 128)
			table->encode[(unsigned char)*reserved] = true;
}

static bool is_continuation(uint8_t byte)
{
	return (byte & 0xc0) == 0x80;
}

/* Length and code point of the well-formed character of two or more bytes at `at`; 0 where there is none. */
static size_t decode(const uint8_t *at, size_t size, uint32_t *ret_code)
{
	size_t length = at[0] >= 0xf0 ? 4 : at[0] >= 0xe0 ? 3 : 2;
	uint32_t code = at[0] & (0x7fu >> length);

	if (at[0] < 0xc2 || at[0] > 0xf4 || size < length)
		return 0;
	for (size_t i = 1; i < length; i++) {
		if (!is_continuation(at[i]))
			return 0;
		code = code << 6 | (at[i] & 0x3fu);
	}
	if ((length == 3 && code < 0x800) || (length == 4 && (code < 0x10000 || code > 0x10ffff)))
		return 0;
	if (code >= 0xd800 && code <= 0xdfff)
		return 0;
	*ret_code = code;
	return length;
}

/* C1 controls and non-characters: a peer may refuse them (MQTT 5 section 1.5.4). */
static bool is_unwanted(uint32_t code)
{
	return code < 0xa0 || (code >= 0xfdd0 && code <= 0xfdef) || (code & 0xfffe) == 0xfffe;
}

/* How many bytes at `at` form one unit, and whether they are to be encoded. */
static size_t classify(const struct pattern_reserved *table, enum pattern_form form, const uint8_t *at, size_t size,
		       bool *ret_encode)
{
	uint32_t code;
	size_t length;

	*ret_encode = false;
	if (at[0] >= 0x80) {
		length = decode(at, size, &code);
		*ret_encode = length == 0 || is_unwanted(code);
		return length ? length : 1;
	}
	if (form != PATTERN_PLAIN && at[0] == '%' && size >= 3 && at[1] == '2' && (at[2] == '5' || at[2] == 'F'))
		return 3;
	if (form == PATTERN_REST && at[0] == '/')
		return 1;
	*ret_encode = table->encode[at[0]];
	return 1;
}

struct output {
	char *at;
	size_t room;
};

static bool put(struct output *output, const uint8_t *bytes, size_t size, bool encode)
{
	static const char digits[] = "0123456789ABCDEF";
	size_t needed = encode ? 3 * size : size;

	if (needed > output->room)
		return false;
	output->room -= needed;
	if (!encode) {
		memcpy(output->at, bytes, size);
		output->at += size;
		return true;
	}
	for (size_t i = 0; i < size; i++) {
		*output->at++ = '%';
		*output->at++ = digits[bytes[i] >> 4];
		*output->at++ = digits[bytes[i] & 15];
	}
	return true;
}

/* Length of the "." or ".." that is a whole segment at `at`, else 0. Such a segment would walk up in a tree of addresses. */
static size_t dots(const uint8_t *at, size_t size, enum pattern_form form)
{
	size_t count = 0;

	while (count < size && count < 3 && at[count] == '.')
		count++;
	if (count == 0 || count > 2)
		return 0;
	return count == size || (form == PATTERN_REST && at[count] == '/') ? count : 0;
}

ptrdiff_t pattern_escape(const struct pattern_reserved *table, enum pattern_form form, struct tg_bytes piece, char *out,
			 size_t room)
{
	const uint8_t *at = piece.data;
	size_t left = piece.size;
	struct output output = {out, room};
	bool begins = true;

	while (left > 0) {
		bool encode = true;
		size_t length = begins ? dots(at, left, form) : 0;

		if (length == 0)
			length = classify(table, form, at, left, &encode);
		if (!put(&output, at, length, encode))
			return -ENOBUFS;
		begins = *at == '/';
		at += length;
		left -= length;
	}
	return (ptrdiff_t)(room - output.room);
}

static int digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
		return (c | 0x20) - 'a' + 10;
	return -1;
}

/* Takes one byte of the segment with the path's own %25 and %2F undone. Returns how many bytes it stood for. */
static size_t undo_path(const uint8_t *at, size_t left, uint8_t *ret_byte)
{
	if (at[0] == '%' && left >= 3 && at[1] == '2' && (at[2] == '5' || at[2] == 'F')) {
		*ret_byte = at[2] == '5' ? '%' : '/';
		return 3;
	}
	*ret_byte = at[0];
	return 1;
}

/* As undo_path, with a %XX of the text that results undone too. */
static size_t undo_both(const uint8_t *at, size_t left, uint8_t *ret_byte)
{
	uint8_t high, low;
	size_t taken = undo_path(at, left, ret_byte), more;

	if (*ret_byte != '%' || left == taken)
		return taken;
	more = taken + undo_path(at + taken, left - taken, &high);
	if (more == left)
		return taken;
	more += undo_path(at + more, left - more, &low);
	if (digit(high) < 0 || digit(low) < 0)
		return taken;
	*ret_byte = (uint8_t)(digit(high) << 4 | digit(low));
	return more;
}

ptrdiff_t pattern_unescape(struct tg_bytes segment, char *out, size_t room)
{
	const uint8_t *at = segment.data;
	size_t left = segment.size, written = 0;

	while (left > 0) {
		uint8_t byte;
		size_t taken = undo_both(at, left, &byte);

		if (written == room)
			return -ENOBUFS;
		out[written++] = (char)byte;
		at += taken;
		left -= taken;
	}
	return (ptrdiff_t)written;
}

static bool equals(struct tg_bytes segment, struct tg_bytes value,
		   size_t (*undo)(const uint8_t *at, size_t left, uint8_t *ret_byte))
{
	const uint8_t *at = segment.data, *wanted = value.data;
	size_t left = segment.size, i = 0;

	while (left > 0) {
		uint8_t byte;
		size_t taken = undo(at, left, &byte);

		if (i == value.size || byte != wanted[i])
			return false;
		i++;
		at += taken;
		left -= taken;
	}
	return i == value.size;
}

bool pattern_segment_is(struct tg_bytes segment, struct tg_bytes value)
{
	return equals(segment, value, undo_path) || equals(segment, value, undo_both);
}
