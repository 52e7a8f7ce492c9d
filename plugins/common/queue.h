/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COMMON_QUEUE_H
#define COMMON_QUEUE_H

/* Deliveries that wait for room in the window: copies, in order, bounded in number and bytes. */

#include <stdbool.h>
#include <stddef.h>
#include <tidegate/message.h>

struct queue_item {
	struct queue_item *next;
	int64_t queued_us;
	size_t size;             /* of everything below. Units: bytes */
	struct tg_delivery copy; /* points behind itself */
};

struct queue {
	struct queue_item *first;
	struct queue_item **last;
	size_t count;
	size_t bytes;
	size_t count_limit;
	size_t bytes_limit;
};

void queue_init(struct queue *queue, size_t count_limit, size_t bytes_limit);

/* Errors: -EAGAIN: full, but an empty queue takes anything; -ENOMEM. */
int queue_push(struct queue *queue, const struct tg_delivery *delivery, int64_t now_us);
/* Removes the first, which must be there. */
void queue_pop(struct queue *queue);
void queue_clear(struct queue *queue);

static inline bool queue_is_empty(const struct queue *queue)
{
	return queue->count == 0;
}

#endif
