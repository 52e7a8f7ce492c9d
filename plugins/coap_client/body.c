/* SPDX-License-Identifier: Apache-2.0 */
#include "body.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int body_add(struct body *body, size_t offset, struct tg_bytes block, struct tg_bytes etag, size_t most)
{
	if (offset != body->size || etag.size > BODY_ETAG_MAX)
		return -EBADMSG;
	if (block.size > most || body->size > most - block.size)
		return -EMSGSIZE;
	if (offset > 0 &&
	    (etag.size != body->etag_size || (etag.size && memcmp(etag.data, body->etag, etag.size) != 0)))
		return -EBADMSG;
	if (offset == 0) {
		body->etag_size = etag.size;
		if (etag.size > 0)
			memcpy(body->etag, etag.data, etag.size);
	}
	if (block.size == 0)
		return 0;
	uint8_t *grown = realloc(body->data, body->size + block.size);
	if (!grown)
		return -ENOMEM;
	memcpy(grown + body->size, block.data, block.size);
	body->data = grown;
	body->size += block.size;
	return 0;
}

void body_clear(struct body *body)
{
	free(body->data);
	*body = (struct body){.data = NULL};
}
