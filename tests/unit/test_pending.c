/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "endpoint/pending.h"
#include "suite.h"

START_TEST(a_number_names_its_value_once)
{
	struct slots slots;
	uint64_t a, b, value;

	slots_init(&slots, 100);
	ck_assert_int_eq(slots_put(&slots, 11, &a), 0);
	ck_assert_int_eq(slots_put(&slots, 22, &b), 0);
	ck_assert_uint_ne(a, b);
	ck_assert_int_eq(slots_take(&slots, a, &value), 0);
	ck_assert_uint_eq(value, 11);
	ck_assert_int_eq(slots_take(&slots, a, &value), -ENOENT);
	ck_assert_int_eq(slots_take(&slots, 0, &value), -ENOENT);
	ck_assert_int_eq(slots_take(&slots, UINT64_MAX, &value), -ENOENT);
	ck_assert_int_eq(slots_put(&slots, 33, &value), 0);
	ck_assert_uint_ne(value, a); /* though it has the same place */
	ck_assert_int_eq(slots_take(&slots, a, &value), -ENOENT);
	slots_done(&slots);
}
END_TEST

START_TEST(slots_grow_to_their_limit)
{
	static uint64_t numbers[1000];
	struct slots slots;
	uint64_t value;
	size_t place = 0, n = 0;

	slots_init(&slots, 1000);
	for (uint64_t i = 0; i < 1000; i++)
		ck_assert_int_eq(slots_put(&slots, i, &numbers[i]), 0);
	ck_assert_int_eq(slots_put(&slots, 1, &value), -ENOBUFS);
	for (uint64_t i = 0; i < 1000; i += 2) {
		ck_assert_int_eq(slots_take(&slots, numbers[i], &value), 0);
		ck_assert_uint_eq(value, i);
	}
	for (uint64_t i = 0; i < 500; i++)
		ck_assert_int_eq(slots_put(&slots, i, &numbers[i]), 0);
	ck_assert_int_eq(slots_put(&slots, 1, &value), -ENOBUFS);
	while (slots_take_next(&slots, &place, &value) >= 0)
		n++;
	ck_assert_uint_eq(n, 1000);
	ck_assert_int_eq(slots_put(&slots, 1, &value), 0);
	slots_done(&slots);
}
END_TEST

static int add(struct pending *pending, uint64_t token, const char *payload, struct pending_message **ret_message)
{
	const struct tg_submission submission = {.size = sizeof(submission),
						 .kind = TG_TELEMETRY,
						 .token = token,
						 .device = bytes_text("dev"),
						 .path = bytes_text("a/b"),
						 .content_format = 50,
						 .payload = bytes_text(payload)};

	return pending_add(pending, &submission, ret_message);
}

START_TEST(messages_keep_their_order_and_bytes)
{
	struct pending_message *m, *taken;
	uint64_t numbers[3];
	struct pending pending;
	uint64_t order = 0;

	pending_init(&pending, 10, 10000);
	for (uint64_t i = 0; i < 3; i++) {
		ck_assert_int_eq(add(&pending, 100 + i, i == 1 ? "" : "21.5", &m), 0);
		numbers[i] = m->number;
	}
	taken = pending_take(&pending, numbers[0]);
	ck_assert_ptr_nonnull(taken);
	ck_assert_uint_eq(taken->token, 100);
	ck_assert_int_eq(taken->content_format, 50);
	ck_assert(bytes_equal(taken->device, bytes_text("dev")));
	ck_assert(bytes_equal(taken->path, bytes_text("a/b")));
	ck_assert(bytes_equal(taken->payload, bytes_text("21.5")));
	free(taken);
	ck_assert_ptr_null(pending_take(&pending, numbers[0]));
	ck_assert_int_eq(add(&pending, 103, "x", &m), 0);
	TAILQ_FOREACH(m, &pending.list, link)
	ck_assert_uint_eq(m->token, 101 + order++);
	ck_assert_uint_eq(order, 3);
	pending_done(&pending);
}
END_TEST

START_TEST(messages_are_bounded_in_number)
{
	struct pending_message *m;
	struct pending pending;

	pending_init(&pending, 3, 1000000);
	for (uint64_t i = 0; i < 3; i++)
		ck_assert_int_eq(add(&pending, i, "x", &m), 0);
	ck_assert_int_eq(add(&pending, 3, "x", &m), -ENOBUFS);
	free(pending_take(&pending, m->number));
	ck_assert_int_eq(add(&pending, 4, "x", &m), 0);
	pending_done(&pending);
}
END_TEST

START_TEST(messages_are_bounded_in_bytes)
{
	struct pending_message *m;
	struct pending pending;
	char large[400];

	memset(large, 'x', sizeof(large) - 1);
	large[sizeof(large) - 1] = 0;
	pending_init(&pending, 100, 1050);
	ck_assert_int_eq(add(&pending, 1, large, &m), 0);
	ck_assert_int_eq(add(&pending, 2, large, &m), 0);
	ck_assert_int_eq(add(&pending, 3, large, &m), -ENOBUFS);
	free(pending_take(&pending, m->number));
	ck_assert_int_eq(add(&pending, 4, large, &m), 0);
	pending_done(&pending);
}
END_TEST

SUITE_MAIN("pending", a_number_names_its_value_once, slots_grow_to_their_limit, messages_keep_their_order_and_bytes,
	   messages_are_bounded_in_number, messages_are_bounded_in_bytes)
