/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AMQP_UPLINK_H
#define AMQP_UPLINK_H

/*
 * The link to the peer as tidegate means it: connects to the brokers in turn, with pauses that grow, and begins anew when a connection
 * is lost. Tells the host and the operator how it is. For amqp.c.
 */

#include <stdbool.h>
#include <stdint.h>
#include <tidegate/adapter.h>

#include "common/round.h"
#include "wire.h"

struct options;

struct uplink_events {
	/* A connection is up. Deliveries are wanted from uplink_ready on. */
	void (*up)(void *arg, struct wire *wire);
	void (*happened)(void *arg, struct pn_event_t *event);
	void (*moved)(void *arg);
	/* The connection is gone; nothing of it may be used behind this call. Returns whether it was of any use. */
	bool (*down)(void *arg);
	void (*stopped)(void *arg);
	/* The first broker is to be tried again. */
	void (*failback)(void *arg);
	/* About once a second. */
	void (*tick)(void *arg);
};

struct uplink {
	const struct tg_host *host;
	const struct options *options;
	const struct uplink_events *events;
	void *arg;
	struct wire *wire;
	bool up;
	bool ready;
	bool stopping;
	int64_t up_us;
	struct round round;
	struct tg_timer *retry;
	struct tg_timer *tick;
	char cause[WIRE_CAUSE_SIZE]; /* why the last attempt came to nothing */
};

/* `options` are lent until uplink_set_options or uplink_done. Errors: -ENOMEM. */
int uplink_init(struct uplink *uplink, const struct tg_host *host, const struct options *options,
		const struct uplink_events *events, void *arg);
void uplink_done(struct uplink *uplink);

void uplink_start(struct uplink *uplink);
void uplink_set_options(struct uplink *uplink, const struct options *options);

/* Everything is there that deliveries need. */
void uplink_ready(struct uplink *uplink);

/* Closes the connection and begins anew with the first broker. */
void uplink_renew(struct uplink *uplink);
/* The connection is no good. */
void uplink_abort(struct uplink *uplink, const char *cause);
/* Closes it for good; `stopped` follows. */
void uplink_stop(struct uplink *uplink);

#endif
