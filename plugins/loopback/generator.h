/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LOOPBACK_GENERATOR_H
#define LOOPBACK_GENERATOR_H

/*
 * A source that makes messages by itself: a load for tests. The payload begins with the message's number, from 0 or as numbers.h has it. Tokens are
 * odd numbers, so that they are told apart from addresses.
 */

#include <tidegate/adapter.h>

#include "numbers.h"

/* In the order of the adapter's table of counters. */
enum counter { DELIVERED, CONFIRMED, GENERATED, ACCEPTED, REFUSED };

struct generator {
	const struct tg_host *host;
	int64_t count, rate, window, payload_bytes;
	const char *path; /* lent by the host until the next reload */
	char *payload;
	int64_t n_made;
	int64_t n_waiting; /* for their verdict */
	int64_t began_us;
	bool stopped;
	struct tg_timer *timer, *batch;
	struct numbers numbers;
};

/* Errors: -ENOMEM; generator_done is wanted then too. */
int generator_init(struct generator *gen, const struct tg_host *host);
void generator_done(struct generator *gen);

/* Reads the settings anew. Errors: -ENOMEM: the old ones stay in use. */
int generator_reload(struct generator *gen);
void generator_start(struct generator *gen);
void generator_stop(struct generator *gen);

/* One of its submissions got its verdict. */
void generator_verdict(struct generator *gen);

static inline bool generator_is_token(uint64_t token)
{
	return token & 1;
}

#endif
