/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DDS_OUT_H
#define DDS_OUT_H

/*
 * Writes a document item by item, as JSON (RFC 8259, numbers within RFC 7493) or CBOR (RFC 8949), or its plain items as segments of a path: the
 * same calls make each. The
 * first failure stays in `error`, and later calls do nothing. A writer can be made silent, then it only lets pass.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum out_notation {
	OUT_JSON,
	OUT_CBOR,
	OUT_PATH /* the plain items alone, each a segment with '/' before it, as in tg_submission.path */
};

struct out {
	char *data;
	size_t size, capacity, limit;
	enum out_notation notation;
	bool comma; /* JSON: the next item needs one before it */
	unsigned silent;
	int error;
};

/* The buffer is kept from one document to the next. Ownership: out_done. */
void out_init(struct out *out, enum out_notation notation, size_t limit);
void out_done(struct out *out);
/* Begins a new document. */
void out_reset(struct out *out);

void out_begin_map(struct out *out);
void out_end_map(struct out *out);
void out_begin_array(struct out *out, size_t n);
void out_end_array(struct out *out);
/* The name of the map's next item. UTF-8. */
void out_name(struct out *out, const char *name);

/* Beyond 2^53 JSON has a string of the decimal digits. */
void out_int(struct out *out, int64_t value);
void out_uint(struct out *out, uint64_t value);
/* JSON has the strings "NaN", "Infinity" and "-Infinity" for what is no number there. */
void out_float(struct out *out, float value);
void out_double(struct out *out, double value);
void out_bool(struct out *out, bool value);
/* What is not UTF-8 is taken for ISO 8859-1. */
void out_text(struct out *out, const char *text, size_t size);
/* JSON: base64 (RFC 4648 section 4). */
void out_bytes(struct out *out, const uint8_t *bytes, size_t size);

#endif
