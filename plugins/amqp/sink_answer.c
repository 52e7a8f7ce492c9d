/* SPDX-License-Identifier: Apache-2.0 */
#include <proton/condition.h>
#include <proton/delivery.h>
#include <proton/disposition.h>
#include <proton/event.h>
#include <proton/link.h>
#include <proton/session.h>
#include <proton/terminus.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "counters.h"
#include "options.h"
#include "sink_internal.h"
#include "wire.h"

enum { SINK_REASON_SIZE = 200 };

void sink_launch(struct sink *sink, struct sink_flight *flight)
{
	flight->before = sink->last;
	if (sink->last)
		sink->last->next = flight;
	else
		sink->first = flight;
	sink->last = flight;
	sink->in_flight++;
	sink->answering += flight->response;
	flight->sender->in_flight++;
	flight->sender->carried = true;
}

void sink_land(struct sink *sink, struct sink_flight *flight)
{
	if (flight->before)
		flight->before->next = flight->next;
	else
		sink->first = flight->next;
	if (flight->next)
		flight->next->before = flight->before;
	else
		sink->last = flight->before;
	sink->in_flight--;
	sink->answering -= flight->response;
	flight->sender->in_flight--;
	free(flight);
}

void sink_reject(struct sink *sink, uint64_t ticket, const char *reason)
{
	const struct tg_host *host = sink->host;

	host->count(host, COUNT_REJECTED, 1);
	host->delivered(host, ticket, TG_REJECTED, reason);
}

/* "amqp:not-found, no queue 'x'", or the other text where the peer has said nothing. */
static void sink_reason(pn_condition_t *condition, const char *otherwise, char ret_reason[SINK_REASON_SIZE])
{
	const char *name = condition ? pn_condition_get_name(condition) : NULL;
	const char *text = condition ? pn_condition_get_description(condition) : NULL;

	snprintf(ret_reason, SINK_REASON_SIZE, "%s%s%s", name ? name : otherwise, text ? ", " : "", text ? text : "");
}

/* What waits here would overtake what the core gets back. */
static void sink_give_back_queue(struct sink *sink)
{
	sink->short_since_us = 0;
	while (!queue_is_empty(&sink->readings)) {
		uint64_t ticket = sink->readings.first->copy.ticket;

		queue_pop(&sink->readings);
		sink->host->delivered(sink->host, ticket, TG_RETRY, NULL);
	}
}

static void sink_released(struct sink *sink, const struct sink_flight *flight, const char *how)
{
	const struct tg_host *host = sink->host;
	unsigned times = flight->response ? 1 : refused_count(&sink->refused, flight->id),
		 limit = sink->options->release_limit;
	char reason[SINK_REASON_SIZE];

	host->count(host, COUNT_RELEASED, 1);
	if (flight->response || (limit > 0 && times >= limit)) {
		snprintf(reason, sizeof(reason), "given back by the peer %u time%s (%s)", times, times > 1 ? "s" : "",
			 how);
		sink_reject(sink, flight->ticket, reason);
		return;
	}
	host->log(host, TG_LOG_WARNING, NULL, "the peer has given a message back at \"%s\", trying again (%s)",
		  flight->sender->address, how);
	host->delivered(host, flight->ticket, TG_RETRY, NULL);
	sink_give_back_queue(sink);
}

/* The peer's word about a message that is final. */
static void sink_outcome(struct sink *sink, const struct sink_flight *flight, pn_delivery_t *delivery)
{
	pn_disposition_t *remote = pn_delivery_remote(delivery);
	const struct tg_host *host = sink->host;
	char reason[SINK_REASON_SIZE];

	switch (pn_delivery_remote_state(delivery)) {
	case PN_ACCEPTED:
		sink->confirmed++;
		flight->sender->confirmed++;
		host->count(host, COUNT_CONFIRMED, 1);
		host->delivered(host, flight->ticket, TG_CONFIRMED, NULL);
		break;
	case PN_REJECTED:
		sink_reason(pn_disposition_condition(remote), "rejected by the peer", reason);
		sink_reject(sink, flight->ticket, reason);
		break;
	case PN_MODIFIED:
		if (pn_disposition_is_undeliverable(remote))
			sink_reject(sink, flight->ticket, "the peer says that it cannot be delivered there");
		else
			sink_released(sink, flight,
				      pn_disposition_is_failed(remote) ? "modified, delivery failed" : "modified");
		break;
	case PN_RELEASED:
		sink_released(sink, flight, "released");
		break;
	default:
		sink_released(sink, flight, "settled without an outcome");
	}
}

/* What the peer sends over a link that is for sending would stay with the library. */
static void sink_unwanted(struct sink *sink)
{
	wire_fail(sink->wire, "the peer sends over a link that is not for that");
}

/* Confirmed is what is accepted and settled. A peer that settles second (rcv-settle-mode) waits for us to do it. */
static void sink_answered(struct sink *sink, pn_delivery_t *delivery)
{
	struct sink_flight *flight = pn_delivery_get_context(delivery);
	pn_link_t *link = pn_delivery_link(delivery);
	uint64_t state = pn_delivery_remote_state(delivery);
	bool outcome = state >= PN_ACCEPTED && state <= PN_MODIFIED;

	if (!flight)
		sink_unwanted(sink);
	if (!flight || pn_delivery_get_context(delivery) == &sink->landed)
		return;
	if (!pn_delivery_settled(delivery) && !(outcome && pn_link_remote_rcv_settle_mode(link) == PN_RCV_SECOND))
		return;
	pn_delivery_set_context(delivery, &sink->landed);
	sink_outcome(sink, flight, delivery);
	sink_land(sink, flight);
	pn_delivery_settle(delivery);
}

/* What is in flight over it: readings come back to the core, responses are over. Returns whether there was a reading. */
static bool sink_give_back(struct sink *sink, const struct sender *sender, const char *cause)
{
	struct sink_flight *next;
	bool reading = false;

	for (struct sink_flight *flight = sink->first; flight; flight = next) {
		next = flight->next;
		if (flight->sender != sender)
			continue;
		if (flight->response)
			sink_reject(sink, flight->ticket, cause);
		else
			sink->host->delivered(sink->host, flight->ticket, TG_RETRY, NULL);
		reading |= !flight->response;
		sink_land(sink, flight);
	}
	return reading;
}

static bool sink_waits_for(const struct queue *queue, const char *address)
{
	struct tg_bytes wanted = queue_is_empty(queue) ? (struct tg_bytes){0} : queue->first->copy.address;

	return wanted.size == strlen(address) && memcmp(wanted.data, address, wanted.size) == 0;
}

static void sink_reject_first(struct sink *sink, struct queue *queue, const char *reason)
{
	uint64_t ticket = queue->first->copy.ticket;

	queue_pop(queue);
	sink_reject(sink, ticket, reason);
}

/* Readings go over it now: where it cannot be, they stand still. */
static bool sink_is_needed(const struct sink *sink, const struct sender *sender)
{
	const char *target = sink->options->target;

	return target ? strcmp(target, sender->address) == 0 : sink_waits_for(&sink->readings, sender->address);
}

/* The peer has ended the link. One that has carried something, and is to carry nothing now, is opened anew when it is needed. */
static void sink_gone(struct sink *sink, struct sender *sender, pn_condition_t *condition)
{
	bool useless = sender->confirmed == 0, in_use = sender->in_flight > 0, lost;
	char reason[SINK_REASON_SIZE], cause[WIRE_CAUSE_SIZE];

	sink_reason(condition, "the peer has closed the link", reason);
	snprintf(cause, sizeof(cause),
		 useless ? "address \"%.60s\" refused: %.160s" : "link to \"%.60s\" ended: %.160s", sender->address,
		 reason);
	lost = sink_give_back(sink, sender, cause);
	if (lost)
		sink_give_back_queue(sink);
	if ((useless || in_use) && sink_waits_for(&sink->responses, sender->address))
		sink_reject_first(sink, &sink->responses, cause);
	if (!lost && useless && !sink->options->target && sink->options->reject_address &&
	    sink_waits_for(&sink->readings, sender->address))
		sink_reject_first(sink, &sink->readings, cause);
	else if (lost || (sink_is_needed(sink, sender) && (useless || sink->options->target)))
		wire_fail(sink->wire, cause);
	senders_close(&sink->senders, sender);
}

static void sink_attached(struct sender *sender, int64_t now_us)
{
	/* A peer that refuses answers without an address, and closes (AMQP 1.0 part 2, 2.6.3). */
	sender->attached = pn_terminus_get_type(pn_link_remote_target(sender->link)) != PN_UNSPECIFIED;
	sender->attached_us = now_us;
}

/* AMQP 1.0 part 2, 2.6.7: credit that is to be used up, and cannot be, is given back. */
static void sink_drain(struct sink *sink, pn_link_t *link)
{
	if (!pn_link_get_drain(link))
		return;
	sink_pump(sink);
	if (sink->wire && pn_link_get_context(link))
		pn_link_drained(link);
}

void sink_happened(struct sink *sink, struct pn_link_t *link, struct pn_event_t *event)
{
	struct sender *sender = pn_link_get_context(link);

	if (!sink->wire)
		return;
	switch (pn_event_type(event)) {
	case PN_LINK_REMOTE_OPEN:
		sink_attached(sender, sink->host->now_us(sink->host));
		break;
	case PN_LINK_FLOW:
		sink_drain(sink, link);
		break;
	case PN_DELIVERY:
		sink_answered(sink, pn_event_delivery(event));
		break;
	case PN_LINK_REMOTE_CLOSE:
	case PN_LINK_REMOTE_DETACH:
		sink_gone(sink, sender, pn_link_remote_condition(link));
		break;
	case PN_SESSION_REMOTE_CLOSE:
		sink_gone(sink, sender, pn_session_remote_condition(pn_event_session(event)));
		break;
	default:
		break;
	}
}

/* A response whose address is slow waits no longer than anything else may. */
static void sink_tick_responses(struct sink *sink, int64_t since_us)
{
	while (!queue_is_empty(&sink->responses) && sink->responses.first->queued_us <= since_us)
		sink_reject_first(sink, &sink->responses, "nobody takes it at the address for the reply");
}

/* One that the peer leaves unsettled is over as well, and the link goes on. Returns whether all that is late were responses. */
static bool sink_tick_flights(struct sink *sink, int64_t since_us)
{
	while (sink->first && sink->first->sent_us <= since_us && sink->first->response) {
		struct sink_flight *flight = sink->first;

		sink_reject(sink, flight->ticket, "the peer does not say what has become of it");
		pn_delivery_set_context(flight->delivery, &sink->landed);
		pn_delivery_settle(flight->delivery);
		sink_land(sink, flight);
	}
	return !sink->first || sink->first->sent_us > since_us;
}

/* Links that the peer leaves without an answer: without one that readings wait for the connection is of no use. */
static void sink_tick_senders(struct sink *sink, int64_t since_us)
{
	char cause[WIRE_CAUSE_SIZE];

	for (size_t i = sink->senders.count; i > 0; i--) {
		struct sender *sender = sink->senders.all[i - 1];

		if (sender->attached || sender->opened_us > since_us)
			continue;
		if (sink_is_needed(sink, sender)) {
			snprintf(cause, sizeof(cause), "no answer to ATTACH at \"%.100s\" in time", sender->address);
			wire_fail(sink->wire, cause);
			return;
		}
		senders_close(&sink->senders, sender);
	}
}

void sink_tick(struct sink *sink)
{
	const struct tg_host *host = sink->host;
	int64_t since_us;
	char cause[WIRE_CAUSE_SIZE];

	if (!sink->wire)
		return;
	since_us = host->now_us(host) - sink->options->confirm_timeout_us;
	sink_tick_responses(sink, since_us);
	if (!sink_tick_flights(sink, since_us)) {
		snprintf(cause, sizeof(cause), "a message stayed unconfirmed for %lld s",
			 (long long)(sink->options->confirm_timeout_us / 1000000));
		wire_fail(sink->wire, cause);
		return;
	}
	if (sink->short_since_us != 0 && sink->short_since_us <= since_us && !queue_is_empty(&sink->readings)) {
		sink->starved = true;
		wire_fail(sink->wire, "the peer allows too few sessions");
		return;
	}
	sink_tick_senders(sink, since_us);
	sink_pump(sink);
	wire_touch(sink->wire);
}
