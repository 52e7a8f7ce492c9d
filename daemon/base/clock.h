/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

/* The two clocks. Inside the program time is monotonic; wall time is for what people and peers read. Units: microseconds. */

#include <stdint.h>

struct tm;

#define CLOCK_MS_US INT64_C(1000)
#define CLOCK_S_US  INT64_C(1000000)

int64_t clock_now_us(void);
int64_t clock_wall_us(void);

/* "2026-05-04T03:02:01.123456Z" of a wall time (RFC 3339). */
enum { CLOCK_TEXT_SIZE = 28 };
void clock_format(int64_t wall_us, char ret_text[CLOCK_TEXT_SIZE]);
/* "2026-05-04T03:02:01Z", for people. */
void clock_format_seconds(int64_t wall_us, char ret_text[CLOCK_TEXT_SIZE]);

/* Seconds since 1970 of a broken-down time in UTC. Of any year, which timegm(3) is not where a long has 32 bits. */
int64_t clock_seconds(const struct tm *utc);

/* A wall time that somebody wrote: a date ("2027-03-01", its beginning in UTC), a date and time (RFC 3339, with a zone), or a span from
 * `now_wall_us` on ("+90d", "+12h"). Errors: -EINVAL. */
int clock_parse(const char *text, int64_t now_wall_us, int64_t *ret_wall_us);

#endif
