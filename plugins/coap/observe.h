/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COAP_OBSERVE_H
#define COAP_OBSERVE_H

/*
 * Observers, as a server (RFC 7641): who watches something under which token, and how its news reach them. Pure: time and randomness are
 * handed in, datagrams leave through a function. What is watched, and whether it may be, is the owner's business.
 *
 * The life of an observer: observe_add when the request comes, observe_number for its first response, then observe_tell for
 * each new state. What is sent is always the newest state; one that comes while the last one may not be sent yet takes its place, and
 * nobody misses what counts (section 1.3). The first notification is confirmable, and so is one whenever the last acknowledgement is older
 * than `confirm_us`; the others are not, but the last of them is repeated, confirmable, when it has stayed the newest for that long. At
 * most one confirmable notification is under way to a peer, the others of an observer keep the distance of a round trip (section 4.5.1).
 * An observer ends by a reset, by silence through all retransmissions (with it all that wait behind it), behind an answer that is the last,
 * or by observe_remove.
 */

#include <stdbool.h>
#include <stdint.h>

#include "resource.h"

/* The distance to be kept where the round trip is not known. Source: RFC 7641 section 4.5.1. */
enum { OBSERVE_DISTANCE_S = 3 };

struct observe_table;
struct observer;

/* The observers' side of a session. Zero it. It must not move. */
struct observe_peer {
	struct observer *first;
	struct observer *under_way; /* whose confirmable notification is */
	unsigned count;
};

struct observe_limits {
	size_t observers; /* of all peers */
	size_t a_peer;
	int64_t confirm_us; /* no more than a day (section 4.5) */
};

enum observe_count {
	OBSERVE_COUNT_SENT,       /* notifications, without retransmissions */
	OBSERVE_COUNT_SKIPPED,    /* states that a newer one took the place of before they were sent */
	OBSERVE_COUNT_RETRANSMIT, /* of confirmable ones */
	OBSERVE_COUNT_GIVEN_UP,   /* observers that never acknowledged */
	OBSERVE_COUNT_RESET,      /* observers that did not want any more */
	OBSERVE_COUNTS
};

struct observe_events {
	/* The next message id of this peer's session. */
	uint16_t (*next_id)(void *arg, struct observe_peer *peer);
	/* One datagram for the peer; the bytes are borrowed. */
	void (*send)(void *arg, struct observe_peer *peer, struct tg_bytes datagram);
	/* The observer of this owner has ended, but not by observe_remove; it is freed when this returns. */
	void (*ended)(void *arg, void *owner);
	void (*count)(void *arg, enum observe_count what);
};

/* `random` is any 64 random bits. Errors: -ENOMEM. */
int observe_table_new(const struct observe_limits *limits, uint64_t random, const struct observe_events *events,
		      void *arg, struct observe_table **ret_table);
/* Accepts NULL; the peers are gone before. */
void observe_table_free(struct observe_table *table);
void observe_set_limits(struct observe_table *table, const struct observe_limits *limits);

/* Ownership: observe_remove, unless it ends by itself. Errors: -EDQUOT: too many of this peer; -ENOBUFS: too many of all; -ENOMEM. */
int observe_add(struct observe_table *table, struct observe_peer *peer, struct tg_bytes token, void *owner,
		struct observer **ret_observer);
void observe_remove(struct observe_table *table, struct observer *observer);
/* The owner of the peer's observer with this token, or NULL. */
void *observe_find(const struct observe_peer *peer, struct tg_bytes token);

/* The value of the Observe option for a response that leaves now: grows with the time, also from one registration to the next.
 * Source: RFC 7641 sections 3.4, 4.4. */
uint32_t observe_number(struct observer *observer, int64_t now_us);

/* There is a new state, or, with `last`, the end of it: then the answer leaves without an Observe option, and the observer ends when
 * it has arrived. Bytes are copied. Without memory the observer is told of the next state. */
void observe_tell(struct observe_table *table, struct observer *observer, const struct resource_answer *answer,
		  bool last, int64_t now_us);

/* Whether an acknowledgement or a reset belongs to a notification; then all is done. Source: RFC 7641 sections 3.6, 4.5. */
bool observe_settle(struct observe_table *table, struct observe_peer *peer, const struct coap_message *message,
		    int64_t now_us);

size_t observe_observers(const struct observe_table *table);

/* What is due. Call it no later than observe_next_us, INT64_MAX: never. */
void observe_run(struct observe_table *table, int64_t now_us);
int64_t observe_next_us(const struct observe_table *table);

#endif
