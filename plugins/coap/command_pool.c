/* SPDX-License-Identifier: Apache-2.0 */
#include "command_pool.h"

#include <errno.h>
#include <stdlib.h>

enum { FIRST_CAPACITY = 16 };

/* Those that are empty are linked: a number + 1, 0 is none. */
struct command_place {
	struct command *command;
	uint32_t next_unused;
};

void command_pool_done(struct command_pool *pool)
{
	due_done(&pool->due);
	free(pool->places);
	*pool = (struct command_pool){0};
}

static int pool_grow(struct command_pool *pool)
{
	uint32_t capacity = pool->capacity ? pool->capacity * 2 : FIRST_CAPACITY;
	int r = due_reserve(&pool->due, capacity);
	struct command_place *places = r < 0 ? NULL : realloc(pool->places, capacity * sizeof(*places));
	if (!places)
		return -ENOMEM;
	for (uint32_t place = capacity; place-- > pool->capacity;) {
		places[place] = (struct command_place){.next_unused = pool->unused};
		pool->unused = place + 1;
	}
	pool->places = places;
	pool->capacity = capacity;
	return 0;
}

int command_pool_put(struct command_pool *pool, struct command *command, uint32_t *ret_place)
{
	int r = pool->unused ? 0 : pool_grow(pool);
	if (r < 0)
		return r;
	uint32_t place = pool->unused - 1;
	pool->unused = pool->places[place].next_unused;
	pool->places[place].command = command;
	*ret_place = place;
	return 0;
}

void command_pool_clear(struct command_pool *pool, uint32_t place)
{
	due_clear(&pool->due, place);
	pool->places[place] = (struct command_place){.next_unused = pool->unused};
	pool->unused = place + 1;
}

struct command *command_pool_at(const struct command_pool *pool, uint32_t place)
{
	return pool->places[place].command;
}
