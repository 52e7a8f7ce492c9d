/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_READINGS_H
#define CORE_READINGS_H

/*
 * The last reading of each path of each device, for others that ask for it: in memory alone, bounded in number and bytes, nothing of it
 * written to disk. A reading is the message itself, shared and not copied, with an ETag beside it. Where there is no room, that goes
 * which was not renewed for the longest time; what is observed goes last, and one device takes no more than its share, so that
 * none can push out the others'.
 *
 * Who observes a reading is told of each one that takes its place. Knows nothing of processes and profiles.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "core/message.h"

struct readings;
struct observation;

struct readings_limits {
	size_t count; /* 0: none is kept */
	size_t bytes;
	unsigned share_percent; /* of both, for one device; one reading is always its own */
	size_t observers;
};

/* Lent until readings_put, readings_forget or readings_set_limits. */
struct last_reading {
	const struct message *message;
	uint64_t etag; /* another one for each reading, never 0 */
};

enum readings_loss {
	READINGS_EVICTED,  /* there was no room for it */
	READINGS_FORGOTTEN /* by readings_forget */
};

/* Neither may call back, but for readings_unobserve of the observation that it is about. */
struct readings_events {
	/* A new reading has taken the place of the last one. */
	void (*changed)(void *arg, void *observer, const struct last_reading *reading);
	/* There is none any more. The observation has ended. */
	void (*lost)(void *arg, void *observer, enum readings_loss loss);
};

struct readings_stats {
	size_t count;
	size_t bytes;
	size_t observers;
	uint64_t evicted; /* since the start */
	uint64_t removed; /* the same, for whatever reason */
};

/* `etag`: a random number, from which ETags are counted up, so that none comes again after a restart. */
int readings_new(const struct readings_events *events, void *arg, uint64_t etag,
		 struct readings **ret_readings) WARN_UNUSED;
void readings_free(struct readings *readings); /* tells nobody; accepts NULL */
void readings_set_limits(struct readings *readings, const struct readings_limits *limits);

/* Takes a reference. One that is older than what is there is let go; out of memory nothing changes. */
void readings_put(struct readings *readings, const struct message *message);
/* All of a device, and those who observe them. */
void readings_forget(struct readings *readings, struct tg_bytes device);

/* NULL: none. */
const struct last_reading *readings_find(const struct readings *readings, struct tg_bytes device, struct tg_bytes path);

/* Ownership: ends with readings_unobserve, or when `lost` was called. Errors: -ENOENT: there is no reading; -ENOBUFS: too many
 * observers; -ENOMEM. */
int readings_observe(struct readings *readings, struct tg_bytes device, struct tg_bytes path, void *observer,
		     struct observation **ret_observation) WARN_UNUSED;
void readings_unobserve(struct observation *observation); /* accepts NULL */
/* The reading as it is now. */
const struct last_reading *readings_observed(const struct observation *observation);

/* Of one device (NULL: of all), the newest first. Ends at the first non-zero return and gives it back. */
int readings_each(const struct readings *readings, const struct tg_bytes *device,
		  int (*fn)(void *arg, const struct last_reading *reading, size_t observers), void *arg);
/* Those whose ETag came after `after` (0: all), the oldest first, `most` at most. Ends at the first non-zero return. *ret_after is the ETag to
 * go on with: of the last one for which `fn` has returned 0, or `after`. Returns whether there are more. Cheap where `after` is what one of
 * the last listings has ended with. */
bool readings_list(struct readings *readings, uint64_t after, size_t most,
		   int (*fn)(void *arg, const struct last_reading *reading), void *arg, uint64_t *ret_after);
void readings_stats(const struct readings *readings, struct readings_stats *ret_stats);

#endif
