/* SPDX-License-Identifier: Apache-2.0 */

/* What devices of the coap_client adapter do rarely: they reject, they validate, they are revoked, they have a thousand resources. */

#include <arpa/inet.h>
#include <coap3/coap.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "child.h"
#include "coap_client_device.h"
#include "coap_client_rig.h"

enum { MANY = 1000, MANY_MS = 240000 };

static struct device *device;

static void begin_plain(const char *list, const char *entry)
{
	char uri[64];

	device = device_new();
	snprintf(uri, sizeof(uri), "meter-3 coap://127.0.0.1:%u", device_port(device));
	mock_set(mock, "insecure", "true");
	mock_add(mock, "devices", uri);
	if (list)
		mock_add(mock, list, entry);
	rig_enroll();
	ck_assert_int_eq(mock_begin(mock), 0);
}

static void end_plain(void)
{
	device_free(device);
	device = NULL;
}

START_TEST(a_poll_that_is_rejected_is_told_once_and_goes_on)
{
	begin_plain("poll", "meter-3 /a 1");
	device_reject(device, 2);
	ck_assert(MOCK_UNTIL(mock, mock_counter(mock, "failed_readings") >= 2, RIG_SOON_MS));
	ck_assert_uint_eq(mock_logged(mock, "was answered with a reset"), 1);
	ck_assert(MOCK_UNTIL(mock, rig_readings_of("a") >= 1, RIG_SOON_MS));
	ck_assert_int_eq(mock_counter(mock, "sessions_lost"), 0);
	end_plain();
}
END_TEST

START_TEST(a_registration_that_is_rejected_is_polled_and_asked_again)
{
	mock_set(mock, "fallback_poll_s", "1");
	begin_plain("observe", "meter-3 /a");
	device_reject(device, 1);
	ck_assert(MOCK_UNTIL(mock, mock_counter(mock, "observations") == 1, RIG_SOON_MS));
	ck_assert_uint_eq(mock_logged(mock, "was answered with a reset"), 1);
	ck_assert_uint_ge(rig_readings_of("a"), 1);
	end_plain();
}
END_TEST

START_TEST(a_command_that_is_rejected_is_refused)
{
	const struct tg_delivery delivery = {.kind = TG_COMMAND,
					     .id = {1},
					     .device = bytes_text("meter-3"),
					     .address = bytes_text("/a"),
					     .content_format = TG_FORMAT_NONE,
					     .method = TG_METHOD_PUT};
	uint64_t ticket;

	begin_plain("poll", "meter-3 /a 1");
	ck_assert(MOCK_UNTIL(mock, rig_readings_of("a") >= 1, RIG_SOON_MS));
	device_reject(device, 1);
	ck_assert_int_eq(mock_deliver(mock, &delivery, &ticket), 0);
	ck_assert(MOCK_UNTIL(mock, mock_result(mock, ticket) >= 0, RIG_SOON_MS));
	ck_assert_int_eq(mock_result(mock, ticket), TG_REJECTED);
	ck_assert_str_eq(mock->tickets[ticket - 1].reason, "the device rejected the message (reset)");
	end_plain();
}
END_TEST

/* Whether it is confirmable or not (RFC 7641 section 3.6). */
START_TEST(a_notification_that_nobody_wants_is_rejected)
{
	begin_plain("observe", "meter-3 /a");
	ck_assert(MOCK_UNTIL(mock, mock_counter(mock, "observations") == 1, RIG_SOON_MS));
	device_change(device);
	device_notify(device, _i == 0);
	ck_assert(MOCK_UNTIL(mock, rig_readings_of("a") == 2, RIG_SOON_MS));
	ck_assert(MOCK_UNTIL(mock, device_seen(device).acknowledged == (_i == 0), RIG_SOON_MS));
	mock_set(mock, "observe", NULL);
	mock_add(mock, "poll", "meter-3 /b 600");
	ck_assert_int_eq(mock_reload(mock), 0);
	ck_assert_int_eq(mock_counter(mock, "observations"), 0);
	ck_assert_uint_eq(device_seen(device).rejected, 0);
	device_change(device);
	device_notify(device, _i == 0);
	ck_assert(MOCK_UNTIL(mock, device_seen(device).rejected == 1, RIG_SOON_MS));
	ck_assert_uint_eq(rig_readings_of("a"), 2);
	end_plain();
}
END_TEST

START_TEST(a_state_that_nobody_asked_for_is_rejected)
{
	static const size_t sizes[] = {0, 4, 8};

	begin_plain("poll", "meter-3 /a 1");
	ck_assert(MOCK_UNTIL(mock, rig_readings_of("a") == 1, RIG_SOON_MS));
	device_feel(device, DEVICE_SILENT);
	device_change(device);
	device_babble(device, sizes[_i]);
	ck_assert(MOCK_UNTIL(mock, device_seen(device).rejected == 1, RIG_SOON_MS));
	ck_assert_uint_eq(mock->n_submissions, 1);
	ck_assert_int_eq(mock_counter(mock, "notifications"), 0);
	end_plain();
}
END_TEST

/* Whether the adapter has nothing to do until something happens. */
static bool comes_to_rest(void)
{
	unsigned turns = 0;

	while (turns < MANY && mock_turn(mock, 0))
		turns++;
	return turns < MANY;
}

START_TEST(what_is_observed_from_now_on_waits_for_the_poll_on_its_way)
{
	mock_set(mock, "retransmissions", "4");
	begin_plain("poll", "meter-3 /a 1");
	device_feel(device, DEVICE_SILENT);
	ck_assert(MOCK_UNTIL(mock, device_seen(device).requests == 1, RIG_SOON_MS));
	mock_set(mock, "poll", NULL);
	mock_add(mock, "observe", "meter-3 /a");
	ck_assert_int_eq(mock_reload(mock), 0);
	ck_assert(comes_to_rest());
	device_feel(device, DEVICE_ANSWERS);
	ck_assert(MOCK_UNTIL(mock, mock_counter(mock, "observations") == 1, RIG_SOON_MS));
	ck_assert_uint_eq(mock_logged(mock, "cannot be observed"), 0);
	ck_assert_int_eq(mock_counter(mock, "failed_readings"), 0);
	end_plain();
}
END_TEST

START_TEST(what_has_not_changed_is_no_new_reading)
{
	begin_plain("poll", "meter-3 /a 1");
	ck_assert(MOCK_UNTIL(mock, mock_counter(mock, "unchanged") >= 2, RIG_SOON_MS));
	ck_assert_uint_eq(rig_readings_of("a"), 1);
	ck_assert_uint_ge(device_seen(device).validated, 2);
	device_change(device);
	ck_assert(MOCK_UNTIL(mock, rig_readings_of("a") == 2, RIG_SOON_MS));
	ck_assert_str_eq((const char *)rig_last_of("a")->payload, "2");
	ck_assert(MOCK_UNTIL(mock, mock_counter(mock, "unchanged") >= 3, RIG_SOON_MS));
	ck_assert_uint_eq(rig_readings_of("a"), 2);
	ck_assert_int_eq(mock_counter(mock, "failed_readings"), 0);
	end_plain();
}
END_TEST

START_TEST(without_revalidation_all_are_readings)
{
	mock_set(mock, "revalidate", "false");
	begin_plain("poll", "meter-3 /a 1");
	ck_assert(MOCK_UNTIL(mock, rig_readings_of("a") >= 3, RIG_SOON_MS));
	ck_assert_uint_eq(device_seen(device).with_etag, 0);
	end_plain();
}
END_TEST

/* The list of the authority as it is now; with the device's certificate on it or without. */
static void make_list(bool revoked)
{
	const char *folder = coap_server_file(".");

	child_shell(
		"cd %s && { [ -e index ] || { : > index; echo 01 > number; printf "
		"'[ca]\\ndefault_ca=a\\n[a]\\ndatabase=index\\ncrlnumber=number\\ndefault_md=sha256\\n"
		"default_crl_days=2\\n' > list.conf; }; } && "
		"%s openssl ca -batch -config list.conf -gencrl -keyfile ca.key -cert ca.crt -out list.pem 2>/dev/null",
		folder,
		revoked ? "openssl ca -batch -config list.conf -revoke device.crt -keyfile ca.key -cert ca.crt "
			  "2>/dev/null;"
			: "");
}

START_TEST(a_revoked_certificate_is_refused_from_the_next_session_on)
{
	make_list(false);
	server.certificate = "device";
	mock_set(mock, "certificate", coap_server_file("gateway.crt"));
	mock_set(mock, "key", coap_server_file("gateway.key"));
	mock_set(mock, "trust", coap_server_file("ca.crt"));
	mock_set(mock, "crl", coap_server_file("list.pem"));
	coap_server_start(&server);
	mock_enroll(mock, "meter-3", "meter-3", (struct tg_bytes){NULL, 0});
	rig_begin("poll", "meter-3 /time 1");
	ck_assert(MOCK_UNTIL(mock, rig_readings_of("time") >= 1, RIG_SOON_MS));
	make_list(true);
	ck_assert_int_eq(mock_reload(mock), 0);
	coap_server_stop(&server);
	ck_assert(MOCK_UNTIL(mock, mock->sessions[0].ended, RIG_SOON_MS));
	coap_server_start(&server);
	ck_assert(MOCK_UNTIL(mock, mock_logged(mock, "certificate revoked") > 0, RIG_SOON_MS));
	ck_assert_uint_eq(mock->n_sessions, 1);
	child_shell("rm %s %s", coap_server_file("index*"), coap_server_file("list.pem"));
}
END_TEST

static const struct tg_setting *row(const char *name)
{
	const struct tg_setting *at = mock->adapter->settings;

	while (at->name && strcmp(at->name, name) != 0)
		at++;
	ck_assert_ptr_nonnull(at->name);
	return at;
}

/* libcoap leaves a wait that it does not like at its own, and does not tell. */
START_TEST(all_waits_that_can_be_set_are_kept)
{
	const struct tg_setting *setting = row("ack_timeout_ms");
	const int64_t waits[] = {setting->lowest, setting->highest};
	coap_context_t *context;
	coap_session_t *session;
	coap_address_t remote;

	coap_startup();
	context = coap_new_context(NULL);
	coap_address_init(&remote);
	remote.addr.sin = (struct sockaddr_in){
		.sin_family = AF_INET, .sin_port = htons(5683), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	remote.size = sizeof(remote.addr.sin);
	session = coap_new_client_session(context, NULL, &remote, COAP_PROTO_UDP);
	ck_assert_ptr_nonnull(session);
	for (size_t i = 0; i < 2; i++) {
		const coap_fixed_point_t wait = {(uint16_t)(waits[i] / 1000), (uint16_t)(waits[i] % 1000)};
		coap_fixed_point_t kept;

		coap_session_set_ack_timeout(session, wait);
		kept = coap_session_get_ack_timeout(session);
		ck_assert_int_eq(kept.integer_part * 1000 + kept.fractional_part, waits[i]);
	}
	coap_session_release(session);
	coap_free_context(context);
}
END_TEST

static long memory_kib(void)
{
	FILE *file = fopen("/proc/self/statm", "r");
	long size = 0, resident = 0;

	ck_assert_ptr_nonnull(file);
	ck_assert_int_eq(fscanf(file, "%ld %ld", &size, &resident), 2);
	fclose(file);
	return resident * 4;
}

static void add_resources(void)
{
	char path[32];

	for (unsigned i = 0; i < MANY; i++) {
		snprintf(path, sizeof(path), "/r%u", i);
		coap_server_put(&server, path, "0");
	}
}

START_TEST(a_thousand_resources_are_observed)
{
	char entry[32];
	long before;
	int64_t begun_us;

	server.option = "-d1000";
	coap_server_start(&server);
	add_resources();
	rig_enroll();
	for (unsigned i = 1; i < MANY; i++) {
		snprintf(entry, sizeof(entry), "meter-3 /r%u", i);
		mock_add(mock, "observe", entry);
	}
	before = memory_kib();
	begun_us = mock_deadline(0);
	rig_begin("observe", "meter-3 /r0");
	ck_assert(MOCK_UNTIL(mock, mock_counter(mock, "observations") == MANY, MANY_MS));
	fprintf(stderr, "%d observations begun in %.1f s; the test's memory grew by %ld KiB\n", MANY,
		(double)(mock_deadline(0) - begun_us) / 1e6, memory_kib() - before);
	coap_server_put(&server, "/r777", "news");
	ck_assert(MOCK_UNTIL(mock, rig_readings_of("r777") == 2, RIG_SOON_MS));
	ck_assert_str_eq((const char *)rig_last_of("r777")->payload, "news");
	ck_assert_uint_eq(mock->n_sessions, 1);
	ck_assert_int_eq(mock_counter(mock, "sessions_lost"), 0);
}
END_TEST

static void add_tests(TCase *cases)
{
	tcase_add_test(cases, a_poll_that_is_rejected_is_told_once_and_goes_on);
	tcase_add_test(cases, a_registration_that_is_rejected_is_polled_and_asked_again);
	tcase_add_test(cases, a_command_that_is_rejected_is_refused);
	tcase_add_loop_test(cases, a_notification_that_nobody_wants_is_rejected, 0, 2);
	tcase_add_loop_test(cases, a_state_that_nobody_asked_for_is_rejected, 0, 3);
	tcase_add_test(cases, what_is_observed_from_now_on_waits_for_the_poll_on_its_way);
	tcase_add_test(cases, what_has_not_changed_is_no_new_reading);
	tcase_add_test(cases, without_revalidation_all_are_readings);
	tcase_add_test(cases, a_revoked_certificate_is_refused_from_the_next_session_on);
	tcase_add_test(cases, all_waits_that_can_be_set_are_kept);
	tcase_add_test(cases, a_thousand_resources_are_observed);
}

int main(void)
{
	return rig_main("coap client corners", add_tests);
}
