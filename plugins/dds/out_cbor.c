/* SPDX-License-Identifier: Apache-2.0 */
#include <cbor/encoding.h>

#include "out_private.h"

enum { HEAD_MOST = 9 };

#define WITH_HEAD(out, call)                                                                                           \
	do {                                                                                                           \
		unsigned char *room = (unsigned char *)out_room((out), HEAD_MOST);                                     \
                                                                                                                       \
		if (room)                                                                                              \
			(out)->size += (call);                                                                         \
	} while (0)

void out_cbor_map(struct out *out)
{
	WITH_HEAD(out, cbor_encode_indef_map_start(room, HEAD_MOST));
}

void out_cbor_break(struct out *out)
{
	WITH_HEAD(out, cbor_encode_break(room, HEAD_MOST));
}

void out_cbor_array(struct out *out, size_t n)
{
	WITH_HEAD(out, cbor_encode_array_start(n, room, HEAD_MOST));
}

void out_cbor_uint(struct out *out, uint64_t value)
{
	WITH_HEAD(out, cbor_encode_uint(value, room, HEAD_MOST));
}

void out_cbor_int(struct out *out, int64_t value)
{
	if (value >= 0)
		out_cbor_uint(out, (uint64_t)value);
	else
		WITH_HEAD(out, cbor_encode_negint((uint64_t) - (value + 1), room, HEAD_MOST));
}

void out_cbor_float(struct out *out, float value)
{
	WITH_HEAD(out, cbor_encode_single(value, room, HEAD_MOST));
}

void out_cbor_double(struct out *out, double value)
{
	WITH_HEAD(out, cbor_encode_double(value, room, HEAD_MOST));
}

void out_cbor_bool(struct out *out, bool value)
{
	WITH_HEAD(out, cbor_encode_bool(value, room, HEAD_MOST));
}

void out_cbor_text(struct out *out, const char *utf8, size_t size)
{
	WITH_HEAD(out, cbor_encode_string_start(size, room, HEAD_MOST));
	out_raw(out, utf8, size);
}

void out_cbor_bytes(struct out *out, const uint8_t *bytes, size_t size)
{
	WITH_HEAD(out, cbor_encode_bytestring_start(size, room, HEAD_MOST));
	out_raw(out, bytes, size);
}
