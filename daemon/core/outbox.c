/* SPDX-License-Identifier: Apache-2.0 */
#include "core/outbox.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/random.h"
#include "core/outbox_private.h"

enum { RETRY_MIN_MS = 50, RETRY_MAX_S = 10, SAVE_MIN_MS = 100, SAVE_MAX_S = 5, FLUSH_ROUNDS = 4, REJECTS_LOGGED = 5 };

static void on_timer(void *arg)
{
	struct outbox *outbox = arg;
	int64_t now_us = loop_now_us(outbox->loop), next_us;

	outbox->timer_at_us = 0;
	if (outbox->resume_us && outbox->resume_us <= now_us)
		outbox->resume_us = 0;
	if (outbox->load_retry_us && outbox->load_retry_us <= now_us)
		outbox->load_retry_us = 0;
	outbox->blocked = false;
	outbox_save_due(outbox, now_us);
	outbox_send(outbox);
	outbox_refill(outbox);
	next_us = outbox_save_next(outbox);
	if (outbox->resume_us && outbox->resume_us < next_us)
		next_us = outbox->resume_us;
	if (outbox->load_retry_us && outbox->load_retry_us < next_us)
		next_us = outbox->load_retry_us;
	if (next_us < INT64_MAX)
		outbox_arm(outbox, next_us > now_us ? next_us : now_us + 1);
}

void outbox_arm(struct outbox *outbox, int64_t at_us)
{
	if (outbox->timer_at_us && outbox->timer_at_us <= at_us)
		return;
	outbox->timer_at_us = at_us;
	loop_timer_set(outbox->timer, at_us);
}

static int open_outbox(struct outbox *outbox, struct ledger *ledger, const char *endpoint)
{
	int r = ledger_account(ledger, endpoint, &outbox->account);

	if (r >= 0)
		r = store_endpoint(outbox->store, endpoint, &outbox->endpoint);
	if (r >= 0)
		r = outbox_slots_grow(&outbox->slots, outbox->settings.window);
	if (r >= 0)
		r = loop_timer_new(outbox->loop, on_timer, outbox, &outbox->timer);
	if (r < 0)
		return r;
	outbox->name = ledger_name(outbox->account);
	outbox->gap = outbox->disk_rows = store_found_rows(outbox->store, outbox->endpoint);
	outbox->disk_cost = store_found_cost(outbox->store, outbox->endpoint);
	store_take_shares(outbox->store, outbox->endpoint, &outbox->shares);
	return 0;
}

int outbox_new(struct loop *loop, struct store *store, struct ledger *ledger, const char *endpoint,
	       const struct outbox_settings *settings, const struct outbox_ops *ops, void *arg,
	       struct outbox **ret_outbox)
{
	struct outbox *outbox = calloc(1, sizeof(*outbox));
	int r;

	if (!outbox)
		return -ENOMEM;
	outbox->loop = loop;
	outbox->store = store;
	outbox->ops = ops;
	outbox->arg = arg;
	outbox->settings = *settings;
	outbox->round = 1;
	outbox->retry_backoff =
		(struct backoff){.min_us = RETRY_MIN_MS * CLOCK_MS_US, .max_us = RETRY_MAX_S * CLOCK_S_US};
	outbox->save_backoff = (struct backoff){.min_us = SAVE_MIN_MS * CLOCK_MS_US, .max_us = SAVE_MAX_S * CLOCK_S_US};
	outbox->reject_limit = (struct log_limit){.span_us = 10 * CLOCK_S_US, .burst = REJECTS_LOGGED};
	random_bytes(&outbox->slots.serial, sizeof(outbox->slots.serial));
	r = open_outbox(outbox, ledger, endpoint);
	if (r < 0) {
		outbox_free(outbox);
		return r;
	}
	outbox_refill(outbox);
	*ret_outbox = outbox;
	return 0;
}

static void free_list(struct outbox_entry *head)
{
	struct outbox_entry *entry, *next;

	DL_FOREACH_SAFE (head, entry, next) {
		if (entry->save != OUTBOX_SAVING) /* the store still has it: it ends with its operation */
			outbox_entry_free(entry);
	}
}

void outbox_free(struct outbox *outbox)
{
	if (!outbox)
		return;
	loop_timer_free(outbox->timer);
	free_list(outbox->front);
	free_list(outbox->tail);
	free_list(outbox->stubs);
	outbox_save_done(outbox);
	outbox_slots_done(&outbox->slots);
	shares_done(&outbox->shares);
	outbox->closing = true;
	outbox->pending++;
	outbox_settled(outbox);
}

bool outbox_settled(struct outbox *outbox)
{
	if (--outbox->pending > 0 || !outbox->closing)
		return false;
	free(outbox);
	return true;
}

struct outbox_entry *outbox_entry_new(struct outbox *outbox, const struct store_row *row)
{
	size_t size = sizeof(struct outbox_entry) + row->address.size + row->route.size;
	struct outbox_entry *entry = malloc(size);

	if (!entry)
		return NULL;
	*entry = (struct outbox_entry){.outbox = outbox, .row = *row};
	if (row->address.size)
		memcpy(entry->data, row->address.data, row->address.size);
	if (row->route.size)
		memcpy(entry->data + row->address.size, row->route.data, row->route.size);
	entry->row.address.data = entry->data;
	entry->row.route.data = entry->data + row->address.size;
	message_ref(row->message);
	entry->bytes = size + message_size(row->message);
	outbox->memory_count++;
	outbox->memory_bytes += entry->bytes;
	return entry;
}

void outbox_entry_free(struct outbox_entry *entry)
{
	entry->outbox->memory_count--;
	entry->outbox->memory_bytes -= entry->bytes;
	message_unref(entry->row.message);
	free(entry);
}

void outbox_add_front(struct outbox *outbox, struct outbox_entry *entry)
{
	entry->place = OUTBOX_FRONT;
	DL_APPEND(outbox->front, entry);
	outbox->front_count++;
	outbox->front_bytes += entry->bytes;
	if (!outbox->unsent)
		outbox->unsent = entry;
}

void outbox_remove(struct outbox_entry *entry)
{
	struct outbox *outbox = entry->outbox;

	if (entry->place == OUTBOX_FRONT) {
		if (outbox->unsent == entry)
			outbox->unsent = entry->next;
		DL_DELETE(outbox->front, entry);
		outbox->front_count--;
		outbox->front_bytes -= entry->bytes;
	} else if (entry->place == OUTBOX_TAIL) {
		DL_DELETE(outbox->tail, entry);
	} else if (entry->place == OUTBOX_STUB) {
		DL_DELETE(outbox->stubs, entry);
	}
	entry->place = OUTBOX_NOWHERE;
}

/* A quarter is left to the tail, so that a full front does not keep new messages from the disk. */
bool outbox_front_has_room(const struct outbox *outbox, size_t bytes)
{
	const struct outbox_settings *settings = &outbox->settings;

	return outbox->front_count == 0 ||
	       (outbox->front_count < settings->memory_messages - settings->memory_messages / 4 &&
		outbox->front_bytes + bytes <= settings->memory_bytes - settings->memory_bytes / 4);
}

void outbox_receipt(struct outbox_entry *entry, enum outbox_receipt receipt, struct tg_bytes reason)
{
	outbox_receipt_fn *fn = entry->receipt;

	entry->receipt = NULL;
	if (fn)
		fn(entry->receipt_arg, receipt, reason);
}

void outbox_finish(struct outbox_entry *entry, enum ledger_item item, enum outbox_receipt receipt,
		   struct tg_bytes reason)
{
	struct outbox *outbox = entry->outbox;
	bool on_disk = entry->save >= OUTBOX_SAVING;

	outbox_untick(entry);
	outbox_remove(entry);
	outbox_unsave(entry);
	entry->item = (uint8_t)item;
	outbox_share_ended(entry);
	ledger_finish(outbox->account, item, on_disk);
	if (entry->save == OUTBOX_SAVED) {
		outbox->disk_rows--;
		outbox_delete(outbox, entry->row.seq, entry->cost, item);
	} else if (entry->save == OUTBOX_SAVING) {
		store_cancel(outbox->store, &entry->op); /* the operation's end sees what is left to do */
	}
	if (outbox->ops->finished)
		outbox->ops->finished(outbox->arg, entry->row.message, entry->row.address, item, reason);
	outbox_receipt(entry, receipt, reason);
	if (entry->save != OUTBOX_SAVING)
		outbox_entry_free(entry);
}

/* A healthy link is often at the end of a short window for some milliseconds: only a backlog behind it calls for the disk. */
static bool is_backlogged(const struct outbox *outbox)
{
	return outbox->in_flight >= outbox->window &&
	       outbox->front_count - outbox->in_flight >= outbox->settings.memory_messages / 4;
}

static struct outbox_entry *enqueue(struct outbox *outbox, const struct store_row *row,
				    const struct outbox_options *options, bool to_front)
{
	struct outbox_entry *entry = outbox_entry_new(outbox, row);
	int64_t now_us = loop_now_us(outbox->loop);

	if (!entry)
		return NULL;
	entry->row.seq = store_next_seq(outbox->store);
	entry->cost = (uint32_t)store_row_cost(row);
	entry->pushed_us = now_us;
	outbox_share_accepted(entry);
	if (options->expiry_s) {
		entry->expires_us = now_us + options->expiry_s * CLOCK_S_US;
		entry->row.expires_wall_us = outbox_wall_us(outbox) + options->expiry_s * CLOCK_S_US;
	}
	if (to_front) {
		outbox_add_front(outbox, entry);
	} else {
		entry->place = OUTBOX_TAIL;
		DL_APPEND(outbox->tail, entry);
	}
	DL_APPEND2(outbox->unsaved, entry, save_prev, save_next);
	ledger_accept(outbox->account);
	return entry;
}

int outbox_push(struct outbox *outbox, const struct message *message, struct tg_bytes address,
		const struct outbox_options *options, outbox_receipt_fn *receipt, void *receipt_arg)
{
	const struct store_row row = {
		.endpoint = outbox->endpoint,
		.qos = options->qos,
		.retain = options->retain,
		.ack = (uint8_t)options->ack,
		.message = message,
		.address = address,
		.route = options->route,
	};
	size_t bytes = sizeof(struct outbox_entry) + address.size + options->route.size + message_size(message);
	bool to_front = outbox->gap == 0 && !outbox->tail && outbox_front_has_room(outbox, bytes);
	bool save = !to_front || !outbox->up || outbox->settings.hold_us <= 0 || is_backlogged(outbox);
	struct outbox_entry *entry;

	if (address.size > TG_ADDRESS_MAX || options->route.size > STORE_NAME_MAX)
		return -EMSGSIZE;
	if (outbox->memory_count >= outbox->settings.memory_messages ||
	    outbox->memory_bytes + bytes > outbox->settings.memory_bytes)
		return -ENOSPC;
	if (save && (outbox->retry_us || !outbox_disk_has_room(outbox, store_row_cost(&row))))
		return -ENOSPC;
	if (!outbox_share_allows(outbox, message->device, options->share_percent, bytes, store_row_cost(&row)))
		return -EDQUOT;
	entry = enqueue(outbox, &row, options, to_front);
	if (!entry)
		return -ENOMEM;
	entry->receipt = receipt;
	entry->receipt_arg = receipt_arg;
	if (options->ack == OUTBOX_RECEIVED)
		outbox_receipt(entry, OUTBOX_TAKEN, bytes_of(NULL, 0));
	if (save)
		outbox_save(entry);
	else
		outbox_arm(outbox, entry->pushed_us + outbox->settings.hold_us);
	outbox_send(outbox);
	return 0;
}

static void flush_step(struct outbox *outbox);

static void on_flushed(struct store_op *op, int result)
{
	struct outbox *outbox = (struct outbox *)((char *)op - offsetof(struct outbox, flush_op));
	outbox_flush_fn *done = outbox->flush_done;
	bool more;

	if (outbox_settled(outbox) || outbox->closing)
		return;
	more = outbox->gone || ledger_save(outbox->account);
	if (result >= 0 && more && ++outbox->flush_rounds < FLUSH_ROUNDS) {
		flush_step(outbox);
		return;
	}
	if (result >= 0 && (outbox->failed || outbox->unsaved || outbox->undone))
		result = outbox->save_error < 0 ? outbox->save_error : -EIO;
	outbox->flush_done = NULL;
	done(outbox->flush_arg, result);
}

static void flush_step(struct outbox *outbox)
{
	outbox_delete_now(outbox);
	(void)ledger_save(outbox->account);
	outbox->pending++;
	store_barrier(outbox->store, &outbox->flush_op, on_flushed);
}

int outbox_flush(struct outbox *outbox, outbox_flush_fn *done, void *arg)
{
	if (outbox->flush_done)
		return -EBUSY;
	outbox->flush_done = done;
	outbox->flush_arg = arg;
	outbox->flush_rounds = 0;
	outbox_retry_now(outbox);
	outbox_save_all(outbox);
	flush_step(outbox);
	return 0;
}

void outbox_stats(const struct outbox *outbox, struct outbox_stats *ret_stats)
{
	int64_t now_us = loop_now_us(outbox->loop);

	*ret_stats = outbox->stats;
	ret_stats->up = outbox->up;
	ret_stats->disk_failing = outbox->retry_us != 0;
	ret_stats->held = ledger_held(outbox->account);
	ret_stats->held_memory = ret_stats->held - outbox->gap;
	ret_stats->held_disk = outbox->disk_rows;
	ret_stats->in_flight = (int64_t)outbox->in_flight;
	ret_stats->memory_bytes = (int64_t)outbox->memory_bytes;
	ret_stats->disk_bytes = outbox->disk_cost;
	if (outbox->front)
		ret_stats->oldest_age_us = now_us - outbox->front->pushed_us;
}

struct ledger_account *outbox_account(const struct outbox *outbox)
{
	return outbox->account;
}

void outbox_show(const struct outbox *outbox, size_t most, outbox_show_fn *fn, void *arg)
{
	const struct outbox_entry *entry;

	DL_FOREACH (outbox->front, entry) {
		const struct outbox_item item = {
			.ticket = entry->ticket,
			.message = entry->row.message,
			.address = entry->row.address,
			.route = entry->row.route,
			.qos = entry->row.qos,
			.retain = entry->row.retain,
		};

		if (most-- == 0)
			return;
		fn(arg, &item, entry->ticket != 0, entry->save == OUTBOX_SAVED);
	}
}
