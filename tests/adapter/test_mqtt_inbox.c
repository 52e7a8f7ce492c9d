/* SPDX-License-Identifier: Apache-2.0 */

/* The receiving connection, byte by byte. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mqtt_fake.h"

/* QoS 1, packet id, topic "a/b", no properties, payload of one byte. */
#define PUBLISH(mid, payload)       "\x32\x09\0\3a/b\0" mid "\0" payload
#define PUBLISH_AGAIN(mid, payload) "\x3a\x09\0\3a/b\0" mid "\0" payload

static void setup(void)
{
	rig_setup();
	fake_start();
	mock_add_route(mock, "a/**");
}

static void teardown(void)
{
	mock_host_free(mock);
	mock = NULL;
	fake_stop();
}

static void expect_submissions(size_t n)
{
	ck_assert_msg(MOCK_UNTIL(mock, mock->n_submissions >= n, RIG_SOON_MS), "%zu", mock->n_submissions);
	mock_settle(mock);
	ck_assert_uint_eq(mock->n_submissions, n);
}

static void begin(void)
{
	ck_assert_int_eq(mock_begin(mock), 0);
	fake_begin(false);
}

START_TEST(acknowledgements_wait_and_leave_in_order)
{
	begin();
	FAKE_SEND(PUBLISH("\1", "1") PUBLISH("\2", "2") PUBLISH("\3", "3") PUBLISH("\4", "4") PUBLISH("\5", "5"));
	expect_submissions(5);
	mock_accept(mock, mock->submissions[4].token);
	mock_refuse(mock, mock->submissions[1].token, TG_NOT_ALLOWED);
	fake_expect_nothing();
	mock_accept(mock, mock->submissions[0].token);
	FAKE_EXPECT("\x40\2\0\1\x40\3\0\2\x87");
	mock_refuse(mock, mock->submissions[3].token, TG_TOO_FAST);
	fake_expect_nothing();
	mock_refuse(mock, mock->submissions[2].token, TG_NO_ROUTE);
	FAKE_EXPECT("\x40\3\0\3\x90\x40\3\0\4\x97\x40\2\0\5");
}
END_TEST

START_TEST(one_byte_at_a_time)
{
	static const char packets[] = PUBLISH("\1", "1") "\x30\x07\0\3a/b\0"
							 "0" PUBLISH("\2", "2");

	begin();
	for (size_t i = 0; i < sizeof(packets) - 1; i++) {
		fake_send(packets + i, 1);
		mock_settle(mock);
	}
	expect_submissions(3);
	ck_assert_str_eq((const char *)mock->submissions[1].payload, "0");
	for (int i = 0; i < 3; i++)
		mock_accept(mock, mock->submissions[i].token);
	FAKE_EXPECT("\x40\2\0\1\x40\2\0\2");
}
END_TEST

/* The broker, which hears nothing else, would close, and begin anew with the same message for ever. */
START_TEST(a_message_that_takes_long_does_not_stop_the_pings)
{
	static const char packet[] = PUBLISH("\1", "1");
	size_t size = sizeof(packet) - 1, sent = 3;

	mock->virtual_time = true;
	mock_set(mock, "keepalive_s", "5");
	begin();
	fake_send(packet, sent);
	for (int i = 0; i < 3; i++) {
		for (int k = 0; k < 2; k++) {
			mock_advance(mock, 2000000);
			fake_send(packet + sent++, 1);
			mock_settle(mock);
		}
		mock_advance(mock, 1000000);
		FAKE_EXPECT("\xc0\0");
	}
	mock_advance(mock, 1000000);
	fake_send(packet + sent, size - sent);
	expect_submissions(1);
	mock_accept(mock, mock->submissions[0].token);
	FAKE_EXPECT("\x40\2\0\1");
	ck_assert_uint_eq(mock_logged(mock, "nothing is received any more"), 0);
	/* Silence is another matter: none of them was answered. */
	mock_advance(mock, 6000000);
	fake_expect_end();
	ck_assert_uint_eq(mock_logged(mock, "nothing is received any more"), 1);
}
END_TEST

START_TEST(a_repetition_on_the_same_connection_is_one_message)
{
	begin();
	FAKE_SEND(PUBLISH("\1", "1") PUBLISH_AGAIN("\1", "1"));
	expect_submissions(1);
	mock_accept(mock, mock->submissions[0].token);
	FAKE_EXPECT("\x40\2\0\1");
	fake_expect_nothing();
}
END_TEST

START_TEST(what_was_taken_is_not_taken_twice_over_a_new_connection)
{
	begin();
	FAKE_SEND(PUBLISH("\1", "1") PUBLISH("\2", "2") PUBLISH("\3", "3") PUBLISH("\4", "4"));
	expect_submissions(4);
	mock_accept(mock, mock->submissions[0].token);
	FAKE_EXPECT("\x40\2\0\1");
	fake_close();
	ck_assert(MOCK_UNTIL(mock, mock_counter(mock, "receiving") == 0, RIG_SOON_MS));
	mock_refuse(mock, mock->submissions[1].token, TG_FULL);
	/* The third is still waited for, the fourth was taken behind the connection's end. */
	mock_accept(mock, mock->submissions[3].token);
	fake_begin(true);
	/* Of the first the broker did not get the acknowledgement, or it is a new one that looks the same. */
	FAKE_SEND(PUBLISH_AGAIN("\1", "1") PUBLISH_AGAIN("\2", "2") PUBLISH_AGAIN("\3", "3") PUBLISH_AGAIN("\4", "4")
			  PUBLISH("\5", "5"));
	expect_submissions(7);
	ck_assert(mock->submissions[4].repeated && mock->submissions[5].repeated && !mock->submissions[6].repeated);
	ck_assert_str_eq((const char *)mock->submissions[4].payload, "1");
	ck_assert_str_eq((const char *)mock->submissions[5].payload, "2");
	ck_assert_str_eq((const char *)mock->submissions[6].payload, "5");
	ck_assert_int_eq(mock_counter(mock, "received_again"), 2);
	mock_accept(mock, mock->submissions[4].token);
	FAKE_EXPECT("\x40\2\0\1");
	mock_accept(mock, mock->submissions[5].token);
	mock_accept(mock, mock->submissions[2].token);
	mock_accept(mock, mock->submissions[6].token);
	FAKE_EXPECT("\x40\2\0\2\x40\2\0\3\x40\2\0\4\x40\2\0\5");
	/* A broker that has forgotten the session may give anything under any packet id. */
	FAKE_SEND(PUBLISH("\4", "4"));
	expect_submissions(8);
	fake_close();
	fake_begin(false);
	FAKE_SEND(PUBLISH_AGAIN("\4", "4"));
	expect_submissions(9);
}
END_TEST

/* The broker does not read on behind DISCONNECT. */
START_TEST(what_was_taken_while_the_connection_is_closed_is_not_taken_twice)
{
	begin();
	FAKE_SEND(PUBLISH("\1", "1") PUBLISH("\2", "2"));
	expect_submissions(2);
	mock_set(mock, "keepalive_s", "31");
	ck_assert_int_eq(mock_reload(mock), 0);
	FAKE_EXPECT("\xe0\0");
	mock_accept(mock, mock->submissions[0].token);
	fake_expect_end();
	ck_assert_int_eq(mock_counter(mock, "acknowledged"), 0);
	fake_begin(true);
	FAKE_SEND(PUBLISH_AGAIN("\1", "1") PUBLISH_AGAIN("\2", "2"));
	FAKE_EXPECT("\x40\2\0\1");
	expect_submissions(2);
	ck_assert_int_eq(mock_counter(mock, "received_again"), 2);
	mock_accept(mock, mock->submissions[1].token);
	FAKE_EXPECT("\x40\2\0\2");
	ck_assert_int_eq(mock_counter(mock, "acknowledged"), 2);
}
END_TEST

START_TEST(more_than_the_window_is_left_in_the_socket)
{
	mock_set(mock, "receive_window", "2");
	begin();
	/* A broker that does not care about Receive Maximum. */
	FAKE_SEND(PUBLISH("\1", "1") PUBLISH("\2", "2") PUBLISH("\3", "3") PUBLISH("\4", "4"));
	expect_submissions(2);
	fake_expect_nothing();
	mock_accept(mock, mock->submissions[0].token);
	expect_submissions(3);
	FAKE_EXPECT("\x40\2\0\1");
	mock_accept(mock, mock->submissions[1].token);
	mock_accept(mock, mock->submissions[2].token);
	expect_submissions(4);
	FAKE_EXPECT("\x40\2\0\2\x40\2\0\3");
}
END_TEST

static const struct {
	const char *data;
	size_t size;
	const char *answer;
	size_t answer_size;
	const char *cause;
} wrong[] = {
#define ROW(data, answer, cause)                                                                                       \
	{                                                                                                              \
		data, sizeof(data) - 1, answer, sizeof(answer) - 1, cause                                              \
	}
	ROW("\x32\x08\0\3a/+\0\1\0", "\xe0\1\x81", "PUBLISH is malformed"),
	ROW("\x32\x06\0\x7f"
	    "ab\0\1",
	    "\xe0\1\x81", "PUBLISH is malformed"),
	ROW("\x36\x08\0\3a/b\0\1\0", "\xe0\1\x81", "PUBLISH is malformed"),
	ROW("\x30\xff\xff\xff\xff\x7f", "\xe0\1\x81", "malformed packet"),
	ROW("\x90\xff\xff\xff\x7f\0", "\xe0\1\x95", "too large"),
	ROW("\x90\1\0", "\xe0\1\x81", "SUBACK is malformed"),
	ROW("\x20\3\0\0\0", "\xe0\1\x82", "not expected"),
	ROW("\x60\2\0\1", "\xe0\1\x81", "PUBREL is malformed"),
	ROW("\x62\2\0\0", "\xe0\1\x81", "PUBREL is malformed"),
	ROW("\x72\2\0\1", "\xe0\1\x82", "not expected"),
	ROW("\x00\0", "\xe0\1\x82", "not expected"),
	ROW("\xe0\1\x8b", "", "disconnected by the broker: "),
	ROW("\xe0\6\x8e\4\x1f\0\1x", "", "Session taken over, x"),
#undef ROW
};

START_TEST(what_breaks_the_standard_ends_the_connection)
{
	begin();
	fake_expect_link();
	fake_send(wrong[_i].data, wrong[_i].size);
	if (wrong[_i].answer_size > 0)
		fake_expect(wrong[_i].answer, wrong[_i].answer_size);
	fake_expect_end();
	ck_assert_msg(mock_logged(mock, wrong[_i].cause) == 1, "%s", mock->lines[mock->n_lines - 1].text);
	ck_assert_uint_eq(mock->n_submissions, 0);
	fake_begin(false);
	ck_assert_int_eq(mock->link, TG_LINK_UP);
}
END_TEST

START_TEST(a_refused_connection_is_told_once)
{
	ck_assert_int_eq(mock_begin(mock), 0);
	ck_assert_int_eq(mock->link, TG_LINK_CONNECTING);
	for (int i = 0; i < 4; i++) {
		fake_expect_connect();
		fake_expect_link();
		fake_accept("\x20\7\0\x87\4\x1f\0\1x", 9);
		fake_expect_end();
	}
	ck_assert_int_eq(mock_counter(mock, "receiving"), 0);
	for (size_t i = 0, n = 0; i < mock->n_lines; i++) {
		n += mock->lines[i].level == TG_LOG_WARNING && strstr(mock->lines[i].text, "Not authorized, x");
		ck_assert_uint_le(n, 1);
	}
	ck_assert_uint_ge(mock_logged(mock, "Not authorized, x"), 4);
	fake_begin(false);
	ck_assert_int_eq(mock->link, TG_LINK_UP);
	ck_assert_int_eq(mock_counter(mock, "connects"), 1);
}
END_TEST

START_TEST(a_refused_subscription_is_told)
{
	static const struct {
		uint8_t reason;
		int granted;
		const char *told;
	} rows[] = {{0x87, 0, "refuses the subscription to \"a/#\""}, {0, 1, "grants QoS 0 only"}, {1, 1, NULL}};

	ck_assert_int_eq(mock_begin(mock), 0);
	fake_expect_connect();
	fake_accept("\x20\3\0\0\0", 5);
	fake_expect_subscribe(rows[_i].reason);
	if (rows[_i].told)
		ck_assert(MOCK_UNTIL(mock, mock_logged(mock, rows[_i].told) == 1, RIG_SOON_MS));
	ck_assert(MOCK_UNTIL(mock, mock_counter(mock, "subscriptions") == rows[_i].granted, RIG_SOON_MS));
	ck_assert_int_eq(mock_counter(mock, "receiving"), 1);
}
END_TEST

START_TEST(a_broker_that_answers_no_ping_is_left)
{
	ck_assert_int_eq(mock_begin(mock), 0);
	fake_expect_connect();
	/* Server Keep Alive: one second. A Session Expiry Interval that is shorter than wanted is told. */
	fake_accept("\x20\x0b\0\0\x08\x13\0\1\x11\0\0\0\x3c", 13);
	fake_expect_subscribe(1);
	FAKE_EXPECT("\xc0\0");
	FAKE_SEND("\xd0\0");
	FAKE_EXPECT("\xc0\0");
	fake_expect_end();
	ck_assert_uint_eq(mock_logged(mock, "no answer to PING"), 1);
	ck_assert_uint_eq(mock_logged(mock, "for 60 s only"), 1);
}
END_TEST

START_TEST(a_broker_that_does_not_answer_is_left)
{
	mock_set(mock, "connect_timeout_s", "1");
	ck_assert_int_eq(mock_begin(mock), 0);
	fake_expect_connect();
	fake_expect_end();
	ck_assert_uint_ge(mock_logged(mock, "no answer from the broker in time"), 1);
}
END_TEST

START_TEST(a_broker_that_cannot_be_reached_is_tried_again)
{
	static const char *const urls[] = {"mqtt://a..b", "mqtt://127.0.0.1:1"};
	static const char *const causes[] = {"Name or service not known", "Connection refused"};
	char told[128];

	mock_set(mock, "broker", urls[_i]);
	snprintf(told, sizeof(told), "nothing can be received from \"%s\", trying on (%s)", urls[_i], causes[_i]);
	ck_assert_int_eq(mock_begin(mock), 0);
	ck_assert(MOCK_UNTIL(mock, mock_logged(mock, told) >= 3, RIG_SOON_MS));
	mock_stop(mock);
	ck_assert(MOCK_UNTIL(mock, mock->stopped, RIG_SOON_MS));
}
END_TEST

/* What the gateway itself holds back must not look like a dead link. */
START_TEST(a_full_window_is_no_dead_link)
{
	mock_set(mock, "receive_window", "1");
	ck_assert_int_eq(mock_begin(mock), 0);
	fake_expect_connect();
	fake_accept("\x20\6\0\0\3\x13\0\1", 8);
	fake_expect_subscribe(1);
	FAKE_SEND(PUBLISH("\1", "1") PUBLISH("\2", "2") "\xd0\0");
	expect_submissions(1);
	for (int i = 0; i < 3; i++)
		FAKE_EXPECT("\xc0\0");
	mock_accept(mock, mock->submissions[0].token);
	FAKE_EXPECT("\x40\2\0\1");
	expect_submissions(2);
	ck_assert_int_eq(mock_counter(mock, "receiving"), 1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("mqtt inbox");
	TCase *tcase = tcase_create("mqtt inbox");

	tcase_set_timeout(tcase, 180);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, acknowledgements_wait_and_leave_in_order);
	tcase_add_test(tcase, one_byte_at_a_time);
	tcase_add_test(tcase, a_message_that_takes_long_does_not_stop_the_pings);
	tcase_add_test(tcase, a_repetition_on_the_same_connection_is_one_message);
	tcase_add_test(tcase, what_was_taken_is_not_taken_twice_over_a_new_connection);
	tcase_add_test(tcase, what_was_taken_while_the_connection_is_closed_is_not_taken_twice);
	tcase_add_test(tcase, more_than_the_window_is_left_in_the_socket);
	tcase_add_loop_test(tcase, what_breaks_the_standard_ends_the_connection, 0,
			    (int)(sizeof(wrong) / sizeof(wrong[0])));
	tcase_add_test(tcase, a_refused_connection_is_told_once);
	tcase_add_loop_test(tcase, a_refused_subscription_is_told, 0, 3);
	tcase_add_test(tcase, a_broker_that_answers_no_ping_is_left);
	tcase_add_test(tcase, a_broker_that_does_not_answer_is_left);
	tcase_add_loop_test(tcase, a_broker_that_cannot_be_reached_is_tried_again, 0, 2);
	tcase_add_test(tcase, a_full_window_is_no_dead_link);
	suite_add_tcase(suite, tcase);
	return rig_main(suite);
}
