/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COAP_RECENT_H
#define COAP_RECENT_H

/*
 * The memory of message ids that were answered lately, so that a repeated message is not a second one (RFC 7252 section 4.5).
 * Pure; belongs to the exchanges. All peers share one pool: what it takes follows the traffic, a peer that is silent costs nothing.
 * When the pool is full the oldest goes; a peer that has used up its share loses its own oldest first.
 *
 * A repeat is recognised by its id *and* by a hash of the whole datagram: a sender that comes around with its 65,536 ids earlier
 * than EXCHANGE_LIFETIME gets its new reading taken, not an old answer.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <tidegate/message.h>

/* RFC 7252 section 4.8.2. Units: seconds. */
enum { RECENT_EXCHANGE_LIFETIME_S = 247, RECENT_NON_LIFETIME_S = 145 };

struct recent;

/* What was answered. Kept small: options that repeat the request (Block1) are made anew from the repeated request. */
struct recent_answer {
	uint16_t id;
	uint8_t code; /* 0: an empty acknowledgement */
	bool confirmable;
	uint32_t hash;
	uint32_t detail; /* the number that goes with the code: Max-Age, Size1 */
};

/* One sender; place it in what is kept for a session. All of it is the memory's own. */
struct recent_peer {
	uint32_t oldest; /* places + 1; 0: none */
	uint32_t newest;
	uint32_t count;
};

/* `limit` and `limit_a_peer` are in entries of 44 bytes. `seed` is random: nobody can choose datagrams that collide. Errors: -ENOMEM. */
int recent_new(size_t limit, size_t limit_a_peer, uint64_t seed, struct recent **ret_recent);
void recent_free(struct recent *recent); /* accepts NULL */

/* Forgets everything of this peer. A zeroed peer is a new one. The peer must not move while it has entries. */
void recent_peer_done(struct recent *recent, struct recent_peer *peer);

uint32_t recent_hash(const struct recent *recent, struct tg_bytes datagram);

/* Ownership: lent until the next call. NULL: not seen, or too long ago. Units: `now_us` in microseconds. */
const struct recent_answer *recent_find(const struct recent *recent, const struct recent_peer *peer, uint16_t id,
					uint32_t hash, int64_t now_us);
/* Out of memory is no error: then something older, or this one, is forgotten early. */
void recent_add(struct recent *recent, struct recent_peer *peer, const struct recent_answer *answer, int64_t now_us);

/* Gives back what has run out. */
void recent_expire(struct recent *recent, int64_t now_us);
/* When recent_expire will have something to do, or INT64_MAX. */
int64_t recent_next_us(const struct recent *recent);

size_t recent_count(const struct recent *recent);

#endif
