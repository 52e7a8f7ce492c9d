/* SPDX-License-Identifier: Apache-2.0 */
#include "core/wildcard.h"

bool wildcard_match(const char *pattern, struct tg_bytes text)
{
	const char *at = text.size ? text.data : "", *end = at + text.size, *again = at;
	const char *star = NULL;

	while (at < end) {
		if (*pattern == '*') {
			star = ++pattern;
			again = at;
		} else if (*pattern && *pattern == *at) {
			pattern++;
			at++;
		} else if (star) {
			pattern = star;
			at = ++again;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return *pattern == '\0';
}
