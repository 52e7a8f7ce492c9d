/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "mock_host.h"

static struct mock_host *mock;

static void setup(void)
{
	ck_assert_int_eq(mock_host_new(mock_adapter("loopback"), &mock), 0);
	mock->virtual_time = true;
}

static void teardown(void)
{
	mock_host_free(mock);
}

START_TEST(a_delivery_comes_back_and_is_confirmed_by_its_verdict)
{
	uint64_t ticket;

	ck_assert_int_eq(mock_begin(mock), 0);
	ck_assert_int_eq(mock->link, TG_LINK_UP);
	ck_assert_int_eq(mock_deliver_text(mock, "/hall/temperature", "21.5", &ticket), 0);
	ck_assert_uint_eq(mock->n_submissions, 1);
	ck_assert_str_eq(mock->submissions[0].path, "hall/temperature");
	ck_assert_str_eq(mock->submissions[0].device, "mock");
	ck_assert_str_eq((const char *)mock->submissions[0].payload, "21.5");
	ck_assert_int_eq(mock_result(mock, ticket), -1);
	mock_accept(mock, mock->submissions[0].token);
	ck_assert_int_eq(mock_result(mock, ticket), TG_CONFIRMED);
	ck_assert_int_eq(mock_counter(mock, "confirmed"), 1);
}
END_TEST

START_TEST(refusals_become_retry_or_rejected)
{
	uint64_t full, forbidden;

	ck_assert_int_eq(mock_begin(mock), 0);
	ck_assert_int_eq(mock_deliver_text(mock, "a", "1", &full), 0);
	ck_assert_int_eq(mock_deliver_text(mock, "b", "2", &forbidden), 0);
	mock_refuse(mock, mock->submissions[1].token, TG_NOT_ALLOWED);
	mock_refuse(mock, mock->submissions[0].token, TG_FULL);
	ck_assert_int_eq(mock_result(mock, full), TG_RETRY);
	ck_assert_int_eq(mock_result(mock, forbidden), TG_REJECTED);
	ck_assert_str_eq(mock->tickets[forbidden - 1].reason, "refused");
	mock->submit_error = -ENOBUFS;
	ck_assert_int_eq(mock_deliver_text(mock, "c", "3", NULL), -EAGAIN);
	mock->submit_error = -EMSGSIZE;
	ck_assert_int_eq(mock_deliver_text(mock, "d", "4", &full), 0);
	ck_assert_int_eq(mock_result(mock, full), TG_REJECTED);
}
END_TEST

START_TEST(a_confirmation_waits_for_its_delay)
{
	uint64_t first, second;

	mock_set(mock, "submit", "false");
	mock_set(mock, "delay_ms", "250");
	ck_assert_int_eq(mock_begin(mock), 0);
	ck_assert_int_eq(mock_deliver_text(mock, "a", "1", &first), 0);
	mock_advance(mock, 100000);
	ck_assert_int_eq(mock_deliver_text(mock, "a", "2", &second), 0);
	mock_advance(mock, 149999);
	ck_assert_int_eq(mock_result(mock, first), -1);
	mock_advance(mock, 1);
	ck_assert_int_eq(mock_result(mock, first), TG_CONFIRMED);
	ck_assert_int_eq(mock_result(mock, second), -1);
	mock_advance(mock, 100000);
	ck_assert_int_eq(mock_result(mock, second), TG_CONFIRMED);
	ck_assert_uint_eq(mock->n_submissions, 0);
}
END_TEST

START_TEST(ordered_faults_come_at_their_turn)
{
	static const int expected[] = {TG_CONFIRMED, TG_RETRY, TG_REJECTED, TG_RETRY, TG_CONFIRMED, TG_RETRY};
	uint64_t ticket;

	mock_set(mock, "submit", "false");
	mock_set(mock, "retry_every", "2");
	mock_set(mock, "reject_every", "3");
	ck_assert_int_eq(mock_begin(mock), 0);
	for (unsigned i = 0; i < 6; i++) {
		ck_assert_int_eq(mock_deliver_text(mock, "a", "x", &ticket), 0);
		ck_assert_int_eq(mock_result(mock, ticket), expected[i]);
	}
}
END_TEST

START_TEST(the_generator_keeps_to_its_window)
{
	mock_set(mock, "generate", "1000");
	mock_set(mock, "window", "10");
	mock_set(mock, "payload_bytes", "8");
	ck_assert_int_eq(mock_begin(mock), 0);
	mock_settle(mock);
	ck_assert_uint_eq(mock->n_submissions, 10);
	mock_advance(mock, 1000000);
	ck_assert_uint_eq(mock->n_submissions, 10);
	ck_assert_str_eq((const char *)mock->submissions[9].payload, "9 ......");
	mock->accept_all = true;
	mock_settle(mock);
	ck_assert_uint_eq(mock->n_submissions, 1000);
	ck_assert_int_eq(mock_counter(mock, "accepted"), 1000);
}
END_TEST

START_TEST(the_generator_keeps_its_rate)
{
	mock_set(mock, "generate", "100000");
	mock_set(mock, "rate", "500");
	mock_set(mock, "payload_bytes", "0");
	mock->accept_all = true;
	ck_assert_int_eq(mock_begin(mock), 0);
	mock_advance(mock, 2000000);
	ck_assert_uint_eq(mock->n_submissions, 1001);
	mock_set(mock, "window", "8");
	mock_set(mock, "path", "other");
	ck_assert_int_eq(mock_reload(mock), 0);
	mock_advance(mock, 100000);
	ck_assert_str_eq(mock->submissions[mock->n_submissions - 1].path, "other");
}
END_TEST

START_TEST(the_generator_waits_where_the_host_has_no_room)
{
	mock_set(mock, "generate", "5");
	mock->submit_error = -ENOBUFS;
	ck_assert_int_eq(mock_begin(mock), 0);
	mock_advance(mock, 1000000);
	ck_assert_uint_eq(mock->n_submissions, 0);
	mock->submit_error = 0;
	mock_advance(mock, 20000);
	ck_assert_uint_eq(mock->n_submissions, 5);
	ck_assert_str_eq((const char *)mock->submissions[0].payload + 60, "....");
}
END_TEST

START_TEST(the_link_flaps_and_settles_after_a_reload)
{
	mock_set(mock, "flap_ms", "100");
	ck_assert_int_eq(mock_begin(mock), 0);
	mock_advance(mock, 150000);
	ck_assert_int_eq(mock->link, TG_LINK_DOWN);
	ck_assert_int_eq(mock_deliver_text(mock, "a", "x", NULL), -EAGAIN);
	mock_advance(mock, 100000);
	ck_assert_int_eq(mock->link, TG_LINK_UP);
	mock_advance(mock, 100000);
	ck_assert_int_eq(mock->link, TG_LINK_DOWN);
	mock_set(mock, "flap_ms", "0");
	ck_assert_int_eq(mock_reload(mock), 0);
	ck_assert_int_eq(mock->link, TG_LINK_UP);
	mock_advance(mock, 1000000);
	ck_assert_int_eq(mock->link, TG_LINK_UP);
}
END_TEST

START_TEST(stop_waits_for_what_was_begun)
{
	uint64_t ticket;

	mock_set(mock, "generate", "100");
	mock_set(mock, "window", "1");
	ck_assert_int_eq(mock_begin(mock), 0);
	mock_settle(mock);
	ck_assert_int_eq(mock_deliver_text(mock, "a", "x", &ticket), 0);
	mock_stop(mock);
	ck_assert_int_eq(mock_deliver_text(mock, "b", "y", NULL), -EAGAIN);
	ck_assert(!mock->stopped);
	mock_accept(mock, mock->submissions[1].token);
	ck_assert(!mock->stopped);
	mock_accept(mock, mock->submissions[0].token);
	ck_assert(mock->stopped);
	mock_advance(mock, 1000000);
	ck_assert_uint_eq(mock->n_submissions, 2);
}
END_TEST

START_TEST(crashes_when_ordered)
{
	mock_set(mock, "crash_after", "2");
	mock_set(mock, "submit", "false");
	ck_assert_int_eq(mock_begin(mock), 0);
	ck_assert_int_eq(mock_deliver_text(mock, "a", "x", NULL), 0);
	mock_deliver_text(mock, "a", "x", NULL);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("loopback");
	TCase *tcase = tcase_create("loopback");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, a_delivery_comes_back_and_is_confirmed_by_its_verdict);
	tcase_add_test(tcase, refusals_become_retry_or_rejected);
	tcase_add_test(tcase, a_confirmation_waits_for_its_delay);
	tcase_add_test(tcase, ordered_faults_come_at_their_turn);
	tcase_add_test(tcase, the_generator_keeps_to_its_window);
	tcase_add_test(tcase, the_generator_keeps_its_rate);
	tcase_add_test(tcase, the_generator_waits_where_the_host_has_no_room);
	tcase_add_test(tcase, the_link_flaps_and_settles_after_a_reload);
	tcase_add_test(tcase, stop_waits_for_what_was_begun);
	tcase_add_test_raise_signal(tcase, crashes_when_ordered, SIGABRT);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
