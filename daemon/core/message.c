/* SPDX-License-Identifier: Apache-2.0 */
#include "core/message.h"

#include <stdatomic.h>
#include <string.h>

/* What the owners see is const; the count in front of it is not part of that. */
struct shared {
	atomic_uint references;
	struct message message;
	uint8_t data[];
};

static struct shared *shared_of(const struct message *message)
{
	return (struct shared *)((uintptr_t)message - offsetof(struct shared, message));
}

static struct tg_bytes copy_bytes(struct tg_bytes from, uint8_t **to)
{
	struct tg_bytes copy = {.data = *to, .size = from.size};

	if (from.size)
		memcpy(*to, from.data, from.size);
	*to += from.size;
	return copy;
}

static size_t bytes_size(const struct message *message)
{
	return message->device.size + message->path.size + message->payload.size + message->reply_to.size +
	       message->reply_endpoint.size + message->correlation.size;
}

struct message *message_new(const struct message *parts)
{
	struct shared *shared = malloc(sizeof(*shared) + bytes_size(parts));
	uint8_t *to;

	if (!shared)
		return NULL;
	to = shared->data;
	atomic_init(&shared->references, 1);
	shared->message = *parts;
	shared->message.device = copy_bytes(parts->device, &to);
	shared->message.path = copy_bytes(parts->path, &to);
	shared->message.payload = copy_bytes(parts->payload, &to);
	shared->message.reply_to = copy_bytes(parts->reply_to, &to);
	shared->message.reply_endpoint = copy_bytes(parts->reply_endpoint, &to);
	shared->message.correlation = copy_bytes(parts->correlation, &to);
	return &shared->message;
}

struct message *message_of_submit(const struct frame_submit *submit, int64_t taken_us)
{
	struct message parts = {
		.kind = submit->kind,
		.content_format = submit->content_format,
		.time_wall_us = submit->time_wall_us,
		.taken_us = taken_us,
		.device = submit->device,
		.path = submit->path,
		.payload = submit->payload,
		.method = submit->method,
		.reply_to = submit->reply_to,
		.correlation = submit->correlation,
		.expiry_s = submit->expiry_s,
		.repeated = submit->repeated,
	};

	memcpy(parts.id, submit->id, sizeof(parts.id));
	return message_new(&parts);
}

const struct message *message_ref(const struct message *message)
{
	atomic_fetch_add_explicit(&shared_of(message)->references, 1, memory_order_relaxed);
	return message;
}

void message_unref(const struct message *message)
{
	if (message && atomic_fetch_sub_explicit(&shared_of(message)->references, 1, memory_order_acq_rel) == 1)
		free(shared_of(message));
}

size_t message_size(const struct message *message)
{
	return sizeof(struct shared) + bytes_size(message);
}
