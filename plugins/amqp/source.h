/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AMQP_SOURCE_H
#define AMQP_SOURCE_H

/*
 * Messages on their way in. For each address of `sources` that a route can take something from there is a link, with a session of its
 * own and credit for as many messages as may wait at once. Each message is handed in with tg_host.submit and settled when its
 * verdict is there: accepted; or rejected, with the reason, when it is refused for good. One that is not taken now (full,
 * unavailable, too fast) stays unsettled and is handed in again after the time that the verdict names, which doubles with each
 * further try up to a minute; younger ones of its path wait behind it. So the credit runs out, and the peer keeps the rest.
 *
 * What is not settled when the connection ends comes again from the peer; so can what was accepted by a verdict that came too late.
 * When stopping, what has no verdict to wait for is released.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <tidegate/adapter.h>

struct options;
struct pn_event_t;
struct pn_link_t;
struct receiver;
struct source_entry;
struct wire;

struct source {
	const struct tg_host *host;
	const struct options *options;
	struct wire *wire; /* NULL: none is up */
	const char *via;   /* what this gateway has sent itself says so; lent */
	struct receiver *receivers;
	size_t n_receivers;
	struct source_entry **entries; /* by slot; NULL: free */
	size_t slots;
	size_t next_slot;
	size_t used;
	size_t waiting;            /* for a verdict */
	size_t late;               /* not taken once or more */
	size_t bytes;              /* of all entries */
	struct source_entry *head; /* in the order in which they came */
	struct source_entry *tail;
	struct tg_timer *later;
	uint64_t token;
	uint64_t settled; /* over this connection */
	bool spare;       /* the last session is left to what is sent */
	bool stale;       /* settings or routes have changed */
	bool stopping;    /* nothing is handed in any more */
};

/* Errors: -ENOMEM. */
int source_init(struct source *source, const struct tg_host *host);
void source_done(struct source *source);

/* Reads from settings and routes what to receive from; no connection may be up. Errors: -ENOMEM. */
int source_read(struct source *source);
/* Whether there is anything to receive from. */
bool source_is_wanted(const struct source *source);
/* Whether source_read would find what it found before. Where it would not, the next source_begin reads anew. */
bool source_is_same(struct source *source);

/* A connection is up, or (source_end) no longer. `options` are lent until then. Errors: -ENOMEM. */
int source_begin(struct source *source, const struct options *options, struct wire *wire);
void source_end(struct source *source);

/* Others are lent from now on. */
void source_set_options(struct source *source, const struct options *options);

/* An event of a link that is for receiving, of its session or of its deliveries. */
void source_happened(struct source *source, struct pn_link_t *link, struct pn_event_t *event);

/* tg_adapter.verdict. */
void source_verdict(struct source *source, uint64_t token, const struct tg_answer *answer);

/* To be called about once a second: links that were lost are tried again. */
void source_tick(struct source *source);
/* Whether there is a source that found no session. */
bool source_is_short(const struct source *source);
/* A session may be free: one that found none is tried at once. Before anybody else takes it. */
void source_retry(struct source *source);

/* Hands nothing in any more, and gives back what waits: only verdicts are waited for. */
void source_stop(struct source *source);
/* No verdict is waited for. */
bool source_is_quiet(const struct source *source);

#endif
