/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/log.h"
#include "core/mailbox_private.h"

enum { LOAD_ROWS = 256, LOAD_BYTES = 1024 * 1024 };

/* A row on its way out. */
struct removal {
	struct store_op op;
	struct mailbox *mailbox;
	struct store_deletion deletion;
};

static void on_saved(struct store_op *op, int result)
{
	struct mailbox_command *command = (struct mailbox_command *)((char *)op - offsetof(struct mailbox_command, op));
	struct mailbox *mailbox = command->box->mailbox;

	if (mailbox_settled(mailbox))
		return;
	if (result >= 0) {
		command->state = MAILBOX_READY;
		if (command->row.ack == MAILBOX_SAFE)
			mailbox_receipt(command, MAILBOX_TAKEN, bytes_of(NULL, 0));
		if (command->outcome)
			mailbox_end(command);
		else
			mailbox_go(command->box);
		return;
	}
	if (!command->receipt) { /* whoever sent it was told that it is taken */
		command->state = MAILBOX_UNSAVED;
		mailbox_arm(mailbox, loop_now_us(mailbox->loop) + CLOCK_S_US);
		return;
	}
	ledger_withdraw(mailbox->account);
	ledger_refuse(mailbox->account, TG_FULL);
	mailbox_receipt(command, MAILBOX_FULL, bytes_of(NULL, 0));
	mailbox_drop(command);
}

void mailbox_save(struct mailbox_command *command)
{
	struct mailbox *mailbox = command->box->mailbox;

	command->state = MAILBOX_SAVING;
	mailbox->pending++;
	store_insert(mailbox->store, &command->op, &command->row, on_saved);
}

static void on_removed(struct store_op *op, int result)
{
	struct removal *removal = (struct removal *)((char *)op - offsetof(struct removal, op));
	struct mailbox *mailbox = removal->mailbox;

	if (result < 0 && result != -ESHUTDOWN && !mailbox->closing)
		log_fields_write(LOG_LEVEL_WARNING, &(struct log_fields){.endpoint = mailbox->name},
				 "a command that has ended stays on disk, and may be repeated after a restart (%d)",
				 result);
	free(removal);
	mailbox_settled(mailbox);
}

static void remove_row(struct mailbox *mailbox, uint64_t seq, uint32_t cost, enum ledger_item item)
{
	struct removal *removal = calloc(1, sizeof(*removal));

	ledger_finish(mailbox->account, item, removal != NULL);
	if (!removal)
		return;
	removal->mailbox = mailbox;
	removal->deletion.endpoint = mailbox->endpoint;
	removal->deletion.count = 1;
	removal->deletion.gone[0] = (struct store_gone){seq, cost, (uint8_t)item};
	mailbox->pending++;
	store_delete(mailbox->store, &removal->op, &removal->deletion, on_removed);
}

void mailbox_erase(struct mailbox_command *command)
{
	static const enum ledger_item items[] = {[TG_OUTCOME_NONE] = LEDGER_PURGED,
						 [TG_OUTCOME_DELIVERED] = LEDGER_DELIVERED,
						 [TG_OUTCOME_REFUSED] = LEDGER_REJECTED,
						 [TG_OUTCOME_EXPIRED] = LEDGER_EXPIRED};

	remove_row(command->box->mailbox, command->row.seq, command->cost, items[command->outcome]);
	mailbox_drop(command);
}

static bool take_row(struct mailbox *mailbox, const struct store_row *row)
{
	struct mailbox_command *command = mailbox_add(mailbox, row);
	int64_t now_us = loop_now_us(mailbox->loop), wall_us = mailbox_wall_us(mailbox);

	if (!command)
		return false;
	command->state = MAILBOX_READY;
	command->pushed_us = now_us;
	if (wall_us > row->message->time_wall_us)
		command->pushed_us -= wall_us - row->message->time_wall_us;
	command->expires_us = now_us + (row->expires_wall_us - wall_us);
	if (command->expires_us <= 0)
		command->expires_us = 1;
	mailbox_arm(mailbox, command->expires_us);
	mailbox->cursor = row->seq;
	mailbox->expected--;
	return true;
}

static void lose(struct mailbox *mailbox, int64_t rows)
{
	for (int64_t i = 0; i < rows; i++)
		ledger_finish(mailbox->account, LEDGER_UNREADABLE, true);
	if (rows > 0)
		log_fields_write(LOG_LEVEL_ERROR, &(struct log_fields){.endpoint = mailbox->name},
				 "%lld commands are lost: their rows on disk cannot be read", (long long)rows);
}

static void finish_load(struct mailbox *mailbox)
{
	struct mailbox_box *box, *next;

	lose(mailbox, mailbox->expected);
	mailbox->expected = 0;
	mailbox->reading = false;
	HASH_ITER (hh, mailbox->boxes, box, next)
		mailbox_go(box);
}

static void on_loaded(struct store_op *op, int result)
{
	struct mailbox *mailbox = (struct mailbox *)((char *)op - offsetof(struct mailbox, load_op));
	struct store_load load = mailbox->load;
	bool whole = true;

	if (mailbox_settled(mailbox)) {
		store_load_done(&load);
		return;
	}
	for (uint32_t i = 0; result >= 0 && i < load.count && whole; i++)
		whole = take_row(mailbox, &load.rows[i]);
	for (uint32_t i = 0; result >= 0 && i < load.bad_count && whole; i++) {
		remove_row(mailbox, load.bad[i], 0, LEDGER_UNREADABLE);
		mailbox->expected--;
		if (load.bad[i] > mailbox->cursor)
			mailbox->cursor = load.bad[i];
	}
	store_load_done(&load);
	mailbox->load_again = result < 0 || !whole;
	if (mailbox->load_again)
		mailbox_arm(mailbox, loop_now_us(mailbox->loop) + CLOCK_S_US);
	else if (load.count == 0 && load.bad_count == 0)
		finish_load(mailbox);
	else
		mailbox_load(mailbox);
}

void mailbox_load(struct mailbox *mailbox)
{
	mailbox->reading = true;
	mailbox->load_again = false;
	mailbox->load = (struct store_load){.endpoint = mailbox->endpoint,
					    .after = mailbox->cursor,
					    .limit_rows = LOAD_ROWS,
					    .limit_bytes = LOAD_BYTES};
	mailbox->pending++;
	store_load(mailbox->store, &mailbox->load_op, &mailbox->load, on_loaded);
}
