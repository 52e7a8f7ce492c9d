/* SPDX-License-Identifier: Apache-2.0 */
#include "suite.h"

#include <errno.h>
#include <string.h>

#include "common/queue.h"
#include "mqtt/window.h"

static void add(struct window *window, uint16_t mid, uint64_t ticket, int64_t now_us)
{
	window_add(window, &(struct window_entry){.mid = mid, .ticket = ticket, .sent_us = now_us});
}

START_TEST(answers_in_order)
{
	struct window window;
	struct window_entry entry;

	ck_assert_int_eq(window_init(&window, 3), 0);
	ck_assert_int_eq(window_oldest_us(&window), 0);
	for (unsigned i = 0; i < 200000; i++) {
		uint16_t mid = (uint16_t)(i % 65535 + 1);

		ck_assert(window_has_room(&window));
		add(&window, mid, i, i + 1);
		if (i < 2)
			continue;
		ck_assert(!window_has_room(&window));
		ck_assert_int_eq(window_oldest_us(&window), i - 1);
		ck_assert(window_take(&window, (uint16_t)((i - 2) % 65535 + 1), &entry));
		ck_assert_uint_eq(entry.ticket, i - 2);
		ck_assert_uint_eq(window.waiting, 2);
	}
	window_done(&window);
}
END_TEST

START_TEST(answers_in_any_order)
{
	struct window window;
	struct window_entry entry;

	ck_assert_int_eq(window_init(&window, 4), 0);
	for (uint16_t mid = 1; mid <= 4; mid++)
		window_add(&window, &(struct window_entry){
					    .mid = mid, .ticket = mid * 10u, .own = mid == 2, .sent_us = mid * 100});
	ck_assert(!window_take(&window, 9, &entry));
	ck_assert(window_take(&window, 3, &entry));
	ck_assert_uint_eq(entry.ticket, 30);
	ck_assert(!entry.own);
	ck_assert(!window_take(&window, 3, &entry));
	ck_assert_int_eq(window_oldest_us(&window), 100);
	ck_assert(window_take(&window, 1, &entry));
	ck_assert_int_eq(window_oldest_us(&window), 200);
	ck_assert(window_take(&window, 2, &entry));
	ck_assert(entry.own);
	ck_assert_int_eq(window_oldest_us(&window), 400);
	ck_assert_uint_eq(window.waiting, 1);
	ck_assert(window_take_sent(&window, 0, &entry));
	ck_assert_uint_eq(entry.ticket, 40);
	ck_assert(!window_take_sent(&window, 0, &entry));
	ck_assert_uint_eq(window.used, 0);
	window_done(&window);
}
END_TEST

START_TEST(what_was_sent_leaves_in_order)
{
	struct window window;
	struct window_entry entry;

	ck_assert_int_eq(window_init(&window, 4), 0);
	for (unsigned i = 1; i <= 3; i++)
		window_add(&window, &(struct window_entry){.ticket = i, .end = i * 100, .sent_us = i});
	ck_assert(!window_take_sent(&window, 99, &entry));
	ck_assert(window_take_sent(&window, 250, &entry));
	ck_assert_uint_eq(entry.ticket, 1);
	ck_assert(window_take_sent(&window, 250, &entry));
	ck_assert_uint_eq(entry.ticket, 2);
	ck_assert(!window_take_sent(&window, 250, &entry));
	ck_assert_int_eq(window_oldest_us(&window), 3);
	ck_assert(window_take_sent(&window, 300, &entry));
	ck_assert(!window_take_sent(&window, 300, &entry));
	window_done(&window);
}
END_TEST

/* One that is never answered holds the others up only when the ring is full. */
START_TEST(a_late_answer_stops_the_rest_at_last)
{
	struct window window;
	struct window_entry entry;
	uint16_t mid = 1;

	ck_assert_int_eq(window_init(&window, 4), 0);
	add(&window, mid++, 0, 1);
	while (window_has_room(&window)) {
		add(&window, mid, mid, mid);
		ck_assert(window_take(&window, mid, &entry));
		mid++;
		ck_assert_uint_lt(mid, 100);
	}
	ck_assert_uint_ge(mid, 16);
	ck_assert_int_eq(window_oldest_us(&window), 1);
	ck_assert(window_take(&window, 1, &entry));
	ck_assert_uint_eq(window.used, 0);
	window_done(&window);
}
END_TEST

/* Its packet id must not come round meanwhile. */
START_TEST(a_late_answer_in_the_largest_window)
{
	struct window window;
	struct window_entry entry;
	unsigned sent = 1;

	ck_assert_int_eq(window_init(&window, 10000), 0);
	add(&window, 1, 1, 1);
	while (window_has_room(&window)) {
		ck_assert_uint_lt(++sent, 65536);
		add(&window, (uint16_t)sent, sent, sent);
		ck_assert(window_take(&window, (uint16_t)sent, &entry));
	}
	ck_assert_uint_gt(sent, 30000);
	ck_assert(window_take(&window, 1, &entry));
	ck_assert_uint_eq(entry.ticket, 1);
	window_done(&window);
}
END_TEST

static struct tg_delivery delivery_of(const char *payload, size_t size)
{
	return (struct tg_delivery){.device = {"d", 1},
				    .address = {"a/b", 3},
				    .path = {"p", 1},
				    .correlation = {"\0c", 2},
				    .payload = {payload, size},
				    .ticket = size};
}

START_TEST(a_queue_keeps_copies_in_order)
{
	struct queue queue;
	char payload[] = "123";
	struct tg_delivery delivery = delivery_of(payload, 3), empty = delivery_of(NULL, 0);

	queue_init(&queue, 3, 100000);
	ck_assert(queue_is_empty(&queue));
	ck_assert_int_eq(queue_push(&queue, &delivery, 5), 0);
	ck_assert_int_eq(queue_push(&queue, &empty, 6), 0);
	payload[0] = 'x';
	ck_assert_uint_eq(queue.first->copy.payload.size, 3);
	ck_assert_int_eq(memcmp(queue.first->copy.payload.data, "123", 3), 0);
	ck_assert_int_eq(memcmp(queue.first->copy.address.data, "a/b", 3), 0);
	ck_assert_int_eq(memcmp(queue.first->copy.device.data, "d", 1), 0);
	ck_assert_int_eq(memcmp(queue.first->copy.path.data, "p", 1), 0);
	ck_assert_uint_eq(queue.first->copy.correlation.size, 2);
	ck_assert_int_eq(memcmp(queue.first->copy.correlation.data, "\0c", 2), 0);
	ck_assert_int_eq(queue.first->queued_us, 5);
	queue_pop(&queue);
	ck_assert_uint_eq(queue.first->copy.payload.size, 0);
	ck_assert_uint_eq(queue.first->copy.ticket, 0);
	queue_pop(&queue);
	ck_assert(queue_is_empty(&queue));
	ck_assert_uint_eq(queue.bytes, 0);
	ck_assert_int_eq(queue_push(&queue, &delivery, 7), 0);
	queue_clear(&queue);
	ck_assert(queue_is_empty(&queue));
}
END_TEST

START_TEST(a_queue_is_bounded)
{
	static char large[4000];
	struct queue queue;
	struct tg_delivery delivery = delivery_of(large, sizeof(large));

	queue_init(&queue, 3, 10000);
	ck_assert_int_eq(queue_push(&queue, &delivery, 1), 0);
	ck_assert_int_eq(queue_push(&queue, &delivery, 1), 0);
	ck_assert_int_eq(queue_push(&queue, &delivery, 1), -EAGAIN);
	delivery.payload.size = 0;
	ck_assert_int_eq(queue_push(&queue, &delivery, 1), 0);
	ck_assert_int_eq(queue_push(&queue, &delivery, 1), -EAGAIN);
	queue_clear(&queue);
	/* One that is larger than the limit alone must pass, or it would wait for ever. */
	queue_init(&queue, 3, 100);
	delivery.payload.size = sizeof(large);
	ck_assert_int_eq(queue_push(&queue, &delivery, 1), 0);
	ck_assert_int_eq(queue_push(&queue, &delivery, 1), -EAGAIN);
	queue_clear(&queue);
}
END_TEST

SUITE_MAIN("mqtt_window", answers_in_order, answers_in_any_order, what_was_sent_leaves_in_order,
	   a_late_answer_stops_the_rest_at_last, a_late_answer_in_the_largest_window, a_queue_keeps_copies_in_order,
	   a_queue_is_bounded)
