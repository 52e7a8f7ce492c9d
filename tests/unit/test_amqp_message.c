/* SPDX-License-Identifier: Apache-2.0 */

/* What is packed is unpacked again, and what somebody else has packed, broken or not, never does harm. */

#include "suite.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "amqp/arrival.h"
#include "amqp/pack.h"
#include "base/bytes.h"

enum { ROUNDS = 100000, GIANT = TG_PAYLOAD_MAX, SMALL_STACK = 128 * 1024 };

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

struct attempt {
	struct tg_bytes bytes;
	struct arrival *got;
	const char *refusal;
	int result;
};

static void *attempt_run(void *arg)
{
	struct attempt *attempt = arg;

	attempt->result = arrival_new(attempt->bytes, &place, &attempt->got, &attempt->refusal);
	return NULL;
}

/* With a stack on which nobody can call himself often. */
static struct attempt attempt(struct tg_bytes bytes)
{
	struct attempt made = {.bytes = bytes};
	pthread_attr_t attributes;
	pthread_t thread;

	ck_assert_int_eq(pthread_attr_init(&attributes), 0);
	ck_assert_int_eq(pthread_attr_setstacksize(&attributes, SMALL_STACK), 0);
	ck_assert_int_eq(pthread_create(&thread, &attributes, attempt_run, &made), 0);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	pthread_attr_destroy(&attributes);
	return made;
}

/* The size of four bytes that everything behind this place has. */
static void put_size(uint8_t *at, size_t size)
{
	for (int i = 3; i >= 0; i--, size >>= 8)
		at[i] = (uint8_t)size;
}

/* A section, all of it lists in lists, arrays in arrays, or what is described, described and described again. */
static size_t put_nested(uint8_t *out, uint8_t section, uint8_t code, size_t size)
{
	size_t at = 3;

	memcpy(out, (uint8_t[]){0, 0x53, section}, 3);
	memset(out + at, 0, size - at);
	while (code && at + 9 <= size) {
		out[at] = code;
		put_size(out + at + 1, size - at - 5);
		put_size(out + at + 5, 1);
		at += 9;
	}
	for (; !code && at + 3 <= size; at += 3)
		memcpy(out + at, (uint8_t[]){0, 0x53, 0x70}, 3);
	while (code == 0 && at > 3 && at < size)
		out[at++] = 0x40;
	return size;
}

/* As deep as a message can be: what is not looked at is passed over, what is looked at is refused. */
START_TEST(depth_costs_no_stack)
{
	static const uint8_t sections[] = {0x70, 0x71, 0x72, 0x73, 0x74, 0x75, 0x76, 0x77, 0x78};
	static const uint8_t codes[] = {0xc0, 0xd0, 0xd1, 0xe0, 0xf0, 0x00};
	uint8_t *bytes = malloc(GIANT);

	ck_assert_ptr_nonnull(bytes);
	for (size_t i = 0; i < sizeof(sections) * sizeof(codes); i++) {
		size_t size = put_nested(bytes, sections[i / sizeof(codes)], codes[i % sizeof(codes)], GIANT);
		struct attempt made = attempt((struct tg_bytes){.data = bytes, .size = size});

		ck_assert(made.result == 0 || made.refusal != NULL);
		arrival_free(made.got);
	}
	free(bytes);
}
END_TEST

/* Annotations and a footer that are maps all right, deep inside, and a body behind them. */
START_TEST(what_is_not_wanted_is_passed_over)
{
	static const uint8_t body[] = {0, 0x53, 0x75, 0xa0, 2, 'o', 'k'};
	static const uint8_t properties[] = {0,   0x53, 0x74, 0xc1, 33,  6,    0xa1, 1,    'x', 0xc0, 3,    1,   0xc0,
					     0,   0xa1, 6,    'm',  'e', 't',  'h',  'o',  'd', 0xa3, 3,    'G', 'E',
					     'T', 0xa1, 1,    'y',  0,   0x53, 1,    0xe0, 3,   1,    0x50, 7};
	uint8_t *bytes = malloc(GIANT + sizeof(body) + sizeof(properties));
	struct attempt made;
	size_t size;

	ck_assert_ptr_nonnull(bytes);
	size = put_nested(bytes, 0x72, 0xd1, GIANT - 4096);
	memcpy(bytes + size, properties, sizeof(properties));
	memcpy(bytes + size + sizeof(properties), body, sizeof(body));
	made = attempt((struct tg_bytes){.data = bytes, .size = size + sizeof(properties) + sizeof(body)});
	ck_assert_msg(made.result == 0, "%s", made.refusal);
	expect_bytes(made.got->submission.payload, "ok");
	ck_assert_uint_eq(made.got->submission.method, TG_METHOD_GET);
	arrival_free(made.got);
	free(bytes);
}
END_TEST

/* The smallest sections, as many as go into a message, are one payload; a body of two kinds is none. */
START_TEST(a_body_of_many_parts_is_one)
{
	static const uint8_t part[] = {0, 0x53, 0x75, 0xa0, 1, 'x'}, text[] = {0, 0x53, 0x77, 0xa1, 1, 'x'};
	uint8_t *bytes = malloc(GIANT);
	size_t size = 0, parts = 0;
	struct attempt made;

	ck_assert_ptr_nonnull(bytes);
	for (; size + sizeof(part) <= GIANT; size += sizeof(part), parts++)
		memcpy(bytes + size, part, sizeof(part));
	made = attempt((struct tg_bytes){.data = bytes, .size = size});
	ck_assert_msg(made.result == 0, "%s", made.refusal);
	ck_assert_uint_eq(made.got->submission.payload.size, parts);
	arrival_free(made.got);
	for (int i = 0; i < 3; i++) {
		memcpy(bytes, i == 1 ? text : part, sizeof(part));
		memcpy(bytes + sizeof(part), i == 0 ? part : text, sizeof(part));
		made = attempt((struct tg_bytes){.data = bytes, .size = 2 * sizeof(part)});
		ck_assert_int_eq(made.result, i == 0 ? 0 : -EBADMSG);
		arrival_free(made.got);
	}
	free(bytes);
}
END_TEST

/* Where a reply goes to is a text; it is written into an ATTACH. */
START_TEST(an_address_for_the_reply_is_text)
{
	static const char *const addresses[] = {"replies", "repl\xff", "repl\ny", "repl\x1b[2J"};

	for (size_t i = 0; i < 4; i++) {
		uint8_t bytes[64] = {0, 0x53, 0x73, 0xc0, 0, 5, 0x40, 0x40, 0x40, 0x40, 0xa1};
		size_t size = strlen(addresses[i]);
		struct attempt made;

		bytes[4] = (uint8_t)(7 + size);
		bytes[11] = (uint8_t)size;
		memcpy(bytes + 12, addresses[i], size);
		memcpy(bytes + 12 + size, (uint8_t[]){0, 0x53, 0x75, 0xa0, 0}, 5);
		made = attempt((struct tg_bytes){.data = bytes, .size = 17 + size});
		ck_assert_int_eq(made.result, i == 0 ? 0 : -EMSGSIZE);
		if (i > 0)
			ck_assert_str_eq(made.refusal, "reply-to is not UTF-8 without control characters");
		arrival_free(made.got);
	}
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
	   depth_costs_no_stack, what_is_not_wanted_is_passed_over, a_body_of_many_parts_is_one,
	   an_address_for_the_reply_is_text, broken_messages_do_no_harm)
