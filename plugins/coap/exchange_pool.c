/* SPDX-License-Identifier: Apache-2.0 */
#include "exchange_pool.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_CAPACITY = 64 };

void exchange_pool_done(struct exchange_pool *pool)
{
	for (size_t place = 0; place < pool->capacity; place++)
		free(pool->exchanges[place].response);
	free(pool->exchanges);
	due_done(&pool->due);
	*pool = (struct exchange_pool){0};
}

static int pool_grow(struct exchange_pool *pool)
{
	size_t capacity = pool->capacity ? pool->capacity * 2 : FIRST_CAPACITY;
	int r = due_reserve(&pool->due, capacity);
	if (r < 0)
		return r;
	struct exchange *exchanges = realloc(pool->exchanges, capacity * sizeof(*exchanges));
	if (!exchanges)
		return -ENOMEM;
	memset(exchanges + pool->capacity, 0, (capacity - pool->capacity) * sizeof(*exchanges));
	for (size_t place = capacity; place-- > pool->capacity;) {
		exchanges[place].next = pool->unused;
		pool->unused = (uint32_t)place + 1;
	}
	pool->exchanges = exchanges;
	pool->capacity = capacity;
	return 0;
}

int exchange_pool_take(struct exchange_pool *pool, struct exchange_peer *peer, size_t limit,
		       struct exchange **ret_exchange)
{
	if (pool->open >= limit)
		return -ENOBUFS;
	int r = pool->unused ? 0 : pool_grow(pool);
	if (r < 0)
		return r;
	uint32_t link = pool->unused;
	struct exchange *exchange = exchange_pool_at(pool, link);
	pool->unused = exchange->next;
	*exchange = (struct exchange){
		.peer = peer,
		.generation = exchange->generation,
		.next = peer->first,
		.state = EXCHANGE_WAITING,
	};
	if (peer->first)
		exchange_pool_at(pool, peer->first)->previous = link;
	peer->first = link;
	peer->open++;
	pool->open++;
	pool->waiting++;
	*ret_exchange = exchange;
	return 0;
}

void exchange_pool_give(struct exchange_pool *pool, struct exchange *exchange)
{
	struct exchange_peer *peer = exchange->peer;
	uint32_t place = exchange_pool_place(pool, exchange);
	due_clear(&pool->due, place);
	if (exchange_is_waiting(exchange))
		pool->waiting--;
	*(exchange->previous ? &exchange_pool_at(pool, exchange->previous)->next : &peer->first) = exchange->next;
	if (exchange->next)
		exchange_pool_at(pool, exchange->next)->previous = exchange->previous;
	peer->open--;
	pool->open--;
	free(exchange->response);
	*exchange = (struct exchange){.generation = exchange->generation + 1, .next = pool->unused};
	pool->unused = place + 1;
}

uint64_t exchange_pool_token(const struct exchange_pool *pool, const struct exchange *exchange)
{
	return (uint64_t)exchange->generation << 32 | exchange_pool_place(pool, exchange);
}

struct exchange *exchange_pool_find(const struct exchange_pool *pool, uint64_t token)
{
	uint32_t place = (uint32_t)token;
	if (place >= pool->capacity)
		return NULL;
	struct exchange *exchange = &pool->exchanges[place];
	return exchange->generation == token >> 32 && exchange_is_waiting(exchange) ? exchange : NULL;
}
