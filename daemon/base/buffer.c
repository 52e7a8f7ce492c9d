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

void buffer_done(struct buffer *buffer)
{
	free(buffer->data);
	buffer_init(buffer, buffer->limit);
}

static void shift_to_front(struct buffer *buffer)
{
	if (buffer->start == 0)
		return;
	memmove(buffer->data, buffer_data(buffer), buffer_size(buffer));
	buffer->end -= buffer->start;
	buffer->start = 0;
}

uint8_t *buffer_reserve(struct buffer *buffer, size_t size)
{
	size_t used = buffer_size(buffer);
	size_t capacity = buffer->capacity;
	uint8_t *data;

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
	if (capacity > buffer->capacity) {
		data = realloc(buffer->data, capacity);
		if (!data)
			return NULL;
		buffer->data = data;
		buffer->capacity = capacity;
	}
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
	buffer->start += size;
	if (buffer->start < buffer->end)
		return;
	buffer->start = buffer->end = 0;
	if (buffer->capacity > KEEP_BYTES)
		buffer_done(buffer);
}

void buffer_wipe(struct buffer *buffer)
{
	if (buffer->data)
		explicit_bzero(buffer->data, buffer->capacity);
}
