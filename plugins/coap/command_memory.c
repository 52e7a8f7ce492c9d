/* SPDX-License-Identifier: Apache-2.0 */
#include "command_memory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { S_US = 1000000 };

struct ended {
	struct command_result result;
	int64_t at_us;
	uint8_t *payload;
};

/* A ring: the next one takes the place of the oldest. */
struct command_memory {
	struct ended *ring;
	unsigned next;
	unsigned count;
};

int command_memory_new(struct command_memory **ret_memory)
{
	*ret_memory = calloc(1, sizeof(**ret_memory));
	return *ret_memory ? 0 : -ENOMEM;
}

void command_memory_free(struct command_memory *memory)
{
	if (!memory)
		return;
	for (unsigned i = 0; i < memory->count; i++)
		free(memory->ring[i].payload);
	free(memory->ring);
	free(memory);
}

void command_memory_add(struct command_memory *memory, const struct command_result *result, int64_t now_us)
{
	size_t size = result->payload.size <= COMMAND_MEMORY_PAYLOAD_MAX ? result->payload.size : 0;
	if (!memory->ring)
		memory->ring = calloc(COMMAND_MEMORY_MAX, sizeof(*memory->ring));
	if (!memory->ring)
		return;
	struct ended *ended = &memory->ring[memory->next];
	uint8_t *payload = size > 0 ? malloc(size) : NULL;
	if (payload)
		memcpy(payload, result->payload.data, size);
	free(ended->payload);
	*ended = (struct ended){.result = *result, .at_us = now_us, .payload = payload};
	ended->result.ticket = 0;
	ended->result.payload = (struct tg_bytes){.data = payload, .size = payload ? size : 0};
	if (!payload && result->payload.size > 0)
		ended->result.content_format = TG_FORMAT_NONE;
	memory->next = (memory->next + 1) % COMMAND_MEMORY_MAX;
	if (memory->count < COMMAND_MEMORY_MAX)
		memory->count++;
}

bool command_memory_find(const struct command_memory *memory, const uint8_t id[TG_ID_SIZE], int64_t now_us,
			 struct command_result *ret_result)
{
	for (unsigned i = 0; i < memory->count; i++) {
		const struct ended *ended = &memory->ring[i];
		bool is_fresh = now_us - ended->at_us <= COMMAND_MEMORY_S * (int64_t)S_US;
		if (is_fresh && memcmp(ended->result.id, id, TG_ID_SIZE) == 0) {
			*ret_result = ended->result;
			return true;
		}
	}
	return false;
}
