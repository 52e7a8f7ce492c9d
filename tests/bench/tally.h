/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BENCH_TALLY_H
#define BENCH_TALLY_H

/* What a run of the load generator counted, its latencies as a histogram, and the summary as JSON. */

#include <stdint.h>
#include <stdio.h>

enum {
	TALLY_SUB_BITS = 6, /* 64 steps an octave: 1.6 % wide at most */
	TALLY_BUCKETS = (40 - TALLY_SUB_BITS) << TALLY_SUB_BITS
};

struct tally {
	uint64_t sent; /* exchanges begun */
	uint64_t acknowledged;
	uint64_t in_time;      /* acknowledged before the end of the measured time */
	uint64_t refused[256]; /* by response code */
	uint64_t resets;       /* RST instead of an answer */
	uint64_t unanswered;
	uint64_t retransmitted;
	uint64_t separate; /* of the answers: as a response of its own */
	uint64_t repeated; /* the same answer once more */
	uint64_t strange;  /* not a well-formed message, or one that was not expected */
	uint64_t late;     /* began later than --rate asks for, as the one before was not answered */
	uint64_t handshakes;
	uint64_t resumed; /* of them, by a ticket */
	uint64_t handshake_failures;
	uint64_t sessions_lost;
	uint64_t latency[TALLY_BUCKETS];
	uint64_t latency_count;
	int64_t latency_sum_us;
	int64_t latency_max_us;
};

void tally_latency(struct tally *tally, int64_t latency_us);
/* The latency that `share` (0 to 1) of all do not exceed; 0 without any. Units: microseconds. */
int64_t tally_percentile(const struct tally *tally, double share);

/* Writes the members of a JSON object, without braces: counters, "refused", "latency_ms". */
void tally_print(const struct tally *tally, FILE *out);

#endif
