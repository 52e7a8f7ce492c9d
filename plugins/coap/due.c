/* SPDX-License-Identifier: Apache-2.0 */
#include "due.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct due_item {
	int64_t at_us;
	uint32_t number;
};

int due_reserve(struct due *due, size_t capacity)
{
	if (capacity <= due->capacity)
		return 0;
	struct due_item *items = realloc(due->items, capacity * sizeof(*items));
	if (!items)
		return -ENOMEM;
	due->items = items;
	uint32_t *places = realloc(due->places, capacity * sizeof(*places));
	if (!places)
		return -ENOMEM;
	memset(places + due->capacity, 0, (capacity - due->capacity) * sizeof(*places));
	due->places = places;
	due->capacity = capacity;
	return 0;
}

void due_done(struct due *due)
{
	free(due->items);
	free(due->places);
	*due = (struct due){0};
}

static void item_put(struct due *due, size_t at, struct due_item item)
{
	due->items[at] = item;
	due->places[item.number] = (uint32_t)at + 1;
}

/* Finds the place of `item` from the hole `at` on, upwards or downwards. */
static void item_settle(struct due *due, size_t at, struct due_item item)
{
	while (at > 0 && due->items[(at - 1) / 2].at_us > item.at_us) {
		item_put(due, at, due->items[(at - 1) / 2]);
		at = (at - 1) / 2;
	}
	for (;;) {
		size_t child = at * 2 + 1;
		if (child + 1 < due->count && due->items[child + 1].at_us < due->items[child].at_us)
			child++;
		if (child >= due->count || due->items[child].at_us >= item.at_us)
			break;
		item_put(due, at, due->items[child]);
		at = child;
	}
	item_put(due, at, item);
}

void due_set(struct due *due, uint32_t number, int64_t at_us)
{
	size_t at = due->places[number] ? due->places[number] - 1 : due->count++;
	item_settle(due, at, (struct due_item){.at_us = at_us, .number = number});
}

void due_clear(struct due *due, uint32_t number)
{
	if (due->places[number] == 0)
		return;
	size_t at = due->places[number] - 1;
	due->places[number] = 0;
	due->count--;
	if (at < due->count)
		item_settle(due, at, due->items[due->count]);
}

int64_t due_next_us(const struct due *due)
{
	return due->count > 0 ? due->items[0].at_us : INT64_MAX;
}

uint32_t due_first(const struct due *due)
{
	return due->items[0].number;
}
