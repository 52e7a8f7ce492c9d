/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/log.h"
#include "core/outbox_private.h"

/* More deletions than this on their way: the disk is slower than the sink, reading on can wait. */
enum { LOAD_ROWS_MAX = 1024, DELETING_MAX = 64, LOAD_RETRY_S = 1 };

/* Who waits for OUTBOX_DELIVERED of a row that was on disk only gets it from the row's new entry. */
static void claim_stub(struct outbox *outbox, struct outbox_entry *entry)
{
	while (outbox->stubs && outbox->stubs->row.seq <= entry->row.seq) {
		struct outbox_entry *stub = outbox->stubs;

		outbox_remove(stub);
		if (stub->row.seq == entry->row.seq) {
			entry->receipt = stub->receipt;
			entry->receipt_arg = stub->receipt_arg;
		} else {
			outbox_receipt(stub, OUTBOX_LOST, bytes_of(NULL, 0));
		}
		outbox_entry_free(stub);
	}
}

static bool take_row(struct outbox *outbox, const struct store_row *row)
{
	struct outbox_entry *entry = outbox_entry_new(outbox, row);
	int64_t now_us = loop_now_us(outbox->loop), wall_us = outbox_wall_us(outbox);

	if (!entry)
		return false;
	entry->cost = (uint32_t)store_row_cost(row);
	entry->save = OUTBOX_SAVED;
	entry->pushed_us = now_us;
	if (wall_us > row->message->time_wall_us)
		entry->pushed_us -= wall_us - row->message->time_wall_us;
	if (row->expires_wall_us) {
		entry->expires_us = now_us + (row->expires_wall_us - wall_us);
		if (entry->expires_us <= 0)
			entry->expires_us = 1;
	}
	claim_stub(outbox, entry);
	outbox_add_front(outbox, entry);
	outbox->gap--;
	outbox->cursor = row->seq;
	return true;
}

static void give_up_stubs(struct outbox *outbox)
{
	while (outbox->stubs) {
		struct outbox_entry *stub = outbox->stubs;

		outbox_remove(stub);
		outbox_receipt(stub, OUTBOX_LOST, bytes_of(NULL, 0));
		outbox_entry_free(stub);
	}
}

static int64_t mean_cost(const struct outbox *outbox)
{
	return outbox->disk_rows > 0 ? outbox->disk_cost / outbox->disk_rows : 0;
}

static void lose(struct outbox *outbox, int64_t rows)
{
	for (int64_t i = 0; i < rows; i++)
		ledger_finish(outbox->account, LEDGER_UNREADABLE, true);
	outbox->gap -= rows;
	outbox->disk_rows -= rows;
	outbox->shares_doubtful = true;
	log_fields_write(LOG_LEVEL_ERROR, &(struct log_fields){.endpoint = outbox->name},
			 "%lld messages are lost: their rows on disk cannot be read", (long long)rows);
	if (outbox->gap == 0)
		give_up_stubs(outbox);
}

static void take_bad(struct outbox *outbox, const struct store_load *load, uint64_t limit)
{
	int64_t bad = 0;

	for (uint32_t i = 0; i < load->bad_count && load->bad[i] < limit; i++) {
		outbox_delete(outbox, load->bad[i], (uint32_t)mean_cost(outbox), LEDGER_UNREADABLE);
		if (load->bad[i] > outbox->cursor)
			outbox->cursor = load->bad[i];
		bad++;
	}
	if (bad)
		lose(outbox, bad);
}

/* Rows from where the tail begins are in memory already. More than the gap has were refused, and could not be taken back: after a restart
 * they are like any other. */
static void take_load(struct outbox *outbox)
{
	const struct store_load *load = &outbox->load;
	uint64_t limit = outbox->tail ? outbox->tail->row.seq : UINT64_MAX;

	for (uint32_t i = 0; i < load->count && outbox->gap > 0 && load->rows[i].seq < limit; i++) {
		if (load->rows[i].seq > outbox->cursor && !take_row(outbox, &load->rows[i])) {
			outbox->load_retry_us = loop_now_us(outbox->loop) + LOAD_RETRY_S * CLOCK_S_US;
			outbox_arm(outbox, outbox->load_retry_us);
			return; /* what is left comes again */
		}
	}
	take_bad(outbox, load, limit);
	if (load->count == 0 && load->bad_count == 0 && outbox->load_gap > 0) {
		outbox->disk_cost -= outbox->load_gap * mean_cost(outbox);
		lose(outbox, outbox->load_gap);
	}
	outbox_share_settle(outbox);
}

static void on_loaded(struct store_op *op, int result)
{
	struct outbox *outbox = (struct outbox *)((char *)op - offsetof(struct outbox, load_op));

	if (outbox->closing) {
		store_load_done(&outbox->load);
		outbox_settled(outbox);
		return;
	}
	outbox->pending--;
	outbox->loading = false;
	if (result < 0) {
		outbox->load_retry_us = loop_now_us(outbox->loop) + LOAD_RETRY_S * CLOCK_S_US;
		outbox_arm(outbox, outbox->load_retry_us);
		return;
	}
	take_load(outbox);
	store_load_done(&outbox->load);
	outbox_refill(outbox);
	outbox_send(outbox);
}

static void load_more(struct outbox *outbox)
{
	size_t most = outbox->settings.memory_messages - outbox->settings.memory_messages / 4;
	size_t bytes = outbox->settings.memory_bytes - outbox->settings.memory_bytes / 4;
	size_t room = most > outbox->front_count ? most - outbox->front_count : 1;

	if (outbox->gap == 0 || outbox->loading || outbox->load_retry_us || outbox->deleting > DELETING_MAX ||
	    outbox->front_count - outbox->in_flight > most / 2 || !outbox_front_has_room(outbox, 0))
		return;
	outbox->load = (struct store_load){
		.endpoint = outbox->endpoint,
		.after = outbox->cursor,
		.limit_rows = (uint32_t)(room < LOAD_ROWS_MAX ? room : LOAD_ROWS_MAX),
		.limit_bytes = bytes > outbox->front_bytes ? bytes - outbox->front_bytes : 1,
	};
	outbox->loading = true;
	outbox->load_gap = outbox->gap;
	outbox->pending++;
	store_load(outbox->store, &outbox->load_op, &outbox->load, on_loaded);
}

/* The row is safe: memory keeps no more than the receipt that is still due. */
static void drop_from_tail(struct outbox *outbox, struct outbox_entry *entry)
{
	outbox_remove(entry);
	if (outbox->gap++ == 0)
		outbox->cursor = entry->row.seq - 1; /* what is on disk before it is in memory, too, or finished */
	if (!entry->receipt) {
		outbox_entry_free(entry);
		return;
	}
	entry->bytes -= message_size(entry->row.message);
	outbox->memory_bytes -= message_size(entry->row.message);
	message_unref(entry->row.message);
	entry->row.message = NULL;
	entry->place = OUTBOX_STUB;
	DL_APPEND(outbox->stubs, entry);
}

void outbox_refill(struct outbox *outbox)
{
	while (outbox->tail && outbox->gap == 0 && outbox_front_has_room(outbox, outbox->tail->bytes)) {
		struct outbox_entry *entry = outbox->tail;

		outbox_remove(entry);
		outbox_add_front(outbox, entry);
	}
	while (outbox->tail && outbox->tail->save == OUTBOX_SAVED)
		drop_from_tail(outbox, outbox->tail);
	load_more(outbox);
}
