/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <proton/condition.h>
#include <proton/delivery.h>
#include <proton/disposition.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arrival.h"
#include "counters.h"
#include "source_internal.h"
#include "wire.h"

enum { VERDICT_REASON_SIZE = 200 };
/* The pause where the host itself has no room, and the longest one. */
#define VERDICT_BUSY_US  INT64_C(100000)
#define VERDICT_PAUSE_US INT64_C(60000000)

int source_add(struct source *source, struct receiver *receiver, struct pn_delivery_t *delivery,
	       struct arrival *arrival)
{
	struct source_entry *entry = calloc(1, sizeof(*entry));
	size_t slot = source->next_slot;

	if (!entry) {
		arrival_free(arrival);
		return -ENOMEM;
	}
	while (source->entries[slot])
		slot = (slot + 1) % source->slots;
	source->next_slot = (slot + 1) % source->slots;
	*entry = (struct source_entry){
		.receiver = receiver, .delivery = delivery, .arrival = arrival, .slot = slot, .before = source->tail};
	if (source->tail)
		source->tail->next = entry;
	else
		source->head = entry;
	source->tail = entry;
	source->entries[slot] = entry;
	source->used++;
	source->bytes += arrival->size;
	receiver->held++;
	source->host->timer_set(source->later, 1);
	return 0;
}

void source_drop(struct source *source, struct source_entry *entry)
{
	if (entry->before)
		entry->before->next = entry->next;
	else
		source->head = entry->next;
	if (entry->next)
		entry->next->before = entry->before;
	else
		source->tail = entry->before;
	source->entries[entry->slot] = NULL;
	source->used--;
	source->waiting -= entry->state == SOURCE_WAITING;
	source->late -= entry->tries > 0;
	source->bytes -= entry->arrival->size;
	entry->receiver->held--;
	arrival_free(entry->arrival);
	free(entry);
}

void source_reject(struct source *source, struct pn_delivery_t *delivery, const char *condition, struct tg_bytes reason)
{
	pn_condition_t *said = pn_disposition_condition(pn_delivery_local(delivery));
	char text[VERDICT_REASON_SIZE];

	snprintf(text, sizeof(text), "%.*s", (int)(reason.size < sizeof(text) ? reason.size : sizeof(text) - 1),
		 reason.size > 0 ? (const char *)reason.data : "");
	pn_condition_set_name(said, condition);
	pn_condition_set_description(said, text);
	pn_delivery_update(delivery, PN_REJECTED);
	pn_delivery_settle(delivery);
	source->settled++;
	source->host->count(source->host, COUNT_REFUSED, 1);
	wire_touch(source->wire);
}

static void source_accept(struct source *source, struct source_entry *entry)
{
	pn_delivery_update(entry->delivery, PN_ACCEPTED);
	pn_delivery_settle(entry->delivery);
	source->settled++;
	source->host->count(source->host, COUNT_ACCEPTED, 1);
	wire_touch(source->wire);
	source_drop(source, entry);
}

static void source_release(struct source *source, struct source_entry *entry)
{
	pn_delivery_update(entry->delivery, PN_RELEASED);
	pn_delivery_settle(entry->delivery);
	source->host->count(source->host, COUNT_RELEASED_BACK, 1);
	wire_touch(source->wire);
	source_drop(source, entry);
}

static void source_refuse(struct source *source, struct source_entry *entry, const char *condition,
			  struct tg_bytes reason)
{
	source_reject(source, entry->delivery, condition, reason);
	source_drop(source, entry);
}

/* Not taken now. */
static void source_postpone(struct source *source, struct source_entry *entry, int64_t pause_us)
{
	if (source->stopping) {
		source_release(source, entry);
		return;
	}
	for (unsigned i = 0; i < entry->tries && pause_us < VERDICT_PAUSE_US; i++)
		pause_us *= 2;
	if (pause_us > VERDICT_PAUSE_US)
		pause_us = VERDICT_PAUSE_US;
	source->late += entry->tries == 0;
	entry->tries++;
	entry->state = SOURCE_LATER;
	entry->at_us = source->host->now_us(source->host) + pause_us;
}

static void source_submit(struct source *source, struct source_entry *entry)
{
	static const char expired[] = "it has expired", impossible[] = "it cannot be handed in";
	const struct tg_host *host = source->host;
	int64_t left_s = arrival_expiry_left(entry->arrival, host->now_us(host));
	struct tg_submission submission = entry->arrival->submission;
	const char *device = host->endpoint(host);
	int r;

	if (left_s < 0) {
		source_refuse(source, entry, "amqp:precondition-failed",
			      (struct tg_bytes){.data = expired, .size = sizeof(expired) - 1});
		return;
	}
	/* Which of its slots, so that the verdict finds it at once. */
	submission.token = ++source->token << SOURCE_SLOT_BITS | entry->slot;
	submission.expiry_s = (uint32_t)left_s;
	submission.device = (struct tg_bytes){.data = device, .size = strlen(device)};
	r = host->submit(host, &submission);
	if (r >= 0) {
		if (entry->tries == 0)
			host->count(host, COUNT_RECEIVED, 1);
		entry->token = submission.token;
		entry->state = SOURCE_WAITING;
		source->waiting++;
	} else if (r == -EMSGSIZE || r == -EINVAL) {
		source_refuse(source, entry, "amqp:not-allowed",
			      (struct tg_bytes){.data = impossible, .size = sizeof(impossible) - 1});
	} else {
		source_postpone(source, entry, VERDICT_BUSY_US);
	}
}

/* Whether something older of the same link and path was not taken yet. */
static bool source_is_behind(const struct source *source, const struct source_entry *entry)
{
	for (const struct source_entry *older = source->head; source->late > 0 && older != entry; older = older->next) {
		if (older->tries > 0 && older->receiver == entry->receiver &&
		    arrival_same_path(older->arrival, entry->arrival))
			return true;
	}
	return false;
}

/* When something is due next, 0: not before something has happened. */
static int64_t source_next_us(const struct source *source, int64_t now_us)
{
	int64_t next_us = 0;

	for (const struct source_entry *entry = source->head; entry && source->late > 0; entry = entry->next) {
		if (entry->state == SOURCE_LATER && entry->at_us > now_us && (next_us == 0 || entry->at_us < next_us))
			next_us = entry->at_us;
	}
	return next_us;
}

void source_turn(void *arg)
{
	struct source *source = arg;
	int64_t now_us = source->host->now_us(source->host);
	struct source_entry *next;

	if (!source->wire)
		return;
	for (struct source_entry *entry = source->head; entry && !source->stopping; entry = next) {
		next = entry->next;
		if (entry->state == SOURCE_LATER && entry->at_us <= now_us && !source_is_behind(source, entry))
			source_submit(source, entry);
	}
	source->host->timer_set(source->later, source_next_us(source, now_us));
	source_resume(source);
	source_gauges(source);
}

static const char *verdict_condition(uint32_t verdict)
{
	switch (verdict) {
	case TG_NO_ROUTE:
		return "amqp:not-found";
	case TG_NOT_ALLOWED:
	case TG_UNKNOWN_DEVICE:
		return "amqp:unauthorized-access";
	case TG_TOO_LARGE:
		return "amqp:link:message-size-exceeded";
	case TG_WRONG_FORMAT:
	case TG_MALFORMED:
		return "amqp:decode-error";
	default:
		return "amqp:not-allowed";
	}
}

static const char *verdict_words(uint32_t verdict)
{
	switch (verdict) {
	case TG_NO_ROUTE:
		return "no route takes it";
	case TG_NOT_ALLOWED:
	case TG_UNKNOWN_DEVICE:
		return "it is not allowed";
	case TG_TOO_LARGE:
		return "it is too large";
	case TG_WRONG_FORMAT:
		return "its content type is not taken";
	default:
		return "it is malformed";
	}
}

static bool verdict_is_later(uint32_t verdict)
{
	return verdict == TG_FULL || verdict == TG_UNAVAILABLE || verdict == TG_TOO_FAST;
}

void source_verdict(struct source *source, uint64_t token, const struct tg_answer *answer)
{
	size_t slot = token & ((1u << SOURCE_SLOT_BITS) - 1);
	struct source_entry *entry = slot < source->slots ? source->entries[slot] : NULL;
	const char *words = verdict_words(answer->verdict);
	struct tg_bytes reason = answer->reason;

	if (!entry || entry->state != SOURCE_WAITING || entry->token != token)
		return; /* its connection is gone: the peer gives it again */
	entry->state = SOURCE_LATER;
	source->waiting--;
	if (reason.size == 0)
		reason = (struct tg_bytes){.data = words, .size = strlen(words)};
	if (answer->verdict == TG_ACCEPTED) {
		source_accept(source, entry);
	} else if (verdict_is_later(answer->verdict)) {
		/* A core that went away may have taken it. */
		entry->arrival->submission.repeated |= answer->verdict == TG_UNAVAILABLE;
		source_postpone(source, entry, (answer->max_age_s > 0 ? answer->max_age_s : 1) * INT64_C(1000000));
	} else {
		source_refuse(source, entry, verdict_condition(answer->verdict), reason);
	}
	source->host->timer_set(source->later, 1);
}

void source_stop(struct source *source)
{
	struct source_entry *next;

	source->stopping = true;
	for (struct source_entry *entry = source->head; entry; entry = next) {
		next = entry->next;
		if (entry->state == SOURCE_LATER)
			source_release(source, entry);
	}
	source_gauges(source);
}

bool source_is_quiet(const struct source *source)
{
	return source->waiting == 0;
}
