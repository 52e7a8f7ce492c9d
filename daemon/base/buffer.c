/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buffer.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

enum { SMALLEST_BYTES = 4096, KEEP_BYTES = 256 * 1024 };

void buffer_init(struct buffer *buffer, size_t limit)
{
	*buffer = (struct buffer){.limit = limit};
}

static void wipe(const struct buffer *buffer, size_t from, size_t to)
{
	if (buffer->secret && from < to)
		explicit_bzero(buffer->data + from, to - from);
}

void buffer_done(struct buffer *buffer)
{
	wipe(buffer, buffer->start, buffer->end);
	free(buffer->data);
	*buffer = (struct buffer){.limit = buffer->limit, .secret = buffer->secret};
}

static void shift_to_front(struct buffer *buffer)
{
	if (buffer->start == 0)
		return;
	memmove(buffer->data, buffer_data(buffer), buffer_size(buffer));
	wipe(buffer, buffer_size(buffer) > buffer->start ? buffer_size(buffer) : buffer->start, buffer->end);
	buffer->end -= buffer->start;
	buffer->start = 0;
}

/* realloc, which may leave what it moves behind. */
static bool grow(struct buffer *buffer, size_t capacity)
{
	uint8_t *data = buffer->secret ? malloc(capacity) : realloc(buffer->data, capacity);

	if (!data)
		return false;
	if (buffer->secret && buffer->data) {
		memcpy(data, buffer->data, buffer->end);
		wipe(buffer, 0, buffer->end);
		free(buffer->data);
	}
	buffer->data = data;
	buffer->capacity = capacity;
	return true;
}

uint8_t *buffer_reserve(struct buffer *buffer, size_t size)
{
	size_t used = buffer_size(buffer);
	size_t capacity = buffer->capacity;

	if (size > buffer->limit || used > buffer->limit - size)
		return NULL;
	if (buffer->capacity - buffer->end >= size && buffer->data)
		return buffer->data + buffer->end;
	if (buffer->data && used + size <= capacity && buffer->start >= used) {
		shift_to_front(buffer);
		return buffer->data + buffer->end;
	}
	if (capacity < SMALLEST_BYTES)
		capacity = SMALLEST_BYTES;
	while (capacity < used + size)
		capacity *= 2;
	if (buffer->data)
		shift_to_front(buffer);
	if (capacity > buffer->capacity && !grow(buffer, capacity))
		return NULL;
	return buffer->data + buffer->end;
}

void buffer_commit(struct buffer *buffer, size_t size)
{
	assert(size <= buffer->capacity - buffer->end);
	buffer->end += size;
}

int buffer_append(struct buffer *buffer, const void *data, size_t size)
{
	uint8_t *room;

	if (size == 0)
		return 0;
	if (size > buffer->limit || buffer_size(buffer) > buffer->limit - size)
		return -ENOBUFS;
	room = buffer_reserve(buffer, size);
	if (!room)
		return -ENOMEM;
	memcpy(room, data, size);
	buffer_commit(buffer, size);
	return 0;
}

void buffer_consume(struct buffer *buffer, size_t size)
{
	assert(size <= buffer_size(buffer));
	wipe(buffer, buffer->start, buffer->start + size);
	buffer->start += size;
	if (buffer->start < buffer->end)
		return;
	buffer->start = buffer->end = 0;
	if (buffer->capacity > KEEP_BYTES)
		buffer_done(buffer);
}
