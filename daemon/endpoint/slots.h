/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENDPOINT_SLOTS_H
#define ENDPOINT_SLOTS_H

/*
 * Numbers handed out for values, each to be given back once: the tokens and tickets by which the core and the adapter speak of
 * what is under way. A number never comes twice, so a late or repeated one names nothing. Constant time.
 */

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

enum { SLOTS_MAX = 65536 };

struct slot;

struct slots {
	struct slot *slots;
	size_t limit;
	size_t capacity;
	size_t used;
	uint32_t first_free; /* capacity: none */
	uint64_t serial;
};

/* `limit`: most numbers out at once, up to SLOTS_MAX. */
void slots_init(struct slots *slots, size_t limit);
void slots_done(struct slots *slots);

/* Errors: -ENOBUFS: all are out; -ENOMEM. */
int slots_put(struct slots *slots, uint64_t value, uint64_t *ret_number) WARN_UNUSED;

/* Takes the number back. Errors: -ENOENT: it is not out. */
int slots_take(struct slots *slots, uint64_t number, uint64_t *ret_value) WARN_UNUSED;

/* Errors: -ENOENT: it is not out. */
int slots_get(const struct slots *slots, uint64_t number, uint64_t *ret_value) WARN_UNUSED;

/* Takes back the next number that is out, to empty the table: `*place` is 0 at first. Errors: -ENOENT: none is left. */
int slots_take_next(struct slots *slots, size_t *place, uint64_t *ret_value) WARN_UNUSED;

#endif
