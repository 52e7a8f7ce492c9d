/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "directory_inside.h"
#include "directory_links.h"

enum { TEXT_FIRST = 512 };

void directory_text_add(struct directory_text *text, const char *data, size_t size)
{
	size_t wanted = text->size + size;
	if (text->failed)
		return;
	if (wanted > text->capacity) {
		size_t capacity = text->capacity ? text->capacity : TEXT_FIRST;
		while (capacity < wanted)
			capacity *= 2;
		char *grown = realloc(text->data, capacity);
		if (!grown) {
			text->failed = true;
			return;
		}
		text->data = grown;
		text->capacity = capacity;
	}
	if (size > 0)
		memcpy(text->data + text->size, data, size);
	text->size = wanted;
}

void directory_text_terminated(struct directory_text *text, const char *terminated)
{
	directory_text_add(text, terminated, strlen(terminated));
}

static bool is_simple(struct tg_bytes value)
{
	const char *data = value.data;
	for (size_t i = 0; i < value.size; i++) {
		char c = data[i];
		bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
		if (!word && c != '-' && c != '.' && c != '_')
			return false;
	}
	return value.size > 0;
}

void directory_text_value(struct directory_text *text, struct tg_bytes value)
{
	const char *data = value.data;
	if (is_simple(value)) {
		directory_text_add(text, data, value.size);
		return;
	}
	directory_text_add(text, "\"", 1);
	for (size_t i = 0; i < value.size; i++) {
		if (data[i] == '"' || data[i] == '\\')
			directory_text_add(text, "\\", 1);
		directory_text_add(text, data + i, 1);
	}
	directory_text_add(text, "\"", 1);
}

void directory_text_resolved(struct directory_text *text, const char *base, struct tg_bytes reference)
{
	if (reference.size > 0 && *(const char *)reference.data == '/') {
		const char *authority = strstr(base, "://") + 3;
		directory_text_add(text, base, (size_t)(authority - base) + strcspn(authority, "/"));
	}
	directory_text_add(text, reference.data, reference.size);
}
