/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "mailbox_fixture.h"
#include "suite.h"

START_TEST(goes_out_when_it_is_on_disk)
{
	desk_setup();
	ck_assert_int_eq(desk_push(1, "pump", MAILBOX_SAFE, 60), 0);
	ck_assert_str_eq(desk_state(1), "being written");
	mailbox_awake(desk.mailbox, bytes_text("pump"));
	fake_pass(10 * CLOCK_S_US);
	ck_assert_uint_eq(desk.given_count, 0);
	ck_assert_int_eq(desk.receipts[1], DESK_NEVER);
	fake_begin(1);
	fake_finish(0);
	ck_assert_int_eq(desk.receipts[1], MAILBOX_TAKEN);
	ck_assert_uint_eq(desk.given_count, 1);
	ck_assert_uint_eq(desk.given[0].expiry_s, 50);
	ck_assert_str_eq(desk_state(1), "under way");
	desk_expect_counts(1, 1, 0, 0, 0);
	desk_answer(1);
	desk_expect_told(1, 1, TG_OUTCOME_DELIVERED);
	ck_assert_uint_eq(desk.told[0].code, 205);
	ck_assert_int_eq(desk.told[0].content_format, 50);
	ck_assert_str_eq(desk.told[0].payload, "ok");
	ck_assert_str_eq(desk_state(1), "ended");
	desk_expect_counts(1, 1, 0, 0, 0);
	ck_assert_uint_gt(fake_rows(), 0);
	desk_safe(true);
	desk_expect_counts(1, 0, 1, 0, 0);
	ck_assert_uint_eq(fake_rows(), 0);
	ck_assert_int_eq(fake_number(LEDGER_DELIVERED), 1);
	ck_assert_int_eq(fake_number(LEDGER_ACCEPTED), 1);
	ck_assert_str_eq(desk_state(1), "");
	desk_teardown();
}
END_TEST

START_TEST(receipts_are_given_as_asked_for)
{
	static const struct {
		enum mailbox_ack ack;
		uint32_t code;
		int pushed, committed, answered;
	} cases[] = {
		{MAILBOX_RECEIVED, 205, MAILBOX_TAKEN, MAILBOX_TAKEN, MAILBOX_TAKEN},
		{MAILBOX_RECEIVED, 404, MAILBOX_TAKEN, MAILBOX_TAKEN, MAILBOX_TAKEN},
		{MAILBOX_SAFE, 205, DESK_NEVER, MAILBOX_TAKEN, MAILBOX_TAKEN},
		{MAILBOX_SAFE, 500, DESK_NEVER, MAILBOX_TAKEN, MAILBOX_TAKEN},
		{MAILBOX_DELIVERED, 204, DESK_NEVER, DESK_NEVER, MAILBOX_TAKEN},
		{MAILBOX_DELIVERED, 399, DESK_NEVER, DESK_NEVER, MAILBOX_TAKEN},
		{MAILBOX_DELIVERED, 400, DESK_NEVER, DESK_NEVER, MAILBOX_REFUSED},
		{MAILBOX_DELIVERED, 503, DESK_NEVER, DESK_NEVER, MAILBOX_REFUSED},
	};

	desk_setup();
	desk.safe_at_once = true;
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ck_assert_int_eq(desk_push(i, "pump", cases[i].ack, 60), 0);
		ck_assert_int_eq(desk.receipts[i], cases[i].pushed);
		fake_run();
		ck_assert_int_eq(desk.receipts[i], cases[i].committed);
		desk_answer_with(i, cases[i].code, NULL);
		fake_run();
		ck_assert_int_eq(desk.receipts[i], cases[i].answered);
		desk_expect_told(i + 1, i, TG_OUTCOME_DELIVERED);
	}
	desk_expect_counts(8, 0, 8, 0, 0);
	desk_teardown();
}
END_TEST

START_TEST(one_of_a_device_at_a_time_and_in_order)
{
	desk_setup();
	for (unsigned i = 0; i < 6; i++)
		ck_assert_int_eq(desk_push(i, i % 2 ? "valve" : "pump", MAILBOX_SAFE, 60), 0);
	fake_run();
	ck_assert_uint_eq(desk.given_count, 2);
	ck_assert_int_eq(desk_stats().in_flight, 2);
	ck_assert_str_eq(desk_state(0), "under way");
	ck_assert_str_eq(desk_state(2), "waiting");
	desk_answer(1); /* does not wait for the other device */
	desk_answer(3);
	desk_answer(5);
	ck_assert_uint_eq(desk.given_count, 4);
	ck_assert_int_eq(desk_stats().telling, 3); /* nor for its outcomes to be taken */
	desk_answer(0);
	desk_answer(2);
	desk_answer(4);
	for (unsigned i = 0; i < 6; i++)
		ck_assert_uint_eq(desk_given(i), 1);
	ck_assert_uint_eq(desk.given[3].number, 5);
	ck_assert_uint_eq(desk.given[5].number, 4);
	desk_teardown();
}
END_TEST

START_TEST(sleeps_until_it_is_heard)
{
	desk_setup();
	desk.deliver_result = -ENOTCONN;
	desk_put(1, "pump");
	desk_put(2, "pump");
	ck_assert_str_eq(desk_state(1), "asleep");
	desk.deliver_result = 0;
	fake_pass(1800 * CLOCK_S_US);
	ck_assert_uint_eq(desk.given_count, 0);
	mailbox_awake(desk.mailbox, bytes_text("pump-2")); /* somebody else */
	mailbox_awake(desk.mailbox, bytes_text(""));
	ck_assert_uint_eq(desk.given_count, 0);
	mailbox_awake(desk.mailbox, bytes_text("pump"));
	ck_assert_uint_eq(desk.given_count, 1);
	ck_assert_uint_eq(desk.given[0].number, 1);
	ck_assert_uint_eq(desk.given[0].expiry_s, 1800);
	desk_retry(1); /* it was heard before it was tried, not since */
	ck_assert_str_eq(desk_state(1), "asleep");
	mailbox_awake_all(desk.mailbox);
	ck_assert_uint_eq(desk.given_count, 2);
	mailbox_awake(desk.mailbox, bytes_text("pump")); /* while it is under way */
	ck_assert_uint_eq(desk.given_count, 2);
	desk_retry(1);
	ck_assert_uint_eq(desk.given_count, 3);
	ck_assert_uint_eq(desk.given[2].number, 1);
	desk_retry(1); /* that counted once */
	ck_assert_str_eq(desk_state(1), "asleep");
	ck_assert_int_eq(desk_stats().retried, 3);
	mailbox_awake(desk.mailbox, bytes_text("pump"));
	desk_answer(1);
	desk_answer(2);
	desk_teardown();
}
END_TEST

START_TEST(other_failures_pass)
{
	desk_setup();
	desk.deliver_result = -EAGAIN;
	desk_put(1, "pump");
	ck_assert_str_eq(desk_state(1), "waiting");
	fake_pass(5 * CLOCK_S_US / 2);
	desk.deliver_result = 0;
	fake_pass(CLOCK_S_US / 2 - 1);
	ck_assert_uint_eq(desk.given_count, 0);
	fake_pass(1);
	ck_assert_uint_eq(desk.given_count, 1);
	desk_teardown();
}
END_TEST

START_TEST(refusals_say_why)
{
	char reason[400];

	desk_setup();
	desk_put(1, "pump");
	desk_reject(1, "the device spoke nonsense");
	desk_expect_told(1, 1, TG_OUTCOME_REFUSED);
	ck_assert_uint_eq(desk.told[0].code, 0);
	ck_assert_str_eq(desk.told[0].reason, "the device spoke nonsense");
	ck_assert_str_eq(desk.told[0].payload, "");
	desk_safe(true);
	desk_expect_counts(1, 0, 0, 1, 0);
	desk_put(2, "pump");
	desk_reject(2, "");
	ck_assert_str_ne(desk.told[1].reason, "");
	desk_safe(true);
	for (unsigned i = 0; i < 6; i++) { /* a long one is cut between two characters */
		memset(reason, 'x', i);
		for (unsigned k = i; k + 3 < sizeof(reason) - 1; k += 3)
			memcpy(reason + k, "\xe2\x82\xac", 4);
		desk_put(3 + i, "pump");
		desk_reject(3 + i, reason);
		ck_assert(bytes_is_utf8(bytes_text(desk.told[2 + i].reason)));
		ck_assert_uint_ge(strlen(desk.told[2 + i].reason), 100);
		desk_safe(true);
	}
	desk_expect_counts(8, 0, 0, 8, 0);
	desk_teardown();
}
END_TEST

START_TEST(a_confirmation_without_words_is_a_delivery)
{
	desk_setup();
	ck_assert_int_eq(desk_push(1, "pump", MAILBOX_DELIVERED, 60), 0);
	fake_run();
	ck_assert(mailbox_answer(desk.mailbox, DESK_CARRIER, desk_ticket(1), TG_CONFIRMED, bytes_text("")));
	fake_run();
	desk_expect_told(1, 1, TG_OUTCOME_DELIVERED);
	ck_assert_uint_eq(desk.told[0].code, 0);
	ck_assert_int_eq(desk.receipts[1], MAILBOX_TAKEN);
	desk_safe(true);
	desk_expect_counts(1, 0, 1, 0, 0);
	desk_teardown();
}
END_TEST

START_TEST(an_outcome_is_told_until_it_is_safe)
{
	desk_setup();
	desk.ended_result = -ENOSPC;
	desk_put(1, "pump");
	desk_answer(1);
	desk_expect_told(1, 1, TG_OUTCOME_DELIVERED);
	mailbox_refuse(desk.mailbox, bytes_text("pump"), "too late");
	fake_pass(CLOCK_S_US - 1);
	ck_assert_uint_eq(desk.told_count, 1);
	desk.ended_result = 0;
	fake_pass(1);
	desk_expect_told(2, 1, TG_OUTCOME_DELIVERED);
	ck_assert_str_eq(desk.told[1].payload, "ok");
	mailbox_told(desk.mailbox, desk.told[0].name, true); /* that one was over */
	ck_assert_uint_eq(fake_rows(), 2);
	fake_pass(3600 * CLOCK_S_US);
	ck_assert_uint_eq(desk.told_count, 2); /* somebody has it */
	desk_safe(false);
	fake_pass(CLOCK_S_US);
	desk_expect_told(3, 1, TG_OUTCOME_DELIVERED);
	desk_expect_counts(1, 1, 0, 0, 0);
	desk_safe(true);
	desk_safe(true);
	desk_safe(false);
	fake_pass(10 * CLOCK_S_US);
	ck_assert_uint_eq(desk.told_count, 3);
	ck_assert_uint_eq(fake_rows(), 0);
	desk_expect_counts(1, 0, 1, 0, 0);
	ck_assert_int_eq(desk_stats().delivered, 1); /* counted once, told three times */
	desk_teardown();
}
END_TEST

/* What is due of one command does not hurry what has failed of the others. */
START_TEST(each_is_tried_again_in_its_own_time)
{
	desk_setup();
	desk.ended_result = -ENOSPC;
	desk_put(1, "pump");
	desk_answer(1);
	desk.deliver_result = -EAGAIN;
	desk_put(2, "pump");
	desk_put(3, "fan");
	desk.deliver_result = 0;
	for (unsigned i = 4; i < 8; i++) {
		ck_assert_int_eq(desk_push(i, "valve", MAILBOX_RECEIVED, 60), 0);
		fake_begin(1);
		fake_finish(-EIO);
		fake_pass(CLOCK_S_US / 5);
	}
	ck_assert_uint_eq(desk.told_count, 1);
	ck_assert_uint_eq(desk.given_count, 1);
	ck_assert_uint_eq(fake_waiting(), 0);
	fake_pass(CLOCK_S_US / 5);
	ck_assert_uint_eq(desk.told_count, 2);
	ck_assert_uint_eq(desk.given_count, 3);
	ck_assert_uint_eq(fake_waiting(), 1);
	fake_pass(CLOCK_S_US / 5);
	ck_assert_uint_eq(desk.told_count, 2);
	ck_assert_uint_eq(fake_waiting(), 2);
	desk.ended_result = 0;
	desk_teardown();
}
END_TEST

START_TEST(strangers_tickets_are_ignored)
{
	const struct tg_response response = {.size = sizeof(response), .code = 205};
	uint64_t ticket;

	desk_setup();
	desk_put(1, "pump");
	ticket = desk_ticket(1);
	ck_assert(!mailbox_answer(desk.mailbox, DESK_CARRIER + 1, ticket, TG_CONFIRMED, bytes_text("")));
	ck_assert(!mailbox_answered(desk.mailbox, DESK_CARRIER + 1, ticket, &response));
	ck_assert(!mailbox_answered(desk.mailbox, DESK_CARRIER, ticket + 1, &response));
	ck_assert(!mailbox_answered(desk.mailbox, DESK_CARRIER, 0, &response));
	mailbox_told(desk.mailbox, ticket, true);
	ck_assert_str_eq(desk_state(1), "under way");
	desk_retry(1);
	ck_assert(!mailbox_answer(desk.mailbox, DESK_CARRIER, ticket, TG_CONFIRMED, bytes_text("")));
	mailbox_awake(desk.mailbox, bytes_text("pump"));
	ck_assert_uint_ne(desk_ticket(1), ticket);
	ck_assert(!mailbox_answer(desk.mailbox, DESK_CARRIER, ticket, TG_CONFIRMED, bytes_text("")));
	desk_answer(1);
	ticket = desk.told[0].name;
	ck_assert(!mailbox_answer(desk.mailbox, DESK_CARRIER, ticket, TG_CONFIRMED, bytes_text("")));
	ck_assert(!mailbox_answered(desk.mailbox, DESK_CARRIER, ticket, &response));
	desk_safe(true);
	desk_expect_counts(1, 0, 1, 0, 0);
	desk_teardown();
}
END_TEST

START_TEST(what_a_process_had_comes_back_when_it_is_gone)
{
	desk_setup();
	desk_put(1, "pump");
	desk_put(2, "pump");
	desk_put(3, "valve");
	desk_put(4, "fan");
	desk_answer(4); /* being told: not a matter of the process */
	mailbox_carrier_gone(desk.mailbox, DESK_CARRIER + 1);
	ck_assert_int_eq(desk_stats().in_flight, 2);
	mailbox_awake(desk.mailbox, bytes_text("valve")); /* has a session elsewhere already */
	mailbox_carrier_gone(desk.mailbox, DESK_CARRIER);
	ck_assert_str_eq(desk_state(1), "asleep");
	ck_assert_str_eq(desk_state(2), "asleep");
	ck_assert_str_eq(desk_state(3), "under way");
	ck_assert_str_eq(desk_state(4), "ended");
	ck_assert_uint_eq(desk_given(3), 2);
	mailbox_awake(desk.mailbox, bytes_text("pump"));
	desk_answer(1);
	desk_answer(2);
	desk_answer(3);
	ck_assert_int_eq(desk_stats().delivered, 4);
	desk_teardown();
}
END_TEST

SUITE_MAIN("mailbox", goes_out_when_it_is_on_disk, receipts_are_given_as_asked_for,
	   one_of_a_device_at_a_time_and_in_order, sleeps_until_it_is_heard, other_failures_pass, refusals_say_why,
	   a_confirmation_without_words_is_a_delivery, an_outcome_is_told_until_it_is_safe,
	   each_is_tried_again_in_its_own_time, strangers_tickets_are_ignored,
	   what_a_process_had_comes_back_when_it_is_gone)
