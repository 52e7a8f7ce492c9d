/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "adapter/dtls_server.h"
#include "coap/dtls_ticket.h"

#define SUITE_PSK  "PSK-AES128-CCM8:@SECLEVEL=0"
#define WALL_US    INT64_C(1900000000000000)
#define MINUTE_US  INT64_C(60000000)
#define LIFETIME_S 3600

enum { PATIENCE_US = 20000 };

static const struct tg_ticket_key keys[2] = {{.name = "key-one", .encryption = "1", .authentication = "a"},
					     {.name = "key-two", .encryption = "2", .authentication = "b"}};
static struct server server;
static SSL_SESSION *session; /* of the last sensor */

static void setup(void)
{
	server_start(NULL, NULL, &server);
	server.mock->wall_us = WALL_US;
	server.generation = 7;
	dtls_set_tickets(server.dtls, keys, 1);
	session = NULL;
}

static void teardown(void)
{
	SSL_SESSION_free(session);
	server_stop(&server);
}

static void sensor_options(struct client_options *ret_options)
{
	*ret_options = (struct client_options){
		.port = dtls_port(server.dtls), .identity = "sensor-1", .key = SERVER_KEY, .resume = session};
}

static struct client *sensor(void)
{
	struct client_options options;
	struct client *client;

	sensor_options(&options);
	client_new(&options, &client);
	return client;
}

static bool visit(struct client *client)
{
	return server_visit(&server, client, &session);
}

START_TEST(a_ticket_spares_the_key)
{
	ck_assert(!visit(sensor()));
	ck_assert_uint_eq(server.proof, TG_PROOF_PSK);
	for (unsigned i = 0; i < 3; i++) {
		ck_assert(visit(sensor()));
		ck_assert_uint_eq(server.proof, TG_PROOF_RESUMED);
		ck_assert_str_eq(server.identity, "sensor-1");
		ck_assert_str_eq(server.device, "sensor-1");
		ck_assert_uint_eq(server.described.generation, 7);
		ck_assert_uint_eq(server.described.proof, TG_PROOF_RESUMED);
	}
	ck_assert_uint_eq(server.asked, 4);
}
END_TEST

/* Of every suite, with its messages in any cut. */
static const char *const suites[] = {SUITE_PSK, "PSK-AES128-GCM-SHA256", "ECDHE-PSK-CHACHA20-POLY1305"};

START_TEST(records_one_by_one)
{
	for (unsigned i = 0; i < 2; i++) {
		struct client_options options;
		struct client *client;

		sensor_options(&options);
		options.separate = true;
		options.suites = suites[_i];
		client_new(&options, &client);
		ck_assert_int_eq(visit(client), i);
	}
}
END_TEST

/* The owner takes its time: nothing is answered before it has spoken, and others are not held up. */
START_TEST(nothing_is_answered_before_the_owner_has_spoken)
{
	struct client_options options;
	struct client *client, *other;

	ck_assert(!visit(sensor()));
	server.by_hand = true;
	sensor_options(&options);
	options.patience_us = PATIENCE_US;
	/* Its last words must not share a datagram with a hello that comes again, or they are dropped with it. */
	options.separate = true;
	client_new(&options, &client);
	SERVER_UNTIL(&server, client, server.proof == TG_PROOF_RESUMED);
	uint64_t handle = server.handle;
	unsigned received = client->received, sent = client->sent;
	/* Its hello comes again, as it hears nothing. */
	SERVER_UNTIL(&server, client, client->sent >= sent + 3);
	ck_assert_uint_eq(client->received, received);
	ck_assert_uint_eq(dtls_half_open(server.dtls), 1);
	ck_assert_uint_eq(server.asked, 2);
	server.by_hand = false;
	SSL_SESSION *kept = session;
	session = NULL;
	other = sensor();
	ck_assert(server_connect(&server, other));
	session = kept;
	server_echo(&server, other, "meanwhile");
	server_answer(&server, handle, TG_PROOF_RESUMED, "sensor-1");
	ck_assert(server_connect(&server, client));
	/* The server has the last word in a full handshake, the client in this one. */
	SERVER_UNTIL(&server, client, server.resumed == 1);
	server_echo(&server, client, "at last");
	client_free(client);
	client_free(other);
}
END_TEST

/* Its key was changed since: the ticket is worth nothing, the new key opens the door in the same handshake. */
START_TEST(another_key_needs_a_full_handshake)
{
	ck_assert(!visit(sensor()));
	server.generation = 8;
	ck_assert(!visit(sensor()));
	ck_assert_uint_eq(server.asked, 3);
	ck_assert_uint_eq(server.proof, TG_PROOF_PSK);
	ck_assert(visit(sensor()));
}
END_TEST

/* The one who has the ticket, but not the new key. */
START_TEST(an_old_ticket_and_the_old_key)
{
	struct client_options options;
	struct client *client;

	ck_assert(!visit(sensor()));
	server.generation = 8;
	sensor_options(&options);
	options.key = "the-key-of-before";
	client_new(&options, &client);
	ck_assert(!server_connect(&server, client));
	ck_assert_uint_eq(server.failed[DTLS_END_WRONG_KEY], 1);
	ck_assert_uint_eq(dtls_sessions(server.dtls), 0);
	client_free(client);
}
END_TEST

START_TEST(a_revoked_device_does_not_come_back)
{
	struct client *client;

	ck_assert(!visit(sensor()));
	server.forgetful = true;
	client = sensor();
	ck_assert(!server_connect(&server, client));
	ck_assert_uint_eq(server.failed[DTLS_END_UNKNOWN], 1);
	ck_assert_uint_eq(server.established, 1);
	client_free(client);
}
END_TEST

/* Revoked between the answer and the last message. */
START_TEST(revoked_during_the_handshake)
{
	struct client *client;

	ck_assert(!visit(sensor()));
	client = sensor();
	SERVER_UNTIL(&server, NULL, (client_step(client), server.asked == 2));
	dtls_close_device(server.dtls, (struct tg_bytes){"sensor-1", 8});
	server_settle(&server, client);
	ck_assert_uint_eq(dtls_sessions(server.dtls) + dtls_half_open(server.dtls), 0);
	ck_assert_uint_eq(server.established, 1);
	client_free(client);
}
END_TEST

START_TEST(a_ticket_ends_with_its_time)
{
	ck_assert(!visit(sensor()));
	server.mock->wall_us = WALL_US + server_limits.ticket_lifetime_us - MINUTE_US;
	ck_assert(visit(sensor()));
	/* That was no new beginning. */
	server.mock->wall_us = WALL_US + server_limits.ticket_lifetime_us;
	ck_assert(!visit(sensor()));
	ck_assert(visit(sensor()));
	/* Made by a clock that was ahead. */
	server.mock->wall_us = WALL_US;
	ck_assert(!visit(sensor()));
}
END_TEST

START_TEST(without_a_lifetime_there_are_no_tickets)
{
	struct dtls_limits limits = server_limits;

	ck_assert(!visit(sensor()));
	limits.ticket_lifetime_us = 0;
	dtls_set_limits(server.dtls, &limits);
	ck_assert(!visit(sensor()));
	ck_assert(!SSL_SESSION_has_ticket(session));
	dtls_set_limits(server.dtls, &server_limits);
	ck_assert(!visit(sensor()));
	ck_assert(SSL_SESSION_has_ticket(session));
	dtls_set_tickets(server.dtls, NULL, 0);
	ck_assert(!visit(sensor()));
	ck_assert(!SSL_SESSION_has_ticket(session));
}
END_TEST

START_TEST(keys_rotate)
{
	const struct tg_ticket_key rotated[] = {keys[1], keys[0]};
	uint8_t name[16];
	const uint8_t *ticket;
	size_t size;

	ck_assert(!visit(sensor()));
	dtls_set_tickets(server.dtls, rotated, 2);
	/* Good still, and made anew with the newer key, though it does not live longer. */
	ck_assert(visit(sensor()));
	SSL_SESSION_get0_ticket(session, &ticket, &size);
	memcpy(name, ticket, sizeof(name));
	ck_assert_mem_eq(name, keys[1].name, sizeof(name));
	dtls_set_tickets(server.dtls, rotated, 1);
	ck_assert(visit(sensor()));
	server.mock->wall_us = WALL_US + server_limits.ticket_lifetime_us;
	ck_assert(!visit(sensor()));
	/* Of a key that is gone. */
	dtls_set_tickets(server.dtls, keys, 1);
	ck_assert(!visit(sensor()));
	ck_assert(visit(sensor()));
}
END_TEST

/* Everyone in whose hands it was may have changed it. */
START_TEST(changed_tickets_are_worth_nothing)
{
	struct client_options options;
	struct client *client;

	ck_assert(!visit(sensor()));
	for (unsigned i = 0; i < 200; i += 7) {
		uint8_t *der = NULL;
		const uint8_t *at, *ticket, *found = NULL;
		size_t ticket_size;
		int size = i2d_SSL_SESSION(session, &der);

		SSL_SESSION_get0_ticket(session, &ticket, &ticket_size);
		found = memmem(der, (size_t)size, ticket, ticket_size);
		ck_assert_ptr_nonnull(found);
		der[(size_t)(found - der) + i % ticket_size] ^= 0x10;
		at = der;
		sensor_options(&options);
		options.resume = d2i_SSL_SESSION(NULL, &at, size);
		ck_assert_ptr_nonnull(options.resume);
		client_new(&options, &client);
		SSL_SESSION_free(options.resume);
		OPENSSL_free(der);
		ck_assert(server_connect(&server, client));
		ck_assert_uint_eq(server.resumed, 0);
		client_free(client);
		dtls_close_device(server.dtls, (struct tg_bytes){"sensor-1", 8});
	}
}
END_TEST

/* The ticket without the session's secret: it was heard on the wire. */
START_TEST(a_stolen_ticket_opens_nothing)
{
	static const unsigned char secret[48] = "not the secret that the ticket holds";
	struct client *client;

	ck_assert(!visit(sensor()));
	ck_assert_int_eq(SSL_SESSION_set1_master_key(session, secret, sizeof(secret)), 1);
	client = sensor();
	SERVER_UNTIL(&server, client, server.asked == 2);
	server_settle(&server, client);
	ck_assert(!client->connected);
	ck_assert_uint_eq(server.established, 1);
	mock_advance(server.mock, server_limits.handshake_us + 1);
	ck_assert_uint_eq(dtls_half_open(server.dtls), 0);
	client_free(client);
}
END_TEST

struct lossy {
	unsigned lose; /* the n-th datagram */
	unsigned seen;
};

static bool lose_one(void *arg, uint8_t *datagram, size_t *size)
{
	struct lossy *lossy = arg;

	(void)datagram;
	(void)size;
	return lossy->seen++ != lossy->lose;
}

static int64_t real_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000000) + now.tv_nsec / 1000;
}

/* OpenSSL's timers follow the real clock, whatever the test's time is. */
static void keep_pace(int64_t *paced_us)
{
	int64_t now_us = real_us();

	mock_advance(server.mock, now_us - *paced_us);
	*paced_us = now_us;
}

/* Whatever datagram of the handshake is lost, data that came before what was to come first included. */
START_TEST(lost_datagrams)
{
	struct lossy lossy = {.lose = (unsigned)_i};
	struct client_options options;
	struct client *client;

	int64_t paced_us = real_us();
	ck_assert(!visit(sensor()));
	sensor_options(&options);
	options.separate = true;
	options.patience_us = PATIENCE_US;
	options.filter = lose_one;
	options.filter_arg = &lossy;
	client_new(&options, &client);
	SERVER_UNTIL(&server, client, client->connected);
	client_send(client, "early");
	SERVER_UNTIL(&server, client, (keep_pace(&paced_us), server.resumed == 1));
	client_send(client, "late");
	SERVER_UNTIL(&server, client, strcmp(client->data, "late") == 0);
	ck_assert_uint_eq(server.failed[DTLS_END_WRONG_KEY], 0);
	client_free(client);
}
END_TEST

START_TEST(what_stands_in_a_ticket)
{
	struct dtls_ticket ticket = {
		.proof = TG_PROOF_CERTIFICATE, .generation = UINT64_MAX - 5, .trust = 42, .made_wall_us = WALL_US};
	struct dtls_ticket read;
	uint8_t data[DTLS_TICKET_SIZE + 1];

	memset(ticket.device, 'd', TG_DEVICE_MAX);
	size_t size = dtls_ticket_pack(&ticket, data);
	ck_assert_uint_eq(size, DTLS_TICKET_SIZE);
	ck_assert_int_eq(dtls_ticket_unpack((struct tg_bytes){data, size}, &read), 0);
	ck_assert_mem_eq(&read, &ticket, sizeof(read));
	for (size_t cut = 0; cut < DTLS_TICKET_SIZE - TG_DEVICE_MAX + 1; cut++)
		ck_assert_int_eq(dtls_ticket_unpack((struct tg_bytes){data, cut}, &read), -EBADMSG);
	ck_assert_int_eq(dtls_ticket_unpack((struct tg_bytes){data, size + 1}, &read), -EBADMSG);
	data[1] = TG_PROOF_RESUMED;
	ck_assert_int_eq(dtls_ticket_unpack((struct tg_bytes){data, size}, &read), -EBADMSG);
	data[1] = TG_PROOF_PSK;
	data[0]++;
	ck_assert_int_eq(dtls_ticket_unpack((struct tg_bytes){data, size}, &read), -EBADMSG);
	data[0]--;
	data[size - 1] = 0;
	ck_assert_int_eq(dtls_ticket_unpack((struct tg_bytes){data, size}, &read), -EBADMSG);
}
END_TEST

static Suite *resume_suite(void)
{
	Suite *suite = suite_create("dtls resume");
	TCase *key = tcase_create("key");

	tcase_add_checked_fixture(key, setup, teardown);
	tcase_add_test(key, a_ticket_spares_the_key);
	tcase_add_loop_test(key, records_one_by_one, 0, sizeof(suites) / sizeof(suites[0]));
	tcase_add_test(key, nothing_is_answered_before_the_owner_has_spoken);
	tcase_add_test(key, another_key_needs_a_full_handshake);
	tcase_add_test(key, an_old_ticket_and_the_old_key);
	tcase_add_test(key, a_revoked_device_does_not_come_back);
	tcase_add_test(key, revoked_during_the_handshake);
	tcase_add_test(key, a_ticket_ends_with_its_time);
	tcase_add_test(key, without_a_lifetime_there_are_no_tickets);
	tcase_add_test(key, keys_rotate);
	tcase_add_test(key, changed_tickets_are_worth_nothing);
	tcase_add_test(key, a_stolen_ticket_opens_nothing);
	tcase_add_loop_test(key, lost_datagrams, 0, 5);
	tcase_add_test(key, what_stands_in_a_ticket);
	suite_add_tcase(suite, key);
	return suite;
}

int main(void)
{
	SRunner *runner = srunner_create(resume_suite());

	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
