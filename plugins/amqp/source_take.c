/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <proton/delivery.h>
#include <proton/link.h>
#include <proton/session.h>
#include <stdlib.h>
#include <string.h>

#include "arrival.h"
#include "counters.h"
#include "options.h"
#include "source_internal.h"
#include "wire.h"

enum { TAKE_FIRST = 4096, TAKE_WASTE = 16384 };
enum { TAKE_BYTES_MAX = 8 * 1024 * 1024 };

bool source_has_room(const struct source *source)
{
	return !source->stopping && source->used < source->slots && source->bytes < TAKE_BYTES_MAX;
}

/* Room for so many bytes more of the message that is coming. */
static bool take_grow(struct receiver *receiver, size_t more)
{
	size_t room = receiver->part_room ? receiver->part_room : TAKE_FIRST;
	uint8_t *grown;

	while (room < receiver->part_size + more)
		room *= 2;
	if (room == receiver->part_room)
		return true;
	grown = realloc(receiver->part, room);
	if (!grown)
		return false;
	receiver->part = grown;
	receiver->part_room = room;
	return true;
}

static void take_waste(pn_link_t *link)
{
	char waste[TAKE_WASTE];

	while (pn_link_recv(link, waste, sizeof(waste)) > 0)
		;
}

/* What is there of the current delivery. Errors: -ENOMEM. */
static int take_bytes(struct receiver *receiver, pn_delivery_t *delivery)
{
	size_t pending = pn_delivery_pending(delivery);
	ssize_t n;

	if (receiver->too_large || receiver->part_size + pending > SOURCE_MESSAGE_MAX) {
		receiver->too_large = true;
		receiver->part_size = 0;
		take_waste(receiver->link);
		return 0;
	}
	if (pending == 0)
		return 0;
	if (!take_grow(receiver, pending))
		return -ENOMEM;
	n = pn_link_recv(receiver->link, (char *)receiver->part + receiver->part_size, pending);
	receiver->part_size += n > 0 ? (size_t)n : 0;
	return 0;
}

static void take_refuse(struct source *source, const struct receiver *receiver, pn_delivery_t *delivery,
			const char *condition, const char *reason)
{
	const struct tg_host *host = source->host;

	host->log(host, TG_LOG_WARNING, NULL, "a message from \"%s\" was refused (%s)", receiver->address, reason);
	source_reject(source, delivery, condition, (struct tg_bytes){.data = reason, .size = strlen(reason)});
}

static void take_own(struct source *source, pn_delivery_t *delivery)
{
	source->host->count(source->host, COUNT_IGNORED, 1);
	pn_delivery_update(delivery, PN_ACCEPTED);
	pn_delivery_settle(delivery);
	wire_touch(source->wire);
}

/* A message that has come whole. */
static void take_whole(struct source *source, struct receiver *receiver, pn_delivery_t *delivery)
{
	const struct tg_host *host = source->host;
	const struct tg_bytes bytes = {.data = receiver->part, .size = receiver->part_size};
	const struct arrival_place place = {
		.address = {.data = receiver->address, .size = strlen(receiver->address)},
		.via = source->via,
		.now_us = host->now_us(host),
		.now_wall_us = host->now_wall_us(host),
	};
	struct arrival *arrival = NULL;
	const char *refusal = NULL;
	int r;

	if (receiver->too_large) {
		take_refuse(source, receiver, delivery, "amqp:link:message-size-exceeded", "it is too large");
		return;
	}
	r = arrival_new(bytes, &place, &arrival, &refusal);
	if (r == -ENOMEM || (r >= 0 && !arrival->own && source_add(source, receiver, delivery, arrival) < 0))
		wire_fail(source->wire, strerror(ENOMEM)); /* it comes again over the next connection */
	else if (r < 0)
		take_refuse(source, receiver, delivery, "amqp:decode-error", refusal);
	else if (arrival->own)
		take_own(source, delivery);
	if (r >= 0 && arrival->own)
		arrival_free(arrival);
}

/* Makes room for the next one. */
static void take_forget(struct receiver *receiver)
{
	receiver->part_size = 0;
	receiver->too_large = false;
	if (receiver->part_room > TAKE_FIRST) {
		free(receiver->part);
		receiver->part = NULL;
		receiver->part_room = 0;
	}
}

/* A peer that sends more than it was allowed to would fill the memory. */
static bool take_is_beyond(const struct source *source, const struct receiver *receiver)
{
	pn_session_t *session = pn_link_session(receiver->link);

	return pn_session_incoming_bytes(session) > 2 * pn_session_get_incoming_capacity(session) ||
	       pn_link_queued(receiver->link) > (int)(2 * source->options->receive_window);
}

void source_take(struct source *source, struct receiver *receiver)
{
	pn_delivery_t *delivery;

	if (take_is_beyond(source, receiver)) {
		wire_fail(source->wire, "the peer sends more than it has credit for");
		return;
	}
	while (receiver->link && (delivery = pn_link_current(receiver->link)) != NULL && source_has_room(source)) {
		bool aborted = pn_delivery_aborted(delivery);

		if (!aborted && take_bytes(receiver, delivery) < 0) {
			wire_fail(source->wire, strerror(ENOMEM));
			return;
		}
		if (!aborted && pn_delivery_partial(delivery))
			break;
		/* Before it is settled, which would go on by itself, and then twice. */
		pn_link_advance(receiver->link);
		if (aborted)
			pn_delivery_settle(delivery);
		else
			take_whole(source, receiver, delivery);
		take_forget(receiver);
	}
	if (receiver->link)
		source_credit(source, receiver);
}
