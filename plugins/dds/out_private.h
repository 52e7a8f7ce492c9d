/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DDS_OUT_PRIVATE_H
#define DDS_OUT_PRIVATE_H

/* Between the two notations of out.h: room, and the items in CBOR. */

#include "out.h"

/* Room for `n` more bytes, or NULL, with the error noted. The caller adds to `size` what it used. */
char *out_room(struct out *out, size_t n);
void out_raw(struct out *out, const void *bytes, size_t n);

void out_cbor_map(struct out *out);
void out_cbor_break(struct out *out);
void out_cbor_array(struct out *out, size_t n);
void out_cbor_int(struct out *out, int64_t value);
void out_cbor_uint(struct out *out, uint64_t value);
void out_cbor_float(struct out *out, float value);
void out_cbor_double(struct out *out, double value);
void out_cbor_bool(struct out *out, bool value);
void out_cbor_text(struct out *out, const char *utf8, size_t size);
void out_cbor_bytes(struct out *out, const uint8_t *bytes, size_t size);

#endif
