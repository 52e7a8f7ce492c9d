/* SPDX-License-Identifier: Apache-2.0 */
#include "filter.h"
#include "common/utf8.h"

#include <errno.h>
#include <string.h>

static int filter_hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* One byte of literal text. Returns how many characters it was written with, or -EINVAL where no topic can hold it. */
static int filter_byte(const char *p, char *ret_byte)
{
	char byte = *p;
	int length = 1;

	if (byte == '%') {
		int high = filter_hex(p[1]), low = high < 0 ? -1 : filter_hex(p[2]);

		if (low < 0)
			return -EINVAL;
		byte = (char)(high << 4 | low);
		length = 3;
	}
	if (byte == '\0' || byte == '+' || byte == '#' || (byte == '/' && length == 3))
		return -EINVAL;
	*ret_byte = byte;
	return length;
}

int filter_from_pattern(const char *pattern, char ret_filter[FILTER_SIZE])
{
	const char *p = pattern;
	size_t size = 0;

	while (*p) {
		bool first = p == pattern || p[-1] == '/';
		int length = 1;

		if (size + 1 >= FILTER_SIZE)
			return -ENAMETOOLONG;
		if (first && p[0] == '*' && p[1] == '*' && p[2] == '\0') {
			ret_filter[size] = '#';
			length = 2;
		} else if (first && p[0] == '*' && (p[1] == '/' || p[1] == '\0')) {
			ret_filter[size] = '+';
		} else {
			length = filter_byte(p, &ret_filter[size]);
		}
		if (length < 0)
			return length;
		size++;
		p += length;
	}
	ret_filter[size] = '\0';
	if (size == 0 || strncmp(ret_filter, "$share/", 7) == 0 ||
	    !utf8_is_good((struct tg_bytes){.data = ret_filter, .size = size}))
		return -EINVAL;
	return 0;
}

static size_t filter_segment(const char *filter)
{
	return strcspn(filter, "/");
}

/* A wildcard at the very beginning takes no topic that begins with '$' (MQTT 5 section 4.7.2). */
static bool filter_is_apart(const char *a, const char *b)
{
	return (*a == '$') != (*b == '$') && (*a == '+' || *a == '#' || *b == '+' || *b == '#');
}

bool filter_covers(const char *wide, const char *narrow)
{
	if (filter_is_apart(wide, narrow))
		return false;
	for (;;) {
		size_t w = filter_segment(wide), n = filter_segment(narrow);

		if (*wide == '#')
			return true;
		if (*narrow == '#')
			return false;
		if (!(w == 1 && *wide == '+') && (w != n || memcmp(wide, narrow, w) != 0))
			return false;
		if (wide[w] == '\0' && narrow[n] == '\0')
			return true;
		if (narrow[n] == '\0') /* "a/#" takes "a" as well */
			return strcmp(wide + w, "/#") == 0;
		if (wide[w] == '\0')
			return false;
		wide += w + 1;
		narrow += n + 1;
	}
}

bool filter_overlaps(const char *a, const char *b)
{
	if (filter_is_apart(a, b))
		return false;
	for (;;) {
		size_t i = filter_segment(a), j = filter_segment(b);
		bool open = (i == 1 && *a == '+') || (j == 1 && *b == '+');

		if (*a == '#' || *b == '#')
			return true;
		if (!open && (i != j || memcmp(a, b, i) != 0))
			return false;
		if (a[i] == '\0' || b[j] == '\0')
			return (a[i] == '\0' || strcmp(a + i, "/#") == 0) && (b[j] == '\0' || strcmp(b + j, "/#") == 0);
		a += i + 1;
		b += j + 1;
	}
}
