/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENDPOINT_ENDPOINT_H
#define ENDPOINT_ENDPOINT_H

/*
 * The life of an endpoint process. It joins the core, is told its settings and its adapter, opens the adapter, shuts the
 * sandbox, starts, and passes frames until it is told to stop. When the core goes away it goes on, joins the next core and is
 * told its settings again; where those ask for another process it ends, and is started anew.
 */

#include <stdint.h>

#include "base/cleanup.h"

struct endpoint_options {
	const char *endpoint;
	const char *core; /* path of the core's socket */
	const char *adapters;
	uint32_t worker;
	int64_t orphan_us; /* ends after this long without a core */
};

/* Runs until the end. Returns the exit status. */
int endpoint_run(const struct endpoint_options *options) WARN_UNUSED;

#endif
