/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COAP_OBSERVE_INSIDE_H
#define COAP_OBSERVE_INSIDE_H

/* What observe.c, where the observers are kept, and observe_send.c, which sends them their news, share. */

#include "due.h"
#include "observe.h"

/* How many of the last notifications a reset is recognised for. */
enum { OBSERVE_IDS = 4 };

struct observer {
	struct observe_peer *peer;
	struct observer *next; /* of this peer */
	void *owner;
	uint32_t place;

	/* The newest state. */
	struct resource_answer news;
	uint8_t *payload; /* its own */
	int64_t fresh_until_us;
	bool waits;     /* has not been sent */
	bool uncertain; /* has been sent, but need not have arrived */
	bool last;

	/* The confirmable notification under way. */
	uint8_t *datagram; /* NULL: there is none */
	size_t datagram_size;
	int64_t timeout_us;
	unsigned retransmits;

	uint16_t ids[OBSERVE_IDS]; /* sent last, the newest first */
	unsigned n_ids;
	int64_t sent_us;
	int64_t confirmed_us;
	int64_t round_trip_us; /* 0: not known */
	int64_t tick;
	uint8_t token_size;
	uint8_t token[MESSAGE_TOKEN_MAX];
};

struct observe_table {
	struct observe_limits limits;
	struct observe_events events;
	void *arg;
	struct observer **observers; /* by place, NULL where it is free */
	size_t capacity;
	size_t count;
	struct due due; /* by place */
	uint64_t random;
};

/* When there is something to do for it, INT64_MAX: never. */
int64_t observe_due_us(const struct observe_table *table, const struct observer *observer);
void observe_schedule(struct observe_table *table, const struct observer *observer);
/* Those that waited for it have their turn, in the order in which they are due. */
void observe_way_is_free(struct observe_table *table, struct observe_peer *peer);

#endif
