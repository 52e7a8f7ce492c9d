/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_EXCHANGE_RIG_H
#define TESTS_EXCHANGE_RIG_H

/* An exchange table with two peers and a clock of its own, for the tests of exchanges: what it sends is kept here. */

#include "coap/exchange.h"

enum { MS = 1000, S = 1000000, RIG_SENT_MAX = 64 };

/* One datagram that the table has sent. */
struct rig_sent {
	int64_t at_us;
	size_t size;
	uint8_t wire[256];
	struct coap_message message;
};

struct exchange_rig {
	struct exchange_table *table;
	struct exchange_peer *peer;
	struct exchange_peer *other;
	struct rig_sent sent[RIG_SENT_MAX];
	size_t n_sent;
	unsigned counts[EXCHANGE_COUNTS];
	int64_t now_us;
	/* What was received last, and the answer that was remembered for it. */
	uint8_t wire[64];
	struct coap_message message;
	struct exchange_request request;
	struct exchange_answer before;
};

extern struct exchange_rig rig;
extern const struct exchange_answer rig_changed; /* 2.04 */

/* The limits: 100 exchanges, 4 of a peer, 200 ms to the acknowledgement. */
void rig_setup(void);
void rig_teardown(void);

/* Hands in a message with a token of one byte and a path of one, from `peer` or from another. */
enum exchange_input rig_receive(enum message_type type, uint8_t code, uint16_t id, uint8_t token);
enum exchange_input rig_receive_from(struct exchange_peer *from, enum message_type type, uint8_t code, uint16_t id,
				     uint8_t token);
/* Opens what was received last, which must work. */
uint64_t rig_open(uint64_t context);
/* Answers it with 2.04, which must work. */
void rig_finish(uint64_t token);
/* A confirmable request that is answered after a second. */
void rig_late_answer(uint16_t id);
/* Moves the time on, as the host's timer would. */
void rig_advance(int64_t us);

void rig_assert_sent(size_t place, enum message_type type, uint8_t code, uint16_t id);

#endif
