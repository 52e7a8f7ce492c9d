/* SPDX-License-Identifier: Apache-2.0 */
#include "dtls_rates.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { RATES_SETS = DTLS_RATES_NETWORKS / DTLS_RATES_WAYS };
#define RATES_S_US 1000000.0

struct rates_bucket {
	uint8_t network[16];
	float used; /* handshakes that the time since has not made up for, at `at_us` */
	uint32_t taken;
	int64_t at_us;
};

struct dtls_rates {
	struct dtls_hash_key key;
	struct rates_bucket sets[RATES_SETS][DTLS_RATES_WAYS];
};

int dtls_rates_new(const struct dtls_hash_key *key, struct dtls_rates **ret_rates)
{
	/* Zeroed pages take no memory before they are used. */
	struct dtls_rates *rates = calloc(1, sizeof(*rates));

	if (!rates)
		return -ENOMEM;
	rates->key = *key;
	*ret_rates = rates;
	return 0;
}

void dtls_rates_free(struct dtls_rates *rates)
{
	free(rates);
}

static double rates_used(const struct rates_bucket *bucket, const struct dtls_rate *rate, int64_t now_us)
{
	double used = bucket->used - (double)(now_us - bucket->at_us) * rate->a_second / RATES_S_US;

	return bucket->taken && used > 0 ? used : 0;
}

/* The bucket of this network, or one that is free, or the one that has used least. */
static struct rates_bucket *rates_find(struct rates_bucket set[DTLS_RATES_WAYS], const uint8_t network[16],
				       const struct dtls_rate *rate, int64_t now_us)
{
	struct rates_bucket *least = &set[0];

	for (unsigned i = 0; i < DTLS_RATES_WAYS; i++) {
		if (set[i].taken && memcmp(set[i].network, network, sizeof(set[i].network)) == 0)
			return &set[i];
		if (rates_used(&set[i], rate, now_us) < rates_used(least, rate, now_us))
			least = &set[i];
	}
	memcpy(least->network, network, sizeof(least->network));
	least->used = 0;
	least->taken = 1;
	least->at_us = now_us;
	return least;
}

bool dtls_rates_take(struct dtls_rates *rates, const struct dtls_rate *rate, const struct dtls_peer *peer,
		     int64_t now_us)
{
	struct dtls_peer network;

	dtls_peer_network(peer, &network);
	struct rates_bucket *set = rates->sets[dtls_peer_hash(&rates->key, &network) % RATES_SETS];
	struct rates_bucket *bucket = rates_find(set, network.address, rate, now_us);
	double used = rates_used(bucket, rate, now_us);
	bool may = used + 1 <= rate->burst;
	bucket->used = (float)(may ? used + 1 : used);
	bucket->at_us = now_us;
	return may;
}
