/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "message_fixture.h"
#include "outbox_fixture.h"
#include "suite.h"

START_TEST(test_healthy_link_writes_nothing)
{
	sink_setup(&sink_settings);
	outbox_sink_up(sink.outbox, 0);
	for (unsigned i = 0; i < 10000; i++) {
		ck_assert_int_eq(sink_push(i, (enum outbox_ack)(i % 3)), 0);
		ck_assert_uint_eq(sink.given[sink.count - 1], i);
		fake_pass(100);
		sink_answer(i, TG_CONFIRMED);
		ck_assert_int_eq(sink.receipts[i], OUTBOX_TAKEN);
	}
	fake_pass(10 * CLOCK_S_US);
	ck_assert_uint_eq(fake_waiting(), 0);
	ck_assert_uint_eq(fake_writes(), 0);
	ck_assert_int_eq(sink_stats().confirmed, 10000);
	ck_assert_int_eq(sink_stats().memory_bytes, 0);
	ck_assert_int_eq(ledger_get(outbox_account(sink.outbox), LEDGER_DELIVERED), 10000);
	sink_teardown();
}
END_TEST

START_TEST(test_ack_ladder_on_disk)
{
	sink_setup(&sink_settings);
	for (unsigned ack = OUTBOX_RECEIVED; ack <= OUTBOX_DELIVERED; ack++) {
		ck_assert_int_eq(sink_push(ack, (enum outbox_ack)ack), 0); /* the sink is down: to disk at once */
		ck_assert_int_eq(sink.receipts[ack], ack == OUTBOX_RECEIVED ? OUTBOX_TAKEN : NEVER);
	}
	fake_run();
	ck_assert_int_eq(sink.receipts[OUTBOX_SAFE], OUTBOX_TAKEN);
	ck_assert_int_eq(sink.receipts[OUTBOX_DELIVERED], NEVER);
	ck_assert_uint_eq(fake_rows(), 3);
	outbox_sink_up(sink.outbox, 0);
	ck_assert_uint_eq(sink.count, 3);
	for (unsigned i = 0; i < 3; i++)
		sink_answer(i, TG_CONFIRMED);
	ck_assert_int_eq(sink.receipts[OUTBOX_DELIVERED], OUTBOX_TAKEN);
	fake_pass(CLOCK_S_US);
	fake_run();
	ck_assert_uint_eq(fake_rows(), 0);
	sink_teardown();
}
END_TEST

START_TEST(test_commits_after_hold)
{
	sink_setup(&sink_settings);
	outbox_sink_up(sink.outbox, 0);
	ck_assert_int_eq(sink_push(0, OUTBOX_SAFE), 0);
	fake_pass(249 * CLOCK_MS_US);
	ck_assert_uint_eq(fake_waiting(), 0);
	fake_pass(CLOCK_MS_US);
	fake_run();
	ck_assert_uint_eq(fake_rows(), 1);
	ck_assert_int_eq(sink.receipts[0], OUTBOX_TAKEN);
	ck_assert_int_eq(sink_stats().oldest_age_us, 250 * CLOCK_MS_US);
	sink_answer(0, TG_CONFIRMED);
	fake_pass(250 * CLOCK_MS_US);
	fake_run();
	ck_assert_uint_eq(fake_rows(), 0);
	ck_assert_int_eq(sink_stats().disk_bytes, 0);
	sink_teardown();
}
END_TEST

/* Confirmed while the commit waits for the writer: neither of the two writes is made. */
START_TEST(test_confirmation_cancels_the_commit)
{
	sink_setup(&sink_settings);
	outbox_sink_up(sink.outbox, 0);
	ck_assert_int_eq(sink_push(0, OUTBOX_SAFE), 0);
	fake_pass(250 * CLOCK_MS_US);
	sink_answer(0, TG_CONFIRMED);
	fake_run();
	fake_pass(CLOCK_S_US);
	fake_run();
	ck_assert_uint_eq(fake_rows(), 0);
	ck_assert_int_eq(fake_number(LEDGER_DELIVERED), 0); /* not worth a write of its own */
	sink_teardown();
}
END_TEST

START_TEST(test_expiry_outlives_a_restart)
{
	sink_setup(&sink_settings);
	ck_assert_int_eq(sink_push_with(0, OUTBOX_SAFE, 2), 0);
	ck_assert_int_eq(sink_push_with(1, OUTBOX_SAFE, 10), 0);
	fake_run();
	sink_end();
	fake_pass(5 * CLOCK_S_US);
	fake_begin_life();
	sink_begin(&sink_settings);
	outbox_sink_up(sink.outbox, 0);
	fake_run();
	ck_assert_uint_eq(sink.count, 1);
	ck_assert_uint_eq(sink.given[0], 1);
	ck_assert_uint_eq(sink.expiry_s, 5);
	sink_teardown();
}
END_TEST

/* The time that the outbox is given counts, whatever the machine's clock says. */
START_TEST(test_expires_by_the_time_that_it_is_given)
{
	sink_setup(&sink_settings);
	sink.wall_us = 1000 * CLOCK_S_US;
	ck_assert_int_eq(sink_push_with(0, OUTBOX_SAFE, 10), 0);
	fake_run();
	sink_end();
	fake_pass(3600 * CLOCK_S_US);
	fake_begin_life();
	sink.wall_us = 1004 * CLOCK_S_US;
	sink_begin(&sink_settings);
	outbox_sink_up(sink.outbox, 0);
	fake_run();
	ck_assert_uint_eq(sink.count, 1);
	ck_assert_uint_eq(sink.expiry_s, 6);
	sink_teardown();
}
END_TEST

/* More than memory holds: the rest is on disk only, and comes back in order. */
START_TEST(test_spills_to_disk)
{
	unsigned n = 1000;

	sink_setup(&sink_settings);
	for (unsigned i = 0; i < n; i++) {
		ck_assert_int_eq(sink_push(i, i == 900 ? OUTBOX_DELIVERED : OUTBOX_SAFE), 0);
		if (i % 10 == 9)
			fake_run();
	}
	fake_run();
	ck_assert_int_eq(sink_stats().held, n);
	ck_assert_int_eq(sink_stats().held_disk, n);
	ck_assert_int_eq(sink_stats().held_memory, 48);
	ck_assert_int_eq(sink.receipts[900], NEVER);
	outbox_sink_up(sink.outbox, 0);
	for (unsigned i = 0; i < n; i++) {
		fake_run();
		ck_assert_uint_gt(sink.count, i);
		ck_assert_uint_eq(sink.given[i], i);
		sink_answer(i, TG_CONFIRMED);
		if (i == 500)
			ck_assert_int_eq(sink_push(n, OUTBOX_SAFE), 0); /* joins behind what is on disk */
	}
	fake_run();
	ck_assert_uint_eq(sink.given[n], n);
	sink_answer(n, TG_CONFIRMED);
	ck_assert_int_eq(sink.receipts[900], OUTBOX_TAKEN);
	fake_pass(CLOCK_S_US);
	fake_run();
	ck_assert_uint_eq(fake_rows(), 0);
	ck_assert_int_eq(sink_stats().held, 0);
	ck_assert_int_eq(sink_stats().memory_bytes, 0);
	/* And the next one is an ordinary one again. */
	ck_assert_int_eq(sink_push(n + 1, OUTBOX_SAFE), 0);
	sink_answer(n + 1, TG_CONFIRMED);
	fake_pass(CLOCK_S_US);
	ck_assert_uint_eq(fake_waiting(), 0);
	sink_teardown();
}
END_TEST

START_TEST(test_full_memory)
{
	sink_setup(&sink_settings);
	outbox_sink_up(sink.outbox, 1);
	for (unsigned i = 0; i < 64; i++)
		ck_assert_int_eq(sink_push(i, OUTBOX_SAFE), 0);
	ck_assert_int_eq(sink_push(64, OUTBOX_SAFE), -ENOSPC); /* the writer is slow */
	ck_assert_int_eq(sink.receipts[64], NEVER);
	ck_assert_int_eq(ledger_get(outbox_account(sink.outbox), LEDGER_ACCEPTED), 64);
	fake_run();
	ck_assert_int_eq(sink_push(64, OUTBOX_SAFE), 0); /* 16 of them have left memory for the disk */
	sink_teardown();
}
END_TEST

START_TEST(test_memory_bytes_are_a_limit_too)
{
	struct outbox_settings small = sink_settings;

	small.memory_bytes = 8192;
	sink_setup(&small);
	for (unsigned i = 0; i < 60; i++) {
		int r = sink_push(i, OUTBOX_SAFE);

		ck_assert(r == 0 || r == -ENOSPC);
		ck_assert_int_le(sink_stats().memory_bytes, 8192);
		if (r == -ENOSPC)
			fake_run();
	}
	ck_assert_int_ge(sink_stats().held, 40);
	sink_teardown();
}
END_TEST

START_TEST(test_disk_full)
{
	sink_setup(&sink_settings);
	fake_set_room(2);
	for (unsigned i = 0; i < 5; i++)
		ck_assert_int_eq(sink_push(i, i == 4 ? OUTBOX_RECEIVED : OUTBOX_SAFE), 0);
	fake_begin(2);
	fake_finish(0);
	fake_begin(10);
	fake_finish(-ENOSPC);
	ck_assert_int_eq(sink.receipts[0], OUTBOX_TAKEN);
	ck_assert_int_eq(sink.receipts[2], OUTBOX_FULL);
	ck_assert_int_eq(sink.receipts[3], OUTBOX_FULL);
	ck_assert_int_eq(sink.receipts[4], OUTBOX_TAKEN); /* it was promised, so it is kept */
	ck_assert_int_eq(sink_stats().held, 3);
	ck_assert(sink_stats().disk_failing);
	ck_assert_int_eq(sink_push(5, OUTBOX_SAFE), -ENOSPC);
	ck_assert_int_eq(ledger_get(outbox_account(sink.outbox), (enum ledger_item)(LEDGER_REFUSED + TG_FULL)), 2);

	outbox_sink_up(sink.outbox, 0); /* what is there can be sent and deleted, and then there is room again */
	ck_assert_uint_eq(sink.count, 3);
	sink_answer(0, TG_CONFIRMED);
	sink_answer(1, TG_CONFIRMED);
	fake_pass(250 * CLOCK_MS_US);
	fake_run();
	fake_pass(5 * CLOCK_S_US);
	fake_run();
	ck_assert_ptr_nonnull(fake_row(4));
	ck_assert_int_eq(sink_push(5, OUTBOX_SAFE), 0);
	sink_teardown();
}
END_TEST

/* The limit of this outbox, with room on the disk. */
START_TEST(test_own_disk_limit)
{
	struct outbox_settings small = sink_settings;
	unsigned n = 0;

	small.disk_bytes = 4096;
	sink_setup(&small);
	while (sink_push(n, OUTBOX_SAFE) == 0) {
		fake_run();
		ck_assert_int_eq(sink.receipts[n++], OUTBOX_TAKEN);
	}
	ck_assert_uint_ge(n, 10);
	ck_assert_uint_le(n, 40);
	small.disk_bytes = 8192;
	outbox_set_settings(sink.outbox, &small);
	ck_assert_int_eq(sink_push(n, OUTBOX_SAFE), 0);
	sink_teardown();
}
END_TEST

/* In flight and not committed: the source waits, nothing is lost, the commit is tried again. */
START_TEST(test_failed_commit_in_flight)
{
	sink_setup(&sink_settings);
	outbox_sink_up(sink.outbox, 0);
	ck_assert_int_eq(sink_push(0, OUTBOX_SAFE), 0);
	fake_pass(250 * CLOCK_MS_US);
	fake_begin(10);
	fake_finish(-EIO);
	ck_assert_int_eq(sink.receipts[0], NEVER);
	ck_assert_int_eq(sink_stats().held, 1);
	fake_pass(CLOCK_S_US);
	fake_run();
	ck_assert_int_eq(sink.receipts[0], OUTBOX_TAKEN);
	ck_assert_uint_eq(fake_rows(), 1);
	sink_teardown();
}
END_TEST

START_TEST(test_deletions_are_tried_again)
{
	sink_setup(&sink_settings);
	ck_assert_int_eq(sink_push(0, OUTBOX_SAFE), 0);
	fake_run();
	outbox_sink_up(sink.outbox, 0);
	sink_answer(0, TG_CONFIRMED);
	for (unsigned i = 0; i < 5; i++) {
		fake_pass(10 * CLOCK_S_US);
		ck_assert_uint_gt(fake_waiting(), 0);
		fake_begin(10);
		fake_finish(-EROFS);
	}
	ck_assert_uint_eq(fake_rows(), 1);
	fake_pass(10 * CLOCK_S_US);
	fake_run();
	ck_assert_uint_eq(fake_rows(), 0);
	sink_teardown();
}
END_TEST

START_TEST(test_damaged_rows_are_counted)
{
	sink_setup(&sink_settings);
	for (unsigned i = 0; i < 200; i++) {
		ck_assert_int_eq(sink_push(i, i == 150 ? OUTBOX_DELIVERED : OUTBOX_SAFE), 0);
		fake_run();
	}
	fake_ruin(100, false);
	fake_ruin(150, false);
	fake_ruin(199, true);
	fake_ruin(198, true);
	outbox_sink_up(sink.outbox, 0);
	for (unsigned i = 0; i < 196; i++) {
		fake_run();
		ck_assert_uint_gt(sink.count, i);
		sink_answer(sink.given[i], TG_CONFIRMED);
	}
	fake_run();
	ck_assert_int_eq(sink.receipts[150], OUTBOX_LOST);
	ck_assert_int_eq(sink_stats().held, 0);
	ck_assert_int_eq(ledger_get(outbox_account(sink.outbox), LEDGER_UNREADABLE), 4);
	fake_pass(CLOCK_S_US);
	fake_run();
	ck_assert_uint_eq(fake_rows(), 0);
	ck_assert_int_eq(fake_number(LEDGER_UNREADABLE), 2); /* the start after this one finds the other two */
	ck_assert(ledger_balanced(outbox_account(sink.outbox)));
	outbox_free(sink.outbox);
	fake_end(0);
	ledger_free(sink.ledger);
	fake_done();
}
END_TEST

static int flushed;

static void on_flushed(void *arg, int result)
{
	(void)arg;
	flushed = result;
}

START_TEST(test_flush)
{
	sink_setup(&sink_settings);
	outbox_sink_up(sink.outbox, 0);
	for (unsigned i = 0; i < 10; i++)
		ck_assert_int_eq(sink_push(i, OUTBOX_DELIVERED), 0);
	sink_answer(0, TG_CONFIRMED);
	flushed = NEVER;
	ck_assert_int_eq(outbox_flush(sink.outbox, on_flushed, NULL), 0);
	fake_begin(100);
	fake_finish(-EIO);
	fake_run();
	ck_assert_int_eq(flushed, -EIO);
	flushed = NEVER;
	ck_assert_int_eq(outbox_flush(sink.outbox, on_flushed, NULL), 0);
	fake_run();
	ck_assert_int_eq(flushed, 0);
	ck_assert_uint_eq(fake_rows(), 9);
	ck_assert_int_eq(fake_number(LEDGER_ACCEPTED), 10);
	ck_assert_int_eq(fake_number(LEDGER_DELIVERED), 1);
	sink_teardown();
}
END_TEST

/* However long a message may wait for its commit. */
START_TEST(test_a_sink_that_says_no_is_asked_again_soon)
{
	struct outbox_settings patient = sink_settings;

	patient.hold_us = 60 * CLOCK_S_US;
	sink_setup(&patient);
	outbox_sink_up(sink.outbox, 0);
	sink.room = 0;
	ck_assert_int_eq(sink_push(0, OUTBOX_SAFE), 0);
	fake_pass(50 * CLOCK_MS_US);
	sink.room = 1;
	ck_assert_uint_eq(sink.count, 0);
	fake_pass(50 * CLOCK_MS_US);
	ck_assert_uint_eq(sink.count, 1);
	ck_assert_uint_eq(fake_waiting(), 0);
	sink_answer(0, TG_CONFIRMED);
	sink_teardown();
}
END_TEST

/* It was refused, and lies on disk nevertheless: this life does not know of it, the next one does. */
START_TEST(test_a_row_that_could_not_be_taken_back)
{
	const unsigned n = 60;

	sink_setup(&sink_settings);
	for (unsigned i = 0; i < n; i++)
		ck_assert_int_eq(sink_push(i, OUTBOX_SAFE), 0);
	fake_begin(n - 1);
	fake_finish(0);
	fake_begin(1);
	fake_finish_half(-EIO);
	ck_assert_int_eq(sink.receipts[n - 1], OUTBOX_FULL);
	ck_assert_uint_eq(fake_rows(), n);
	outbox_sink_up(sink.outbox, 0);
	for (unsigned i = 0; i < n - 1; i++) {
		fake_run();
		ck_assert_uint_gt(sink.count, i);
		ck_assert_uint_eq(sink.given[i], i);
		sink_answer(i, TG_CONFIRMED);
	}
	fake_pass(CLOCK_S_US);
	fake_run();
	ck_assert_uint_eq(sink.count, n - 1);
	ck_assert_int_eq(sink_stats().held, 0);
	ck_assert_int_eq(sink_stats().held_memory, 0);
	ck_assert_int_eq(sink_stats().held_disk, 0);
	sink_end();
	fake_begin_life();
	sink_begin(&sink_settings);
	outbox_sink_up(sink.outbox, 0);
	fake_run();
	ck_assert_uint_eq(sink.count, 1);
	ck_assert_uint_eq(sink.given[0], n - 1);
	sink_answer(n - 1, TG_CONFIRMED);
	sink_teardown();
}
END_TEST

SUITE_MAIN("outbox_disk", test_a_sink_that_says_no_is_asked_again_soon, test_a_row_that_could_not_be_taken_back,
	   test_healthy_link_writes_nothing, test_ack_ladder_on_disk, test_commits_after_hold,
	   test_confirmation_cancels_the_commit, test_expiry_outlives_a_restart,
	   test_expires_by_the_time_that_it_is_given, test_spills_to_disk, test_full_memory,
	   test_memory_bytes_are_a_limit_too, test_disk_full, test_own_disk_limit, test_failed_commit_in_flight,
	   test_deletions_are_tried_again, test_damaged_rows_are_counted, test_flush)
