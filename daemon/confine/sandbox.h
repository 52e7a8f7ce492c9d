/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONFINE_SANDBOX_H
#define CONFINE_SANDBOX_H

/*
 * What an endpoint process (and the renewal of a certificate) gives up for good. sandbox_begin comes first in main; sandbox_shut comes after the adapter has
 * opened its files and sockets, and before the first byte from outside is read.
 *
 * Afterwards the process has no capability and never gets one; it can open no file (with TG_NEED_RESOLVE: read those that name
 * resolution reads), bind no TCP port, start no program, signal no other process, and make no system call beyond the list in
 * sandbox_filter.c. It can still make unix stream sockets and connect them, because it joins the core again when that was away.
 *
 * Layers that this kernel does not have are left out and reported; in a build with sanitizers there is no system call filter,
 * and /proc stays readable, because the sanitizers need both.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"

struct sandbox {
	int landlock_abi; /* 0: not in this kernel */
	bool filtered;    /* system calls */
};

/* No core dumps, no tracing by equals, no new privileges. Errors: those of prctl(2). */
int sandbox_begin(void) WARN_UNUSED;

/* `needs`: enum tg_needs. Errors: -EBUSY: a second thread runs already, which would stay outside; others as of the system
 * calls. After a failure the process is to end. */
int sandbox_shut(uint32_t needs, struct sandbox *ret_sandbox) WARN_UNUSED;

#endif
