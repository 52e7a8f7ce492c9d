/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BENCH_HANDSHAKES_H
#define BENCH_HANDSHAKES_H

/* Measures handshakes, complete or resumed by a ticket where one is there, one after the other on each of `parallel` peers; each session is ended with close_notify as soon as it is
 * open. A handshake that fails, or takes longer than the limit, counts as a failure and is not tried again. */

#include "identities.h"
#include "tally.h"

struct batch;

struct handshakes_options {
	uint64_t count;
	uint32_t parallel;
	double rate; /* begun a second; 0: as soon as a peer is free */
	int64_t limit_us;
};

/* `ret_tally`: handshakes, failures, and the latency of each. Returns the time taken. Units: microseconds. */
int64_t handshakes_run(const struct handshakes_options *options, const struct identities *identities,
		       struct batch *batch, struct client_context *context, struct client_tickets *tickets,
		       const volatile int *stop, struct tally *ret_tally);

#endif
