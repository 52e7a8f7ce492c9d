/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DDS_WAKE_H
#define DDS_WAKE_H

/* Rings in the main thread, from whatever thread of the library: many rings before the call make one call. */

#include <stdatomic.h>
#include <stdbool.h>
#include <tidegate/adapter.h>

struct wake {
	const struct tg_host *host;
	tg_call_fn *fn;
	void *arg;
	atomic_bool rung;
};

void wake_init(struct wake *wake, const struct tg_host *host, tg_call_fn *fn, void *arg);
/* Any thread. */
void wake_ring(struct wake *wake);

#endif
