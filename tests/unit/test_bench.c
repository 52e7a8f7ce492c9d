/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "bench/coap.h"
#include "bench/tally.h"
#include "bench/tool.h"
#include "fuzz/mutator.h"
#include "unit/suite.h"

START_TEST(test_coap_round_trip)
{
	uint8_t message[256];
	struct coap_view view;
	unsigned last = 0;
	size_t size = coap_head(message, sizeof(message), COAP_ACK, COAP_CODE(5, 3), 0xbeef, "tokn", 4);

	size = coap_path(message, sizeof(message), size, &last, "/a/longer-than-thirteen-bytes");
	size = coap_option_number(message, sizeof(message), size, &last, COAP_MAX_AGE, 300);
	size = coap_option_number(message, sizeof(message), size, &last, 2049, 0);
	size = coap_payload(message, sizeof(message), size, "xyz", 3);
	ck_assert_uint_gt(size, 0);
	ck_assert(coap_read(message, size, &view));
	ck_assert_uint_eq(view.type, COAP_ACK);
	ck_assert_uint_eq(view.code, COAP_CODE(5, 3));
	ck_assert_uint_eq(view.id, 0xbeef);
	ck_assert_uint_eq(view.max_age, 300);
	ck_assert_mem_eq(view.token, "tokn", 4);
	ck_assert_uint_eq(view.payload_size, 3);
	for (size_t cut = 0; cut < 8; cut++)
		ck_assert(!coap_read(message, cut, &view));
	ck_assert(!coap_read(message, size - 3, &view)); /* a payload marker without payload */
}
END_TEST

START_TEST(test_coap_no_room)
{
	uint8_t message[16];
	unsigned last = 0;
	size_t size = coap_head(message, sizeof(message), COAP_CON, COAP_POST, 1, "12345678", 8);

	ck_assert_uint_eq(size, 12);
	ck_assert_uint_eq(coap_option(message, sizeof(message), size, &last, COAP_URI_PATH, "four", 4), 0);
	ck_assert_uint_eq(coap_option(message, sizeof(message), size, &last, COAP_URI_PATH, "fit", 3), 16);
	ck_assert_uint_eq(coap_payload(message, sizeof(message), 16, "x", 1), 0);
	ck_assert_uint_eq(coap_payload(message, sizeof(message), 0, "x", 1), 0);
}
END_TEST

START_TEST(test_tally_percentiles)
{
	static struct tally tally;

	ck_assert_int_eq(tally_percentile(&tally, 0.5), 0);
	for (int64_t us = 1; us <= 100000; us++)
		tally_latency(&tally, us);
	for (int percent = 1; percent < 100; percent++) {
		int64_t found = tally_percentile(&tally, percent / 100.0), exact = percent * 1000;

		ck_assert_int_ge(found, exact);
		ck_assert_int_le(found, exact + exact / 50);
	}
	ck_assert_int_eq(tally_percentile(&tally, 1), 100000);
	tally_latency(&tally, INT64_MAX / 2);
	ck_assert_int_eq(tally.latency_max_us, INT64_MAX / 2);
	ck_assert_int_le(tally_percentile(&tally, 0.99999), INT64_MAX / 2);
}
END_TEST

START_TEST(test_mutator_keeps_its_room)
{
	struct tool_random random = {.state = 1};
	uint8_t message[MUTATOR_ROOM], piece[MUTATOR_ROOM];
	struct mutator_body body = {0};
	size_t kinds[2] = {0};

	for (int i = 0; i < 50000; i++) {
		struct coap_view view;
		size_t size = mutator_coap(&random, (uint16_t)i, message);

		ck_assert_uint_le(size, sizeof(message));
		kinds[coap_read(message, size, &view)]++;
		ck_assert_uint_le(mutator_fragment(&random, message, size, piece, sizeof(piece)), sizeof(piece));
		size = mutator_record(&random, message, size, sizeof(message));
		ck_assert_uint_le(size, sizeof(message));
		ck_assert_uint_le(mutator_bytes(&random, message, size, sizeof(message)), sizeof(message));
		ck_assert_uint_le(mutator_block(&random, (uint16_t)i, &body, message), sizeof(message));
	}
	/* Neither only rubbish nor only good ones. */
	ck_assert_uint_gt(kinds[0], 10000);
	ck_assert_uint_gt(kinds[1], 10000);
}
END_TEST

START_TEST(test_random_repeats)
{
	struct tool_random a = {.state = 7}, b = {.state = 7};
	uint8_t first[13], second[13];

	tool_random_bytes(&a, first, sizeof(first));
	tool_random_bytes(&b, second, sizeof(second));
	ck_assert_mem_eq(first, second, sizeof(first));
	for (uint32_t i = 0; i < 1000; i++)
		ck_assert_uint_lt(tool_random_below(&a, i + 1), i + 1);
	ck_assert_uint_eq(tool_random_below(&a, 0), 0);
}
END_TEST

SUITE_MAIN("bench", test_coap_round_trip, test_coap_no_room, test_tally_percentiles, test_mutator_keeps_its_room,
	   test_random_repeats)
