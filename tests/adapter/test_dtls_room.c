/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adapter/dtls_server.h"

/* After which a session makes room. */
#define QUIET_US INT64_C(300000000)

static struct server server;

/* The real one looks through the whole heap. */
static unsigned trims;

int malloc_trim(size_t pad)
{
	(void)pad;
	trims++;
	return 0;
}

static void setup(void)
{
	struct dtls_limits limits = server_limits;

	limits.sessions = 4;
	server_start(&limits, NULL, &server);
}

static void teardown(void)
{
	server_stop(&server);
}

static struct client *sensor_from(const char *identity, const char *address)
{
	struct client_options options = {
		.port = dtls_port(server.dtls), .identity = identity, .key = SERVER_KEY, .from = address};
	struct client *client;

	client_new(&options, &client);
	return client;
}

static struct client *sensor(const char *identity)
{
	return sensor_from(identity, NULL);
}

/* Up to the question who it is, and no further. */
static struct client *half_open(void)
{
	struct client *client = sensor("sensor-1");
	unsigned before = server.asked;

	server.by_hand = true;
	SERVER_UNTIL(&server, client, server.asked == before + 1);
	server.by_hand = false;
	return client;
}

/* Who sends nothing makes room, once he has been quiet for long; and only for somebody who has proved who he is. */
START_TEST(quiet_session_makes_room)
{
	struct client *clients[4], *new;

	for (unsigned i = 0; i < 4; i++) {
		clients[i] = sensor("sensor-1");
		ck_assert(server_connect(&server, clients[i]));
	}
	mock_advance(server.mock, QUIET_US - 1);
	new = sensor("sensor-2");
	SERVER_UNTIL(&server, new, server.failed[DTLS_END_LIMIT] == 1);
	client_free(new);
	server_echo(&server, clients[0], "awake");
	mock_advance(server.mock, 1);
	struct client *silent = half_open(), *stranger = sensor("nobody");
	ck_assert(!server_connect(&server, stranger));
	ck_assert_uint_eq(dtls_sessions(server.dtls), 4);
	new = sensor("sensor-2");
	ck_assert(server_connect(&server, new));
	server_echo(&server, new, "new");
	SERVER_UNTIL(&server, clients[1], clients[1]->closed);
	ck_assert_uint_eq(server.ended[DTLS_END_IDLE], 1);
	ck_assert_uint_eq(dtls_sessions(server.dtls), 4);
	server_echo(&server, clients[0], "still there");
	for (unsigned i = 0; i < 4; i++)
		client_free(clients[i]);
	client_free(silent);
	client_free(stranger);
	client_free(new);
}
END_TEST

START_TEST(two_for_one_place)
{
	struct client *clients[4], *new[2];
	uint64_t handles[2];

	for (unsigned i = 0; i < 4; i++) {
		clients[i] = sensor("sensor-2");
		ck_assert(server_connect(&server, clients[i]));
	}
	mock_advance(server.mock, QUIET_US);
	for (unsigned i = 1; i < 4; i++)
		server_echo(&server, clients[i], "awake");
	for (unsigned i = 0; i < 2; i++) {
		new[i] = half_open();
		handles[i] = server.handle;
	}
	for (unsigned i = 0; i < 2; i++) {
		server_answer(&server, handles[i], TG_PROOF_PSK, "sensor-1");
		ck_assert(server_connect(&server, new[i]));
	}
	SERVER_UNTIL(&server, new[1], new[1]->closed);
	ck_assert_uint_eq(server.ended[DTLS_END_IDLE], 1);
	ck_assert_uint_eq(server.ended[DTLS_END_LOCAL], 1);
	ck_assert_uint_eq(server.failed[DTLS_END_LIMIT], 1); /* and the operator is told why */
	ck_assert_uint_eq(dtls_sessions(server.dtls), 4);
	server_echo(&server, new[0], "new");
	for (unsigned i = 1; i < 4; i++)
		server_echo(&server, clients[i], "still there");
	for (unsigned i = 0; i < 4; i++)
		client_free(clients[i]);
	client_free(new[0]);
	client_free(new[1]);
}
END_TEST

/* A device that comes from another port each time, and never says that it goes. */
START_TEST(sessions_of_one_device)
{
	struct dtls_limits limits = server_limits;
	struct client *clients[3], *other = sensor("sensor-2"), *last;

	limits.sessions_a_device = 2;
	dtls_set_limits(server.dtls, &limits);
	ck_assert(server_connect(&server, other));
	for (unsigned i = 0; i < 2; i++) {
		clients[i] = sensor("sensor-1");
		ck_assert(server_connect(&server, clients[i]));
	}
	mock_advance(server.mock, 1000000);
	server_echo(&server, clients[0], "awake");
	clients[2] = sensor("sensor-1");
	ck_assert(server_connect(&server, clients[2]));
	/* Not the one that was there first, but the one that was not heard. */
	SERVER_UNTIL(&server, clients[1], clients[1]->closed);
	ck_assert_uint_eq(server.ended[DTLS_END_LOCAL], 1);
	ck_assert_uint_eq(dtls_sessions(server.dtls), 3);
	server_echo(&server, clients[0], "still there");
	server_echo(&server, clients[2], "new");
	limits.sessions_a_device = 1;
	dtls_set_limits(server.dtls, &limits);
	last = sensor("sensor-1");
	ck_assert(server_connect(&server, last));
	SERVER_UNTIL(&server, clients[0], clients[0]->closed);
	SERVER_UNTIL(&server, clients[2], clients[2]->closed);
	ck_assert_uint_eq(server.ended[DTLS_END_LOCAL], 3);
	server_echo(&server, last, "last");
	server_echo(&server, other, "still there");
	for (unsigned i = 0; i < 3; i++)
		client_free(clients[i]);
	client_free(last);
	client_free(other);
}
END_TEST

/* Whatever else there is to do has its turn between them. */
START_TEST(thousands_end_by_and_by)
{
	enum { SENSORS = 300, AT_ONCE = 256 };
	struct dtls_limits limits = server_limits;
	char address[16]; /* one each: a port that is free again may come again */

	limits.sessions = limits.sessions_a_device = SENSORS;
	dtls_set_limits(server.dtls, &limits);
	for (unsigned i = 0; i < SENSORS; i++) {
		snprintf(address, sizeof(address), "127.0.%u.%u", 1 + i / 200, 1 + i % 200);
		struct client *client = sensor_from("sensor-1", address);

		ck_assert(server_connect(&server, client));
		client_free(client);
	}
	mock_advance(server.mock, limits.idle_us - 1);
	ck_assert_uint_eq(dtls_sessions(server.dtls), SENSORS);
	trims = 0;
	mock_advance(server.mock, 1);
	ck_assert_uint_eq(server.ended[DTLS_END_IDLE], AT_ONCE);
	mock_advance(server.mock, 1);
	ck_assert_uint_eq(server.ended[DTLS_END_IDLE], SENSORS);
	ck_assert_uint_eq(trims, 0);
	/* What they had is given back when they have gone, once for all. */
	mock_advance(server.mock, 1000000);
	ck_assert_uint_eq(trims, 1);
	mock_advance(server.mock, 1000000);
	ck_assert_uint_eq(trims, 1);
}
END_TEST

static Suite *room_suite(void)
{
	Suite *suite = suite_create("dtls room");
	TCase *room = tcase_create("room");

	tcase_add_checked_fixture(room, setup, teardown);
	tcase_set_timeout(room, 120);
	tcase_add_test(room, quiet_session_makes_room);
	tcase_add_test(room, two_for_one_place);
	tcase_add_test(room, sessions_of_one_device);
	tcase_add_test(room, thousands_end_by_and_by);
	suite_add_tcase(suite, room);
	return suite;
}

int main(void)
{
	SRunner *runner = srunner_create(room_suite());

	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
