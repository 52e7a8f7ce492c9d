/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "observe_inside.h"

/* A tick of 16 us: the numbers of 128 s are less than 2^23 apart, and go round behind that (RFC 7641 section 3.4). */
enum { TICK_SHIFT = 4, NUMBER_MASK = 0xffffff };
enum { FIRST_CAPACITY = 16, AT_ONCE_US = 1, S_US = 1000000 };

int observe_table_new(const struct observe_limits *limits, uint64_t random, const struct observe_events *events,
		      void *arg, struct observe_table **ret_table)
{
	struct observe_table *table = calloc(1, sizeof(*table));
	if (!table)
		return -ENOMEM;
	table->limits = *limits;
	table->random = random | 1;
	table->events = *events;
	table->arg = arg;
	*ret_table = table;
	return 0;
}

void observe_table_free(struct observe_table *table)
{
	if (!table)
		return;
	assert(table->count == 0);
	free(table->observers);
	due_done(&table->due);
	free(table);
}

void observe_set_limits(struct observe_table *table, const struct observe_limits *limits)
{
	table->limits = *limits;
}

size_t observe_observers(const struct observe_table *table)
{
	return table->count;
}

static int table_grow(struct observe_table *table)
{
	size_t capacity = table->capacity ? table->capacity * 2 : FIRST_CAPACITY;
	int r = due_reserve(&table->due, capacity);
	if (r < 0)
		return r;
	struct observer **observers = realloc(table->observers, capacity * sizeof(struct observer *));
	if (!observers)
		return -ENOMEM;
	memset(observers + table->capacity, 0, (capacity - table->capacity) * sizeof(struct observer *));
	table->observers = observers;
	table->capacity = capacity;
	return 0;
}

/* Looks from a place on that moves with the number of observers: mostly the first look finds one. */
static uint32_t place_unused(const struct observe_table *table)
{
	size_t place = table->count;
	while (table->observers[place % table->capacity])
		place++;
	return (uint32_t)(place % table->capacity);
}

int observe_add(struct observe_table *table, struct observe_peer *peer, struct tg_bytes token, void *owner,
		struct observer **ret_observer)
{
	if (peer->count >= table->limits.a_peer)
		return -EDQUOT;
	if (table->count >= table->limits.observers)
		return -ENOBUFS;
	int r = table->count == table->capacity ? table_grow(table) : 0;
	struct observer *observer = r < 0 ? NULL : calloc(1, sizeof(*observer));
	if (!observer)
		return -ENOMEM;
	observer->peer = peer;
	observer->owner = owner;
	observer->place = place_unused(table);
	observer->token_size = (uint8_t)token.size;
	if (token.size > 0)
		memcpy(observer->token, token.data, token.size);
	observer->next = peer->first;
	peer->first = observer;
	peer->count++;
	table->observers[observer->place] = observer;
	table->count++;
	*ret_observer = observer;
	return 0;
}

int64_t observe_due_us(const struct observe_table *table, const struct observer *observer)
{
	int64_t distance_us = observer->round_trip_us ? observer->round_trip_us : OBSERVE_DISTANCE_S * S_US;
	if (observer->datagram)
		return observer->sent_us + observer->timeout_us;
	if (observer->waits)
		return observer->n_ids > 0 ? observer->sent_us + distance_us : AT_ONCE_US;
	return observer->uncertain ? observer->sent_us + table->limits.confirm_us : INT64_MAX;
}

void observe_schedule(struct observe_table *table, const struct observer *observer)
{
	int64_t at_us = observe_due_us(table, observer);
	if (at_us == INT64_MAX)
		due_clear(&table->due, observer->place);
	else
		due_set(&table->due, observer->place, at_us);
}

void observe_way_is_free(struct observe_table *table, struct observe_peer *peer)
{
	peer->under_way = NULL;
	for (const struct observer *observer = peer->first; observer; observer = observer->next)
		observe_schedule(table, observer);
}

void observe_remove(struct observe_table *table, struct observer *observer)
{
	struct observer **link = &observer->peer->first;
	while (*link != observer)
		link = &(*link)->next;
	*link = observer->next;
	observer->peer->count--;
	if (observer->peer->under_way == observer)
		observe_way_is_free(table, observer->peer);
	due_clear(&table->due, observer->place);
	table->observers[observer->place] = NULL;
	table->count--;
	free(observer->payload);
	free(observer->datagram);
	free(observer);
}

void *observe_find(const struct observe_peer *peer, struct tg_bytes token)
{
	for (const struct observer *observer = peer->first; observer; observer = observer->next)
		if (observer->token_size == token.size &&
		    (token.size == 0 || memcmp(observer->token, token.data, token.size) == 0))
			return observer->owner;
	return NULL;
}

uint32_t observe_number(struct observer *observer, int64_t now_us)
{
	int64_t tick = now_us >> TICK_SHIFT;
	observer->tick = tick > observer->tick ? tick : observer->tick + 1;
	return (uint32_t)(observer->tick & NUMBER_MASK);
}

int64_t observe_next_us(const struct observe_table *table)
{
	return due_next_us(&table->due);
}
