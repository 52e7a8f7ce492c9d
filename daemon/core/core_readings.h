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
	bool behind; /* a watcher may have missed something */
	/* Since the start: */
	uint64_t answered; /* reads and notifications */
	uint64_t refused;  /* reads that the reader's profile does not allow */
};

/* For how long it counts as fresh. Units: seconds. */
uint32_t core_reading_max_age_s(const struct core *core, const struct message *message);

#endif
