/* SPDX-License-Identifier: Apache-2.0 */
#include "wishes.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

enum { WEIGHT_MOST = 1000 };

/* A part of a field. */
struct piece {
	const char *text;
	size_t size;
};

static struct piece trimmed(const char *text, size_t size)
{
	while (size > 0 && (*text == ' ' || *text == '\t')) {
		text++;
		size--;
	}
	while (size > 0 && (text[size - 1] == ' ' || text[size - 1] == '\t'))
		size--;
	return (struct piece){.text = text, .size = size};
}

/* What stands before the separator, which is not looked for within quotes; `*at` goes behind it. */
static struct piece take(const char **at, const char *end, char separator)
{
	const char *begin = *at, *here = begin;
	bool quoted = false;

	for (; here < end && (quoted || *here != separator); here++) {
		if (quoted && *here == '\\' && here + 1 < end)
			here++;
		else if (*here == '"')
			quoted = !quoted;
	}
	*at = here < end ? here + 1 : end;
	return trimmed(begin, (size_t)(here - begin));
}

static bool is(struct piece piece, const char *word)
{
	return piece.size == strlen(word) && strncasecmp(piece.text, word, piece.size) == 0;
}

/* "0", "0.5", "1.000". Returns -1 where it is broken. */
static int read_weight(struct piece digits)
{
	int weight = 0, scale = WEIGHT_MOST;

	if (digits.size == 0 || digits.size > 5 || (digits.size > 1 && digits.text[1] != '.'))
		return -1;
	for (size_t i = 0; i < digits.size; i++) {
		if (i == 1)
			continue;
		if (digits.text[i] < '0' || digits.text[i] > '9')
			return -1;
		weight += (digits.text[i] - '0') * scale;
		scale /= 10;
	}
	return weight > WEIGHT_MOST ? -1 : weight;
}

/* How well a range fits: 0 not, 1 any, 2 its type, 3 itself, 4 with its parameter. */
static int fit(struct piece range, const char *type)
{
	size_t slash = strcspn(type, "/");

	if (is(range, "*/*"))
		return 1;
	if (range.size == slash + 2 && strncasecmp(range.text, type, slash + 1) == 0 && range.text[slash + 1] == '*')
		return 2;
	return is(range, type) ? 3 : 0;
}

/* One range with its parameters. Behind the weight there is nothing that counts. Returns how well it fits. */
static int judge(struct piece element, const char *type, bool text, int *ret_weight)
{
	const char *at = element.text, *end = at + element.size;
	int best = fit(take(&at, end, ';'), type);

	*ret_weight = WEIGHT_MOST;
	while (at < end) {
		struct piece parameter = take(&at, end, ';');

		if (parameter.size >= 2 && strncasecmp(parameter.text, "q=", 2) == 0) {
			*ret_weight = read_weight(trimmed(parameter.text + 2, parameter.size - 2));
			break;
		}
		if (text && (is(parameter, "charset=utf-8") || is(parameter, "charset=\"utf-8\"")))
			best += best == 3;
		else if (parameter.size > 0)
			best = 0;
	}
	return *ret_weight < 0 ? 0 : best;
}

unsigned wishes_accept(const char *accept, const char *type)
{
	const char *at = accept, *end = accept ? at + strlen(at) : NULL;
	bool text = type && (strncmp(type, "text/", 5) == 0 || strstr(type, "json") || strstr(type, "xml"));
	int best = 0, weight = 0;
	char plain[128];

	if (!accept)
		return WEIGHT_MOST;
	snprintf(plain, sizeof(plain), "%s", type ? type : "application/octet-stream");
	plain[strcspn(plain, "; ")] = '\0';
	while (at < end) {
		int here_weight, here = judge(take(&at, end, ','), plain, text, &here_weight);

		if (here > best) {
			best = here;
			weight = here_weight;
		}
	}
	return (unsigned)weight;
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
