/* SPDX-License-Identifier: Apache-2.0 */
#include "wildcard.h"

#include <ctype.h>
#include <stddef.h>
#include <string.h>

/* Goes back to the last star alone, so that no pattern takes more than its length times that of the text. */
bool wildcard_match(const char *pattern, const char *text)
{
	const char *star = NULL, *again = NULL;

	while (*text) {
		if (*pattern == '*') {
			star = pattern++;
			again = text;
		} else if (tolower((unsigned char)*pattern) == tolower((unsigned char)*text)) {
			pattern++;
			text++;
		} else if (star) {
			pattern = star + 1;
			text = ++again;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return *pattern == '\0';
}

bool wildcard_match_path(const char *pattern, const char *path)
{
	if (*pattern == '/')
		pattern++;
	for (;;) {
		size_t wanted = strcspn(pattern, "/"), size = strcspn(path, "/");

		if (wanted == 2 && memcmp(pattern, "**", 2) == 0 && pattern[2] == '\0')
			return size > 0;
		if (!(wanted == 1 && *pattern == '*') && (wanted != size || memcmp(pattern, path, size) != 0))
			return false;
		if (pattern[wanted] == '\0' || path[size] == '\0')
			return pattern[wanted] == path[size];
		pattern += wanted + 1;
		path += size + 1;
	}
}
