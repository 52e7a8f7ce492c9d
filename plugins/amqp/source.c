/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <proton/condition.h>
#include <proton/event.h>
#include <proton/link.h>
#include <proton/session.h>
#include <proton/terminus.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "address.h"
#include "channel.h"
#include "counters.h"
#include "options.h"
#include "source_internal.h"
#include "wire.h"

/* SPARE: more frames than there is credit for, so that flow for the session goes out in time. */
enum { SOURCE_FRAMES_SPARE = 64, SOURCE_NAME_SIZE = 64, SOURCE_REASON_SIZE = 256 };

int source_init(struct source *source, const struct tg_host *host)
{
	*source = (struct source){.host = host};
	return host->timer_new(host, source_turn, source, &source->later);
}

static void source_forget(struct source *source)
{
	for (size_t i = 0; i < source->n_receivers; i++)
		free(source->receivers[i].address);
	free(source->receivers);
	source->receivers = NULL;
	source->n_receivers = 0;
}

void source_done(struct source *source)
{
	if (!source->host)
		return;
	source_end(source);
	source_forget(source);
	source->host->timer_free(source->later);
}

void source_gauges(struct source *source)
{
	int64_t attached = 0;

	for (size_t i = 0; i < source->n_receivers; i++)
		attached += source->receivers[i].attached;
	source->host->gauge(source->host, COUNT_RECEIVERS, attached);
	source->host->gauge(source->host, COUNT_WAITING, (int64_t)source->used);
}

static bool source_is_routed(const struct source *source, const char *address)
{
	const struct tg_host *host = source->host;
	const char *pattern;

	for (size_t i = 0; (pattern = host->route(host, i)) != NULL; i++) {
		if (address_may_match(address, pattern))
			return true;
	}
	return false;
}

/* Routes that nothing can come to, and sources that nothing is done with, are mistakes that would show by silence alone. */
static void source_complain(const struct source *source)
{
	const struct tg_host *host = source->host;
	const char *address, *pattern;

	for (size_t i = 0; (address = host->setting_item(host, "sources", i)) != NULL; i++) {
		if (!source_is_routed(source, address))
			host->log(host, TG_LOG_WARNING, NULL,
				  "nothing is received from \"%s\": no route takes a message from there", address);
	}
	for (size_t i = 0; (pattern = host->route(host, i)) != NULL; i++) {
		bool may = false;

		for (size_t j = 0; !may && (address = host->setting_item(host, "sources", j)) != NULL; j++)
			may = address_may_match(address, pattern);
		if (!may)
			host->log(host, TG_LOG_WARNING, NULL,
				  "no entry of \"sources\" has messages for the route of \"%s\"", pattern);
	}
}

int source_read(struct source *source)
{
	const struct tg_host *host = source->host;
	size_t n = 0;
	const char *address;

	source_end(source);
	source_forget(source);
	while (host->setting_item(host, "sources", n))
		n++;
	source->receivers = calloc(n + 1, sizeof(*source->receivers));
	if (!source->receivers)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		struct receiver *receiver = &source->receivers[source->n_receivers];

		address = host->setting_item(host, "sources", i);
		if (!source_is_routed(source, address))
			continue;
		receiver->source = source;
		receiver->address = strdup(address);
		if (!receiver->address)
			return -ENOMEM;
		source->n_receivers++;
	}
	source_complain(source);
	return 0;
}

bool source_is_same(struct source *source)
{
	const struct tg_host *host = source->host;
	const char *address;
	size_t n = 0;
	bool same = true;

	for (size_t i = 0; (address = host->setting_item(host, "sources", i)) != NULL; i++) {
		if (!source_is_routed(source, address))
			continue;
		same = same && n < source->n_receivers && strcmp(address, source->receivers[n].address) == 0;
		n++;
	}
	same = same && n == source->n_receivers;
	source->stale |= !same;
	return same;
}

void source_set_options(struct source *source, const struct options *options)
{
	source->options = options;
}

bool source_is_wanted(const struct source *source)
{
	return source->n_receivers > 0;
}

/* Opened anew after a pause: the others go on. */
static void receiver_later(struct source *source, struct receiver *receiver, const char *why)
{
	const struct options *options = source->options;
	const struct tg_host *host = source->host;

	receiver->pause_us = receiver->attached ? options->backoff_min_us : receiver->pause_us * 2;
	if (receiver->pause_us < options->backoff_min_us)
		receiver->pause_us = options->backoff_min_us;
	if (receiver->pause_us > options->backoff_max_us)
		receiver->pause_us = options->backoff_max_us;
	receiver->again_at_us = host->now_us(host) + receiver->pause_us;
	host->log(host, receiver->complained ? TG_LOG_DEBUG : TG_LOG_WARNING, NULL,
		  "nothing is received from \"%s\", trying on (%s)", receiver->address, why);
	receiver->complained = true;
}

/* Whether one link more would take the session that is left to what is sent. */
static bool source_is_at_most(const struct source *source)
{
	size_t there = 0;

	for (size_t i = 0; i < source->n_receivers; i++)
		there += source->receivers[i].link != NULL;
	return source->spare && there + 1 >= channel_most(wire_connection(source->wire));
}

/* Where the peer allows no more sessions it is tried again later. Errors: -ENOMEM. */
static int receiver_open(struct source *source, struct receiver *receiver)
{
	bool spared = source_is_at_most(source);
	char name[SOURCE_NAME_SIZE];
	int r = -EMFILE;

	/* The same each time, so that a peer can tell who comes again. */
	snprintf(name, sizeof(name), "from-%zu", (size_t)(receiver - source->receivers));
	if (!spared)
		r = channel_new(wire_connection(source->wire), false, name, receiver, &receiver->link);
	receiver->short_of = r == -EMFILE && !spared;
	if (r == -EMFILE)
		receiver_later(source, receiver,
			       spared ? "the last session that the peer allows is left to what is sent"
				      : "the peer allows no more sessions");
	if (r < 0)
		return r == -EMFILE ? 0 : r;
	receiver->opened_us = source->host->now_us(source->host);
	pn_session_set_incoming_capacity(pn_link_session(receiver->link),
					 (source->options->receive_window + SOURCE_FRAMES_SPARE) *
						 (size_t)WIRE_FRAME_MAX);
	pn_terminus_set_address(pn_link_source(receiver->link), receiver->address);
	pn_link_set_max_message_size(receiver->link, SOURCE_MESSAGE_MAX);
	channel_begin(receiver->link);
	source_credit(source, receiver);
	return 0;
}

/* Forgets its messages, which come again from the peer. */
static void receiver_shut(struct source *source, struct receiver *receiver)
{
	struct source_entry *next;

	for (struct source_entry *entry = source->head; entry; entry = next) {
		next = entry->next;
		if (entry->receiver == receiver)
			source_drop(source, entry);
	}
	free(receiver->part);
	receiver->part = NULL;
	receiver->part_size = receiver->part_room = 0;
	receiver->too_large = false;
	receiver->link = NULL;
	receiver->attached = receiver->short_of = false;
}

int source_begin(struct source *source, const struct options *options, struct wire *wire)
{
	int r = 0;

	source_end(source);
	if (source->stale && source_read(source) < 0)
		return -ENOMEM;
	source->stale = false;
	source->options = options;
	source->slots = options->receive_window * source->n_receivers;
	source->entries = calloc(source->slots + 1, sizeof(struct source_entry *));
	if (!source->entries)
		return -ENOMEM;
	source->wire = wire;
	source->settled = 0;
	for (size_t i = 0; i < source->n_receivers && r >= 0 && !source->stopping; i++)
		r = receiver_open(source, &source->receivers[i]);
	if (r < 0)
		source_end(source);
	return r;
}

void source_end(struct source *source)
{
	source->wire = NULL;
	source->host->timer_set(source->later, 0);
	for (size_t i = 0; i < source->n_receivers; i++)
		receiver_shut(source, &source->receivers[i]);
	free(source->entries);
	source->entries = NULL;
	source->slots = source->next_slot = 0;
	source_gauges(source);
}

/* Below zero is what RabbitMQ 3.10 makes of it at times: it sends more than it has credit for. */
void source_credit(struct source *source, struct receiver *receiver)
{
	int window = (int)source->options->receive_window;
	int there = (int)receiver->held + pn_link_credit(receiver->link);

	if (source->stopping || there >= window || (there > window / 2 && receiver->attached))
		return;
	pn_link_flow(receiver->link, window - there);
	wire_touch(source->wire);
}

void source_resume(struct source *source)
{
	for (size_t i = 0; i < source->n_receivers && source->wire; i++) {
		struct receiver *receiver = &source->receivers[i];

		if (receiver->link)
			source_take(source, receiver);
		if (receiver->link)
			source_credit(source, receiver);
	}
}

static void source_shut(struct source *source, struct receiver *receiver, const char *why)
{
	pn_link_t *link = receiver->link;

	receiver_later(source, receiver, why);
	receiver_shut(source, receiver);
	channel_close(link);
	wire_touch(source->wire);
	source_gauges(source);
}

/* The peer has ended the link, or does not give it. */
static void source_gone(struct source *source, struct receiver *receiver, pn_condition_t *condition)
{
	const char *name = pn_condition_get_name(condition), *text = pn_condition_get_description(condition);
	char why[SOURCE_REASON_SIZE];

	snprintf(why, sizeof(why), "%s%s%s", name ? name : "the peer has closed the link", text ? ", " : "",
		 text ? text : "");
	source_shut(source, receiver, why);
}

static void source_attached(struct source *source, struct receiver *receiver)
{
	const struct tg_host *host = source->host;

	/* A peer that refuses answers without an address, and closes (AMQP 1.0 part 2, 2.6.3). */
	if (pn_terminus_get_type(pn_link_remote_source(receiver->link)) == PN_UNSPECIFIED)
		return;
	receiver->attached = true;
	receiver->complained = false;
	host->log(host, TG_LOG_NOTICE, NULL, "receiving from \"%s\"", receiver->address);
	source_gauges(source);
}

void source_happened(struct source *source, struct pn_link_t *link, struct pn_event_t *event)
{
	struct receiver *receiver = pn_link_get_context(link);

	if (!source->wire)
		return;
	switch (pn_event_type(event)) {
	case PN_LINK_REMOTE_OPEN:
		source_attached(source, receiver);
		break;
	case PN_DELIVERY:
		source_take(source, receiver);
		break;
	case PN_LINK_REMOTE_CLOSE:
	case PN_LINK_REMOTE_DETACH:
		source_gone(source, receiver, pn_link_remote_condition(link));
		break;
	case PN_SESSION_REMOTE_CLOSE:
		source_gone(source, receiver, pn_session_remote_condition(pn_event_session(event)));
		break;
	default:
		break;
	}
}

static void source_tick_receiver(struct source *source, struct receiver *receiver, int64_t now_us)
{
	if (receiver->link) {
		if (!receiver->attached && now_us - receiver->opened_us >= source->options->confirm_timeout_us)
			source_shut(source, receiver, "no answer to ATTACH in time");
	} else if (now_us >= receiver->again_at_us && receiver_open(source, receiver) < 0) {
		wire_fail(source->wire, strerror(ENOMEM));
	}
}

void source_tick(struct source *source)
{
	int64_t now_us = source->host->now_us(source->host);

	for (size_t i = 0; i < source->n_receivers && source->wire && !source->stopping; i++)
		source_tick_receiver(source, &source->receivers[i], now_us);
}

bool source_is_short(const struct source *source)
{
	bool is_short = false;

	for (size_t i = 0; i < source->n_receivers && !source->stopping; i++)
		is_short |= source->receivers[i].short_of;
	return is_short;
}

void source_retry(struct source *source)
{
	for (size_t i = 0; i < source->n_receivers && source->wire && !source->stopping; i++) {
		if (!source->receivers[i].short_of)
			continue;
		if (receiver_open(source, &source->receivers[i]) < 0)
			wire_fail(source->wire, strerror(ENOMEM));
		return;
	}
}
