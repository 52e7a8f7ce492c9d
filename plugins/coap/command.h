/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COAP_COMMAND_H
#define COAP_COMMAND_H

/*
 * Requests of our own to peers, as their client (RFC 7252 sections 4.2, 5.2, 5.3; RFC 7959): commands. Pure: time and randomness are
 * handed in, datagrams leave through a function.
 *
 * The life of a command: command_begin sends it, confirmable, and repeats it until it is acknowledged. The answer rides on the
 * acknowledgement, or comes later as a message of its own; a payload that does not fit into one block goes out, and a long answer comes in,
 * as one exchange after the other. Then `ended` says what came of it, and it is gone.
 *
 * A command that nobody has answered has ended for its caller as well, but stays with the peer for EXCHANGE_LIFETIME: given again,
 * command_attach sends the very same message, which a device that has had it before knows by its id and token, and a late answer is
 * still taken. A peer has one command at a time (NSTART is 1).
 */

#include <stdbool.h>
#include <stdint.h>

#include "message.h"

struct command;
struct command_table;

enum { COMMAND_TOKEN_SIZE = 8, COMMAND_TOKENS_KEPT = 4 };

/* The peer's place in what is kept for a session. Zero it; it must not move. */
struct command_peer {
	struct command *command;
	uint8_t answered[COMMAND_TOKENS_KEPT][COMMAND_TOKEN_SIZE]; /* answers to these may come again */
	unsigned next_answered;
};

struct command_limits {
	size_t body_bytes; /* of a payload, and of an answer */
	size_t all_bytes;  /* memory of all of them */
	int64_t response_timeout_us;
};

enum command_count {
	COMMAND_COUNT_BEGUN,
	COMMAND_COUNT_RETRANSMIT,
	COMMAND_COUNT_SEPARATE, /* answers that came as messages of their own */
	COMMAND_COUNT_BLOCKS,   /* exchanges that moved a block of a payload or an answer */
	COMMAND_COUNTS
};

/* What the caller wants to have carried out. Borrowed. */
struct command_request {
	uint8_t id[TG_ID_SIZE];
	uint64_t ticket; /* the caller's, not 0; comes back with the result */
	uint8_t method;
	int32_t content_format;
	struct tg_bytes address; /* see message_is_address */
	struct tg_bytes payload;
	size_t datagram_max; /* the largest that the session takes */
};

enum command_end {
	COMMAND_ANSWERED, /* code, content_format and payload are the peer's */
	COMMAND_REJECTED, /* for good, `reason` says why */
	COMMAND_UNANSWERED
};

/* Borrowed. */
struct command_result {
	uint8_t id[TG_ID_SIZE];
	uint64_t ticket; /* 0: nobody waits for it any more */
	enum command_end end;
	const char *reason; /* static */
	uint32_t code;      /* a decimal number, as in struct tg_response */
	int32_t content_format;
	struct tg_bytes payload;
};

struct command_events {
	void (*send)(void *arg, struct command_peer *peer, struct tg_bytes datagram);
	/* A message id of the session's numbering. */
	uint16_t (*next_id)(void *arg, struct command_peer *peer);
	void (*random)(void *arg, void *ret_bytes, size_t size);
	/* The peer has no command when this is called, or one that is not in flight. */
	void (*ended)(void *arg, struct command_peer *peer, const struct command_result *result);
	void (*count)(void *arg, enum command_count what);
};

/* What a peer has of a command. */
enum command_presence {
	COMMAND_NONE,      /* nothing: it can be begun */
	COMMAND_IN_FLIGHT, /* this very one, */
	COMMAND_KEPT,      /* or it has been sent, and nobody has answered: attach */
	COMMAND_OTHER      /* another one is in flight */
};

/* Errors: -ENOMEM. */
int command_table_new(const struct command_limits *limits, const struct command_events *events, void *arg,
		      struct command_table **ret_table);
void command_table_free(struct command_table *table); /* accepts NULL; the peers are gone before */
void command_set_limits(struct command_table *table, const struct command_limits *limits);

enum command_presence command_presence(const struct command_peer *peer, const uint8_t id[TG_ID_SIZE]);

/* Sends a command to a peer that has none in flight; one that was kept is dropped. Errors: -EINVAL: no address; -EMSGSIZE: the payload
 * is over body_bytes; -E2BIG: the address leaves no room in a datagram; -ENOBUFS: over all_bytes; -ENOMEM. */
int command_begin(struct command_table *table, struct command_peer *peer, const struct command_request *request,
		  int64_t now_us);
/* The result of the command that this peer has goes to `ticket`; one that was kept is sent again. */
void command_attach(struct command_table *table, struct command_peer *peer, uint64_t ticket, int64_t now_us);

/* Takes a message that message_parse has accepted. Returns false where it is none of a command's. */
bool command_receive(struct command_table *table, struct command_peer *peer, const struct coap_message *message,
		     int64_t now_us);

/* Ends what is in flight as COMMAND_UNANSWERED, and keeps nothing: the session has ended, or all does. */
void command_interrupt(struct command_table *table, struct command_peer *peer, const char *reason);
/* The same for all peers. */
void command_interrupt_all(struct command_table *table, const char *reason);
/* Forgets the peer's command; `ended` is not called. */
void command_peer_done(struct command_table *table, struct command_peer *peer);
/* All tickets have become worthless: those of the commands in flight are 0 from now on. */
void command_void_tickets(struct command_table *table);

/* What is due. Call it no later than command_next_us, INT64_MAX: never. */
void command_run(struct command_table *table, int64_t now_us);
int64_t command_next_us(const struct command_table *table);

/* Memory of all commands. */
size_t command_bytes(const struct command_table *table);

#endif
