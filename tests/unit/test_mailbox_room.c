/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "mailbox_fixture.h"
#include "suite.h"

/* Time, room, and what was here before. */

START_TEST(expires_while_it_waits)
{
	desk_setup();
	ck_assert_int_eq(desk_push(1, "pump", MAILBOX_SAFE, 60), 0);
	ck_assert_int_eq(desk_push(2, "pump", MAILBOX_DELIVERED, 10), 0);
	ck_assert_int_eq(desk_push(3, "pump", MAILBOX_DELIVERED, 100), 0);
	fake_run();
	fake_pass(10 * CLOCK_S_US - 1);
	fake_run();
	ck_assert_uint_eq(desk.told_count, 0);
	fake_pass(1);
	fake_run();
	desk_expect_told(1, 2, TG_OUTCOME_EXPIRED);
	ck_assert_int_eq(desk.receipts[2], MAILBOX_EXPIRED);
	ck_assert_uint_eq(desk.told[0].code, 0);
	ck_assert_str_ne(desk.told[0].reason, "");
	desk_safe(true);
	desk_expect_counts(3, 2, 0, 0, 1);
	desk_answer(1);
	ck_assert_uint_eq(desk.given_count, 2);
	ck_assert_uint_eq(desk_given(2), 0);
	ck_assert_uint_eq(desk.given[1].expiry_s, 90);
	desk_teardown();
}
END_TEST

START_TEST(expires_asleep_in_any_order)
{
	desk_setup();
	desk.deliver_result = -ENOTCONN;
	desk.safe_at_once = true;
	ck_assert_int_eq(desk_push(1, "pump", MAILBOX_SAFE, 30), 0);
	ck_assert_int_eq(desk_push(2, "pump", MAILBOX_SAFE, 10), 0);
	ck_assert_int_eq(desk_push(3, "valve", MAILBOX_SAFE, 20), 0);
	fake_run();
	for (unsigned i = 1; i <= 3; i++) {
		fake_pass(10 * CLOCK_S_US);
		fake_run();
		desk_expect_told(i, 1 + i % 3, TG_OUTCOME_EXPIRED);
	}
	desk_expect_counts(3, 0, 0, 0, 3);
	ck_assert_int_eq(desk_stats().devices, 0);
	desk_teardown();
}
END_TEST

START_TEST(under_way_time_counts_only_when_it_comes_back)
{
	desk_setup();
	desk.safe_at_once = true;
	ck_assert_int_eq(desk_push(1, "pump", MAILBOX_SAFE, 10), 0);
	ck_assert_int_eq(desk_push(2, "valve", MAILBOX_DELIVERED, 10), 0);
	ck_assert_int_eq(desk_push(3, "fan", MAILBOX_SAFE, 10), 0);
	ck_assert_int_eq(desk_push(4, "fan", MAILBOX_SAFE, 100), 0);
	fake_run();
	fake_pass(60 * CLOCK_S_US);
	fake_run();
	ck_assert_uint_eq(desk.told_count, 0);
	desk_answer(1); /* late, and carried out */
	desk_expect_told(1, 1, TG_OUTCOME_DELIVERED);
	mailbox_awake(desk.mailbox, bytes_text("valve"));
	desk_retry(2); /* awake or not */
	fake_run();
	desk_expect_told(2, 2, TG_OUTCOME_EXPIRED);
	ck_assert_int_eq(desk.receipts[2], MAILBOX_EXPIRED);
	mailbox_awake(desk.mailbox, bytes_text("fan"));
	mailbox_carrier_gone(desk.mailbox, DESK_CARRIER);
	fake_run();
	desk_expect_told(3, 3, TG_OUTCOME_EXPIRED);
	ck_assert_str_eq(desk_state(4), "under way");
	desk_expect_counts(4, 1, 1, 0, 2);
	desk_teardown();
}
END_TEST

/* Nothing but the commit itself happens afterwards. */
START_TEST(expires_before_it_is_on_disk)
{
	desk_setup();
	ck_assert_int_eq(desk_push(1, "pump", MAILBOX_SAFE, 5), 0);
	ck_assert_int_eq(desk_push(2, "pump", MAILBOX_SAFE, 500), 0);
	fake_begin(2);
	fake_pass(60 * CLOCK_S_US);
	ck_assert_uint_eq(desk.told_count, 0);
	fake_finish(0);
	fake_pass(0);
	fake_run();
	desk_expect_told(1, 1, TG_OUTCOME_EXPIRED);
	ck_assert_uint_eq(desk.given_count, 1);
	ck_assert_uint_eq(desk.given[0].number, 2);
	desk_teardown();
}
END_TEST

START_TEST(a_device_has_so_many)
{
	desk_setup();
	for (unsigned i = 0; i < 4; i++)
		ck_assert_int_eq(desk_push(i, "pump", MAILBOX_SAFE, 60), 0);
	ck_assert_int_eq(desk_push(4, "pump", MAILBOX_SAFE, 60), -EDQUOT);
	ck_assert_int_eq(desk_push(5, "valve", MAILBOX_SAFE, 60), 0);
	fake_run();
	desk_expect_counts(5, 5, 0, 0, 0);
	desk_answer(0);
	ck_assert_int_eq(desk_push(4, "pump", MAILBOX_SAFE, 60), -EDQUOT); /* its outcome is not told yet */
	desk_safe(true);
	ck_assert_int_eq(desk_push(4, "pump", MAILBOX_SAFE, 60), 0);
	desk_teardown();
}
END_TEST

START_TEST(all_have_so_many)
{
	char device[16];

	desk_setup();
	desk.safe_at_once = true;
	for (unsigned i = 0; i < 12; i++) {
		snprintf(device, sizeof(device), "pump-%u", i);
		desk_put(i, device);
	}
	ck_assert_int_eq(desk_push(12, "valve", MAILBOX_SAFE, 60), -ENOSPC);
	desk_expect_counts(12, 12, 0, 0, 0);
	ck_assert_int_eq(desk_stats().devices, 12);
	desk_answer(3);
	ck_assert_int_eq(desk_push(12, "valve", MAILBOX_SAFE, 60), 0);
	desk.settings.commands = 13;
	mailbox_set_settings(desk.mailbox, &desk.settings);
	ck_assert_int_eq(desk_push(13, "valve", MAILBOX_SAFE, 60), 0);
	ck_assert_int_eq(desk_push(14, "valve", MAILBOX_SAFE, 60), -ENOSPC);
	desk_teardown();
}
END_TEST

START_TEST(their_bytes_are_counted)
{
	int64_t one;

	desk_setup();
	ck_assert_int_eq(desk_stats().bytes, 0);
	desk_put(10, "pump");
	one = desk_stats().bytes;
	ck_assert_int_gt(one, 0);
	desk.settings.bytes = (size_t)(2 * one - 1);
	mailbox_set_settings(desk.mailbox, &desk.settings);
	ck_assert_int_eq(desk_push(11, "pump", MAILBOX_SAFE, 60), -ENOSPC);
	desk.settings.bytes = (size_t)(2 * one);
	mailbox_set_settings(desk.mailbox, &desk.settings);
	desk_put(11, "pump");
	ck_assert_int_eq(desk_stats().bytes, 2 * one);
	desk_answer_with(10, 205, "a rather long answer, which is to be remembered until it is told");
	fake_run();
	ck_assert_int_gt(desk_stats().bytes, 2 * one);
	desk_safe(true);
	ck_assert_int_eq(desk_stats().bytes, one);
	desk_answer(11);
	desk_safe(true);
	ck_assert_int_eq(desk_stats().bytes, 0);
	desk_teardown();
}
END_TEST

/* When nobody takes outcomes, what devices say does not fill the memory; that they have said it counts. */
START_TEST(answers_have_bounds_too)
{
	static char payload[40 * 1024];

	desk_setup();
	memset(payload, 'x', sizeof(payload) - 1);
	desk.ended_result = -ENOSPC;
	desk_put(1, "pump");
	desk_put(2, "valve");
	desk_answer_with(1, 205, payload);
	desk_answer_with(2, 205, payload);
	fake_run();
	ck_assert_int_lt(desk_stats().bytes, 64 * 1024);
	ck_assert_uint_eq(desk.told_count, 2);
	ck_assert_uint_eq(strlen(desk.told[0].payload), sizeof(desk.told[0].payload) - 1);
	ck_assert_str_eq(desk.told[1].payload, "");
	ck_assert_uint_eq(desk.told[1].code, 205);
	ck_assert_int_eq(desk.told[1].content_format, TG_FORMAT_NONE);
	desk_teardown();
}
END_TEST

START_TEST(the_store_has_no_room)
{
	desk_setup();
	fake_set_room(1);
	desk_put(1, "pump");
	ck_assert_int_eq(desk_push(2, "pump", MAILBOX_SAFE, 60), -ENOSPC);
	desk_expect_counts(1, 1, 0, 0, 0);
	fake_set_room(-1);
	desk_put(2, "pump");
	desk_teardown();
}
END_TEST

START_TEST(addresses_are_bounded)
{
	static char text[TG_ADDRESS_MAX + 1];
	struct mailbox_options options = {.route = bytes_text("commands"), .expiry_s = 60};
	struct message *message = desk_message(1, "pump");

	desk_setup();
	memset(text, 'x', sizeof(text));
	options.address = bytes_of(text, TG_ADDRESS_MAX + 1);
	ck_assert_int_eq(mailbox_push(desk.mailbox, message, &options, NULL, NULL), -EMSGSIZE);
	options.address = bytes_of(text, 5);
	options.route = bytes_of(text, STORE_NAME_MAX + 1);
	ck_assert_int_eq(mailbox_push(desk.mailbox, message, &options, NULL, NULL), -EMSGSIZE);
	options.address = bytes_of(text, TG_ADDRESS_MAX);
	options.route = bytes_of(text, STORE_NAME_MAX);
	ck_assert_int_eq(mailbox_push(desk.mailbox, message, &options, NULL, NULL), 0);
	desk_expect_counts(1, 1, 0, 0, 0);
	message_unref(message);
	mailbox_refuse(desk.mailbox, bytes_text("pump"), "test");
	desk_end(-EIO);
	fake_done();
}
END_TEST

static int push_again(unsigned number, const char *device, bool repeated)
{
	struct message *first = desk_message(number, device), *again;
	struct message parts = *first;
	int r;

	if (repeated) { /* a source gives it a new id */
		unsigned fresh = number + 2000;

		parts.repeated = true;
		memcpy(parts.id, &fresh, sizeof(fresh));
	}
	again = message_new(&parts);
	message_unref(first);
	r = desk_push_message(again, MAILBOX_SAFE, 60);
	message_unref(again);
	return r;
}

START_TEST(what_is_here_is_not_taken_again)
{
	desk_setup();
	ck_assert_int_eq(desk_push(1, "pump", MAILBOX_SAFE, 3600), 0);
	for (unsigned i = 0; i < 3; i++) { /* under way, ended, told */
		fake_run();
		ck_assert_int_eq(push_again(1, "pump", false), -EEXIST);
		ck_assert_int_eq(push_again(1, "pump", true), -EEXIST);
		if (i == 0)
			desk_answer(1);
		if (i == 1)
			desk_safe(true);
	}
	desk_expect_counts(1, 0, 1, 0, 0);
	ck_assert_int_eq(push_again(1, "valve", false), 0); /* the same message, by another route */
	ck_assert_int_eq(push_again(2, "pump", true), 0);   /* says it may be, and is not */
	fake_pass(600 * CLOCK_S_US - 1);
	ck_assert_int_eq(push_again(1, "pump", false), -EEXIST);
	ck_assert_int_eq(push_again(1, "pump", true), -EEXIST);
	fake_pass(1);
	ck_assert_int_eq(push_again(1, "pump", false), 0);
	desk_end(0);
	fake_done();
}
END_TEST

/* Whoever sends it again would forget it with the answer. */
START_TEST(what_is_not_on_disk_is_not_called_safe)
{
	desk_setup();
	ck_assert_int_eq(desk_push(1, "pump", MAILBOX_SAFE, 3600), 0);
	ck_assert_int_eq(push_again(1, "pump", false), -EAGAIN);
	ck_assert_int_eq(push_again(1, "pump", true), -EAGAIN);
	ck_assert_int_eq(desk_push(1, "pump", MAILBOX_DELIVERED, 60), -EAGAIN);
	ck_assert_int_eq(desk_push(1, "pump", MAILBOX_RECEIVED, 60), -EEXIST);
	fake_begin(1);
	ck_assert_int_eq(push_again(1, "pump", false), -EAGAIN);
	fake_finish(-EIO); /* the first is refused, and the second is the first */
	ck_assert_int_eq(desk.receipts[1], MAILBOX_FULL);
	ck_assert_int_eq(push_again(1, "pump", false), 0);
	ck_assert_int_eq(push_again(1, "pump", false), -EAGAIN);
	fake_run();
	ck_assert_int_eq(desk.receipts[1], MAILBOX_TAKEN);
	ck_assert_int_eq(push_again(1, "pump", false), -EEXIST);
	desk_expect_counts(1, 1, 0, 0, 0);
	desk_teardown();
}
END_TEST

/* It ends before it could be written: of its rows the outcome is the first that is on disk. */
START_TEST(what_ended_unwritten_is_safe_with_its_outcome)
{
	desk_setup();
	ck_assert_int_eq(desk_push(1, "pump", MAILBOX_RECEIVED, 3600), 0);
	fake_begin(1);
	fake_finish(-EIO);
	ck_assert_str_eq(desk_state(1), "not written");
	ck_assert_int_eq(push_again(1, "pump", false), -EAGAIN);
	mailbox_refuse(desk.mailbox, bytes_text("pump"), "test");
	ck_assert_str_eq(desk_state(1), "ended");
	ck_assert_int_eq(push_again(1, "pump", false), -EAGAIN);
	fake_run();
	desk_expect_told(1, 1, TG_OUTCOME_REFUSED);
	ck_assert_int_eq(push_again(1, "pump", false), -EEXIST);
	desk_safe(true);
	ck_assert_int_eq(push_again(1, "pump", false), -EEXIST);
	desk_teardown();
}
END_TEST

/* Commands with the same number: their receipts are told apart by time alone. */
static void run_one_by_one(unsigned count)
{
	while (count-- > 0) {
		fake_begin(1);
		fake_finish(0);
		ck_assert_int_eq(desk.receipts[7], MAILBOX_TAKEN);
		desk.receipts[7] = DESK_NEVER;
	}
}

START_TEST(equal_is_not_the_same)
{
	struct message *model, *first, *second;
	struct message parts;

	desk_setup();
	desk.any = true;
	model = desk_message(7, "pump");
	parts = *model;
	parts.correlation = bytes_of(NULL, 0);
	parts.repeated = true;
	parts.id[15] ^= 1;
	second = message_new(&parts);
	parts.id[15] ^= 2;
	first = message_new(&parts);
	ck_assert_int_eq(desk_push_message(first, MAILBOX_SAFE, 60), 0);
	ck_assert_int_eq(desk_push_message(second, MAILBOX_SAFE, 60), 0);
	ck_assert_int_eq(desk_push_message(second, MAILBOX_RECEIVED, 60), -EEXIST);
	run_one_by_one(2);
	ck_assert_int_eq(desk_push_message(second, MAILBOX_SAFE, 60), -EEXIST);
	message_unref(model);
	message_unref(first);
	message_unref(second);
	desk_end(-EIO);
	fake_done();
}
END_TEST

START_TEST(one_message_makes_two_commands)
{
	struct message *get, *put;
	struct message parts;

	desk_setup();
	get = desk_message(7, "pump");
	parts = *get;
	parts.method = TG_METHOD_PUT;
	put = message_new(&parts);
	ck_assert_int_ne(get->method, TG_METHOD_PUT);
	desk.any = true;
	ck_assert_int_eq(desk_push_message(get, MAILBOX_SAFE, 60), 0);
	ck_assert_int_eq(desk_push_message(put, MAILBOX_SAFE, 60), 0);
	run_one_by_one(2);
	ck_assert_int_eq(desk_push_message(put, MAILBOX_SAFE, 60), -EEXIST);
	message_unref(get);
	message_unref(put);
	desk_end(-EIO);
	fake_done();
}
END_TEST

START_TEST(remembers_the_last_thousand)
{
	desk_setup();
	desk.safe_at_once = true;
	for (unsigned i = 0; i < 1025; i++) {
		desk_put(i, "pump");
		desk_answer(i);
	}
	ck_assert_int_eq(push_again(1, "pump", false), -EEXIST);
	ck_assert_int_eq(push_again(1024, "pump", false), -EEXIST);
	ck_assert_int_eq(push_again(0, "pump", false), 0);
	desk_expect_counts(1026, 1, 1025, 0, 0);
	desk_end(0);
	fake_done();
}
END_TEST

/* The memory of what has ended is bounded in bytes, too. */
START_TEST(forgets_large_ones_sooner)
{
	static char payload[TG_PAYLOAD_MAX];
	struct message parts = {
		.kind = TG_COMMAND, .device = bytes_text("pump"), .payload = {payload, sizeof(payload)}};
	const struct mailbox_options options = {
		.address = bytes_text("/led?now"), .route = bytes_text("commands"), .expiry_s = 1};
	struct message *messages[4];

	desk_setup();
	desk.settings.bytes = 64 * 1024 * 1024;
	desk.safe_at_once = desk.any = true;
	mailbox_set_settings(desk.mailbox, &desk.settings);
	for (unsigned i = 0; i < 4; i++) {
		parts.id[0] = (uint8_t)i;
		messages[i] = message_new(&parts);
		ck_assert_int_eq(mailbox_push(desk.mailbox, messages[i], &options, NULL, NULL), 0);
		fake_run();
		desk_answer(i);
	}
	desk_expect_counts(4, 0, 4, 0, 0);
	for (unsigned i = 1; i < 4; i++)
		ck_assert_int_eq(mailbox_push(desk.mailbox, messages[i], &options, NULL, NULL), -EEXIST);
	ck_assert_int_eq(mailbox_push(desk.mailbox, messages[0], &options, NULL, NULL), 0);
	for (unsigned i = 0; i < 4; i++)
		message_unref(messages[i]);
	desk_end(-EIO);
	fake_done();
}
END_TEST

SUITE_MAIN("mailbox_room", expires_while_it_waits, expires_asleep_in_any_order,
	   under_way_time_counts_only_when_it_comes_back, expires_before_it_is_on_disk, a_device_has_so_many,
	   all_have_so_many, their_bytes_are_counted, answers_have_bounds_too, the_store_has_no_room,
	   addresses_are_bounded, what_is_here_is_not_taken_again, what_is_not_on_disk_is_not_called_safe,
	   what_ended_unwritten_is_safe_with_its_outcome, equal_is_not_the_same, one_message_makes_two_commands,
	   remembers_the_last_thousand, forgets_large_ones_sooner)
