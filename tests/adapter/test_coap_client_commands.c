/* SPDX-License-Identifier: Apache-2.0 */

/* Commands of the coap_client adapter that come back to the core: it waits for the device, and hears of it again, whatever happens. */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "coap_client_device.h"
#include "coap_client_rig.h"

enum { ALL = 1024, OF_ONE = 64, FULL = ALL / OF_ONE };

static struct device *device;

static void add_device(const char *name)
{
	char uri[64];

	snprintf(uri, sizeof(uri), "%s coap://127.0.0.1:%u", name, device_port(device));
	mock_add(mock, "devices", uri);
	mock_enroll(mock, name, name, bytes_text(COAP_SERVER_KEY));
}

/* Nothing but commands makes a session. */
static void begin(enum device_mood mood)
{
	device = device_new();
	device_feel(device, mood);
	mock_set(mock, "insecure", "true");
	add_device("meter-3");
}

static void end(void)
{
	device_free(device);
	device = NULL;
}

static int command_to(const char *name, unsigned number, uint64_t *ret_ticket)
{
	const struct tg_delivery delivery = {.kind = TG_COMMAND,
					     .id = {1, (uint8_t)(number >> 8), (uint8_t)number},
					     .device = bytes_text(name),
					     .address = bytes_text("/example_data"),
					     .content_format = TG_FORMAT_NONE,
					     .method = TG_METHOD_GET};

	return mock_deliver(mock, &delivery, ret_ticket);
}

static int result_of(const char *name, unsigned number)
{
	uint64_t ticket = 0;

	ck_assert_int_eq(command_to(name, number, &ticket), 0);
	ck_assert(MOCK_UNTIL(mock, mock_result(mock, ticket) >= 0, RIG_SOON_MS));
	return mock_result(mock, ticket);
}

static void change(const char *setting, const char *value)
{
	mock_set(mock, setting, value);
	ck_assert_int_eq(mock_reload(mock), 0);
}

/* The core hears of the device so often since the beginning. */
static void wait_awake(size_t count)
{
	ck_assert_msg(MOCK_UNTIL(mock, mock->n_awake >= count, RIG_SOON_MS), "awake: %zu of %zu", mock->n_awake, count);
	ck_assert_uint_eq(mock->n_awake, count);
}

static void begin_one(enum device_mood mood)
{
	begin(mood);
	ck_assert_int_eq(mock_begin(mock), 0);
	ck_assert_int_eq(result_of("meter-3", 1), TG_RETRY);
	wait_awake(1);
}

START_TEST(a_device_that_was_silent_is_tried_again)
{
	mock_set(mock, "retransmissions", "1");
	begin_one(DEVICE_SILENT);
	ck_assert_int_eq(result_of("meter-3", 1), TG_RETRY);
	ck_assert(MOCK_UNTIL(mock, mock_counter(mock, "sessions_lost") == 1, RIG_SOON_MS));
	change("retransmissions", "4");
	device_feel(device, DEVICE_ANSWERS);
	wait_awake(2);
	ck_assert_int_eq(result_of("meter-3", 1), TG_CONFIRMED);
	ck_assert_uint_eq(mock->n_awake, 2);
	end();
}
END_TEST

START_TEST(a_device_that_was_late_is_asked_again)
{
	mock_set(mock, "answer_s", "1");
	begin_one(DEVICE_ACKNOWLEDGES);
	ck_assert_int_eq(result_of("meter-3", 1), TG_RETRY);
	wait_awake(2);
	change("answer_s", "60");
	device_feel(device, DEVICE_ANSWERS);
	ck_assert_int_eq(result_of("meter-3", 1), TG_CONFIRMED);
	ck_assert_int_eq(mock_counter(mock, "sessions_lost"), 0);
	ck_assert_uint_eq(mock->n_awake, 2);
	end();
}
END_TEST

START_TEST(a_session_that_is_lost_comes_back_for_a_command)
{
	coap_server_start(&server);
	rig_enroll();
	rig_begin(NULL, NULL);
	ck_assert_int_eq(result_of("meter-3", 1), TG_RETRY);
	ck_assert(MOCK_UNTIL(mock, mock->n_sessions == 1, RIG_SOON_MS));
	coap_server_stop(&server);
	ck_assert_int_eq(result_of("meter-3", 1), TG_RETRY);
	coap_server_start(&server);
	ck_assert(MOCK_UNTIL(mock, mock->n_sessions == 2, RIG_SOON_MS));
	ck_assert_int_eq(result_of("meter-3", 1), TG_CONFIRMED);
}
END_TEST

START_TEST(commands_that_found_no_room_come_again)
{
	char name[16];

	mock_set(mock, "retransmissions", "10");
	begin(DEVICE_SILENT);
	mock_set(mock, "answer_s", "600");
	for (unsigned i = 0; i < FULL; i++) {
		snprintf(name, sizeof(name), "full-%u", i);
		add_device(name);
	}
	ck_assert_int_eq(mock_begin(mock), 0);
	for (unsigned i = 0; i < FULL; i++) {
		snprintf(name, sizeof(name), "full-%u", i);
		ck_assert_int_eq(result_of(name, i), TG_RETRY);
	}
	ck_assert_int_eq(result_of("meter-3", FULL), TG_RETRY);
	wait_awake(FULL + 1);
	for (unsigned i = 0; i < ALL; i++) {
		snprintf(name, sizeof(name), "full-%u", i / OF_ONE);
		ck_assert_int_eq(command_to(name, i, NULL), 0);
	}
	ck_assert_int_eq(command_to("full-0", ALL, NULL), -EAGAIN);
	ck_assert_int_eq(command_to("meter-3", ALL, NULL), -EAGAIN);
	device_feel(device, DEVICE_ANSWERS);
	wait_awake(FULL + 3);
	ck_assert_int_eq(result_of("full-0", ALL), TG_CONFIRMED);
	ck_assert_int_eq(result_of("meter-3", ALL), TG_CONFIRMED);
	ck_assert_uint_eq(mock->n_awake, FULL + 3);
	end();
}
END_TEST

START_TEST(what_is_fetched_comes_in_blocks)
{
	const struct tg_delivery delivery = {.kind = TG_COMMAND,
					     .id = {2},
					     .device = bytes_text("meter-3"),
					     .address = bytes_text("/log"),
					     .content_format = 0,
					     .payload = bytes_text("the last hour"),
					     .method = TG_METHOD_FETCH};
	uint64_t ticket = 0;

	begin_one(DEVICE_ANSWERS);
	ck_assert_int_eq(mock_deliver(mock, &delivery, &ticket), 0);
	ck_assert(MOCK_UNTIL(mock, mock_result(mock, ticket) >= 0, RIG_SOON_MS));
	ck_assert_int_eq(mock_result(mock, ticket), TG_CONFIRMED);
	ck_assert_uint_eq(mock->tickets[ticket - 1].code, 205);
	ck_assert_str_eq((const char *)mock->tickets[ticket - 1].payload, "aaaaaaaaaaaaaaaabbbbbbbbbbbbbbbb");
	ck_assert_uint_eq(device_seen(device).requests, 2);
	end();
}
END_TEST

START_TEST(a_device_that_moves_is_asked_at_its_new_place)
{
	struct device *before;

	begin(DEVICE_ANSWERS);
	mock->identities_off = true;
	ck_assert_int_eq(mock_begin(mock), 0);
	ck_assert_int_eq(result_of("meter-3", 1), TG_RETRY);
	before = device;
	device = device_new();
	mock->identities_off = false;
	mock_set(mock, "devices", NULL);
	add_device("meter-3");
	ck_assert_int_eq(mock_reload(mock), 0);
	wait_awake(1);
	ck_assert_int_eq(result_of("meter-3", 1), TG_RETRY);
	wait_awake(2);
	ck_assert_int_eq(result_of("meter-3", 1), TG_CONFIRMED);
	ck_assert_uint_eq(device_seen(before).requests, 0);
	device_free(before);
	end();
}
END_TEST

static void add_tests(TCase *cases)
{
	tcase_add_test(cases, a_device_that_was_silent_is_tried_again);
	tcase_add_test(cases, a_device_that_was_late_is_asked_again);
	tcase_add_test(cases, a_session_that_is_lost_comes_back_for_a_command);
	tcase_add_test(cases, commands_that_found_no_room_come_again);
	tcase_add_test(cases, what_is_fetched_comes_in_blocks);
	tcase_add_test(cases, a_device_that_moves_is_asked_at_its_new_place);
}

int main(void)
{
	return rig_main("coap client commands", add_tests);
}
