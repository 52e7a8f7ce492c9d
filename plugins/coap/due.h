/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COAP_DUE_H
#define COAP_DUE_H

/*
 * What is due when: a heap of small numbers, each with at most one time. Pure. Setting times that only grow costs a constant.
 */

#include <stddef.h>
#include <stdint.h>

struct due_item;

/* Zero it to make it empty. */
struct due {
	struct due_item *items;
	uint32_t *places; /* of each number in `items`, + 1; 0: not set */
	size_t count;
	size_t capacity;
};

/* Makes room for the numbers below `capacity`; nothing else can fail. Errors: -ENOMEM. */
int due_reserve(struct due *due, size_t capacity);
void due_done(struct due *due);

/* Sets or moves the time of `number`. */
void due_set(struct due *due, uint32_t number, int64_t at_us);
void due_clear(struct due *due, uint32_t number);

/* The earliest time, INT64_MAX when empty. */
int64_t due_next_us(const struct due *due);
/* The number with the earliest time. Not when empty. */
uint32_t due_first(const struct due *due);

#endif
