/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTL_PROGRAM_H
#define CTL_PROGRAM_H

/* Another program's answer, for commands that look at the box. */

#include <stdbool.h>
#include <stddef.h>

enum { PROGRAM_NOT_THERE = -1, PROGRAM_TOO_LATE = -2, PROGRAM_TOO_MUCH = -3, PROGRAM_KILLED = -4 };

/* Runs `command` (of the PATH, ended by NULL) with nothing on its standard input, and collects what it says, with `errors` also on its
 * standard error, in `text`, terminated. Returns its exit status, or why there is none; what came is in `text` all the same.
 * Blocks: up to `timeout_s`, when it is killed. */
int program_run(char *const *command, int timeout_s, bool errors, char *text, size_t size);

#endif
