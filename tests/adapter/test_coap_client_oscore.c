/* SPDX-License-Identifier: Apache-2.0 */

/* OSCORE of the coap_client adapter, against libcoap's own server. Where this libcoap has none, what the settings and the log say of it
 * is tested, and the rest left out, loudly. */

#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "coap_client_relay.h"
#include "coap_client_rig.h"

#define SECRET "0102030405060708090a0b0c0d0e0f10"
#define OTHER  "ff02030405060708090a0b0c0d0e0f10"

enum { BODY = 3000 };

static struct relay *relay;

static const char *write_file(const char *name, const char *text)
{
	const char *path = coap_server_file(name);
	FILE *file = fopen(path, "w");

	ck_assert_ptr_nonnull(file);
	fputs(text, file);
	fclose(file);
	return path;
}

static void set_context(const char *secret, const char *recipient, const char *more)
{
	char text[400];

	snprintf(text, sizeof(text),
		 "# of the test\n\n[meter-3]\nmaster_secret = %s\nmaster_salt = 9e7ca92223786340\nsender_id = 01\n"
		 "recipient_id = %s\n%s",
		 secret, recipient, more);
	mock_set(mock, "oscore", write_file("gateway.oscore", text));
}

/* With OSCORE, and through the relay. */
static void start_server(int program)
{
	static char option[300];

	snprintf(option, sizeof(option), "-E%s",
		 write_file("server.oscore", "master_secret,hex,\"" SECRET "\"\nmaster_salt,hex,\"9e7ca92223786340\"\n"
					     "sender_id,hex,\"02\"\nrecipient_id,hex,\"01\"\nreplay_window,integer,30\n"
					     "aead_alg,text,\"AES-CCM-16-64-128\"\n"));
	server.program = rig_programs[program];
	server.option = option;
	coap_server_start(&server);
	relay = relay_new(server.port);
}

static void add_device(uint16_t port)
{
	char entry[64];

	snprintf(entry, sizeof(entry), "meter-3 coap://127.0.0.1:%u", port);
	mock_add(mock, "devices", entry);
}

static void begin(const char *list, const char *entry)
{
	add_device(relay_port(relay));
	if (list)
		mock_add(mock, list, entry);
	rig_enroll();
	ck_assert_int_eq(mock_begin(mock), 0);
}

static void begin_with(int program, const char *list, const char *entry)
{
	start_server(program);
	set_context(SECRET, "02", "");
	begin(list, entry);
}

static void begin_protected(const char *list, const char *entry)
{
	begin_with(0, list, entry);
}

static void assert_numbers(void)
{
	struct relay_seen seen = relay_seen(relay);

	ck_assert_uint_gt(seen.numbers, 0);
	ck_assert_uint_eq(seen.twice, 0);
	ck_assert_uint_eq(seen.unguarded, 0);
}

static void free_relay(void)
{
	relay_free(relay);
	relay = NULL;
}

static uint64_t command(const char *path, uint32_t method, const char *payload, unsigned id)
{
	const struct tg_delivery delivery = {.kind = TG_COMMAND,
					     .id = {(uint8_t)id, (uint8_t)(id >> 8), 1},
					     .device = bytes_text("meter-3"),
					     .address = bytes_text(path),
					     .content_format = TG_FORMAT_NONE,
					     .payload = bytes_text(payload),
					     .method = method};
	uint64_t ticket = 0;

	ck_assert_int_eq(mock_deliver(mock, &delivery, &ticket), 0);
	return ticket;
}

static void expect_code(uint64_t ticket, uint32_t code)
{
	ck_assert(MOCK_UNTIL(mock, mock_result(mock, ticket) >= 0, RIG_SOON_MS));
	ck_assert_int_eq(mock_result(mock, ticket), TG_CONFIRMED);
	ck_assert_uint_eq(mock->tickets[ticket - 1].code, code);
}

START_TEST(a_wrong_file_is_refused_with_its_line)
{
	add_device(server.port);
	set_context(SECRET, "02", "aead = AES-GCM\n");
	ck_assert_int_lt(mock_begin(mock), 0);
	ck_assert_uint_eq(mock_logged(mock, "oscore: line 8: 'aead' is none that libcoap can do"), 1);
	set_context(SECRET, "02", "[meter-9]\nmaster_secret = " OTHER "\nsender_id = 01\nrecipient_id = 02\n");
	ck_assert_int_lt(mock_begin(mock), 0);
	ck_assert_uint_eq(mock_logged(mock, "oscore: line 8: 'meter-9' is no device in 'devices'"), 1);
	mock_add(mock, "devices", coap_server_entry(&server, "meter-9", true));
	ck_assert_int_lt(mock_begin(mock), 0);
	ck_assert_uint_eq(mock_logged(mock, "line 8: 'meter-9' is a device at coaps://"), 1);
	ck_assert_uint_eq(mock_logged(mock, SECRET), 0);
}
END_TEST

START_TEST(without_oscore_the_rest_goes_on)
{
	coap_server_start(&server);
	add_device(server.port);
	mock_add(mock, "devices", coap_server_entry(&server, "meter-4", true));
	mock_add(mock, "poll", "meter-3 /time 1");
	mock_add(mock, "poll", "meter-4 /time 1");
	mock_enroll(mock, "meter-4", "meter-4", bytes_text(COAP_SERVER_KEY));
	rig_enroll();
	set_context(SECRET, "02", "");
	ck_assert_int_eq(mock_begin(mock), 0);
	ck_assert(MOCK_UNTIL(mock, mock->n_submissions >= 3, RIG_SOON_MS));
	for (size_t i = 0; i < mock->n_submissions; i++)
		ck_assert_str_eq(mock->submissions[i].device, "meter-4");
	ck_assert_uint_eq(mock_logged(mock, "4.3.4 or newer is needed, built with OSCORE"), 1);
	ck_assert_uint_eq(mock_logged(mock, "\"meter-3\" is left alone"), 1);
	ck_assert_uint_eq(mock_logged(mock, "anybody on the way"), 0);
}
END_TEST

START_TEST(observed_and_polled_resources_become_readings)
{
	begin_with(_i, "observe", "meter-3 /time");
	mock_add(mock, "poll", "meter-3 /example_data 1");
	ck_assert_int_eq(mock_reload(mock), 0);
	ck_assert(MOCK_UNTIL(mock, rig_readings_of("time") >= 4 && rig_readings_of("example_data") >= 1, RIG_SOON_MS));
	ck_assert_int_eq(mock_counter(mock, "observations"), 1);
	ck_assert_uint_eq(mock_logged(mock, "anybody on the way"), 0);
	ck_assert_uint_eq(mock->n_sessions, 1);
	ck_assert_str_eq(mock->sessions[0].version, "OSCORE");
	ck_assert_str_eq(mock->sessions[0].cipher, "AES-CCM-16-64-128");
	ck_assert_int_eq(mock_counter(mock, "refused_messages"), 0);
	assert_numbers();
	free_relay();
}
END_TEST

START_TEST(commands_go_out_and_are_answered_in_blocks)
{
	char big[BODY + 1] = "";
	uint64_t first, second;

	begin_with(_i, "observe", "meter-3 /time");
	ck_assert(MOCK_UNTIL(mock, mock->n_sessions == 1, RIG_SOON_MS));
	memset(big, 'o', BODY);
	first = command("/example_data", TG_METHOD_PUT, big, 1);
	expect_code(first, 201);
	second = command("/example_data", TG_METHOD_GET, "", 2);
	expect_code(second, 205);
	ck_assert_str_eq((const char *)mock->tickets[second - 1].payload, big);
	assert_numbers();
	free_relay();
}
END_TEST

/* No more is sent than the core has kept; a core that does not answer stops it. */
START_TEST(no_number_is_used_that_is_not_kept)
{
	mock->keeps_wait = true;
	begin_protected("poll", "meter-3 /time 1");
	ck_assert_uint_eq(mock->n_keeps, 1);
	for (unsigned i = 0; i < 50; i++)
		mock_turn(mock, 10000);
	ck_assert_uint_eq(relay_seen(relay).requests, 0);
	ck_assert_str_eq((const char *)mock->keeps[0].value, "1024");
	mock_kept(mock, 0, 0);
	ck_assert(MOCK_UNTIL(mock, rig_readings_of("time") >= 2, RIG_SOON_MS));
	ck_assert_uint_lt(relay_seen(relay).highest, 1024);
	assert_numbers();
	free_relay();
}
END_TEST

START_TEST(numbers_go_on_where_they_were_reserved)
{
	char name[65];

	begin_protected("poll", "meter-3 /time 1");
	ck_assert(MOCK_UNTIL(mock, rig_readings_of("time") >= 1, RIG_SOON_MS));
	ck_assert_uint_lt(relay_seen(relay).highest, 100);
	snprintf(name, sizeof(name), "%s", mock->keeps[0].name);
	ck_assert_int_eq(strncmp(name, "!oscore-", 8), 0);
	mock_host_free(mock);
	ck_assert_int_eq(mock_host_new(mock_adapter("coap_client"), &mock), 0);
	mock->accept_all = true;
	mock_note(mock, bytes_text(name), bytes_text("1024"));
	set_context(SECRET, "02", "");
	begin("poll", "meter-3 /time 1");
	ck_assert(MOCK_UNTIL(mock, rig_readings_of("time") >= 1, RIG_SOON_MS));
	ck_assert_uint_ge(relay_seen(relay).highest, 1024);
	ck_assert_str_eq((const char *)mock_noted(mock, name)->value, "2048");
	assert_numbers();
	free_relay();
}
END_TEST

START_TEST(the_next_block_of_numbers_is_asked_for_in_time)
{
	char name[65];

	begin_protected("observe", "meter-3 /time");
	ck_assert(MOCK_UNTIL(mock, mock->n_sessions == 1, RIG_SOON_MS));
	snprintf(name, sizeof(name), "%s", mock->keeps[0].name);
	for (unsigned i = 0; i < 1200; i++)
		expect_code(command("/time", TG_METHOD_GET, "", i + 1), 205);
	ck_assert_uint_gt(relay_seen(relay).highest, 1024);
	ck_assert_str_eq((const char *)mock_noted(mock, name)->value, "2048");
	ck_assert_int_eq(mock_counter(mock, "sessions_lost"), 0);
	assert_numbers();
	free_relay();
}
END_TEST

START_TEST(lost_notes_put_a_context_out_of_use)
{
	mock->loss = 77;
	begin_protected("poll", "meter-3 /time 1");
	ck_assert(MOCK_UNTIL(mock, mock_logged(mock, "the numbers that it has used were lost") == 1, RIG_SOON_MS));
	mock_settle(mock);
	ck_assert_uint_eq(relay_seen(relay).requests, 0);
	ck_assert_str_eq((const char *)mock_noted(mock, "oscore-loss")->value, "77");
	ck_assert_str_eq((const char *)mock_noted(mock, mock->keeps[0].name)->value, "lost");
	/* Other keys are new ones. */
	coap_server_stop(&server);
	server.option = NULL;
	set_context(OTHER, "02", "");
	ck_assert_int_eq(mock_reload(mock), 0);
	ck_assert(MOCK_UNTIL(mock, relay_seen(relay).requests > 0, RIG_SOON_MS));
	free_relay();
}
END_TEST

START_TEST(keys_of_another_endpoint_are_left_alone)
{
	mock->keeps_wait = true;
	begin_protected("poll", "meter-3 /time 1");
	mock_kept(mock, 0, -17 /* EEXIST */);
	ck_assert(MOCK_UNTIL(mock, mock_logged(mock, "another endpoint uses its keys") == 1, RIG_SOON_MS));
	mock_settle(mock);
	ck_assert_uint_eq(relay_seen(relay).requests, 0);
	free_relay();
}
END_TEST

START_TEST(wrong_keys_get_nothing)
{
	start_server(0);
	set_context(OTHER, "02", "");
	mock_set(mock, "handshake_s", "2");
	begin("poll", "meter-3 /time 1");
	ck_assert(MOCK_UNTIL(mock, mock_counter(mock, "handshake_failures") >= 2, RIG_SOON_MS));
	ck_assert_int_gt(mock_counter(mock, "refused_messages"), 0);
	ck_assert_uint_gt(mock_logged(mock, "it has other keys, or is somebody else"), 0);
	ck_assert_uint_eq(mock->n_sessions, 0);
	ck_assert_uint_eq(mock->n_submissions, 0);
	assert_numbers();
	free_relay();
}
END_TEST

/* In place of the device's: nothing of it becomes a reading, and the device is heard again when they stop. */
START_TEST(answers_of_somebody_else_are_refused)
{
	size_t before;

	mock_set(mock, "answer_s", "2");
	begin_protected("poll", "meter-3 /time 1");
	ck_assert(MOCK_UNTIL(mock, rig_readings_of("time") >= 1, RIG_SOON_MS));
	relay_set(relay, _i == 0 ? RELAY_PLAIN : RELAY_FORGED);
	ck_assert(MOCK_UNTIL(mock, mock_counter(mock, "refused_messages") >= 1, RIG_SOON_MS));
	before = mock->n_submissions;
	ck_assert(MOCK_UNTIL(mock, mock_counter(mock, "sessions_lost") >= 1, RIG_SOON_MS));
	ck_assert_uint_eq(mock->n_submissions, before);
	relay_set(relay, RELAY_HONEST);
	ck_assert(MOCK_UNTIL(mock, mock->n_submissions > before, RIG_SOON_MS));
	for (size_t i = 0; i < mock->n_submissions; i++)
		ck_assert_ptr_null(strstr((const char *)mock->submissions[i].payload, "forged"));
	assert_numbers();
	free_relay();
}
END_TEST

START_TEST(answers_that_come_again_are_refused)
{
	size_t before;

	begin_protected("poll", "meter-3 /time 1");
	ck_assert(MOCK_UNTIL(mock, rig_readings_of("time") >= 1, RIG_SOON_MS));
	relay_set(relay, RELAY_TWICE);
	before = mock->n_submissions;
	ck_assert(MOCK_UNTIL(mock, mock_counter(mock, "refused_messages") >= 2, RIG_SOON_MS));
	ck_assert(MOCK_UNTIL(mock, mock->n_submissions >= before + 3, RIG_SOON_MS));
	for (size_t i = 2; i < mock->n_submissions; i++) /* it comes behind the next one */
		ck_assert_str_ne((const char *)mock->submissions[i].payload,
				 (const char *)mock->submissions[i - 2].payload);
	ck_assert_int_eq(mock_counter(mock, "sessions_lost"), 0);
	assert_numbers();
	free_relay();
}
END_TEST

START_TEST(notifications_that_come_again_are_dropped)
{
	begin_protected("observe", "meter-3 /time");
	ck_assert(MOCK_UNTIL(mock, rig_readings_of("time") >= 2, RIG_SOON_MS));
	relay_set(relay, RELAY_TWICE);
	ck_assert(MOCK_UNTIL(mock, mock_counter(mock, "notifications_old") >= 3, RIG_SOON_MS));
	for (size_t i = 2; i < mock->n_submissions; i++) /* it comes behind the next one */
		ck_assert_str_ne((const char *)mock->submissions[i].payload,
				 (const char *)mock->submissions[i - 2].payload);
	assert_numbers();
	free_relay();
}
END_TEST

/* Its replay window is lost with it, and it wants to see an Echo. */
START_TEST(a_device_that_restarts_is_found_again)
{
	size_t before;

	begin_protected("observe", "meter-3 /time");
	ck_assert(MOCK_UNTIL(mock, rig_readings_of("time") >= 2, RIG_SOON_MS));
	coap_server_stop(&server);
	command("/time", TG_METHOD_GET, "", 1);
	ck_assert(MOCK_UNTIL(mock, mock->sessions[0].ended, RIG_SOON_MS));
	coap_server_start(&server);
	before = rig_readings_of("time");
	ck_assert(MOCK_UNTIL(mock, rig_readings_of("time") >= before + 3, RIG_SOON_MS));
	assert_numbers();
	free_relay();
}
END_TEST

START_TEST(resets_end_the_session_and_it_is_made_anew)
{
	size_t before;

	begin_protected("poll", "meter-3 /time 1");
	ck_assert(MOCK_UNTIL(mock, rig_readings_of("time") >= 1, RIG_SOON_MS));
	relay_set(relay, RELAY_RESET);
	ck_assert(MOCK_UNTIL(mock, mock_counter(mock, "sessions_lost") >= 1, RIG_SOON_MS));
	relay_set(relay, RELAY_HONEST);
	before = mock->n_submissions;
	ck_assert(MOCK_UNTIL(mock, mock->n_submissions > before, RIG_SOON_MS));
	assert_numbers();
	free_relay();
}
END_TEST

START_TEST(another_recipient_is_another_session)
{
	begin_protected("poll", "meter-3 /time 1");
	ck_assert(MOCK_UNTIL(mock, rig_readings_of("time") >= 1, RIG_SOON_MS));
	set_context(SECRET, "03", "");
	ck_assert_int_eq(mock_reload(mock), 0);
	ck_assert(mock->sessions[0].ended);
	ck_assert(MOCK_UNTIL(mock, mock_counter(mock, "refused_messages") >= 1, RIG_SOON_MS));
	assert_numbers();
	free_relay();
}
END_TEST

START_TEST(a_revoked_device_is_left_at_once)
{
	size_t requests;

	begin_protected("poll", "meter-3 /time 1");
	ck_assert(MOCK_UNTIL(mock, rig_readings_of("time") >= 1, RIG_SOON_MS));
	mock_forget(mock, "meter-3");
	ck_assert(MOCK_UNTIL(mock, mock->sessions[0].ended, RIG_SOON_MS));
	requests = relay_seen(relay).requests;
	ck_assert(MOCK_UNTIL(mock, mock_logged(mock, "the registry does not know it") > 0, RIG_SOON_MS));
	ck_assert_uint_eq(relay_seen(relay).requests, requests);
	free_relay();
}
END_TEST

static void add_tests(TCase *cases)
{
	tcase_add_test(cases, a_wrong_file_is_refused_with_its_line);
	if (!HAVE_DECL_COAP_NEW_CLIENT_SESSION_OSCORE) {
		fprintf(stderr, "SKIPPED: what needs OSCORE: libcoap has it from 4.3.4 on, and this one is older\n");
		tcase_add_test(cases, without_oscore_the_rest_goes_on);
		return;
	}
	tcase_add_loop_test(cases, observed_and_polled_resources_become_readings, 0, 2);
	tcase_add_loop_test(cases, commands_go_out_and_are_answered_in_blocks, 0, 2);
	tcase_add_test(cases, no_number_is_used_that_is_not_kept);
	tcase_add_test(cases, numbers_go_on_where_they_were_reserved);
	tcase_add_test(cases, the_next_block_of_numbers_is_asked_for_in_time);
	tcase_add_test(cases, lost_notes_put_a_context_out_of_use);
	tcase_add_test(cases, keys_of_another_endpoint_are_left_alone);
	tcase_add_test(cases, wrong_keys_get_nothing);
	tcase_add_loop_test(cases, answers_of_somebody_else_are_refused, 0, 2);
	tcase_add_test(cases, answers_that_come_again_are_refused);
	tcase_add_test(cases, notifications_that_come_again_are_dropped);
	tcase_add_test(cases, a_device_that_restarts_is_found_again);
	tcase_add_test(cases, resets_end_the_session_and_it_is_made_anew);
	tcase_add_test(cases, another_recipient_is_another_session);
	tcase_add_test(cases, a_revoked_device_is_left_at_once);
}

int main(void)
{
	return rig_main("coap client oscore", add_tests);
}
