/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AMQP_COUNTERS_H
#define AMQP_COUNTERS_H

/* The places of tg_adapter.counters. */
enum counter {
	COUNT_CONNECTS,
	COUNT_CONNECT_FAILURES,
	COUNT_SENT,
	COUNT_CONFIRMED,
	COUNT_REJECTED,
	COUNT_RELEASED, /* given back by the peer: released, or modified */
	COUNT_BYTES,
	COUNT_IN_FLIGHT,     /* gauge */
	COUNT_QUEUED,        /* gauge */
	COUNT_SENDERS,       /* gauge: addresses with a link to send over */
	COUNT_RECEIVERS,     /* gauge: sources with a link */
	COUNT_RECEIVED,      /* messages handed in, each once */
	COUNT_ACCEPTED,      /* to the peer, after the verdict */
	COUNT_WAITING,       /* gauge: received and not settled */
	COUNT_REFUSED,       /* by a verdict, or because they cannot be handed in */
	COUNT_RELEASED_BACK, /* received and given back, when stopping */
	COUNT_IGNORED,       /* what this gateway has sent itself */
	N_COUNTERS
};

extern const char *const counters_names[];

#endif
