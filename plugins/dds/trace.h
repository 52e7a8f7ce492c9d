/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DDS_TRACE_H
#define DDS_TRACE_H

/* What the library has to complain of, in the operator's log. Its threads write it down; the main thread passes it on. */

#include <pthread.h>
#include <tidegate/adapter.h>

#include "wake.h"

enum { TRACE_LINES = 32, TRACE_LINE_SIZE = 400 };

struct trace {
	const struct tg_host *host;
	struct wake wake;
	pthread_mutex_t lock; /* of what follows */
	size_t n_lines;       /* more are left out until these are passed on */
	struct trace_line {
		enum tg_log_level level;
		char text[TRACE_LINE_SIZE];
	} lines[TRACE_LINES];
};

/* Errors: as wake_init. */
int trace_init(struct trace *trace, const struct tg_host *host) __attribute__((warn_unused_result));
/* The library has one such place in a process. */
void trace_begin(struct trace *trace);
/* Passes on what is left. When the library's threads are gone. */
void trace_done(struct trace *trace);

#endif
