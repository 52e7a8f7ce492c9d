/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AMQP_SINK_H
#define AMQP_SINK_H

/*
 * Deliveries on their way to the peer: sent in order as window and credit allow, answered by their ticket when the peer has settled
 * them. Nothing outlives a connection: when it is lost the core takes every unanswered ticket back, and the next begins empty.
 *
 * Order. Readings leave in the order in which they come, whatever their address: where the address of the first has no link yet,
 * or no credit, those behind it wait. Responses have a queue and a window of their own, since their addresses are those of
 * strangers: one that comes to nothing there is rejected, and nothing else suffers. A reading that the peer gives back (RELEASED,
 * MODIFIED) goes back to the core, and what waits here with it, so that only messages that were on their way already can overtake
 * it; with a window of 1 there are none.
 */

#include <stdbool.h>
#include <stdint.h>
#include <tidegate/adapter.h>

#include "common/queue.h"
#include "common/refused.h"
#include "pack.h"
#include "sender.h"

struct options;
struct pn_event_t;
struct pn_link_t;
struct sink_flight;
struct wire;

struct sink {
	const struct tg_host *host;
	const struct options *options;
	struct wire *wire;      /* NULL: none is up */
	const char *via;        /* NULL, or how this gateway tells its own messages; lent */
	bool held;              /* the connection is about to be closed: deliveries only queue up */
	bool busy;              /* sending already */
	bool short_of;          /* sessions: the operator was told */
	bool responded;         /* the link that was opened last is one for responses: now it is the readings' turn */
	int64_t short_since_us; /* that the first reading finds no session; 0: it is not so */
	bool starved;           /* that was so for too long, over some connection */
	struct pack pack;
	struct queue readings;
	struct queue responses;
	struct senders senders;
	struct sink_flight *first; /* in the order in which they were sent */
	struct sink_flight *last;
	size_t in_flight;
	size_t answering; /* responses in flight: they have the same window once more */
	uint64_t tag;
	char landed;            /* its place marks deliveries that have been answered */
	uint64_t confirmed;     /* deliveries, over this connection */
	struct refused refused; /* or given back: those of a window */
};

/* Errors: -ENOMEM. */
int sink_init(struct sink *sink, const struct tg_host *host);
void sink_done(struct sink *sink);

/* A connection is up, or (sink_end) no longer. `options` are lent until then. Errors: -ENOMEM. */
int sink_begin(struct sink *sink, const struct options *options, struct wire *wire);
void sink_end(struct sink *sink);

/* Others are lent from now on. */
void sink_set_options(struct sink *sink, const struct options *options);

/* Whether deliveries are wanted: the link to the one target, where there is one, is there. */
bool sink_is_ready(const struct sink *sink);

/* tg_adapter.deliver. Errors: -EAGAIN. */
int sink_deliver(struct sink *sink, const struct tg_delivery *delivery);

/* Sends what is queued, as far as there is room. */
void sink_pump(struct sink *sink);

/* Sends nothing more over this connection (or does again); what is queued comes back to the core with the link's end. */
void sink_hold(struct sink *sink, bool held);

/* An event of a link that is for sending, of its session or of its deliveries. */
void sink_happened(struct sink *sink, struct pn_link_t *link, struct pn_event_t *event);

/* A source finds no session: an idle link ends for it. */
void sink_make_room(struct sink *sink);

/* To be called about once a second: deadlines. */
void sink_tick(struct sink *sink);

/* Nothing waits for an answer. */
bool sink_is_quiet(const struct sink *sink);
/* Nothing is queued either. */
bool sink_is_idle(const struct sink *sink);

#endif
