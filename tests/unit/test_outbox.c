/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "message_fixture.h"
#include "outbox_fixture.h"
#include "suite.h"

/* Also with a window that is full most of the time, as long as it moves. */
START_TEST(test_a_short_window_writes_nothing)
{
	sink_setup(&sink_settings);
	outbox_sink_up(sink.outbox, 2);
	for (unsigned i = 0; i < 1000; i++) {
		ck_assert_int_eq(sink_push(i, OUTBOX_SAFE), 0);
		fake_pass(1000);
		if (i >= 10)
			sink_answer(i - 10, TG_CONFIRMED);
	}
	ck_assert_uint_eq(fake_waiting(), 0);
	sink_teardown();
}
END_TEST

START_TEST(test_ack_ladder_while_the_link_is_well)
{
	sink_setup(&sink_settings);
	outbox_sink_up(sink.outbox, 0);
	for (unsigned ack = OUTBOX_RECEIVED; ack <= OUTBOX_DELIVERED; ack++) {
		ck_assert_int_eq(sink_push(ack, (enum outbox_ack)ack), 0);
		ck_assert_int_eq(sink.receipts[ack], ack == OUTBOX_RECEIVED ? OUTBOX_TAKEN : NEVER);
		sink_answer(ack, TG_CONFIRMED);
		ck_assert_int_eq(sink.receipts[ack], OUTBOX_TAKEN);
		ck_assert_int_eq(sink_push(ack + 3, (enum outbox_ack)ack), 0);
		sink_answer(ack + 3, TG_REJECTED);
		ck_assert_int_eq(sink.receipts[ack + 3], ack == OUTBOX_RECEIVED ? OUTBOX_TAKEN : OUTBOX_REFUSED);
	}
	ck_assert_int_eq(ledger_get(outbox_account(sink.outbox), LEDGER_REJECTED), 3);
	sink_teardown();
}
END_TEST

START_TEST(test_gives_back_in_order)
{
	uint32_t round;

	sink_setup(&sink_settings);
	outbox_sink_up(sink.outbox, 4);
	for (unsigned i = 0; i < 6; i++)
		ck_assert_int_eq(sink_push(i, OUTBOX_SAFE), 0);
	ck_assert_uint_eq(sink.count, 4);
	round = sink.round;
	sink_answer(1, TG_RETRY);
	sink_answer(3, TG_CONFIRMED);
	ck_assert_uint_eq(sink.count, 4); /* nothing until all are answered */
	sink_answer(2, TG_RETRY);
	sink_answer(0, TG_CONFIRMED);
	ck_assert_uint_eq(sink.count, 4); /* and a pause, so that nothing spins */
	fake_pass(100 * CLOCK_MS_US);
	ck_assert_uint_eq(sink.count, 8);
	ck_assert_uint_ne(sink.round, round);
	ck_assert_uint_eq(sink.given[4], 1);
	ck_assert_uint_eq(sink.given[5], 2);
	ck_assert_uint_eq(sink.given[6], 4);
	ck_assert_uint_eq(sink.given[7], 5);
	ck_assert_int_eq(sink_stats().retried, 2);
	sink_teardown();
}
END_TEST

START_TEST(test_window_narrows_to_what_the_sink_had_room_for)
{
	struct outbox_settings settings = sink_settings;

	settings.window = settings.memory_messages = 200;
	sink_setup(&settings);
	outbox_sink_up(sink.outbox, 0);
	for (unsigned i = 0; i < 100; i++)
		ck_assert_int_eq(sink_push(i, OUTBOX_RECEIVED), 0);
	ck_assert_uint_eq(sink.count, 100);
	for (unsigned i = 30; i < 100; i++)
		sink_answer(i, TG_RETRY);
	for (unsigned i = 0; i < 30; i++)
		sink_answer(i, TG_CONFIRMED);
	fake_pass(CLOCK_S_US);
	ck_assert_uint_eq(sink.count, 130);
	ck_assert_uint_eq(sink.given[129], 59);
	fake_pass(20 * CLOCK_S_US);
	sink_answer(30, TG_CONFIRMED); /* after a while it may be more again */
	ck_assert_uint_eq(sink.count, 170);
	ck_assert_uint_eq(sink.given[169], 99);
	sink_teardown();
}
END_TEST

START_TEST(test_down_and_up_again)
{
	uint64_t old;

	sink_setup(&sink_settings);
	outbox_sink_up(sink.outbox, 0);
	for (unsigned i = 0; i < 5; i++)
		ck_assert_int_eq(sink_push(i, OUTBOX_SAFE), 0);
	sink_answer(2, TG_CONFIRMED);
	old = sink.tickets[0];
	outbox_sink_down(sink.outbox);
	outbox_sink_down(sink.outbox);
	fake_run();
	ck_assert_uint_eq(fake_rows(), 4);
	ck_assert_int_eq(sink.receipts[4], OUTBOX_TAKEN);
	ck_assert(!outbox_answer(sink.outbox, old, TG_CONFIRMED, bytes_text("")));
	outbox_sink_up(sink.outbox, 0);
	ck_assert_uint_eq(sink.count, 9);
	ck_assert_uint_eq(sink.given[5], 0);
	ck_assert_uint_eq(sink.given[7], 3);
	ck_assert_uint_ne(sink.tickets[0], old);
	ck_assert(!outbox_answer(sink.outbox, old, TG_CONFIRMED, bytes_text("")));
	sink_teardown();
}
END_TEST

START_TEST(test_deliver_says_no)
{
	sink_setup(&sink_settings);
	outbox_sink_up(sink.outbox, 0);
	sink.room = 2;
	for (unsigned i = 0; i < 5; i++)
		ck_assert_int_eq(sink_push(i, OUTBOX_SAFE), 0);
	ck_assert_uint_eq(sink.count, 2);
	ck_assert_int_eq(sink_stats().in_flight, 2);
	sink.room = 1;
	outbox_more(sink.outbox);
	ck_assert_uint_eq(sink.count, 3);
	sink.room = 1;
	sink_answer(0, TG_CONFIRMED); /* a confirmation is as good */
	ck_assert_uint_eq(sink.count, 4);
	sink.room = 1;
	fake_pass(250 * CLOCK_MS_US); /* and so is time */
	ck_assert_uint_eq(sink.count, 5);
	ck_assert_uint_eq(sink.given[4], 4);
	sink_teardown();
}
END_TEST

START_TEST(test_expires)
{
	sink_setup(&sink_settings);
	ck_assert_int_eq(sink_push_with(0, OUTBOX_DELIVERED, 2), 0);
	ck_assert_int_eq(sink_push_with(1, OUTBOX_SAFE, 10), 0);
	ck_assert_int_eq(sink_push(2, OUTBOX_SAFE), 0);
	fake_run();
	fake_pass(2500 * CLOCK_MS_US);
	outbox_sink_up(sink.outbox, 1);
	ck_assert_int_eq(sink.receipts[0], OUTBOX_EXPIRED);
	ck_assert_uint_eq(sink.given[0], 1);
	ck_assert_uint_eq(sink.expiry_s, 8); /* 7.5 s are left */
	sink_answer(1, TG_CONFIRMED);
	ck_assert_uint_eq(sink.given[1], 2);
	ck_assert_uint_eq(sink.expiry_s, 0);
	ck_assert_int_eq(ledger_get(outbox_account(sink.outbox), LEDGER_EXPIRED), 1);
	ck_assert_int_eq(sink_stats().expired, 1);
	sink_teardown();
}
END_TEST

START_TEST(test_refuses_what_is_too_long)
{
	CLEANUP_FREE char *text = calloc(1, TG_ADDRESS_MAX + 1);
	struct message *message = fixture_message(0, 1);

	sink_setup(&sink_settings);
	ck_assert_int_eq(outbox_push(sink.outbox, message, bytes_of(text, TG_ADDRESS_MAX + 1),
				     &(struct outbox_options){.ack = OUTBOX_SAFE}, NULL, NULL),
			 -EMSGSIZE);
	ck_assert_int_eq(outbox_push(sink.outbox, message, bytes_text("a"),
				     &(struct outbox_options){.route = bytes_of(text, STORE_NAME_MAX + 1)}, NULL, NULL),
			 -EMSGSIZE);
	message_unref(message);
	sink_teardown();
}
END_TEST

static void show(void *arg, const struct outbox_item *item, bool in_flight, bool on_disk)
{
	unsigned *n = arg;

	ck_assert_uint_eq(fixture_number(item->message), *n);
	ck_assert_int_eq(in_flight, *n < 2);
	ck_assert(!on_disk);
	(*n)++;
}

START_TEST(test_shows_its_head)
{
	unsigned n = 0;

	sink_setup(&sink_settings);
	outbox_sink_up(sink.outbox, 2);
	for (unsigned i = 0; i < 5; i++)
		ck_assert_int_eq(sink_push(i, OUTBOX_SAFE), 0);
	outbox_show(sink.outbox, 3, show, &n);
	ck_assert_uint_eq(n, 3);
	sink_teardown();
}
END_TEST

SUITE_MAIN("outbox", test_a_short_window_writes_nothing, test_ack_ladder_while_the_link_is_well,
	   test_window_narrows_to_what_the_sink_had_room_for, test_gives_back_in_order, test_down_and_up_again,
	   test_deliver_says_no, test_expires, test_refuses_what_is_too_long, test_shows_its_head)
