/* SPDX-License-Identifier: Apache-2.0 */
#include <time.h>

#include "base/clock.h"
#include "suite.h"

START_TEST(test_format)
{
	static const struct {
		int64_t wall_us;
		const char *text;
	} rows[] = {
		{0, "1970-01-01T00:00:00.000000Z"},
		{1, "1970-01-01T00:00:00.000001Z"},
		{INT64_C(951827696999999), "2000-02-29T12:34:56.999999Z"},
		{INT64_C(4102444800) * CLOCK_S_US, "2100-01-01T00:00:00.000000Z"},
		{INT64_C(253402300799999999), "9999-12-31T23:59:59.999999Z"},
	};
	char text[CLOCK_TEXT_SIZE];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		clock_format(rows[i].wall_us, text);
		ck_assert_str_eq(text, rows[i].text);
	}
}
END_TEST

START_TEST(test_format_of_nonsense_is_bounded)
{
	static const int64_t nonsense[] = {-1, INT64_MIN, INT64_MAX, INT64_C(253402300800) * CLOCK_S_US};
	char text[CLOCK_TEXT_SIZE];

	for (size_t i = 0; i < sizeof(nonsense) / sizeof(nonsense[0]); i++) {
		clock_format(nonsense[i], text);
		ck_assert_msg(strncmp(text, "1970-01-01T00:00:00.", 20) == 0, "%s", text);
		ck_assert_uint_eq(strlen(text), CLOCK_TEXT_SIZE - 1);
	}
}
END_TEST

START_TEST(test_clocks_are_those_of_the_system)
{
	int64_t first = clock_now_us();
	int64_t wall_s = (int64_t)time(NULL);

	ck_assert_int_gt(first, 0);
	ck_assert_int_ge(clock_now_us(), first);
	ck_assert_int_ge(clock_wall_us() / CLOCK_S_US, wall_s - 1);
}
END_TEST

SUITE_MAIN("clock", test_format, test_format_of_nonsense_is_bounded, test_clocks_are_those_of_the_system)
