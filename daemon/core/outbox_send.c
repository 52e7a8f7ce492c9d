/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"
#include "base/uuid.h"
#include "core/outbox_private.h"

enum { SLOT_BITS = 16, WINDOW_MIN = 16, NARROW_S = 10, BLOCKED_MS = 50 };

int outbox_slots_grow(struct outbox_slots *slots, size_t capacity)
{
	struct outbox_entry **entries;
	uint16_t *spare;

	if (capacity > OUTBOX_WINDOW_MAX)
		capacity = OUTBOX_WINDOW_MAX;
	if (capacity <= slots->capacity)
		return 0;
	entries = realloc(slots->entries, capacity * sizeof(struct outbox_entry *));
	if (entries)
		slots->entries = entries;
	spare = realloc(slots->free, capacity * sizeof(*spare));
	if (spare)
		slots->free = spare;
	if (!entries || !spare)
		return -ENOMEM;
	while (slots->capacity < capacity) {
		slots->entries[slots->capacity] = NULL;
		slots->free[slots->free_count++] = (uint16_t)slots->capacity++;
	}
	return 0;
}

void outbox_slots_done(struct outbox_slots *slots)
{
	free(slots->entries);
	free(slots->free);
	*slots = (struct outbox_slots){.capacity = 0};
}

static void tick(struct outbox_entry *entry)
{
	struct outbox_slots *slots = &entry->outbox->slots;
	uint16_t slot = slots->free[--slots->free_count];

	slots->serial++;
	if (slots->serial << SLOT_BITS == 0)
		slots->serial = 1;
	slots->entries[slot] = entry;
	entry->ticket = slots->serial << SLOT_BITS | slot;
	entry->outbox->in_flight++;
}

void outbox_untick(struct outbox_entry *entry)
{
	struct outbox_slots *slots = &entry->outbox->slots;
	uint16_t slot = (uint16_t)entry->ticket;

	if (!entry->ticket)
		return;
	slots->entries[slot] = NULL;
	slots->free[slots->free_count++] = slot;
	entry->ticket = 0;
	entry->outbox->in_flight--;
}

static struct outbox_entry *find(const struct outbox *outbox, uint64_t ticket)
{
	size_t slot = (uint16_t)ticket;
	struct outbox_entry *entry = slot < outbox->slots.capacity ? outbox->slots.entries[slot] : NULL;

	return entry && entry->ticket == ticket ? entry : NULL;
}

static uint32_t seconds_left(const struct outbox_entry *entry, int64_t now_us)
{
	return entry->expires_us ? (uint32_t)((entry->expires_us - now_us + CLOCK_S_US - 1) / CLOCK_S_US) : 0;
}

/* Returns what deliver said. The entry may be finished, and gone, when it is 0 or more. */
static int hand_over(struct outbox *outbox, struct outbox_entry *entry, int64_t now_us)
{
	struct outbox_item item = {
		.round = outbox->round,
		.message = entry->row.message,
		.address = entry->row.address,
		.route = entry->row.route,
		.expiry_s = seconds_left(entry, now_us),
		.qos = entry->row.qos,
		.retain = entry->row.retain,
	};
	bool sent_before = entry->sent;
	int r;

	tick(entry);
	item.ticket = entry->ticket;
	entry->sent = true;
	outbox->unsent = entry->next;
	r = outbox->ops->deliver(outbox->arg, &item);
	if (r >= 0) {
		outbox->stats.sent++;
		return r;
	}
	outbox_untick(entry);
	entry->sent = sent_before;
	outbox->unsent = entry;
	return r;
}

static bool may_send(const struct outbox *outbox)
{
	return outbox->up && outbox->unsent && !outbox->rewind && !outbox->blocked && !outbox->resume_us &&
	       outbox->in_flight < outbox->window;
}

void outbox_send(struct outbox *outbox)
{
	int64_t now_us;

	if (outbox->sending || !may_send(outbox))
		return;
	now_us = loop_now_us(outbox->loop);
	outbox->sending = true;
	while (may_send(outbox)) {
		struct outbox_entry *entry = outbox->unsent;

		if (entry->expires_us && entry->expires_us <= now_us) {
			outbox->stats.expired++;
			outbox_finish(entry, LEDGER_EXPIRED, OUTBOX_EXPIRED, bytes_of(NULL, 0));
		} else if (hand_over(outbox, entry, now_us) < 0) {
			outbox->blocked = true;
			outbox_arm(outbox, now_us + BLOCKED_MS * CLOCK_MS_US);
		}
	}
	outbox->sending = false;
	outbox_refill(outbox);
}

static void set_window(struct outbox *outbox)
{
	size_t window = outbox->settings.window;

	if (outbox->sink_window && outbox->sink_window < window)
		window = outbox->sink_window;
	if (outbox_slots_grow(&outbox->slots, window) < 0 || window > outbox->slots.capacity)
		window = outbox->slots.capacity;
	outbox->window = window;
	outbox->widen_us = 0;
}

/* The sink takes no more than what is in flight before this entry. */
static void narrow_window(struct outbox *outbox, const struct outbox_entry *entry)
{
	const struct outbox_entry *e;
	size_t window = 0;

	DL_FOREACH (outbox->front, e) {
		if (e == entry)
			break;
		window += e->ticket != 0;
	}
	if (window < WINDOW_MIN)
		window = WINDOW_MIN;
	if (window >= outbox->window)
		return;
	outbox->window = window;
	outbox->widen_us = loop_now_us(outbox->loop) + NARROW_S * CLOCK_S_US;
}

void outbox_set_settings(struct outbox *outbox, const struct outbox_settings *settings)
{
	outbox->settings = *settings;
	set_window(outbox);
	outbox_arm(outbox, loop_now_us(outbox->loop)); /* a shorter `hold` counts for what is here, too */
}

void outbox_sink_up(struct outbox *outbox, size_t window)
{
	outbox->sink_window = window;
	set_window(outbox);
	if (!outbox->up) {
		outbox->up = true;
		outbox->blocked = false;
		outbox->resume_us = 0;
	}
	outbox_send(outbox);
}

void outbox_sink_down(struct outbox *outbox)
{
	struct outbox_entry *entry;

	outbox->up = false;
	outbox->rewind = false;
	outbox->round++;
	DL_FOREACH (outbox->front, entry) {
		if (outbox->in_flight == 0)
			break;
		outbox->stats.retried += entry->ticket != 0;
		outbox_untick(entry);
	}
	outbox->unsent = outbox->front;
	outbox_save_all(outbox);
}

void outbox_more(struct outbox *outbox)
{
	outbox->blocked = false;
	outbox_send(outbox);
}

/* What one device's message can cause is limited. */
static void log_rejection(struct outbox *outbox, const struct outbox_entry *entry, struct tg_bytes reason)
{
	const struct message *message = entry->row.message;
	char device[TG_DEVICE_MAX + 1], id[UUID_TEXT_SIZE], others[64] = "";
	unsigned left_out = 0;

	if (!log_limit_pass(&outbox->reject_limit, loop_now_us(outbox->loop), &left_out))
		return;
	snprintf(device, sizeof(device), "%.*s", BYTES_ARG(message->device));
	uuid_format(message->id, id);
	if (left_out)
		snprintf(others, sizeof(others), ", and %u others before it", left_out);
	log_fields_write(LOG_LEVEL_WARNING,
			 &(struct log_fields){.endpoint = outbox->name, .device = device, .message = id},
			 "the sink refused a message for good, dropped (%.*s)%s", BYTES_ARG(reason), others);
}

/* Everything in flight is answered: from the first that is not confirmed on, in order. */
static void begin_again(struct outbox *outbox)
{
	outbox->rewind = false;
	outbox->round++;
	outbox->unsent = outbox->front;
	outbox->resume_us = loop_now_us(outbox->loop) + backoff_next(&outbox->retry_backoff, random_u32());
	outbox_arm(outbox, outbox->resume_us);
}

static void settle(struct outbox *outbox, struct outbox_entry *entry, enum tg_delivery_result result,
		   struct tg_bytes reason)
{
	switch (result) {
	case TG_CONFIRMED:
		outbox->stats.confirmed++;
		outbox->stats.last_confirmed_us = loop_now_us(outbox->loop);
		outbox->blocked = false;
		if (outbox->widen_us && outbox->stats.last_confirmed_us >= outbox->widen_us)
			set_window(outbox);
		backoff_reset(&outbox->retry_backoff);
		outbox_finish(entry, LEDGER_DELIVERED, OUTBOX_TAKEN, bytes_of(NULL, 0));
		break;
	case TG_REJECTED:
		outbox->stats.rejected++;
		log_rejection(outbox, entry, reason);
		outbox_finish(entry, LEDGER_REJECTED, OUTBOX_REFUSED, reason);
		break;
	case TG_RETRY:
	default:
		outbox->stats.retried++;
		if (!outbox->rewind)
			narrow_window(outbox, entry);
		outbox_untick(entry);
		outbox->rewind = true;
	}
}

bool outbox_answer(struct outbox *outbox, uint64_t ticket, enum tg_delivery_result result, struct tg_bytes reason)
{
	struct outbox_entry *entry = find(outbox, ticket);

	if (!entry)
		return false;
	settle(outbox, entry, result, reason);
	if (outbox->rewind && outbox->in_flight == 0)
		begin_again(outbox);
	outbox_send(outbox);
	return true;
}
