/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_TRACE_H
#define CORE_TRACE_H

/*
 * What happened lately to messages, for an operator who asks afterwards why one did not arrive: the last so many events in memory, the
 * oldest giving way, and nothing on disk. No payloads. Texts that are longer than the room for them are cut, which their "…" shows.
 */

#include <stddef.h>
#include <stdint.h>
#include <tidegate/message.h>

#include "base/cleanup.h"

enum { TRACE_DEVICE = 64, TRACE_PATH = 96, TRACE_TO = 48, TRACE_ADDRESS = 128, TRACE_REASON = 128 };

struct trace;

struct trace_event {
	const char *what; /* lives as long as the program */
	int64_t time_wall_us;
	struct tg_bytes device;
	struct tg_bytes path;
	struct tg_bytes to;
	struct tg_bytes address;
	struct tg_bytes reason;
	const uint8_t *id; /* NULL: it has none */
	size_t payload_bytes;
};

/* `count`: 0 keeps none. Errors: -ENOMEM. */
int trace_new(size_t count, struct trace **ret_trace) WARN_UNUSED;
void trace_free(struct trace *trace); /* accepts NULL */
/* Another number begins with none. Errors: -ENOMEM: as it was. */
int trace_set_count(struct trace *trace, size_t count) WARN_UNUSED;

/* Copied. */
void trace_add(struct trace *trace, const struct trace_event *event);

/* Those of a device, the oldest first. What `fn` is given is lent for the call. Ends at the first non-zero return and gives it back. */
int trace_each(const struct trace *trace, struct tg_bytes device, int (*fn)(void *arg, const struct trace_event *event),
	       void *arg);

#endif
