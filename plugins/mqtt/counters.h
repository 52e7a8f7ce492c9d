/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MQTT_COUNTERS_H
#define MQTT_COUNTERS_H

/* The places of tg_adapter.counters. */
enum counter {
	COUNT_CONNECTS,
	COUNT_CONNECT_FAILURES,
	COUNT_PUBLISHED,
	COUNT_CONFIRMED,
	COUNT_REJECTED,
	COUNT_RELEASED, /* refused by the broker for the moment */
	COUNT_BYTES,
	COUNT_IN_FLIGHT,
	COUNT_QUEUED,
	COUNT_RECEIVE_MAXIMUM,
	COUNT_QOS_LOWERED,
	COUNT_NO_SUBSCRIBERS, /* confirmed, but the broker had nobody to give it to */
	COUNT_RECEIVING,      /* gauge: 1 while the receiving connection is up */
	COUNT_SUBSCRIPTIONS,  /* gauge: those that the broker has granted */
	COUNT_RECEIVED,       /* messages handed in, each once */
	COUNT_RECEIVED_AGAIN, /* given again by the broker although they were taken already */
	COUNT_ACKNOWLEDGED,   /* to the broker, whatever the verdict was */
	COUNT_WAITING,        /* gauge: received and not final */
	COUNT_REFUSED,        /* by a verdict, or because they cannot be handed in */
	COUNT_IGNORED,        /* retained ones, and what this gateway has published itself */
	N_COUNTERS
};

extern const char *const counters_names[];

#endif
