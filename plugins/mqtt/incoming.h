/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MQTT_INCOMING_H
#define MQTT_INCOMING_H

/*
 * Messages on their way in: each is handed in with tg_host.submit, and acknowledged to the broker when its verdict is final. A
 * verdict that it is not taken now (full, unavailable) leaves it unacknowledged, and it is handed in again after the time
 * that the verdict names, which doubles with each further try up to a minute. For inbox.c.
 */

#include <stdbool.h>
#include <stdint.h>
#include <tidegate/adapter.h>

#include "exact.h"
#include "gate.h"

struct codec_publish;
struct echo;
struct receive;

struct incoming {
	const struct tg_host *host;
	struct receive *receive; /* NULL: none is up */
	const char *via;         /* what this gateway has published itself says so; lent */
	struct echo *echo;       /* MQTT 3.1.1: what it has published itself; NULL: none */
	struct gate gate;
	struct exact exact;
	struct tg_timer *later;
	uint64_t token;
	bool stopping;    /* nothing is handed in any more */
	uint64_t settled; /* messages acknowledged or let go, over this connection */
};

/* Errors: -ENOMEM. */
int incoming_init(struct incoming *incoming, const struct tg_host *host);
void incoming_done(struct incoming *incoming);

/* A connection is up. `window`: the most that wait at once. `resumed`: it goes on with the session of the one before. Errors: -ENOMEM. */
int incoming_begin(struct incoming *incoming, struct receive *receive, unsigned window, bool resumed);
/* It is gone; verdicts that are still to come are remembered. */
void incoming_end(struct incoming *incoming);

/* The connection's events. */
bool incoming_has_room(const struct incoming *incoming);
void incoming_arrived(struct incoming *incoming, const struct codec_publish *publish, bool too_large);
void incoming_released(struct incoming *incoming, uint16_t mid);

/* tg_adapter.verdict. */
void incoming_verdict(struct incoming *incoming, uint64_t token, const struct tg_answer *answer);

/* Hands nothing in any more: only verdicts are waited for. */
void incoming_stop(struct incoming *incoming);
/* No verdict is waited for. */
bool incoming_is_quiet(const struct incoming *incoming);

#endif
