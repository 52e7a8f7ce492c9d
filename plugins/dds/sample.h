/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DDS_SAMPLE_H
#define DDS_SAMPLE_H

/*
 * A sample as a message, and back:
 *
 *	{"state": "alive", "time": "2026-05-04T03:02:01.123456789Z", "key": {"id": 7}, "data": {"id": 7, "value": 21.5}}
 *
 * `state` is the instance's: "alive", "disposed" or "no_writers"; `time` the source timestamp; `key` the key fields, left out
 * where the type has none; `data` the sample, left out where only the state has changed.
 */

#include <tidegate/message.h>

#include "bridge.h"
#include "decode.h"
#include "encode.h"
#include "out.h"
#include "type.h"

enum sample_state { SAMPLE_ALIVE, SAMPLE_DISPOSED, SAMPLE_NO_WRITERS };

struct sample {
	enum sample_state state;
	bool has_data;   /* otherwise the bytes are a serialized key */
	int64_t time_ns; /* source timestamp, since 1970; negative: none */
	const void *bytes;
	size_t size;
};

/* Makes the document. Errors: as of decode. */
int sample_show(const struct type *type, const struct sample *sample, struct out *out)
	__attribute__((warn_unused_result));
/* Adds the key fields as segments, '/' before each. Errors: as of decode. */
int sample_show_key(const struct type *type, const struct sample *sample, struct out *out)
	__attribute__((warn_unused_result));

/* What a message asks to be written. */
struct sample_order {
	enum sample_state state;
	bool has_data;
	int64_t time_ns;
	struct cdr_writer data; /* with has_data */
	struct cdr_writer key;  /* without it, or with SAMPLE_NO_WRITERS */
};

/* From JSON, or from CBOR of the same shape. Ownership: sample_order_done, also after a failure. Errors: as of encode; -EINVAL also for what
 * is neither. */
int sample_read(const struct type *type, unsigned version, bool cbor, struct tg_bytes document,
		struct sample_order *ret_order, struct encode_reason *ret_reason) __attribute__((warn_unused_result));
void sample_order_done(struct sample_order *order);

#endif
