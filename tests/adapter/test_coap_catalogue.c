/* SPDX-License-Identifier: Apache-2.0 */

/* The catalogue of last readings, where it is about sessions, settings and the end of things; what goes over the wire is in
 * coap_requirements_catalogue.c. */

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "coap_lists.h"

enum { MS = 1000, S = 1000000, WAIT_MS = 60000, WAITING_MAX = 4 };

static struct sensor *sensor, *other;

static void setup(void)
{
	rig_setup();
	rig->virtual_time = true;
	sensor = other = NULL;
}

static void begin(void)
{
	rig_begin();
	sensor = sensor_psk("sensor-1", RIG_KEY);
	other = sensor_psk("sensor-2", RIG_KEY);
	ck_assert(sensor && other);
}

static void teardown(void)
{
	sensor_free(sensor);
	sensor_free(other);
	rig_teardown();
}

/* A GET in blocks of 16 bytes, with a token of its own. */
static void get(struct sensor *who, uint16_t id, const char *const path[], const char *query, uint32_t block)
{
	uint8_t wire[256], token[] = {(uint8_t)(id >> 8), (uint8_t)id};
	struct message_writer writer;

	message_writer_init(&writer, wire, sizeof(wire));
	message_write_header(&writer, MESSAGE_CON, MESSAGE_GET, id, (struct tg_bytes){token, sizeof(token)});
	for (; *path; path++)
		message_write_option(&writer, MESSAGE_URI_PATH, (struct tg_bytes){*path, strlen(*path)});
	if (query)
		message_write_option(&writer, MESSAGE_URI_QUERY, (struct tg_bytes){query, strlen(query)});
	message_write_option_uint(&writer, MESSAGE_BLOCK2, block << 4);
	ck_assert(!writer.failed);
	sensor_send(who, (struct tg_bytes){wire, writer.size});
}

/* The catalogue. */
static void ask(struct sensor *who, uint16_t id, const char *query, uint32_t block)
{
	get(who, id, (const char *const[]){"readings", NULL}, query, block);
}

/* List `number` has one entry, and that is all. */
static void answer(size_t number, const char *path)
{
	lists_entry(number, "device-2", path, 0, 0);
	lists_page(number, 1, 1, false);
}

static void expect_words(struct tg_bytes text, const char *words)
{
	ck_assert_msg(memmem(text.data, text.size, words, strlen(words)) != NULL, "not '%s' but '%.*s'", words,
		      (int)text.size, (const char *)text.data);
}

START_TEST(one_after_the_other)
{
	begin();
	ask(sensor, 1, NULL, 0);
	lists_expect(1, "device-1", 0);
	ask(other, 2, NULL, 0);
	ask(sensor, 3, "ct=0", 0);
	lists_expect(1, NULL, 0);
	answer(1, "t");
	sensor_expect(sensor, MESSAGE_ACK, MESSAGE_CONTENT, 1);
	lists_expect(2, "device-2", 0);
	answer(2, "t");
	sensor_expect(other, MESSAGE_ACK, MESSAGE_CONTENT, 2);
	lists_expect(3, "device-1", 0);
	answer(3, "t");
	sensor_expect(sensor, MESSAGE_ACK, MESSAGE_CONTENT, 3);
	ck_assert_int_eq(mock_counter(rig, "catalogues"), 3);
}
END_TEST

START_TEST(a_session_has_a_few_that_wait)
{
	begin();
	for (uint16_t id = 1; id <= WAITING_MAX; id++)
		ask(sensor, id, NULL, 0);
	lists_expect(1, NULL, 0);
	ask(sensor, 9, NULL, 0);
	sensor_expect(sensor, MESSAGE_ACK, MESSAGE_TOO_MANY_REQUESTS, 9);
	for (uint16_t id = 1; id <= WAITING_MAX; id++) {
		answer(id, "t");
		sensor_expect(sensor, MESSAGE_ACK, MESSAGE_CONTENT, id);
	}
	ask(sensor, 10, NULL, 0);
	lists_expect(WAITING_MAX + 1, "device-1", 0);
}
END_TEST

START_TEST(the_end_of_a_session_ends_its_catalogues)
{
	begin();
	ask(sensor, 1, NULL, 0);
	ask(sensor, 2, "ct=0", 0);
	lists_expect(1, NULL, 0);
	ask(other, 3, NULL, 0);
	lists_entry(1, "device-2", "t", 0, 0);
	sensor_shut(sensor);
	sensor = NULL;
	lists_expect(2, "device-2", 0);
	lists_page(1, 1, 1, false); /* nobody's any more */
	lists_entry(2, "device-3", "u", 0, 0);
	lists_page(2, 1, 1, false);
	expect_words(sensor_expect(other, MESSAGE_ACK, MESSAGE_CONTENT, 3)->payload, "</readings/devic");
	ck_assert_int_eq(mock_counter(rig, "catalogues"), 1);
	mock_advance(rig, 600 * (int64_t)S);
}
END_TEST

START_TEST(a_reader_that_is_revoked_gets_nothing)
{
	begin();
	ask(sensor, 1, NULL, 0);
	lists_expect(1, NULL, 0);
	lists_entry(1, "device-2", "t", 0, 0);
	mock_forget(rig, "sensor-1");
	lists_page(1, 1, 1, false);
	ck_assert(sensor_is_ended(sensor));
	ck_assert_int_eq(mock_counter(rig, "catalogues"), 0);
}
END_TEST

START_TEST(what_goes_out_of_the_list_begins_it_anew)
{
	begin();
	ask(sensor, 1, NULL, 2);
	lists_expect(1, "device-1", 0);
	lists_entry(1, "device-2", "secret", 0, 0);
	lists_page(1, 5, 1, true);
	lists_expect(2, "device-1", 5);
	lists_page(2, 6, 2, true); /* the reader's rights are others now */
	lists_expect(3, "device-1", 0);
	lists_entry(3, "device-2", "t", 0, 0);
	lists_page(3, 6, 2, false);
	expect_words(sensor_expect(sensor, MESSAGE_ACK, MESSAGE_CONTENT, 1)->payload, "ate.last");
	ask(sensor, 2, NULL, 1);
	expect_words(sensor_expect(sensor, MESSAGE_ACK, MESSAGE_CONTENT, 2)->payload, "2/t>;rt=");
}
END_TEST

/* Where something goes with each page, it is told as it is in the end. */
START_TEST(it_comes_to_an_end)
{
	size_t list = 1;

	begin();
	ask(sensor, 1, NULL, 0);
	for (uint64_t round = 0; round < 3; round++, list += 2) {
		lists_expect(list, "device-1", 0);
		lists_entry(list, "device-2", "t", 0, 0);
		lists_page(list, 5, 10 * round, true);
		lists_expect(list + 1, "device-1", 5);
		lists_page(list + 1, 6, 10 * round + 1, false);
	}
	sensor_expect(sensor, MESSAGE_ACK, MESSAGE_CONTENT, 1);
	lists_expect(list - 1, NULL, 0);
}
END_TEST

START_TEST(one_that_is_too_large)
{
	char path[16];

	mock_set(rig, "catalogue_bytes", "4096");
	begin();
	ask(sensor, 1, NULL, 0);
	lists_expect(1, NULL, 0);
	for (int i = 0; i < 100; i++) {
		snprintf(path, sizeof(path), "n/%d", i);
		lists_entry(1, "device-2", path, 0, 0);
	}
	lists_page(1, 1, 1, false);
	const struct coap_message *message = sensor_expect(sensor, MESSAGE_ACK, MESSAGE_UNAVAILABLE, 1);
	expect_words(message->payload, "too large");
	ck_assert_int_eq(sensor_option(message, MESSAGE_MAX_AGE), 60);
	ck_assert_uint_eq(mock_logged(rig, "a catalogue does not fit 'catalogue_bytes'"), 1);
	ask(sensor, 2, "href=/readings/device-2/n/7", 0);
	lists_expect(2, NULL, 0);
	for (int i = 0; i < 100; i++) {
		snprintf(path, sizeof(path), "n/%d", i);
		lists_entry(2, "device-2", path, 0, 0);
	}
	lists_page(2, 1, 1, false);
	sensor_expect(sensor, MESSAGE_ACK, MESSAGE_CONTENT, 2);
}
END_TEST

/* A kilobyte and more. */
static int64_t fetch_first(struct sensor *who, uint16_t id, const char *query, size_t list)
{
	char path[64];

	ask(who, id, query, 0);
	for (int i = 0; i < 10; i++) {
		snprintf(path, sizeof(path), "a/reading/with/number/%d", i);
		lists_entry(list, "device-3", path, 0, 0);
	}
	lists_page(list, 1, 1, false);
	return sensor_option(sensor_expect(who, MESSAGE_ACK, MESSAGE_CONTENT, id), MESSAGE_ETAG);
}

/* The oldest makes room; whoever fetches it has it put together again. */
START_TEST(pieces_of_what_is_not_kept_any_more)
{
	mock_set(rig, "catalogue_bytes", "4096");
	begin();
	int64_t tag = fetch_first(sensor, 1, NULL, 1);
	ask(sensor, 2, NULL, 1);
	ck_assert_int_eq(sensor_option(sensor_expect(sensor, MESSAGE_ACK, MESSAGE_CONTENT, 2), MESSAGE_ETAG), tag);
	lists_expect(1, NULL, 0);
	(void)fetch_first(other, 3, NULL, 2);
	(void)fetch_first(other, 4, "obs", 3);
	(void)fetch_first(other, 5, "ct=0", 4);
	(void)fetch_first(other, 6, "rt=*", 5);
	ask(sensor, 7, NULL, 1);
	lists_expect(6, "device-1", 0);
	lists_entry(6, "device-3", "another", 0, 0);
	lists_page(6, 1, 1, false);
	const struct coap_message *message = sensor_expect(sensor, MESSAGE_ACK, MESSAGE_CONTENT, 7);
	ck_assert_int_ne(sensor_option(message, MESSAGE_ETAG), tag);
	mock_advance(rig, 300 * (int64_t)S);
	ask(sensor, 8, NULL, 1); /* its time is up */
	lists_expect(7, "device-1", 0);
}
END_TEST

START_TEST(a_core_that_cannot_be_asked)
{
	begin();
	rig->read_error = -ENOTCONN;
	ask(sensor, 1, NULL, 0);
	sensor_expect(sensor, MESSAGE_ACK, MESSAGE_UNAVAILABLE, 1);
	rig->read_error = 0;
	ask(sensor, 2, NULL, 0);
	ask(other, 3, NULL, 0);
	lists_expect(1, "device-1", 0);
	rig->read_error = -ENOBUFS;
	lists_page(1, 1, 1, true);
	sensor_expect(sensor, MESSAGE_ACK, MESSAGE_UNAVAILABLE, 2);
	sensor_expect(other, MESSAGE_ACK, MESSAGE_UNAVAILABLE, 3);
}
END_TEST

START_TEST(settings_change_while_it_is_put_together)
{
	begin();
	ask(sensor, 1, NULL, 0);
	lists_expect(1, NULL, 0);
	lists_entry(1, "device-2", "t", 0, 0);
	mock_add(rig, "places", "device-* north");
	ck_assert_int_ne(mock_reload(rig), 0);
	lists_expect(1, NULL, 0);
	mock_set(rig, "places", NULL);
	mock_add(rig, "descriptions", "device-2/t the level");
	mock_set(rig, "readings", "/last");
	ck_assert_int_eq(mock_reload(rig), 0);
	lists_page(1, 1, 1, false); /* nobody's any more */
	lists_expect(2, "device-1", 0);
	answer(2, "t");
	expect_words(sensor_expect(sensor, MESSAGE_ACK, MESSAGE_CONTENT, 1)->payload, "</last/device-2/");
	sensor_request(sensor, MESSAGE_CON, MESSAGE_GET, 2, "last", NULL);
	lists_expect(3, NULL, 0);
	answer(3, "t");
	expect_words(sensor_expect(sensor, MESSAGE_ACK, MESSAGE_CONTENT, 2)->payload, "title=\"the level\"");
	sensor_request(sensor, MESSAGE_CON, MESSAGE_GET, 3, "last", NULL);
	lists_expect(4, NULL, 0);
	mock_set(rig, "readings", "");
	ck_assert_int_eq(mock_reload(rig), 0);
	sensor_expect(sensor, MESSAGE_ACK, MESSAGE_NOT_FOUND, 3);
	ask(sensor, 4, NULL, 0);
	sensor_expect(sensor, MESSAGE_ACK, MESSAGE_METHOD_NOT_ALLOWED, 4);
}
END_TEST

START_TEST(words_that_cannot_be_read)
{
	mock_add(rig, "descriptions", "device-2");
	ck_assert_int_eq(mock_open(rig), -EINVAL);
	ck_assert_uint_eq(mock_logged(rig, "'descriptions' cannot be read: \"device-2\""), 1);
}
END_TEST

START_TEST(nobody_without_a_name_gets_it)
{
	static const char *const core[] = {".well-known", "core", NULL};

	mock_add(rig, "listen", "coap://127.0.0.1:0");
	mock_set(rig, "insecure", "true");
	mock_set(rig, "insecure_device", "meter-1");
	rig_begin();
	rig_use(1);
	sensor = sensor_plain();
	ask(sensor, 1, NULL, 0);
	sensor_expect(sensor, MESSAGE_ACK, MESSAGE_FORBIDDEN, 1);
	lists_expect(0, NULL, 0);
	get(sensor, 2, core, "rt=tidegate.last", 0);
	ck_assert_uint_gt(sensor_expect(sensor, MESSAGE_ACK, MESSAGE_CONTENT, 2)->payload.size, 0);
	get(sensor, 3, core, "rt=tidegate.catalogue", 0);
	ck_assert_uint_eq(sensor_expect(sensor, MESSAGE_ACK, MESSAGE_CONTENT, 3)->payload.size, 0);
}
END_TEST

START_TEST(the_end_of_the_adapter)
{
	begin();
	ask(sensor, 1, NULL, 0);
	lists_expect(1, NULL, 0);
	mock_stop(rig);
	mock_advance(rig, 10 * MS);
	ck_assert(!rig->stopped);
	ask(sensor, 2, NULL, 0);
	sensor_expect(sensor, MESSAGE_ACK, MESSAGE_UNAVAILABLE, 2);
	answer(1, "t");
	sensor_expect(sensor, MESSAGE_ACK, MESSAGE_CONTENT, 1);
	mock_advance(rig, 10 * MS);
	ck_assert(MOCK_UNTIL(rig, rig->stopped, WAIT_MS));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("coap_catalogue");
	TCase *tcase = tcase_create("all");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 120);
	tcase_add_test(tcase, one_after_the_other);
	tcase_add_test(tcase, a_session_has_a_few_that_wait);
	tcase_add_test(tcase, the_end_of_a_session_ends_its_catalogues);
	tcase_add_test(tcase, a_reader_that_is_revoked_gets_nothing);
	tcase_add_test(tcase, what_goes_out_of_the_list_begins_it_anew);
	tcase_add_test(tcase, it_comes_to_an_end);
	tcase_add_test(tcase, one_that_is_too_large);
	tcase_add_test(tcase, pieces_of_what_is_not_kept_any_more);
	tcase_add_test(tcase, a_core_that_cannot_be_asked);
	tcase_add_test(tcase, settings_change_while_it_is_put_together);
	tcase_add_test(tcase, words_that_cannot_be_read);
	tcase_add_test(tcase, nobody_without_a_name_gets_it);
	tcase_add_test(tcase, the_end_of_the_adapter);
	suite_add_tcase(suite, tcase);

	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
