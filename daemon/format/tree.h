/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FORMAT_TREE_H
#define FORMAT_TREE_H

/*
 * CBOR (RFC 8949) as the tree that jansson makes of JSON, and back. Nothing is trusted: depth, items and what is taken for them
 * are bounded.
 */

#include <jansson.h>
#include <tidegate/message.h>

#include "base/buffer.h"
#include "base/cleanup.h"

enum { TREE_DEPTH_MAX = 64, TREE_ITEMS_MAX = 1 << 18 };

enum tree_manner {
	TREE_EXACT, /* what JSON cannot say is an error */
	TREE_LOOSE /* bytes become base64 (RFC 4648 section 4), numbers beyond 64 bits with a sign their digits, and what is no number
		       the texts "NaN", "Infinity" and "-Infinity" */
};

/* One item, and nothing behind it. Ownership: json_decref. Errors: -EBADMSG: cut off, no CBOR, a key that is no text or stands there
 * twice, or what the manner has no JSON for; -E2BIG: deeper or more than the bounds; -ENOMEM. */
int tree_of_cbor(struct tg_bytes cbor, enum tree_manner manner, json_t **ret_root) WARN_UNUSED;

/* Definite lengths, the shortest numbers that keep the value. Errors: -ENOBUFS: the buffer's limit; -E2BIG: too deep; -ENOMEM. */
int tree_to_cbor(const json_t *root, struct buffer *buffer) WARN_UNUSED;

/* JSON text without spaces, each number with the fewest digits that keep its value. Errors: the same. */
int tree_to_json(const json_t *root, struct buffer *buffer) WARN_UNUSED;

#endif
