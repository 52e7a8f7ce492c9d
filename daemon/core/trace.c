/* SPDX-License-Identifier: Apache-2.0 */
#include "core/trace.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

#define ELLIPSIS "\xe2\x80\xa6"

struct entry {
	const char *what;
	int64_t time_wall_us;
	size_t payload_bytes;
	uint8_t id[TG_ID_SIZE];
	bool has_id;
	uint16_t device_size, path_size, to_size, address_size, reason_size;
	char device[TRACE_DEVICE];
	char path[TRACE_PATH];
	char to[TRACE_TO];
	char address[TRACE_ADDRESS];
	char reason[TRACE_REASON];
};

struct trace {
	struct entry *entries;
	size_t count;
	size_t next;
	size_t used;
};

int trace_new(size_t count, struct trace **ret_trace)
{
	struct trace *trace = calloc(1, sizeof(*trace));
	int r = trace ? trace_set_count(trace, count) : -ENOMEM;

	if (r < 0)
		free(trace);
	else
		*ret_trace = trace;
	return r;
}

void trace_free(struct trace *trace)
{
	if (trace)
		free(trace->entries);
	free(trace);
}

int trace_set_count(struct trace *trace, size_t count)
{
	struct entry *entries = NULL;

	if (count == trace->count)
		return 0;
	if (count > 0) {
		entries = malloc(count * sizeof(*entries)); /* not touched before it is used */
		if (!entries)
			return -ENOMEM;
	}
	free(trace->entries);
	*trace = (struct trace){.entries = entries, .count = count};
	return 0;
}

static uint16_t copy(char *room, size_t size, struct tg_bytes text)
{
	size_t keep = size - strlen(ELLIPSIS);

	if (text.size <= size) {
		if (text.size > 0)
			memcpy(room, text.data, text.size);
		return (uint16_t)text.size;
	}
	/* Not within a character. */
	while (keep > 0 && (((const uint8_t *)text.data)[keep] & 0xc0) == 0x80)
		keep--;
	memcpy(room, text.data, keep);
	memcpy(room + keep, ELLIPSIS, strlen(ELLIPSIS));
	return (uint16_t)(keep + strlen(ELLIPSIS));
}

void trace_add(struct trace *trace, const struct trace_event *event)
{
	struct entry *entry;

	if (trace->count == 0)
		return;
	entry = &trace->entries[trace->next];
	trace->next = (trace->next + 1) % trace->count;
	trace->used += trace->used < trace->count;
	entry->what = event->what;
	entry->time_wall_us = event->time_wall_us;
	entry->payload_bytes = event->payload_bytes;
	entry->has_id = event->id != NULL;
	if (event->id)
		memcpy(entry->id, event->id, TG_ID_SIZE);
	entry->device_size = copy(entry->device, sizeof(entry->device), event->device);
	entry->path_size = copy(entry->path, sizeof(entry->path), event->path);
	entry->to_size = copy(entry->to, sizeof(entry->to), event->to);
	entry->address_size = copy(entry->address, sizeof(entry->address), event->address);
	entry->reason_size = copy(entry->reason, sizeof(entry->reason), event->reason);
}

int trace_each(const struct trace *trace, struct tg_bytes device, int (*fn)(void *arg, const struct trace_event *event),
	       void *arg)
{
	size_t first = trace->used < trace->count ? 0 : trace->next;
	char name[TRACE_DEVICE];
	struct tg_bytes wanted = bytes_of(name, copy(name, sizeof(name), device));

	for (size_t i = 0; i < trace->used; i++) {
		const struct entry *entry = &trace->entries[(first + i) % trace->count];
		const struct trace_event event = {.what = entry->what,
						  .time_wall_us = entry->time_wall_us,
						  .device = bytes_of(entry->device, entry->device_size),
						  .path = bytes_of(entry->path, entry->path_size),
						  .to = bytes_of(entry->to, entry->to_size),
						  .address = bytes_of(entry->address, entry->address_size),
						  .reason = bytes_of(entry->reason, entry->reason_size),
						  .id = entry->has_id ? entry->id : NULL,
						  .payload_bytes = entry->payload_bytes};
		int r = bytes_equal(event.device, wanted) ? fn(arg, &event) : 0;

		if (r)
			return r;
	}
	return 0;
}
