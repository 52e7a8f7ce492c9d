/* SPDX-License-Identifier: Apache-2.0 */
#include "queue.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void queue_init(struct queue *queue, size_t count_limit, size_t bytes_limit)
{
	*queue = (struct queue){.count_limit = count_limit, .bytes_limit = bytes_limit};
	queue->last = &queue->first;
}

static struct tg_bytes queue_copy(char **p, struct tg_bytes bytes)
{
	struct tg_bytes copy = {.data = *p, .size = bytes.size};

	if (bytes.size > 0)
		memcpy(*p, bytes.data, bytes.size);
	*p += bytes.size;
	return copy;
}

int queue_push(struct queue *queue, const struct tg_delivery *delivery, int64_t now_us)
{
	size_t size = sizeof(struct queue_item) + delivery->device.size + delivery->address.size +
		      delivery->payload.size + delivery->path.size + delivery->correlation.size;
	struct queue_item *item;
	char *p;

	if (queue->count > 0 && (queue->count >= queue->count_limit || queue->bytes + size > queue->bytes_limit))
		return -EAGAIN;
	item = malloc(size);
	if (!item)
		return -ENOMEM;
	item->next = NULL;
	item->queued_us = now_us;
	item->size = size;
	item->copy = *delivery;
	p = (char *)(item + 1);
	item->copy.device = queue_copy(&p, delivery->device);
	item->copy.address = queue_copy(&p, delivery->address);
	item->copy.payload = queue_copy(&p, delivery->payload);
	item->copy.path = queue_copy(&p, delivery->path);
	item->copy.correlation = queue_copy(&p, delivery->correlation);
	*queue->last = item;
	queue->last = &item->next;
	queue->count++;
	queue->bytes += size;
	return 0;
}

void queue_pop(struct queue *queue)
{
	struct queue_item *item = queue->first;

	queue->first = item->next;
	if (!queue->first)
		queue->last = &queue->first;
	queue->count--;
	queue->bytes -= item->size;
	free(item);
}

void queue_clear(struct queue *queue)
{
	while (queue->first)
		queue_pop(queue);
}
