/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DDS_WAKE_H
#define DDS_WAKE_H

/* Rings in the main thread, from whatever thread of the library: many rings before the call make one call, and none comes behind
 * wake_done. */

#include <stdatomic.h>
#include <stdbool.h>
#include <tidegate/adapter.h>

struct wake {
	const struct tg_host *host;
	tg_call_fn *fn;
	void *arg;
	int fd; /* of an eventfd(2); -1: none */
	struct tg_watch *watch;
	atomic_bool rung;
};

/* Errors: those of eventfd(2), -ENOMEM; wake_done is to be called then, too. */
int wake_init(struct wake *wake, const struct tg_host *host, tg_call_fn *fn, void *arg)
	__attribute__((warn_unused_result));
/* When no other thread can ring any more. */
void wake_done(struct wake *wake);
/* Any thread. */
void wake_ring(struct wake *wake);

#endif
