/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "mqtt_rig.h"

START_TEST(each_quality_of_service_is_confirmed_with_its_properties)
{
	struct tg_delivery delivery = rig_delivery("plant/hall/pump-7/temperature", "{\"t\":21.5}", (uint8_t)_i);
	uint64_t ticket;
	char *line;

	delivery.content_format = 50;
	delivery.expiry_s = 3900;
	delivery.time_wall_us = INT64_C(1777863721123456);
	delivery.retain = true;
	rig_connect_and_subscribe();
	ck_assert_int_eq(mock_deliver(mock, &delivery, &ticket), 0);
	rig_expect_result(ticket, TG_CONFIRMED);
	line = rig_wait_line("plant/hall/pump-7/temperature");
	rig_expect_in(line, _i == 0 ? "\"qos\":0" : _i == 1 ? "\"qos\":1" : "\"qos\":2");
	rig_expect_in(line, "\"id\":\"");
	rig_expect_in(line, "-8000-000000000001\"");
	rig_expect_in(line, "\"device\":\"pump-7\"");
	rig_expect_in(line, "\"time\":\"2026-05-04T03:02:01.123456Z\"");
	rig_expect_in(line, "\"content-type\":\"application/json\"");
	rig_expect_in(line, "\"payload-format-indicator\":1");
	/* The broker counts the seconds down. */
	rig_expect_in(line, "\"message-expiry-interval\":3");
	rig_expect_in(line, "\"payload\":\"{\\\"t\\\":21.5}\"");
	free(line);
	ck_assert_int_eq(mock_counter(mock, "published"), 1);
	ck_assert_int_eq(mock_counter(mock, "confirmed"), 1);
	ck_assert_int_eq(mock_counter(mock, "bytes"), 10);
	ck_assert(MOCK_UNTIL(mock, mock_counter(mock, "in_flight") == 0, RIG_SOON_MS));
	/* Retained: a later subscriber gets it as well. */
	subscriber_stop(&subscriber);
	subscriber_start(&subscriber, &broker, "plant/#");
	line = rig_wait_line("plant/hall/pump-7/temperature");
	rig_expect_in(line, "\"retain\":1");
	free(line);
}
END_TEST

START_TEST(a_message_without_format_or_expiry_carries_neither)
{
	struct tg_delivery delivery = rig_delivery("a", "\xff\x01", 1);
	uint64_t ticket;
	char *line;

	rig_connect_and_subscribe();
	ck_assert_int_eq(mock_deliver(mock, &delivery, &ticket), 0);
	rig_expect_result(ticket, TG_CONFIRMED);
	line = rig_wait_line("\"topic\":\"a\"");
	ck_assert_ptr_null(strstr(line, "content-type"));
	ck_assert_ptr_null(strstr(line, "payload-format-indicator"));
	ck_assert_ptr_null(strstr(line, "message-expiry-interval"));
	ck_assert_ptr_nonnull(strstr(line, "\"payloadlen\":2"));
	free(line);
}
END_TEST

START_TEST(mqtt_311_carries_the_payload_alone)
{
	uint64_t ticket;
	char *line;

	mock_set(mock, "protocol", "3.1.1");
	rig_connect_and_subscribe();
	rig_expect_in(mock->link_detail, "MQTT 3.1.1, TLSv1.3");
	ck_assert_int_eq(mock_deliver_text(mock, "a/b", "21.5", &ticket), 0);
	rig_expect_result(ticket, TG_CONFIRMED);
	line = rig_wait_line("\"topic\":\"a/b\"");
	ck_assert_ptr_null(strstr(line, "user-properties"));
	rig_expect_in(line, "\"payload\":\"21.5\"");
	free(line);
}
END_TEST

START_TEST(what_is_no_topic_is_rejected)
{
	static const struct {
		const char *address;
		size_t size;
		const char *reason;
	} rows[] = {
		{"a/+/b", 5, "wildcard"}, {"a/#", 3, "wildcard"},     {"", 0, "empty"},
		{"a\0b", 3, "zero byte"}, {"a/\xc3\x28", 4, "UTF-8"}, {"a/\xed\xa0\x80", 5, "UTF-8"},
	};
	struct tg_delivery delivery = rig_delivery("", "1", 1);
	uint64_t ticket;

	rig_connect_and_subscribe();
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		delivery.address = bytes_of(rows[i].address, rows[i].size);
		ck_assert_int_eq(mock_deliver(mock, &delivery, &ticket), 0);
		ck_assert_int_eq(mock_result(mock, ticket), TG_REJECTED);
		rig_expect_in(mock->tickets[ticket - 1].reason, rows[i].reason);
	}
	ck_assert_int_eq(mock_counter(mock, "rejected"), sizeof(rows) / sizeof(rows[0]));
	/* The link is none the worse for it. */
	ck_assert_int_eq(mock_deliver_text(mock, "good", "1", &ticket), 0);
	rig_expect_result(ticket, TG_CONFIRMED);
	ck_assert_int_eq(mock_counter(mock, "connects"), 1);
}
END_TEST

START_TEST(a_broken_device_name_is_rejected)
{
	struct tg_delivery delivery = rig_delivery("a", "1", 1);
	uint64_t ticket;

	rig_connect_and_subscribe();
	delivery.device = bytes_of("a\0b", 3);
	ck_assert_int_eq(mock_deliver(mock, &delivery, &ticket), 0);
	rig_expect_result(ticket, TG_REJECTED);
	rig_expect_in(mock->tickets[ticket - 1].reason, "device name");
}
END_TEST

START_TEST(a_packet_that_the_broker_does_not_take_is_rejected)
{
	static char large[3000];
	struct tg_delivery delivery = rig_delivery("a", "1", 1);
	uint64_t ticket;

	snprintf(broker.extra, sizeof(broker.extra), "max_packet_size 2000\n");
	memset(large, 'x', sizeof(large));
	rig_connect_and_subscribe();
	/* Around the limit: whatever is let through must not cost the link. */
	for (size_t size = 1700; size < 2100; size++) {
		delivery.payload = bytes_of(large, size);
		ck_assert_int_eq(mock_deliver(mock, &delivery, &ticket), 0);
		ck_assert(MOCK_UNTIL(mock, mock_result(mock, ticket) >= 0, RIG_SOON_MS));
		if (size == 1700)
			ck_assert_int_eq(mock_result(mock, ticket), TG_CONFIRMED);
	}
	ck_assert_int_eq(mock_result(mock, ticket), TG_REJECTED);
	rig_expect_in(mock->tickets[ticket - 1].reason, "Maximum Packet Size");
	ck_assert_int_eq(mock_counter(mock, "connects"), 1);
}
END_TEST

START_TEST(the_brokers_refusal_of_one_message_is_told)
{
	uint64_t forbidden, allowed;
	FILE *file = fopen(broker_file("acl"), "w");

	ck_assert_ptr_nonnull(file);
	fputs("topic readwrite open/#\ntopic read #\n", file);
	fclose(file);
	snprintf(broker.extra, sizeof(broker.extra), "acl_file %s\n", broker_file("acl"));
	rig_connect_and_subscribe();
	ck_assert_int_eq(mock_deliver_text(mock, "closed/a", "1", &forbidden), 0);
	ck_assert_int_eq(mock_deliver_text(mock, "open/a", "2", &allowed), 0);
	rig_expect_result(allowed, TG_CONFIRMED);
	rig_expect_result(forbidden, TG_REJECTED);
	ck_assert_str_eq(mock->tickets[forbidden - 1].reason, "Not authorized");
	/* So is the status message's, which is outside as well. */
	ck_assert_uint_eq(mock_logged(mock, "refuses the status message (Not authorized)"), 1);
}
END_TEST

START_TEST(the_receive_maximum_is_honoured_and_order_kept)
{
	enum { N = 500 };
	char text[32];
	uint64_t tickets[N];
	const char *p;

	mock_set(mock, "status", "false");
	mock_set(mock, "window", "1000");
	snprintf(broker.extra, sizeof(broker.extra), "max_inflight_messages 3\n");
	rig_connect_and_subscribe();
	for (int i = 0; i < N; i++) {
		snprintf(text, sizeof(text), "n%03d", i);
		ck_assert_int_eq(mock_deliver_text(mock, "a", text, &tickets[i]), 0);
	}
	ck_assert_int_eq(mock_counter(mock, "receive_maximum"), 3);
	ck_assert_int_eq(mock_counter(mock, "in_flight"), 3);
	ck_assert_int_eq(mock_counter(mock, "queued"), N - 3);
	for (int i = 0; i < N; i++)
		rig_expect_result(tickets[i], TG_CONFIRMED);
	ck_assert(MOCK_UNTIL(mock, subscriber_count(&subscriber, "\"payload\":\"n") == N, RIG_SOON_MS));
	p = subscriber.text;
	for (int i = 0; i < N; i++) {
		snprintf(text, sizeof(text), "\"payload\":\"n%03d\"", i);
		p = strstr(p, text);
		ck_assert_ptr_nonnull(p);
	}
	ck_assert_int_eq(mock_counter(mock, "connects"), 1);
}
END_TEST

START_TEST(a_full_queue_says_again)
{
	static char large[65536];
	struct tg_delivery delivery = rig_delivery("a", "", 1);
	unsigned taken = 0;
	int r = 0;

	memset(large, 'x', sizeof(large));
	delivery.payload = bytes_of(large, sizeof(large));
	mock_set(mock, "window", "10");
	broker_start(&broker);
	ck_assert_int_eq(mock_begin(mock), 0);
	ck_assert(MOCK_UNTIL(mock, mock->link == TG_LINK_UP, RIG_SOON_MS));
	while (r == 0 && taken < 1000) {
		r = mock_deliver(mock, &delivery, NULL);
		taken += r == 0;
	}
	ck_assert_int_eq(r, -EAGAIN);
	ck_assert_uint_ge(taken, 100);
	ck_assert_uint_le(taken, 200);
	ck_assert(MOCK_UNTIL(mock, mock_counter(mock, "confirmed") == taken, RIG_SOON_MS));
	ck_assert_int_eq(mock_deliver(mock, &delivery, NULL), 0);
}
END_TEST

START_TEST(plain_mqtt_needs_insecure)
{
	uint64_t ticket;

	broker.server[0] = '\0';
	mock_set(mock, "broker", broker_url(&broker));
	mock_set(mock, "trust", NULL);
	if (_i == 0) {
		ck_assert_int_eq(mock_open(mock), -EINVAL);
		ck_assert_uint_eq(mock_logged(mock, "without TLS"), 1);
		return;
	}
	mock_set(mock, "insecure", "true");
	rig_connect_and_subscribe();
	rig_expect_in(mock->link_detail, "without TLS");
	ck_assert_uint_eq(mock_logged(mock, "insecure"), 1);
	for (uint8_t qos = 0; qos < 3; qos++) {
		struct tg_delivery delivery = rig_delivery("a/b", "1", qos);

		ck_assert_int_eq(mock_deliver(mock, &delivery, &ticket), 0);
		rig_expect_result(ticket, TG_CONFIRMED);
	}
	free(rig_wait_line("a/b"));
}
END_TEST

/* What is told without a link waits, the oldest goes first where it is too much, and nothing of it is retained. */
START_TEST(notices_wait_for_the_link)
{
	char notice[64];

	broker_start(&broker);
	subscriber_start(&subscriber, &broker, "#");
	ck_assert_int_eq(mock_open(mock), 0);
	for (int i = 0; i < 40; i++) {
		snprintf(notice, sizeof(notice), "{\"notice\":\"test\",\"number\":%d}", i);
		mock->adapter->notice(mock->state, notice);
	}
	ck_assert_int_eq(mock_start(mock), 0);
	for (int i = 8; i < 40; i++) {
		snprintf(notice, sizeof(notice), "number\\\":%d}", i);
		char *line = rig_wait_line(notice);

		rig_expect_in(line, "/status/notices\"");
		rig_expect_in(line, "\"qos\":1");
		rig_expect_in(line, "\"retain\":0");
		free(line);
	}
	ck_assert_uint_eq(subscriber_count(&subscriber, "number\\\":7}"), 0);
	mock->adapter->notice(mock->state, "{\"notice\":\"while up\"}");
	free(rig_wait_line("while up"));
}
END_TEST

START_TEST(no_notices_without_a_status_topic)
{
	uint64_t ticket;

	mock_set(mock, "status", "false");
	rig_connect_and_subscribe();
	mock->adapter->notice(mock->state, "{\"notice\":\"test\"}");
	ck_assert_int_eq(mock_deliver_text(mock, "a", "behind it", &ticket), 0);
	free(rig_wait_line("behind it"));
	ck_assert_uint_eq(subscriber_count(&subscriber, "notice"), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("mqtt_delivery");
	TCase *tcase = tcase_create("mqtt_delivery");

	tcase_set_timeout(tcase, 180);
	tcase_add_checked_fixture(tcase, rig_setup, rig_teardown);
	tcase_add_loop_test(tcase, each_quality_of_service_is_confirmed_with_its_properties, 0, 3);
	tcase_add_test(tcase, a_message_without_format_or_expiry_carries_neither);
	tcase_add_test(tcase, mqtt_311_carries_the_payload_alone);
	tcase_add_test(tcase, what_is_no_topic_is_rejected);
	tcase_add_test(tcase, a_broken_device_name_is_rejected);
	tcase_add_test(tcase, a_packet_that_the_broker_does_not_take_is_rejected);
	tcase_add_test(tcase, the_brokers_refusal_of_one_message_is_told);
	tcase_add_test(tcase, the_receive_maximum_is_honoured_and_order_kept);
	tcase_add_test(tcase, a_full_queue_says_again);
	tcase_add_loop_test(tcase, plain_mqtt_needs_insecure, 0, 2);
	tcase_add_test(tcase, notices_wait_for_the_link);
	tcase_add_test(tcase, no_notices_without_a_status_topic);
	suite_add_tcase(suite, tcase);
	return rig_main(suite);
}
