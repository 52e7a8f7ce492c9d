/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DDS_TRACE_H
#define DDS_TRACE_H

/* What the library has to complain of, in the operator's log. Its threads write; the main thread passes it on. */

#include <stdatomic.h>
#include <tidegate/adapter.h>

struct trace {
	const struct tg_host *host;
	atomic_uint n_waiting;
};

void trace_init(struct trace *trace, const struct tg_host *host);
/* The library has one such place in a process. */
void trace_begin(struct trace *trace);
void trace_end(struct trace *trace);

#endif
