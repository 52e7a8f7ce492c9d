/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COAP_CLIENT_STACK_WIRE_H
#define COAP_CLIENT_STACK_WIRE_H

/*
 * What a datagram is, as far as its outside tells: whether it is a message at all, and whether OSCORE protects it. Nothing in it is
 * verified yet. Pure; what comes in may be anything.
 */

#include <stdbool.h>
#include <tidegate/message.h>

enum wire_kind {
	WIRE_BROKEN = 0,
	WIRE_EMPTY = 1, /* acknowledgement, reset, ping */
	WIRE_REQUEST = 2,
	WIRE_RESPONSE = 3
};

/* RFC 7252 section 3; the numbers of the wire. */
enum wire_type { WIRE_CON = 0, WIRE_NON = 1, WIRE_ACK = 2, WIRE_RST = 3 };

struct wire {
	enum wire_kind kind;
	enum wire_type type;
	uint8_t id[2];
	uint64_t token; /* as it lies there; 0: not of 8 bytes */
	bool is_protected;
	bool has_number; /* a Partial IV (RFC 8613 section 6.1) */
	uint64_t number;
};

struct wire wire_look(struct tg_bytes datagram);

enum { WIRE_RESET_SIZE = 4 };

/* The reset that rejects it (RFC 7252 section 4.2); for CON and NON. */
void wire_reset(const struct wire *wire, uint8_t ret_datagram[WIRE_RESET_SIZE]);

#endif
