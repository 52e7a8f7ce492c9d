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
	{0x10, TG_CONFIRMED}, {0x80, TG_RETRY}, {0x83, TG_RETRY},    {0x87, TG_REJECTED}, {0x90, TG_REJECTED},
	{0x91, TG_RETRY},     {0x92, TG_RETRY}, {0x95, TG_REJECTED}, {0x97, TG_RETRY},    {0x99, TG_REJECTED},
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

/* One that takes connections is not yet one that takes messages. */
START_TEST(a_broker_that_confirms_nothing_is_left)
{
	uint64_t ticket;

	mock_add(mock, "broker", taker_url(&second));
	mock_set(mock, "confirm_timeout_s", "1");
	begin();
	deliver("a", 1);
	taker_expect_publish(&first, "a");
	taker_expect_end(&first);
	taker_hang_up(&first);
	ck_assert(MOCK_UNTIL(mock, taker_is_asked(&first) || taker_is_asked(&second), RIG_SOON_MS));
	ck_assert_int_lt(first.fd, 0);
	taker_accept(&second, true);
	ticket = deliver("a", 1);
	taker_answer(&second, taker_expect_publish(&second, "a"), 0);
	rig_expect_result(ticket, TG_CONFIRMED);
	/* One that is only lost is taken again. */
	taker_hang_up(&second);
	ck_assert(MOCK_UNTIL(mock, taker_is_asked(&first) || taker_is_asked(&second), RIG_SOON_MS));
	ck_assert_int_lt(first.fd, 0);
}
END_TEST

START_TEST(a_broker_that_sends_and_does_not_read_loses_the_connection)
{
	static char flood[65536];

	for (size_t i = 0; i < sizeof(flood); i += 4)
		memcpy(flood + i, "\x50\2\0\1", 4); /* PUBREC */
	begin();
	/* What is beyond the limit and the sockets' own buffers. */
	for (int i = 0; i < 1024 && mock->link == TG_LINK_UP; i++)
		taker_flood(&first, flood, sizeof(flood));
	ck_assert_int_ne(mock->link, TG_LINK_UP);
	ck_assert_uint_eq(mock_logged(mock, "the broker sends, but takes nothing in"), 1);
}
END_TEST

/* QoS 0 is confirmed when it is sent, not only once nothing waits behind it. On a slow line there always is something. */
START_TEST(qos_0_is_confirmed_while_a_backlog_drains)
{
	static char large[262144];
	struct tg_delivery big = rig_delivery("big", "", 1), small = rig_delivery("small", "1", 0);
	uint64_t ticket;
	size_t before = 0;
	uint16_t mid;

	memset(large, 'x', sizeof(large));
	big.payload = (struct tg_bytes){.data = large, .size = sizeof(large)};
	begin();
	taker_narrow(&first);
	for (; mock_counter(mock, "queued") == 0; before++) {
		ck_assert_int_eq(mock_deliver(mock, &big, &ticket), 0);
		mock_settle(mock);
	}
	ck_assert_int_eq(mock_deliver(mock, &small, &ticket), 0);
	for (int i = 0; i < 20; i++)
		ck_assert_int_eq(mock_deliver(mock, &big, &(uint64_t){0}), 0);
	for (; before > 0; before--) {
		mid = taker_expect_publish(&first, "big");
		taker_answer(&first, mid, 0);
	}
	ck_assert_int_eq(taker_expect_publish(&first, "small"), 0);
	rig_expect_result(ticket, TG_CONFIRMED);
	ck_assert_int_gt(mock_counter(mock, "queued"), 0);
}
END_TEST

/* So it answers to an MQTT 5 CONNECT. */
START_TEST(a_broker_of_an_older_version_is_told_as_such)
{
	ck_assert_int_eq(mock_begin(mock), 0);
	taker_expect_connect(&first);
	TAKER_SEND(&first, "\x20\2\0\1");
	ck_assert(MOCK_UNTIL(mock, mock_logged(mock, "unacceptable protocol version") > 0, RIG_SOON_MS));
	ck_assert_int_eq(mock_counter(mock, "connects"), 0);
}
END_TEST

static void expect_status(const char *state)
{
	uint16_t mid = taker_expect_publish(&first, "plant/gw/status");

	ck_assert_ptr_nonnull(memmem(first.in, first.taken, state, strlen(state)));
	taker_answer(&first, mid, 0);
}

/* Who goes by choice says so: the broker drops the last will then. */
START_TEST(a_connection_made_anew_says_offline_before)
{
	bool version5 = _i == 0;

	mock_set(mock, "protocol", version5 ? "5" : "3.1.1");
	mock_set(mock, "status", "true");
	mock_set(mock, "status_topic", "plant/gw/status");
	ck_assert_int_eq(mock_begin(mock), 0);
	taker_accept(&first, version5);
	expect_status("\"online\"");
	/* Where it said that it is online, and not where it will. */
	mock_set(mock, "status_topic", "elsewhere");
	mock_set(mock, "broker", taker_url(&second));
	ck_assert_int_eq(mock_reload(mock), 0);
	expect_status("\"offline\"");
	taker_expect(&first, 14);
	taker_accept(&second, version5);
	taker_expect_publish(&second, "elsewhere");
}
END_TEST

START_TEST(what_nobody_asked_for_is_dropped)
{
	uint64_t ticket;

	begin();
	TAKER_SEND(&first, "\x30\7\0\3a/b\0"
			   "0");
	TAKER_SEND(&first, "\x32\x09\0\3a/b\0\1\0"
			   "1");
	TAKER_SEND(&first, "\x34\x09\0\3a/b\0\2\0"
			   "2");
	ck_assert_mem_eq(taker_expect(&first, 4).data, "\0\1", 2);
	ck_assert_mem_eq(taker_expect(&first, 5).data, "\0\2", 2);
	TAKER_SEND(&first, "\x62\2\0\2");
	ck_assert_mem_eq(taker_expect(&first, 7).data, "\0\2", 2);
	ticket = deliver("a", 1);
	taker_answer(&first, taker_expect_publish(&first, "a"), 0);
	rig_expect_result(ticket, TG_CONFIRMED);
	ck_assert_uint_eq(mock_logged(mock, "they are dropped"), 1);
	ck_assert_uint_eq(mock->n_submissions, 0);
	ck_assert_int_eq(mock_counter(mock, "connects"), 1);
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
	tcase_add_test(tcase, a_broker_that_confirms_nothing_is_left);
	tcase_add_test(tcase, a_broker_that_sends_and_does_not_read_loses_the_connection);
	tcase_add_test(tcase, qos_0_is_confirmed_while_a_backlog_drains);
	tcase_add_test(tcase, a_broker_of_an_older_version_is_told_as_such);
	tcase_add_loop_test(tcase, a_connection_made_anew_says_offline_before, 0, 2);
	tcase_add_test(tcase, what_nobody_asked_for_is_dropped);
	suite_add_tcase(suite, tcase);
	return rig_main(suite);
}
