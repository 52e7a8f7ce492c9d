/* SPDX-License-Identifier: Apache-2.0 */

/* Sessions of the coap_client adapter: keys, certificates, suites, devices that go and come back. */

#include <string.h>

#include "base/bytes.h"
#include "coap_client_rig.h"

START_TEST(a_device_that_comes_back_is_observed_again)
{
	size_t before;

	server.program = rig_programs[_i];
	coap_server_start(&server);
	rig_enroll();
	rig_begin("observe", "meter-3 /time");
	ck_assert(MOCK_UNTIL(mock, rig_readings_of("time") >= 2, RIG_SOON_MS));
	coap_server_stop(&server);
	ck_assert(MOCK_UNTIL(mock, mock->sessions[0].ended, RIG_SOON_MS));
	ck_assert_str_eq(mock->link_detail, "0 of 1 devices");
	ck_assert_int_eq(mock_counter(mock, "observations"), 0);
	before = rig_readings_of("time");
	coap_server_start(&server);
	ck_assert(MOCK_UNTIL(mock, rig_readings_of("time") >= before + 2, RIG_SOON_MS));
	ck_assert_uint_eq(mock->n_sessions, 2);
	ck_assert_int_eq(mock_counter(mock, "observations"), 1);
}
END_TEST

/* It is gone and back before anything is sent to it: nobody tells, and only the silence does. */
START_TEST(a_restart_that_nobody_saw_shows_by_silence)
{
	size_t before;

	coap_server_start(&server);
	rig_enroll();
	rig_begin("observe", "meter-3 /time");
	ck_assert(MOCK_UNTIL(mock, rig_readings_of("time") >= 2, RIG_SOON_MS));
	coap_server_stop(&server);
	coap_server_start(&server);
	before = rig_readings_of("time");
	ck_assert(MOCK_UNTIL(mock, rig_readings_of("time") >= before + 2, 2 * RIG_SOON_MS));
	ck_assert_int_eq(mock_counter(mock, "registered_again"), 1);
	ck_assert_uint_eq(mock->n_sessions, 2);
}
END_TEST

START_TEST(a_wrong_key_gets_no_session)
{
	server.program = rig_programs[_i];
	server.key = "another key";
	coap_server_start(&server);
	rig_enroll();
	mock_set(mock, "handshake_s", "1");
	rig_begin("poll", "meter-3 /time 1");
	ck_assert(MOCK_UNTIL(mock, mock_counter(mock, "handshake_failures") >= 2, RIG_SOON_MS));
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
	rig_enroll();
	rig_begin("poll", "meter-3 /time 600");
	if (suites[_i].name) {
		ck_assert(MOCK_UNTIL(mock, mock->n_sessions == 1, RIG_SOON_MS));
		ck_assert_str_eq(mock->sessions[0].cipher, suites[_i].name);
	} else {
		ck_assert(MOCK_UNTIL(mock, mock_logged(mock, "handshake failure") > 0, RIG_SOON_MS));
		ck_assert_uint_eq(mock->n_sessions, 0);
	}
}
END_TEST

START_TEST(an_unknown_device_is_not_even_asked)
{
	coap_server_start(&server);
	rig_begin("poll", "meter-3 /time 1");
	ck_assert(MOCK_UNTIL(mock, mock->n_lookups >= 2, RIG_SOON_MS));
	ck_assert_uint_gt(mock_logged(mock, "the registry has no key of it"), 0);
	ck_assert_int_eq(mock_counter(mock, "handshake_failures"), 0);
	rig_enroll();
	ck_assert(MOCK_UNTIL(mock, mock->n_sessions == 1, RIG_SOON_MS));
}
END_TEST

START_TEST(a_revoked_device_loses_its_session_at_once)
{
	size_t before;

	coap_server_start(&server);
	rig_enroll();
	rig_begin("observe", "meter-3 /time");
	ck_assert(MOCK_UNTIL(mock, rig_readings_of("time") >= 2, RIG_SOON_MS));
	before = mock->n_submissions;
	mock_forget(mock, "meter-3");
	ck_assert(mock->sessions[0].ended);
	ck_assert(MOCK_UNTIL(mock, mock->n_lookups >= 4, RIG_SOON_MS));
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
	server.program = rig_programs[_i];
	server.certificate = "device";
	use_certificates();
	coap_server_start(&server);
	mock_enroll(mock, "meter-3", "meter-3", (struct tg_bytes){NULL, 0});
	rig_begin("poll", "meter-3 /time 1");
	ck_assert(MOCK_UNTIL(mock, rig_readings_of("time") >= 1, RIG_SOON_MS));
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
	rig_begin("poll", "meter-3 /time 1");
	ck_assert(MOCK_UNTIL(mock, mock_counter(mock, "handshake_failures") >= 2, RIG_SOON_MS));
	ck_assert_uint_gt(mock_logged(mock, impostors[_i].why), 0);
	ck_assert_uint_eq(mock->n_sessions, 0);
}
END_TEST

static void add_tests(TCase *cases)
{
	tcase_add_loop_test(cases, a_device_that_comes_back_is_observed_again, 0, 2);
	tcase_add_test(cases, a_restart_that_nobody_saw_shows_by_silence);
	tcase_add_loop_test(cases, a_wrong_key_gets_no_session, 0, 2);
	tcase_add_loop_test(cases, only_suites_of_the_policy_are_offered, 0, 4);
	tcase_add_test(cases, an_unknown_device_is_not_even_asked);
	tcase_add_test(cases, a_revoked_device_loses_its_session_at_once);
	tcase_add_loop_test(cases, a_device_proves_itself_by_a_certificate, 0, 2);
	tcase_add_loop_test(cases, a_wrong_certificate_gets_no_session, 0, 2);
}

int main(void)
{
	return rig_main("coap client sessions", add_tests);
}
