/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "adapter/dtls_server.h"

static struct server server;

static void setup(void)
{
	server_start(NULL, NULL, &server);
}

static void setup_small(void)
{
	const struct dtls_limits limits = {.sessions = 4,
					   .sessions_a_device = 4,
					   .half_open = 3,
					   .half_open_an_address = 2,
					   .handshakes_an_address = 1,
					   .handshakes_burst = 8,
					   .idle_us = INT64_C(600000000),
					   .handshake_us = INT64_C(30000000)};

	server_start(&limits, NULL, &server);
}

static void teardown(void)
{
	server_stop(&server);
}

static struct client *sensor_from(const char *identity, const char *address, uint16_t port)
{
	struct client_options options = {.port = dtls_port(server.dtls),
					 .identity = identity,
					 .key = SERVER_KEY,
					 .from = address,
					 .from_port = port};
	struct client *client;

	client_new(&options, &client);
	return client;
}

static struct client *sensor(const char *identity)
{
	return sensor_from(identity, NULL, 0);
}

/* Up to the question who it is, and no further. */
static struct client *half_open(const char *address)
{
	struct client *client = sensor_from("sensor-1", address, 0);
	unsigned before = server.asked;

	server.by_hand = true;
	SERVER_UNTIL(&server, client, server.asked == before + 1);
	server.by_hand = false;
	return client;
}

START_TEST(half_open_limits)
{
	struct client *clients[4] = {half_open("127.0.0.2"), half_open("127.0.0.2"), NULL, NULL};

	clients[2] = sensor_from("sensor-1", "127.0.0.2", 0);
	SERVER_UNTIL(&server, clients[2], server.failed[DTLS_END_LIMIT] == 1);
	ck_assert_uint_eq(dtls_half_open(server.dtls), 2);
	client_free(clients[2]);
	clients[2] = half_open("127.0.0.3");
	ck_assert_uint_eq(dtls_half_open(server.dtls), 3);
	/* Where there is no more room the oldest goes. */
	clients[3] = sensor_from("sensor-1", "127.0.0.4", 0);
	ck_assert(server_connect(&server, clients[3]));
	ck_assert_uint_eq(server.failed[DTLS_END_LIMIT], 2);
	ck_assert_uint_eq(dtls_half_open(server.dtls), 2);
	mock_advance(server.mock, server_limits.handshake_us + 1);
	ck_assert_uint_eq(dtls_half_open(server.dtls), 0);
	ck_assert_uint_eq(server.failed[DTLS_END_TIMEOUT], 2);
	client_free(clients[3]);
	clients[3] = sensor_from("sensor-1", "127.0.0.2", 0);
	ck_assert(server_connect(&server, clients[3]));
	for (unsigned i = 0; i < 4; i++)
		client_free(clients[i]);
}
END_TEST

/* Attackers who return their cookies, and then nothing more, from many addresses: while an honest one takes its time between its
 * messages, more of them come than there is room for. */
START_TEST(half_open_flood_keeps_nobody_out)
{
	struct client *honest = sensor_from("sensor-2", "127.0.0.2", 0);
	char address[16];

	for (unsigned i = 0; i < 100 && server.established == 0; i++) {
		snprintf(address, sizeof(address), "127.0.3.%u", 1 + i);
		client_free(half_open(address));
		ck_assert_uint_le(dtls_half_open(server.dtls), 3);
		server_turn(&server, &honest, 1);
	}
	SERVER_UNTIL(&server, honest, honest->connected);
	ck_assert_uint_gt(server.failed[DTLS_END_LIMIT], 0);
	server_echo(&server, honest, "21.5");
	client_free(honest);
}
END_TEST

/* One network may begin 8 handshakes at once and one more a second, here; another one does not suffer for it. */
START_TEST(handshake_rate_of_a_network)
{
	for (unsigned i = 0; i < 8; i++) {
		struct client *client = sensor_from("sensor-1", "127.0.0.2", 0);

		ck_assert(server_connect(&server, client));
		server_settle(&server, client);
		dtls_close_device(server.dtls, (struct tg_bytes){"sensor-1", 8});
		client_free(client);
	}
	struct client *client = sensor_from("sensor-1", "127.0.0.2", 0);
	SERVER_UNTIL(&server, client, server.failed[DTLS_END_LIMIT] == 1);
	ck_assert_str_eq(server.detail, "too many handshakes of one address in a short time");
	ck_assert_uint_eq(dtls_half_open(server.dtls), 0);
	client_free(client);
	client = sensor_from("sensor-1", "127.0.0.3", 0);
	ck_assert(server_connect(&server, client));
	client_free(client);
	mock_advance(server.mock, INT64_C(1000000));
	client = sensor_from("sensor-1", "127.0.0.2", 0);
	ck_assert(server_connect(&server, client));
	client_free(client);
}
END_TEST

/* As many sensors as the settings' defaults are made for, behind one router, all at once. */
START_TEST(thousand_behind_one_address)
{
	enum { SENSORS = 1000 };
	struct dtls_limits limits = server_limits;
	struct client **clients = calloc(SENSORS, sizeof(*clients));
	unsigned connected = 0;

	limits.sessions = limits.sessions_a_device = 10000;
	limits.half_open = 1000;
	limits.half_open_an_address = 1000;
	limits.handshakes_an_address = 100;
	limits.handshakes_burst = 3000;
	dtls_set_limits(server.dtls, &limits);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &(struct rlimit){SENSORS + 100, SENSORS + 100}), 0);
	for (unsigned i = 0; i < SENSORS; i++) {
		struct client_options options = {
			.port = dtls_port(server.dtls), .identity = "sensor-1", .key = SERVER_KEY};

		client_new(&options, &clients[i]);
	}
	for (int64_t end = mock_deadline(5 * SERVER_TRIES_MS); connected < SENSORS && mock_before(server.mock, end);) {
		connected = 0;
		for (unsigned i = 0; i < SENSORS; i++) {
			client_step(clients[i]);
			connected += clients[i]->connected;
		}
	}
	ck_assert_uint_eq(connected, SENSORS);
	ck_assert_uint_eq(dtls_sessions(server.dtls), SENSORS);
	for (unsigned i = 0; i < SENSORS; i++)
		client_free(clients[i]);
	free(clients);
}
END_TEST

START_TEST(session_limit)
{
	struct client *clients[5];

	for (unsigned i = 0; i < 4; i++) {
		clients[i] = sensor("sensor-1");
		ck_assert(server_connect(&server, clients[i]));
	}
	clients[4] = sensor("sensor-1");
	SERVER_UNTIL(&server, clients[4], server.failed[DTLS_END_LIMIT] == 1);
	/* One that begins anew takes no further place. */
	struct client *again = sensor_from("sensor-1", NULL, client_port(clients[0]));
	close(clients[0]->fd);
	clients[0]->fd = -1;
	ck_assert(server_connect(&server, again));
	ck_assert_uint_eq(dtls_sessions(server.dtls), 4);
	client_free(again);
	for (unsigned i = 0; i < 5; i++)
		client_free(clients[i]);
}
END_TEST

START_TEST(silent_session_ends)
{
	const int64_t half_us = server_limits.idle_us / 2;
	struct client *client = sensor("sensor-1"), *busy = sensor("sensor-2");
	struct dtls_limits limits = server_limits;

	ck_assert(server_connect(&server, client));
	ck_assert(server_connect(&server, busy));
	SERVER_UNTIL(&server, busy, server.established == 2);
	mock_advance(server.mock, half_us);
	server_echo(&server, busy, "awake");
	/* What is not protected keeps nothing awake. */
	client_raw(client, "\x17\xfe\xfd\0\0\0\0\0\0\0\1\0\3abc", 16);
	server_settle(&server, client);
	mock_advance(server.mock, half_us + 1);
	ck_assert_uint_eq(server.ended[DTLS_END_IDLE], 1);
	ck_assert_uint_eq(dtls_sessions(server.dtls), 1);
	SERVER_UNTIL(&server, client, client->closed);
	server_echo(&server, busy, "still there");
	limits.idle_us = 1000000;
	dtls_set_limits(server.dtls, &limits);
	mock_advance(server.mock, 1000001);
	ck_assert_uint_eq(server.ended[DTLS_END_IDLE], 2);
	client_free(client);
	client_free(busy);
}
END_TEST

START_TEST(silent_handshake_ends)
{
	struct client *client = half_open(NULL);

	mock_advance(server.mock, server_limits.handshake_us - 1);
	ck_assert_uint_eq(dtls_half_open(server.dtls), 1);
	mock_advance(server.mock, 1);
	ck_assert_uint_eq(dtls_half_open(server.dtls), 0);
	ck_assert_uint_eq(server.failed[DTLS_END_TIMEOUT], 1);
	client_free(client);
}
END_TEST

/* A sensor that was switched off and on (RFC 6347 section 4.2.8), or another one behind the same NAT. */
START_TEST(new_handshake_from_the_same_address)
{
	struct client *old = sensor("sensor-1");

	ck_assert(server_connect(&server, old));
	server_echo(&server, old, "old");
	struct client *new = sensor_from("sensor-2", NULL, client_port(old));
	/* Both have the port now; what comes in goes to the one that connected last, so the old one can only speak. */
	server.by_hand = true;
	SERVER_UNTIL(&server, new, server.asked == 2);
	ck_assert_uint_eq(dtls_sessions(server.dtls), 1);
	ck_assert_uint_eq(dtls_half_open(server.dtls), 1);
	unsigned received = server.received;
	client_send(old, "not disturbed");
	SERVER_UNTIL(&server, new, server.received == received + 1);
	ck_assert_uint_eq(server.ended[DTLS_END_REPLACED], 0);
	server_answer(&server, server.handle, TG_PROOF_PSK, "sensor-2");
	ck_assert(server_connect(&server, new));
	ck_assert_uint_eq(server.ended[DTLS_END_REPLACED], 1);
	ck_assert_uint_eq(dtls_sessions(server.dtls), 1);
	server_echo(&server, new, "new");
	client_free(old);
	client_free(new);
}
END_TEST

START_TEST(failed_handshake_replaces_nothing)
{
	struct client *old = sensor("sensor-1");

	ck_assert(server_connect(&server, old));
	struct client *new = sensor_from("nobody", NULL, client_port(old));
	ck_assert(!server_connect(&server, new));
	ck_assert_uint_eq(server.failed[DTLS_END_UNKNOWN], 1);
	ck_assert_uint_eq(dtls_sessions(server.dtls), 1);
	unsigned received = server.received;
	client_send(old, "still there");
	SERVER_UNTIL(&server, NULL, server.received == received + 1);
	client_free(old);
	client_free(new);
}
END_TEST

START_TEST(handshake_begun_anew)
{
	struct client *first = half_open(NULL);
	struct client *second = sensor_from("sensor-2", NULL, client_port(first));

	ck_assert(server_connect(&server, second));
	ck_assert_uint_eq(server.failed[DTLS_END_REPLACED], 1);
	ck_assert_uint_eq(dtls_half_open(server.dtls), 0);
	server_echo(&server, second, "second");
	client_free(first);
	client_free(second);
}
END_TEST

START_TEST(no_more_are_accepted)
{
	struct client *client = sensor("sensor-1");

	ck_assert(server_connect(&server, client));
	dtls_stop_accepting(server.dtls);
	struct client *late = sensor("sensor-2");
	server_settle(&server, late);
	ck_assert_uint_eq(late->received, 0);
	server_echo(&server, client, "still there");
	client_free(client);
	client_free(late);
}
END_TEST

static void expect_echo(const char *to)
{
	struct client_options options = {
		.port = dtls_port(server.dtls), .to = to, .identity = "sensor-1", .key = SERVER_KEY};
	struct client *client;

	client_new(&options, &client);
	ck_assert(server_connect(&server, client));
	server_echo(&server, client, to);
	client_free(client);
}

/* The clients' sockets are connected: they take nothing from another address than the one they spoke to. */
START_TEST(answers_come_from_the_address_spoken_to)
{
	const struct sockaddr_in any = {.sin_family = AF_INET};
	struct sockaddr_in one = {.sin_family = AF_INET};

	expect_echo("127.0.0.1");
	expect_echo("127.0.0.9");
	expect_echo("::1");
	server_stop(&server);
	server_start_at((const struct sockaddr *)&any, sizeof(any), NULL, NULL, &server);
	expect_echo("127.0.0.9");
	server_stop(&server);
	one.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 8);
	server_start_at((const struct sockaddr *)&one, sizeof(one), NULL, NULL, &server);
	expect_echo("127.0.0.9");
}
END_TEST

static Suite *peers_suite(void)
{
	Suite *suite = suite_create("dtls peers");
	TCase *peers = tcase_create("peers"), *limits = tcase_create("limits");

	tcase_add_checked_fixture(peers, setup, teardown);
	tcase_set_timeout(peers, 120);
	tcase_add_test(peers, silent_session_ends);
	tcase_add_test(peers, silent_handshake_ends);
	tcase_add_test(peers, new_handshake_from_the_same_address);
	tcase_add_test(peers, thousand_behind_one_address);
	tcase_add_test(peers, failed_handshake_replaces_nothing);
	tcase_add_test(peers, handshake_begun_anew);
	tcase_add_test(peers, no_more_are_accepted);
	tcase_add_test(peers, answers_come_from_the_address_spoken_to);
	suite_add_tcase(suite, peers);
	tcase_add_checked_fixture(limits, setup_small, teardown);
	tcase_set_timeout(limits, 60);
	tcase_add_test(limits, half_open_limits);
	tcase_add_test(limits, half_open_flood_keeps_nobody_out);
	tcase_add_test(limits, handshake_rate_of_a_network);
	tcase_add_test(limits, session_limit);
	suite_add_tcase(suite, limits);
	return suite;
}

int main(void)
{
	SRunner *runner = srunner_create(peers_suite());

	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
