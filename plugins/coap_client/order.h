/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COAP_CLIENT_ORDER_H
#define COAP_CLIENT_ORDER_H

/*
 * Which of two notifications of one observation is the newer one (RFC 7641 section 3.4). Datagrams overtake each other; an old
 * state must not replace a new one. One for each observation, kept by it. Pure.
 */

#include <stdbool.h>
#include <stdint.h>

struct order {
	bool begun;
	uint32_t number;     /* of the newest one so far */
	int64_t at_us;       /* when that came */
	uint64_t partial_iv; /* the same; of protected ones alone */
};

/* Says whether the notification with this Observe number is the newest so far, and remembers it if so. Units: `number` has 24 bits,
 * `now_us` is monotonic. */
bool order_take(struct order *order, uint32_t number, int64_t now_us);

/* The same where OSCORE protects them (RFC 8613 section 7.4.1): `number` is the Partial IV, and what was recorded is never new again,
 * however long ago it was. */
bool order_take_protected(struct order *order, uint64_t number);

#endif
