/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COAP_DTLS_RATES_H
#define COAP_DTLS_RATES_H

/*
 * How many handshakes each network (one IPv4 address, one IPv6 /64) may begin: a token bucket for each of those that came
 * lately. Only who has returned a cookie is counted, so no forged address takes anything from its owner. The table has a fixed
 * size; where it is full, the network that has used least of its share is forgotten, which costs it nothing.
 */

#include <stdbool.h>
#include <stdint.h>

#include "dtls_peer.h"

enum { DTLS_RATES_WAYS = 4, DTLS_RATES_NETWORKS = 4096 * DTLS_RATES_WAYS };

struct dtls_rates;

struct dtls_rate {
	uint32_t a_second;
	uint32_t burst; /* as many at once after a pause */
};

int dtls_rates_new(const struct dtls_hash_key *key, struct dtls_rates **ret_rates);
/* Accepts NULL. */
void dtls_rates_free(struct dtls_rates *rates);

/* Whether the peer's network may begin one more handshake now; if so, it is counted. */
bool dtls_rates_take(struct dtls_rates *rates, const struct dtls_rate *rate, const struct dtls_peer *peer,
		     int64_t now_us);

#endif
