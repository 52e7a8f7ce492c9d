/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "coap_rig.h"

enum { MS = 1000, S = 1000000 };

static struct sensor *sensor;

static uint32_t block(uint32_t number, bool more, uint32_t szx)
{
	return number << 4 | (uint32_t)more << 3 | szx;
}

static void setup(void)
{
	rig_setup();
	rig->virtual_time = true;
	mock_set(rig, "body_bytes", "4096");
	rig_begin();
	sensor = sensor_psk("sensor-1", RIG_KEY);
	ck_assert_ptr_nonnull(sensor);
}

static void teardown(void)
{
	sensor_free(sensor);
	rig_teardown();
}

static void await_submissions(size_t n)
{
	ck_assert(MOCK_UNTIL(rig, rig->n_submissions >= n, 5000));
	ck_assert_uint_eq(rig->n_submissions, n);
}

static void answer(size_t place, enum tg_verdict verdict, uint32_t number, const char *reason)
{
	const struct tg_answer given = {
		.size = sizeof(given),
		.verdict = verdict,
		.max_age_s = number,
		.limit_bytes = number,
		.reason = {reason, strlen(reason)},
	};

	mock_answer(rig, rig->submissions[place].token, &given);
}

START_TEST(a_reading_is_handed_in_and_answered_by_its_verdict)
{
	sensor_request(sensor, MESSAGE_CON, MESSAGE_POST, 1, "hall/temperature", "21.5");
	await_submissions(1);
	sensor_expect_nothing(sensor);
	ck_assert_str_eq(rig->submissions[0].device, "device-1");
	ck_assert_str_eq(rig->submissions[0].path, "hall/temperature");
	ck_assert_str_eq((const char *)rig->submissions[0].payload, "21.5");
	ck_assert_int_eq(rig->submissions[0].content_format, TG_FORMAT_NONE);
	ck_assert_uint_eq(rig->submissions[0].kind, TG_TELEMETRY);
	ck_assert_uint_eq(rig->submissions[0].method, TG_METHOD_POST);
	mock_accept(rig, rig->submissions[0].token);
	const struct coap_message *message = sensor_expect(sensor, MESSAGE_ACK, MESSAGE_CHANGED, 1);
	ck_assert_uint_eq(message->token_size, 2);
	ck_assert_mem_eq(message->token, "\0\1", 2);
	ck_assert_uint_eq(message->payload.size, 0);
	ck_assert_int_eq(mock_counter(rig, "requests"), 1);
	ck_assert_int_eq(mock_counter(rig, "responses_2xx"), 1);
	ck_assert_int_eq(mock_counter(rig, "sessions"), 1);
}
END_TEST

START_TEST(a_repeat_is_one_message)
{
	for (int i = 0; i < 2; i++)
		sensor_request(sensor, MESSAGE_CON, MESSAGE_POST, 1, "a", "1");
	sensor_expect(sensor, MESSAGE_ACK, MESSAGE_EMPTY, 1);
	await_submissions(1);
	mock_accept(rig, rig->submissions[0].token);
	const struct coap_message *message = sensor_receive(sensor);
	ck_assert_int_eq(message->type, MESSAGE_CON);
	sensor_empty(sensor, MESSAGE_ACK, message->id);
	sensor_request(sensor, MESSAGE_CON, MESSAGE_POST, 1, "a", "1");
	sensor_expect(sensor, MESSAGE_ACK, MESSAGE_EMPTY, 1);

	sensor_request(sensor, MESSAGE_CON, MESSAGE_POST, 2, "a", "2");
	await_submissions(2);
	mock_accept(rig, rig->submissions[1].token);
	sensor_expect(sensor, MESSAGE_ACK, MESSAGE_CHANGED, 2);
	sensor_request(sensor, MESSAGE_CON, MESSAGE_POST, 2, "a", "2");
	sensor_expect(sensor, MESSAGE_ACK, MESSAGE_CHANGED, 2);
	ck_assert_uint_eq(rig->n_submissions, 2);
	ck_assert_int_eq(mock_counter(rig, "repeats"), 3);
}
END_TEST

START_TEST(a_late_verdict_is_a_separate_response)
{
	sensor_request(sensor, MESSAGE_CON, MESSAGE_POST, 1, "a", "1");
	await_submissions(1);
	mock_advance(rig, 999 * MS);
	sensor_expect_nothing(sensor);
	mock_advance(rig, 1 * MS);
	sensor_expect(sensor, MESSAGE_ACK, MESSAGE_EMPTY, 1);
	mock_advance(rig, 10 * S);
	sensor_expect_nothing(sensor);
	mock_accept(rig, rig->submissions[0].token);
	uint16_t id = sensor_receive(sensor)->id;
	mock_advance(rig, 3 * S);
	sensor_expect(sensor, MESSAGE_CON, MESSAGE_CHANGED, id);
	sensor_empty(sensor, MESSAGE_ACK, id);
	mock_settle(rig);
	mock_advance(rig, 100 * S);
	sensor_expect_nothing(sensor);
	ck_assert_int_eq(mock_counter(rig, "separate_responses"), 1);
	ck_assert_int_eq(mock_counter(rig, "retransmissions"), 1);
	ck_assert_int_eq(mock_counter(rig, "responses_given_up"), 0);
}
END_TEST

START_TEST(a_non_confirmable_reading_is_answered_likewise)
{
	for (int i = 0; i < 3; i++)
		sensor_request(sensor, MESSAGE_NON, MESSAGE_PUT, 1, "a", "1");
	await_submissions(1);
	ck_assert_uint_eq(rig->submissions[0].method, TG_METHOD_PUT);
	mock_accept(rig, rig->submissions[0].token);
	const struct coap_message *message = sensor_receive(sensor);
	ck_assert_int_eq(message->type, MESSAGE_NON);
	ck_assert_uint_eq(message->code, MESSAGE_CHANGED);
	sensor_expect_nothing(sensor);
	ck_assert_uint_eq(rig->n_submissions, 1);
}
END_TEST

/* The table of refusals. */
START_TEST(each_refusal_has_its_code)
{
	static const struct {
		enum tg_verdict verdict;
		uint8_t code;
		uint16_t option;
	} rows[] = {
		{TG_NO_ROUTE, MESSAGE_CODE(4, 4), 0},
		{TG_NOT_ALLOWED, MESSAGE_CODE(4, 3), 0},
		{TG_TOO_LARGE, MESSAGE_CODE(4, 13), MESSAGE_SIZE1},
		{TG_WRONG_FORMAT, MESSAGE_CODE(4, 15), 0},
		{TG_MALFORMED, MESSAGE_CODE(4, 0), 0},
		{TG_TOO_FAST, MESSAGE_CODE(4, 29), MESSAGE_MAX_AGE},
		{TG_FULL, MESSAGE_CODE(5, 3), MESSAGE_MAX_AGE},
		{TG_UNAVAILABLE, MESSAGE_CODE(5, 3), MESSAGE_MAX_AGE},
		{TG_UNKNOWN_DEVICE, MESSAGE_CODE(4, 1), 0},
	};

	for (uint16_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		sensor_request(sensor, MESSAGE_CON, MESSAGE_POST, i, "a", "1");
		await_submissions(i + 1u);
		answer(i, rows[i].verdict, 77, "the reason");
		for (int repeats = 0; repeats < 2; repeats++) {
			const struct coap_message *message = sensor_expect(sensor, MESSAGE_ACK, rows[i].code, i);
			if (rows[i].option)
				ck_assert_int_eq(sensor_option(message, rows[i].option), 77);
			ck_assert_uint_eq(message->payload.size, repeats ? 0 : 10);
			if (!repeats)
				sensor_request(sensor, MESSAGE_CON, MESSAGE_POST, i, "a", "1");
		}
	}
	ck_assert_uint_eq(rig->n_submissions, 9);
}
END_TEST

START_TEST(what_the_host_cannot_take_is_refused)
{
	rig->submit_error = -ENOBUFS;
	sensor_request(sensor, MESSAGE_CON, MESSAGE_POST, 1, "a", "1");
	const struct coap_message *message = sensor_expect(sensor, MESSAGE_ACK, MESSAGE_UNAVAILABLE, 1);
	ck_assert_int_eq(sensor_option(message, MESSAGE_MAX_AGE), 5);
	rig->submit_error = -EMSGSIZE;
	sensor_request(sensor, MESSAGE_CON, MESSAGE_POST, 2, "a", "1");
	message = sensor_expect(sensor, MESSAGE_ACK, MESSAGE_TOO_LARGE, 2);
	ck_assert_int_eq(sensor_option(message, MESSAGE_SIZE1), TG_PAYLOAD_MAX);
	rig->submit_error = 0;
	sensor_request(sensor, MESSAGE_CON, MESSAGE_POST, 3, "a", "1");
	await_submissions(1);
}
END_TEST

START_TEST(too_many_at_once_are_refused)
{
	for (uint16_t id = 0; id < 33; id++)
		sensor_request(sensor, MESSAGE_CON, MESSAGE_POST, id, "a", "1");
	const struct coap_message *message = sensor_expect(sensor, MESSAGE_ACK, MESSAGE_TOO_MANY_REQUESTS, 32);
	ck_assert_int_eq(sensor_option(message, MESSAGE_MAX_AGE), 5);
	ck_assert_uint_eq(rig->n_submissions, 32);
}
END_TEST

START_TEST(malformed_datagrams_are_counted_and_harm_nothing)
{
	sensor_send(sensor, (struct tg_bytes){"\x40\x02\x00", 3});
	sensor_send(sensor, (struct tg_bytes){"\x80\x02\x00\x01", 4});
	sensor_send(sensor, (struct tg_bytes){"\x50\x02\x00\x01\xff", 5});
	sensor_send(sensor, (struct tg_bytes){"\x50\x02\x00\x01\x90", 5}); /* NON with OSCORE */
	sensor_expect_nothing(sensor);
	sensor_send(sensor, (struct tg_bytes){"\x40\x02\x00\x09\xff", 5});
	sensor_expect(sensor, MESSAGE_RST, MESSAGE_EMPTY, 9);
	ck_assert_int_eq(mock_counter(rig, "malformed"), 5);
	sensor_request(sensor, MESSAGE_CON, MESSAGE_POST, 1, "a", "1");
	await_submissions(1);
}
END_TEST

START_TEST(requests_that_are_no_readings)
{
	sensor_request(sensor, MESSAGE_CON, MESSAGE_GET, 1, "a", NULL);
	sensor_expect(sensor, MESSAGE_ACK, MESSAGE_METHOD_NOT_ALLOWED, 1);
	sensor_send(sensor, (struct tg_bytes){"\x40\x02\x00\x02\x90", 5}); /* OSCORE */
	sensor_expect(sensor, MESSAGE_ACK, MESSAGE_BAD_OPTION, 2);
	sensor_request(sensor, MESSAGE_CON, MESSAGE_POST, 3, "a/../b", "1");
	sensor_expect(sensor, MESSAGE_ACK, MESSAGE_BAD_REQUEST, 3);
	sensor_empty(sensor, MESSAGE_CON, 4);
	sensor_expect(sensor, MESSAGE_RST, MESSAGE_EMPTY, 4);
	ck_assert_int_eq(mock_counter(rig, "pings"), 1);
	for (int i = 0; i < 2; i++) {
		sensor_request(sensor, MESSAGE_CON, MESSAGE_GET, 5, ".well-known/core", NULL);
		const struct coap_message *message = sensor_expect(sensor, MESSAGE_ACK, MESSAGE_CONTENT, 5);
		ck_assert_uint_eq(message->content_format, 40);
		ck_assert_uint_gt(message->payload.size, 10);
	}
	ck_assert_uint_eq(rig->n_submissions, 0);
}
END_TEST

START_TEST(a_payload_comes_in_blocks)
{
	uint8_t payload[3000];

	for (size_t i = 0; i < sizeof(payload); i++)
		payload[i] = (uint8_t)(i * 3);
	for (uint16_t i = 0; i < 2; i++) {
		sensor_block(sensor, i, "big", block(i, true, 6), 3000, (struct tg_bytes){payload + 1024 * i, 1024});
		const struct coap_message *message = sensor_expect(sensor, MESSAGE_ACK, MESSAGE_CONTINUE, i);
		ck_assert_uint_eq(message->block1, block(i, true, 6));
	}
	/* the last but one again, as if its answer had been lost */
	sensor_block(sensor, 1, "big", block(1, true, 6), 3000, (struct tg_bytes){payload + 1024, 1024});
	sensor_expect(sensor, MESSAGE_ACK, MESSAGE_CONTINUE, 1);
	sensor_block(sensor, 2, "big", block(2, false, 6), 3000, (struct tg_bytes){payload + 2048, 952});
	await_submissions(1);
	ck_assert_uint_eq(rig->submissions[0].payload_size, sizeof(payload));
	ck_assert_mem_eq(rig->submissions[0].payload, payload, sizeof(payload));
	ck_assert_int_eq(rig->submissions[0].content_format, 42);
	mock_accept(rig, rig->submissions[0].token);
	ck_assert_uint_eq(sensor_expect(sensor, MESSAGE_ACK, MESSAGE_CHANGED, 2)->block1, block(2, false, 6));
}
END_TEST

START_TEST(payloads_that_are_too_large_or_incomplete)
{
	static const uint8_t payload[1024];
	const struct tg_bytes piece = {payload, sizeof(payload)};

	sensor_block(sensor, 1, "big", block(0, true, 6), 4097, piece);
	ck_assert_int_eq(sensor_expect(sensor, MESSAGE_ACK, MESSAGE_TOO_LARGE, 1)->size1, 4096);
	sensor_block(sensor, 1, "big", block(0, true, 6), 4097, piece);
	ck_assert_int_eq(sensor_expect(sensor, MESSAGE_ACK, MESSAGE_TOO_LARGE, 1)->size1, 4096);
	sensor_block(sensor, 2, "big", block(3, true, 6), -1, piece);
	sensor_expect(sensor, MESSAGE_ACK, MESSAGE_TOO_LARGE, 2);
	sensor_block(sensor, 3, "big", block(1, true, 6), -1, piece);
	sensor_expect(sensor, MESSAGE_ACK, MESSAGE_INCOMPLETE, 3);
	sensor_block(sensor, 4, "big", block(0, true, 7), -1, piece);
	sensor_expect(sensor, MESSAGE_ACK, MESSAGE_BAD_REQUEST, 4);
	ck_assert_uint_eq(rig->n_submissions, 0);
}
END_TEST

START_TEST(half_a_payload_is_forgotten_in_time)
{
	static const uint8_t payload[1024];
	const struct tg_bytes piece = {payload, sizeof(payload)};

	sensor_block(sensor, 1, "big", block(0, true, 6), -1, piece);
	sensor_expect(sensor, MESSAGE_ACK, MESSAGE_CONTINUE, 1);
	mock_advance(rig, 250 * (int64_t)S);
	sensor_block(sensor, 2, "big", block(1, false, 6), -1, piece);
	sensor_expect(sensor, MESSAGE_ACK, MESSAGE_INCOMPLETE, 2);
}
END_TEST

START_TEST(a_verdict_after_the_session_is_nothing)
{
	sensor_request(sensor, MESSAGE_CON, MESSAGE_POST, 1, "a", "1");
	await_submissions(1);
	sensor_shut(sensor);
	ck_assert(MOCK_UNTIL(rig, mock_counter(rig, "sessions") == 0, 5000));
	sensor = sensor_psk("sensor-2", RIG_KEY);
	ck_assert_ptr_nonnull(sensor);
	sensor_request(sensor, MESSAGE_CON, MESSAGE_POST, 1, "a", "1");
	await_submissions(2);
	mock_accept(rig, rig->submissions[0].token);
	sensor_expect_nothing(sensor);
	mock_accept(rig, rig->submissions[1].token);
	sensor_expect(sensor, MESSAGE_ACK, MESSAGE_CHANGED, 1);
	ck_assert_str_eq(rig->submissions[1].device, "device-2");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("coap");
	TCase *tcase = tcase_create("requests");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, a_reading_is_handed_in_and_answered_by_its_verdict);
	tcase_add_test(tcase, a_repeat_is_one_message);
	tcase_add_test(tcase, a_late_verdict_is_a_separate_response);
	tcase_add_test(tcase, a_non_confirmable_reading_is_answered_likewise);
	tcase_add_test(tcase, each_refusal_has_its_code);
	tcase_add_test(tcase, what_the_host_cannot_take_is_refused);
	tcase_add_test(tcase, too_many_at_once_are_refused);
	tcase_add_test(tcase, malformed_datagrams_are_counted_and_harm_nothing);
	tcase_add_test(tcase, requests_that_are_no_readings);
	tcase_add_test(tcase, a_payload_comes_in_blocks);
	tcase_add_test(tcase, payloads_that_are_too_large_or_incomplete);
	tcase_add_test(tcase, half_a_payload_is_forgotten_in_time);
	tcase_add_test(tcase, a_verdict_after_the_session_is_nothing);
	suite_add_tcase(suite, tcase);

	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
