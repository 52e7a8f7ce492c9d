/* SPDX-License-Identifier: Apache-2.0 */

/* Requests that OSCORE protects for somebody else. The datagrams are those of RFC 8613 appendix C.4 and C.5. */

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "coap_rig.h"

enum { WAIT_MS = 30000, FORMAT_OCTETS = 42 };

/* C.4: 0x44 02 5d1f 00003974, Uri-Host "localhost", OSCORE 09 14, payload. */
static const uint8_t protected_request[] = {0x44, 0x02, 0x5d, 0x1f, 0x00, 0x00, 0x39, 0x74, 0x39, 0x6c, 0x6f, 0x63,
					    0x61, 0x6c, 0x68, 0x6f, 0x73, 0x74, 0x62, 0x09, 0x14, 0xff, 0x61, 0x2f,
					    0x10, 0x92, 0xf1, 0x77, 0x6f, 0x1c, 0x16, 0x68, 0xb3, 0x82, 0x5e};

static void begin(const char *path)
{
	rig_setup();
	mock_set(rig, "oscore", path);
	rig_begin();
}

static struct tg_bytes bytes(const void *data, size_t size)
{
	return (struct tg_bytes){data, size};
}

START_TEST(goes_on_whole)
{
	begin("/sealed/box");
	struct sensor *sensor = sensor_psk("sensor-1", RIG_KEY);
	sensor_send(sensor, bytes(protected_request, sizeof(protected_request)));
	ck_assert(MOCK_UNTIL(rig, rig->n_submissions == 1, WAIT_MS));
	const struct mock_submission *handed_in = &rig->submissions[0];
	ck_assert_str_eq(handed_in->device, "device-1");
	ck_assert_str_eq(handed_in->path, "sealed/box");
	ck_assert_int_eq(handed_in->content_format, FORMAT_OCTETS);
	ck_assert_uint_eq(handed_in->payload_size, 1 + sizeof(protected_request) - 8);
	ck_assert_uint_eq(handed_in->payload[0], MESSAGE_POST);
	ck_assert_mem_eq(handed_in->payload + 1, protected_request + 8, sizeof(protected_request) - 8);
	mock_accept(rig, handed_in->token);
	sensor_expect(sensor, MESSAGE_ACK, MESSAGE_CHANGED, 0x5d1f);
	sensor_free(sensor);
	rig_teardown();
}
END_TEST

START_TEST(without_a_place_it_is_refused)
{
	begin("");
	struct sensor *sensor = sensor_psk("sensor-1", RIG_KEY);
	sensor_send(sensor, bytes(protected_request, sizeof(protected_request)));
	sensor_expect(sensor, MESSAGE_ACK, MESSAGE_BAD_OPTION, 0x5d1f);
	ck_assert_uint_eq(rig->n_submissions, 0);
	mock_set(rig, "oscore", "later"); /* live */
	ck_assert_int_eq(mock_reload(rig), 0);
	uint8_t again[sizeof(protected_request)];
	memcpy(again, protected_request, sizeof(again));
	again[3]++;
	sensor_send(sensor, bytes(again, sizeof(again)));
	ck_assert(MOCK_UNTIL(rig, rig->n_submissions == 1, WAIT_MS));
	ck_assert_str_eq(rig->submissions[0].path, "later");
	sensor_free(sensor);
	rig_teardown();
}
END_TEST

/* Twice is not valid (RFC 8613 section 2: not repeatable), blocks are not put together, and an answer cannot be read. */
START_TEST(broken_ones_are_refused)
{
	static const uint8_t twice[] = {0x40, 0x02, 0x00, 0x01, 0x91, 0x09, 0x01, 0x09, 0xff, 0x00};
	static const uint8_t block[] = {0x40, 0x02, 0x00, 0x02, 0x91, 0x09, 0xd1, 0x05, 0x08, 0xff, 0x00};
	static const uint8_t answer[] = {0x50, 0x44, 0x00, 0x03, 0x91, 0x09, 0xff, 0x00};
	begin("sealed");
	struct sensor *sensor = sensor_psk("sensor-1", RIG_KEY);
	sensor_send(sensor, bytes(twice, sizeof(twice)));
	sensor_expect(sensor, MESSAGE_ACK, MESSAGE_BAD_OPTION, 1);
	sensor_send(sensor, bytes(block, sizeof(block)));
	sensor_expect(sensor, MESSAGE_ACK, MESSAGE_BAD_OPTION, 2);
	sensor_send(sensor, bytes(answer, sizeof(answer)));
	sensor_expect_nothing(sensor);
	ck_assert_uint_eq(rig->n_submissions, 0);
	sensor_free(sensor);
	rig_teardown();
}
END_TEST

/* An option of no length, and no payload, is the least there can be. */
START_TEST(the_smallest)
{
	static const uint8_t smallest[] = {0x50, 0x05, 0x00, 0x01, 0x90};
	begin("sealed");
	struct sensor *sensor = sensor_psk("sensor-1", RIG_KEY);
	sensor_send(sensor, bytes(smallest, sizeof(smallest)));
	ck_assert(MOCK_UNTIL(rig, rig->n_submissions == 1, WAIT_MS));
	ck_assert_uint_eq(rig->submissions[0].payload_size, 2);
	ck_assert_uint_eq(rig->submissions[0].method, TG_METHOD_FETCH);
	ck_assert_mem_eq(rig->submissions[0].payload, "\x05\x90", 2);
	sensor_free(sensor);
	rig_teardown();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("coap_oscore");
	TCase *tcase = tcase_create("all");

	tcase_set_timeout(tcase, 120);
	tcase_add_test(tcase, goes_on_whole);
	tcase_add_test(tcase, without_a_place_it_is_refused);
	tcase_add_test(tcase, broken_ones_are_refused);
	tcase_add_test(tcase, the_smallest);
	suite_add_tcase(suite, tcase);

	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
