/* SPDX-License-Identifier: Apache-2.0 */
#include "format/cbor_item.h"

#include <cbor.h>
#include <errno.h>
#include <math.h>
#include <string.h>

#include "base/bytes.h"

/* The library changed the type of lengths. */
#if CBOR_MAJOR_VERSION == 0 && CBOR_MINOR_VERSION < 10
typedef size_t cbor_item_length;
#else
typedef uint64_t cbor_item_length;
#endif

enum { HEAD_MAX = 9 };

static void on_number(void *arg, enum cbor_item_type type, uint64_t number)
{
	struct cbor_item *item = arg;

	item->type = type;
	item->number = number;
}

static void on_unsigned8(void *arg, uint8_t number)
{
	on_number(arg, CBOR_ITEM_UNSIGNED, number);
}

static void on_unsigned16(void *arg, uint16_t number)
{
	on_number(arg, CBOR_ITEM_UNSIGNED, number);
}

static void on_unsigned32(void *arg, uint32_t number)
{
	on_number(arg, CBOR_ITEM_UNSIGNED, number);
}

static void on_unsigned64(void *arg, uint64_t number)
{
	on_number(arg, CBOR_ITEM_UNSIGNED, number);
}

static void on_negative8(void *arg, uint8_t number)
{
	on_number(arg, CBOR_ITEM_NEGATIVE, number);
}

static void on_negative16(void *arg, uint16_t number)
{
	on_number(arg, CBOR_ITEM_NEGATIVE, number);
}

static void on_negative32(void *arg, uint32_t number)
{
	on_number(arg, CBOR_ITEM_NEGATIVE, number);
}

static void on_negative64(void *arg, uint64_t number)
{
	on_number(arg, CBOR_ITEM_NEGATIVE, number);
}

static void on_bytes(void *arg, cbor_data data, cbor_item_length size)
{
	struct cbor_item *item = arg;

	item->type = CBOR_ITEM_BYTES;
	item->bytes = bytes_of(data, size);
}

static void on_text(void *arg, cbor_data data, cbor_item_length size)
{
	struct cbor_item *item = arg;

	item->type = CBOR_ITEM_TEXT;
	item->bytes = bytes_of(data, size);
}

static void on_array(void *arg, cbor_item_length count)
{
	on_number(arg, CBOR_ITEM_ARRAY, count);
}

static void on_map(void *arg, cbor_item_length count)
{
	on_number(arg, CBOR_ITEM_MAP, count);
}

static void on_tag(void *arg, uint64_t tag)
{
	on_number(arg, CBOR_ITEM_TAG, tag);
}

static void on_double(void *arg, double real)
{
	struct cbor_item *item = arg;

	item->type = CBOR_ITEM_FLOAT;
	item->real = real;
}

static void on_float(void *arg, float real)
{
	on_double(arg, (double)real);
}

static void on_bool(void *arg, bool yes)
{
	struct cbor_item *item = arg;

	item->type = CBOR_ITEM_BOOL;
	item->yes = yes;
}

static void on_null(void *arg)
{
	on_number(arg, CBOR_ITEM_NULL, 0);
}

static void on_undefined(void *arg)
{
	on_number(arg, CBOR_ITEM_UNDEFINED, 0);
}

static void on_break(void *arg)
{
	on_number(arg, CBOR_ITEM_BREAK, 0);
}

static void on_open_bytes(void *arg)
{
	on_number(arg, CBOR_ITEM_OPEN_BYTES, 0);
}

static void on_open_text(void *arg)
{
	on_number(arg, CBOR_ITEM_OPEN_TEXT, 0);
}

static void on_open_array(void *arg)
{
	on_number(arg, CBOR_ITEM_OPEN_ARRAY, 0);
}

static void on_open_map(void *arg)
{
	on_number(arg, CBOR_ITEM_OPEN_MAP, 0);
}

static const struct cbor_callbacks callbacks = {
	.uint8 = on_unsigned8,
	.uint16 = on_unsigned16,
	.uint32 = on_unsigned32,
	.uint64 = on_unsigned64,
	.negint8 = on_negative8,
	.negint16 = on_negative16,
	.negint32 = on_negative32,
	.negint64 = on_negative64,
	.byte_string_start = on_open_bytes,
	.byte_string = on_bytes,
	.string = on_text,
	.string_start = on_open_text,
	.indef_array_start = on_open_array,
	.array_start = on_array,
	.indef_map_start = on_open_map,
	.map_start = on_map,
	.tag = on_tag,
	.float2 = on_float,
	.float4 = on_float,
	.float8 = on_double,
	.undefined = on_undefined,
	.null = on_null,
	.boolean = on_bool,
	.indef_break = on_break,
};

int cbor_item_next(struct tg_bytes *input, struct cbor_item *ret_item)
{
	struct cbor_item item = {.type = CBOR_ITEM_NULL};
	struct cbor_decoder_result result;

	if (input->size == 0)
		return -ENODATA;
	result = cbor_stream_decode(input->data, input->size, &callbacks, &item);
	if (result.status != CBOR_DECODER_FINISHED)
		return result.status == CBOR_DECODER_NEDATA ? -ENODATA : -EBADMSG;
	*input = bytes_of((const uint8_t *)input->data + result.read, input->size - result.read);
	*ret_item = item;
	return 0;
}

/* A normal half: 11 bits of mantissa, exponents from -14 to 15 (RFC 8949 section 3.3). Subnormal ones go as singles: the library
 * writes them wrong. */
static bool fits_half(double real)
{
	int exponent;
	double mantissa = ldexp(frexp(fabs(real), &exponent), 11);

	return real == 0 || (exponent >= -13 && exponent <= 16 && mantissa == floor(mantissa));
}

static size_t encode_float(double real, uint8_t *head)
{
	if (fits_half(real))
		return cbor_encode_half((float)real, head, HEAD_MAX);
	if (fabs(real) <= 3.4028234663852886e38 && (double)(float)real == real)
		return cbor_encode_single((float)real, head, HEAD_MAX);
	return cbor_encode_double(real, head, HEAD_MAX);
}

static size_t encode(const struct cbor_item *item, uint8_t *head)
{
	switch (item->type) {
	case CBOR_ITEM_UNSIGNED:
		return cbor_encode_uint(item->number, head, HEAD_MAX);
	case CBOR_ITEM_NEGATIVE:
		return cbor_encode_negint(item->number, head, HEAD_MAX);
	case CBOR_ITEM_BYTES:
		return cbor_encode_bytestring_start(item->bytes.size, head, HEAD_MAX);
	case CBOR_ITEM_TEXT:
		return cbor_encode_string_start(item->bytes.size, head, HEAD_MAX);
	case CBOR_ITEM_ARRAY:
		return cbor_encode_array_start((size_t)item->number, head, HEAD_MAX);
	case CBOR_ITEM_MAP:
		return cbor_encode_map_start((size_t)item->number, head, HEAD_MAX);
	case CBOR_ITEM_TAG:
		return cbor_encode_tag(item->number, head, HEAD_MAX);
	case CBOR_ITEM_FLOAT:
		return encode_float(item->real, head);
	case CBOR_ITEM_BOOL:
		return cbor_encode_bool(item->yes, head, HEAD_MAX);
	case CBOR_ITEM_NULL:
		return cbor_encode_null(head, HEAD_MAX);
	default:
		return cbor_encode_undef(head, HEAD_MAX);
	}
}

int cbor_item_append(struct buffer *buffer, const struct cbor_item *item)
{
	uint8_t head[HEAD_MAX];
	int r = buffer_append(buffer, head, encode(item, head));

	if (r >= 0 && (item->type == CBOR_ITEM_BYTES || item->type == CBOR_ITEM_TEXT))
		r = buffer_append(buffer, item->bytes.data, item->bytes.size);
	return r;
}
