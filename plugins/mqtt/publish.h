/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MQTT_PUBLISH_H
#define MQTT_PUBLISH_H

/*
 * Deliveries on their way to the broker: published in order as the window allows, answered by their ticket when the broker
 * has taken them over. Nothing outlives a session: when it is lost the core takes every unanswered ticket back, and the
 * next session begins empty. For mqtt.c.
 */

#include <stdbool.h>
#include <stdint.h>
#include <tidegate/adapter.h>

#include "common/gather.h"
#include "common/queue.h"
#include "common/refused.h"
#include "counters.h"
#include "window.h"

struct session;
struct session_limits;

struct publish {
	const struct tg_host *host;
	struct session *session; /* NULL: none is up */
	bool version5;
	const char *via; /* NULL, or how this gateway tells its own messages; lent */
	/* Told of each message that goes out, at `topic`; NULL: nobody wants to know. */
	void (*sent)(void *arg, struct tg_bytes topic, struct tg_bytes payload);
	void *sent_arg;
	bool retain;
	uint8_t max_qos;
	bool held;            /* the session is about to be closed: deliveries only queue up */
	struct window window; /* QoS 1 and 2: wait for PUBACK or PUBCOMP */
	struct window unsent; /* QoS 0: wait for the socket */
	struct queue queue;
	struct gather properties; /* scratch */
	uint64_t confirmed;       /* deliveries, in this session */
	unsigned release_limit;   /* a message that was refused for the moment so often is rejected; 0: never */
	struct refused refused;
	bool complained; /* of a refusal for the moment, since something was confirmed */
};

void publish_init(struct publish *publish, const struct tg_host *host);
void publish_done(struct publish *publish);

/* A session is up, or (publish_end) no longer. `window`: the most on its way at once. Errors: -ENOMEM. */
int publish_begin(struct publish *publish, struct session *session, const struct session_limits *limits, bool version5,
		  unsigned window);
void publish_end(struct publish *publish);

/* tg_adapter.deliver. Errors: -EAGAIN. */
int publish_deliver(struct publish *publish, const struct tg_delivery *delivery);

/* A status message of the adapter's own, QoS 1, ahead of what is queued. Errors: negative errno. */
int publish_status(struct publish *publish, const char *topic, const char *payload, bool retain);

/* Publishes what is queued, as far as there is room. */
void publish_pump(struct publish *publish);

/* Publishes nothing more in this session (or does again); what is queued comes back to the core with the link's end. */
void publish_hold(struct publish *publish, bool held);

/* The session's events. */
void publish_answered(struct publish *publish, uint16_t mid, uint8_t reason);
void publish_moved(struct publish *publish);

/* Nothing waits for an answer. */
bool publish_is_quiet(const struct publish *publish);
/* Nothing is queued either. */
bool publish_is_idle(const struct publish *publish);
/* Since when the oldest message waits for the broker, 0: none does. */
int64_t publish_oldest_us(const struct publish *publish);

#endif
