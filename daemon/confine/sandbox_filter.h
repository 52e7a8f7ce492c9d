/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONFINE_SANDBOX_FILTER_H
#define CONFINE_SANDBOX_FILTER_H

/* The sandbox's list of permitted system calls; the one door to libseccomp. */

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"

/* Shuts it, for all threads. A call that is not on the list ends the process; some that libraries try without need fail
 * instead. `*ret_filtered` is false in a build with sanitizers and in a kernel without seccomp. */
int sandbox_filter(uint32_t needs, bool *ret_filtered) WARN_UNUSED;

#endif
