/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_CORE_READINGS_H
#define CORE_CORE_READINGS_H

/* What the files core_readings*.c share. */

#include "core/core_inside.h"
#include "core/readings.h"

struct watcher;

struct core_readings {
	struct readings *readings;
	struct watcher *watchers;
	bool behind;      /* a watcher may have missed something */
	uint64_t start;   /* random: generations are counted from it */
	uint64_t changes; /* of what readers may read */
	/* Since the start: */
	uint64_t answered; /* reads and notifications */
	uint64_t refused;  /* reads that the reader's profile does not allow */
};

/* The reader as it is enrolled for this endpoint, or NULL. */
struct device *core_reader_at(struct core *core, struct tg_bytes name, const char *endpoint);
bool core_reader_may(struct core *core, struct device *reader, struct tg_bytes device, struct tg_bytes path);

/* For how long it counts as fresh. Units: seconds. */
uint32_t core_reading_max_age_s(const struct core *core, const struct message *message);

#endif
