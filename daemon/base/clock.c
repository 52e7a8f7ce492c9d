/* SPDX-License-Identifier: Apache-2.0 */
/* The time of the C library ends in 2038 where a long has 32 bits, and dates lie behind that long before: here, it does not. */
#define _TIME_BITS 64
#include "base/clock.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static int64_t read_clock(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (int64_t)t.tv_sec * CLOCK_S_US + t.tv_nsec / 1000;
}

int64_t clock_now_us(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

int64_t clock_wall_us(void)
{
	return read_clock(CLOCK_REALTIME);
}

int64_t clock_seconds(const struct tm *utc)
{
	struct tm tm = *utc;

	return timegm(&tm);
}

void clock_format(int64_t wall_us, char ret_text[CLOCK_TEXT_SIZE])
{
	time_t seconds = (time_t)(wall_us / CLOCK_S_US);
	struct tm tm;
	char text[64];

	if (wall_us < 0 || !gmtime_r(&seconds, &tm) || tm.tm_year > 9999 - 1900)
		gmtime_r(&(time_t){0}, &tm);
	snprintf(text, sizeof(text), "%04d-%02d-%02dT%02d:%02d:%02d.%06dZ", tm.tm_year + 1900, tm.tm_mon + 1,
		 tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, (int)(wall_us < 0 ? 0 : wall_us % CLOCK_S_US));
	snprintf(ret_text, CLOCK_TEXT_SIZE, "%.27s", text);
}

void clock_format_seconds(int64_t wall_us, char ret_text[CLOCK_TEXT_SIZE])
{
	clock_format(wall_us, ret_text);
	snprintf(strchr(ret_text, '.'), 2, "Z");
}

static int parse_span(const char *text, int64_t now_wall_us, int64_t *ret_wall_us)
{
	char *end;
	long count;

	errno = 0;
	count = isdigit((unsigned char)*text) ? strtol(text, &end, 10) : -1;
	if (count < 0 || errno || count > 100000 || (*end != 'd' && *end != 'h') || end[1])
		return -EINVAL;
	*ret_wall_us = now_wall_us + (int64_t)count * (*end == 'd' ? 86400 : 3600) * CLOCK_S_US;
	return 0;
}

/* "Z" or "+02:00". Units: seconds. */
static int parse_zone(const char *text, int *ret_offset)
{
	unsigned hours, minutes;
	int used = 0;

	if ((*text == 'Z' || *text == 'z') && !text[1]) {
		*ret_offset = 0;
		return 0;
	}
	if ((*text != '+' && *text != '-') || sscanf(text + 1, "%2u:%2u%n", &hours, &minutes, &used) != 2 ||
	    used != 5 || text[6] || hours > 23 || minutes > 59)
		return -EINVAL;
	*ret_offset = (*text == '-' ? -1 : 1) * (int)(hours * 3600 + minutes * 60);
	return 0;
}

static bool is_shape(const char *text, const char *shape)
{
	for (; *shape; text++, shape++) {
		if (*shape == '0' ? !isdigit((unsigned char)*text) : toupper((unsigned char)*text) != *shape)
			return false;
	}
	return true;
}

int clock_parse(const char *text, int64_t now_wall_us, int64_t *ret_wall_us)
{
	struct tm tm = {.tm_mday = 1};
	int day, month, offset = 0;
	const char *rest = text;
	time_t seconds;

	if (*text == '+')
		return parse_span(text + 1, now_wall_us, ret_wall_us);
	if (!is_shape(text, "0000-00-00") || sscanf(text, "%4d-%2d-%2d", &tm.tm_year, &tm.tm_mon, &tm.tm_mday) != 3)
		return -EINVAL;
	rest += 10;
	if (*rest) {
		if (!is_shape(rest, "T00:00:00") ||
		    sscanf(rest + 1, "%2d:%2d:%2d", &tm.tm_hour, &tm.tm_min, &tm.tm_sec) != 3)
			return -EINVAL;
		rest += 9;
		if (*rest == '.')
			rest += 1 + strspn(rest + 1, "0123456789");
		if (parse_zone(rest, &offset) < 0)
			return -EINVAL;
	}
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	day = tm.tm_mday;
	month = tm.tm_mon;
	if (tm.tm_year < 70 || tm.tm_hour > 23 || tm.tm_min > 59 || tm.tm_sec > 59)
		return -EINVAL;
	seconds = timegm(&tm); /* a day that its month does not have goes over into the next */
	if (seconds < 0 || tm.tm_mon != month || tm.tm_mday != day)
		return -EINVAL;
	*ret_wall_us = ((int64_t)seconds - offset) * CLOCK_S_US;
	return 0;
}
