/* SPDX-License-Identifier: Apache-2.0 */
#include "refused.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct refused_entry {
	uint8_t id[TG_ID_SIZE];
	unsigned times;
};

int refused_reserve(struct refused *refused, size_t capacity)
{
	struct refused_entry *entries;

	if (capacity <= refused->capacity)
		return 0;
	entries = realloc(refused->entries, capacity * sizeof(*entries));
	if (!entries)
		return -ENOMEM;
	refused->entries = entries;
	refused->capacity = capacity;
	return 0;
}

void refused_done(struct refused *refused)
{
	free(refused->entries);
	*refused = (struct refused){0};
}

unsigned refused_count(struct refused *refused, const uint8_t id[TG_ID_SIZE])
{
	struct refused_entry *entry;

	for (size_t i = 0; i < refused->used; i++) {
		entry = &refused->entries[i];
		if (memcmp(entry->id, id, TG_ID_SIZE) == 0)
			return ++entry->times;
	}
	if (refused->capacity == 0)
		return 1;
	if (refused->used < refused->capacity) {
		entry = &refused->entries[refused->used++];
	} else {
		entry = &refused->entries[refused->next];
		refused->next = (refused->next + 1) % refused->capacity;
	}
	entry->times = 1;
	memcpy(entry->id, id, TG_ID_SIZE);
	return 1;
}
