/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONFINE_SANDBOX_LANDLOCK_H
#define CONFINE_SANDBOX_LANDLOCK_H

/* The sandbox's layer for files, TCP ports, abstract sockets and signals. Source: landlock(7), Linux
 * Documentation/userspace-api/landlock.rst. */

#include <stdint.h>

#include "base/cleanup.h"

/* Shuts it. `*ret_abi`: the kernel's version of Landlock, 0 where it has none. */
int sandbox_landlock(uint32_t needs, int *ret_abi) WARN_UNUSED;

#endif
