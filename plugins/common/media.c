/* SPDX-License-Identifier: Apache-2.0 */
#include "media.h"

#include <string.h>
#include <strings.h>

static const struct {
	int32_t number;
	bool utf8;
	const char *type;
} media_types[] = {
#define MEDIA_ROW(number, utf8, type) {number, utf8, type},
	TG_CONTENT_FORMATS(MEDIA_ROW)
#undef MEDIA_ROW
};

const char *media_type(int32_t content_format, bool *ret_utf8)
{
	for (size_t i = 0; i < sizeof(media_types) / sizeof(media_types[0]); i++) {
		if (media_types[i].number == content_format) {
			*ret_utf8 = media_types[i].utf8;
			return content_format == 0 ? "text/plain;charset=utf-8" : media_types[i].type;
		}
	}
	return NULL;
}

static struct tg_bytes media_trim(struct tg_bytes text)
{
	const char *p = text.data;

	while (text.size > 0 && (*p == ' ' || *p == '\t')) {
		p++;
		text.size--;
	}
	while (text.size > 0 && (p[text.size - 1] == ' ' || p[text.size - 1] == '\t'))
		text.size--;
	return (struct tg_bytes){.data = p, .size = text.size};
}

static bool media_is(struct tg_bytes text, const char *word, size_t size)
{
	return text.size == size && strncasecmp(text.data, word, size) == 0;
}

int32_t media_content_format(struct tg_bytes media_type)
{
	const char *semicolon = media_type.size > 0 ? memchr(media_type.data, ';', media_type.size) : NULL;
	struct tg_bytes type = media_type, parameter = {0};

	if (semicolon) {
		type.size = (size_t)(semicolon - (const char *)media_type.data);
		parameter =
			media_trim((struct tg_bytes){.data = semicolon + 1, .size = media_type.size - type.size - 1});
	}
	type = media_trim(type);
	for (size_t i = 0; i < sizeof(media_types) / sizeof(media_types[0]); i++) {
		bool plain = !semicolon || (media_types[i].utf8 && (media_is(parameter, "charset=utf-8", 13) ||
								    media_is(parameter, "charset=\"utf-8\"", 15)));

		if (plain && media_is(type, media_types[i].type, strlen(media_types[i].type)))
			return media_types[i].number;
	}
	return TG_FORMAT_NONE;
}
