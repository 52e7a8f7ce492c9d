/* SPDX-License-Identifier: Apache-2.0 */
#include "text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "utf8.h"

enum { FIRST_ROOM = 1024 };

void text_done(struct text *text)
{
	free(text->data);
	*text = (struct text){.data = NULL};
}

void text_clear(struct text *text)
{
	text->size = 0;
	text->failed = false;
}

struct tg_bytes text_bytes(const struct text *text)
{
	return (struct tg_bytes){.data = text->data, .size = text->size};
}

char *text_reserve(struct text *text, size_t size)
{
	size_t room = text->room ? text->room : FIRST_ROOM;
	char *data;

	while (room - text->size < size)
		room *= 2;
	if (room != text->room) {
		data = realloc(text->data, room);
		if (!data) {
			text->failed = true;
			return NULL;
		}
		text->data = data;
		text->room = room;
	}
	text->size += size;
	return text->data + text->size - size;
}

void text_add(struct text *text, struct tg_bytes bytes)
{
	char *at = bytes.size ? text_reserve(text, bytes.size) : NULL;

	if (at)
		memcpy(at, bytes.data, bytes.size);
}

void text_words(struct text *text, const char *words)
{
	text_add(text, (struct tg_bytes){.data = words, .size = strlen(words)});
}

void text_number(struct text *text, uint64_t number)
{
	char digits[24];

	snprintf(digits, sizeof(digits), "%llu", (unsigned long long)number);
	text_words(text, digits);
}

/* How many bytes of a control character of UTF-8 stand there, 0: it is none. */
static size_t control(const char *data, size_t left)
{
	const unsigned char *bytes = (const unsigned char *)data;

	if (bytes[0] < ' ' || bytes[0] == 0x7f)
		return 1;
	return left > 1 && bytes[0] == 0xc2 && bytes[1] >= 0x80 && bytes[1] < 0xa0 ? 2 : 0;
}

void text_quoted(struct text *text, struct tg_bytes bytes)
{
	const char *data = bytes.data;
	bool is_text = utf8_is_good(bytes);

	text_words(text, "\"");
	for (size_t i = 0, skip; i < bytes.size; i += skip ? skip : 1) {
		char escaped[2] = {'\\', data[i]};
		bool special = data[i] == '"' || data[i] == '\\';

		skip = is_text || (unsigned char)data[i] < 0x80 ? control(data + i, bytes.size - i) : 1;
		if (!skip)
			text_add(text,
				 (struct tg_bytes){.data = special ? escaped : escaped + 1, .size = special ? 2 : 1});
	}
	text_words(text, "\"");
}

static bool is_unreserved(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
	       c == '_' || c == '~';
}

/* A whole segment of dots begins there: it would lead elsewhere. */
static bool are_dots(const char *data, size_t size, bool ready)
{
	const char *slash = ready ? memchr(data, '/', size) : NULL;

	size = slash ? (size_t)(slash - data) : size;
	return size > 0 && size <= 2 && data[0] == '.' && data[size - 1] == '.';
}

void text_segment(struct text *text, struct tg_bytes bytes, bool ready)
{
	const char *data = bytes.data;
	bool dots = false;
	char code[4];

	for (size_t i = 0; i < bytes.size; i++) {
		if (i == 0 || (ready && data[i - 1] == '/'))
			dots = are_dots(data + i, bytes.size - i, ready);
		if ((is_unreserved(data[i]) && !dots) || (ready && (data[i] == '%' || data[i] == '/'))) {
			text_add(text, (struct tg_bytes){.data = data + i, .size = 1});
			continue;
		}
		snprintf(code, sizeof(code), "%%%02X", (unsigned char)data[i]);
		text_words(text, code);
	}
}
