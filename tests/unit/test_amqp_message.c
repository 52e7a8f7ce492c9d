/* SPDX-License-Identifier: Apache-2.0 */

/* What is packed is unpacked again, and what somebody else has packed, broken or not, never does harm. */

#include "suite.h"

#include <errno.h>
#include <string.h>

#include "amqp/arrival.h"
#include "amqp/pack.h"
#include "base/bytes.h"

enum { ROUNDS = 100000 };

static const struct arrival_place place = {.address = {.data = "/amq/queue/hall", .size = 15},
					   .via = "hall-3-plant",
					   .now_us = 5000000,
					   .now_wall_us = 1000000};

static struct tg_delivery delivery(void)
{
	return (struct tg_delivery){
		.kind = TG_TELEMETRY,
		.id = {1, 2, 3},
		.time_wall_us = 1777863721123456,
		.device = bytes_text("pump-7"),
		.path = bytes_text("hall/temp"),
		.address = bytes_text("readings"),
		.content_format = 110,
		.payload = bytes_text("[{\"n\":\"t\",\"v\":21.5}]"),
	};
}

static struct arrival *arrive(struct tg_bytes bytes, const struct arrival_place *where)
{
	struct arrival *arrival = NULL;
	const char *refusal = NULL;

	ck_assert_msg(arrival_new(bytes, where, &arrival, &refusal) == 0, "%s", refusal);
	return arrival;
}

static void expect_bytes(struct tg_bytes bytes, const char *text)
{
	ck_assert_uint_eq(bytes.size, strlen(text));
	ck_assert_mem_eq(bytes.data, text, bytes.size);
}

START_TEST(what_is_packed_is_unpacked)
{
	struct tg_delivery sent = delivery();
	struct tg_bytes bytes;
	struct arrival *got;
	struct pack pack;

	ck_assert_int_eq(pack_init(&pack), 0);
	ck_assert_int_eq(pack_delivery(&pack, &sent, 90, bytes_text(""), NULL, &bytes), 0);
	got = arrive(bytes, &place);
	expect_bytes(got->submission.path, "amq/queue/hall/hall/temp");
	expect_bytes(got->submission.payload, "[{\"n\":\"t\",\"v\":21.5}]");
	expect_bytes(got->submission.correlation, "s01020300-0000-0000-0000-000000000000");
	ck_assert_int_eq(got->submission.content_format, 110);
	ck_assert_uint_eq(got->submission.expiry_s, 90);
	ck_assert_int_eq(arrival_expiry_left(got, 5000000), 90);
	ck_assert_int_eq(arrival_expiry_left(got, 94999999), 1);
	ck_assert_int_eq(arrival_expiry_left(got, 95000000), -1);
	ck_assert(!got->own);
	arrival_free(got);
	ck_assert_int_eq(pack_delivery(&pack, &sent, 0, bytes_text("key"), "hall-3-plant", &bytes), 0);
	got = arrive(bytes, &place);
	expect_bytes(got->submission.path, "amq/queue/hall/key");
	ck_assert_uint_eq(got->submission.expiry_s, 0);
	ck_assert(got->own);
	arrival_free(got);
	pack_done(&pack);
}
END_TEST

START_TEST(what_does_not_fit_is_refused)
{
	static char payload[TG_PAYLOAD_MAX + 1], subject[TG_PATH_MAX];
	struct tg_delivery sent = delivery();
	struct arrival *got = NULL;
	const char *refusal = NULL;
	struct tg_bytes bytes;
	struct pack pack;

	ck_assert_int_eq(pack_init(&pack), 0);
	memset(subject, 's', sizeof(subject));
	ck_assert_int_eq(pack_delivery(&pack, &sent, 0, (struct tg_bytes){subject, sizeof(subject)}, NULL, &bytes), 0);
	ck_assert_int_eq(arrival_new(bytes, &place, &got, &refusal), -EMSGSIZE);
	ck_assert_str_eq(refusal, "address and subject are too long");
	sent.payload = (struct tg_bytes){payload, sizeof(payload)};
	ck_assert_int_eq(pack_delivery(&pack, &sent, 0, bytes_text(""), NULL, &bytes), 0);
	ck_assert_int_eq(arrival_new(bytes, &place, &got, &refusal), -EMSGSIZE);
	ck_assert_str_eq(refusal, "payload is too large");
	pack_done(&pack);
}
END_TEST

/* A subject that is no text is left out rather than cut. */
START_TEST(what_is_no_text_is_left_out)
{
	struct tg_delivery sent = delivery();
	struct tg_bytes bytes;
	struct arrival *got;
	struct pack pack;

	ck_assert_int_eq(pack_init(&pack), 0);
	sent.path = (struct tg_bytes){"a\0b", 3};
	ck_assert_int_eq(pack_delivery(&pack, &sent, 0, bytes_text(""), NULL, &bytes), 0);
	got = arrive(bytes, &place);
	expect_bytes(got->submission.path, "amq/queue/hall");
	arrival_free(got);
	sent.path = bytes_text("a\xff");
	ck_assert_int_eq(pack_delivery(&pack, &sent, 0, bytes_text(""), NULL, &bytes), 0);
	got = arrive(bytes, &place);
	expect_bytes(got->submission.path, "amq/queue/hall");
	arrival_free(got);
	pack_done(&pack);
}
END_TEST

/* Bytes changed, cut and put in at random: taken or refused, but never more than what may be handed in. */
START_TEST(broken_messages_do_no_harm)
{
	struct tg_delivery sent = delivery();
	uint8_t good[1024], bad[1024];
	uint32_t random = 1;
	struct tg_bytes bytes;
	struct pack pack;
	unsigned taken = 0;

	ck_assert_int_eq(pack_init(&pack), 0);
	ck_assert_int_eq(pack_delivery(&pack, &sent, 90, bytes_text("key"), "via", &bytes), 0);
	ck_assert_uint_lt(bytes.size, sizeof(good));
	memcpy(good, bytes.data, bytes.size);
	for (unsigned i = 0; i < ROUNDS; i++) {
		struct tg_bytes message = {.data = bad, .size = bytes.size};
		struct arrival *got = NULL;
		const char *refusal = NULL;

		memcpy(bad, good, bytes.size);
		for (unsigned j = 0; j <= i % 3; j++) {
			random = random * 1664525 + 1013904223;
			bad[(random >> 16) % bytes.size] = (uint8_t)(random >> 8);
		}
		if (i % 5 == 0)
			message.size = (random >> 12) % bytes.size;
		if (arrival_new(message, &place, &got, &refusal) == 0) {
			taken++;
			ck_assert_uint_le(got->submission.path.size, TG_PATH_MAX);
			ck_assert_uint_le(got->submission.payload.size, TG_PAYLOAD_MAX);
			ck_assert_uint_le(got->submission.correlation.size, TG_CORRELATION_MAX);
		} else {
			ck_assert_ptr_nonnull(refusal);
		}
		arrival_free(got);
	}
	ck_assert_uint_gt(taken, 0);
	ck_assert_uint_lt(taken, ROUNDS);
	pack_done(&pack);
}
END_TEST

SUITE_MAIN("amqp_message", what_is_packed_is_unpacked, what_does_not_fit_is_refused, what_is_no_text_is_left_out,
	   broken_messages_do_no_harm)
