/* SPDX-License-Identifier: Apache-2.0 */
#include "gather.h"

#include <stdlib.h>
#include <string.h>

enum { GATHER_FIRST = 256 };

void gather_done(struct gather *gather)
{
	if (gather->data)
		explicit_bzero(gather->data, gather->room);
	free(gather->data);
	*gather = (struct gather){0};
}

void gather_clear(struct gather *gather)
{
	gather->size = 0;
	gather->failed = false;
}

void gather_drop(struct gather *gather, size_t size)
{
	gather->size -= size;
	memmove(gather->data, gather->data + size, gather->size);
}

void gather_put(struct gather *gather, const void *data, size_t size)
{
	size_t room = gather->room ? gather->room : GATHER_FIRST;
	uint8_t *grown;

	if (gather->failed || size == 0)
		return;
	while (room - gather->size < size)
		room *= 2;
	if (room != gather->room) {
		grown = malloc(room);
		if (!grown) {
			gather->failed = true;
			return;
		}
		if (gather->data) {
			memcpy(grown, gather->data, gather->size);
			explicit_bzero(gather->data, gather->room);
			free(gather->data);
		}
		gather->data = grown;
		gather->room = room;
	}
	memcpy(gather->data + gather->size, data, size);
	gather->size += size;
}
