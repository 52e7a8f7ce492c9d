/* SPDX-License-Identifier: Apache-2.0 */
#include "stamp.h"

#define STAMP_DAY_US   INT64_C(86400000000)
#define STAMP_FIRST_US (-719528 * STAMP_DAY_US)     /* 0000-01-01 */
#define STAMP_LAST_US  (2932897 * STAMP_DAY_US - 1) /* 9999-12-31, its last microsecond */

void stamp_id(const uint8_t id[TG_ID_SIZE], char ret_text[STAMP_ID_SIZE])
{
	static const char digits[] = "0123456789abcdef";
	char *p = ret_text;

	for (unsigned i = 0; i < TG_ID_SIZE; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*p++ = '-';
		*p++ = digits[id[i] >> 4];
		*p++ = digits[id[i] & 15];
	}
	*p = '\0';
}

static char *stamp_digits(char *p, unsigned value, unsigned width)
{
	for (unsigned i = width; i > 0; i--) {
		p[i - 1] = (char)('0' + value % 10);
		value /= 10;
	}
	return p + width;
}

/* The date of a day since 1970 in the Gregorian calendar, counted in years that begin in March. The C library would do it
 * too, but looks for the time zone's file first. */
static char *stamp_date(char *p, int64_t day)
{
	int64_t shifted = day + 719468, era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
	unsigned of_era = (unsigned)(shifted - era * 146097);
	unsigned year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	unsigned of_year = of_era - (365 * year + year / 4 - year / 100);
	unsigned month = (5 * of_year + 2) / 153;

	p = stamp_digits(p, (unsigned)(year + era * 400 + (month >= 10)), 4);
	*p++ = '-';
	p = stamp_digits(p, month < 10 ? month + 3 : month - 9, 2);
	*p++ = '-';
	return stamp_digits(p, of_year - (153 * month + 2) / 5 + 1, 2);
}

void stamp_time(int64_t wall_us, char ret_text[STAMP_TIME_SIZE])
{
	int64_t day;
	unsigned second, fraction;
	char *p = ret_text;

	if (wall_us < STAMP_FIRST_US || wall_us > STAMP_LAST_US)
		wall_us = 0;
	day = (wall_us - STAMP_FIRST_US) / STAMP_DAY_US + STAMP_FIRST_US / STAMP_DAY_US;
	second = (unsigned)((wall_us - day * STAMP_DAY_US) / 1000000);
	fraction = (unsigned)((wall_us - day * STAMP_DAY_US) % 1000000);
	p = stamp_date(p, day);
	*p++ = 'T';
	p = stamp_digits(p, second / 3600, 2);
	*p++ = ':';
	p = stamp_digits(p, second / 60 % 60, 2);
	*p++ = ':';
	p = stamp_digits(p, second % 60, 2);
	*p++ = '.';
	p = stamp_digits(p, fraction, 6);
	*p++ = 'Z';
	*p = '\0';
}
