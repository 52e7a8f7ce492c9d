/* SPDX-License-Identifier: Apache-2.0 */
#include "fill.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *fill_lookup(const char *const *names, const char *name, size_t size)
{
	for (; names[0]; names += 2) {
		if (strlen(names[0]) == size && memcmp(names[0], name, size) == 0)
			return names[1];
	}
	return NULL;
}

char *fill_names(const char *format, const char *const *names)
{
	char *result = NULL;
	size_t size;
	FILE *out = open_memstream(&result, &size);
	bool bad = false;

	if (!out)
		return NULL;
	while (*format && !bad) {
		const char *end = *format == '{' ? strchr(format, '}') : NULL;
		const char *value = end ? fill_lookup(names, format + 1, (size_t)(end - format) - 1) : NULL;

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
