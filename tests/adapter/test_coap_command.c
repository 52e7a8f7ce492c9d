/* SPDX-License-Identifier: Apache-2.0 */

/* Commands to a device of libcoap's making, over DTLS. */

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "device_rig.h"

enum { WAIT_MS = 60000, LARGE = 65536 };

static struct device *device;
static uint8_t large[LARGE + 1];

static void setup(void)
{
	rig_setup();
	rig->accept_all = true;
	rig_begin();
	device = device_begin("sensor-1", NULL);
	for (size_t i = 0; i < LARGE; i++)
		large[i] = (uint8_t)('a' + i % 26);
}

static void teardown(void)
{
	device_end(device);
	rig_teardown();
}

static struct tg_bytes text(const char *terminated)
{
	return (struct tg_bytes){terminated, terminated ? strlen(terminated) : 0};
}

/* Gives the command number `id` and returns its ticket. */
static uint64_t give(uint8_t id, enum tg_method method, const char *address, struct tg_bytes payload)
{
	struct tg_delivery delivery = {
		.kind = TG_COMMAND,
		.id = {id, 1},
		.device = text("device-1"),
		.address = text(address),
		.method = method,
		.content_format = payload.size ? 42 : TG_FORMAT_NONE,
		.payload = payload,
	};
	uint64_t ticket;

	ck_assert_int_eq(mock_deliver(rig, &delivery, &ticket), 0);
	return ticket;
}

static const struct mock_ticket *wait_for(uint64_t ticket)
{
	ck_assert_msg(MOCK_UNTIL(rig, (device_read(device), mock_result(rig, ticket) >= 0), WAIT_MS), "no result");
	return &rig->tickets[ticket - 1];
}

static const struct mock_ticket *ask(uint8_t id, enum tg_method method, const char *address, const char *payload)
{
	return wait_for(give(id, method, address, text(payload)));
}

static void assert_answer(const struct mock_ticket *ticket, uint32_t code, const char *payload)
{
	ck_assert_msg(ticket->result == TG_CONFIRMED, "%s", ticket->reason);
	ck_assert_uint_eq(ticket->code, code);
	ck_assert_str_eq((const char *)ticket->payload, payload);
}

START_TEST(every_method)
{
	assert_answer(ask(1, TG_METHOD_PUT, "/set", "on"), 204, "");
	device_wait(device, "\"PUT\", \"path\": \"/set\", \"query\": \"\", \"content_format\": 42, \"size\": 2");
	const struct mock_ticket *read = ask(2, TG_METHOD_GET, "/set", NULL);
	assert_answer(read, 205, "on");
	ck_assert_int_eq(read->content_format, 42);
	assert_answer(ask(3, TG_METHOD_POST, "/set?a=1&b=%26%202", "off"), 204, "");
	device_wait(device, "\"POST\", \"path\": \"/set\", \"query\": \"a=1&b=&%202\"");
	assert_answer(ask(4, TG_METHOD_FETCH, "/set", "which"), 205, "which");
	assert_answer(ask(5, TG_METHOD_PATCH, "/set", "1"), 204, "");
	assert_answer(ask(6, TG_METHOD_IPATCH, "/set", "2"), 204, "");
	assert_answer(ask(7, TG_METHOD_DELETE, "/set", NULL), 202, "");
	assert_answer(ask(8, TG_METHOD_GET, "/set", NULL), 205, "");
	ck_assert_int_eq(mock_counter(rig, "commands"), 8);
	ck_assert_int_eq(mock_counter(rig, "commands_answered"), 8);
}
END_TEST

START_TEST(what_is_not_there)
{
	ck_assert_uint_eq(ask(1, TG_METHOD_GET, "/none", NULL)->code, 404);
	ck_assert_uint_eq(ask(2, TG_METHOD_PUT, "/none/at%20all", "x")->code, 404);
}
END_TEST

START_TEST(a_separate_answer)
{
	assert_answer(ask(1, TG_METHOD_GET, "/slow?ms=300", NULL), 205, "done");
	ck_assert_int_eq(mock_counter(rig, "commands_separate_responses"), 1);
	assert_answer(ask(2, TG_METHOD_PUT, "/set", "on"), 204, "");
}
END_TEST

START_TEST(a_device_that_takes_too_long)
{
	mock_set(rig, "response_timeout_s", "1");
	ck_assert_int_eq(mock_reload(rig), 0);
	const struct mock_ticket *late = ask(1, TG_METHOD_GET, "/slow?ms=2500", NULL);
	ck_assert_int_eq(late->result, TG_RETRY);
	ck_assert_uint_eq(rig->n_awake, 0);
	ck_assert(MOCK_UNTIL(rig, rig->n_awake == 1, WAIT_MS)); /* by its late answer, which is kept */
	assert_answer(ask(1, TG_METHOD_GET, "/slow?ms=2500", NULL), 205, "done");
	ck_assert_uint_eq(device_count(device, "\"request\""), 1);
	ck_assert_int_eq(mock_counter(rig, "commands_remembered"), 1);
}
END_TEST

START_TEST(blocks_both_ways)
{
	const struct mock_ticket *set = wait_for(give(1, TG_METHOD_PUT, "/set", (struct tg_bytes){large, LARGE}));
	assert_answer(set, 204, "");
	device_wait(device, "\"size\": 65536");
	const struct mock_ticket *read = ask(2, TG_METHOD_GET, "/set", NULL);
	ck_assert_int_eq(read->result, TG_CONFIRMED);
	ck_assert_uint_eq(read->code, 205);
	ck_assert_int_eq(read->content_format, 42);
	ck_assert_uint_eq(read->payload_size, LARGE);
	ck_assert_mem_eq(read->payload, large, LARGE);
	ck_assert_int_ge(mock_counter(rig, "commands_blocks"), 126);
	ck_assert_uint_eq(device_count(device, "\"PUT\""), 1);
	const struct mock_ticket *both = wait_for(give(3, TG_METHOD_FETCH, "/set", (struct tg_bytes){large, 9000}));
	ck_assert_uint_eq(both->code, 205);
	ck_assert_uint_eq(both->payload_size, 9000);
	ck_assert_mem_eq(both->payload, large, 9000);
}
END_TEST

START_TEST(too_much)
{
	mock_set(rig, "body_bytes", "5000");
	ck_assert_int_eq(mock_reload(rig), 0);
	const struct mock_ticket *out = wait_for(give(1, TG_METHOD_PUT, "/set", (struct tg_bytes){large, 5001}));
	ck_assert_int_eq(out->result, TG_REJECTED);
	ck_assert_ptr_nonnull(strstr(out->reason, "body_bytes"));
	ck_assert_uint_eq(ask(2, TG_METHOD_GET, "/big?size=5000", NULL)->payload_size, 5000);
	const struct mock_ticket *in = ask(3, TG_METHOD_GET, "/big?size=5001", NULL);
	ck_assert_int_eq(in->result, TG_REJECTED);
	ck_assert_ptr_nonnull(strstr(in->reason, "body_bytes"));
}
END_TEST

START_TEST(losses_of_both_kinds)
{
	device_tell(device, "lose 2");
	device_wait(device, "losing");
	assert_answer(ask(1, TG_METHOD_PUT, "/set", "on"), 204, "");
	ck_assert_int_ge(mock_counter(rig, "commands_retransmissions"), 2);
	ck_assert_uint_eq(device_count(device, "\"lost\""), 2);
	ck_assert_uint_eq(device_count(device, "\"request\""), 1);
}
END_TEST

START_TEST(no_session)
{
	struct tg_delivery delivery = {
		.kind = TG_COMMAND, .device = text("device-2"), .address = text("/set"), .method = TG_METHOD_PUT};
	uint64_t ticket;

	ck_assert_int_eq(mock_deliver(rig, &delivery, &ticket), 0);
	ck_assert_int_eq(wait_for(ticket)->result, TG_RETRY);
	device_tell(device, "close");
	ck_assert(MOCK_UNTIL(rig, rig->sessions[0].ended, WAIT_MS));
	ck_assert_int_eq(ask(1, TG_METHOD_PUT, "/set", "on")->result, TG_RETRY);
	device_tell(device, "open");
	device_wait(device, "connected");
	assert_answer(ask(1, TG_METHOD_PUT, "/set", "on"), 204, "");
	ck_assert_uint_eq(rig->n_awake, 0);
}
END_TEST

START_TEST(the_session_ends_on_the_way)
{
	uint64_t ticket = give(1, TG_METHOD_GET, "/slow?ms=60000", text(NULL));

	device_wait(device, "\"request\"");
	device_tell(device, "close");
	ck_assert_int_eq(wait_for(ticket)->result, TG_RETRY);
	device_tell(device, "open");
	device_wait(device, "connected");
	ticket = give(1, TG_METHOD_GET, "/slow?ms=60000", text(NULL));
	device_wait(device, "\"request\"");
	mock_forget(rig, "sensor-1");
	ck_assert_int_eq(wait_for(ticket)->result, TG_RETRY);
}
END_TEST

START_TEST(answered_from_memory)
{
	assert_answer(ask(1, TG_METHOD_PUT, "/set", "on"), 204, "");
	assert_answer(ask(1, TG_METHOD_PUT, "/set", "on"), 204, "");
	assert_answer(ask(2, TG_METHOD_PUT, "/set", "on"), 204, "");
	device_wait(device, "\"executions\": 2");
	ck_assert_uint_eq(device_count(device, "\"request\""), 2);
}
END_TEST

START_TEST(given_again_on_the_way)
{
	uint64_t first = give(1, TG_METHOD_GET, "/slow?ms=300", text(NULL));

	rig->adapter->joined(rig->state);
	assert_answer(ask(1, TG_METHOD_GET, "/slow?ms=300", NULL), 205, "done");
	ck_assert_int_eq(mock_result(rig, first), -1);
	ck_assert_uint_eq(device_count(device, "\"request\""), 1);
	ck_assert_int_eq(mock_counter(rig, "commands"), 1);
}
END_TEST

START_TEST(not_for_devices)
{
	const struct tg_delivery reading = {.kind = TG_TELEMETRY, .device = text("device-1"), .address = text("/set")};
	const char *const wrong[] = {"set", "", "/a#b", "/a/../b", "/a/%2e", "/a%zz", "/a%2"};
	uint64_t ticket;

	ck_assert_int_eq(mock_deliver(rig, &reading, &ticket), 0);
	ck_assert_int_eq(wait_for(ticket)->result, TG_REJECTED);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		ck_assert_int_eq(ask((uint8_t)(i + 1), TG_METHOD_GET, wrong[i], NULL)->result, TG_REJECTED);
	mock_settle(rig);
	ck_assert_uint_eq(device_count(device, "\"request\""), 0);
}
END_TEST

START_TEST(the_gateway_stops)
{
	uint64_t ticket = give(1, TG_METHOD_GET, "/slow?ms=60000", text(NULL));

	device_wait(device, "\"request\"");
	mock_stop(rig);
	ck_assert_int_eq(wait_for(ticket)->result, TG_RETRY);
	ck_assert(MOCK_UNTIL(rig, rig->stopped, WAIT_MS));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("coap_command");
	TCase *tcase = tcase_create("all");
	const TTest *const tests[] = {
		every_method,
		what_is_not_there,
		a_separate_answer,
		a_device_that_takes_too_long,
		blocks_both_ways,
		too_much,
		losses_of_both_kinds,
		no_session,
		the_session_ends_on_the_way,
		answered_from_memory,
		given_again_on_the_way,
		not_for_devices,
		the_gateway_stops,
	};

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 240);
	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
		tcase_add_test(tcase, tests[i]);
	suite_add_tcase(suite, tcase);

	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
