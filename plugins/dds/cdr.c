/* SPDX-License-Identifier: Apache-2.0 */
#include "cdr.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The numbers of section 7.6.2.1.2; the lowest bit says little endian. */
enum { CDR1 = 0x00, CDR2 = 0x06, CDR2_DELIMITED = 0x08, CDR2_LIST = 0x0a };

int cdr_reader_init(struct cdr_reader *reader, const void *payload, size_t size)
{
	const uint8_t *bytes = payload;
	unsigned id;

	if (size < CDR_HEADER || bytes[0] != 0)
		return -EBADMSG;
	id = bytes[1] & 0xfeu;
	if (id != CDR1 && id != CDR2 && id != CDR2_DELIMITED && id != CDR2_LIST)
		return -EBADMSG;
	*reader = (struct cdr_reader){
		.data = bytes + CDR_HEADER,
		.size = size - CDR_HEADER,
		.big = !(bytes[1] & 1),
		.mutable = id == CDR2_LIST,
		.version = id == CDR1 ? 1 : 2,
	};
	return 0;
}

static size_t aligned(size_t pos, unsigned width, unsigned version)
{
	size_t to = version == 2 && width > 4 ? 4 : width;

	return (pos + to - 1) & ~(to - 1);
}

int cdr_read(struct cdr_reader *reader, unsigned width, uint64_t *ret_value)
{
	size_t pos = aligned(reader->pos, width, reader->version);
	const uint8_t *at;
	uint64_t value = 0;

	if (pos > reader->size || width > reader->size - pos)
		return -EBADMSG;
	at = reader->data + pos;
	for (unsigned i = 0; i < width; i++)
		value = value << 8 | at[reader->big ? i : width - 1 - i];
	reader->pos = pos + width;
	*ret_value = value;
	return 0;
}

int cdr_read_bytes(struct cdr_reader *reader, size_t n, const uint8_t **ret_bytes)
{
	if (n > reader->size - reader->pos)
		return -EBADMSG;
	*ret_bytes = reader->data + reader->pos;
	reader->pos += n;
	return 0;
}

int cdr_read_length(struct cdr_reader *reader, size_t *ret_end)
{
	uint64_t length;
	int r = cdr_read(reader, 4, &length);

	if (r < 0 || length > reader->size - reader->pos)
		return -EBADMSG;
	*ret_end = reader->pos + (size_t)length;
	return 0;
}

void cdr_writer_init(struct cdr_writer *writer, unsigned version, size_t limit)
{
	*writer = (struct cdr_writer){.version = version, .limit = limit};
}

void cdr_writer_done(struct cdr_writer *writer)
{
	free(writer->data);
	*writer = (struct cdr_writer){.version = 0};
}

/* Room for `n` more, set to zero; the header's comes by itself. */
static int grow(struct cdr_writer *writer, size_t n)
{
	size_t capacity = writer->capacity ? writer->capacity : 256;
	size_t size = writer->size ? writer->size : CDR_HEADER;
	uint8_t *data;

	if (size > writer->limit || n > writer->limit - size)
		return -E2BIG;
	while (capacity < size + n)
		capacity *= 2;
	if (capacity > writer->capacity) {
		data = realloc(writer->data, capacity);
		if (!data)
			return -ENOMEM;
		writer->data = data;
		writer->capacity = capacity;
	}
	if (!writer->size)
		memset(writer->data, 0, CDR_HEADER);
	memset(writer->data + size, 0, n);
	writer->size = size + n;
	return 0;
}

static int align(struct cdr_writer *writer, unsigned width)
{
	size_t pos = writer->size ? writer->size - CDR_HEADER : 0;

	return grow(writer, aligned(pos, width, writer->version) - pos);
}

int cdr_write(struct cdr_writer *writer, unsigned width, uint64_t value)
{
	int r = align(writer, width);

	if (r >= 0)
		r = grow(writer, width);
	if (r < 0)
		return r;
	for (unsigned i = 0; i < width; i++) {
		unsigned shift = 8 * (__BYTE_ORDER == __BIG_ENDIAN ? width - 1 - i : i);

		writer->data[writer->size - width + i] = (uint8_t)(value >> shift);
	}
	return 0;
}

int cdr_write_bytes(struct cdr_writer *writer, const void *bytes, size_t n)
{
	int r = grow(writer, n);

	if (r >= 0 && n)
		memcpy(writer->data + writer->size - n, bytes, n);
	return r;
}

int cdr_write_begin(struct cdr_writer *writer, size_t *ret_place)
{
	int r = cdr_write(writer, 4, 0);

	if (r >= 0)
		*ret_place = writer->size - 4;
	return r;
}

void cdr_write_at(struct cdr_writer *writer, size_t place, uint32_t value)
{
	memcpy(writer->data + place, &value, sizeof(value));
}

void cdr_write_end(struct cdr_writer *writer, size_t place)
{
	cdr_write_at(writer, place, (uint32_t)(writer->size - place - 4));
}

int cdr_write_header(struct cdr_writer *writer, enum cdr_layout layout)
{
	static const uint8_t version2[] = {CDR2, CDR2_DELIMITED, CDR2_LIST};
	size_t before = writer->size ? writer->size : CDR_HEADER;
	int r = grow(writer, -before & 3);

	if (r < 0)
		return r;
	writer->data[1] = writer->version == 2 ? version2[layout] : CDR1;
	if (__BYTE_ORDER == __LITTLE_ENDIAN)
		writer->data[1] |= 1;
	writer->data[3] = (uint8_t)(writer->size - before);
	return 0;
}
