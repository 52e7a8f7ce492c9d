/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COAP_EXCHANGE_POOL_H
#define COAP_EXCHANGE_POOL_H

/*
 * The exchanges that are open, for exchange.c alone: where they are kept, how a token finds one, and what is due of them when.
 * A token names one exchange and never another: its place and how often the place was used.
 */

#include "due.h"
#include "exchange.h"

enum exchange_state {
	EXCHANGE_FREE = 0,
	EXCHANGE_WAITING, /* for its answer */
	EXCHANGE_ACKED,   /* the same, and the empty acknowledgement has been sent */
	EXCHANGE_SENT     /* a separate response, for its acknowledgement */
};

/* Links are places + 1, 0 is none. A free exchange is linked by `next`. */
struct exchange {
	struct exchange_peer *peer;
	uint8_t *response; /* EXCHANGE_SENT: what is retransmitted */
	size_t response_size;
	int64_t timeout_us;
	uint64_t context;
	uint32_t generation;
	uint32_t next; /* of this peer */
	uint32_t previous;
	uint32_t hash;
	uint16_t request_id;
	uint16_t response_id;
	uint8_t state;
	bool confirmable;
	uint8_t retransmits;
	uint8_t no_response; /* as in struct coap_message */
	uint8_t token_size;
	uint8_t token[MESSAGE_TOKEN_MAX];
};

/* Zero it to make it empty. */
struct exchange_pool {
	struct exchange *exchanges;
	size_t capacity;
	size_t open;
	size_t waiting;
	uint32_t unused;
	struct due due; /* by place */
};

static inline bool exchange_is_waiting(const struct exchange *exchange)
{
	return exchange->state == EXCHANGE_WAITING || exchange->state == EXCHANGE_ACKED;
}

/* Of a link; 0 gives NULL. Ownership: lent until the next exchange_pool_take. */
static inline struct exchange *exchange_pool_at(const struct exchange_pool *pool, uint32_t link)
{
	return link ? &pool->exchanges[link - 1] : NULL;
}

static inline uint32_t exchange_pool_place(const struct exchange_pool *pool, const struct exchange *exchange)
{
	return (uint32_t)(exchange - pool->exchanges);
}

void exchange_pool_done(struct exchange_pool *pool);

/* A new one of `peer`, that waits. Errors: -ENOBUFS: `limit` are open; -ENOMEM. */
int exchange_pool_take(struct exchange_pool *pool, struct exchange_peer *peer, size_t limit,
		       struct exchange **ret_exchange);
void exchange_pool_give(struct exchange_pool *pool, struct exchange *exchange);

uint64_t exchange_pool_token(const struct exchange_pool *pool, const struct exchange *exchange);
/* The one of this token, if it still waits, or NULL. */
struct exchange *exchange_pool_find(const struct exchange_pool *pool, uint64_t token);

#endif
