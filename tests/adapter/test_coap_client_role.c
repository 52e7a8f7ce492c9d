/* SPDX-License-Identifier: Apache-2.0 */

/* The coap_client adapter with devices that we did not write: libcoap's example servers over DTLS, with OpenSSL and with GnuTLS. */

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "coap_server.h"
#include "mock_host.h"

enum { SOON_MS = 40000, BIG = 5000 };

static const char *const programs[] = {"coap-server-openssl", "coap-server-gnutls"};
static struct mock_host *mock;
static struct coap_server server;

static void setup(void)
{
	ck_assert_int_eq(mock_host_new(mock_adapter("coap_client"), &mock), 0);
	mock->accept_all = true;
	mock_set(mock, "backoff_min_ms", "50");
	mock_set(mock, "backoff_max_s", "1");
	mock_set(mock, "ack_timeout_ms", "500");
	mock_set(mock, "retransmissions", "2");
	coap_server_init(&server, programs[0]);
}

static void teardown(void)
{
	mock_host_free(mock);
	coap_server_stop(&server);
}

static void enroll(void)
{
	mock_enroll(mock, "meter-3", "meter-3", bytes_text(COAP_SERVER_KEY));
}

static void begin(const char *list, const char *entry)
{
	mock_add(mock, "devices", coap_server_entry(&server, "meter-3", true));
	if (list)
		mock_add(mock, list, entry);
	ck_assert_int_eq(mock_begin(mock), 0);
}

static size_t readings_of(const char *path)
{
	size_t n = 0;

	for (size_t i = 0; i < mock->n_submissions; i++)
		n += strcmp(mock->submissions[i].path, path) == 0;
	return n;
}

static const struct mock_submission *last_of(const char *path)
{
	for (size_t i = mock->n_submissions; i-- > 0;)
		if (strcmp(mock->submissions[i].path, path) == 0)
			return &mock->submissions[i];
	ck_abort_msg("no reading of %s", path);
	return NULL;
}

START_TEST(a_polled_resource_becomes_readings)
{
	server.program = programs[_i];
	coap_server_start(&server);
	enroll();
	begin("poll", "meter-3 /time 1");
	ck_assert_msg(MOCK_UNTIL(mock, readings_of("time") >= 2, SOON_MS), "%s", mock->link_detail);
	ck_assert_str_eq(mock->submissions[0].device, "meter-3");
	ck_assert_uint_eq(mock->submissions[0].kind, TG_TELEMETRY);
	ck_assert_uint_gt(mock->submissions[0].payload_size, 5);
	ck_assert_uint_eq(mock->n_sessions, 1);
	ck_assert_str_eq(mock->sessions[0].device, "meter-3");
	ck_assert_str_eq(mock->sessions[0].version, "DTLSv1.2");
	ck_assert_ptr_nonnull(strstr(mock->sessions[0].cipher, "PSK"));
	ck_assert_uint_eq(mock->sessions[0].proof, TG_PROOF_PSK);
	ck_assert_str_eq(mock->link_detail, "1 of 1 devices");
}
END_TEST

/* The server says at each second that /time has changed. */
START_TEST(an_observed_resource_becomes_readings)
{
	server.program = programs[_i];
	coap_server_start(&server);
	enroll();
	begin("observe", "meter-3 /time");
	ck_assert(MOCK_UNTIL(mock, readings_of("time") >= 4, SOON_MS));
	ck_assert_int_eq(mock_counter(mock, "observations"), 1);
	ck_assert_int_ge(mock_counter(mock, "notifications"), 3);
	ck_assert_int_eq(mock_counter(mock, "notifications_old"), 0);
}
END_TEST

START_TEST(a_state_in_blocks_is_put_together)
{
	char big[BIG + 1] = "";

	server.program = programs[_i];
	coap_server_start(&server);
	for (size_t i = 0; i < BIG; i++)
		big[i] = (char)('a' + i % 23);
	enroll();
	begin("observe", "meter-3 /example_data");
	ck_assert(MOCK_UNTIL(mock, readings_of("example_data") == 1, SOON_MS));
	coap_server_put(&server, "/example_data", big);
	ck_assert(MOCK_UNTIL(mock, readings_of("example_data") >= 2, SOON_MS));
	ck_assert_uint_eq(last_of("example_data")->payload_size, BIG);
	ck_assert_str_eq((const char *)last_of("example_data")->payload, big);
}
END_TEST

static uint64_t command(const char *address, enum tg_method method, const char *payload, uint8_t id)
{
	const struct tg_delivery delivery = {.kind = TG_COMMAND,
					     .device = bytes_text("meter-3"),
					     .address = bytes_text(address),
					     .payload = bytes_text(payload),
					     .content_format = TG_FORMAT_NONE,
					     .method = method,
					     .id = {id}};
	uint64_t ticket;

	ck_assert_int_eq(mock_deliver(mock, &delivery, &ticket), 0);
	return ticket;
}

static void expect_answer(uint64_t ticket, uint32_t code)
{
	ck_assert(MOCK_UNTIL(mock, mock_result(mock, ticket) >= 0, SOON_MS));
	ck_assert_int_eq(mock_result(mock, ticket), TG_CONFIRMED);
	ck_assert_uint_eq(mock->tickets[ticket - 1].code, code);
}

START_TEST(commands_reach_the_device_and_its_answers_come_back)
{
	char big[BIG + 1] = "";
	uint64_t ticket;

	server.program = programs[_i];
	coap_server_start(&server);
	memset(big, 'x', BIG);
	enroll();
	begin(NULL, NULL);
	ticket = command("/example_data", TG_METHOD_PUT, big, 1);
	ck_assert(MOCK_UNTIL(mock, mock_result(mock, ticket) == TG_RETRY, SOON_MS));
	ck_assert(MOCK_UNTIL(mock, mock->n_sessions == 1, SOON_MS));
	ticket = command("/example_data", TG_METHOD_PUT, big, 1);
	expect_answer(ticket, 201);
	ticket = command("/example_data", TG_METHOD_GET, "", 2);
	expect_answer(ticket, 205);
	ck_assert_uint_eq(mock->tickets[ticket - 1].payload_size, BIG);
	ticket = command("/nothing?a=b", TG_METHOD_GET, "", 3);
	expect_answer(ticket, 404);
	ticket = command("/example_data", TG_METHOD_PUT, "other", 1);
	expect_answer(ticket, 201);
	ck_assert_int_eq(mock_counter(mock, "remembered"), 1);
	ticket = command("/example_data", TG_METHOD_GET, "", 4);
	expect_answer(ticket, 205);
	ck_assert_uint_eq(mock->tickets[ticket - 1].payload_size, BIG);
}
END_TEST

static void add_tests(TCase *cases)
{
	tcase_add_loop_test(cases, a_polled_resource_becomes_readings, 0, 2);
	tcase_add_loop_test(cases, an_observed_resource_becomes_readings, 0, 2);
	tcase_add_loop_test(cases, a_state_in_blocks_is_put_together, 0, 2);
	tcase_add_loop_test(cases, commands_reach_the_device_and_its_answers_come_back, 0, 2);
}

int main(void)
{
	Suite *suite = suite_create("coap client role");
	TCase *cases = tcase_create("servers");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(cases, setup, teardown);
	tcase_set_timeout(cases, 300);
	add_tests(cases);
	suite_add_tcase(suite, cases);
	coap_server_make_pki();
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	coap_server_remove_pki();
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
