/* SPDX-License-Identifier: Apache-2.0 */
#include "renew/outcome.h"

#include <errno.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"

int outcome_fail(struct outcome *outcome, int error, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(outcome->error, sizeof(outcome->error), format, args);
	va_end(args);
	/* A server's words may stand in it. */
	for (char *p = outcome->error; *p; p++) {
		if (*p < 0x20 || *p >= 0x7f)
			*p = '?';
	}
	outcome->good = false;
	return error;
}

int outcome_write(const struct outcome *outcome, int fd)
{
	json_t *object = outcome->good ? json_pack("{s:b,s:s}", "ok", 1, "how", outcome->how ? outcome->how : "")
				       : json_pack("{s:b,s:s,s:b,s:I}", "ok", 0, "error", outcome->error, "drop",
						   outcome->drop, "retry_after_s", (json_int_t)outcome->retry_after_s);
	CLEANUP_FREE char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;
	int r = text ? 0 : -ENOMEM;

	json_decref(object);
	for (size_t at = 0, size = text ? strlen(text) : 0; r >= 0 && at < size;) {
		ssize_t n = write(fd, text + at, size - at);

		if (n < 0 && errno != EINTR)
			r = -errno;
		at += n > 0 ? (size_t)n : 0;
	}
	return r;
}
