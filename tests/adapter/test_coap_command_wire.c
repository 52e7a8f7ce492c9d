/* SPDX-License-Identifier: Apache-2.0 */

/* Commands as a device sees them on the wire, in virtual time: one that sleeps, one with two sessions, one that answers late. */

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "coap_rig.h"

#define S_US INT64_C(1000000)

static struct sensor *sensor;

static void setup(void)
{
	rig_setup();
	rig->accept_all = true;
	rig->virtual_time = true;
	rig_begin();
	sensor = sensor_psk("sensor-1", RIG_KEY);
	ck_assert_ptr_nonnull(sensor);
}

static void teardown(void)
{
	sensor_free(sensor);
	rig_teardown();
}

static uint64_t give(uint8_t id)
{
	const struct tg_delivery delivery = {
		.kind = TG_COMMAND,
		.id = {id, 1},
		.device = {"device-1", 8},
		.address = {"/valve", 6},
		.method = TG_METHOD_PUT,
		.content_format = 0,
		.payload = {"on", 2},
	};
	uint64_t ticket;

	ck_assert_int_eq(mock_deliver(rig, &delivery, &ticket), 0);
	return ticket;
}

/* The command that a sensor has now; the message is a copy without its bytes. */
static struct coap_message request_at(struct sensor *at)
{
	const struct coap_message *message = sensor_receive(at);

	ck_assert_int_eq(message->type, MESSAGE_CON);
	ck_assert_uint_eq(message->code, MESSAGE_PUT);
	ck_assert_uint_eq(message->token_size, 8);
	ck_assert_mem_eq(message->payload.data, "on", 2);
	return *message;
}

static void answer(struct sensor *at, enum message_type type, uint16_t id, const struct coap_message *request,
		   uint8_t code)
{
	uint8_t wire[64];
	struct message_writer writer;

	message_writer_init(&writer, wire, sizeof(wire));
	message_write_header(&writer, type, code, id, (struct tg_bytes){request->token, request->token_size});
	message_write_payload(&writer, (struct tg_bytes){"done", 4});
	sensor_send(at, (struct tg_bytes){wire, writer.size});
	mock_settle(rig);
}

static void assert_answered(uint64_t ticket, uint32_t code)
{
	ck_assert_int_eq(mock_result(rig, ticket), TG_CONFIRMED);
	ck_assert_uint_eq(rig->tickets[ticket - 1].code, code);
	ck_assert_str_eq((const char *)rig->tickets[ticket - 1].payload, "done");
}

/* Nobody answers: it is sent five times, and given back. */
static struct coap_message miss(uint64_t ticket)
{
	struct tg_bytes datagram;
	unsigned repeats = 0;
	struct coap_message request = request_at(sensor);

	for (int s = 0; s < 95; s++) {
		mock_advance(rig, S_US);
		repeats += sensor_poll(sensor, &datagram);
	}
	ck_assert_uint_eq(repeats, 4);
	ck_assert_int_eq(mock_result(rig, ticket), TG_RETRY);
	ck_assert_uint_eq(rig->n_awake, 0);
	return request;
}

static void send_reading(struct sensor *at, uint16_t id)
{
	sensor_request(at, MESSAGE_CON, MESSAGE_POST, id, "t", "21.5");
	sensor_expect(at, MESSAGE_ACK, MESSAGE_CHANGED, id);
}

START_TEST(a_device_that_sleeps)
{
	const struct coap_message first = miss(give(1));

	send_reading(sensor, 900);
	ck_assert_uint_eq(rig->n_awake, 1);
	ck_assert_str_eq(rig->awake[0], "device-1");
	send_reading(sensor, 901);
	ck_assert_uint_eq(rig->n_awake, 1);
	uint64_t ticket = give(1);
	const struct coap_message again = request_at(sensor);
	ck_assert_uint_eq(again.id, first.id); /* the device knows it */
	ck_assert_mem_eq(again.token, first.token, 8);
	answer(sensor, MESSAGE_ACK, again.id, &again, MESSAGE_CHANGED);
	assert_answered(ticket, 204);
	ticket = give(2);
	const struct coap_message second = request_at(sensor);
	ck_assert_uint_ne(second.id, first.id);
	ck_assert_mem_ne(second.token, first.token, 8);
	answer(sensor, MESSAGE_ACK, second.id, &second, MESSAGE_CHANGED);
	assert_answered(ticket, 204);
}
END_TEST

START_TEST(what_is_no_sign_of_life)
{
	static const uint8_t broken[] = {0x40, 0x01, 0, 1, 0xff};

	miss(give(1));
	sensor_send(sensor, (struct tg_bytes){broken, 2});
	sensor_send(sensor, (struct tg_bytes){broken, sizeof(broken)});
	mock_settle(rig);
	ck_assert_uint_eq(rig->n_awake, 0);
	sensor_empty(sensor, MESSAGE_CON, 77); /* a ping is one */
	mock_settle(rig);
	ck_assert_uint_eq(rig->n_awake, 1);
}
END_TEST

START_TEST(an_answer_that_comes_late_is_kept)
{
	const struct coap_message request = miss(give(1));

	answer(sensor, MESSAGE_CON, 900, &request, MESSAGE_CHANGED);
	sensor_expect(sensor, MESSAGE_ACK, MESSAGE_EMPTY, 900);
	ck_assert_uint_eq(rig->n_awake, 1);
	uint64_t ticket = give(1);
	assert_answered(ticket, 204);
	sensor_expect_nothing(sensor);
	ck_assert_int_eq(mock_counter(rig, "commands_remembered"), 1);
}
END_TEST

START_TEST(two_sessions_of_one_device)
{
	mock_advance(rig, S_US);
	struct sensor *newer = sensor_psk("sensor-1", RIG_KEY);
	uint64_t ticket = give(1);
	struct coap_message request = request_at(newer);
	sensor_expect_nothing(sensor);
	mock_advance(rig, 100 * S_US);
	ck_assert_int_eq(mock_result(rig, ticket), TG_RETRY);
	send_reading(sensor, 900); /* by the older one */
	ck_assert_uint_eq(rig->n_awake, 1);
	sensor_shut(newer);
	mock_settle(rig);
	ticket = give(1);
	request = request_at(sensor);
	answer(sensor, MESSAGE_ACK, request.id, &request, MESSAGE_CHANGED);
	assert_answered(ticket, 204);
}
END_TEST

START_TEST(one_after_the_other)
{
	uint64_t first = give(1), second = give(2);
	const struct coap_message request = request_at(sensor);

	ck_assert_int_eq(mock_result(rig, second), TG_RETRY);
	ck_assert_uint_eq(rig->n_awake, 0);
	answer(sensor, MESSAGE_ACK, request.id, &request, MESSAGE_CHANGED);
	assert_answered(first, 204);
	ck_assert_uint_eq(rig->n_awake, 1);
	give(2);
	ck_assert_uint_ne(request_at(sensor).id, request.id);
}
END_TEST

START_TEST(a_device_that_knows_nothing_of_it)
{
	uint64_t ticket = give(1);
	const struct coap_message request = request_at(sensor);

	sensor_empty(sensor, MESSAGE_RST, request.id);
	mock_settle(rig);
	ck_assert_int_eq(mock_result(rig, ticket), TG_REJECTED);
	ck_assert_str_eq(rig->tickets[ticket - 1].reason, "the device does not know this");
}
END_TEST

START_TEST(answers_that_nobody_asked_for)
{
	const struct coap_message stranger = {.token_size = 3, .token = {1, 2, 3}};

	answer(sensor, MESSAGE_CON, 900, &stranger, MESSAGE_CONTENT);
	sensor_expect(sensor, MESSAGE_RST, MESSAGE_EMPTY, 900);
	answer(sensor, MESSAGE_NON, 901, &stranger, MESSAGE_CONTENT);
	sensor_expect_nothing(sensor);
}
END_TEST

/* The session that a device comes back with knows nothing of the message ids of the last one. */
START_TEST(a_session_that_was_replaced)
{
	uint64_t ticket = give(1);
	const struct coap_message first = request_at(sensor);

	sensor_shut(sensor);
	mock_settle(rig);
	ck_assert_int_eq(mock_result(rig, ticket), TG_RETRY);
	sensor = sensor_psk("sensor-1", RIG_KEY);
	ticket = give(1);
	const struct coap_message again = request_at(sensor);
	ck_assert_mem_ne(again.token, first.token, 8);
	answer(sensor, MESSAGE_ACK, again.id, &again, MESSAGE_CHANGED);
	assert_answered(ticket, 204);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("coap_command_wire");
	TCase *tcase = tcase_create("all");
	const TTest *const tests[] = {
		a_device_that_sleeps,          what_is_no_sign_of_life,     an_answer_that_comes_late_is_kept,
		two_sessions_of_one_device,    one_after_the_other,         a_device_that_knows_nothing_of_it,
		answers_that_nobody_asked_for, a_session_that_was_replaced,
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
