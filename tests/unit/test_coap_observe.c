/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "observe_rig.h"

START_TEST(numbers_grow_with_the_time)
{
	struct observer *observer = rig_add(1, 0);
	uint32_t first = observe_number(observer, rig.now_us);
	ck_assert_uint_eq(observe_number(observer, rig.now_us), first + 1);
	ck_assert_uint_eq(observe_number(observer, rig.now_us), first + 2);
	observe_remove(rig.table, observer);
	observer = rig_add(1, 0);
	ck_assert_uint_eq(observe_number(observer, rig.now_us + S), first + S / 16);
	observe_remove(rig.table, observer);
}
END_TEST

/* What a client decides by: RFC 7641 section 3.4. */
static bool is_fresher(uint32_t v1, uint32_t v2, int64_t t1_us, int64_t t2_us)
{
	return (v1 < v2 && v2 - v1 < 1u << 23) || (v1 > v2 && v1 - v2 > 1u << 23) || t2_us > t1_us + 128 * (int64_t)S;
}

START_TEST(numbers_are_in_order_for_a_client_whenever_they_come)
{
	static const int64_t steps_us[] = {0,
					   1,
					   16,
					   MS,
					   S,
					   60 * (int64_t)S,
					   127 * (int64_t)S,
					   128 * (int64_t)S,
					   129 * (int64_t)S,
					   200 * (int64_t)S,
					   268 * (int64_t)S,
					   269 * (int64_t)S,
					   4000 * (int64_t)S};

	struct observer *observer = rig_add(1, 0);
	uint32_t before = observe_number(observer, rig.now_us);
	for (int round = 0; round < 400; round++) {
		int64_t step_us = steps_us[(size_t)(round * 7) % (sizeof(steps_us) / sizeof(steps_us[0]))];
		uint32_t number = observe_number(observer, rig.now_us + step_us);

		ck_assert_uint_le(number, 0xffffff);
		ck_assert_msg(is_fresher(before, number, rig.now_us, rig.now_us + step_us), "%x %x after %lld us",
			      before, number, (long long)step_us);
		before = number;
		rig.now_us += step_us;
	}
	observe_remove(rig.table, observer);
}
END_TEST

START_TEST(the_first_is_confirmable_the_next_are_not)
{
	struct observer *observer = rig_known();
	for (int i = 0; i < 5; i++) {
		rig_advance(S);
		rig_tell(observer, "b");
		rig_assert_sent(rig.n_sent - 1, MESSAGE_NON, "b");
	}
	ck_assert_uint_eq(rig.n_sent, 6);
	ck_assert_uint_eq(rig.counts[OBSERVE_COUNT_SENT], 6);
	observe_remove(rig.table, observer);
}
END_TEST

/* Where the clock has hardly begun, nobody has acknowledged anything either. */
START_TEST(the_first_is_confirmable_shortly_after_the_start_of_the_machine)
{
	rig.now_us = S;
	struct observer *observer = rig_add(1, 0);
	rig_tell(observer, "a");
	rig_assert_sent(0, MESSAGE_CON, "a");
	observe_remove(rig.table, observer);
}
END_TEST

START_TEST(one_is_confirmable_when_the_last_acknowledgement_is_too_old)
{
	struct observer *observer = rig_known();
	for (int i = 0; i < 59; i++) {
		rig_advance(S);
		rig_tell(observer, "b");
		rig_assert_sent(rig.n_sent - 1, MESSAGE_NON, "b");
	}
	rig_advance(S);
	rig_tell(observer, "c");
	rig_assert_sent(rig.n_sent - 1, MESSAGE_CON, "c");
	rig_acknowledge();
	rig_advance(S);
	rig_tell(observer, "d");
	rig_assert_sent(rig.n_sent - 1, MESSAGE_NON, "d");
	observe_remove(rig.table, observer);
}
END_TEST

START_TEST(the_newest_wins_while_one_is_under_way)
{
	struct observer *observer = rig_add(1, 0);
	rig_tell(observer, "a");
	for (const char *text = "bcdef"; *text; text++) {
		const char one[] = {*text, '\0'};

		rig_advance(10 * MS);
		rig_tell(observer, one);
	}
	ck_assert_uint_eq(rig.n_sent, 1);
	rig_acknowledge();
	rig_advance(S);
	ck_assert_uint_eq(rig.n_sent, 2);
	rig_assert_sent(1, MESSAGE_NON, "f");
	ck_assert_uint_eq(rig.counts[OBSERVE_COUNT_SKIPPED], 4);
	observe_remove(rig.table, observer);
}
END_TEST

/* RFC 7641 section 4.5.1. */
START_TEST(those_that_are_not_confirmable_keep_a_round_trip_apart)
{
	struct observer *observer = rig_known();
	rig_advance(S);
	rig_tell(observer, "b");
	ck_assert_uint_eq(rig.n_sent, 2);
	rig_advance(10 * MS);
	rig_tell(observer, "c");
	rig_advance(10 * MS);
	rig_tell(observer, "d");
	ck_assert_uint_eq(rig.n_sent, 2);
	rig_advance(79 * MS);
	ck_assert_uint_eq(rig.n_sent, 2);
	rig_advance(2 * MS);
	ck_assert_uint_eq(rig.n_sent, 3);
	rig_assert_sent(2, MESSAGE_NON, "d");
	ck_assert_int_eq(rig.sent[2].at_us - rig.sent[1].at_us, 100 * MS);
	observe_remove(rig.table, observer);
}
END_TEST

START_TEST(without_a_clear_round_trip_they_keep_3_s_apart)
{
	struct observer *observer = rig_add(1, 0);
	rig_tell(observer, "a");
	rig_advance(4 * S);
	ck_assert_uint_eq(rig.n_sent, 2);
	rig_acknowledge(); /* of which transmission, nobody knows */
	rig_tell(observer, "b");
	rig_advance(10 * S);
	rig_tell(observer, "c");
	rig_tell(observer, "d");
	rig_assert_sent(rig.n_sent - 1, MESSAGE_NON, "c");
	rig_advance(10 * S);
	rig_assert_sent(rig.n_sent - 1, MESSAGE_NON, "d");
	ck_assert_int_eq(rig.sent[rig.n_sent - 1].at_us - rig.sent[rig.n_sent - 2].at_us, 3 * S);
	observe_remove(rig.table, observer);
}
END_TEST

START_TEST(the_last_that_need_not_have_arrived_is_confirmed_later)
{
	struct observer *observer = rig_known();
	rig_advance(S);
	rig_tell(observer, "b");
	rig_assert_sent(1, MESSAGE_NON, "b");
	rig_advance(60 * (int64_t)S - 1);
	ck_assert_uint_eq(rig.n_sent, 2);
	rig_advance(1);
	ck_assert_uint_eq(rig.n_sent, 3);
	rig_assert_sent(2, MESSAGE_CON, "b");
	rig_acknowledge();
	rig_advance(1000 * (int64_t)S);
	ck_assert_uint_eq(rig.n_sent, 3);
	observe_remove(rig.table, observer);
}
END_TEST

static int64_t max_age(const struct coap_message *message)
{
	struct message_walk walk;
	struct message_option option;
	int64_t value = 0;

	message_walk_init(&walk, message);
	while (message_option_next(&walk, &option)) {
		if (option.number != MESSAGE_MAX_AGE)
			continue;
		for (size_t i = 0; i < option.value.size; i++)
			value = value << 8 | ((const uint8_t *)option.value.data)[i];
		return value;
	}
	return -1;
}

START_TEST(what_has_waited_is_as_much_older)
{
	struct observer *observer = rig_add(1, 0);
	rig_tell_aged(observer, "a", 300);
	ck_assert_int_eq(max_age(&rig.sent[0].message), 300);
	rig_tell_aged(observer, "b", 10);
	rig_advance(S + 500 * MS);
	rig_acknowledge();
	rig_advance(10 * S);
	rig_assert_sent(1, MESSAGE_NON, "b");
	ck_assert_int_eq(max_age(&rig.sent[1].message), 9);
	rig_advance(60 * (int64_t)S);
	rig_assert_sent(2, MESSAGE_CON, "b");
	ck_assert_int_eq(max_age(&rig.sent[2].message), 0);
	observe_remove(rig.table, observer);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("coap_observe");
	TCase *tcase = tcase_create("all");

	tcase_add_checked_fixture(tcase, rig_setup, rig_teardown);
	tcase_add_test(tcase, numbers_grow_with_the_time);
	tcase_add_test(tcase, numbers_are_in_order_for_a_client_whenever_they_come);
	tcase_add_test(tcase, the_first_is_confirmable_the_next_are_not);
	tcase_add_test(tcase, the_first_is_confirmable_shortly_after_the_start_of_the_machine);
	tcase_add_test(tcase, one_is_confirmable_when_the_last_acknowledgement_is_too_old);
	tcase_add_test(tcase, the_newest_wins_while_one_is_under_way);
	tcase_add_test(tcase, those_that_are_not_confirmable_keep_a_round_trip_apart);
	tcase_add_test(tcase, without_a_clear_round_trip_they_keep_3_s_apart);
	tcase_add_test(tcase, the_last_that_need_not_have_arrived_is_confirmed_later);
	tcase_add_test(tcase, what_has_waited_is_as_much_older);
	suite_add_tcase(suite, tcase);

	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
