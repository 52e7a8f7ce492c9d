/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "base/bytes.h"
#include "base/log.h"
#include "base/random.h"
#include "core/outbox_private.h"

/* Deletions that cannot be carried out are kept up to this; what is forgotten then is sent once more after a restart. */
enum { UNDONE_MAX = 64 };

static struct outbox_entry *entry_of(struct store_op *op)
{
	return (struct outbox_entry *)((char *)op - offsetof(struct outbox_entry, op));
}

bool outbox_disk_has_room(const struct outbox *outbox, int64_t cost)
{
	return outbox->disk_cost + outbox->saving_cost + cost <= outbox->settings.disk_bytes &&
	       store_has_room(outbox->store, cost);
}

void outbox_unsave(struct outbox_entry *entry)
{
	if (entry->save == OUTBOX_UNSAVED)
		DL_DELETE2(entry->outbox->unsaved, entry, save_prev, save_next);
	else if (entry->save == OUTBOX_FAILED)
		DL_DELETE2(entry->outbox->failed, entry, save_prev, save_next);
}

static void pause_saving(struct outbox *outbox)
{
	if (outbox->retry_us)
		return;
	outbox->retry_us = loop_now_us(outbox->loop) + backoff_next(&outbox->save_backoff, random_u32());
	outbox_arm(outbox, outbox->retry_us);
}

/* A source that still waits for its receipt is told the truth; whoever was told "taken", or may have been delivered already, is
 * kept and tried again. The entry is on no list of those to be saved. */
static void fail(struct outbox_entry *entry, int error)
{
	struct outbox *outbox = entry->outbox;

	outbox->save_error = error;
	pause_saving(outbox);
	if (!entry->receipt || entry->sent) {
		entry->save = OUTBOX_FAILED;
		DL_APPEND2(outbox->failed, entry, save_prev, save_next);
		return;
	}
	outbox_remove(entry);
	outbox_share_ended(entry);
	ledger_withdraw(outbox->account);
	ledger_refuse(outbox->account, TG_FULL);
	outbox_receipt(entry, OUTBOX_FULL, bytes_of(NULL, 0));
	outbox_entry_free(entry);
}

/* The message was finished while the store had it. */
static void end_finished(struct outbox_entry *entry, int result)
{
	struct outbox *outbox = entry->outbox;

	if (result >= 0) {
		outbox->disk_cost += entry->cost;
		outbox_delete(outbox, entry->row.seq, entry->cost, (enum ledger_item)entry->item);
	} else {
		ledger_finish_unsaved(outbox->account, (enum ledger_item)entry->item);
	}
	outbox_entry_free(entry);
}

static void end_saved(struct outbox_entry *entry)
{
	struct outbox *outbox = entry->outbox;

	entry->save = OUTBOX_SAVED;
	outbox_share_saved(entry);
	outbox->disk_rows++;
	outbox->disk_cost += entry->cost;
	outbox->stats.committed++;
	outbox->save_error = 0;
	if (!outbox->failed && !outbox->undone)
		backoff_reset(&outbox->save_backoff);
	if (entry->row.ack != OUTBOX_DELIVERED)
		outbox_receipt(entry, OUTBOX_TAKEN, bytes_of(NULL, 0));
}

static void on_saved(struct store_op *op, int result)
{
	struct outbox_entry *entry = entry_of(op);
	struct outbox *outbox = entry->outbox;

	outbox->saving_cost -= entry->cost;
	if (outbox->closing) {
		outbox_entry_free(entry);
		outbox_settled(outbox);
		return;
	}
	outbox->pending--;
	if (entry->place == OUTBOX_NOWHERE)
		end_finished(entry, result);
	else if (result >= 0)
		end_saved(entry);
	else
		fail(entry, result);
	outbox_refill(outbox);
}

void outbox_save(struct outbox_entry *entry)
{
	struct outbox *outbox = entry->outbox;

	outbox_unsave(entry);
	if (!outbox_disk_has_room(outbox, entry->cost)) {
		fail(entry, -ENOSPC);
		return;
	}
	entry->save = OUTBOX_SAVING;
	outbox->saving_cost += entry->cost;
	outbox->pending++;
	store_insert(outbox->store, &entry->op, &entry->row, on_saved);
	(void)ledger_save(outbox->account);
}

void outbox_save_all(struct outbox *outbox)
{
	while (outbox->unsaved && !outbox->retry_us)
		outbox_save(outbox->unsaved);
}

static void remember_undone(struct outbox *outbox, struct outbox_gone *gone)
{
	struct outbox_gone *oldest = outbox->undone;

	DL_APPEND(outbox->undone, gone);
	if (++outbox->undone_count <= UNDONE_MAX)
		return;
	log_fields_write(LOG_LEVEL_WARNING, &(struct log_fields){.endpoint = outbox->name},
			 "%u delivered messages cannot be deleted from disk, they will be sent again after a restart",
			 oldest->deletion.count);
	DL_DELETE(outbox->undone, oldest);
	outbox->undone_count--;
	free(oldest);
}

static void on_deleted(struct store_op *op, int result)
{
	struct outbox_gone *gone = (struct outbox_gone *)((char *)op - offsetof(struct outbox_gone, op));
	struct outbox *outbox = gone->outbox;

	if (outbox->closing) {
		free(gone);
		outbox_settled(outbox);
		return;
	}
	outbox->pending--;
	outbox->deleting--;
	if (result < 0) {
		outbox->save_error = result;
		remember_undone(outbox, gone);
		pause_saving(outbox);
	} else {
		outbox->disk_cost -= gone->cost;
		free(gone);
		if (outbox->failed && outbox->save_error == -ENOSPC)
			outbox_retry_now(outbox);
	}
	outbox_refill(outbox);
}

static void submit(struct outbox *outbox, struct outbox_gone *gone)
{
	outbox->pending++;
	outbox->deleting++;
	store_delete(outbox->store, &gone->op, &gone->deletion, on_deleted);
	(void)ledger_save(outbox->account);
}

void outbox_delete_now(struct outbox *outbox)
{
	struct outbox_gone *gone = outbox->gone;

	outbox->gone = NULL;
	outbox->gone_due_us = 0;
	if (gone)
		submit(outbox, gone);
}

/* Deletions are collected for `hold`: a row that is deleted late is at worst sent twice. */
void outbox_delete(struct outbox *outbox, uint64_t seq, uint32_t cost, enum ledger_item item)
{
	struct outbox_gone *gone = outbox->gone;

	if (!gone) {
		gone = malloc(sizeof(*gone));
		if (!gone)
			return; /* the row stays, and is sent once more after a restart */
		gone->outbox = outbox;
		gone->cost = 0;
		gone->deletion.endpoint = outbox->endpoint;
		gone->deletion.count = 0;
		outbox->gone = gone;
		outbox->gone_due_us = loop_now_us(outbox->loop) + outbox->settings.hold_us;
		outbox_arm(outbox, outbox->gone_due_us);
	}
	gone->cost += cost;
	gone->deletion.gone[gone->deletion.count++] =
		(struct store_gone){.seq = seq, .cost = cost, .item = (uint8_t)item};
	if (gone->deletion.count == STORE_DELETE_MAX)
		outbox_delete_now(outbox);
}

void outbox_retry_now(struct outbox *outbox)
{
	struct outbox_gone *undone = outbox->undone, *gone, *next;

	outbox->retry_us = 0;
	outbox->undone = NULL;
	outbox->undone_count = 0;
	DL_FOREACH_SAFE (undone, gone, next) {
		submit(outbox, gone);
	}
	while (outbox->failed && !outbox->retry_us)
		outbox_save(outbox->failed);
}

void outbox_save_due(struct outbox *outbox, int64_t now_us)
{
	if (outbox->gone && outbox->gone_due_us <= now_us)
		outbox_delete_now(outbox);
	if (outbox->retry_us && outbox->retry_us <= now_us)
		outbox_retry_now(outbox);
	while (outbox->unsaved && !outbox->retry_us && outbox->unsaved->pushed_us + outbox->settings.hold_us <= now_us)
		outbox_save(outbox->unsaved);
}

int64_t outbox_save_next(const struct outbox *outbox)
{
	int64_t next_us = INT64_MAX;

	if (outbox->unsaved && !outbox->retry_us)
		next_us = outbox->unsaved->pushed_us + outbox->settings.hold_us;
	if (outbox->retry_us && outbox->retry_us < next_us)
		next_us = outbox->retry_us;
	if (outbox->gone && outbox->gone_due_us < next_us)
		next_us = outbox->gone_due_us;
	return next_us;
}

void outbox_save_done(struct outbox *outbox)
{
	struct outbox_gone *gone, *next;

	DL_FOREACH_SAFE (outbox->undone, gone, next) {
		free(gone);
	}
	free(outbox->gone);
	outbox->gone = outbox->undone = NULL;
}
