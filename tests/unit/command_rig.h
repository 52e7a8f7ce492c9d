/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UNIT_COMMAND_RIG_H
#define UNIT_COMMAND_RIG_H

/* A table of commands with time from the test, and what it has sent and ended. */

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "coap/command.h"
#include "coap/exchange.h"

enum { RIG_BODY_BYTES = 65536, RIG_ALL_BYTES = 1 << 18 };

struct rig {
	struct command_table *table;
	struct command_peer peer;
	int64_t now_us;
	uint16_t next_id;
	uint64_t random;
	uint8_t datagram[EXCHANGE_DATAGRAM_MAX]; /* the last one that was sent */
	size_t datagram_size;
	size_t datagram_max; /* of sessions */
	unsigned n_sent;
	struct coap_message message; /* the last one that was sent */
	struct command_result ended; /* the last one, its payload copied */
	unsigned n_ended;
	unsigned counts[COMMAND_COUNTS];
	uint8_t payload[RIG_BODY_BYTES + 1]; /* terminated */
	uint8_t large[RIG_BODY_BYTES + 1];
};

extern struct rig rig;

void command_rig_begin(void);
void command_rig_end(void);

/* An id of this number; lent until the next call. */
const uint8_t *id_of(uint8_t number);
/* Begins it with ticket 1; `payload` is terminated or NULL. */
void begin(uint8_t number, uint8_t method, const char *address, const char *payload);
int try_begin(uint8_t number, uint8_t method, const char *address, struct tg_bytes payload);
int begin_at(struct command_peer *peer, uint8_t number, const char *address);

/* Moves time on, stopping at what is due on the way. */
void advance_to(int64_t at_us);
/* Until one more has ended. */
void pass_until_ended(void);

/* The last message that was sent, and that it is the n-th. Lent until the next one. */
const struct coap_message *sent(unsigned n);
void assert_empty(unsigned n, enum message_type type, uint16_t id);
/* The n-th option of this number. */
void assert_option(const struct coap_message *message, uint16_t number, unsigned n, const char *value);
int64_t option_of(const struct coap_message *message, uint16_t number);
/* That it is the n-th that has ended, so. `text` is the reason, or the payload of an answer. */
void assert_ended(unsigned n, enum command_end end, uint32_t code, const char *text);

/* Messages from the peer; each returns what command_receive does. */
bool settle(enum message_type type, uint16_t id);
/* An answer on the acknowledgement (with the request's id), or as a message of its own. */
bool answer(enum message_type type, const struct coap_message *request, uint8_t code, const char *payload);
bool answer_as(enum message_type type, uint16_t id, const struct coap_message *request, uint8_t code,
	       const char *payload);
/* 2.05 with an empty option of this number. */
bool answer_with(enum message_type type, uint16_t id, const struct coap_message *request, uint16_t option);
bool notify(uint16_t id, const struct coap_message *request);
/* On the acknowledgement, with Block1 and Block2 (MESSAGE_ABSENT: none), an ETag of one byte (0: none). */
bool answer_block(const struct coap_message *request, uint8_t code, uint32_t block1, uint32_t block2, uint8_t etag,
		  struct tg_bytes payload);

#endif
