/* SPDX-License-Identifier: Apache-2.0 */

/* The publishing connection, byte by byte. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adapter/mqtt_taker.h"

static struct taker first, second;

static void setup(void)
{
	rig_setup();
	taker_open(&first);
	taker_open(&second);
	mock_set(mock, "broker", taker_url(&first));
	mock_set(mock, "status", "false");
}

static void teardown(void)
{
	mock_host_free(mock);
	mock = NULL;
	taker_close(&first);
	taker_close(&second);
}

static void begin(void)
{
	ck_assert_int_eq(mock_begin(mock), 0);
	taker_accept(&first, true);
}

static uint64_t deliver(const char *topic, uint8_t id)
{
	struct tg_delivery delivery = rig_delivery(topic, "1", 1);
	uint64_t ticket;

	memset(delivery.id, id, sizeof(delivery.id));
	ck_assert_int_eq(mock_deliver(mock, &delivery, &ticket), 0);
	return ticket;
}

static const struct {
	uint8_t reason;
	int result;
} refusals[] = {
	{0x10, TG_CONFIRMED}, {0x80, TG_RETRY},    {0x83, TG_RETRY}, {0x87, TG_REJECTED},
	{0x90, TG_REJECTED},  {0x95, TG_REJECTED}, {0x97, TG_RETRY}, {0x99, TG_REJECTED},
};

/* What may pass costs no message; what is the message's own fault does. */
START_TEST(a_refusal_that_may_pass_keeps_the_message)
{
	uint64_t ticket;

	begin();
	ticket = deliver("a", 1);
	taker_answer(&first, taker_expect_publish(&first, "a"), refusals[_i].reason);
	rig_expect_result(ticket, refusals[_i].result);
	ck_assert_int_eq(mock_counter(mock, "rejected"), refusals[_i].result == TG_REJECTED);
	ck_assert_int_eq(mock_counter(mock, "released"), refusals[_i].result == TG_RETRY);
	ck_assert_int_eq(mock->link, TG_LINK_UP);
}
END_TEST

START_TEST(a_refusal_that_stays_is_told_once)
{
	uint64_t ticket;

	begin();
	for (int i = 0; i < 20; i++) {
		ticket = deliver("a", 1);
		taker_answer(&first, taker_expect_publish(&first, "a"), 0x83);
		rig_expect_result(ticket, TG_RETRY);
	}
	ck_assert_uint_eq(mock_logged(mock, "the broker refuses messages for now"), 1);
	ticket = deliver("a", 1);
	taker_answer(&first, taker_expect_publish(&first, "a"), 0);
	rig_expect_result(ticket, TG_CONFIRMED);
	ticket = deliver("a", 2);
	taker_answer(&first, taker_expect_publish(&first, "a"), 0x83);
	rig_expect_result(ticket, TG_RETRY);
	ck_assert_uint_eq(mock_logged(mock, "the broker refuses messages for now"), 2);
}
END_TEST

/* A quota says nothing about the message, however often it is told. */
START_TEST(a_poison_message_goes_where_the_settings_say_so)
{
	uint64_t ticket, other;

	mock_set(mock, "release_limit", "3");
	begin();
	for (int i = 1; i <= 3; i++) {
		ticket = deliver("poison", 7);
		taker_answer(&first, taker_expect_publish(&first, "poison"), 0x97);
		rig_expect_result(ticket, TG_RETRY);
		ticket = deliver("poison", 7);
		taker_answer(&first, taker_expect_publish(&first, "poison"), 0x83);
		rig_expect_result(ticket, i < 3 ? TG_RETRY : TG_REJECTED);
		other = deliver("other", (uint8_t)(i + 10));
		taker_answer(&first, taker_expect_publish(&first, "other"), 0x80);
		rig_expect_result(other, TG_RETRY);
		/* It counts over connections. */
		taker_hang_up(&first);
		ck_assert(MOCK_UNTIL(mock, mock->link != TG_LINK_UP, RIG_SOON_MS));
		taker_accept(&first, true);
	}
	rig_expect_in(mock->tickets[ticket - 1].reason, "refused by the broker 3 times (");
}
END_TEST

/* With it goes what waits behind it, so that nothing that has not left yet overtakes it. */
START_TEST(what_waits_behind_a_message_given_back_goes_back_too)
{
	uint64_t one, two;

	mock_set(mock, "window", "1");
	begin();
	one = deliver("a", 1);
	two = deliver("b", 2);
	taker_answer(&first, taker_expect_publish(&first, "a"), 0x83);
	rig_expect_result(one, TG_RETRY);
	rig_expect_result(two, TG_RETRY);
	ck_assert_int_eq(mock_counter(mock, "published"), 1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("mqtt_publishing");
	TCase *tcase = tcase_create("publishing");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 120);
	tcase_add_loop_test(tcase, a_refusal_that_may_pass_keeps_the_message, 0,
			    sizeof(refusals) / sizeof(refusals[0]));
	tcase_add_test(tcase, a_refusal_that_stays_is_told_once);
	tcase_add_test(tcase, a_poison_message_goes_where_the_settings_say_so);
	tcase_add_test(tcase, what_waits_behind_a_message_given_back_goes_back_too);
	suite_add_tcase(suite, tcase);
	return rig_main(suite);
}
