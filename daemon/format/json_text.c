/* SPDX-License-Identifier: Apache-2.0 */
#include "format/json_text.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

enum { CONTAINERS_MAX = 16384 };

static void unref(json_t **json)
{
	json_decref(*json);
}

int json_text_raw(struct buffer *buffer, const char *text)
{
	return buffer_append(buffer, text, strlen(text));
}

int json_text_string(struct buffer *buffer, struct tg_bytes text)
{
	CLEANUP(unref) json_t *json = json_stringn(text.size ? text.data : "", text.size);
	uint8_t *room;
	size_t size;

	if (!json)
		return -EILSEQ;
	size = json_dumpb(json, NULL, 0, JSON_ENCODE_ANY);
	if (size == 0)
		return -ENOMEM;
	room = buffer_reserve(buffer, size);
	if (!room)
		return -ENOBUFS;
	buffer_commit(buffer, json_dumpb(json, (char *)room, size, JSON_ENCODE_ANY));
	return 0;
}

int json_text_real(struct buffer *buffer, double real)
{
	CLEANUP(unref) json_t *json = json_real(real);
	char digits[40];
	size_t size = 0;

	if (!json)
		return -ENOMEM;
	for (size_t precision = 15; precision <= 17; precision++) {
		size = json_dumpb(json, digits, sizeof(digits) - 1, JSON_ENCODE_ANY | JSON_REAL_PRECISION(precision));
		if (size == 0 || size >= sizeof(digits))
			return -ENOMEM;
		digits[size] = '\0';
		if (strtod(digits, NULL) == real)
			break;
	}
	return buffer_append(buffer, digits, size);
}

int json_text_whole(struct buffer *buffer, int64_t whole)
{
	char digits[24];

	return buffer_append(buffer, digits, (size_t)snprintf(digits, sizeof(digits), "%" PRId64, whole));
}

struct json_text_count json_text_count(struct tg_bytes text)
{
	struct json_text_count count = {0, 0};
	const char *data = text.data;
	bool quoted = false;

	for (size_t i = 0; i < text.size; i++) {
		if (data[i] == '"')
			quoted = !quoted;
		else if (quoted && data[i] == '\\')
			i++;
		else if (!quoted && data[i] == '{')
			count.objects++;
		else if (!quoted && data[i] == '[')
			count.lists++;
	}
	return count;
}

bool json_text_valid(struct tg_bytes text)
{
	struct json_text_count count = json_text_count(text);
	CLEANUP(unref) json_t *json = NULL;

	if (text.size == 0 || count.objects + count.lists > CONTAINERS_MAX)
		return false;
	json = json_loadb(text.data, text.size, JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL | JSON_ALLOW_NUL, NULL);
	return json != NULL;
}
