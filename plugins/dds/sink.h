/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DDS_SINK_H
#define DDS_SINK_H

/*
 * Writes deliveries as samples. A delivery is confirmed when all readers that its topic's writer had when it was written have
 * acknowledged it, and none of them has gone meanwhile; the library is asked for that at short intervals, since its call that
 * waits would block. What nobody knows the type of yet, or nobody reads, is given back to be tried again later.
 */

#include <sys/queue.h>
#include <tidegate/adapter.h>

#include "options.h"
#include "topics.h"

struct sink_written {
	TAILQ_ENTRY(sink_written) link;
	uint64_t ticket;
	struct topic *topic;
	int64_t since_us;
};

TAILQ_HEAD(sink_list, sink_written);

struct sink {
	const struct tg_host *host;
	const struct options *options;
	struct topics *topics;
	struct sink_list written;
	size_t n_written;
	int64_t poll_us; /* the interval */
	bool stopping, waiting_told;
	struct tg_timer *timer;
	tg_call_fn *stopped;
	void *arg;
};

/* `stopped`: nothing is unconfirmed any more, after sink_stop. Errors: -ENOMEM; sink_done is to be called then, too. */
int sink_init(struct sink *sink, const struct tg_host *host, const struct options *options, struct topics *topics,
	      tg_call_fn *stopped, void *arg) __attribute__((warn_unused_result));
void sink_done(struct sink *sink);

/* As tg_adapter.deliver. */
int sink_deliver(struct sink *sink, const struct tg_delivery *delivery) __attribute__((warn_unused_result));
/* The options have changed: what a writer that has to be made anew has not brought over is given back. */
void sink_renew(struct sink *sink);
void sink_stop(struct sink *sink);

#endif
