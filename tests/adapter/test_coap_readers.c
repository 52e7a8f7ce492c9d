/* SPDX-License-Identifier: Apache-2.0 */

/* Devices that read what others have handed in, where it is about sessions, settings and the end of things; what goes over the wire is
 * in coap_requirements_readers.c. */

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "coap_rig.h"

enum { MS = 1000, S = 1000000, WAIT_MS = 60000 };

static struct sensor *sensor;

static void setup(void)
{
	rig_setup();
	rig->virtual_time = true;
	sensor = NULL;
}

static void begin(void)
{
	rig_begin();
	sensor = sensor_psk("sensor-1", RIG_KEY);
	ck_assert_ptr_nonnull(sensor);
}

static void teardown(void)
{
	sensor_free(sensor);
	rig_teardown();
}

/* A GET of readings/device-2/t with a token of its own, observing it or not. */
static void ask(struct sensor *who, uint16_t id, bool observe)
{
	static const char *const segments[] = {"readings", "device-2", "t"};
	uint8_t wire[128], token[] = {(uint8_t)(id >> 8), (uint8_t)id};
	struct message_writer writer;

	message_writer_init(&writer, wire, sizeof(wire));
	message_write_header(&writer, MESSAGE_CON, MESSAGE_GET, id, (struct tg_bytes){token, sizeof(token)});
	if (observe)
		message_write_option_uint(&writer, MESSAGE_OBSERVE, 0);
	for (size_t i = 0; i < sizeof(segments) / sizeof(segments[0]); i++)
		message_write_option(&writer, MESSAGE_URI_PATH, (struct tg_bytes){segments[i], strlen(segments[i])});
	ck_assert(!writer.failed);
	sensor_send(who, (struct tg_bytes){wire, writer.size});
}

static void wait_for_reads(size_t count)
{
	ck_assert(MOCK_UNTIL(rig, rig->n_reads >= count, WAIT_MS));
	ck_assert_uint_eq(rig->n_reads, count);
}

static void tell(size_t read, uint64_t etag, const char *text)
{
	const struct tg_reading reading = {
		.verdict = TG_ACCEPTED,
		.last = !rig->reads[read - 1].observe,
		.payload = {text, strlen(text)},
		.etag = etag,
		.max_age_s = 60,
	};

	mock_reading(rig, read - 1, &reading);
}

static void over(size_t read, enum tg_verdict verdict)
{
	mock_reading(rig, read - 1, &(struct tg_reading){.verdict = verdict, .last = true, .max_age_s = 5});
}

static void observe(struct sensor *who, uint16_t id)
{
	size_t read = rig->n_reads + 1;

	ask(who, id, true);
	wait_for_reads(read);
	ck_assert(rig->reads[read - 1].observe);
	tell(read, 1, "a");
	sensor_expect(who, MESSAGE_ACK, MESSAGE_CONTENT, id);
}

START_TEST(the_end_of_a_session_ends_its_reads)
{
	begin();
	observe(sensor, 1);
	ask(sensor, 2, false);
	wait_for_reads(2);
	ck_assert_int_eq(mock_counter(rig, "observers"), 1);
	sensor_shut(sensor);
	sensor = NULL;
	ck_assert(MOCK_UNTIL(rig, rig->reads[0].ended && rig->reads[1].ended, WAIT_MS));
	mock_advance(rig, 600 * (int64_t)S);
	ck_assert_int_eq(mock_counter(rig, "notifications"), 0);
}
END_TEST

START_TEST(a_reader_that_is_revoked_is_out_at_once)
{
	begin();
	observe(sensor, 1);
	tell(1, 2, "b"); /* under way, not acknowledged */
	mock_forget(rig, "sensor-1");
	ck_assert(rig->reads[0].ended);
	mock_settle(rig);
	ck_assert(sensor_is_ended(sensor));
	mock_advance(rig, 600 * (int64_t)S);
}
END_TEST

START_TEST(an_answer_for_a_session_that_has_gone_is_nobodys)
{
	const struct tg_reading reading = {.size = sizeof(reading), .verdict = TG_ACCEPTED, .last = true, .etag = 1};

	begin();
	ask(sensor, 1, false);
	wait_for_reads(1);
	uint64_t token = rig->reads[0].token, later;
	sensor_shut(sensor);
	ck_assert(MOCK_UNTIL(rig, rig->reads[0].ended, WAIT_MS));
	sensor = sensor_psk("sensor-2", RIG_KEY);
	for (uint16_t id = 1; id <= 100; id++) { /* places are used again, tokens are not */
		ask(sensor, id, false);
		wait_for_reads((size_t)id + 1);
		later = rig->reads[id].token;
		ck_assert_uint_ne(later, token);
		rig->adapter->reading(rig->state, token, &reading);
		rig->adapter->reading(rig->state, UINT64_MAX, &reading);
		sensor_expect_nothing(sensor);
		tell((size_t)id + 1, 2, "b");
		sensor_expect(sensor, MESSAGE_ACK, MESSAGE_CONTENT, id);
		rig->adapter->reading(rig->state, later, &reading);
	}
}
END_TEST

static const struct {
	int error;
	uint8_t code;
} errors[] = {{-ENOBUFS, MESSAGE_UNAVAILABLE}, {-ENOTCONN, MESSAGE_UNAVAILABLE}, {-EMSGSIZE, MESSAGE_NOT_FOUND}};

START_TEST(a_core_that_cannot_be_asked)
{
	begin();
	rig->read_error = errors[_i].error;
	ask(sensor, 1, true);
	const struct coap_message *message = sensor_expect(sensor, MESSAGE_ACK, errors[_i].code, 1);
	ck_assert_int_eq(sensor_option(message, MESSAGE_MAX_AGE), errors[_i].code == MESSAGE_UNAVAILABLE ? 5 : -1);
	ck_assert_int_eq(mock_counter(rig, "observers"), 0);
	rig->read_error = 0;
	observe(sensor, 2);
	ck_assert_int_eq(mock_counter(rig, "observers"), 1);
}
END_TEST

/* A core that has no room at once is asked again; one that is not there is asked when it has come. */
START_TEST(observers_wait_for_the_core)
{
	begin();
	observe(sensor, 1);
	over(1, TG_UNAVAILABLE);
	rig->read_error = -ENOTCONN;
	mock_advance(rig, 60 * (int64_t)S);
	rig->read_error = -ENOBUFS;
	rig->adapter->joined(rig->state);
	ck_assert_uint_eq(rig->n_reads, 1);
	rig->read_error = 0;
	mock_advance(rig, 5 * (int64_t)S);
	wait_for_reads(2);
	ck_assert(rig->reads[1].observe);
	ck_assert_str_eq(rig->reads[1].reader, "device-1");
	tell(2, 1, "a");
	sensor_expect_nothing(sensor);
	tell(2, 2, "b");
	const struct coap_message *message = sensor_receive(sensor);
	ck_assert_int_eq(message->type, MESSAGE_CON);
	ck_assert_uint_eq(message->code, MESSAGE_CONTENT);
}
END_TEST

START_TEST(a_reader_may_lose_its_right_while_the_core_is_away)
{
	begin();
	observe(sensor, 1);
	over(1, TG_UNAVAILABLE);
	rig->adapter->joined(rig->state);
	wait_for_reads(2);
	over(2, TG_NOT_ALLOWED);
	const struct coap_message *message = sensor_receive(sensor);
	ck_assert_uint_eq(message->code, MESSAGE_FORBIDDEN);
	ck_assert_uint_eq(message->observe, MESSAGE_ABSENT);
	sensor_empty(sensor, MESSAGE_ACK, message->id);
	mock_settle(rig);
	ck_assert_int_eq(mock_counter(rig, "observers"), 0);
}
END_TEST

/* RFC 7641 section 4.1: what the core will not go on with is an answer without Observe. */
START_TEST(a_core_that_has_no_room_for_observers)
{
	begin();
	ask(sensor, 1, true);
	wait_for_reads(1);
	mock_reading(rig, 0, &(struct tg_reading){.verdict = TG_ACCEPTED, .last = true, .etag = 1, .max_age_s = 60});
	ck_assert_uint_eq(sensor_expect(sensor, MESSAGE_ACK, MESSAGE_CONTENT, 1)->observe, MESSAGE_ABSENT);
	ck_assert_int_eq(mock_counter(rig, "observers"), 0);
}
END_TEST

/* One that has had its right before goes on: it is asked again and again, and told of what is new. */
START_TEST(a_core_that_comes_back_without_room_for_observers)
{
	begin();
	observe(sensor, 1);
	over(1, TG_UNAVAILABLE);
	rig->adapter->joined(rig->state);
	for (size_t read = 2; read <= 4; read++) {
		const char *text = read == 4 ? "b" : "a";

		wait_for_reads(read);
		mock_reading(rig, read - 1,
			     &(struct tg_reading){.verdict = TG_ACCEPTED,
						  .last = true,
						  .etag = read == 4 ? 2 : 1,
						  .payload = {text, 1},
						  .max_age_s = 60});
		if (read < 4)
			sensor_expect_nothing(sensor);
		mock_advance(rig, 5 * (int64_t)S);
	}
	const struct coap_message *message = sensor_receive(sensor);
	ck_assert_uint_eq(message->code, MESSAGE_CONTENT);
	ck_assert_mem_eq(message->payload.data, "b", 1);
}
END_TEST

START_TEST(observers_are_bounded_in_all)
{
	mock_set(rig, "observers", "2");
	begin();
	struct sensor *second = sensor_psk("sensor-2", RIG_KEY);
	observe(sensor, 1);
	observe(second, 1);
	ask(second, 2, true);
	wait_for_reads(3);
	ck_assert(!rig->reads[2].observe);
	tell(3, 1, "a");
	const struct coap_message *message = sensor_expect(second, MESSAGE_ACK, MESSAGE_CONTENT, 2);
	ck_assert_uint_eq(message->observe, MESSAGE_ABSENT);
	sensor_shut(sensor);
	sensor = NULL;
	ck_assert(MOCK_UNTIL(rig, rig->reads[0].ended, WAIT_MS));
	observe(second, 3);
	sensor_free(second);
}
END_TEST

START_TEST(requests_under_way_are_bounded)
{
	mock_set(rig, "requests_a_session", "2");
	begin();
	ask(sensor, 1, false);
	ask(sensor, 2, true);
	ask(sensor, 3, false);
	sensor_expect(sensor, MESSAGE_ACK, MESSAGE_TOO_MANY_REQUESTS, 3);
	ck_assert_uint_eq(rig->n_reads, 2);
	tell(1, 1, "a");
	sensor_expect(sensor, MESSAGE_ACK, MESSAGE_CONTENT, 1);
}
END_TEST

/* Its first response is still to come when the same token registers again: both are answered, one observes. */
START_TEST(a_registration_overtaken_by_another)
{
	static const uint8_t again[] = {0x42, 0x01, 0x00, 0x02, 0x00, 0x01, 0x60, 0x58, 'r', 'e', 'a', 'd',  'i', 'n',
					'g',  's',  0x08, 'd',  'e',  'v',  'i',  'c',  'e', '-', '2', 0x01, 't'};

	begin();
	ask(sensor, 1, true);
	wait_for_reads(1);
	sensor_send(sensor, (struct tg_bytes){again, sizeof(again)});
	wait_for_reads(2);
	tell(1, 1, "a");
	ck_assert_uint_eq(sensor_expect(sensor, MESSAGE_ACK, MESSAGE_CONTENT, 1)->observe, MESSAGE_ABSENT);
	tell(2, 1, "a");
	ck_assert_uint_ne(sensor_expect(sensor, MESSAGE_ACK, MESSAGE_CONTENT, 2)->observe, MESSAGE_ABSENT);
	ck_assert(rig->reads[0].ended);
	ck_assert(!rig->reads[1].ended);
}
END_TEST

START_TEST(readings_elsewhere_or_nowhere)
{
	begin();
	mock_set(rig, "readings", "/last/values");
	ck_assert_int_eq(mock_reload(rig), 0);
	ask(sensor, 1, false);
	sensor_expect(sensor, MESSAGE_ACK, MESSAGE_METHOD_NOT_ALLOWED, 1);
	sensor_request(sensor, MESSAGE_CON, MESSAGE_GET, 2, "last/values/device-2/t", NULL);
	wait_for_reads(1);
	ck_assert_str_eq(rig->reads[0].path, "t");
	tell(1, 1, "a");
	sensor_expect(sensor, MESSAGE_ACK, MESSAGE_CONTENT, 2);
	sensor_request(sensor, MESSAGE_CON, MESSAGE_GET, 3, ".well-known/core", NULL);
	struct tg_bytes links = sensor_expect(sensor, MESSAGE_ACK, MESSAGE_CONTENT, 3)->payload;
	ck_assert_ptr_nonnull(memmem(links.data, links.size, "</last/values>;", 15));

	mock_set(rig, "readings", "");
	ck_assert_int_eq(mock_reload(rig), 0);
	sensor_request(sensor, MESSAGE_CON, MESSAGE_GET, 4, "last/values/device-2/t", NULL);
	sensor_expect(sensor, MESSAGE_ACK, MESSAGE_METHOD_NOT_ALLOWED, 4);
	sensor_request(sensor, MESSAGE_CON, MESSAGE_GET, 5, ".well-known/core", NULL);
	links = sensor_expect(sensor, MESSAGE_ACK, MESSAGE_CONTENT, 5)->payload;
	ck_assert_ptr_null(memmem(links.data, links.size, "tidegate.catalogue", 18));
}
END_TEST

START_TEST(the_end_of_the_adapter)
{
	begin();
	observe(sensor, 1);
	ask(sensor, 2, false);
	wait_for_reads(2);
	mock_stop(rig);
	mock_advance(rig, 10 * MS);
	ck_assert(!rig->stopped);
	ask(sensor, 3, false);
	sensor_expect(sensor, MESSAGE_ACK, MESSAGE_UNAVAILABLE, 3);
	tell(2, 1, "a");
	sensor_expect(sensor, MESSAGE_ACK, MESSAGE_CONTENT, 2);
	mock_advance(rig, 10 * MS);
	ck_assert(MOCK_UNTIL(rig, rig->stopped, WAIT_MS));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("coap_readers");
	TCase *tcase = tcase_create("all");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 120);
	tcase_add_test(tcase, the_end_of_a_session_ends_its_reads);
	tcase_add_test(tcase, a_reader_that_is_revoked_is_out_at_once);
	tcase_add_test(tcase, an_answer_for_a_session_that_has_gone_is_nobodys);
	tcase_add_loop_test(tcase, a_core_that_cannot_be_asked, 0, sizeof(errors) / sizeof(errors[0]));
	tcase_add_test(tcase, observers_wait_for_the_core);
	tcase_add_test(tcase, a_reader_may_lose_its_right_while_the_core_is_away);
	tcase_add_test(tcase, a_core_that_has_no_room_for_observers);
	tcase_add_test(tcase, a_core_that_comes_back_without_room_for_observers);
	tcase_add_test(tcase, observers_are_bounded_in_all);
	tcase_add_test(tcase, requests_under_way_are_bounded);
	tcase_add_test(tcase, a_registration_overtaken_by_another);
	tcase_add_test(tcase, readings_elsewhere_or_nowhere);
	tcase_add_test(tcase, the_end_of_the_adapter);
	suite_add_tcase(suite, tcase);

	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
