/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bytes.h"
#include "mock_host.h"
#include "mqtt_broker.h"

enum { SOON_MS = 10000 };

static struct mock_host *mock;
static struct broker broker;
static struct subscriber subscriber;

static void set_defaults(void)
{
	mock_set(mock, "certificate", broker_file("client.crt"));
	mock_set(mock, "key", broker_file("client.key"));
	mock_set(mock, "trust", broker_file("ca.crt"));
	mock_set(mock, "backoff_min_ms", "20");
	mock_set(mock, "backoff_max_s", "1");
	mock_set(mock, "broker", broker_url(&broker));
}

static void setup(void)
{
	broker_init(&broker, "first");
	ck_assert_int_eq(mock_host_new(mock_adapter("mqtt"), &mock), 0);
	set_defaults();
}

static void teardown(void)
{
	mock_host_free(mock);
	subscriber_stop(&subscriber);
	broker_stop(&broker, SIGTERM);
}

static void connect_and_subscribe(void)
{
	broker_start(&broker);
	subscriber_start(&subscriber, &broker, "#");
	ck_assert_int_eq(mock_begin(mock), 0);
	ck_assert_msg(MOCK_UNTIL(mock, mock->link == TG_LINK_UP, SOON_MS), "down: %s", mock->link_detail);
}

/* Expects that no link comes about, and that the operator is told this. */
static void expect_failure(const char *cause)
{
	ck_assert_int_eq(mock_begin(mock), 0);
	ck_assert_msg(MOCK_UNTIL(mock, mock->link == TG_LINK_DOWN && strstr(mock->link_detail, cause), SOON_MS),
		      "wanted \"%s\", told \"%s\"", cause, mock->link_detail);
	ck_assert_uint_gt(mock_logged(mock, cause), 0);
	ck_assert_int_gt(mock_counter(mock, "connect_failures"), 0);
	ck_assert_int_eq(mock_counter(mock, "connects"), 0);
}

static char *wait_line(const char *text)
{
	char *line = NULL;

	ck_assert_msg(MOCK_UNTIL(mock, line || (line = subscriber_line(&subscriber, text)), SOON_MS),
		      "no \"%s\" in:\n%s", text, subscriber.text);
	return line;
}

static void expect_in(const char *line, const char *text)
{
	ck_assert_msg(strstr(line, text) != NULL, "no %s in %s", text, line);
}

/* Waits for the answer to a delivery. */
static void expect_result(uint64_t ticket, int result)
{
	ck_assert(MOCK_UNTIL(mock, mock_result(mock, ticket) >= 0, SOON_MS));
	ck_assert_msg(mock_result(mock, ticket) == result, "%d (%s)", mock_result(mock, ticket),
		      mock->tickets[ticket - 1].reason);
}

static struct tg_delivery delivery_of(const char *address, const char *payload, uint8_t qos)
{
	return (struct tg_delivery){.address = bytes_text(address),
				    .payload = bytes_text(payload),
				    .device = bytes_text("pump-7"),
				    .content_format = TG_FORMAT_NONE,
				    .qos = qos};
}

START_TEST(connects_and_tells_that_it_is_online)
{
	char *line;

	connect_and_subscribe();
	expect_in(mock->link_detail, broker_url(&broker));
	expect_in(mock->link_detail, "MQTT 5, TLSv1.3 TLS_");
	line = wait_line("online");
	expect_in(line, "\"qos\":1");
	expect_in(line, "\"content-type\":\"application/json\"");
	expect_in(line, "\\\"state\\\":\\\"online\\\"");
	expect_in(line, "\\\"endpoint\\\":\\\"");
	free(line);
	ck_assert_int_eq(mock_counter(mock, "connects"), 1);
	ck_assert_int_eq(mock_counter(mock, "receive_maximum"), 20);
	ck_assert_uint_gt(mock_logged(mock, "connected to"), 0);
}
END_TEST

START_TEST(each_quality_of_service_is_confirmed_with_its_properties)
{
	struct tg_delivery delivery = delivery_of("plant/hall/pump-7/temperature", "{\"t\":21.5}", (uint8_t)_i);
	uint64_t ticket;
	char *line;

	delivery.content_format = 50;
	delivery.expiry_s = 3900;
	delivery.time_wall_us = INT64_C(1777863721123456);
	delivery.retain = true;
	connect_and_subscribe();
	ck_assert_int_eq(mock_deliver(mock, &delivery, &ticket), 0);
	expect_result(ticket, TG_CONFIRMED);
	line = wait_line("plant/hall/pump-7/temperature");
	expect_in(line, _i == 0 ? "\"qos\":0" : _i == 1 ? "\"qos\":1" : "\"qos\":2");
	expect_in(line, "\"id\":\"");
	expect_in(line, "-8000-000000000001\"");
	expect_in(line, "\"device\":\"pump-7\"");
	expect_in(line, "\"time\":\"2026-05-04T03:02:01.123456Z\"");
	expect_in(line, "\"content-type\":\"application/json\"");
	expect_in(line, "\"payload-format-indicator\":1");
	/* The broker counts the seconds down. */
	expect_in(line, "\"message-expiry-interval\":3");
	expect_in(line, "\"payload\":\"{\\\"t\\\":21.5}\"");
	free(line);
	ck_assert_int_eq(mock_counter(mock, "published"), 1);
	ck_assert_int_eq(mock_counter(mock, "confirmed"), 1);
	ck_assert_int_eq(mock_counter(mock, "bytes"), 10);
	ck_assert(MOCK_UNTIL(mock, mock_counter(mock, "in_flight") == 0, SOON_MS));
	/* Retained: a later subscriber gets it as well. */
	subscriber_stop(&subscriber);
	subscriber_start(&subscriber, &broker, "plant/#");
	line = wait_line("plant/hall/pump-7/temperature");
	expect_in(line, "\"retain\":1");
	free(line);
}
END_TEST

START_TEST(a_message_without_format_or_expiry_carries_neither)
{
	struct tg_delivery delivery = delivery_of("a", "\xff\x01", 1);
	uint64_t ticket;
	char *line;

	connect_and_subscribe();
	ck_assert_int_eq(mock_deliver(mock, &delivery, &ticket), 0);
	expect_result(ticket, TG_CONFIRMED);
	line = wait_line("\"topic\":\"a\"");
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
	connect_and_subscribe();
	expect_in(mock->link_detail, "MQTT 3.1.1, TLSv1.3");
	ck_assert_int_eq(mock_deliver_text(mock, "a/b", "21.5", &ticket), 0);
	expect_result(ticket, TG_CONFIRMED);
	line = wait_line("\"topic\":\"a/b\"");
	ck_assert_ptr_null(strstr(line, "user-properties"));
	expect_in(line, "\"payload\":\"21.5\"");
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
	struct tg_delivery delivery = delivery_of("", "1", 1);
	uint64_t ticket;

	connect_and_subscribe();
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		delivery.address = bytes_of(rows[i].address, rows[i].size);
		ck_assert_int_eq(mock_deliver(mock, &delivery, &ticket), 0);
		ck_assert_int_eq(mock_result(mock, ticket), TG_REJECTED);
		expect_in(mock->tickets[ticket - 1].reason, rows[i].reason);
	}
	ck_assert_int_eq(mock_counter(mock, "rejected"), sizeof(rows) / sizeof(rows[0]));
	/* The link is none the worse for it. */
	ck_assert_int_eq(mock_deliver_text(mock, "good", "1", &ticket), 0);
	expect_result(ticket, TG_CONFIRMED);
	ck_assert_int_eq(mock_counter(mock, "connects"), 1);
}
END_TEST

START_TEST(a_broken_device_name_is_rejected)
{
	struct tg_delivery delivery = delivery_of("a", "1", 1);
	uint64_t ticket;

	connect_and_subscribe();
	delivery.device = bytes_of("a\0b", 3);
	ck_assert_int_eq(mock_deliver(mock, &delivery, &ticket), 0);
	expect_result(ticket, TG_REJECTED);
	expect_in(mock->tickets[ticket - 1].reason, "device name");
}
END_TEST

START_TEST(a_packet_that_the_broker_does_not_take_is_rejected)
{
	static char large[3000];
	struct tg_delivery delivery = delivery_of("a", "1", 1);
	uint64_t ticket;

	snprintf(broker.extra, sizeof(broker.extra), "max_packet_size 2000\n");
	memset(large, 'x', sizeof(large));
	connect_and_subscribe();
	/* Around the limit: whatever is let through must not cost the link. */
	for (size_t size = 1700; size < 2100; size++) {
		delivery.payload = bytes_of(large, size);
		ck_assert_int_eq(mock_deliver(mock, &delivery, &ticket), 0);
		ck_assert(MOCK_UNTIL(mock, mock_result(mock, ticket) >= 0, SOON_MS));
		if (size == 1700)
			ck_assert_int_eq(mock_result(mock, ticket), TG_CONFIRMED);
	}
	ck_assert_int_eq(mock_result(mock, ticket), TG_REJECTED);
	expect_in(mock->tickets[ticket - 1].reason, "Maximum Packet Size");
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
	connect_and_subscribe();
	ck_assert_int_eq(mock_deliver_text(mock, "closed/a", "1", &forbidden), 0);
	ck_assert_int_eq(mock_deliver_text(mock, "open/a", "2", &allowed), 0);
	expect_result(allowed, TG_CONFIRMED);
	expect_result(forbidden, TG_REJECTED);
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
	connect_and_subscribe();
	for (int i = 0; i < N; i++) {
		snprintf(text, sizeof(text), "n%03d", i);
		ck_assert_int_eq(mock_deliver_text(mock, "a", text, &tickets[i]), 0);
	}
	ck_assert_int_eq(mock_counter(mock, "receive_maximum"), 3);
	ck_assert_int_eq(mock_counter(mock, "in_flight"), 3);
	ck_assert_int_eq(mock_counter(mock, "queued"), N - 3);
	for (int i = 0; i < N; i++)
		expect_result(tickets[i], TG_CONFIRMED);
	ck_assert(MOCK_UNTIL(mock, subscriber_count(&subscriber, "\"payload\":\"n") == N, SOON_MS));
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
	unsigned taken = 0;
	int r = 0;

	mock_set(mock, "window", "10");
	connect_and_subscribe();
	while (r == 0 && taken < 1000) {
		r = mock_deliver_text(mock, "a", "1", NULL);
		taken += r == 0;
	}
	ck_assert_int_eq(r, -EAGAIN);
	ck_assert_uint_ge(taken, 10);
	ck_assert_uint_le(taken, 100);
	ck_assert(MOCK_UNTIL(mock, mock_counter(mock, "confirmed") == taken, SOON_MS));
	ck_assert_int_eq(mock_deliver_text(mock, "a", "1", NULL), 0);
}
END_TEST

START_TEST(a_broker_that_dies_and_comes_back)
{
	uint64_t ticket;

	ck_assert_int_eq(mock_begin(mock), 0);
	ck_assert(MOCK_UNTIL(mock, mock_counter(mock, "connect_failures") >= 2, SOON_MS));
	ck_assert_uint_gt(mock_logged(mock, "Connection refused"), 0);
	ck_assert_int_eq(mock_deliver_text(mock, "a", "1", NULL), -EAGAIN);
	for (int i = 0; i < 3; i++) {
		broker_start(&broker);
		ck_assert(MOCK_UNTIL(mock, mock->link == TG_LINK_UP, SOON_MS));
		ck_assert_int_eq(mock_deliver_text(mock, "a", "1", &ticket), 0);
		expect_result(ticket, TG_CONFIRMED);
		broker_stop(&broker, i == 1 ? SIGTERM : SIGKILL);
		ck_assert(MOCK_UNTIL(mock, mock->link != TG_LINK_UP, SOON_MS));
		ck_assert_int_eq(mock_deliver_text(mock, "a", "2", NULL), -EAGAIN);
	}
	ck_assert_int_eq(mock_counter(mock, "connects"), 3);
	ck_assert_int_eq(mock_counter(mock, "in_flight"), 0);
}
END_TEST

/* A listening socket that nobody serves; with a backlog that is full, so that not even TCP answers. */
static int mute_listener(bool full)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_port = htons(broker.port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	ck_assert_int_eq(listen(fd, full ? 0 : 16), 0);
	for (int i = 0; full && i < 4; i++) {
		int filler = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

		ck_assert_int_ge(filler, 0);
		ck_assert(connect(filler, (struct sockaddr *)&address, sizeof(address)) == 0 || errno == EINPROGRESS);
	}
	return fd;
}

START_TEST(a_broker_that_does_not_answer)
{
	static const char *const causes[] = {"no answer from the broker in time", "no answer from the network in time"};
	char url[64];
	int fd = mute_listener(_i == 1);

	snprintf(url, sizeof(url), "mqtts://127.0.0.1:%u", broker.port);
	mock_set(mock, "broker", url);
	mock_set(mock, "connect_timeout_s", "1");
	expect_failure(causes[_i]);
	/* A thread may still be waiting: a stop does not wait for it. */
	ck_assert(MOCK_UNTIL(mock, mock->link == TG_LINK_CONNECTING, SOON_MS));
	mock_stop(mock);
	ck_assert(MOCK_UNTIL(mock, mock->stopped, 1000));
	close(fd);
}
END_TEST

START_TEST(a_host_without_an_address)
{
	/* No resolver asks the network for this one. */
	mock_set(mock, "broker", "mqtts://a..b");
	expect_failure("Name or service not known");
}
END_TEST

START_TEST(what_is_no_broker_at_all)
{
	/* A broker without TLS on a port where TLS is spoken. */
	broker.server[0] = '\0';
	broker_start(&broker);
	broker.server[0] = 's';
	mock_set(mock, "broker", broker_url(&broker));
	expect_failure(broker_url(&broker));
}
END_TEST

START_TEST(a_broker_of_another_ca)
{
	mock_set(mock, "trust", broker_file("other-ca.crt"));
	broker_start(&broker);
	expect_failure("certificate verify failed: self-signed certificate in certificate chain");
}
END_TEST

START_TEST(a_broker_with_another_name)
{
	snprintf(broker.server, sizeof(broker.server), "stranger");
	broker_start(&broker);
	expect_failure("server name mismatch: the broker's certificate is not for \"localhost\"");
}
END_TEST

START_TEST(another_name_where_it_is_configured)
{
	snprintf(broker.server, sizeof(broker.server), "stranger");
	mock_set(mock, "server_name", "stranger.example");
	connect_and_subscribe();
}
END_TEST

START_TEST(an_address_in_the_certificate)
{
	char url[64];

	snprintf(url, sizeof(url), "mqtts://127.0.0.1:%u", broker.port);
	mock_set(mock, "broker", url);
	connect_and_subscribe();
}
END_TEST

START_TEST(no_client_certificate)
{
	mock_set(mock, "certificate", NULL);
	mock_set(mock, "key", NULL);
	broker_start(&broker);
	expect_failure("certificate required");
}
END_TEST

START_TEST(a_broker_that_only_knows_tls_12)
{
	FILE *file = fopen(broker_file("tls12.cnf"), "w");

	/* mosquitto's own tls_version means "at least"; this means "at most", for the broker alone. */
	ck_assert_ptr_nonnull(file);
	fputs("openssl_conf = a\n[a]\nssl_conf = b\n[b]\nsystem_default = c\n[c]\nMaxProtocol = TLSv1.2\n", file);
	fclose(file);
	setenv("OPENSSL_CONF", broker_file("tls12.cnf"), 1);
	broker_start(&broker);
	unsetenv("OPENSSL_CONF");
	if (_i == 0) {
		expect_failure("protocol version");
	} else {
		mock_set(mock, "tls_min", "1.2");
		subscriber_start(&subscriber, &broker, "#");
		ck_assert_int_eq(mock_begin(mock), 0);
		ck_assert_msg(MOCK_UNTIL(mock, mock->link == TG_LINK_UP, SOON_MS), "%s", mock->link_detail);
		expect_in(mock->link_detail, "TLSv1.2");
		free(wait_line("online"));
	}
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
	connect_and_subscribe();
	expect_in(mock->link_detail, "without TLS");
	ck_assert_uint_eq(mock_logged(mock, "insecure"), 1);
	for (uint8_t qos = 0; qos < 3; qos++) {
		struct tg_delivery delivery = delivery_of("a/b", "1", qos);

		ck_assert_int_eq(mock_deliver(mock, &delivery, &ticket), 0);
		expect_result(ticket, TG_CONFIRMED);
	}
	free(wait_line("a/b"));
}
END_TEST

START_TEST(fails_over_in_order_and_back)
{
	struct broker second;
	uint64_t ticket;

	broker_init(&second, "second");
	mock_add(mock, "broker", broker_url(&second));
	mock_set(mock, "failback_s", "1");
	broker_start(&second);
	ck_assert_int_eq(mock_begin(mock), 0);
	ck_assert(MOCK_UNTIL(mock, mock->link == TG_LINK_UP, SOON_MS));
	expect_in(mock->link_detail, broker_url(&second));
	ck_assert_int_eq(mock_deliver_text(mock, "a", "1", &ticket), 0);
	expect_result(ticket, TG_CONFIRMED);
	broker_start(&broker);
	ck_assert(
		MOCK_UNTIL(mock, mock->link == TG_LINK_UP && strstr(mock->link_detail, broker_url(&broker)), SOON_MS));
	broker_stop(&broker, SIGKILL);
	ck_assert(
		MOCK_UNTIL(mock, mock->link == TG_LINK_UP && strstr(mock->link_detail, broker_url(&second)), SOON_MS));
	broker_stop(&second, SIGTERM);
}
END_TEST

START_TEST(a_stop_finishes_and_says_offline)
{
	uint64_t tickets[100];
	char *line;

	connect_and_subscribe();
	for (int i = 0; i < 100; i++)
		ck_assert_int_eq(mock_deliver_text(mock, "a", "1", &tickets[i]), 0);
	mock_stop(mock);
	ck_assert_int_eq(mock_deliver_text(mock, "a", "1", NULL), -EAGAIN);
	ck_assert(MOCK_UNTIL(mock, mock->stopped, SOON_MS));
	for (int i = 0; i < 100; i++)
		ck_assert_int_eq(mock_result(mock, tickets[i]), TG_CONFIRMED);
	line = wait_line("offline");
	expect_in(line, "\\\"reason\\\":\\\"stopped\\\"");
	free(line);
	ck_assert_int_eq(mock->link, TG_LINK_DOWN);
	/* The will was dropped: a message that comes later is the next one. */
	ck_assert_uint_eq(subscriber_count(&subscriber, "\\\"reason\\\":\\\"lost\\\""), 0);
}
END_TEST

START_TEST(a_stop_without_a_link_is_immediate)
{
	ck_assert_int_eq(mock_begin(mock), 0);
	mock_stop(mock);
	ck_assert(MOCK_UNTIL(mock, mock->stopped, SOON_MS));
}
END_TEST

START_TEST(a_reload_uses_the_new_files)
{
	uint64_t ticket;

	connect_and_subscribe();
	/* Nothing has changed: nothing happens. */
	ck_assert_int_eq(mock_reload(mock), 0);
	mock_settle(mock);
	ck_assert_int_eq(mock->link, TG_LINK_UP);
	/* A broken file: the old values stay. */
	mock_set(mock, "key", broker_file("server.key"));
	ck_assert_int_eq(mock_reload(mock), -EINVAL);
	ck_assert_uint_eq(mock_logged(mock, "is not the key of"), 1);
	ck_assert_int_eq(mock->link, TG_LINK_UP);
	/* Another pair: what is on its way is confirmed, then a new connection. */
	ck_assert_int_eq(mock_deliver_text(mock, "a", "1", &ticket), 0);
	mock_set(mock, "certificate", broker_file("server.crt"));
	ck_assert_int_eq(mock_reload(mock), 0);
	ck_assert(MOCK_UNTIL(mock, mock_counter(mock, "connects") == 2, SOON_MS));
	ck_assert_int_eq(mock_result(mock, ticket), TG_CONFIRMED);
	ck_assert_int_eq(mock->link, TG_LINK_UP);
	ck_assert_uint_eq(subscriber_count(&subscriber, "\\\"reason\\\":\\\"lost\\\""), 0);
}
END_TEST

/* Confirmed, or taken back by the core when the link goes down for a moment: never left behind. */
START_TEST(a_reload_under_load_leaves_nothing_behind)
{
	enum { N = 150 };
	uint64_t tickets[N];
	int confirmed = 0;

	mock_set(mock, "status", "false");
	snprintf(broker.extra, sizeof(broker.extra), "max_inflight_messages 10\n");
	connect_and_subscribe();
	for (int i = 0; i < N; i++)
		ck_assert_int_eq(mock_deliver_text(mock, "a", "1", &tickets[i]), 0);
	mock_set(mock, "certificate", broker_file("server.crt"));
	mock_set(mock, "key", broker_file("server.key"));
	ck_assert_int_eq(mock_reload(mock), 0);
	if (_i == 1) {
		mock_stop(mock);
		ck_assert(MOCK_UNTIL(mock, mock->stopped, SOON_MS));
	} else {
		ck_assert(MOCK_UNTIL(mock, mock_counter(mock, "connects") == 2, SOON_MS));
	}
	for (int i = 0; i < N; i++)
		confirmed += mock_result(mock, tickets[i]) == TG_CONFIRMED;
	/* Whatever was published was confirmed before the link went, so that nothing is sent twice. */
	ck_assert_int_eq(confirmed, _i == 1 ? N : 10);
	ck_assert(MOCK_UNTIL(mock, (int)subscriber_count(&subscriber, "\"topic\":\"a\"") == confirmed, SOON_MS));
	ck_assert_int_eq(mock_counter(mock, "published"), confirmed);
	ck_assert_int_eq(mock_counter(mock, "queued"), 0);
}
END_TEST

START_TEST(a_link_that_confirms_nothing_is_made_anew)
{
	uint64_t ticket;

	mock_set(mock, "confirm_timeout_s", "1");
	connect_and_subscribe();
	free(wait_line("online"));
	kill(broker.pid, SIGSTOP);
	ck_assert_int_eq(mock_deliver_text(mock, "a", "1", &ticket), 0);
	ck_assert(MOCK_UNTIL(mock, mock_logged(mock, "stayed unconfirmed for 1 s") > 0, SOON_MS));
	ck_assert_int_ne(mock->link, TG_LINK_UP);
	ck_assert_int_eq(mock_result(mock, ticket), -1);
	kill(broker.pid, SIGCONT);
	ck_assert(MOCK_UNTIL(mock, mock->link == TG_LINK_UP, SOON_MS));
}
END_TEST

START_TEST(the_will_tells_of_a_kill)
{
	pid_t pid;
	int status;
	char *line;

	broker_start(&broker);
	subscriber_start(&subscriber, &broker, "#");
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		/* A loop does not survive a fork. */
		if (mock_host_new(mock_adapter("mqtt"), &mock) < 0)
			_exit(1);
		set_defaults();
		if (mock_begin(mock) == 0 && MOCK_UNTIL(mock, mock->link == TG_LINK_UP, SOON_MS))
			kill(getpid(), SIGKILL);
		_exit(1);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	line = wait_line("\\\"reason\\\":\\\"lost\\\"");
	expect_in(line, "\\\"state\\\":\\\"offline\\\"");
	expect_in(line, "\\\"since\\\":\\\"");
	free(line);
	/* Retained, as the one of a stop. */
	subscriber_stop(&subscriber);
	subscriber_start(&subscriber, &broker, "#");
	line = wait_line("offline");
	expect_in(line, "\"retain\":1");
	free(line);
}
END_TEST

START_TEST(settings_that_do_not_fit_are_refused)
{
	static const struct {
		const char *name, *value, *told;
	} rows[] = {
		{"broker", "https://localhost", "mqtts://host"},
		{"broker", "mqtts://[::1", "mqtts://host"},
		{"trust", NULL, "\"trust\" is empty"},
		{"key", NULL, "must be set together"},
		{"status_topic", "{site}/#", "not a topic"},
		{"status_topic", "{plant}/status", "braces"},
		{"client_id", "{device}", "braces"},
		{"trust", "client.key", "no trust anchor"},
		{"certificate", "client.key", "no certificate"},
		{"key", "client.crt", "no private key"},
		{"key", "nothing-there", "cannot be read"},
		{"password_file", "client.key", "\"username\""},
	};
	const char *value = rows[_i].value;

	if (value && strchr(value, '.'))
		value = broker_file(value);
	if (value && strcmp(value, "nothing-there") == 0)
		value = broker_file("nothing-there");
	mock_set(mock, rows[_i].name, value);
	ck_assert_int_lt(mock_open(mock), 0);
	ck_assert_uint_eq(mock_logged(mock, rows[_i].told), 1);
}
END_TEST

START_TEST(user_name_and_password)
{
	FILE *file = fopen(broker_file("password"), "w");
	char command[256];

	ck_assert_ptr_nonnull(file);
	fputs(_i == 0 ? "right\n" : "wrong\n", file);
	fclose(file);
	snprintf(command, sizeof(command), "mosquitto_passwd -b -c %s hall-3 right", broker_file("passwords"));
	ck_assert_int_eq(system(command), 0);
	snprintf(broker.extra, sizeof(broker.extra), "allow_anonymous false\npassword_file %s\n",
		 broker_file("passwords"));
	mock_set(mock, "username", "hall-3");
	mock_set(mock, "password_file", broker_file("password"));
	broker_start(&broker);
	if (_i == 1) {
		expect_failure("refused by the broker: Not authorized");
		return;
	}
	ck_assert_int_eq(mock_begin(mock), 0);
	ck_assert_msg(MOCK_UNTIL(mock, mock->link == TG_LINK_UP, SOON_MS), "%s", mock->link_detail);
}
END_TEST

static Suite *mqtt_suite(void)
{
	Suite *suite = suite_create("mqtt");
	TCase *tcase = tcase_create("link"), *delivery = tcase_create("delivery");

	tcase_set_timeout(tcase, 60);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, connects_and_tells_that_it_is_online);
	tcase_add_test(tcase, a_broker_that_dies_and_comes_back);
	tcase_add_loop_test(tcase, a_broker_that_does_not_answer, 0, 2);
	tcase_add_test(tcase, a_host_without_an_address);
	tcase_add_test(tcase, what_is_no_broker_at_all);
	tcase_add_test(tcase, a_broker_of_another_ca);
	tcase_add_test(tcase, a_broker_with_another_name);
	tcase_add_test(tcase, another_name_where_it_is_configured);
	tcase_add_test(tcase, an_address_in_the_certificate);
	tcase_add_test(tcase, no_client_certificate);
	tcase_add_loop_test(tcase, a_broker_that_only_knows_tls_12, 0, 2);
	tcase_add_loop_test(tcase, user_name_and_password, 0, 2);
	tcase_add_test(tcase, fails_over_in_order_and_back);
	tcase_add_test(tcase, a_stop_finishes_and_says_offline);
	tcase_add_test(tcase, a_stop_without_a_link_is_immediate);
	tcase_add_test(tcase, a_reload_uses_the_new_files);
	tcase_add_loop_test(tcase, a_reload_under_load_leaves_nothing_behind, 0, 2);
	tcase_add_test(tcase, a_link_that_confirms_nothing_is_made_anew);
	tcase_add_test(tcase, the_will_tells_of_a_kill);
	tcase_add_loop_test(tcase, settings_that_do_not_fit_are_refused, 0, 12);
	suite_add_tcase(suite, tcase);
	tcase_set_timeout(delivery, 60);
	tcase_add_checked_fixture(delivery, setup, teardown);
	tcase_add_loop_test(delivery, each_quality_of_service_is_confirmed_with_its_properties, 0, 3);
	tcase_add_test(delivery, a_message_without_format_or_expiry_carries_neither);
	tcase_add_test(delivery, mqtt_311_carries_the_payload_alone);
	tcase_add_test(delivery, what_is_no_topic_is_rejected);
	tcase_add_test(delivery, a_broken_device_name_is_rejected);
	tcase_add_test(delivery, a_packet_that_the_broker_does_not_take_is_rejected);
	tcase_add_test(delivery, the_brokers_refusal_of_one_message_is_told);
	tcase_add_test(delivery, the_receive_maximum_is_honoured_and_order_kept);
	tcase_add_test(delivery, a_full_queue_says_again);
	tcase_add_loop_test(delivery, plain_mqtt_needs_insecure, 0, 2);
	suite_add_tcase(suite, delivery);
	return suite;
}

int main(void)
{
	SRunner *runner = srunner_create(mqtt_suite());
	int failed;

	broker_make_pki();
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	broker_remove_pki();
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
