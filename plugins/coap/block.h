/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COAP_BLOCK_H
#define COAP_BLOCK_H

/*
 * Block-wise transfer (RFC 7959): a request body that comes in pieces, and the piece of our own answer that was asked for. Pure: the
 * time is handed in. A session has a few bodies under way, of bounded size, each for another request; all bodies together are
 * bounded too. Memory follows what has arrived, never what a peer announces.
 */

#include <stdbool.h>
#include <stdint.h>

#include "message.h"

struct block_table;
struct block_body;

/* The sender's side of a session. Zero it; it must not move. */
struct block_peer {
	struct block_body *bodies;
	struct block_body *lent;
	unsigned count;
};

struct block_limits {
	size_t body_bytes;
	size_t all_bytes;
};

/* Half a body that nothing more has come for is kept this long, EXCHANGE_LIFETIME. */
enum { BLOCK_LIFETIME_S = 247 };
/* Bodies that a session may have under way; one more makes it lose the one that it has left alone for longest. */
enum { BLOCK_BODIES_A_PEER = 4 };

static inline uint32_t block_value(uint32_t number, bool more, uint32_t szx)
{
	return number << 4 | (uint32_t)more << 3 | szx;
}

/* Whether the option has the reserved size exponent 7. */
static inline bool block_is_reserved(uint32_t value)
{
	return value != MESSAGE_ABSENT && (value & 7) == 7;
}

/* The option that asks for the same place in pieces of at most 2^(szx + 4) bytes; the first where it is absent. */
static inline uint32_t block_at_most(uint32_t value, uint32_t szx)
{
	if (value == MESSAGE_ABSENT)
		return szx;
	if (block_is_reserved(value) || (value & 7) <= szx)
		return value;
	return block_value(value >> 4 << ((value & 7) - szx), false, szx);
}

/* `seed` is random: nobody can choose requests that look the same. Errors: -ENOMEM. */
int block_table_new(const struct block_limits *limits, uint64_t seed, struct block_table **ret_table);
void block_table_free(struct block_table *table); /* accepts NULL; the peers are gone before */
void block_set_limits(struct block_table *table, const struct block_limits *limits);

/* The largest body that is taken. */
size_t block_limit(const struct block_table *table);

/* Drops what this peer has sent so far. */
void block_peer_done(struct block_table *table, struct block_peer *peer);

/*
 * Takes the payload of a request, with Block1 or without. Pieces of different requests (other paths, methods, Request-Tags) may
 * come by turns. Returns 0 when the body is whole, and *ret_body has it; otherwise
 * the code to answer with: 2.31, 4.00, 4.08 (a piece is missing), 4.13 (over body_bytes, whether sent or announced), 5.03 (over
 * all_bytes or out of memory).
 * Ownership: the body borrows from the message or is lent until block_return, which the caller calls next.
 * Source: RFC 7959 sections 2.2, 2.3, 2.5, 2.9; RFC 9175 section 3.3.
 */
uint8_t block_receive(struct block_table *table, struct block_peer *peer, const struct coap_message *message,
		      int64_t now_us, struct tg_bytes *ret_body);

/* Drops the body that was lent, if one was. */
void block_return(struct block_table *table, struct block_peer *peer);

/* Drops the bodies whose time is up. */
void block_run(struct block_table *table, int64_t now_us);
/* When block_run will have something to do, or INT64_MAX. */
int64_t block_next_us(const struct block_table *table);

/* Memory of all bodies. */
size_t block_bytes(const struct block_table *table);

/* Cuts the piece out of `whole` that `block2` of the request asks for; MESSAGE_ABSENT: all of it if it fits into one block of
 * 1,024 bytes, else the first. Returns 0 or 4.00. *ret_block2 may be MESSAGE_ABSENT. Source: RFC 7959 section 2.4. */
uint8_t block_slice(struct tg_bytes whole, uint32_t block2, struct tg_bytes *ret_part, uint32_t *ret_block2);

#endif
