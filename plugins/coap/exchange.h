/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COAP_EXCHANGE_H
#define COAP_EXCHANGE_H

/*
 * Message exchange as a server (RFC 7252 sections 4 and 5.2): duplicates, acknowledgements, separate responses and their
 * retransmission, pings and resets. Pure: time and randomness are handed in, datagrams leave through a function.
 *
 * The life of a request: exchange_receive says that it is new. Either its answer is known at once (exchange_reply), or it is
 * opened (exchange_open) and answered later by its token (exchange_find, exchange_finish). An answer within the ACK delay rides on the
 * acknowledgement; a later one follows an empty acknowledgement as a confirmable message of its own and is
 * retransmitted until the peer has it. A response of a class that the request does not want (RFC 7967) is not sent: then a
 * confirmable request gets its empty acknowledgement, and that is all.
 */

#include <stdbool.h>
#include <stdint.h>

#include "message.h"
#include "recent.h"

/* RFC 7252 section 4.8. */
enum { EXCHANGE_ACK_TIMEOUT_MS = 2000, EXCHANGE_MAX_RETRANSMIT = 4 };
/* The longest datagram that is sent; what a request is answered with fits, blocks are 1,024 bytes at most. */
enum { EXCHANGE_DATAGRAM_MAX = 1280 };

struct exchange_table;
struct exchange;

/* The sender's side of a session. Zero it, then exchange_peer_init. It must not move. */
struct exchange_peer {
	struct recent_peer recent;
	uint32_t first; /* its open exchanges */
	uint16_t open;
	uint16_t next_id;
};

enum exchange_count {
	EXCHANGE_COUNT_REPEAT, /* a message that was seen before */
	EXCHANGE_COUNT_PING,
	EXCHANGE_COUNT_SEPARATE,   /* responses that followed an empty acknowledgement */
	EXCHANGE_COUNT_RETRANSMIT, /* of those */
	EXCHANGE_COUNT_GIVEN_UP,   /* of those: never acknowledged, or reset */
	EXCHANGE_COUNT_UNWANTED,   /* responses that were not sent, since No-Response says so */
	EXCHANGE_COUNT_RESPONSES_2,
	EXCHANGE_COUNT_RESPONSES_4,
	EXCHANGE_COUNT_RESPONSES_5,
	EXCHANGE_COUNTS
};

struct exchange_events {
	/* One datagram for the peer; the bytes are borrowed. A lost one is the network's normal case: no result. */
	void (*send)(void *arg, struct exchange_peer *peer, struct tg_bytes datagram);
	void (*count)(void *arg, enum exchange_count what);
};

struct exchange_limits {
	size_t open; /* requests in progress, of all peers */
	size_t open_a_peer;
	size_t recent; /* answered ids that are remembered, of all peers */
	size_t recent_a_peer;
	int64_t ack_delay_us;
};

/* A message as it came in, for the time of the call. */
struct exchange_request {
	struct exchange_peer *peer;
	const struct coap_message *message;
	uint32_t hash; /* exchange_hash of the whole datagram */
};

/* `code` and `detail` are remembered for repeats. `body` is options and payload as message_writer makes them. */
struct exchange_answer {
	uint8_t code;
	uint32_t detail;
	struct tg_bytes body;
};

enum exchange_input {
	EXCHANGE_NEW,    /* a request: to be answered or opened */
	EXCHANGE_REPEAT, /* answered before: *ret_answer has code and detail, exchange_repeat sends it again */
	EXCHANGE_DONE    /* nothing is left to do */
};

/* `random` is any 64 random bits. Errors: -ENOMEM. */
int exchange_table_new(const struct exchange_limits *limits, uint64_t random, const struct exchange_events *events,
		       void *arg, struct exchange_table **ret_table);
void exchange_table_free(struct exchange_table *table); /* accepts NULL */
/* New requests are measured by these; the memory of ids keeps its size. */
void exchange_set_limits(struct exchange_table *table, const struct exchange_limits *limits);

void exchange_peer_init(struct exchange_table *table, struct exchange_peer *peer);
/* Ends all that is open without an answer; their tokens are never found again. */
void exchange_peer_done(struct exchange_table *table, struct exchange_peer *peer);

uint32_t exchange_hash(const struct exchange_table *table, struct tg_bytes datagram);

/* Takes a message that message_parse has accepted. */
enum exchange_input exchange_receive(struct exchange_table *table, const struct exchange_request *request,
				     int64_t now_us, struct exchange_answer *ret_answer);
/* Rejects a message: RST where it is confirmable, otherwise silence. Source: RFC 7252 sections 4.2, 4.3. */
void exchange_reject(struct exchange_table *table, struct exchange_peer *peer, const struct coap_message *message);

/* Answers a new request at once. */
void exchange_reply(struct exchange_table *table, const struct exchange_request *request,
		    const struct exchange_answer *answer, int64_t now_us);
/* Answers a repeated request as it was answered before; one that is not confirmable gets nothing. */
void exchange_repeat(struct exchange_table *table, const struct exchange_request *request,
		     const struct exchange_answer *answer);

/* Keeps a new request open until exchange_finish. `context` comes back from exchange_context. Errors: -EDQUOT: too many of
 * this peer; -ENOBUFS: too many of all; -ENOMEM. */
int exchange_open(struct exchange_table *table, const struct exchange_request *request, uint64_t context,
		  int64_t now_us, uint64_t *ret_token);
/* Takes an opened request back, as if it had never been: its answer is known after all. */
void exchange_cancel(struct exchange_table *table, uint64_t token);
/* Whether `token` still waits for its answer; the context it was opened with. Errors: -ENOENT. */
int exchange_context(const struct exchange_table *table, uint64_t token, uint64_t *ret_context);
/* Errors: -ENOENT: its peer has gone. */
int exchange_finish(struct exchange_table *table, uint64_t token, const struct exchange_answer *answer, int64_t now_us);

/* Requests that wait for exchange_finish. */
size_t exchange_waiting(const struct exchange_table *table);

/* What is due: empty acknowledgements, retransmissions, forgetting. Call it no later than exchange_next_us, INT64_MAX: never. */
void exchange_run(struct exchange_table *table, int64_t now_us);
int64_t exchange_next_us(const struct exchange_table *table);

#endif
