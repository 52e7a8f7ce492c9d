/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "adapter/dtls_server.h"

static struct server server;

static void setup(void)
{
	server_start(NULL, NULL, &server);
}

static void teardown(void)
{
	server_stop(&server);
}

static struct client *sensor(const char *identity, const char *key, const char *suites)
{
	struct client_options options = {
		.port = dtls_port(server.dtls), .identity = identity, .key = key, .suites = suites};
	struct client *client;

	client_new(&options, &client);
	return client;
}

static const struct {
	const char *openssl;
	const char *standard;
} suites[] = {
	{"PSK-AES128-CCM8:@SECLEVEL=0", "TLS_PSK_WITH_AES_128_CCM_8"},
	{"PSK-AES128-CCM:@SECLEVEL=0", "TLS_PSK_WITH_AES_128_CCM"},
	{"PSK-AES128-GCM-SHA256", "TLS_PSK_WITH_AES_128_GCM_SHA256"},
	{"PSK-AES256-GCM-SHA384", "TLS_PSK_WITH_AES_256_GCM_SHA384"},
	{"ECDHE-PSK-CHACHA20-POLY1305", "TLS_ECDHE_PSK_WITH_CHACHA20_POLY1305_SHA256"},
	{"ECDHE-PSK-AES128-CBC-SHA256:@SECLEVEL=0", "TLS_ECDHE_PSK_WITH_AES_128_CBC_SHA256"},
	{NULL, "TLS_ECDHE_PSK_WITH_CHACHA20_POLY1305_SHA256"},
};

START_TEST(good_key_opens_a_session)
{
	struct client *client = sensor("sensor-1", SERVER_KEY, suites[_i].openssl);

	ck_assert(server_connect(&server, client));
	SERVER_UNTIL(&server, client, server.established == 1);
	ck_assert_str_eq(server.device, "sensor-1");
	ck_assert_str_eq(server.cipher, suites[_i].standard);
	ck_assert_int_eq(server.proof, TG_PROOF_PSK);
	ck_assert_uint_eq(server.asked, 1);
	ck_assert_uint_eq(dtls_sessions(server.dtls), 1);
	ck_assert_uint_eq(dtls_half_open(server.dtls), 0);
	for (unsigned i = 0; i < 5; i++)
		server_echo(&server, client, i % 2 ? "21.5" : "22");
	client_close(client);
	SERVER_UNTIL(&server, client, server.ended[DTLS_END_PEER] == 1);
	ck_assert_uint_eq(dtls_sessions(server.dtls), 0);
	client_free(client);
}
END_TEST

/* What is not offered: without peer's identity, without forward secrecy by RSA, anonymous, or broken. */
static const char *const refused_suites[] = {
	"DHE-PSK-AES128-GCM-SHA256",   "RSA-PSK-AES128-GCM-SHA256",         "PSK-AES128-CBC-SHA256",
	"PSK-NULL-SHA256:@SECLEVEL=0", "ECDHE-PSK-NULL-SHA256:@SECLEVEL=0",
};

START_TEST(other_suites_are_refused)
{
	struct client *client = sensor("sensor-1", SERVER_KEY, refused_suites[_i]);

	ck_assert(!server_connect(&server, client));
	ck_assert_uint_eq(client->alert, SSL_AD_HANDSHAKE_FAILURE);
	ck_assert_uint_eq(server.failed[DTLS_END_HANDSHAKE], 1);
	client_free(client);
}
END_TEST

/* Records and their order are those of one with a wrong key; so are the sizes. */
START_TEST(unknown_identity_looks_like_a_wrong_key)
{
	struct client *wrong = sensor("sensor-1", "another-key-of16", suites[_i].openssl);
	struct client *unknown = sensor("nobody-1", SERVER_KEY, suites[_i].openssl);

	ck_assert(!server_connect(&server, wrong));
	ck_assert_uint_eq(server.failed[DTLS_END_WRONG_KEY], 1);
	ck_assert(!server_connect(&server, unknown));
	ck_assert_uint_eq(server.failed[DTLS_END_UNKNOWN], 1);
	ck_assert_uint_eq(wrong->alert, SSL_AD_DECRYPT_ERROR);
	ck_assert_uint_eq(unknown->alert, wrong->alert);
	ck_assert_uint_eq(unknown->received, wrong->received);
	ck_assert_uint_eq(unknown->received_bytes, wrong->received_bytes);
	ck_assert_uint_eq(server.established + dtls_half_open(server.dtls), 0);
	client_free(wrong);
	client_free(unknown);
}
END_TEST

START_TEST(strange_identities_are_unknown)
{
	char long_one[257];
	const char *const identities[] = {"", "\xff\xfe/+#", long_one, long_one + 1};

	memset(long_one, 'a', 256);
	long_one[256] = '\0';
	struct client *client = sensor(identities[_i], SERVER_KEY, NULL);
	ck_assert(!server_connect(&server, client));
	ck_assert_uint_eq(client->alert, SSL_AD_DECRYPT_ERROR);
	ck_assert_uint_eq(server.failed[DTLS_END_UNKNOWN], 1);
	ck_assert_uint_eq(server.asked, _i != 2);
	if (_i != 2)
		ck_assert_str_eq(server.identity, identities[_i]);
	client_free(client);
}
END_TEST

START_TEST(look_up_holds_up_nobody_else)
{
	struct client *slow = sensor("sensor-1", SERVER_KEY, NULL);
	struct client *quick = sensor("sensor-2", SERVER_KEY, NULL);

	slow->options.separate = true;
	server.by_hand = true;
	SERVER_UNTIL(&server, slow, server.asked == 1);
	uint64_t handle = server.handle;
	server.by_hand = false;
	ck_assert(server_connect(&server, quick));
	server_echo(&server, quick, "quick");
	server_settle(&server, slow);
	ck_assert(!slow->connected);
	ck_assert_uint_eq(dtls_half_open(server.dtls), 1);
	ck_assert_ptr_null(dtls_find(server.dtls, handle));
	server_answer(&server, handle, TG_PROOF_PSK, "sensor-1");
	server_answer(&server, handle, TG_PROOF_PSK, "sensor-1");
	ck_assert(server_connect(&server, slow));
	server_echo(&server, slow, "slow");
	server_answer(&server, 12345, TG_PROOF_PSK, "sensor-1");
	client_free(slow);
	client_free(quick);
}
END_TEST

START_TEST(peer_that_went_during_the_look_up)
{
	struct client *client = sensor("sensor-1", SERVER_KEY, NULL);

	server.by_hand = true;
	SERVER_UNTIL(&server, client, server.asked == 1);
	mock_advance(server.mock, server_limits.handshake_us + 1);
	ck_assert_uint_eq(server.failed[DTLS_END_TIMEOUT], 1);
	ck_assert_uint_eq(dtls_half_open(server.dtls), 0);
	server_answer(&server, server.handle, TG_PROOF_PSK, "sensor-1");
	ck_assert_uint_eq(server.established, 0);
	client_free(client);
}
END_TEST

START_TEST(look_up_that_cannot_be_made_fails_the_handshake)
{
	struct client *client = sensor("sensor-1", SERVER_KEY, NULL);

	server.refuse = -ENOTCONN;
	ck_assert(!server_connect(&server, client));
	ck_assert_uint_eq(client->alert, SSL_AD_INTERNAL_ERROR);
	ck_assert_uint_eq(server.failed[DTLS_END_HANDSHAKE], 1);
	client_free(client);
}
END_TEST

START_TEST(records_one_by_one)
{
	struct client *client = sensor("sensor-1", SERVER_KEY, NULL);

	client->options.separate = true;
	ck_assert(server_connect(&server, client));
	server_echo(&server, client, "separate");
	client_free(client);
}
END_TEST

START_TEST(closes_from_either_side)
{
	struct client *client = sensor("sensor-1", SERVER_KEY, NULL);

	ck_assert(server_connect(&server, client));
	server_echo(&server, client, "once");
	server.close_next = true;
	client_send(client, "close, please");
	SERVER_UNTIL(&server, client, client->closed);
	ck_assert_uint_eq(dtls_sessions(server.dtls), 0);
	for (unsigned i = 0; i < DTLS_END_REASONS; i++)
		ck_assert_uint_eq(server.ended[i], 0);
	client_free(client);
}
END_TEST

START_TEST(sends_unasked)
{
	struct client *client = sensor("sensor-1", SERVER_KEY, suites[_i].openssl);

	ck_assert(server_connect(&server, client));
	SERVER_UNTIL(&server, client, server.established == 1);
	for (unsigned i = 1; i <= 3; i++) {
		ck_assert_int_eq(dtls_send(server.session, (struct tg_bytes){"command", 7}), 0);
		ck_assert_int_eq(dtls_send(server.session, (struct tg_bytes){"another", 7}), 0);
		SERVER_UNTIL(&server, client, client->data_count == 2 * i);
	}
	dtls_close(server.session);
	SERVER_UNTIL(&server, client, client->closed);
	client_free(client);
}
END_TEST

START_TEST(large_datagrams)
{
	struct client *client = sensor("sensor-1", SERVER_KEY, NULL);
	char text[1300];

	ck_assert(server_connect(&server, client));
	memset(text, 'a', sizeof(text));
	text[1152] = '\0'; /* RFC 7252 section 4.6 */
	server_echo(&server, client, text);
	ck_assert_int_eq(dtls_send(server.session, (struct tg_bytes){text, 1300}), -EMSGSIZE);
	text[1152] = 'a';
	text[1299] = '\0';
	server.silent = true;
	client_send(client, text);
	SERVER_UNTIL(&server, client, server.received == 2);
	ck_assert_uint_eq(strlen(server.data), 1299);
	client_free(client);
}
END_TEST

START_TEST(revoked_device_is_thrown_out)
{
	struct client *one = sensor("sensor-1", SERVER_KEY, NULL);
	struct client *again = sensor("sensor-1", SERVER_KEY, NULL);
	struct client *other = sensor("sensor-2", SERVER_KEY, NULL);

	ck_assert(server_connect(&server, one));
	ck_assert(server_connect(&server, again));
	ck_assert(server_connect(&server, other));
	server_echo(&server, other, "all three are there");
	ck_assert_uint_eq(dtls_sessions(server.dtls), 3);
	dtls_close_device(server.dtls, (struct tg_bytes){"sensor-1", 8});
	ck_assert_uint_eq(server.ended[DTLS_END_LOCAL], 2);
	SERVER_UNTIL(&server, one, one->closed);
	SERVER_UNTIL(&server, again, again->closed);
	server_echo(&server, other, "still there");
	client_free(one);
	client_free(again);
	client_free(other);
}
END_TEST

static Suite *dtls_suite(void)
{
	Suite *suite = suite_create("dtls");
	TCase *psk = tcase_create("psk");
	int all = sizeof(suites) / sizeof(suites[0]);

	tcase_add_checked_fixture(psk, setup, teardown);
	tcase_set_timeout(psk, 60);
	tcase_add_loop_test(psk, good_key_opens_a_session, 0, all);
	tcase_add_loop_test(psk, other_suites_are_refused, 0, sizeof(refused_suites) / sizeof(refused_suites[0]));
	tcase_add_loop_test(psk, unknown_identity_looks_like_a_wrong_key, 0, all);
	tcase_add_loop_test(psk, strange_identities_are_unknown, 0, 4);
	tcase_add_test(psk, look_up_holds_up_nobody_else);
	tcase_add_test(psk, peer_that_went_during_the_look_up);
	tcase_add_test(psk, look_up_that_cannot_be_made_fails_the_handshake);
	tcase_add_test(psk, records_one_by_one);
	tcase_add_test(psk, closes_from_either_side);
	tcase_add_loop_test(psk, sends_unasked, 0, all);
	tcase_add_test(psk, large_datagrams);
	tcase_add_test(psk, revoked_device_is_thrown_out);
	suite_add_tcase(suite, psk);
	return suite;
}

int main(void)
{
	SRunner *runner = srunner_create(dtls_suite());

	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
