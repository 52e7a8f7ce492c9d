/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MQTT_LINK_H
#define MQTT_LINK_H

/*
 * Keeps one session with one of the brokers: which broker comes next, when, and what the operator is told.
 *
 * The brokers are tried in their order, each at once after the one before has failed; after the last one there is a pause
 * that doubles from backoff_min_ms to backoff_max_s, with jitter, until a session has confirmed a message. A session that
 * was up and is lost begins a new round at the same broker, one that was given up (link_abort) at the next. With failback_s a session
 * on a later broker is closed after that time, and a new round begins at the first. For mqtt.c.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <tidegate/adapter.h>

#include "common/round.h"
#include "session.h"

struct options;

struct link_events {
	/* A session is up; `answered` and `moved` are those of session.h, for this session. */
	void (*up)(void *arg, struct session *session, const struct session_limits *limits);
	void (*answered)(void *arg, uint16_t mid, uint8_t reason);
	void (*moved)(void *arg);
	/* The session that was up is gone; its pointer is not to be used any more. Returns whether it was of use:
	 * whether a message was confirmed. */
	bool (*down)(void *arg);
	/* After link_stop: nothing is left. */
	void (*stopped)(void *arg);
	/* It is time to go back to the first broker: link_renew is wanted, as soon as it does no harm. */
	void (*failback)(void *arg);
	/* Once a second. */
	void (*tick)(void *arg);
};

struct link {
	const struct tg_host *host;
	const struct options *options; /* lent; link_set_options */
	const struct link_events *events;
	void *arg;
	struct session *session;
	bool up;
	bool stopping;
	bool given_up; /* the session: the next one is with another broker */
	struct round round;
	int64_t up_us;
	char cause[SESSION_CAUSE_SIZE]; /* of the last failure, "" */
	struct tg_timer *retry;
	struct tg_timer *tick;
};

/* Errors: -ENOMEM. */
int link_init(struct link *link, const struct tg_host *host, const struct options *options,
	      const struct link_events *events, void *arg);
void link_done(struct link *link);

void link_start(struct link *link);

/* From now on this configuration counts; the next session uses it. */
void link_set_options(struct link *link, const struct options *options);

/* Closes the session in good order and begins a new round at the first broker. */
void link_renew(struct link *link);

/* Gives the session up as dead and begins anew, with the next broker. */
void link_abort(struct link *link, const char *cause);

/* Closes the session in good order and makes no new one. */
void link_stop(struct link *link);

#endif
