/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RENEW_OUTCOME_H
#define RENEW_OUTCOME_H

/* How a job ended: one JSON object on standard output, {"ok": true, "how": …} or {"ok": false, "error": …}. */

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"

enum { OUTCOME_TEXT = 512 };

struct outcome {
	bool good;
	const char *how;          /* "simplereenroll" … */
	bool drop;                /* the pending key is of no use any more */
	int64_t retry_after_s;    /* as the server asked; 0: it did not */
	char error[OUTCOME_TEXT]; /* one line */
};

/* Notes a failure, and returns it. */
int outcome_fail(struct outcome *outcome, int error, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Errors: -ENOMEM, or as of write(2). */
int outcome_write(const struct outcome *outcome, int fd) WARN_UNUSED;

#endif
