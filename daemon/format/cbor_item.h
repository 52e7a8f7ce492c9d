/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FORMAT_CBOR_ITEM_H
#define FORMAT_CBOR_ITEM_H

/* One CBOR data item (RFC 8949) after the other, heads only: who reads knows what may come, and nothing nests or takes memory
 * here. The one door to libcbor. */

#include <stdbool.h>
#include <stdint.h>
#include <tidegate/message.h>

#include "base/buffer.h"
#include "base/cleanup.h"

enum cbor_item_type {
	CBOR_ITEM_UNSIGNED, /* `number` */
	CBOR_ITEM_NEGATIVE, /* -1 - `number` */
	CBOR_ITEM_BYTES,    /* `bytes`, lent from the input */
	CBOR_ITEM_TEXT,     /* the same, not checked for UTF-8 */
	CBOR_ITEM_ARRAY,    /* `number` items follow */
	CBOR_ITEM_MAP,      /* `number` pairs follow */
	CBOR_ITEM_TAG,      /* `number` is that of the tag, the item follows */
	CBOR_ITEM_FLOAT,    /* `real`, of any precision */
	CBOR_ITEM_BOOL,     /* `yes` */
	CBOR_ITEM_NULL,
	CBOR_ITEM_UNDEFINED,
	CBOR_ITEM_BREAK,
	/* Of no length: pieces or items follow, and then a break. */
	CBOR_ITEM_OPEN_BYTES,
	CBOR_ITEM_OPEN_TEXT,
	CBOR_ITEM_OPEN_ARRAY,
	CBOR_ITEM_OPEN_MAP
};

struct cbor_item {
	enum cbor_item_type type;
	uint64_t number;
	double real;
	bool yes;
	struct tg_bytes bytes;
};

/* Takes the next item off the front of `*input`. Errors: -ENODATA: cut off or at the end; -EBADMSG: not CBOR, or a simple value without
 * a meaning. */
int cbor_item_next(struct tg_bytes *input, struct cbor_item *ret_item) WARN_UNUSED;

/* Appends the head of an item in its shortest form, with what belongs to it; for the first eleven types. A float becomes the smallest that
 * has the same value. Errors: -ENOBUFS; -ENOMEM. */
int cbor_item_append(struct buffer *buffer, const struct cbor_item *item) WARN_UNUSED;

#endif
