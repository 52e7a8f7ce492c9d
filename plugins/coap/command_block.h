/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COAP_COMMAND_BLOCK_H
#define COAP_COMMAND_BLOCK_H

/*
 * What a command has to say next, and what an answer to it means: with blocks (RFC 7959) it is a row of exchanges, first those that carry
 * its payload there, then those that fetch the answer. For command.c alone, which does the exchanges. Pure.
 */

#include "command.h"
#include "exchange.h"

enum command_state {
	COMMAND_SENT,  /* not acknowledged yet */
	COMMAND_ACKED, /* the answer comes as a message of its own */
	COMMAND_PARKED /* not answered in time; nobody waits for it, but the answer is taken if it comes */
};

struct command {
	struct command_peer *peer;
	uint32_t place;
	uint8_t id[TG_ID_SIZE];
	uint64_t ticket;
	size_t memory; /* that counts against all_bytes */

	/* The exchange under way. */
	enum command_state state;
	uint16_t message_id;
	uint8_t token[COMMAND_TOKEN_SIZE];
	int64_t sent_us; /* for the first time */
	int64_t timeout_us;
	unsigned retransmits;
	bool is_next; /* COMMAND_PARKED: this exchange has not begun yet */

	/* The request. */
	uint8_t method;
	int32_t content_format;
	size_t datagram_max;
	struct tg_bytes address; /* both behind this struct */
	struct tg_bytes payload;
	bool in_blocks;
	uint8_t szx;
	size_t offset;
	unsigned begun_anew;

	/* The answer, while it is fetched. */
	bool fetching;
	uint8_t fetch_szx;
	uint8_t code;
	uint8_t etag_size;
	uint8_t etag[8];
	uint32_t answer_format; /* MESSAGE_ABSENT: none */
	uint8_t *body;
	size_t body_size;
	size_t body_capacity;
};

enum command_next {
	COMMAND_NEXT_EXCHANGE, /* command_block_compose has more to send */
	COMMAND_NEXT_ANSWER,   /* `code`, `answer_format` and the answer are the result */
	COMMAND_NEXT_REJECT
};

/* What command_block_take may use, and what it has to say. */
struct command_block {
	size_t body_bytes;
	size_t spare_bytes; /* the memory that is left of all_bytes */
	struct tg_bytes answer;
	const char *reason;
};

/* Chooses the size of the blocks. Errors: -E2BIG: there is no room for even the smallest. */
int command_block_begin(struct command *command);
/* Writes the request of the exchange under way; it is the same each time. */
struct tg_bytes command_block_compose(const struct command *command, uint8_t bytes[EXCHANGE_DATAGRAM_MAX]);
/* Takes the answer to it. Ownership: `answer` is of the message or of the command. */
enum command_next command_block_take(struct command *command, const struct coap_message *message,
				     struct command_block *block);

#endif
