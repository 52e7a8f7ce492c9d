/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BENCH_FLEET_H
#define BENCH_FLEET_H

/*
 * All simulated sensors of one run, their sessions, and the loop that moves them. A turn of the loop takes in one batch of datagrams,
 * looks after deadlines now and then (one pass over a plain array: cheaper than any timer for this many), begins waiting
 * handshakes, a limited number at a time, and sends what came up as one batch.
 */

#include "identities.h"
#include "sensor.h"

struct fleet;

struct fleet_options {
	struct sensor_options sensor;
	uint32_t sensors;
	uint32_t idle;     /* further ones that open a session and stay quiet */
	uint32_t parallel; /* handshakes at a time */
	uint64_t seed;
};

/* `identities`: one for each sensor, idle ones last; lent, like batch, context (NULL for plain CoAP) and tally. */
int fleet_new(const struct fleet_options *options, const struct identities *identities, struct batch *batch,
	      struct client_context *context, struct client_tickets *tickets, struct tally *tally, FILE *record,
	      struct fleet **ret_fleet);
void fleet_free(struct fleet *fleet); /* accepts NULL */

/* Opens the sessions until all are there, or for `limit_us`, or until *stop. Returns how many are open. */
uint32_t fleet_connect(struct fleet *fleet, int64_t limit_us, const volatile int *stop);
/* Sends readings until all are decided, or for `limit_us`, or until *stop; then waits up to `linger_us` for the last answers.
 * Returns the measured time: to the end of `limit_us`, or to the last answer if that was earlier. Units: microseconds. */
int64_t fleet_run(struct fleet *fleet, int64_t limit_us, int64_t linger_us, const volatile int *stop, FILE *progress);
/* Answers what comes in, and sends nothing of its own, for `span_us` or until *stop: idle sessions. */
void fleet_rest(struct fleet *fleet, int64_t span_us, const volatile int *stop);
/* Ends the sessions with close_notify. */
void fleet_shut(struct fleet *fleet);

uint32_t fleet_open(const struct fleet *fleet);
/* The cipher suite of the first open session, NULL without any. Lent until the next turn. */
const char *fleet_cipher(const struct fleet *fleet);

#endif
