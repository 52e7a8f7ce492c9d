/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "message_fixture.h"
#include "outbox_fixture.h"
#include "suite.h"

/* The messages of the fixture are from seven devices in turn. */
enum { DEVICES = 7 };

static struct share_held held_of(unsigned device)
{
	char name[32];

	snprintf(name, sizeof(name), "device-%u", device);
	return outbox_held_of(sink.outbox, bytes_text(name));
}

static void expect_messages(unsigned device, int64_t messages)
{
	ck_assert_int_eq(held_of(device).messages, messages);
}

/* What one message takes of memory, and of the disk. */
static struct share_held measure(void)
{
	struct share_held one;

	sink_setup(&sink_settings);
	outbox_sink_up(sink.outbox, 0);
	ck_assert_int_eq(sink_push(0, OUTBOX_SAFE), 0);
	one = held_of(0);
	ck_assert_int_gt(one.memory_bytes, 100);
	ck_assert_int_gt(one.cost_bytes, 100);
	sink_answer(0, TG_CONFIRMED);
	expect_messages(0, 0);
	sink_teardown();
	return one;
}

START_TEST(test_memory_at_the_limit_exactly)
{
	struct outbox_settings settings = sink_settings;
	struct share_held one = measure();

	settings.memory_bytes = (size_t)one.memory_bytes * 40; /* a tenth is four messages */
	settings.disk_bytes = INT64_MAX / 2;
	sink_setup(&settings);
	outbox_sink_up(sink.outbox, 0);
	for (unsigned i = 0; i < 4; i++)
		ck_assert_int_eq(sink_push_share(i * DEVICES, 10), 0);
	ck_assert_int_eq(sink_push_share(4 * DEVICES, 10), -EDQUOT);
	ck_assert_int_eq(sink.receipts[4 * DEVICES], NEVER);
	expect_messages(0, 4);
	/* Others are not held up, and who may take all is not asked. */
	ck_assert_int_eq(sink_push_share(1, 10), 0);
	ck_assert_int_eq(sink_push_share(4 * DEVICES, 100), 0);
	ck_assert_int_eq(sink_push_share(5 * DEVICES, 12), -EDQUOT);
	ck_assert_int_eq(sink_push_share(5 * DEVICES, 15), 0);
	for (unsigned i = 0; i < 6; i++)
		sink_answer(i * DEVICES, TG_CONFIRMED);
	sink_answer(1, TG_CONFIRMED);
	expect_messages(0, 0);
	ck_assert_int_eq(sink_push_share(6 * DEVICES, 10), 0);
	sink_answer(6 * DEVICES, TG_CONFIRMED);
	sink_teardown();
}
END_TEST

START_TEST(test_disk_at_the_limit_exactly)
{
	struct outbox_settings settings = sink_settings;
	struct share_held one = measure();

	settings.disk_bytes = one.cost_bytes * 30;
	sink_setup(&settings);
	for (unsigned i = 0; i < 3; i++) { /* the sink is down: to disk at once */
		ck_assert_int_eq(sink_push_share(i * DEVICES, 10), 0);
		fake_run();
		ck_assert_int_eq(sink.receipts[i * DEVICES], OUTBOX_TAKEN);
	}
	ck_assert_int_eq(held_of(0).memory_bytes, 0); /* it is on disk as well */
	ck_assert_int_eq(held_of(0).cost_bytes, 3 * one.cost_bytes);
	ck_assert_int_eq(sink_push_share(3 * DEVICES, 10), -EDQUOT);
	ck_assert_int_eq(sink_push_share(1, 10), 0);
	fake_run();
	outbox_sink_up(sink.outbox, 0);
	sink_answer(0, TG_CONFIRMED);
	ck_assert_int_eq(sink_push_share(3 * DEVICES, 10), 0);
	ck_assert_int_eq(sink_push_share(4 * DEVICES, 10), -EDQUOT);
	fake_pass(CLOCK_S_US);
	fake_run();
	sink_teardown();
}
END_TEST

START_TEST(test_one_message_is_always_taken)
{
	struct outbox_settings settings = sink_settings;

	settings.memory_bytes = 64 * 1024;
	settings.disk_bytes = 2000;
	sink_setup(&settings);
	outbox_sink_up(sink.outbox, 0);
	ck_assert_int_eq(sink_push_share(0, 1), 0);
	ck_assert_int_eq(sink_push_share(DEVICES, 1), -EDQUOT);
	sink_answer(0, TG_CONFIRMED);
	ck_assert_int_eq(sink_push_share(DEVICES, 1), 0);
	sink_answer(DEVICES, TG_CONFIRMED);
	sink_teardown();
}
END_TEST

START_TEST(test_outlives_a_restart)
{
	struct outbox_settings settings = sink_settings;
	struct share_held one = measure();

	settings.disk_bytes = one.cost_bytes * 400;
	settings.memory_messages = 16; /* most of it is on disk only */
	sink_setup(&settings);
	for (unsigned i = 0; i < 40; i++) {
		ck_assert_int_eq(sink_push_share(i * DEVICES, 10), 0);
		fake_run();
	}
	ck_assert_int_eq(sink_push_share(40 * DEVICES, 10), -EDQUOT);
	sink_end();
	fake_begin_life();
	sink_begin(&settings);
	fake_run();
	expect_messages(0, 40);
	ck_assert_int_eq(held_of(0).cost_bytes, 40 * one.cost_bytes);
	ck_assert_int_eq(held_of(0).memory_bytes, 0);
	ck_assert_int_eq(sink_push_share(40 * DEVICES, 10), -EDQUOT);
	outbox_sink_up(sink.outbox, 0);
	for (unsigned i = 0; i < 40; i++) {
		fake_pass(CLOCK_S_US);
		fake_run();
		sink_answer(i * DEVICES, TG_CONFIRMED);
		expect_messages(0, 39 - i);
	}
	ck_assert_int_eq(sink_push_share(40 * DEVICES, 10), 0);
	sink_answer(40 * DEVICES, TG_CONFIRMED);
	fake_pass(CLOCK_S_US);
	fake_run();
	sink_teardown();
}
END_TEST

START_TEST(test_what_is_refused_after_all_is_not_held)
{
	sink_setup(&sink_settings);
	ck_assert_int_eq(sink_push_share(0, 10), 0);
	expect_messages(0, 1);
	fake_begin(10);
	fake_finish(-EIO);
	ck_assert_int_eq(sink.receipts[0], OUTBOX_FULL);
	expect_messages(0, 0);
	fake_pass(10 * CLOCK_S_US);
	sink_teardown();
}
END_TEST

/* Nobody knows whose a row was that cannot be read: nobody may be charged for it for ever. */
START_TEST(test_lost_rows_are_nobodys)
{
	struct outbox_settings settings = sink_settings;

	settings.memory_messages = 16;
	sink_setup(&settings);
	for (unsigned i = 0; i < 70; i++) {
		ck_assert_int_eq(sink_push_share(i, 50), 0);
		fake_run();
	}
	fake_ruin(42, false);
	fake_ruin(49, true);
	fake_ruin(69, true);
	outbox_sink_up(sink.outbox, 0);
	for (unsigned i = 0; i < 67; i++) {
		fake_pass(CLOCK_S_US);
		fake_run();
		ck_assert_uint_gt(sink.count, i);
		sink_answer(sink.given[i], TG_CONFIRMED);
	}
	fake_run();
	ck_assert_int_eq(sink_stats().held, 0);
	for (unsigned device = 0; device < DEVICES; device++) {
		expect_messages(device, 0);
		ck_assert_int_eq(held_of(device).cost_bytes, 0);
	}
	outbox_free(sink.outbox);
	fake_end(0);
	ledger_free(sink.ledger);
	fake_done();
}
END_TEST

SUITE_MAIN("outbox_share", test_memory_at_the_limit_exactly, test_disk_at_the_limit_exactly,
	   test_one_message_is_always_taken, test_outlives_a_restart, test_what_is_refused_after_all_is_not_held,
	   test_lost_rows_are_nobodys)
