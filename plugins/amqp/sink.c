/* SPDX-License-Identifier: Apache-2.0 */
#include "sink.h"

#include <errno.h>
#include <proton/delivery.h>
#include <proton/link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "counters.h"
#include "options.h"
#include "sink_internal.h"
#include "wire.h"

/* The queue takes whatever the core has under way, unless that is large. */
enum { SINK_QUEUE_COUNT = 65536, SINK_QUEUE_BYTES = 8 * 1024 * 1024 };

int sink_init(struct sink *sink, const struct tg_host *host)
{
	*sink = (struct sink){.host = host};
	queue_init(&sink->readings, 0, 0);
	queue_init(&sink->responses, 0, 0);
	return pack_init(&sink->pack);
}

void sink_done(struct sink *sink)
{
	if (!sink->host)
		return;
	sink_end(sink);
	refused_done(&sink->refused);
	pack_done(&sink->pack);
}

void sink_gauges(struct sink *sink)
{
	const struct tg_host *host = sink->host;

	host->gauge(host, COUNT_IN_FLIGHT, (int64_t)sink->in_flight);
	host->gauge(host, COUNT_QUEUED, (int64_t)(sink->readings.count + sink->responses.count));
	host->gauge(host, COUNT_SENDERS, (int64_t)sink->senders.count);
}

static struct tg_bytes sink_target(const struct sink *sink)
{
	const char *target = sink->options->target;

	return (struct tg_bytes){.data = target, .size = target ? strlen(target) : 0};
}

int sink_begin(struct sink *sink, const struct options *options, struct wire *wire)
{
	struct sender *sender;
	int r;

	sink_end(sink);
	r = refused_reserve(&sink->refused, options->window);
	if (r >= 0)
		r = senders_init(&sink->senders, options->links);
	if (r < 0)
		return r;
	queue_init(&sink->readings, SINK_QUEUE_COUNT, SINK_QUEUE_BYTES);
	queue_init(&sink->responses, SINK_QUEUE_COUNT, SINK_QUEUE_BYTES);
	sink->options = options;
	sink->wire = wire;
	sink->confirmed = 0;
	sink->short_since_us = 0;
	sink->held = sink->short_of = sink->responded = false;
	if (options->target)
		r = senders_get(&sink->senders, wire_connection(wire), sink_target(sink),
				sink->host->now_us(sink->host), &sender);
	if (r < 0)
		sink_end(sink);
	return r;
}

void sink_end(struct sink *sink)
{
	sink->wire = NULL;
	while (sink->first)
		sink_land(sink, sink->first);
	senders_done(&sink->senders);
	queue_clear(&sink->readings);
	queue_clear(&sink->responses);
	sink_gauges(sink);
}

void sink_set_options(struct sink *sink, const struct options *options)
{
	sink->options = options;
	(void)refused_reserve(&sink->refused, options->window); /* with less the oldest make room earlier */
	if (sink->wire)
		senders_set_limit(&sink->senders, options->links);
	sink_pump(sink);
}

bool sink_is_ready(const struct sink *sink)
{
	if (!sink->wire || !sink->options->target)
		return sink->wire != NULL;
	for (size_t i = 0; i < sink->senders.count; i++) {
		if (strcmp(sink->senders.all[i]->address, sink->options->target) == 0)
			return sink->senders.all[i]->attached;
	}
	return false;
}

static bool sink_is_addressed(const struct sink *sink, const struct tg_delivery *delivery)
{
	return delivery->kind == TG_RESPONSE || !sink->options->target;
}

static void sink_note_shortage(struct sink *sink, bool is_short)
{
	if (!is_short)
		sink->short_since_us = 0;
	else if (sink->short_since_us == 0)
		sink->short_since_us = sink->host->now_us(sink->host);
}

/* The sender for a message, where it can be sent now. Errors: -EAGAIN; -EINVAL: it never can; others: the connection is no good. */
static int sink_sender(struct sink *sink, const struct tg_delivery *delivery, struct sender **ret_sender)
{
	struct tg_bytes address = sink_is_addressed(sink, delivery) ? delivery->address : sink_target(sink);
	size_t on_their_way = delivery->kind == TG_RESPONSE ? sink->answering : sink->in_flight - sink->answering;
	uint64_t number = sink->senders.number;
	int r;

	if (sink->held || on_their_way >= sink->options->window)
		return -EAGAIN;
	r = senders_get(&sink->senders, wire_connection(sink->wire), address, sink->host->now_us(sink->host),
			ret_sender);
	if (sink->senders.number != number)
		sink->responded = delivery->kind == TG_RESPONSE;
	if (delivery->kind != TG_RESPONSE)
		sink_note_shortage(sink, r == -EMFILE);
	if (r == -EMFILE && !sink->short_of) {
		sink->short_of = true;
		sink->host->log(sink->host, TG_LOG_WARNING, NULL,
				"the peer allows no more sessions: messages wait for one");
	}
	if (r == -EMFILE || (r >= 0 && !sender_has_room(*ret_sender)))
		return -EAGAIN;
	return r;
}

static int sink_transfer(struct sink *sink, struct sender *sender, const struct tg_delivery *delivery,
			 struct tg_bytes bytes)
{
	const struct tg_host *host = sink->host;
	struct sink_flight *flight = calloc(1, sizeof(*flight));
	pn_delivery_t *sent;

	if (!flight)
		return -ENOMEM;
	sink->tag++;
	sent = pn_delivery(sender->link, pn_dtag((const char *)&sink->tag, sizeof(sink->tag)));
	if (!sent || pn_link_send(sender->link, bytes.data, bytes.size) != (ssize_t)bytes.size) {
		free(flight);
		wire_fail(sink->wire, strerror(ENOMEM));
		return -ENOMEM;
	}
	*flight = (struct sink_flight){.sender = sender,
				       .delivery = sent,
				       .response = delivery->kind == TG_RESPONSE,
				       .ticket = delivery->ticket,
				       .sent_us = host->now_us(host)};
	memcpy(flight->id, delivery->id, sizeof(flight->id));
	pn_delivery_set_context(sent, flight);
	pn_link_advance(sender->link);
	sink_launch(sink, flight);
	host->count(host, COUNT_SENT, 1);
	host->count(host, COUNT_BYTES, (int64_t)delivery->payload.size);
	wire_touch(sink->wire);
	return 0;
}

/* Errors: -EAGAIN: not now; -ENOMEM. What can never be sent is refused. */
static int sink_send(struct sink *sink, const struct tg_delivery *delivery, uint32_t expiry_s)
{
	bool addressed = sink_is_addressed(sink, delivery);
	struct sender *sender = NULL;
	struct tg_bytes bytes;
	uint64_t most;
	int r = sink_sender(sink, delivery, &sender);

	if (r == -EINVAL) {
		sink_reject(sink, delivery->ticket, "address is empty, or has a zero byte");
		return 0;
	}
	if (r < 0)
		return r;
	r = pack_delivery(&sink->pack, delivery, expiry_s, addressed ? (struct tg_bytes){0} : delivery->address,
			  sink->via, &bytes);
	if (r == -EINVAL) {
		sink_reject(sink, delivery->ticket, "it cannot be written as an AMQP message");
		return 0;
	}
	if (r < 0)
		return r;
	most = pn_link_remote_max_message_size(sender->link);
	if (most > 0 && bytes.size > most) {
		sink_reject(sink, delivery->ticket, "larger than the peer's max-message-size");
		return 0;
	}
	return sink_transfer(sink, sender, delivery, bytes);
}

/* What is left of the expiry after waiting here; it was not expired when it was handed over. */
static uint32_t sink_expiry_left(const struct queue_item *item, int64_t now_us)
{
	int64_t waited_s = (now_us - item->queued_us) / 1000000;

	if (item->copy.expiry_s == 0)
		return 0;
	return waited_s < item->copy.expiry_s ? item->copy.expiry_s - (uint32_t)waited_s : 1;
}

static void sink_pump_queue(struct sink *sink, struct queue *queue)
{
	int r = 0;

	while (r >= 0 && sink->wire && !queue_is_empty(queue)) {
		const struct queue_item *item = queue->first;

		r = sink_send(sink, &item->copy, sink_expiry_left(item, sink->host->now_us(sink->host)));
		if (r >= 0 && queue->first == item)
			queue_pop(queue);
	}
}

void sink_pump(struct sink *sink)
{
	if (!sink->wire || sink->busy)
		return;
	sink->busy = true;
	if (sink->responded)
		sink_pump_queue(sink, &sink->readings);
	sink_pump_queue(sink, &sink->responses);
	sink_pump_queue(sink, &sink->readings);
	sink->busy = false;
	sink_gauges(sink);
}

int sink_deliver(struct sink *sink, const struct tg_delivery *delivery)
{
	struct queue *queue = delivery->kind == TG_RESPONSE ? &sink->responses : &sink->readings;
	int r = -EAGAIN;

	if (!sink->wire)
		return -EAGAIN;
	if (queue_is_empty(queue) && !sink->busy)
		r = sink_send(sink, delivery, delivery->expiry_s);
	if (r == -EAGAIN)
		r = queue_push(queue, delivery, sink->host->now_us(sink->host));
	wire_touch(sink->wire);
	sink_gauges(sink);
	return r < 0 ? -EAGAIN : 0;
}

void sink_make_room(struct sink *sink)
{
	if (!sink->wire)
		return;
	senders_make_room(&sink->senders, wire_connection(sink->wire), sink->host->now_us(sink->host));
	wire_touch(sink->wire);
}

void sink_hold(struct sink *sink, bool held)
{
	sink->held = held;
}

bool sink_is_quiet(const struct sink *sink)
{
	return sink->in_flight == 0;
}

bool sink_is_idle(const struct sink *sink)
{
	return sink_is_quiet(sink) && queue_is_empty(&sink->readings) && queue_is_empty(&sink->responses);
}
