/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MQTT_SUBSCRIBE_H
#define MQTT_SUBSCRIBE_H

/*
 * What is subscribed to at the broker: what the routes take, and nothing else. The broker keeps subscriptions with the session, so one
 * that is wanted no more is ended at the next occasion. Filters that another one covers are left out, since a broker may give a
 * message once for each filter that it matches. For inbox.c.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <tidegate/adapter.h>

struct receive;

enum subscription_state {
	SUBSCRIPTION_NEW,
	SUBSCRIPTION_ASKED,
	SUBSCRIPTION_GRANTED,
	SUBSCRIPTION_REFUSED, /* asked for again after a while */
	SUBSCRIPTION_ENDING,
	SUBSCRIPTION_ENDED /* the broker was told */
};

struct subscription {
	char *filter;
	enum subscription_state state;
	uint16_t mid;
	bool complained;
	int64_t again_at_us;
};

struct subscribe {
	const struct tg_host *host;
	struct subscription *items;
	size_t count;
	uint16_t mid;
};

void subscribe_done(struct subscribe *subscribe);

/* Reads the routes anew. `group`: of shared subscriptions, or NULL. Logs what cannot be subscribed to. Errors: -ENOMEM: everything is as it was. */
int subscribe_read_routes(struct subscribe *subscribe, const char *group);

/* Whether any route takes anything. */
bool subscribe_is_wanted(const struct subscribe *subscribe);
/* How many subscriptions stand. */
size_t subscribe_granted(const struct subscribe *subscribe);

/* Whether a message at this topic would come. Not asked of shared subscriptions. */
bool subscribe_takes(const struct subscribe *subscribe, const char *topic);

/* A connection is up: everything is to be asked for (again). */
void subscribe_begin(struct subscribe *subscribe);
/* The broker has forgotten the session, and with it what was to be ended. */
void subscribe_forget(struct subscribe *subscribe);
/* Asks for what is new or due, and ends what is to be ended. */
void subscribe_send(struct subscribe *subscribe, struct receive *receive);
void subscribe_answered(struct subscribe *subscribe, uint16_t mid, uint8_t reason, unsigned wanted_qos);

#endif
