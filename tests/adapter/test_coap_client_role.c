/* SPDX-License-Identifier: Apache-2.0 */

/* The coap_client adapter with devices that we did not write: libcoap's example servers over DTLS, with OpenSSL and with GnuTLS. */

#include <string.h>

#include "base/bytes.h"
#include "coap_client_rig.h"

enum { BIG = 5000 };

START_TEST(a_polled_resource_becomes_readings)
{
	server.program = rig_programs[_i];
	coap_server_start(&server);
	rig_enroll();
	rig_begin("poll", "meter-3 /time 1");
	ck_assert_msg(MOCK_UNTIL(mock, rig_readings_of("time") >= 2, RIG_SOON_MS), "%s", mock->link_detail);
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
	server.program = rig_programs[_i];
	coap_server_start(&server);
	rig_enroll();
	rig_begin("observe", "meter-3 /time");
	ck_assert(MOCK_UNTIL(mock, rig_readings_of("time") >= 4, RIG_SOON_MS));
	ck_assert_int_eq(mock_counter(mock, "observations"), 1);
	ck_assert_int_ge(mock_counter(mock, "notifications"), 3);
	ck_assert_int_eq(mock_counter(mock, "notifications_old"), 0);
}
END_TEST

START_TEST(a_state_in_blocks_is_put_together)
{
	char big[BIG + 1] = "";

	server.program = rig_programs[_i];
	coap_server_start(&server);
	for (size_t i = 0; i < BIG; i++)
		big[i] = (char)('a' + i % 23);
	rig_enroll();
	rig_begin("observe", "meter-3 /example_data");
	ck_assert(MOCK_UNTIL(mock, rig_readings_of("example_data") == 1, RIG_SOON_MS));
	coap_server_put(&server, "/example_data", big);
	ck_assert(MOCK_UNTIL(mock, rig_readings_of("example_data") >= 2, RIG_SOON_MS));
	ck_assert_uint_eq(rig_last_of("example_data")->payload_size, BIG);
	ck_assert_str_eq((const char *)rig_last_of("example_data")->payload, big);
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
	ck_assert(MOCK_UNTIL(mock, mock_result(mock, ticket) >= 0, RIG_SOON_MS));
	ck_assert_int_eq(mock_result(mock, ticket), TG_CONFIRMED);
	ck_assert_uint_eq(mock->tickets[ticket - 1].code, code);
}

START_TEST(commands_reach_the_device_and_its_answers_come_back)
{
	char big[BIG + 1] = "";
	uint64_t ticket;

	server.program = rig_programs[_i];
	coap_server_start(&server);
	memset(big, 'x', BIG);
	rig_enroll();
	rig_begin(NULL, NULL);
	ticket = command("/example_data", TG_METHOD_PUT, big, 1);
	ck_assert(MOCK_UNTIL(mock, mock_result(mock, ticket) == TG_RETRY, RIG_SOON_MS));
	ck_assert(MOCK_UNTIL(mock, mock->n_sessions == 1, RIG_SOON_MS));
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
	server.program = rig_programs[_i];
	coap_server_start(&server);
	rig_enroll();
	mock_set(mock, "discover_poll_s", "1");
	mock_set(mock, "discover_s", "1");
	mock_add(mock, "poll", "meter-3 /example_data 600");
	rig_begin("discover", "*");
	ck_assert(MOCK_UNTIL(mock, rig_readings_of("time") >= 2 && rig_readings_of("async") >= 1, RIG_SOON_MS));
	ck_assert(MOCK_UNTIL(mock, mock_counter(mock, "discoveries") >= 2, RIG_SOON_MS));
	ck_assert_uint_eq(rig_readings_of(".well-known/core"), 0);
	ck_assert_int_eq(mock_counter(mock, "observations"), 1);
}
END_TEST

START_TEST(what_vanishes_from_a_discovery_ends)
{
	coap_server_start(&server);
	rig_enroll();
	mock_add(mock, "discover_rt", "ticks");
	mock_set(mock, "discover_s", "1");
	rig_begin("discover", "meter-3");
	ck_assert(MOCK_UNTIL(mock, mock_counter(mock, "observations") == 1, RIG_SOON_MS));
	mock_set(mock, "discover_rt", NULL);
	mock_add(mock, "discover_rt", "something-else");
	ck_assert_int_eq(mock_reload(mock), 0);
	ck_assert(MOCK_UNTIL(mock, mock_counter(mock, "observations") == 0, RIG_SOON_MS));
	ck_assert_uint_eq(mock->n_sessions, 1);
	ck_assert(!mock->sessions[0].ended);
}
END_TEST

START_TEST(plain_coap_needs_to_be_wished_for)
{
	coap_server_start(&server);
	rig_enroll();
	mock_add(mock, "devices", coap_server_entry(&server, "meter-3", false));
	mock_add(mock, "poll", "meter-3 /time 1");
	ck_assert_int_lt(mock_begin(mock), 0);
	ck_assert_uint_eq(mock_logged(mock, "insecure = true"), 1);
	mock_set(mock, "insecure", "true");
	ck_assert_int_eq(mock_begin(mock), 0);
	ck_assert_uint_gt(mock_logged(mock, "anybody on the way"), 0);
	ck_assert(MOCK_UNTIL(mock, rig_readings_of("time") >= 2, RIG_SOON_MS));
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
	rig_enroll();
	mock_enroll(mock, "meter-4", "meter-4", bytes_text(COAP_SERVER_KEY));
	mock_add(mock, "observe", "meter-3 /time");
	mock_add(mock, "devices", coap_server_entry(&server, "meter-4", true));
	rig_begin("poll", "meter-4 /time 1");
	ck_assert(MOCK_UNTIL(mock, mock->n_sessions == 2, RIG_SOON_MS));
	mock_set(mock, "devices", NULL);
	mock_set(mock, "poll", NULL);
	mock_add(mock, "devices", coap_server_entry(&server, "meter-3", true));
	mock_add(mock, "poll", "meter-3 /example_data 1");
	ck_assert_int_eq(mock_reload(mock), 0);
	ck_assert(MOCK_UNTIL(mock, rig_readings_of("example_data") >= 1, RIG_SOON_MS));
	ck_assert_uint_eq(mock->n_sessions, 2);
	ck_assert_int_eq(mock->sessions[0].ended + mock->sessions[1].ended, 1);
	ck_assert_str_eq(mock->link_detail, "1 of 1 devices");
	mock_add(mock, "devices", "nonsense");
	ck_assert_int_lt(mock_reload(mock), 0);
	ck_assert(MOCK_UNTIL(mock, rig_readings_of("example_data") >= 2, RIG_SOON_MS));
	ck_assert_int_eq(mock->sessions[0].ended + mock->sessions[1].ended, 1);
}
END_TEST

START_TEST(the_newest_reading_waits_while_the_core_is_full)
{
	const struct mock_submission *last;

	mock->accept_all = false;
	coap_server_start(&server);
	rig_enroll();
	rig_begin("poll", "meter-3 /example_data 600");
	mock_set(mock, "poll", NULL);
	mock_add(mock, "observe", "meter-3 /example_data");
	ck_assert_int_eq(mock_reload(mock), 0);
	ck_assert(MOCK_UNTIL(mock, mock->n_submissions == 1, RIG_SOON_MS));
	mock_refuse(mock, mock->submissions[0].token, TG_FULL);
	ck_assert(MOCK_UNTIL(mock, mock->n_submissions == 2, RIG_SOON_MS));
	last = rig_last_of("example_data");
	ck_assert_str_eq((const char *)last->payload, (const char *)mock->submissions[0].payload);
	mock_accept(mock, last->token);
	coap_server_put(&server, "/example_data", "new");
	ck_assert(MOCK_UNTIL(mock, mock->n_submissions == 3, RIG_SOON_MS));
	ck_assert_str_eq((const char *)rig_last_of("example_data")->payload, "new");
	mock_refuse(mock, rig_last_of("example_data")->token, TG_NOT_ALLOWED);
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
	tcase_add_test(cases, plain_coap_needs_to_be_wished_for);
	tcase_add_test(cases, all_mistakes_in_the_settings_are_told);
	tcase_add_test(cases, a_reload_leaves_other_sessions_alone);
	tcase_add_test(cases, the_newest_reading_waits_while_the_core_is_full);
}

int main(void)
{
	return rig_main("coap client role", add_tests);
}
