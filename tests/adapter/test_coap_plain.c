/* SPDX-License-Identifier: Apache-2.0 */

/* The adapter's listeners without DTLS: when there are any, whose readings come there, what is kept, and how little is sent. */

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "coap_rig.h"

enum { LIFETIME_US = 247 * 1000000, WAIT_MS = 30000, HEADERS = 28, LONG_REASON = 200, BRIEF = 64 };

static void setup(void)
{
	rig_setup();
	rig->virtual_time = true;
	mock_set(rig, "listen", "coap://127.0.0.1:0");
	mock_set(rig, "insecure", "true");
	mock_set(rig, "insecure_device", "meter-1");
}

static void post(struct sensor *sensor, uint16_t id)
{
	sensor_request(sensor, MESSAGE_CON, MESSAGE_POST, id, "a/b", "21.5");
}

static void wait_for(size_t submissions)
{
	ck_assert(MOCK_UNTIL(rig, rig->n_submissions >= submissions, WAIT_MS));
	mock_settle(rig);
	ck_assert_uint_eq(rig->n_submissions, submissions);
}

START_TEST(nothing_is_plain_by_itself)
{
	mock_set(rig, "insecure", "false");
	ck_assert_int_eq(mock_open(rig), -EINVAL);
	ck_assert_uint_eq(mock_logged(rig, "cannot listen on 'coap://127.0.0.1:0' (it would be without DTLS: use "
					   "coaps://, or set insecure = true)"),
			  1);
}
END_TEST

START_TEST(somebody_has_to_be_named)
{
	mock_set(rig, "insecure_device", NULL);
	ck_assert_int_eq(mock_open(rig), -EINVAL);
	ck_assert_uint_eq(mock_logged(rig, "say in 'insecure_device'"), 1);
}
END_TEST

START_TEST(groups_are_no_listening_address)
{
	mock_set(rig, "listen", "coap://224.0.1.187:5683");
	ck_assert_int_eq(mock_open(rig), -EINVAL);
	ck_assert_uint_eq(mock_logged(rig, "address of a group"), 1);
}
END_TEST

START_TEST(it_is_said)
{
	rig_begin();
	ck_assert_uint_eq(mock_logged(rig, "insecure = true: anybody on the network"), 1);
	ck_assert_ptr_nonnull(strstr(rig->link_detail, "INSECURE at coap://: anybody is device 'meter-1'"));
}
END_TEST

START_TEST(a_reading_counts_as_of_the_named_device)
{
	rig_begin();
	struct sensor *sensor = sensor_plain();
	post(sensor, 1);
	wait_for(1);
	ck_assert_str_eq(rig->submissions[0].device, "meter-1");
	ck_assert_str_eq(rig->submissions[0].path, "a/b");
	mock_accept(rig, rig->submissions[0].token);
	sensor_expect(sensor, MESSAGE_ACK, MESSAGE_CHANGED, 1);
	post(sensor, 1);
	sensor_expect(sensor, MESSAGE_ACK, MESSAGE_CHANGED, 1);
	ck_assert_uint_eq(rig->n_submissions, 1);
	ck_assert_uint_eq(rig->n_sessions, 0);
	ck_assert_uint_eq(rig->n_lookups, 0);
	ck_assert_int_eq(mock_counter(rig, "plain_datagrams"), 2);
	ck_assert_int_eq(mock_counter(rig, "repeats"), 1);
	sensor_free(sensor);
}
END_TEST

START_TEST(who_is_not_enrolled_is_refused)
{
	rig_begin();
	struct sensor *sensor = sensor_plain();
	post(sensor, 1);
	wait_for(1);
	mock_refuse(rig, rig->submissions[0].token, TG_UNKNOWN_DEVICE);
	sensor_expect(sensor, MESSAGE_ACK, MESSAGE_UNAUTHORIZED, 1);
	sensor_free(sensor);
}
END_TEST

START_TEST(two_addresses_are_two)
{
	rig_begin();
	struct sensor *one = sensor_plain(), *two = sensor_plain();
	post(one, 1);
	post(two, 1);
	wait_for(2);
	mock_accept(rig, rig->submissions[0].token);
	mock_accept(rig, rig->submissions[1].token);
	sensor_expect(one, MESSAGE_ACK, MESSAGE_CHANGED, 1);
	sensor_expect(two, MESSAGE_ACK, MESSAGE_CHANGED, 1);
	ck_assert_int_eq(mock_counter(rig, "plain_peers"), 2);
	sensor_free(one);
	sensor_free(two);
}
END_TEST

/* A ping makes an address known, and costs nothing else. */
static void ping(struct sensor *sensor, uint16_t id)
{
	sensor_empty(sensor, MESSAGE_CON, id);
	sensor_expect(sensor, MESSAGE_RST, MESSAGE_EMPTY, id);
}

START_TEST(the_table_is_bounded)
{
	mock_set(rig, "insecure_peers", "2");
	rig_begin();
	struct sensor *one = sensor_plain(), *two = sensor_plain(), *three = sensor_plain();
	post(one, 1);
	wait_for(1);
	ping(two, 1);
	ping(three, 1);
	ck_assert_int_eq(mock_counter(rig, "plain_peers"), 2);
	mock_accept(rig, rig->submissions[0].token); /* for whom there is no place any more */
	sensor_expect_nothing(one);
	post(one, 1);
	wait_for(2);
	ck_assert_int_eq(mock_counter(rig, "plain_peers"), 2);
	sensor_free(one);
	sensor_free(two);
	sensor_free(three);
}
END_TEST

START_TEST(who_is_silent_is_forgotten)
{
	rig_begin();
	struct sensor *one = sensor_plain(), *two = sensor_plain();
	ping(one, 1);
	mock_advance(rig, LIFETIME_US / 2);
	ping(two, 1);
	ping(one, 2);
	mock_advance(rig, LIFETIME_US / 2 - 1);
	ping(one, 3);
	ck_assert_int_eq(mock_counter(rig, "plain_peers"), 2);
	mock_advance(rig, LIFETIME_US / 2 + 2);
	ck_assert_int_eq(mock_counter(rig, "plain_peers"), 1);
	mock_advance(rig, LIFETIME_US);
	ck_assert_int_eq(mock_counter(rig, "plain_peers"), 0);
	sensor_free(one);
	sensor_free(two);
}
END_TEST

START_TEST(what_is_read_comes_in_small_pieces)
{
	char whole[512] = "";
	size_t size = 0, sent;
	bool more = true;

	rig_begin();
	struct sensor *sensor = sensor_plain();
	for (uint16_t number = 0; more; number++) {
		uint8_t wire[64];
		struct message_writer writer;

		message_writer_init(&writer, wire, sizeof(wire));
		message_write_header(&writer, MESSAGE_CON, MESSAGE_GET, number, (struct tg_bytes){0});
		message_write_option(&writer, MESSAGE_URI_PATH, (struct tg_bytes){".well-known", 11});
		message_write_option(&writer, MESSAGE_URI_PATH, (struct tg_bytes){"core", 4});
		if (number > 0) /* in pieces of 64 bytes; at first of 1,024, where it is asked for at all */
			message_write_option_uint(&writer, MESSAGE_BLOCK2, (uint32_t)number << 4 | 2);
		else if (_i)
			message_write_option_uint(&writer, MESSAGE_BLOCK2, 6);
		sent = writer.size;
		sensor_send(sensor, (struct tg_bytes){wire, sent});
		struct tg_bytes answer = sensor_receive_raw(sensor);
		ck_assert_uint_lt(answer.size + HEADERS, 3 * (sent + HEADERS));
		struct coap_message message;
		ck_assert_int_eq(message_parse(answer, &message), 0);
		ck_assert_uint_eq(message.code, MESSAGE_CONTENT);
		ck_assert_uint_eq(message.block2 >> 4, number);
		ck_assert_uint_eq(message.block2 & 7, 2);
		more = message.block2 & 8;
		memcpy(whole + size, message.payload.data, message.payload.size);
		size += message.payload.size;
		ck_assert_uint_lt(size, sizeof(whole) - 100);
	}
	ck_assert_ptr_nonnull(strstr(whole, "</>;rt="));
	ck_assert_ptr_nonnull(strstr(whole, ",</.well-known/core>;ct=40"));
	sensor_free(sensor);
}
END_TEST

START_TEST(refusals_are_brief)
{
	char reason[LONG_REASON];

	rig_begin();
	struct sensor *sensor = sensor_plain();
	post(sensor, 1);
	wait_for(1);
	memset(reason, 'x', sizeof(reason));
	const struct tg_answer answer = {
		.size = sizeof(answer), .verdict = TG_NOT_ALLOWED, .reason = {reason, sizeof(reason)}};
	mock_answer(rig, rig->submissions[0].token, &answer);
	const struct coap_message *message = sensor_expect(sensor, MESSAGE_ACK, MESSAGE_FORBIDDEN, 1);
	ck_assert_uint_eq(message->payload.size, BRIEF);
	sensor_free(sensor);
}
END_TEST

START_TEST(a_body_in_pieces)
{
	uint8_t payload[100];

	memset(payload, 'p', sizeof(payload));
	rig_begin();
	struct sensor *sensor = sensor_plain();
	sensor_block(sensor, 1, "big", 0 << 4 | 8 | 2, -1, (struct tg_bytes){payload, 64});
	sensor_expect(sensor, MESSAGE_ACK, MESSAGE_CONTINUE, 1);
	sensor_block(sensor, 2, "big", 1 << 4 | 2, -1, (struct tg_bytes){payload + 64, 36});
	wait_for(1);
	ck_assert_uint_eq(rig->submissions[0].payload_size, sizeof(payload));
	sensor_free(sensor);
}
END_TEST

START_TEST(beside_a_listener_with_dtls)
{
	mock_add(rig, "listen", "coaps://127.0.0.1:0");
	rig_begin();
	struct sensor *plain = sensor_plain();
	rig_use(1);
	struct sensor *secure = sensor_psk("sensor-1", RIG_KEY);
	ck_assert_ptr_nonnull(secure);
	post(plain, 1);
	wait_for(1);
	post(secure, 1);
	wait_for(2);
	ck_assert_str_eq(rig->submissions[0].device, "meter-1");
	ck_assert_str_eq(rig->submissions[1].device, "device-1");
	mock_reload(rig);
	mock_accept(rig, rig->submissions[0].token);
	mock_accept(rig, rig->submissions[1].token);
	sensor_expect(plain, MESSAGE_ACK, MESSAGE_CHANGED, 1);
	sensor_expect(secure, MESSAGE_ACK, MESSAGE_CHANGED, 1);
	sensor_free(plain);
	sensor_free(secure);
}
END_TEST

START_TEST(what_is_no_coap)
{
	rig_begin();
	struct sensor *sensor = sensor_plain();
	sensor_send(sensor, (struct tg_bytes){"\x16\xfe\xfd", 3}); /* as a ClientHello begins */
	sensor_send(sensor, (struct tg_bytes){"x", 1});
	sensor_expect_nothing(sensor);
	ck_assert(MOCK_UNTIL(rig, mock_counter(rig, "malformed") == 2, WAIT_MS));
	ping(sensor, 1);
	sensor_free(sensor);
}
END_TEST

START_TEST(the_end)
{
	rig_begin();
	struct sensor *sensor = sensor_plain();
	post(sensor, 1);
	wait_for(1);
	mock_stop(rig);
	ck_assert(!rig->stopped);
	post(sensor, 2);
	sensor_expect(sensor, MESSAGE_ACK, MESSAGE_UNAVAILABLE, 2);
	mock_accept(rig, rig->submissions[0].token);
	sensor_expect(sensor, MESSAGE_ACK, MESSAGE_CHANGED, 1);
	mock_advance(rig, 1000000);
	ck_assert(rig->stopped);
	sensor_free(sensor);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("coap_plain");
	TCase *tcase = tcase_create("all");

	tcase_add_checked_fixture(tcase, setup, rig_teardown);
	tcase_set_timeout(tcase, 120);
	tcase_add_test(tcase, nothing_is_plain_by_itself);
	tcase_add_test(tcase, somebody_has_to_be_named);
	tcase_add_test(tcase, groups_are_no_listening_address);
	tcase_add_test(tcase, it_is_said);
	tcase_add_test(tcase, a_reading_counts_as_of_the_named_device);
	tcase_add_test(tcase, who_is_not_enrolled_is_refused);
	tcase_add_test(tcase, two_addresses_are_two);
	tcase_add_test(tcase, the_table_is_bounded);
	tcase_add_test(tcase, who_is_silent_is_forgotten);
	tcase_add_loop_test(tcase, what_is_read_comes_in_small_pieces, 0, 2);
	tcase_add_test(tcase, refusals_are_brief);
	tcase_add_test(tcase, a_body_in_pieces);
	tcase_add_test(tcase, beside_a_listener_with_dtls);
	tcase_add_test(tcase, what_is_no_coap);
	tcase_add_test(tcase, the_end);
	suite_add_tcase(suite, tcase);

	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
