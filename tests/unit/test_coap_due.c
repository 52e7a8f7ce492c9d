/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>

#include "coap/due.h"

enum { NUMBERS = 500 };

static struct due due;

static void setup(void)
{
	due = (struct due){0};
	ck_assert_int_eq(due_reserve(&due, NUMBERS), 0);
}

static void teardown(void)
{
	due_done(&due);
}

START_TEST(the_earliest_comes_first)
{
	ck_assert_int_eq(due_next_us(&due), INT64_MAX);
	due_set(&due, 3, 300);
	due_set(&due, 1, 100);
	due_set(&due, 2, 200);
	ck_assert_int_eq(due_next_us(&due), 100);
	ck_assert_uint_eq(due_first(&due), 1);
	due_set(&due, 1, 250);
	ck_assert_uint_eq(due_first(&due), 2);
	due_clear(&due, 2);
	due_clear(&due, 2);
	ck_assert_uint_eq(due_first(&due), 1);
	due_set(&due, 3, 10);
	ck_assert_uint_eq(due_first(&due), 3);
}
END_TEST

/* Against a plain table, with any mixture of setting, moving and clearing. */
START_TEST(any_order_comes_out_sorted)
{
	int64_t table[NUMBERS];
	uint32_t draw = 1;

	for (size_t i = 0; i < NUMBERS; i++)
		table[i] = INT64_MAX;
	for (unsigned round = 0; round < 20000; round++) {
		draw = draw * 1664525 + 1013904223;
		uint32_t number = (draw >> 8) % NUMBERS;
		if (draw >> 30 == 0) {
			due_clear(&due, number);
			table[number] = INT64_MAX;
		} else {
			table[number] = draw >> 12;
			due_set(&due, number, table[number]);
		}
		if (round % 50)
			continue;
		int64_t least = INT64_MAX;
		for (size_t i = 0; i < NUMBERS; i++)
			least = table[i] < least ? table[i] : least;
		ck_assert_int_eq(due_next_us(&due), least);
		ck_assert(least == INT64_MAX || table[due_first(&due)] == least);
	}
	for (int64_t last = 0; due_next_us(&due) != INT64_MAX; due_clear(&due, due_first(&due))) {
		ck_assert_int_ge(due_next_us(&due), last);
		last = due_next_us(&due);
	}
}
END_TEST

START_TEST(growing_keeps_what_is_set)
{
	due_set(&due, NUMBERS - 1, 5);
	ck_assert_int_eq(due_reserve(&due, NUMBERS * 2), 0);
	due_set(&due, NUMBERS * 2 - 1, 6);
	ck_assert_uint_eq(due_first(&due), NUMBERS - 1);
	due_clear(&due, NUMBERS - 1);
	ck_assert_uint_eq(due_first(&due), NUMBERS * 2 - 1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("coap_due");
	TCase *tcase = tcase_create("all");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, the_earliest_comes_first);
	tcase_add_test(tcase, any_order_comes_out_sorted);
	tcase_add_test(tcase, growing_keeps_what_is_set);
	suite_add_tcase(suite, tcase);

	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
