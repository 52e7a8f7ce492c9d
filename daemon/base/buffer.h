/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_BUFFER_H
#define BASE_BUFFER_H

/*
 * A bounded queue of bytes: appended at the end, consumed from the start. Grows by doubling up to its limit and gives
 * memory back when it runs empty after having been large.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <tidegate/message.h>

#include "base/cleanup.h"

struct buffer {
	uint8_t *data;
	size_t start;
	size_t end;
	size_t capacity;
	size_t limit;
	bool secret; /* keys go through it: what is consumed or moved is overwritten. Set it after buffer_init */
};

/* Units: bytes. */
void buffer_init(struct buffer *buffer, size_t limit);
void buffer_done(struct buffer *buffer);

static inline size_t buffer_size(const struct buffer *buffer)
{
	return buffer->end - buffer->start;
}

static inline const uint8_t *buffer_data(const struct buffer *buffer)
{
	return buffer->data + buffer->start;
}

static inline struct tg_bytes bytes_of_buffer(const struct buffer *buffer)
{
	return (struct tg_bytes){.data = buffer->data + buffer->start, .size = buffer_size(buffer)};
}

/* Room for `size` more bytes at the end, to be filled and then given to buffer_commit.
 * Errors: NULL: over the limit or out of memory; the buffer is unchanged. */
uint8_t *buffer_reserve(struct buffer *buffer, size_t size) WARN_UNUSED;
void buffer_commit(struct buffer *buffer, size_t size);

/* Errors: -ENOBUFS: over the limit; -ENOMEM. */
int buffer_append(struct buffer *buffer, const void *data, size_t size) WARN_UNUSED;
void buffer_consume(struct buffer *buffer, size_t size);

#endif
