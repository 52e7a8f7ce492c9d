/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COAP_CLIENT_SEQUENCE_H
#define COAP_CLIENT_SEQUENCE_H

/*
 * The sender sequence numbers of one OSCORE context: none is ever used twice, because the nonces come from them (RFC 8613 section
 * 5.2). Those below `reserved` are on disk as used up, and may be used; so many are reserved ahead at a time, and the next ones are
 * asked for before these run out. What was reserved and not used is left out after a restart. Pure.
 */

#include <stdbool.h>
#include <stdint.h>

/* libcoap stops where the standard does, at 2^40. */
#define SEQUENCE_END ((UINT64_C(1) << 40) - 1)
enum { SEQUENCE_AHEAD = 1024 };

struct sequence {
	uint64_t next;
	uint64_t reserved;
	uint64_t asked; /* to be kept, and not answered yet; 0: nothing */
};

/* What was kept: all below count as used. */
void sequence_begin(struct sequence *sequence, uint64_t kept);

/* Whether the next number may be used. */
bool sequence_may(const struct sequence *sequence);

/* All below are used now. */
void sequence_used(struct sequence *sequence, uint64_t next);

bool sequence_is_at_its_end(const struct sequence *sequence);

/* What the core is to keep now; 0: nothing. It counts as asked for. */
uint64_t sequence_ask(struct sequence *sequence);

/* The core has answered. */
void sequence_answered(struct sequence *sequence, bool kept);

#endif
