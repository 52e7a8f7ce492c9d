/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COAP_COMMAND_POOL_H
#define COAP_COMMAND_POOL_H

/* The commands that there are, each with a place, and what is due of them when. For command.c alone. */

#include <stddef.h>
#include <stdint.h>

#include "due.h"

struct command;
struct command_place;

/* Zero it to make it empty. */
struct command_pool {
	struct command_place *places;
	uint32_t capacity;
	uint32_t unused;
	struct due due; /* by place */
};

void command_pool_done(struct command_pool *pool);

/* Gives the command a place of its own. Errors: -ENOMEM. */
int command_pool_put(struct command_pool *pool, struct command *command, uint32_t *ret_place);
/* Empties a place; nothing is due of it any more. */
void command_pool_clear(struct command_pool *pool, uint32_t place);
/* The command in this place, or NULL. Not for places from `capacity` on. */
struct command *command_pool_at(const struct command_pool *pool, uint32_t place);

#endif
