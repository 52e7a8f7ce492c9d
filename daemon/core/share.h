/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_SHARE_H
#define CORE_SHARE_H

/*
 * Who holds how much of an outbox: one account for each device that something is held of. A message is counted from the moment that the
 * outbox takes it into custody until it lets go: its row's cost all the time, its bytes in memory only until they are on
 * disk as well. The store makes the accounts of what it finds at the start, the outbox goes on with them.
 *
 * There are never more accounts than messages held, but for some that are kept a while for devices that come again.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <tidegate/message.h>

struct share;

/* Zeroed memory is good. */
struct shares {
	struct share *table;
	struct share *idle; /* those that hold nothing, the first is the longest so */
	unsigned idle_count;
};

struct share_held {
	int64_t messages;
	int64_t memory_bytes; /* in memory alone */
	int64_t cost_bytes;   /* by store_row_cost, on disk already or not */
};

void shares_done(struct shares *shares);
/* Of devices with something held. */
size_t shares_count(const struct shares *shares);

/* What is held of the device. */
struct share_held share_of(const struct shares *shares, struct tg_bytes device);

/* A message of the device comes into custody. `memory_bytes` is 0 where it is on disk already. Out of memory it is not counted, and what is
 * not counted is never taken off. */
void share_add(struct shares *shares, struct tg_bytes device, int64_t memory_bytes, int64_t cost_bytes);
/* It is on disk as well. */
void share_saved(struct shares *shares, struct tg_bytes device, int64_t memory_bytes);
/* It goes. */
void share_drop(struct shares *shares, struct tg_bytes device, int64_t memory_bytes, int64_t cost_bytes);

/* Whether with `more` the device would stay within `percent` of `whole`. Who holds nothing may always hold one message. */
bool share_allows(const struct share_held *held, unsigned percent, const struct share_held *more,
		  const struct share_held *whole);

#endif
