/* SPDX-License-Identifier: Apache-2.0 */
#include "base/backoff.h"
#include "suite.h"

/* With the highest draw a delay is its whole span, with the lowest its half. */
START_TEST(test_doubles_up_to_the_limit)
{
	static const int64_t spans[] = {1000, 2000, 4000, 8000, 10000, 10000, 10000};
	struct backoff highest = {.min_us = 1000, .max_us = 10000};
	struct backoff lowest = highest;

	for (size_t i = 0; i < sizeof(spans) / sizeof(spans[0]); i++) {
		ck_assert_int_eq(backoff_next(&highest, UINT32_MAX), spans[i]);
		ck_assert_int_eq(backoff_next(&lowest, 0), spans[i] / 2);
	}
}
END_TEST

START_TEST(test_reset_starts_over)
{
	struct backoff backoff = {.min_us = 1000, .max_us = 60000};

	for (int i = 0; i < 10; i++)
		backoff_next(&backoff, 7);
	backoff_reset(&backoff);
	ck_assert_int_eq(backoff_next(&backoff, UINT32_MAX), 1000);
}
END_TEST

START_TEST(test_long_spans_do_not_overflow)
{
	const int64_t year_us = INT64_C(365) * 24 * 3600 * 1000000;
	struct backoff backoff = {.min_us = 1, .max_us = year_us};

	for (int i = 0; i < 200; i++) {
		int64_t delay = backoff_next(&backoff, 0xdeadbeef);

		ck_assert_int_ge(delay, 0);
		ck_assert_int_le(delay, year_us);
	}
	ck_assert_int_eq(backoff.span_us, year_us);
}
END_TEST

SUITE_MAIN("backoff", test_doubles_up_to_the_limit, test_reset_starts_over, test_long_spans_do_not_overflow)
