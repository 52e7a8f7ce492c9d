/* SPDX-License-Identifier: Apache-2.0 */

/* What comes in and is not simply handed in, and the other kinds of connection. */

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
	suite_add_tcase(suite, tcase);
	return rig_main(suite);
}
