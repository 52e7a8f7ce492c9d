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

START_TEST(resources_are_discovered)
{
	server.program = programs[_i];
	coap_server_start(&server);
	enroll();
	mock_set(mock, "discover_poll_s", "1");
	mock_set(mock, "discover_s", "1");
	mock_add(mock, "poll", "meter-3 /example_data 600");
	begin("discover", "*");
	ck_assert(MOCK_UNTIL(mock, readings_of("time") >= 2 && readings_of("async") >= 1, SOON_MS));
	ck_assert(MOCK_UNTIL(mock, mock_counter(mock, "discoveries") >= 2, SOON_MS));
	ck_assert_uint_eq(readings_of(".well-known/core"), 0);
	ck_assert_int_eq(mock_counter(mock, "observations"), 1);
}
END_TEST

START_TEST(what_vanishes_from_a_discovery_ends)
{
	coap_server_start(&server);
	enroll();
	mock_add(mock, "discover_rt", "ticks");
	mock_set(mock, "discover_s", "1");
	begin("discover", "meter-3");
	ck_assert(MOCK_UNTIL(mock, mock_counter(mock, "observations") == 1, SOON_MS));
	mock_set(mock, "discover_rt", NULL);
	mock_add(mock, "discover_rt", "something-else");
	ck_assert_int_eq(mock_reload(mock), 0);
	ck_assert(MOCK_UNTIL(mock, mock_counter(mock, "observations") == 0, SOON_MS));
	ck_assert_uint_eq(mock->n_sessions, 1);
	ck_assert(!mock->sessions[0].ended);
}
END_TEST

START_TEST(a_device_that_comes_back_is_observed_again)
{
	size_t before;

	server.program = programs[_i];
	coap_server_start(&server);
	enroll();
	begin("observe", "meter-3 /time");
	ck_assert(MOCK_UNTIL(mock, readings_of("time") >= 2, SOON_MS));
	coap_server_stop(&server);
	ck_assert(MOCK_UNTIL(mock, mock->sessions[0].ended, SOON_MS));
	ck_assert_str_eq(mock->link_detail, "0 of 1 devices");
	ck_assert_int_eq(mock_counter(mock, "observations"), 0);
	before = readings_of("time");
	coap_server_start(&server);
	ck_assert(MOCK_UNTIL(mock, readings_of("time") >= before + 2, SOON_MS));
	ck_assert_uint_eq(mock->n_sessions, 2);
	ck_assert_int_eq(mock_counter(mock, "observations"), 1);
}
END_TEST

/* It is gone and back before anything is sent to it: nobody tells, and only the silence does. */
START_TEST(a_restart_that_nobody_saw_shows_by_silence)
{
	size_t before;

	coap_server_start(&server);
	enroll();
	begin("observe", "meter-3 /time");
	ck_assert(MOCK_UNTIL(mock, readings_of("time") >= 2, SOON_MS));
	coap_server_stop(&server);
	coap_server_start(&server);
	before = readings_of("time");
	ck_assert(MOCK_UNTIL(mock, readings_of("time") >= before + 2, 2 * SOON_MS));
	ck_assert_int_eq(mock_counter(mock, "registered_again"), 1);
	ck_assert_uint_eq(mock->n_sessions, 2);
}
END_TEST

START_TEST(a_wrong_key_gets_no_session)
{
	server.program = programs[_i];
	server.key = "another key";
	coap_server_start(&server);
	enroll();
	mock_set(mock, "handshake_s", "1");
	begin("poll", "meter-3 /time 1");
	ck_assert(MOCK_UNTIL(mock, mock_counter(mock, "handshake_failures") >= 2, SOON_MS));
	ck_assert_uint_eq(mock->n_sessions, 0);
	ck_assert_uint_eq(mock->n_submissions, 0);
	ck_assert_uint_gt(mock_logged(mock, "no session"), 0);
}
END_TEST

static const struct {
	const char *suite;
	const char *name; /* of the session; NULL: there is none */
} suites[] = {
	{"PSK-AES128-CCM8", "TLS_PSK_WITH_AES_128_CCM_8"},
	{"ECDHE-PSK-CHACHA20-POLY1305", "TLS_ECDHE_PSK_WITH_CHACHA20_POLY1305_SHA256"},
	{"PSK-AES256-CBC-SHA", NULL},
	{"ECDHE-PSK-AES128-CBC-SHA256", NULL},
};

START_TEST(only_suites_of_the_policy_are_offered)
{
	coap_server_start_suite(&server, suites[_i].suite);
	enroll();
	begin("poll", "meter-3 /time 600");
	if (suites[_i].name) {
		ck_assert(MOCK_UNTIL(mock, mock->n_sessions == 1, SOON_MS));
		ck_assert_str_eq(mock->sessions[0].cipher, suites[_i].name);
	} else {
		ck_assert(MOCK_UNTIL(mock, mock_logged(mock, "handshake failure") > 0, SOON_MS));
		ck_assert_uint_eq(mock->n_sessions, 0);
	}
}
END_TEST

START_TEST(an_unknown_device_is_not_even_asked)
{
	coap_server_start(&server);
	begin("poll", "meter-3 /time 1");
	ck_assert(MOCK_UNTIL(mock, mock->n_lookups >= 2, SOON_MS));
	ck_assert_uint_gt(mock_logged(mock, "the registry has no key of it"), 0);
	ck_assert_int_eq(mock_counter(mock, "handshake_failures"), 0);
	enroll();
	ck_assert(MOCK_UNTIL(mock, mock->n_sessions == 1, SOON_MS));
}
END_TEST

START_TEST(a_revoked_device_loses_its_session_at_once)
{
	size_t before;

	coap_server_start(&server);
	enroll();
	begin("observe", "meter-3 /time");
	ck_assert(MOCK_UNTIL(mock, readings_of("time") >= 2, SOON_MS));
	before = mock->n_submissions;
	mock_forget(mock, "meter-3");
	ck_assert(mock->sessions[0].ended);
	ck_assert(MOCK_UNTIL(mock, mock->n_lookups >= 4, SOON_MS));
	ck_assert_uint_eq(mock->n_submissions, before);
	ck_assert_uint_eq(mock->n_sessions, 1);
}
END_TEST

static void use_certificates(void)
{
	mock_set(mock, "certificate", coap_server_file("gateway.crt"));
	mock_set(mock, "key", coap_server_file("gateway.key"));
	mock_set(mock, "trust", coap_server_file("ca.crt"));
}

START_TEST(a_device_proves_itself_by_a_certificate)
{
	server.program = programs[_i];
	server.certificate = "device";
	use_certificates();
	coap_server_start(&server);
	mock_enroll(mock, "meter-3", "meter-3", (struct tg_bytes){NULL, 0});
	begin("poll", "meter-3 /time 1");
	ck_assert(MOCK_UNTIL(mock, readings_of("time") >= 1, SOON_MS));
	ck_assert_uint_eq(mock->sessions[0].proof, TG_PROOF_CERTIFICATE);
	ck_assert_uint_gt(mock->sessions[0].certificate_size, 100);
	ck_assert_ptr_nonnull(strstr(mock->sessions[0].cipher, "ECDHE_ECDSA"));
	ck_assert_str_ne(mock->sessions[0].group, "");
}
END_TEST

static const struct {
	const char *certificate;
	const char *why;
} impostors[] = {{"stranger", "is that of \"meter-4\""}, {"foreign", "its certificate: "}};

START_TEST(a_wrong_certificate_gets_no_session)
{
	server.certificate = impostors[_i].certificate;
	use_certificates();
	coap_server_start(&server);
	mock_enroll(mock, "meter-3", "meter-3", (struct tg_bytes){NULL, 0});
	begin("poll", "meter-3 /time 1");
	ck_assert(MOCK_UNTIL(mock, mock_counter(mock, "handshake_failures") >= 2, SOON_MS));
	ck_assert_uint_gt(mock_logged(mock, impostors[_i].why), 0);
	ck_assert_uint_eq(mock->n_sessions, 0);
}
END_TEST

START_TEST(plain_coap_needs_to_be_wished_for)
{
	coap_server_start(&server);
	enroll();
	mock_add(mock, "devices", coap_server_entry(&server, "meter-3", false));
	mock_add(mock, "poll", "meter-3 /time 1");
	ck_assert_int_lt(mock_begin(mock), 0);
	ck_assert_uint_eq(mock_logged(mock, "insecure = true"), 1);
	mock_set(mock, "insecure", "true");
	ck_assert_int_eq(mock_begin(mock), 0);
	ck_assert_uint_gt(mock_logged(mock, "anybody on the way"), 0);
	ck_assert(MOCK_UNTIL(mock, readings_of("time") >= 2, SOON_MS));
	ck_assert_uint_eq(mock->n_sessions, 0);
}
END_TEST

START_TEST(all_mistakes_in_the_settings_are_told)
{
	mock_add(mock, "devices", "meter-3");
	mock_add(mock, "devices", "meter-4 http://127.0.0.1");
	mock_add(mock, "devices", "meter-5 coaps://127.0.0.1:9");
	mock_add(mock, "devices", "meter-5 coaps://127.0.0.1:10");
	mock_add(mock, "observe", "meter-5 time");
	mock_add(mock, "poll", "meter-5 /time");
	mock_add(mock, "poll", "meter-6 /time 5");
	mock_add(mock, "discover", "meter-6");
	ck_assert_int_lt(mock_begin(mock), 0);
	ck_assert_uint_eq(mock_logged(mock, " entry '"), 7);
	ck_assert_uint_eq(mock_logged(mock, "'devices' entry 'meter-3': wanted is"), 1);
	ck_assert_uint_eq(mock_logged(mock, "there is an entry for this device already"), 1);
}
END_TEST

START_TEST(a_reload_leaves_other_sessions_alone)
{
	coap_server_start(&server);
	enroll();
	mock_enroll(mock, "meter-4", "meter-4", bytes_text(COAP_SERVER_KEY));
	mock_add(mock, "observe", "meter-3 /time");
	mock_add(mock, "devices", coap_server_entry(&server, "meter-4", true));
	begin("poll", "meter-4 /time 1");
	ck_assert(MOCK_UNTIL(mock, mock->n_sessions == 2, SOON_MS));
	mock_set(mock, "devices", NULL);
	mock_set(mock, "poll", NULL);
	mock_add(mock, "devices", coap_server_entry(&server, "meter-3", true));
	mock_add(mock, "poll", "meter-3 /example_data 1");
	ck_assert_int_eq(mock_reload(mock), 0);
	ck_assert(MOCK_UNTIL(mock, readings_of("example_data") >= 1, SOON_MS));
	ck_assert_uint_eq(mock->n_sessions, 2);
	ck_assert_int_eq(mock->sessions[0].ended + mock->sessions[1].ended, 1);
	ck_assert_str_eq(mock->link_detail, "1 of 1 devices");
	mock_add(mock, "devices", "nonsense");
	ck_assert_int_lt(mock_reload(mock), 0);
	ck_assert(MOCK_UNTIL(mock, readings_of("example_data") >= 2, SOON_MS));
	ck_assert_int_eq(mock->sessions[0].ended + mock->sessions[1].ended, 1);
}
END_TEST

START_TEST(the_newest_reading_waits_while_the_core_is_full)
{
	const struct mock_submission *last;

	mock->accept_all = false;
	coap_server_start(&server);
	enroll();
	begin("poll", "meter-3 /example_data 600");
	mock_set(mock, "poll", NULL);
	mock_add(mock, "observe", "meter-3 /example_data");
	ck_assert_int_eq(mock_reload(mock), 0);
	ck_assert(MOCK_UNTIL(mock, mock->n_submissions == 1, SOON_MS));
	mock_refuse(mock, mock->submissions[0].token, TG_FULL);
	ck_assert(MOCK_UNTIL(mock, mock->n_submissions == 2, SOON_MS));
	last = last_of("example_data");
	ck_assert_str_eq((const char *)last->payload, (const char *)mock->submissions[0].payload);
	mock_accept(mock, last->token);
	coap_server_put(&server, "/example_data", "new");
	ck_assert(MOCK_UNTIL(mock, mock->n_submissions == 3, SOON_MS));
	ck_assert_str_eq((const char *)last_of("example_data")->payload, "new");
	mock_refuse(mock, last_of("example_data")->token, TG_NOT_ALLOWED);
	ck_assert_int_eq(mock_counter(mock, "refused"), 1);
}
END_TEST

static void add_tests(TCase *cases)
{
	tcase_add_loop_test(cases, a_polled_resource_becomes_readings, 0, 2);
	tcase_add_loop_test(cases, an_observed_resource_becomes_readings, 0, 2);
	tcase_add_loop_test(cases, a_state_in_blocks_is_put_together, 0, 2);
	tcase_add_loop_test(cases, commands_reach_the_device_and_its_answers_come_back, 0, 2);
	tcase_add_loop_test(cases, resources_are_discovered, 0, 2);
	tcase_add_test(cases, what_vanishes_from_a_discovery_ends);
	tcase_add_loop_test(cases, a_device_that_comes_back_is_observed_again, 0, 2);
	tcase_add_test(cases, a_restart_that_nobody_saw_shows_by_silence);
	tcase_add_loop_test(cases, a_wrong_key_gets_no_session, 0, 2);
	tcase_add_loop_test(cases, only_suites_of_the_policy_are_offered, 0, 4);
	tcase_add_test(cases, an_unknown_device_is_not_even_asked);
	tcase_add_test(cases, a_revoked_device_loses_its_session_at_once);
	tcase_add_loop_test(cases, a_device_proves_itself_by_a_certificate, 0, 2);
	tcase_add_loop_test(cases, a_wrong_certificate_gets_no_session, 0, 2);
	tcase_add_test(cases, plain_coap_needs_to_be_wished_for);
	tcase_add_test(cases, all_mistakes_in_the_settings_are_told);
	tcase_add_test(cases, a_reload_leaves_other_sessions_alone);
	tcase_add_test(cases, the_newest_reading_waits_while_the_core_is_full);
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
