/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COAP_COMMAND_MEMORY_H
#define COAP_COMMAND_MEMORY_H

/*
 * How the commands of late have ended, by their ids: a core that has crashed before it had written down an answer gives the command
 * again, and gets the answer without the device being asked twice. Pure.
 */

#include "command.h"

struct command_memory;

/* The oldest goes first. Of a longer payload the code alone is kept. */
enum { COMMAND_MEMORY_MAX = 1024, COMMAND_MEMORY_S = 600, COMMAND_MEMORY_PAYLOAD_MAX = 1024 };

/* Takes no memory before the first command has ended. Errors: -ENOMEM. */
int command_memory_new(struct command_memory **ret_memory);
void command_memory_free(struct command_memory *memory); /* accepts NULL */

/* Without memory it is forgotten. */
void command_memory_add(struct command_memory *memory, const struct command_result *result, int64_t now_us);
/* Returns false where nothing is known. Ownership: *ret_result is lent until the next command_memory_add; its ticket is 0. */
bool command_memory_find(const struct command_memory *memory, const uint8_t id[TG_ID_SIZE], int64_t now_us,
			 struct command_result *ret_result);

#endif
