/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COMMON_REFUSED_H
#define COMMON_REFUSED_H

/* How often a peer has refused a message for the moment, or given it back, by its id, over any number of connections. Room for the last
 * ones only: the oldest makes room. */

#include <stddef.h>
#include <stdint.h>
#include <tidegate/message.h>

struct refused_entry;

struct refused {
	struct refused_entry *entries; /* ring */
	size_t capacity;
	size_t used;
	size_t next;
};

/* Room for as many, at least; what is there stays. Errors: -ENOMEM: it is as it was. */
int refused_reserve(struct refused *refused, size_t capacity);
void refused_done(struct refused *refused);

/* Returns how often, this time included. */
unsigned refused_count(struct refused *refused, const uint8_t id[TG_ID_SIZE]);

#endif
