/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/config_internal.h"
#include "core/suggest.h"

struct format {
	const char *media_type;
	int32_t number;
};

static const struct format formats[] = {{"none", TG_FORMAT_NONE},
#define FORMAT_ROW(number, utf8, type) {type, number},
					TG_CONTENT_FORMATS(FORMAT_ROW)
#undef FORMAT_ROW
};

enum { FORMATS_COUNT = sizeof(formats) / sizeof(formats[0]) };

int config_format_parse(const char *text, int32_t *ret_format)
{
	char *end;
	unsigned long number;

	for (size_t i = 0; i < FORMATS_COUNT; i++) {
		if (strcmp(formats[i].media_type, text) == 0) {
			*ret_format = formats[i].number;
			return 0;
		}
	}
	if (strspn(text, "0123456789") != strlen(text) || !*text || strlen(text) > 5 || (*text == '0' && text[1]))
		return -EINVAL;
	number = strtoul(text, &end, 10);
	if (number > UINT16_MAX)
		return -EINVAL;
	*ret_format = (int32_t)number;
	return 0;
}

const char *config_format_type(int32_t format)
{
	for (size_t i = 0; i < FORMATS_COUNT && format != TG_FORMAT_NONE; i++)
		if (formats[i].number == format)
			return formats[i].media_type;
	return "";
}

static const char *nearest_to(const char *text)
{
	struct suggest suggest;

	suggest_begin(&suggest, text);
	for (size_t i = 0; i < FORMATS_COUNT; i++)
		suggest_offer(&suggest, formats[i].media_type);
	return suggest_best(&suggest);
}

int config_formats_read(const struct config_load *load, const char *where, const struct config_section *settings,
			int32_t **ret_formats, size_t *ret_count)
{
	const struct config_value *value = config_section_value(settings, "formats");
	int32_t *list = calloc(value->count + 1, sizeof(*list));
	size_t count = 0;

	if (!list)
		return -ENOMEM;
	for (size_t i = 0; i < value->count; i++) {
		const char *nearest = nearest_to(value->items[i]);

		if (config_format_parse(value->items[i], &list[count]) >= 0)
			count++;
		else
			config_problem_error(
				load->problems, value->source, value->line,
				"%s: \"formats\" has \"%s\", which is neither a known media type nor a number%s%s%s",
				where, value->items[i], nearest ? "; did you mean \"" : "", nearest ? nearest : "",
				nearest ? "\"?" : "");
	}
	*ret_formats = list;
	*ret_count = count;
	return 0;
}
