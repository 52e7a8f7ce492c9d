/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COMMON_GATHER_H
#define COMMON_GATHER_H

/* Bytes that gather, to be sent. A failed allocation marks it: nothing more is added. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct gather {
	uint8_t *data;
	size_t size;
	size_t room;
	bool failed;
};

/* Wiped: there may have been a password in it. */
void gather_done(struct gather *gather);
/* Empties it and keeps its memory; a failure is forgotten. */
void gather_clear(struct gather *gather);
void gather_put(struct gather *gather, const void *data, size_t size);
/* Takes what was sent away from the front. */
void gather_drop(struct gather *gather, size_t size);

#endif
