/* SPDX-License-Identifier: Apache-2.0 */
#include "publish.h"

#include <errno.h>
#include <mosquitto.h>
#include <stdio.h>
#include <string.h>

#include "packet.h"
#include "session.h"

/* The queue takes whatever the core has under way, unless that is large. */
enum { PUBLISH_TOPIC_MAX = CODEC_TEXT_MAX, PUBLISH_QUEUE_COUNT = 65536, PUBLISH_QUEUE_BYTES = 8 * 1024 * 1024 };

void publish_init(struct publish *publish, const struct tg_host *host)
{
	*publish = (struct publish){.host = host};
	queue_init(&publish->queue, 0, 0);
}

void publish_done(struct publish *publish)
{
	if (!publish->host)
		return;
	publish_end(publish);
	gather_done(&publish->properties);
	refused_done(&publish->refused);
}

int publish_begin(struct publish *publish, struct session *session, const struct session_limits *limits, bool version5,
		  unsigned window)
{
	const struct tg_host *host = publish->host;
	unsigned limit = window < limits->receive_maximum ? window : limits->receive_maximum;
	int r;

	publish_end(publish);
	r = window_init(&publish->window, limit > 0 ? limit : 1);
	if (r >= 0)
		r = window_init(&publish->unsent, window);
	if (r >= 0)
		r = refused_reserve(&publish->refused, window);
	if (r < 0) {
		publish_end(publish);
		return r;
	}
	queue_init(&publish->queue, PUBLISH_QUEUE_COUNT, PUBLISH_QUEUE_BYTES);
	publish->session = session;
	publish->version5 = version5;
	publish->retain = limits->retain;
	publish->max_qos = limits->max_qos;
	publish->confirmed = 0;
	publish->held = false;
	host->gauge(host, COUNT_RECEIVE_MAXIMUM, limits->receive_maximum);
	return 0;
}

static void publish_gauges(struct publish *publish)
{
	const struct tg_host *host = publish->host;

	host->gauge(host, COUNT_IN_FLIGHT, (int64_t)publish->window.waiting);
	host->gauge(host, COUNT_QUEUED, (int64_t)publish->queue.count);
}

void publish_end(struct publish *publish)
{
	publish->session = NULL;
	window_done(&publish->window);
	window_done(&publish->unsent);
	queue_clear(&publish->queue);
	publish_gauges(publish);
}

static int publish_reject(struct publish *publish, uint64_t ticket, const char *reason)
{
	const struct tg_host *host = publish->host;

	host->count(host, COUNT_REJECTED, 1);
	host->delivered(host, ticket, TG_REJECTED, reason);
	return 0;
}

static void publish_confirm(struct publish *publish, uint64_t ticket)
{
	const struct tg_host *host = publish->host;

	publish->confirmed++;
	publish->complained = false;
	host->count(host, COUNT_CONFIRMED, 1);
	host->delivered(host, ticket, TG_CONFIRMED, NULL);
}

static bool publish_has_room(const struct publish *publish)
{
	return publish->session && !publish->held && window_has_room(&publish->window) &&
	       window_has_room(&publish->unsent) && session_has_room(publish->session);
}

/* Why this can never be published, or NULL. */
static const char *publish_refusal(const struct tg_delivery *delivery)
{
	if (delivery->address.size == 0)
		return "topic is empty";
	if (delivery->address.size > PUBLISH_TOPIC_MAX)
		return "topic is too long";
	if (memchr(delivery->address.data, 0, delivery->address.size))
		return "topic has a zero byte";
	if (delivery->kind == TG_RESPONSE && *(const char *)delivery->address.data == '$')
		return "response topic begins with $"; /* somebody else's, and the broker's own are not for him */
	if (delivery->device.size > TG_DEVICE_MAX)
		return "device name is too long";
	if (delivery->correlation.size > TG_CORRELATION_MAX)
		return "correlation data is too long";
	return NULL;
}

static const char *publish_error(int error)
{
	switch (error) {
	case -EBADMSG:
		return "device name is not UTF-8 without control characters";
	case -EINVAL:
		return "topic has a wildcard";
	case -EILSEQ:
		return "topic is not UTF-8 without control characters";
	default:
		return "larger than the broker's Maximum Packet Size";
	}
}

/* Errors: those of session_publish and packet_properties. */
static int publish_send(struct publish *publish, const struct tg_delivery *delivery, uint8_t qos, uint32_t expiry_s,
			uint16_t *ret_mid)
{
	const struct codec_publish packet = {.topic = delivery->address,
					     .payload = delivery->payload,
					     .qos = qos,
					     .retained = delivery->retain && publish->retain};
	struct gather *properties = &publish->properties;
	int r = 0;

	gather_clear(properties);
	if (publish->version5)
		r = packet_properties(delivery, expiry_s, publish->via, properties);
	if (r < 0)
		return r;
	return session_publish(publish->session, &packet, (struct tg_bytes){properties->data, properties->size},
			       ret_mid);
}

/* There is room. Errors: -ENOTCONN: the session is over; -ENOMEM. */
static int publish_now(struct publish *publish, const struct tg_delivery *delivery, uint32_t expiry_s)
{
	const struct tg_host *host = publish->host;
	uint8_t qos = delivery->qos > publish->max_qos ? publish->max_qos : delivery->qos;
	const char *refusal = publish_refusal(delivery);
	struct window_entry entry = {.ticket = delivery->ticket};
	int r;

	if (refusal)
		return publish_reject(publish, delivery->ticket, refusal);
	if (qos != delivery->qos)
		host->count(host, COUNT_QOS_LOWERED, 1);
	r = publish_send(publish, delivery, qos, expiry_s, &entry.mid);
	if (r == -ENOTCONN || r == -ENOMEM)
		return r;
	if (r < 0)
		return publish_reject(publish, delivery->ticket, publish_error(r));
	if (publish->sent)
		publish->sent(publish->sent_arg, delivery->address, delivery->payload);
	memcpy(entry.id, delivery->id, sizeof(entry.id));
	entry.sent_us = host->now_us(host);
	entry.end = session_put(publish->session);
	window_add(qos == 0 ? &publish->unsent : &publish->window, &entry);
	host->count(host, COUNT_PUBLISHED, 1);
	host->count(host, COUNT_BYTES, (int64_t)delivery->payload.size);
	return 0;
}

int publish_deliver(struct publish *publish, const struct tg_delivery *delivery)
{
	int64_t now_us;
	int r;

	if (!publish->session)
		return -EAGAIN;
	if (queue_is_empty(&publish->queue) && publish_has_room(publish)) {
		r = publish_now(publish, delivery, delivery->expiry_s);
		if (r < 0)
			return -EAGAIN;
	} else {
		now_us = publish->host->now_us(publish->host);
		if (queue_push(&publish->queue, delivery, now_us) < 0)
			return -EAGAIN;
	}
	publish_gauges(publish);
	return 0;
}

/* What is left of the expiry after waiting here; it was not expired when it was handed over. */
static uint32_t publish_expiry_left(const struct queue_item *item, int64_t now_us)
{
	int64_t waited_s = (now_us - item->queued_us) / 1000000;

	if (item->copy.expiry_s == 0)
		return 0;
	return waited_s < item->copy.expiry_s ? item->copy.expiry_s - (uint32_t)waited_s : 1;
}

void publish_pump(struct publish *publish)
{
	int r = 0;

	while (r >= 0 && !queue_is_empty(&publish->queue) && publish_has_room(publish)) {
		const struct queue_item *item = publish->queue.first;

		r = publish_now(publish, &item->copy, publish_expiry_left(item, publish->host->now_us(publish->host)));
		if (r >= 0)
			queue_pop(&publish->queue);
	}
	publish_gauges(publish);
}

int publish_status(struct publish *publish, const char *topic, const char *payload, bool retain)
{
	struct codec_publish packet = {.topic = {topic, strlen(topic)},
				       .payload = {payload, strlen(payload)},
				       .qos = publish->max_qos < 1 ? 0 : 1,
				       .retained = retain && publish->retain};
	struct gather *properties = &publish->properties;
	struct window_entry entry = {.own = true};
	int r = 0;

	if (!publish_has_room(publish))
		return -EAGAIN;
	gather_clear(properties);
	if (publish->version5)
		r = packet_status_properties(publish->via, properties);
	if (r >= 0)
		r = session_publish(publish->session, &packet, (struct tg_bytes){properties->data, properties->size},
				    &entry.mid);
	if (r < 0)
		return r;
	if (publish->sent)
		publish->sent(publish->sent_arg, packet.topic, packet.payload);
	entry.sent_us = publish->host->now_us(publish->host);
	entry.end = session_put(publish->session);
	window_add(packet.qos == 0 ? &publish->unsent : &publish->window, &entry);
	return 0;
}

/* What waits here would overtake what the core gets back. */
static void publish_give_back_queue(struct publish *publish)
{
	while (!queue_is_empty(&publish->queue)) {
		uint64_t ticket = publish->queue.first->copy.ticket;

		queue_pop(&publish->queue);
		publish->host->delivered(publish->host, ticket, TG_RETRY, NULL);
	}
}

/* What may pass, and says nothing about the message: a queue that is full, a broker in trouble, or with another idea of the session. */
static bool publish_is_passing(uint8_t reason)
{
	return reason == CODEC_UNSPECIFIED || reason == CODEC_IMPLEMENTATION || reason == CODEC_ID_IN_USE ||
	       reason == CODEC_UNKNOWN_ID || reason == CODEC_QUOTA_EXCEEDED;
}

static void publish_refused(struct publish *publish, const struct window_entry *entry, uint8_t reason)
{
	const struct tg_host *host = publish->host;
	const char *how = mosquitto_reason_string(reason);
	unsigned limit = publish->release_limit;
	char text[128];

	host->count(host, COUNT_RELEASED, 1);
	/* A quota is the sender's, and is not used up by one message more than by another. */
	if (limit > 0 && reason != CODEC_QUOTA_EXCEEDED && refused_count(&publish->refused, entry->id) >= limit) {
		snprintf(text, sizeof(text), "refused by the broker %u times (%s)", limit, how);
		publish_reject(publish, entry->ticket, text);
		return;
	}
	if (!publish->complained)
		host->log(host, TG_LOG_WARNING, NULL, "the broker refuses messages for now, trying again (%s)", how);
	publish->complained = true;
	host->delivered(host, entry->ticket, TG_RETRY, NULL);
	publish_give_back_queue(publish);
}

static void publish_verdict(struct publish *publish, const struct window_entry *entry, uint8_t reason)
{
	const struct tg_host *host = publish->host;

	if (entry->own) {
		if (reason >= CODEC_UNSPECIFIED)
			host->log(host, TG_LOG_WARNING, NULL, "the broker refuses the status message (%s)",
				  mosquitto_reason_string(reason));
	} else if (reason < CODEC_UNSPECIFIED) {
		if (reason == CODEC_NO_SUBSCRIBERS)
			host->count(host, COUNT_NO_SUBSCRIBERS, 1);
		publish_confirm(publish, entry->ticket);
	} else if (publish_is_passing(reason)) {
		publish_refused(publish, entry, reason);
	} else {
		publish_reject(publish, entry->ticket, mosquitto_reason_string(reason));
	}
}

void publish_answered(struct publish *publish, uint16_t mid, uint8_t reason)
{
	struct window_entry entry;

	if (!publish->session || !window_take(&publish->window, mid, &entry))
		return;
	publish_verdict(publish, &entry, reason);
}

void publish_moved(struct publish *publish)
{
	struct window_entry entry;

	while (publish->session && window_take_sent(&publish->unsent, session_sent(publish->session), &entry))
		publish_verdict(publish, &entry, 0);
}

void publish_hold(struct publish *publish, bool held)
{
	publish->held = held;
}

bool publish_is_quiet(const struct publish *publish)
{
	return publish->window.used == 0 && publish->unsent.used == 0;
}

bool publish_is_idle(const struct publish *publish)
{
	return queue_is_empty(&publish->queue) && publish_is_quiet(publish);
}

int64_t publish_oldest_us(const struct publish *publish)
{
	int64_t window_us = window_oldest_us(&publish->window), unsent_us = window_oldest_us(&publish->unsent);

	if (window_us == 0 || unsent_us == 0)
		return window_us + unsent_us;
	return window_us < unsent_us ? window_us : unsent_us;
}
