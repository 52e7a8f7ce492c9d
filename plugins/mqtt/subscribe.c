/* SPDX-License-Identifier: Apache-2.0 */
#include "subscribe.h"

#include <errno.h>
#include <mosquitto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec.h"
#include "filter.h"
#include "receive.h"

/* A refused subscription is asked for again: somebody may have changed the broker's permissions. */
#define SUBSCRIBE_AGAIN_US INT64_C(60000000)

enum { SUBSCRIBE_REFUSED = 0x80 };

static bool subscription_is_wanted(const struct subscription *item)
{
	return item->state < SUBSCRIPTION_ENDING;
}

static void subscribe_remove(struct subscribe *subscribe, size_t place)
{
	free(subscribe->items[place].filter);
	subscribe->items[place] = subscribe->items[--subscribe->count];
}

void subscribe_done(struct subscribe *subscribe)
{
	while (subscribe->count > 0)
		subscribe_remove(subscribe, subscribe->count - 1);
	free(subscribe->items);
	subscribe->items = NULL;
}

static struct subscription *subscribe_find(const struct subscribe *subscribe, const char *filter)
{
	for (size_t i = 0; i < subscribe->count; i++) {
		if (strcmp(subscribe->items[i].filter, filter) == 0)
			return &subscribe->items[i];
	}
	return NULL;
}

/* Puts a filter into a set in which none covers another. */
static int subscribe_add(struct subscribe *set, const char *filter)
{
	struct subscription *grown;

	for (size_t i = 0; i < set->count; i++) {
		if (filter_covers(set->items[i].filter, filter))
			return 0;
	}
	for (size_t i = set->count; i-- > 0;) {
		if (filter_covers(filter, set->items[i].filter))
			subscribe_remove(set, i);
	}
	grown = reallocarray(set->items, set->count + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	set->items = grown;
	set->items[set->count] = (struct subscription){.filter = strdup(filter)};
	return set->items[set->count].filter ? (set->count++, 0) : -ENOMEM;
}

static int subscribe_collect(struct subscribe *set)
{
	const struct tg_host *host = set->host;
	char filter[FILTER_SIZE];
	const char *pattern;
	int r = 0;

	for (size_t i = 0; r >= 0 && (pattern = host->route(host, i)) != NULL; i++) {
		r = filter_from_pattern(pattern, filter);
		if (r >= 0)
			r = subscribe_add(set, filter);
		else
			r = 0, host->log(host, TG_LOG_WARNING, NULL,
					 "a route takes \"%s\", which no topic can match: not subscribed to", pattern);
	}
	for (size_t i = 0; r >= 0 && i < set->count; i++) {
		for (size_t j = 0; j < i; j++) {
			if (filter_overlaps(set->items[i].filter, set->items[j].filter))
				host->log(host, TG_LOG_WARNING, NULL,
					  "routes take \"%s\" and \"%s\": the broker may give what matches both twice",
					  set->items[j].filter, set->items[i].filter);
		}
	}
	return r;
}

/* None covers another already. */
static int subscribe_share(struct subscribe *set, const char *group)
{
	for (size_t i = 0; group && i < set->count; i++) {
		char *shared = NULL;

		if (asprintf(&shared, CODEC_SHARE "%s/%s", group, set->items[i].filter) < 0)
			return -ENOMEM;
		free(set->items[i].filter);
		set->items[i].filter = shared;
	}
	return 0;
}

/* What there is already, and is wanted still, stays as it is; what is wanted no more goes along until it is ended. */
static int subscribe_merge(struct subscribe *set, struct subscribe *old)
{
	struct subscription *grown = reallocarray(set->items, set->count + old->count + 1, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	set->items = grown;
	for (size_t i = 0; i < old->count; i++) {
		struct subscription *item = &old->items[i], *wanted = subscribe_find(set, item->filter);

		if (wanted && subscription_is_wanted(item)) {
			char *filter = wanted->filter;

			*wanted = *item;
			wanted->filter = filter;
		} else if (!wanted) {
			set->items[set->count++] = *item;
			if (item->state < SUBSCRIPTION_ENDING)
				set->items[set->count - 1].state = SUBSCRIPTION_ENDING;
			item->filter = NULL;
		}
	}
	return 0;
}

int subscribe_read_routes(struct subscribe *subscribe, const char *group)
{
	struct subscribe set = {.host = subscribe->host, .mid = subscribe->mid};
	int r = subscribe_collect(&set);

	if (r >= 0)
		r = subscribe_share(&set, group);
	if (r >= 0)
		r = subscribe_merge(&set, subscribe);
	if (r < 0) {
		subscribe_done(&set);
		return r;
	}
	subscribe_done(subscribe);
	*subscribe = set;
	return 0;
}

bool subscribe_is_wanted(const struct subscribe *subscribe)
{
	for (size_t i = 0; i < subscribe->count; i++) {
		if (subscription_is_wanted(&subscribe->items[i]))
			return true;
	}
	return false;
}

bool subscribe_takes(const struct subscribe *subscribe, const char *topic)
{
	for (size_t i = 0; i < subscribe->count; i++) {
		if (subscription_is_wanted(&subscribe->items[i]) && filter_covers(subscribe->items[i].filter, topic))
			return true;
	}
	return false;
}

size_t subscribe_granted(const struct subscribe *subscribe)
{
	size_t n = 0;

	for (size_t i = 0; i < subscribe->count; i++)
		n += subscribe->items[i].state == SUBSCRIPTION_GRANTED;
	return n;
}

void subscribe_begin(struct subscribe *subscribe)
{
	for (size_t i = 0; i < subscribe->count; i++)
		subscribe->items[i].state =
			subscription_is_wanted(&subscribe->items[i]) ? SUBSCRIPTION_NEW : SUBSCRIPTION_ENDING;
}

void subscribe_forget(struct subscribe *subscribe)
{
	for (size_t i = subscribe->count; i-- > 0;) {
		if (!subscription_is_wanted(&subscribe->items[i]))
			subscribe_remove(subscribe, i);
	}
}

/* Of 65,535 packet ids far fewer are in use. */
static uint16_t subscribe_mid(struct subscribe *subscribe)
{
	if (++subscribe->mid == 0)
		subscribe->mid = 1;
	return subscribe->mid;
}

void subscribe_send(struct subscribe *subscribe, struct receive *receive)
{
	int64_t now_us = subscribe->host->now_us(subscribe->host);

	for (size_t i = 0; i < subscribe->count; i++) {
		struct subscription *item = &subscribe->items[i];

		if (item->state != SUBSCRIPTION_NEW &&
		    !(item->state == SUBSCRIPTION_REFUSED && now_us >= item->again_at_us))
			continue;
		item->mid = subscribe_mid(subscribe);
		item->state = SUBSCRIPTION_ASKED;
		receive_subscribe(receive, item->mid, item->filter);
	}
	/* Behind the new ones: what both an old and a new filter take is not missed in between. */
	for (size_t i = 0; i < subscribe->count; i++) {
		struct subscription *item = &subscribe->items[i];

		if (item->state != SUBSCRIPTION_ENDING)
			continue;
		item->mid = subscribe_mid(subscribe);
		item->state = SUBSCRIPTION_ENDED;
		receive_unsubscribe(receive, item->mid, item->filter);
	}
}

static void subscribe_refused(struct subscribe *subscribe, struct subscription *item, uint8_t reason)
{
	const struct tg_host *host = subscribe->host;

	item->state = SUBSCRIPTION_REFUSED;
	item->again_at_us = host->now_us(host) + SUBSCRIBE_AGAIN_US;
	if (!item->complained)
		host->log(host, TG_LOG_WARNING, NULL,
			  "the broker refuses the subscription to \"%s\", asking again (%s)", item->filter,
			  mosquitto_reason_string(reason));
	item->complained = true;
}

void subscribe_answered(struct subscribe *subscribe, uint16_t mid, uint8_t reason, unsigned wanted_qos)
{
	const struct tg_host *host = subscribe->host;

	for (size_t i = 0; i < subscribe->count; i++) {
		struct subscription *item = &subscribe->items[i];

		if (item->mid != mid)
			continue;
		if (item->state == SUBSCRIPTION_ENDED) {
			subscribe_remove(subscribe, i);
		} else if (item->state == SUBSCRIPTION_ASKED && reason >= SUBSCRIBE_REFUSED) {
			subscribe_refused(subscribe, item, reason);
		} else if (item->state == SUBSCRIPTION_ASKED) {
			item->state = SUBSCRIPTION_GRANTED;
			item->complained = false;
			if (reason < wanted_qos)
				host->log(host, TG_LOG_WARNING, NULL,
					  "the broker grants QoS %u only for \"%s\": messages can be lost", reason,
					  item->filter);
		}
		return;
	}
}
