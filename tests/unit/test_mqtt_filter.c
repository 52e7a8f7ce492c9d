/* SPDX-License-Identifier: Apache-2.0 */
#include "suite.h"

#include <errno.h>
#include <string.h>

#include "common/round.h"
#include "mqtt/filter.h"

START_TEST(patterns_become_filters)
{
	static const struct {
		const char *pattern, *filter;
	} rows[] = {
		{"a", "a"},
		{"*", "+"},
		{"**", "#"},
		{"plant/hall-3/*/command/**", "plant/hall-3/+/command/#"},
		{"a/*/b", "a/+/b"},
		{"a%2Ab/%2A", "a*b/*"},
		{"100%25/x", "100%/x"},
		{"a%252Bb", "a%2Bb"}, /* a given name with '+', as an address writes it */
		{"gr\xc3\xbc%C3%9F", "gr\xc3\xbc\xc3\x9f"},
		{"$SYS/x", "$SYS/x"},
		{"a//b", "a//b"},
	};
	char filter[FILTER_SIZE];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		ck_assert_int_eq(filter_from_pattern(rows[i].pattern, filter), 0);
		ck_assert_str_eq(filter, rows[i].filter);
	}
}
END_TEST

START_TEST(what_no_topic_can_match_is_refused)
{
	static const char *const rows[] = {"",      "a+b",    "+",          "#",           "a/#", "a%2Bb",
					   "a%23",  "a%2Fb",  "a%00b",      "a%",          "a%4", "a%zz",
					   "a\xff", "%C3%28", "$share/a/b", "%24share/a/b"};
	char filter[FILTER_SIZE], *large = malloc(FILTER_SIZE + 1);

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		ck_assert_msg(filter_from_pattern(rows[i], filter) == -EINVAL, "%s", rows[i]);
	ck_assert_ptr_nonnull(large);
	memset(large, 'a', FILTER_SIZE);
	large[FILTER_SIZE] = '\0';
	ck_assert_int_eq(filter_from_pattern(large, filter), -ENAMETOOLONG);
	large[FILTER_SIZE - 1] = '\0';
	ck_assert_int_eq(filter_from_pattern(large, filter), 0);
	free(large);
}
END_TEST

START_TEST(filters_cover_and_overlap)
{
	enum { NONE = 0, OVERLAP = 1, COVER = 2, COVERED = 4 };
	static const struct {
		const char *a, *b;
		int what;
	} rows[] = {
		{"a", "a", OVERLAP | COVER | COVERED},
		{"a", "b", NONE},
		{"a", "a/b", NONE},
		{"ab", "a", NONE},
		{"+", "a", OVERLAP | COVER},
		{"+", "a/b", NONE},
		{"#", "a/b", OVERLAP | COVER},
		{"#", "#", OVERLAP | COVER | COVERED},
		{"#", "+", OVERLAP | COVER},
		{"a/#", "a", OVERLAP | COVER},
		{"a/#", "a/b/c", OVERLAP | COVER},
		{"a/#", "a/+", OVERLAP | COVER},
		{"a/#", "b/#", NONE},
		{"a/#", "ab", NONE},
		{"a/+/c", "a/b/+", OVERLAP},
		{"a/+/c", "a/b/d", NONE},
		{"+/b", "a/+", OVERLAP},
		{"+/b/#", "a/#", OVERLAP},
		{"a/+", "a/b/c", NONE},
		{"a/+/#", "a", NONE},
		{"a/+/#", "a/#", OVERLAP | COVERED},
		{"a/b/#", "a/+", OVERLAP},
		{"#", "$SYS/a", NONE},
		{"+/a", "$SYS/a", NONE},
		{"$SYS/#", "$SYS/a", OVERLAP | COVER},
		{"a//b", "a/+/b", OVERLAP | COVERED},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *a = rows[i].a, *b = rows[i].b;

		ck_assert_msg(filter_overlaps(a, b) == !!(rows[i].what & OVERLAP), "%s %s", a, b);
		ck_assert_msg(filter_overlaps(b, a) == !!(rows[i].what & OVERLAP), "%s %s", b, a);
		ck_assert_msg(filter_covers(a, b) == !!(rows[i].what & COVER), "%s %s", a, b);
		ck_assert_msg(filter_covers(b, a) == !!(rows[i].what & COVERED), "%s %s", b, a);
	}
}
END_TEST

START_TEST(brokers_are_tried_in_rounds)
{
	struct round round = {0};

	ck_assert_int_eq(round_failed(&round, 3, 1000, 5000, 0), 0);
	ck_assert_uint_eq(round.broker, 1);
	ck_assert_int_eq(round_failed(&round, 3, 1000, 5000, 0), 0);
	ck_assert_int_eq(round_failed(&round, 3, 1000, 5000, 0), 500);
	ck_assert_uint_eq(round.broker, 0);
	ck_assert_int_eq(round_pause(&round, 1000, 5000, UINT32_MAX), 1999);
	ck_assert_int_eq(round_pause(&round, 1000, 5000, 0), 2000);
	ck_assert_int_eq(round_pause(&round, 1000, 5000, 0), 2500);
	ck_assert_int_eq(round_pause(&round, 1000, 5000, 0), 2500);
}
END_TEST

SUITE_MAIN("mqtt_filter", patterns_become_filters, what_no_topic_can_match_is_refused, filters_cover_and_overlap,
	   brokers_are_tried_in_rounds)
