/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
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

START_TEST(test_parse)
{
	static const struct {
		const char *text;
		int64_t wall_s; /* -1: refused */
	} rows[] = {
		{"1970-01-01", 0},
		{"2027-03-01", 1803859200},
		{"2000-02-29T12:34:56Z", 951827696},
		{"2000-02-29t12:34:56.789z", 951827696},
		{"2000-02-29T14:34:56+02:00", 951827696},
		{"2000-02-29T07:04:56-05:30", 951827696},
		{"2038-01-19T03:14:08Z", INT64_C(2147483648)},
		{"9999-12-31", INT64_C(253402214400)},
		{"+90d", 1000 + 90 * 86400},
		{"+100000d", 1000 + INT64_C(8640000000)},
		{"+0d", 1000},
		{"+12h", 1000 + 12 * 3600},
		{"", -1},
		{"+", -1},
		{"+-1d", -1},
		{"+90", -1},
		{"+90days", -1},
		{"+1000000d", -1},
		{"90d", -1},
		{"2027-3-1", -1},
		{"2027-13-01", -1},
		{"2027-02-29", -1},
		{"2027-00-10", -1},
		{"2027-03-01 ", -1},
		{"2027-03-01T", -1},
		{"2027-03-01T12:00", -1},
		{"2027-03-01T12:00:00", -1},
		{"2027-03-01T24:00:00Z", -1},
		{"2027-03-01T12:00:00+2:00", -1},
		{"2027-03-01T12:00:00Zulu", -1},
		{"1969-12-31", -1},
		{"tomorrow", -1},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int64_t wall_us = -1;
		int r = clock_parse(rows[i].text, 1000 * CLOCK_S_US, &wall_us);

		ck_assert_msg(r == (rows[i].wall_s < 0 ? -EINVAL : 0), "%s: %d", rows[i].text, r);
		ck_assert_msg(r < 0 || wall_us == rows[i].wall_s * CLOCK_S_US, "%s: %lld", rows[i].text,
			      (long long)wall_us);
	}
}
END_TEST

START_TEST(test_seconds_of_a_broken_time)
{
	ck_assert_int_eq(clock_seconds(&(struct tm){.tm_year = 70, .tm_mday = 1}), 0);
	ck_assert_int_eq(clock_seconds(&(struct tm){.tm_year = 200, .tm_mday = 1}), INT64_C(4102444800));
	ck_assert_int_eq(clock_seconds(&(struct tm){.tm_year = 8099, .tm_mon = 11, .tm_mday = 31}),
			 INT64_C(253402214400));
}
END_TEST

START_TEST(test_format_for_people)
{
	char text[CLOCK_TEXT_SIZE];

	clock_format_seconds(INT64_C(951827696999999), text);
	ck_assert_str_eq(text, "2000-02-29T12:34:56Z");
	clock_format_seconds(-1, text);
	ck_assert_str_eq(text, "1970-01-01T00:00:00Z");
}
END_TEST

SUITE_MAIN("clock", test_format, test_format_of_nonsense_is_bounded, test_clocks_are_those_of_the_system, test_parse,
	   test_seconds_of_a_broken_time, test_format_for_people)
