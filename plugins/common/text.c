/* SPDX-License-Identifier: Apache-2.0 */
#include "text.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *text_lookup(const char *const *names, const char *name, size_t size)
{
	for (; names[0]; names += 2) {
		if (strlen(names[0]) == size && memcmp(names[0], name, size) == 0)
			return names[1];
	}
	return NULL;
}

char *text_expand(const char *format, const char *const *names)
{
	char *result = NULL;
	size_t size;
	FILE *out = open_memstream(&result, &size);
	bool bad = false;

	if (!out)
		return NULL;
	while (*format && !bad) {
		const char *end = *format == '{' ? strchr(format, '}') : NULL;
		const char *value = end ? text_lookup(names, format + 1, (size_t)(end - format) - 1) : NULL;

		if (*format != '{') {
			fputc(*format++, out);
		} else if (value) {
			fputs(value, out);
			format = end + 1;
		} else {
			bad = true;
		}
	}
	if (fclose(out) != 0 || bad) {
		free(result);
		return NULL;
	}
	return result;
}

char *text_json(const char *text)
{
	char *result = NULL;
	size_t size;
	FILE *out = open_memstream(&result, &size);

	if (!out)
		return NULL;
	fputc('"', out);
	for (const char *p = text; *p; p++) {
		if (*p == '"' || *p == '\\')
			fprintf(out, "\\%c", *p);
		else if ((unsigned char)*p < 0x20)
			fprintf(out, "\\u%04x", (unsigned char)*p);
		else
			fputc(*p, out);
	}
	fputc('"', out);
	if (fclose(out) != 0) {
		free(result);
		return NULL;
	}
	return result;
}
