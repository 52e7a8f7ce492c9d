/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_CODE_H
#define CORE_CODE_H

/*
 * Which code a process of an endpoint would run if it were started now, as one line of text. The supervisor compares: a process that
 * an earlier core has left is taken over only where it runs the code that would be started in its place.
 *
 * Compared are the version, the contents of the program and of the adapter, and whether any library of this machine was installed
 * or changed: a mended libssl is of no use to a process that has loaded the old one.
 */

#include <stdbool.h>

#include "base/cleanup.h"

enum { CODE_SIZE = 160 };

/* Errors: -errno of a file that cannot be read. */
int code_identity(const char *program, const char *adapter_dir, const char *adapter,
		  char ret_code[CODE_SIZE]) WARN_UNUSED;

/* What a process was started with lies in the run folder, where the process itself cannot write.
 * Errors: -errno; -ENAMETOOLONG. */
int code_keep(const char *run_dir, const char *endpoint, unsigned worker, const char *code) WARN_UNUSED;
/* Whether it is the same. Where nothing is kept it is not. */
bool code_is_kept(const char *run_dir, const char *endpoint, unsigned worker, const char *code);

#endif
