/* SPDX-License-Identifier: Apache-2.0 */
#include "coap_pattern.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

/* Bytes of a datagram that came, for what is sent or compared later. */
struct note {
	const char *take; /* how a pattern says that they are to be noted down */
	const char *give;
	size_t size;
	uint8_t bytes[4];
	size_t at; /* in the pattern that is being read; SIZE_MAX: nowhere */
};

static struct note notes[] = {{.take = "ID", .give = "id", .size = 2},
			      {.take = "NEW", .give = "new", .size = 3},
			      {.take = "TAG", .give = "tag", .size = 4}};

enum { NOTES = sizeof(notes) / sizeof(notes[0]) };

static void put(struct pattern *pattern, int byte)
{
	ck_assert_uint_lt(pattern->size, PATTERN_MAX);
	pattern->bytes[pattern->size++] = byte;
}

/* Two digits. */
static int hexadecimal(const char *digits)
{
	char pair[3] = {digits[0], digits[0] ? digits[1] : '\0', '\0'}, *end;
	long value = strtol(pair, &end, 16);

	ck_assert_msg(end == pair + 2, "no bytes: '%s'", digits);
	return (int)value;
}

static const char *put_text(struct pattern *pattern, const char *text)
{
	for (; *text && *text != '\''; text++)
		put(pattern, (unsigned char)*text);
	return text + 1;
}

/* Returns what follows the note in the text, or NULL where there is none. */
static const char *put_note(struct pattern *pattern, const char *text)
{
	for (size_t i = 0; i < NOTES; i++) {
		struct note *note = &notes[i];
		size_t length = strlen(note->take);
		bool take = strncmp(text, note->take, length) == 0;

		if (!take && strncmp(text, note->give, length) != 0)
			continue;
		if (take)
			note->at = pattern->size;
		for (size_t place = 0; place < note->size; place++)
			put(pattern, take ? PATTERN_ANY : note->bytes[place]);
		return text + length;
	}
	return NULL;
}

/* One piece of a pattern; returns what follows it. */
static const char *put_piece(struct pattern *pattern, const char *text)
{
	const char *behind = put_note(pattern, text);
	char *end;

	if (behind)
		return behind;
	if (*text == '\'')
		return put_text(pattern, text + 1);
	if (*text == '*') {
		put(pattern, PATTERN_REST);
		return text + 1;
	}
	if (*text == 'x') {
		for (long left = strtol(text + 1, &end, 10); left > 0; left--)
			put(pattern, 'x');
		return end;
	}
	put(pattern, *text == '.' ? PATTERN_ANY : hexadecimal(text));
	return text + 2;
}

void pattern_read(const char *text, struct pattern *ret_pattern)
{
	for (size_t i = 0; i < NOTES; i++)
		notes[i].at = SIZE_MAX;
	ret_pattern->size = 0;
	while (*text) {
		if (*text == ' ')
			text++;
		else
			text = put_piece(ret_pattern, text);
	}
}

void pattern_note(const uint8_t *bytes)
{
	for (size_t i = 0; i < NOTES; i++)
		if (notes[i].at != SIZE_MAX)
			memcpy(notes[i].bytes, bytes + notes[i].at, notes[i].size);
}

bool pattern_matches(const struct pattern *pattern, struct tg_bytes datagram)
{
	const uint8_t *bytes = datagram.data;

	for (size_t i = 0; i < pattern->size; i++) {
		if (pattern->bytes[i] == PATTERN_REST)
			return true;
		if (i >= datagram.size || (pattern->bytes[i] != PATTERN_ANY && pattern->bytes[i] != bytes[i]))
			return false;
	}
	return datagram.size == pattern->size;
}
