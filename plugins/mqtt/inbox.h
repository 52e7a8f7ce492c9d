/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MQTT_INBOX_H
#define MQTT_INBOX_H

/*
 * The receiving half of an endpoint: keeps one connection, apart from the one that publishes, with one of the brokers for as long
 * as routes take something from it. Which broker and when is as in link.h. The broker keeps the session while the connection is
 * away, and gives again what was not acknowledged. For mqtt.c.
 */

#include <stdbool.h>
#include <stdint.h>
#include <tidegate/adapter.h>

#include "common/round.h"
#include "incoming.h"
#include "receive.h"
#include "subscribe.h"

struct options;

struct inbox_events {
	/* Whether the connection that publishes is up: then nobody else tells that this one is not. */
	bool (*publishing)(void *arg);
	/* After inbox_stop: nothing is left. */
	void (*stopped)(void *arg);
};

struct inbox {
	const struct tg_host *host;
	const struct options *options; /* lent; inbox_set_options */
	const struct inbox_events *events;
	void *arg;
	struct subscribe subscribe;
	struct incoming incoming;
	struct echo *echo;       /* MQTT 3.1.1 */
	struct receive *receive; /* NULL: none */
	struct round round;
	bool up;
	bool told;       /* the host knows of this connection */
	bool complained; /* of this outage */
	bool stopping;
	int64_t up_us;
	uint64_t handle;
	char *session; /* broker and client identifier that the last session was with; NULL: there was none */
	struct tg_timer *retry;
	struct tg_timer *tick;
};

/* Errors: -ENOMEM. */
int inbox_init(struct inbox *inbox, const struct tg_host *host, const struct options *options,
	       const struct inbox_events *events, void *arg);
void inbox_done(struct inbox *inbox);

/* Errors: -ENOMEM. */
int inbox_start(struct inbox *inbox);

/* Whether routes take anything. */
bool inbox_is_wanted(const struct inbox *inbox);

/* From now on this configuration counts, and the routes have been read anew. `same`: nothing in it concerns a connection. */
void inbox_set_options(struct inbox *inbox, const struct options *options, bool same);

/* This was published over the same endpoint, in MQTT 3.1.1: it may come back. */
void inbox_published(struct inbox *inbox, struct tg_bytes topic, struct tg_bytes payload);

/* tg_adapter.verdict and joined. */
void inbox_verdict(struct inbox *inbox, uint64_t token, const struct tg_answer *answer);
void inbox_joined(struct inbox *inbox);

/* Takes nothing in any more, waits for the verdicts that are due, and ends the connection; the broker keeps the session. */
void inbox_stop(struct inbox *inbox);

#endif
