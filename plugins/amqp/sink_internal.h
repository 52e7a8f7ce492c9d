/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AMQP_SINK_INTERNAL_H
#define AMQP_SINK_INTERNAL_H

/* What sink.c (messages that leave) and sink_answer.c (what the peer says of them) share. */

#include "sink.h"

struct pn_delivery_t;

/* A message that the peer has not answered yet. */
struct sink_flight {
	struct sink_flight *next;
	struct sink_flight *before;
	struct sender *sender;
	struct pn_delivery_t *delivery;
	bool response; /* to an address of a stranger's: whatever becomes of it, it holds up nothing */
	uint64_t ticket;
	int64_t sent_us;
	uint8_t id[TG_ID_SIZE];
};

void sink_launch(struct sink *sink, struct sink_flight *flight);
/* Removes and frees it; its ticket was answered, or is the core's again. */
void sink_land(struct sink *sink, struct sink_flight *flight);

/* The peer, or we, refuse this very message for good. */
void sink_reject(struct sink *sink, uint64_t ticket, const char *reason);

void sink_gauges(struct sink *sink);

#endif
