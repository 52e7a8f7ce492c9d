/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"

#include <stdio.h>
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
