/* SPDX-License-Identifier: Apache-2.0 */
#include "wishes.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

/* How well one range fits: 0 not, 1 any, 2 its type, 3 itself. */
static int fit(const char *range, size_t size, const char *type)
{
	size_t slash = strcspn(type, "/");

	if (size == 3 && memcmp(range, "*/*", 3) == 0)
		return 1;
	if (size == slash + 2 && strncasecmp(range, type, slash + 1) == 0 && range[size - 1] == '*')
		return 2;
	return size == strlen(type) && strncasecmp(range, type, size) == 0 ? 3 : 0;
}

/* Whether a range's parameters say q=0. */
static bool is_unwanted(const char *parameters, size_t size)
{
	for (size_t i = 0; i + 2 < size; i++)
		if ((parameters[i] == ';' || parameters[i] == ' ') && strncasecmp(parameters + i + 1, "q=", 2) == 0)
			return parameters[i + 3] == '0' &&
			       strspn(parameters + i + 3, "0.") == strcspn(parameters + i + 3, ", ;\t");
	return false;
}

bool wishes_accept(const char *accept, const char *type)
{
	char plain[128];
	int best = 0;
	bool wanted = false;

	if (!accept)
		return true;
	snprintf(plain, sizeof(plain), "%s", type ? type : "application/octet-stream");
	plain[strcspn(plain, "; ")] = '\0';
	while (*accept) {
		const char *range = accept + strspn(accept, " \t,");
		size_t size = strcspn(range, ","), name = strcspn(range, ",; \t");
		int here = fit(range, name, plain);

		if (here > best) {
			best = here;
			wanted = !is_unwanted(range + name, size - name);
		}
		accept = range + size;
	}
	return wanted;
}

bool wishes_has(const char *if_none_match, const char *tag)
{
	const char *at = if_none_match;

	while (at && *at) {
		at += strspn(at, " \t,");
		if (*at == '*')
			return true;
		if (strncmp(at, "W/", 2) == 0)
			at += 2;
		if (strncmp(at, tag, strlen(tag)) == 0)
			return true;
		at += *at == '"' ? 1 + strcspn(at + 1, "\"") : strcspn(at, ",");
		at += *at == '"';
	}
	return false;
}

void wishes_date(int64_t wall_us, char ret_text[WISHES_DATE_SIZE])
{
	static const char days[] = "SunMonTueWedThuFriSat", months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	time_t seconds = (time_t)(wall_us / 1000000);
	struct tm tm;

	if (!gmtime_r(&seconds, &tm) || tm.tm_year > 8099) {
		ret_text[0] = '\0';
		return;
	}
	snprintf(ret_text, WISHES_DATE_SIZE, "%.3s, %02d %.3s %04d %02d:%02d:%02d GMT", days + 3 * tm.tm_wday,
		 tm.tm_mday, months + 3 * tm.tm_mon, tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

void wishes_tag(uint64_t generation, uint64_t etag, char ret_text[WISHES_TAG_SIZE])
{
	snprintf(ret_text, WISHES_TAG_SIZE, "%016" PRIx64 "-%016" PRIx64, generation, etag);
}

bool wishes_tag_read(const char *text, uint64_t *ret_generation, uint64_t *ret_etag)
{
	if (!text || strspn(text, "0123456789abcdef") != 16 || text[16] != '-' ||
	    strspn(text + 17, "0123456789abcdef") != 16 || text[33] != '\0')
		return false;
	*ret_generation = strtoull(text, NULL, 16);
	*ret_etag = strtoull(text + 17, NULL, 16);
	return true;
}
