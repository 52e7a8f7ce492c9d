/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COAP_CLIENT_BODY_H
#define COAP_CLIENT_BODY_H

/* One payload that arrives in blocks (RFC 7959), bounded. Blocks come in order, because each is asked for by itself. Pure. */

#include <tidegate/message.h>

enum { BODY_ETAG_MAX = 8 };

struct body {
	uint8_t *data;
	size_t size;
	uint8_t etag[BODY_ETAG_MAX];
	size_t etag_size;
};

/* Adds the block that begins at `offset`. Errors: -EMSGSIZE: longer than `most`; -EBADMSG: not the next one, or of another
 * state of the resource (`etag` differs from that of the first one); -ENOMEM. */
int body_add(struct body *body, size_t offset, struct tg_bytes block, struct tg_bytes etag, size_t most);

/* Frees what it holds; it can be filled again. */
void body_clear(struct body *body);

#endif
