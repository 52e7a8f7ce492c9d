/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "mailbox_fixture.h"
#include "suite.h"

/* Commits that fail, devices that are revoked, processes that end, rows that are damaged. */

START_TEST(what_cannot_be_written_is_refused)
{
	desk_setup();
	ck_assert_int_eq(desk_push(1, "pump", MAILBOX_SAFE, 60), 0);
	ck_assert_int_eq(desk_push(2, "pump", MAILBOX_DELIVERED, 60), 0);
	fake_begin(2);
	fake_finish(-EIO);
	ck_assert_int_eq(desk.receipts[1], MAILBOX_FULL);
	ck_assert_int_eq(desk.receipts[2], MAILBOX_FULL);
	desk_expect_counts(0, 0, 0, 0, 0);
	ck_assert_int_eq(ledger_get(mailbox_account(desk.mailbox), LEDGER_REFUSED + (enum ledger_item)TG_FULL), 2);
	ck_assert_int_eq(desk_stats().devices, 0);
	fake_pass(120 * CLOCK_S_US);
	fake_run();
	ck_assert_uint_eq(desk.given_count + desk.told_count, 0);
	desk_put(1, "pump"); /* its sender comes again */
	ck_assert_uint_eq(desk.given_count, 1);
	desk_teardown();
}
END_TEST

START_TEST(what_was_promised_is_tried_again)
{
	desk_setup();
	ck_assert_int_eq(desk_push(1, "pump", MAILBOX_RECEIVED, 60), 0);
	ck_assert_int_eq(desk_push(2, "pump", MAILBOX_SAFE, 60), 0);
	ck_assert_int_eq(desk.receipts[1], MAILBOX_TAKEN);
	fake_begin(1);
	fake_finish(-EIO);
	fake_run();
	ck_assert_str_eq(desk_state(1), "not written");
	ck_assert_str_eq(desk_state(2), "waiting"); /* behind the other */
	ck_assert_uint_eq(desk.given_count, 0);
	fake_pass(CLOCK_S_US);
	fake_begin(1);
	fake_finish(-ENOSPC);
	fake_pass(CLOCK_S_US);
	fake_run();
	ck_assert_uint_eq(desk.given_count, 1);
	ck_assert_uint_eq(desk.given[0].number, 1);
	desk_answer(1);
	desk_safe(true);
	desk_answer(2);
	desk_safe(true);
	desk_expect_counts(2, 0, 2, 0, 0);
	ck_assert_int_eq(fake_number(LEDGER_ACCEPTED), 2);
	ck_assert_int_eq(fake_number(LEDGER_DELIVERED), 2);
	desk_teardown();
}
END_TEST

/* It never was on disk; its end is counted all the same. */
START_TEST(what_was_promised_expires_unwritten)
{
	desk_setup();
	ck_assert_int_eq(desk_push(1, "pump", MAILBOX_RECEIVED, 5), 0);
	for (unsigned i = 0; i < 5; i++) {
		fake_begin(1);
		fake_finish(-EIO);
		fake_pass(CLOCK_S_US);
	}
	fake_run();
	fake_pass(CLOCK_S_US);
	fake_run();
	desk_expect_told(1, 1, TG_OUTCOME_EXPIRED);
	desk_safe(true);
	desk_expect_counts(1, 0, 0, 0, 1);
	ck_assert_uint_eq(fake_rows(), 0);
	ck_assert_int_eq(fake_number(LEDGER_ACCEPTED), 1);
	ck_assert_int_eq(fake_number(LEDGER_EXPIRED), 1);
	desk_teardown();
}
END_TEST

START_TEST(a_revoked_device_gets_nothing_more)
{
	desk_setup();
	desk_put(1, "pump"); /* under way */
	ck_assert_int_eq(desk_push(2, "pump", MAILBOX_DELIVERED, 60), 0);
	fake_run(); /* waits */
	ck_assert_int_eq(desk_push(3, "pump", MAILBOX_RECEIVED, 60), 0);
	fake_begin(1);
	fake_finish(-EIO);                                           /* not written */
	ck_assert_int_eq(desk_push(4, "pump", MAILBOX_SAFE, 60), 0); /* being written */
	desk_put(5, "valve");
	mailbox_refuse(desk.mailbox, bytes_text("pump"), "the device was revoked");
	mailbox_refuse(desk.mailbox, bytes_text("pump"), "twice");
	mailbox_refuse(desk.mailbox, bytes_text("nobody"), "the device was revoked");
	ck_assert(!mailbox_answer(desk.mailbox, DESK_CARRIER, desk_ticket(1), TG_CONFIRMED, bytes_text("")));
	mailbox_awake(desk.mailbox, bytes_text("pump"));
	fake_run();
	fake_pass(2 * CLOCK_S_US);
	fake_run();
	ck_assert_uint_eq(desk.told_count, 4);
	for (unsigned i = 0; i < 4; i++) {
		ck_assert_int_eq(desk.told[i].outcome, TG_OUTCOME_REFUSED);
		ck_assert_str_eq(desk.told[i].reason, "the device was revoked");
		mailbox_told(desk.mailbox, desk.told[i].name, true);
	}
	ck_assert_int_eq(desk.receipts[2], MAILBOX_REFUSED);
	ck_assert_int_eq(desk.receipts[4], MAILBOX_TAKEN);
	fake_run();
	desk_expect_counts(5, 1, 0, 4, 0);
	ck_assert_int_eq(fake_number(LEDGER_ACCEPTED), 5);
	ck_assert_int_eq(fake_number(LEDGER_REJECTED), 4);
	ck_assert_uint_eq(desk_given(1), 1);
	ck_assert_uint_eq(desk.given_count, 2);
	desk_teardown();
}
END_TEST

START_TEST(a_refused_one_that_is_not_written_is_just_refused)
{
	desk_setup();
	ck_assert_int_eq(desk_push(1, "pump", MAILBOX_SAFE, 60), 0);
	mailbox_refuse(desk.mailbox, bytes_text("pump"), "the device was revoked");
	fake_begin(1);
	fake_finish(-EIO);
	ck_assert_int_eq(desk.receipts[1], MAILBOX_FULL);
	fake_pass(100 * CLOCK_S_US);
	ck_assert_uint_eq(desk.told_count, 0);
	desk_expect_counts(0, 0, 0, 0, 0);
	desk_teardown();
}
END_TEST

/* What the device has said stands on disk before anybody is told; so it is not asked again, and nobody hears of another end. */
START_TEST(an_outcome_is_written_before_it_is_told)
{
	desk_setup();
	ck_assert_int_eq(desk_push(1, "pump", MAILBOX_DELIVERED, 60), 0);
	fake_run();
	desk_answer_with(1, 205, "ok");
	ck_assert_uint_eq(desk.told_count, 0);
	ck_assert_int_eq(desk.receipts[1], DESK_NEVER);
	fake_begin(1);
	fake_finish(-EIO);
	ck_assert_uint_eq(desk.told_count, 0);
	fake_pass(CLOCK_S_US);
	fake_run();
	desk_expect_told(1, 1, TG_OUTCOME_DELIVERED);
	ck_assert_int_eq(desk.receipts[1], MAILBOX_TAKEN);
	desk_expect_counts(1, 1, 0, 0, 0);

	fake_pass(100 * CLOCK_S_US); /* its time is over */
	desk_restart();
	ck_assert_uint_eq(desk.given_count, 0);
	desk_expect_told(1, 1, TG_OUTCOME_DELIVERED);
	ck_assert_uint_eq(desk.told[0].code, 205);
	ck_assert_int_eq(desk.told[0].content_format, 50);
	ck_assert_str_eq(desk.told[0].payload, "ok");
	desk_expect_counts(1, 1, 0, 0, 0);
	mailbox_told(desk.mailbox, desk.told[0].name, true);
	fake_begin(1);
	desk_end(-EIO); /* told, and the rows cannot be removed */
	fake_begin_life();
	desk_begin();
	fake_run();
	fake_pass(0);
	ck_assert_uint_eq(desk.given_count, 0);
	desk_expect_told(1, 1, TG_OUTCOME_DELIVERED);
	desk_safe(true);
	ck_assert_uint_eq(fake_rows(), 0);
	desk_expect_counts(1, 0, 1, 0, 0);
	ck_assert_int_eq(fake_number(LEDGER_ACCEPTED), 1);
	desk_teardown();
}
END_TEST

START_TEST(outcomes_of_all_kinds_come_back)
{
	desk_setup();
	desk.ended_result = -EAGAIN;
	desk_put(1, "pump");
	desk_reject(1, "broken");
	ck_assert_int_eq(desk_push(2, "pump", MAILBOX_SAFE, 5), 0);
	desk.deliver_result = -ENOTCONN;
	fake_run();
	fake_pass(6 * CLOCK_S_US);
	fake_run();
	desk.deliver_result = 0;
	mailbox_awake(desk.mailbox, bytes_text("pump"));
	desk_put(3, "pump");
	ck_assert(mailbox_answer(desk.mailbox, DESK_CARRIER, desk_ticket(3), TG_CONFIRMED, bytes_text("")));
	fake_run();
	desk_put(4, "pump");
	desk_answer_with(4, 404, NULL);
	desk.ended_result = 0;
	desk_restart();
	ck_assert_uint_eq(desk.told_count, 4);
	ck_assert_uint_eq(desk.given_count, 0);
	ck_assert_int_eq(desk.told[0].outcome, TG_OUTCOME_REFUSED);
	ck_assert_str_eq(desk.told[0].reason, "broken");
	ck_assert_int_eq(desk.told[1].outcome, TG_OUTCOME_EXPIRED);
	ck_assert_str_ne(desk.told[1].reason, "");
	ck_assert_int_eq(desk.told[2].outcome, TG_OUTCOME_DELIVERED);
	ck_assert_uint_eq(desk.told[2].code, 0);
	ck_assert_uint_eq(desk.told[3].code, 404);
	for (unsigned i = 0; i < 4; i++)
		ck_assert_uint_eq(desk.told[i].number, i + 1);
	ck_assert_int_eq(desk_push(3, "pump", MAILBOX_SAFE, 60), -EEXIST);
	desk_expect_counts(4, 4, 0, 0, 0);
	desk_teardown();
}
END_TEST

START_TEST(the_next_process_goes_on)
{
	desk_setup();
	desk.deliver_result = -ENOTCONN;
	ck_assert_int_eq(desk_push(1, "pump", MAILBOX_SAFE, 600), 0);
	ck_assert_int_eq(desk_push(2, "valve", MAILBOX_DELIVERED, 60), 0);
	ck_assert_int_eq(desk_push(3, "pump", MAILBOX_RECEIVED, 700), 0);
	fake_run();
	fake_pass(30 * CLOCK_S_US);
	desk_restart();
	ck_assert_int_eq(desk_push(4, "pump", MAILBOX_SAFE, 600), 0);
	fake_run();
	desk_expect_counts(4, 4, 0, 0, 0);
	ck_assert_int_ge(desk_stats().oldest_age_us, 30 * CLOCK_S_US);
	fake_pass(30 * CLOCK_S_US);
	fake_run();
	desk_expect_told(1, 2, TG_OUTCOME_EXPIRED);
	desk_safe(true);
	desk.deliver_result = 0;
	mailbox_awake_all(desk.mailbox);
	ck_assert_uint_eq(desk.given[0].number, 1);
	ck_assert_uint_eq(desk.given[0].expiry_s, 540);
	ck_assert_int_eq(desk_push(3, "pump", MAILBOX_SAFE, 60), -EEXIST);
	desk_answer(1);
	ck_assert_uint_eq(desk.given[1].number, 3);
	ck_assert_uint_eq(desk.given[1].expiry_s, 640);
	desk_answer(3);
	ck_assert_uint_eq(desk.given[2].number, 4);
	desk_teardown();
}
END_TEST

START_TEST(nothing_happens_while_the_store_is_read)
{
	desk_setup();
	desk.deliver_result = -ENOTCONN;
	ck_assert_int_eq(desk_push(1, "pump", MAILBOX_SAFE, 60), 0);
	desk_put(2, "valve");
	desk_put(3, "fan");
	desk_end(0);
	fake_ruin(3, false);
	fake_begin_life();
	fake_pass(100 * CLOCK_S_US);
	desk.deliver_result = 0;
	desk_begin();
	ck_assert(desk_stats().reading);
	ck_assert_int_eq(desk_push(4, "pump", MAILBOX_SAFE, 60), -EAGAIN);
	mailbox_awake(desk.mailbox, bytes_text("valve"));
	mailbox_refuse(desk.mailbox, bytes_text("valve"), "the device was revoked");
	fake_begin(1);
	fake_finish(0); /* the rows are here, whether there are more is not known */
	ck_assert(desk_stats().reading);
	mailbox_awake(desk.mailbox, bytes_text("pump"));
	fake_begin(1);
	fake_finish(-EIO); /* the damaged row stays for now */
	fake_pass(CLOCK_S_US);
	ck_assert_str_eq(desk_state(1), "waiting");
	ck_assert_uint_eq(desk.given_count + desk.told_count, 0);
	fake_run();
	fake_pass(0);
	fake_run();
	ck_assert(!desk_stats().reading);
	ck_assert_uint_eq(desk.told_count, 2);
	ck_assert_uint_eq(desk.given_count, 0);
	ck_assert_int_eq(desk.told[0].outcome, TG_OUTCOME_REFUSED);
	ck_assert_int_eq(desk.told[1].outcome, TG_OUTCOME_EXPIRED);
	desk_teardown();
}
END_TEST

START_TEST(rows_that_cannot_be_read_are_counted)
{
	desk_setup();
	desk.deliver_result = -ENOTCONN;
	desk.ended_result = -EAGAIN;
	for (unsigned i = 1; i <= 4; i++)
		desk_put(i, "pump");
	desk.deliver_result = 0;
	desk_put(5, "valve");
	desk_answer(5); /* both of its rows wait on disk */
	desk_end(0);
	fake_ruin(2, false);
	fake_ruin(4, false);
	fake_ruin(5, false); /* the command; what the device said remains */
	desk.ended_result = 0;
	fake_begin_life();
	desk_begin();
	fake_run();
	fake_pass(0);
	fake_run();
	desk_expect_counts(6, 3, 0, 0, 0);
	ck_assert_int_eq(ledger_get(mailbox_account(desk.mailbox), LEDGER_UNREADABLE), 3);
	ck_assert_int_eq(fake_number(LEDGER_UNREADABLE), 3);
	desk_expect_told(1, 5, TG_OUTCOME_DELIVERED);
	ck_assert_str_eq(desk.told[0].payload, "ok");
	desk_safe(true);
	ck_assert_uint_eq(desk.given[0].number, 1);
	desk_answer(1);
	ck_assert_uint_eq(desk.given[1].number, 3);
	desk_teardown();
}
END_TEST

START_TEST(removals_are_tried_again)
{
	desk_setup();
	desk.safe_at_once = true;
	for (unsigned i = 0; i < 4; i++)
		desk_put(i, "pump");
	for (unsigned i = 0; i < 4; i++) {
		desk_answer_with(i, 205, "ok");
		fake_begin(1);
		fake_finish(0); /* the outcome */
		fake_begin(10);
		fake_finish(-EIO); /* its removal */
	}
	ck_assert_uint_eq(fake_rows(), 8);
	desk_expect_counts(4, 0, 4, 0, 0);
	fake_pass(CLOCK_S_US);
	fake_run();
	ck_assert_uint_eq(fake_rows(), 0);
	ck_assert_int_eq(fake_number(LEDGER_DELIVERED), 4);
	desk_teardown();
}
END_TEST

/* Whatever the store is busy with when the mailbox goes. */
START_TEST(can_go_at_any_moment)
{
	for (unsigned moment = 0; moment < 6; moment++) {
		desk_setup();
		ck_assert_int_eq(desk_push(1, "pump", MAILBOX_DELIVERED, 60), 0);
		if (moment > 0) {
			fake_run();
			desk_answer_with(1, 205, "ok"); /* 1: the outcome is being written */
		}
		if (moment > 1) {
			fake_run();
			desk_safe(true);
			desk_put(2, "pump");
			desk_answer(2);
			mailbox_told(desk.mailbox, desk.told[1].name, true); /* 2: rows are being removed */
			desk_put(3, "pump");
		}
		if (moment == 3 || moment == 4) { /* being read, and nothing but the store ends that */
			desk_restart();
			fake_begin(moment == 4);
		}
		if (moment == 5)
			fake_begin(1);
		desk_end(moment % 2 ? 0 : -EIO);
		fake_begin_life();
		desk_begin();
		desk_teardown();
	}
}
END_TEST

/* What the store brings to its end may lead to more, which it does not take any more; then the mailbox goes. */
START_TEST(can_go_when_the_store_has_stopped)
{
	for (unsigned moment = 0; moment < 5; moment++) {
		desk_setup();
		desk.safe_at_once = moment % 2;
		desk_put(1, "pump");
		desk_put(2, "valve");
		desk_put(3, "fan");
		desk_answer_with(1, 205, "ok");
		desk_answer_with(2, 205, "ok");
		if (moment > 1)
			fake_run();
		for (unsigned i = 0; moment > 2 && i < desk.told_count; i++)
			mailbox_told(desk.mailbox, desk.told[i].name, true);
		fake_stop();
		if (moment == 4) {
			ck_assert_int_eq(desk_push(4, "pump", MAILBOX_SAFE, 60), 0);
			ck_assert_int_eq(desk.receipts[4], MAILBOX_FULL);
			ck_assert_int_eq(desk_push(5, "pump", MAILBOX_RECEIVED, 60), 0);
			mailbox_refuse(desk.mailbox, bytes_text("fan"), "revoked");
			fake_pass(CLOCK_S_US);
		}
		desk_end(0);
		ck_assert_ptr_nonnull(fake_row(3));
		fake_begin_life();
		desk_begin();
		desk_teardown();
	}
}
END_TEST

START_TEST(what_was_told_is_removed_at_the_end)
{
	desk_setup();
	desk_put(1, "pump");
	desk_put(2, "pump");
	desk_answer(1);
	desk_answer(2);
	mailbox_told(desk.mailbox, desk.told[0].name, true);
	mailbox_told(desk.mailbox, desk.told[1].name, true); /* waits behind the other */
	mailbox_free(desk.mailbox);
	fake_begin(99);
	fake_end(0);
	ledger_free(desk.ledger);
	ck_assert_uint_eq(fake_rows(), 0);
	ck_assert(fake_balanced());
	fake_done();
}
END_TEST

SUITE_MAIN("mailbox_faults", what_cannot_be_written_is_refused, what_was_promised_is_tried_again,
	   what_was_promised_expires_unwritten, a_revoked_device_gets_nothing_more,
	   a_refused_one_that_is_not_written_is_just_refused, an_outcome_is_written_before_it_is_told,
	   outcomes_of_all_kinds_come_back, the_next_process_goes_on, nothing_happens_while_the_store_is_read,
	   rows_that_cannot_be_read_are_counted, removals_are_tried_again, can_go_at_any_moment,
	   can_go_when_the_store_has_stopped, what_was_told_is_removed_at_the_end)
