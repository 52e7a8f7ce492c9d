/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COAP_READER_H
#define COAP_READER_H

/*
 * Devices that read what other devices have handed in, once or for as long as they observe it (RFC 7641).
 *
 * The life of a read: reader_request opens an exchange and asks the core (tg_host.read), which knows whether the reader may. The core's
 * first answer (reader_told) is the response. A read that observes then stays: each further reading becomes a
 * notification (observe.h), until the reader cancels, resets, is silent or ends its session, or the core says that it is over. A core that
 * goes is none of the reader's business: when one is there again it is asked again (reader_joined), and the reader hears of it
 * only if there is something new.
 */

#include <tidegate/adapter.h>

#include "observe.h"
#include "reader_answer.h"

struct exchange_peer;
struct exchange_request;
struct exchange_table;
struct reader;
struct reader_table;

/* The reader's side of a session. It must not move. */
struct reader_peer {
	struct exchange_peer *exchange;
	struct reader *first;
	struct observe_peer observers;
	struct reader_snapshot_peer snapshots;
};

struct reader_limits {
	struct observe_limits observe;
	size_t snapshots_bytes; /* for large readings that are fetched in pieces */
};

struct reader_events {
	/* As in exchange_events. */
	void (*send)(void *arg, struct exchange_peer *peer, struct tg_bytes datagram);
	void (*count)(void *arg, enum observe_count what);
};

/* `prefix`: where the readings are, without a '/' in front; "": nowhere. Copied, READER_PREFIX_MAX bytes at most. Errors: -ENOMEM. */
int reader_table_new(const struct tg_host *host, struct exchange_table *exchanges, const char *prefix,
		     const struct reader_limits *limits, uint64_t random, const struct reader_events *events, void *arg,
		     struct reader_table **ret_table);
void reader_table_free(struct reader_table *table); /* accepts NULL; the peers are gone before */
/* For requests from now on. */
void reader_set(struct reader_table *table, const char *prefix, const struct reader_limits *limits);

/* Adds the resource to what /.well-known/core lists. Its text is lent until reader_set. */
void reader_links(const struct reader_table *table, struct resource_links *links);

/* A zeroed peer is a new one but for `exchange`, which outlives it. */
void reader_peer_done(struct reader_table *table, struct reader_peer *peer);

/* Whether a request is one for reader_request. */
bool reader_takes(const struct reader_table *table, const struct coap_message *message);
/* Answers a new request of `device`, or opens it. */
void reader_request(struct reader_table *table, struct reader_peer *peer, const char *device,
		    const struct exchange_request *request);
/* Whether a message is the acknowledgement or the reset of a notification; then all is done. */
bool reader_settle(struct reader_table *table, struct reader_peer *peer, const struct coap_message *message);

/* tg_adapter.reading, tg_adapter.joined */
void reader_told(struct reader_table *table, uint64_t token, const struct tg_reading *reading);
void reader_joined(struct reader_table *table);

size_t reader_observers(const struct reader_table *table);

void reader_run(struct reader_table *table, int64_t now_us);
int64_t reader_next_us(const struct reader_table *table);

#endif
