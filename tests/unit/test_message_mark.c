/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "core/message.h"
#include "suite.h"

/* What stands on disk of a command: read back from bytes that may be anything. */

enum { NAME_BYTES = 255, TRIES = 20000 };

static struct message *make(size_t reply, size_t name, size_t correlation)
{
	static uint8_t bytes[TG_REPLY_MAX + NAME_BYTES + TG_CORRELATION_MAX];
	struct message parts = {.id = {1, 2, 3},
				.kind = TG_RESPONSE,
				.method = TG_METHOD_IPATCH,
				.outcome = TG_OUTCOME_EXPIRED,
				.code = 0x0201,
				.command = {9, 8, 7},
				.reply_to = bytes_of(bytes, reply),
				.reply_endpoint = bytes_of(bytes + reply, name),
				.correlation = bytes_of(bytes + reply + name, correlation)};

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 7 + i / 256);
	return message_new(&parts);
}

static void expect_same(const struct message *a, const struct message *b)
{
	ck_assert_int_eq(memcmp(a->id, b->id, TG_ID_SIZE), 0);
	ck_assert_int_eq(memcmp(a->command, b->command, TG_ID_SIZE), 0);
	ck_assert_uint_eq(a->method, b->method);
	ck_assert_uint_eq(a->outcome, b->outcome);
	ck_assert_uint_eq(a->code, b->code);
	ck_assert(bytes_equal(a->reply_to, b->reply_to));
	ck_assert(bytes_equal(a->reply_endpoint, b->reply_endpoint));
	ck_assert(bytes_equal(a->correlation, b->correlation));
}

START_TEST(test_reads_what_it_writes)
{
	static const size_t sizes[][3] = {{0, 0, 0},
					  {1, 0, 0},
					  {0, 1, 0},
					  {0, 0, 1},
					  {20, 5, 16},
					  {256, 0, 257},
					  {TG_REPLY_MAX, NAME_BYTES, TG_CORRELATION_MAX}};
	uint8_t room[MESSAGE_MARK_MAX];

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct message *message = make(sizes[i][0], sizes[i][1], sizes[i][2]), read = {.kind = TG_COMMAND};
		struct tg_bytes mark = message_mark(message, room);

		ck_assert_uint_eq(mark.size, message_mark_size(message));
		ck_assert_uint_le(mark.size, MESSAGE_MARK_MAX);
		ck_assert_int_eq(message_mark_read(mark, &read), 0);
		expect_same(message, &read);
		message_unref(message);
	}
}
END_TEST

/* A reading's mark is its id, whatever else is in it; as it has been from the first version on. */
START_TEST(test_a_reading_has_its_id)
{
	struct message parts = {.id = {4, 5}, .kind = TG_TELEMETRY, .reply_to = bytes_text("x")}, read = {.code = 0};
	uint8_t room[MESSAGE_MARK_MAX];
	struct tg_bytes mark = message_mark(&parts, room);

	ck_assert_uint_eq(mark.size, TG_ID_SIZE);
	ck_assert_uint_eq(message_mark_size(&parts), TG_ID_SIZE);
	ck_assert_int_eq(message_mark_read(mark, &read), 0);
	ck_assert_int_eq(memcmp(read.id, parts.id, TG_ID_SIZE), 0);
	ck_assert_uint_eq(read.reply_to.size, 0);
}
END_TEST

/* Reads a copy that has nothing behind it; what is taken is within all bounds, and says what stands there. */
static int try(const uint8_t *bytes, size_t size)
{
	uint8_t *copy = malloc(size ? size : 1), *room = malloc(MESSAGE_MARK_MAX);
	struct message read = {.kind = TG_COMMAND};
	int r;

	memcpy(copy, bytes, size);
	r = message_mark_read(bytes_of(copy, size), &read);
	if (r >= 0 && size > TG_ID_SIZE) {
		ck_assert_uint_le(message_mark_size(&read), MESSAGE_MARK_MAX);
		ck_assert(bytes_equal(message_mark(&read, room), bytes_of(copy, size)));
	}
	ck_assert(r == 0 || r == -EUCLEAN);
	free(copy);
	free(room);
	return r;
}

START_TEST(test_every_cut)
{
	struct message *message = make(20, 5, 16);
	uint8_t room[MESSAGE_MARK_MAX];
	struct tg_bytes mark = message_mark(message, room);
	const size_t head = TG_ID_SIZE + 8 + TG_ID_SIZE + 25;

	for (size_t size = 0; size <= mark.size; size++)
		ck_assert_int_eq(try(room, size), size == TG_ID_SIZE || size >= head ? 0 : -EUCLEAN);
	message_unref(message);
}
END_TEST

START_TEST(test_every_bit)
{
	struct message *messages[] = {make(20, 5, 16), make(TG_REPLY_MAX, NAME_BYTES, TG_CORRELATION_MAX),
				      make(0, 0, 0), make(600, 3, 900)};
	unsigned taken = 0, refused = 0;

	for (size_t i = 0; i < sizeof(messages) / sizeof(messages[0]); i++) {
		uint8_t room[MESSAGE_MARK_MAX];
		size_t size = message_mark(messages[i], room).size;

		for (size_t bit = 0; bit < 8 * size; bit++) {
			room[bit / 8] ^= (uint8_t)(1 << bit % 8);
			if (try(room, size) == 0)
				taken++;
			else
				refused++;
			room[bit / 8] ^= (uint8_t)(1 << bit % 8);
		}
		message_unref(messages[i]);
	}
	ck_assert_uint_gt(taken, 1000);
	ck_assert_uint_gt(refused, 50);
}
END_TEST

START_TEST(test_any_lengths)
{
	static uint8_t bytes[TG_ID_SIZE + 8 + TG_ID_SIZE + 70000];
	uint32_t random = 7;

	for (unsigned i = 0; i < TRIES; i++) {
		size_t size;

		for (size_t k = 0; k < 8; k++) {
			random = random * 1664525 + 1013904223;
			bytes[TG_ID_SIZE + 20 + k % 4] = (uint8_t)(random >> 24);
		}
		random = random * 1664525 + 1013904223;
		if (random >> 31)
			bytes[TG_ID_SIZE + 21] &= 0x11; /* lengths that may be */
		if (random >> 30 & 1)
			bytes[TG_ID_SIZE + 23] = 0;
		size = (random >> 8) % (random >> 29 & 1 ? 6000 : sizeof(bytes));
		(void)try(bytes, size);
	}
}
END_TEST

SUITE_MAIN("message_mark", test_reads_what_it_writes, test_a_reading_has_its_id, test_every_cut, test_every_bit,
	   test_any_lengths)
