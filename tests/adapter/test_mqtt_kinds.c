/* SPDX-License-Identifier: Apache-2.0 */

/* What comes in and is not simply handed in, and the other kinds of connection. */

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "mqtt_peer.h"
#include "mqtt_rig.h"

START_TEST(what_can_never_be_handed_in_is_refused)
{
	static uint8_t large[TG_PAYLOAD_MAX + 1], larger[2 * TG_PAYLOAD_MAX], correlation[TG_CORRELATION_MAX + 1];
	static char topic[TG_PATH_MAX + 2] = "a/";
	struct peer_message messages[] = {
		{.topic = "a/b", .method = "burn", .qos = 1},
		{.topic = "a/b", .correlation = bytes_of(correlation, sizeof(correlation)), .qos = 1},
		{.topic = "a/b", .payload = bytes_of(large, sizeof(large)), .qos = 1},
		{.topic = topic, .qos = 1},
		{.topic = "a/b", .payload = bytes_of(larger, sizeof(larger)), .qos = 1},
	};
	const int n = (int)(sizeof(messages) / sizeof(messages[0])) - (_i == 0);

	/* MQTT 3.1.1 has no Maximum Packet Size: what is larger than that is passed over. */
	if (_i == 1)
		mock_set(mock, "protocol", "3.1.1");
	memset(topic + 2, 'x', TG_PATH_MAX - 1);
	broker_start(&broker);
	rig_receive("a/**");
	for (int i = 2 * _i; i < n; i++) /* without properties two of them are good ones */
		peer_publish(&broker, &messages[i]);
	rig_expect_counter("refused", n - 2 * _i);
	rig_expect_counter("acknowledged", n - 2 * _i);
	ck_assert_uint_eq(mock->n_submissions, 0);
	peer_say(&broker, "a/b", "good");
	rig_expect_submission(1, "a/b", "good");
	ck_assert_uint_eq(mock_logged(mock, "receiving from"), 1);
}
END_TEST

START_TEST(retained_and_own_messages_are_passed_over)
{
	uint64_t ticket;

	broker_start(&broker);
	peer_publish(&broker,
		     &(struct peer_message){.topic = "a/b", .payload = bytes_text("old"), .retain = true, .qos = 1});
	if (_i == 1)
		mock_set(mock, "protocol", "3.1.1");
	rig_receive("a/**");
	peer_say(&broker, "a/b", "new");
	rig_expect_submission(1, "a/b", "new");
	if (_i == 1) {
		rig_expect_counter("ignored", 1);
		return;
	}
	ck_assert_int_eq(mock_deliver_text(mock, "a/b", "own", &ticket), 0);
	rig_expect_result(ticket, TG_CONFIRMED);
	rig_expect_counter("ignored", 1);
	ck_assert_uint_eq(mock->n_submissions, 1);
}
END_TEST

START_TEST(mqtt_311_receives_too)
{
	mock_set(mock, "protocol", "3.1.1");
	broker_start(&broker);
	rig_receive("a/**");
	for (int i = 0; i < 3; i++)
		peer_say(&broker, "a/b", "1");
	rig_expect_submission(3, "a/b", "1");
	for (int i = 0; i < 3; i++)
		mock_accept(mock, mock->submissions[i].token);
	rig_expect_counter("acknowledged", 3);
}
END_TEST

START_TEST(quality_of_service_zero_is_a_choice)
{
	mock_set(mock, "subscribe_qos", "0");
	broker_start(&broker);
	rig_receive("a/**");
	peer_say(&broker, "a/b", "1");
	peer_say(&broker, "a/b", "2");
	rig_expect_submission(2, "a/b", "2");
	mock_accept(mock, mock->submissions[0].token);
	mock_refuse(mock, mock->submissions[1].token, TG_FULL);
	rig_expect_counter("waiting", 0);
	ck_assert_int_eq(mock_counter(mock, "acknowledged"), 0);
	ck_assert_int_eq(mock_counter(mock, "refused"), 1);
}
END_TEST

/* A stream of them, from somebody else's tool. */
START_TEST(many_messages_come_in_in_order)
{
	enum { N = 3000 };
	char command[1024], text[16];

	mock->accept_all = true;
	/* The loop stands still meanwhile. */
	snprintf(broker.extra, sizeof(broker.extra), "max_queued_messages 0\n");
	broker_start(&broker);
	rig_receive("a/**");
	snprintf(command, sizeof(command),
		 "seq 0 %d | timeout 60 mosquitto_pub -V 5 -q 1 -l -h localhost -p %u --cafile %s --cert %s --key %s "
		 "-t a/b",
		 N - 1, broker.port, broker_file("ca.crt"), broker_file("client.crt"), broker_file("client.key"));
	ck_assert_int_eq(system(command), 0);
	rig_expect_counter("acknowledged", N);
	ck_assert_uint_eq(mock->n_submissions, N);
	for (int i = 0; i < N; i++) {
		snprintf(text, sizeof(text), "%d", i);
		ck_assert_str_eq((const char *)mock->submissions[i].payload, text);
	}
	ck_assert_int_eq(mock_counter(mock, "received"), N);
	ck_assert_int_eq(mock_counter(mock, "waiting"), 0);
}
END_TEST

START_TEST(other_brokers_are_tried_in_turn)
{
	struct broker second;

	broker_init(&second, "second");
	mock_add(mock, "broker", broker_url(&second));
	broker_start(&second);
	rig_receive("a/**");
	ck_assert_uint_eq(mock_logged(mock, "receiving from"), 1);
	peer_say(&second, "a/b", "1");
	rig_expect_submission(1, "a/b", "1");
	broker_start(&broker);
	/* What is not acknowledged keeps it where it is. */
	mock_set(mock, "failback_s", "1");
	ck_assert_int_eq(mock_reload(mock), 0);
	ck_assert(MOCK_UNTIL(mock, mock_counter(mock, "connects") == 2, RIG_SOON_MS));
	ck_assert_uint_eq(mock_logged(mock, "receiving from"), 1);
	mock_accept(mock, mock->submissions[0].token);
	ck_assert(MOCK_UNTIL(mock, mock_logged(mock, "receiving from") == 2, RIG_SOON_MS));
	rig_expect_subscriptions(1);
	peer_say(&broker, "a/b", "2");
	rig_expect_submission(2, "a/b", "2");
	broker_stop(&second, SIGTERM);
}
END_TEST

/* The new connection takes up what the old one left open. */
START_TEST(other_settings_make_a_new_connection)
{
	broker_start(&broker);
	rig_receive("a/**");
	peer_say(&broker, "a/b", "1");
	rig_expect_submission(1, "a/b", "1");
	mock_set(mock, "receive_window", "10");
	ck_assert_int_eq(mock_reload(mock), 0);
	rig_expect_counter("received_again", 1);
	rig_expect_subscriptions(1);
	mock_accept(mock, mock->submissions[0].token);
	rig_expect_counter("acknowledged", 1);
	ck_assert_uint_eq(mock->n_submissions, 1);
	ck_assert_uint_eq(mock_logged(mock, "session resumed"), 1);
	ck_assert_int_eq(mock_counter(mock, "connects"), 1);
}
END_TEST

/* As the connection that publishes does. */
START_TEST(a_file_that_cannot_be_used_is_waited_for)
{
	broker_start(&broker);
	mock_set(mock, "key", broker_file("server.key"));
	mock_add_route(mock, "a/**");
	ck_assert_int_eq(mock_begin(mock), 0);
	mock_settle(mock);
	ck_assert_int_eq(mock_counter(mock, "receiving"), 0);
	rig_set_defaults();
	ck_assert_int_eq(mock_reload(mock), 0);
	rig_expect_subscriptions(1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("mqtt kinds");
	TCase *tcase = tcase_create("mqtt kinds");

	tcase_set_timeout(tcase, 180);
	tcase_add_checked_fixture(tcase, rig_setup, rig_teardown);
	tcase_add_loop_test(tcase, what_can_never_be_handed_in_is_refused, 0, 2);
	tcase_add_loop_test(tcase, retained_and_own_messages_are_passed_over, 0, 2);
	tcase_add_test(tcase, mqtt_311_receives_too);
	tcase_add_test(tcase, quality_of_service_zero_is_a_choice);
	tcase_add_test(tcase, many_messages_come_in_in_order);
	tcase_add_test(tcase, other_brokers_are_tried_in_turn);
	tcase_add_test(tcase, other_settings_make_a_new_connection);
	tcase_add_test(tcase, a_file_that_cannot_be_used_is_waited_for);
	suite_add_tcase(suite, tcase);
	return rig_main(suite);
}
