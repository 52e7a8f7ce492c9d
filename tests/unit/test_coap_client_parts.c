/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "coap_client/body.h"
#include "coap_client/finished.h"
#include "coap_client/linkformat.h"
#include "coap_client/order.h"
#include "coap_client/texts.h"
#include "coap_client/timing.h"

#define S INT64_C(1000000)

START_TEST(newer_notifications_pass_and_older_ones_do_not)
{
	struct order order = {.begun = false};

	ck_assert(order_take(&order, 100, 1 * S));
	ck_assert(!order_take(&order, 100, 2 * S));
	ck_assert(order_take(&order, 101, 2 * S));
	ck_assert(!order_take(&order, 99, 3 * S));
	ck_assert(order_take(&order, 103, 3 * S));
	ck_assert(!order_take(&order, 102, 4 * S));
}
END_TEST

/* RFC 7641 section 3.4, to the number: 2^23 apart in either direction. */
START_TEST(the_numbers_of_notifications_wrap_around)
{
	struct order order = {.begun = false};

	ck_assert(order_take(&order, 0xffffff, 1 * S));
	ck_assert(order_take(&order, 0, 1 * S));
	ck_assert(order_take(&order, (1 << 23) - 1, 1 * S));
	ck_assert(order_take(&order, (1 << 24) - 2, 1 * S));
	ck_assert(!order_take(&order, (1 << 23) - 2, 1 * S)); /* exactly 2^23 behind */
	ck_assert(order_take(&order, (1 << 23) - 3, 1 * S));  /* one more: it wrapped */
	ck_assert(!order_take(&order, (1 << 24) - 3, 1 * S)); /* exactly 2^23 ahead */
}
END_TEST

START_TEST(after_128_seconds_every_number_is_newer)
{
	struct order order = {.begun = false};

	ck_assert(order_take(&order, 500, 1 * S));
	ck_assert(!order_take(&order, 10, 129 * S));
	ck_assert(order_take(&order, 10, 129 * S + 1));
	ck_assert(!order_take(&order, 9, 129 * S + 2));
}
END_TEST

START_TEST(polls_are_spread_and_keep_their_period)
{
	ck_assert_int_eq(timing_first_poll(7 * S, 60, 0), 7 * S);
	ck_assert_int_le(timing_first_poll(7 * S, 60, UINT32_MAX), 67 * S);
	ck_assert_int_ge(timing_first_poll(7 * S, 60, UINT32_MAX), 66 * S);
	ck_assert_int_eq(timing_next_poll(7 * S, 60, 0, 0), (7 + 54) * S);
	ck_assert_int_le(timing_next_poll(7 * S, 60, 0, UINT32_MAX), (7 + 66) * S);
	ck_assert_int_ge(timing_next_poll(7 * S, 60, 0, UINT32_MAX), (7 + 65) * S);
	ck_assert_int_eq(timing_next_poll(7 * S, 60, 90, UINT32_MAX), (7 + 90) * S);
	ck_assert_int_le(timing_next_poll(0, 999999, 0, UINT32_MAX), 1100000 * S);
}
END_TEST

START_TEST(an_observation_is_stale_5_to_15_s_after_its_max_age)
{
	ck_assert_int_eq(timing_stale(S, 60, 0), 66 * S);
	ck_assert_int_le(timing_stale(S, 60, UINT32_MAX), 76 * S);
	ck_assert_int_ge(timing_stale(S, 60, UINT32_MAX), 75 * S);
}
END_TEST

START_TEST(a_device_that_stays_away_is_tried_more_rarely)
{
	ck_assert_int_eq(timing_retry(0, 1, S, 60 * S, 0), S);
	ck_assert_int_eq(timing_retry(0, 4, S, 60 * S, 0), 8 * S);
	ck_assert_int_eq(timing_retry(0, 4000000, S, 60 * S, 0), 60 * S);
	ck_assert_int_ge(timing_retry(0, 4, S, 60 * S, UINT32_MAX), 4 * S);
}
END_TEST

START_TEST(entries_of_devices_are_read)
{
	struct texts_device device;

	ck_assert_ptr_null(texts_device("meter-3 coaps://[fd00::7]:5685", &device));
	ck_assert_str_eq(device.name, "meter-3");
	ck_assert_str_eq(device.host, "fd00::7");
	ck_assert_uint_eq(device.port, 5685);
	ck_assert(device.secure);
	ck_assert_ptr_null(texts_device("  a\tcoap://host.example/ ", &device));
	ck_assert_str_eq(device.host, "host.example");
	ck_assert_uint_eq(device.port, 5683);
	ck_assert(!device.secure);
	ck_assert_ptr_null(texts_device("a coaps://10.0.0.1", &device));
	ck_assert_uint_eq(device.port, 5684);
}
END_TEST

START_TEST(bad_entries_of_devices_are_told_apart)
{
	static const char *const bad[][2] = {
		{"", "a device's name"},
		{"meter-3", "wanted is"},
		{"meter-3 coaps://h x", "wanted is"},
		{"meter-3 http://h", "scheme"},
		{"meter-3 coap+tcp://h", "scheme"},
		{"meter-3 nonsense", "broken"},
		{"meter-3 coaps://h/path", "has a path"},
		{"meter-3 coaps://h?q", "broken"},
		{"meter-3 coaps://h:99999", "broken"},
	};
	struct texts_device device;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		const char *problem = texts_device(bad[i][0], &device);

		ck_assert_msg(problem && strstr(problem, bad[i][1]), "'%s': %s", bad[i][0], problem);
	}
}
END_TEST

START_TEST(entries_of_resources_are_read)
{
	struct texts_resource resource;

	ck_assert_ptr_null(texts_resource("m /a/b%20c?u=C", false, &resource));
	ck_assert_str_eq(resource.path, "/a/b%20c?u=C");
	ck_assert_uint_eq(resource.period_s, 0);
	ck_assert_ptr_null(texts_resource("m /a 60", true, &resource));
	ck_assert_uint_eq(resource.period_s, 60);
	ck_assert_ptr_nonnull(texts_resource("m a", false, &resource));
	ck_assert_ptr_nonnull(texts_resource("m /a 60", false, &resource));
	ck_assert_ptr_nonnull(texts_resource("m /a", true, &resource));
	ck_assert_ptr_nonnull(texts_resource("m /a 0", true, &resource));
	ck_assert_ptr_nonnull(texts_resource("m /a -1", true, &resource));
	ck_assert_ptr_nonnull(texts_resource("m /a 1234567", true, &resource));
	ck_assert_ptr_nonnull(texts_resource("m /a 6 7", true, &resource));
	ck_assert_ptr_nonnull(texts_resource("m /a%2", false, &resource));
	ck_assert_ptr_nonnull(texts_resource("m /", false, &resource));
	ck_assert_ptr_nonnull(texts_resource("m /?q", false, &resource));
}
END_TEST

START_TEST(an_address_becomes_options_and_a_path)
{
	const char *address = "/a/b%2Fc%25//?u=C&x%26=%20";
	struct texts_parts parts;
	char path[TEXTS_PATH];

	ck_assert_int_eq(texts_split(address, strlen(address), &parts), 0);
	ck_assert_uint_eq(parts.count, 6);
	ck_assert_mem_eq(parts.parts[1].data, "b/c%", 4);
	ck_assert_uint_eq(parts.parts[2].size, 0);
	ck_assert_uint_eq(parts.parts[3].size, 0);
	ck_assert(parts.parts[4].query);
	ck_assert_mem_eq(parts.parts[5].data, "x&= ", 4);
	ck_assert_int_gt(texts_submission_path(&parts, path), 0);
	ck_assert_str_eq(path, "a/b%2Fc%25//");
	ck_assert_int_eq(texts_split("/", 1, &parts), 0);
	ck_assert_uint_eq(parts.count, 0);
	ck_assert_int_eq(texts_split("", 0, &parts), 0);
	ck_assert_uint_eq(parts.count, 0);
	ck_assert_int_eq(texts_split("/a%zz", 5, &parts), -EINVAL);
	ck_assert_int_eq(texts_split("/a%2", 4, &parts), -EINVAL);
}
END_TEST

START_TEST(long_addresses_are_refused)
{
	char address[4096];
	struct texts_parts parts;

	memset(address, 'a', sizeof(address));
	ck_assert_int_eq(texts_split(address, 255, &parts), 0);
	ck_assert_int_eq(texts_split(address, 256, &parts), -EINVAL);
	memset(address, '/', sizeof(address));
	ck_assert_int_eq(texts_split(address, TEXTS_PARTS, &parts), 0);
	ck_assert_int_eq(texts_split(address, TEXTS_PARTS + 1, &parts), -E2BIG);
	for (size_t i = 0; i < sizeof(address); i++)
		address[i] = i % 100 ? 'a' : '/';
	ck_assert_int_eq(texts_split(address, sizeof(address), &parts), -E2BIG);
}
END_TEST

static int next(const char **at, struct linkformat_link *ret_link)
{
	return linkformat_next(at, *at + strlen(*at), ret_link);
}

/* The examples of RFC 6690 section 5. */
START_TEST(links_are_read)
{
	const char *at = "</sensors>;ct=40;title=\"Sensor, Index; <x>\",\r\n</sensors/temp>;rt=\"temperature-c "
			 "out\";if=\"sensor\";obs,"
			 "</t>;anchor=\"/sensors/temp\";rel=alternate;rt=first;rt=second";
	struct linkformat_link link;

	ck_assert_int_eq(next(&at, &link), 1);
	ck_assert_uint_eq(link.target.size, 8);
	ck_assert(!link.observable);
	ck_assert_int_eq(next(&at, &link), 1);
	ck_assert_mem_eq(link.target.data, "/sensors/temp", 13);
	ck_assert(link.observable);
	ck_assert(linkformat_has_word(link.types, "out"));
	ck_assert(linkformat_has_word(link.types, "temperature-c"));
	ck_assert(!linkformat_has_word(link.types, "temperature"));
	ck_assert(linkformat_has_word(link.interfaces, "sensor"));
	ck_assert_int_eq(next(&at, &link), 1);
	ck_assert(linkformat_has_word(link.types, "first"));
	ck_assert(!linkformat_has_word(link.types, "second"));
	ck_assert_int_eq(next(&at, &link), 0);
}
END_TEST

START_TEST(broken_links_are_refused)
{
	static const char *const bad[] = {"x",    "<a",     "<a>;",         "<a>;x=\"", "<a>;x=\"\\",
					  "<a>x", "<a>;=1", "<a>;x=\"y\"z", ",<a>"};
	struct linkformat_link link;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		const char *at = bad[i];

		ck_assert_msg(next(&at, &link) == -EBADMSG, "'%s'", bad[i]);
	}
}
END_TEST

START_TEST(answers_are_remembered_for_their_time)
{
	struct tg_response response = {.size = sizeof(response), .code = 204, .payload = {"ab", 2}};
	const uint8_t first[TG_ID_SIZE] = {1}, second[TG_ID_SIZE] = {2};
	struct finished *finished;

	ck_assert_int_eq(finished_new(&finished), 0);
	finished_add(finished, first, &response, S);
	ck_assert_uint_eq(finished_find(finished, first, S)->code, 204);
	ck_assert_mem_eq(finished_find(finished, first, S)->payload.data, "ab", 2);
	ck_assert_ptr_null(finished_find(finished, second, S));
	ck_assert_ptr_nonnull(finished_find(finished, first, 600 * S));
	ck_assert_ptr_null(finished_find(finished, first, 601 * S));
	finished_free(finished);
}
END_TEST

START_TEST(the_memory_of_answers_is_bounded)
{
	static const uint8_t large[FINISHED_PAYLOAD + 1];
	struct tg_response response = {.size = sizeof(response), .code = 205, .payload = {large, FINISHED_PAYLOAD}};
	uint8_t id[TG_ID_SIZE] = {0};
	struct finished *finished;
	unsigned kept = 0;

	ck_assert_int_eq(finished_new(&finished), 0);
	for (unsigned i = 0; i < 3 * FINISHED_MAX; i++) {
		memcpy(id, &i, sizeof(i));
		finished_add(finished, id, &response, S);
	}
	for (unsigned i = 0; i < 3 * FINISHED_MAX; i++) {
		memcpy(id, &i, sizeof(i));
		kept += finished_find(finished, id, S) != NULL;
	}
	ck_assert_uint_eq(kept, FINISHED_BYTES / FINISHED_PAYLOAD);
	response.payload.size = FINISHED_PAYLOAD + 1;
	finished_add(finished, id, &response, S);
	memset(id, 9, sizeof(id));
	finished_add(finished, id, &response, S);
	ck_assert_uint_eq(finished_find(finished, id, S)->payload.size, 0);
	finished_free(finished);
}
END_TEST

START_TEST(blocks_become_a_body)
{
	const struct tg_bytes none = {.data = NULL}, tag = {"t", 1}, other = {"u", 1}, block = {"0123456789abcdef", 16};
	struct body body = {.data = NULL};

	ck_assert_int_eq(body_add(&body, 0, block, tag, 40), 0);
	ck_assert_int_eq(body_add(&body, 32, block, tag, 40), -EBADMSG);
	ck_assert_int_eq(body_add(&body, 16, block, other, 40), -EBADMSG);
	ck_assert_int_eq(body_add(&body, 16, block, none, 40), -EBADMSG);
	ck_assert_int_eq(body_add(&body, 16, block, tag, 40), 0);
	ck_assert_int_eq(body_add(&body, 32, block, tag, 40), -EMSGSIZE);
	ck_assert_uint_eq(body.size, 32);
	body_clear(&body);
	ck_assert_int_eq(body_add(&body, 0, block, none, 16), 0);
	body_clear(&body);
	ck_assert_int_eq(body_add(&body, 0, block, none, 15), -EMSGSIZE);
}
END_TEST

static void add_tests(TCase *cases)
{
	tcase_add_test(cases, newer_notifications_pass_and_older_ones_do_not);
	tcase_add_test(cases, the_numbers_of_notifications_wrap_around);
	tcase_add_test(cases, after_128_seconds_every_number_is_newer);
	tcase_add_test(cases, polls_are_spread_and_keep_their_period);
	tcase_add_test(cases, an_observation_is_stale_5_to_15_s_after_its_max_age);
	tcase_add_test(cases, a_device_that_stays_away_is_tried_more_rarely);
	tcase_add_test(cases, entries_of_devices_are_read);
	tcase_add_test(cases, bad_entries_of_devices_are_told_apart);
	tcase_add_test(cases, entries_of_resources_are_read);
	tcase_add_test(cases, an_address_becomes_options_and_a_path);
	tcase_add_test(cases, long_addresses_are_refused);
	tcase_add_test(cases, links_are_read);
	tcase_add_test(cases, broken_links_are_refused);
	tcase_add_test(cases, answers_are_remembered_for_their_time);
	tcase_add_test(cases, the_memory_of_answers_is_bounded);
	tcase_add_test(cases, blocks_become_a_body);
}

int main(void)
{
	Suite *suite = suite_create("coap client parts");
	TCase *cases = tcase_create("pure");
	SRunner *runner;
	int failed;

	add_tests(cases);
	suite_add_tcase(suite, cases);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
