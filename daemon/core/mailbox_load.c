/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/log.h"
#include "core/mailbox_private.h"

enum { LOAD_ROWS = 256, LOAD_BYTES = 1024 * 1024 };

static struct mailbox_command *find_command(const struct mailbox *mailbox, const struct store_row *row)
{
	const struct mailbox_box *box = mailbox_box_find(mailbox, row->message->device);
	struct mailbox_command *command = box ? box->commands : NULL;

	while (command && (command->outcome || !bytes_equal(command->row.address, row->address) ||
			   command->row.message->method != row->message->method ||
			   memcmp(command->row.message->id, row->message->command, TG_ID_SIZE) != 0))
		command = command->next;
	return command;
}

static bool is_outcome(const struct message *message)
{
	return message->kind == TG_RESPONSE && message->outcome >= TG_OUTCOME_DELIVERED &&
	       message->outcome <= TG_OUTCOME_EXPIRED;
}

static struct mailbox_command *add_command(struct mailbox *mailbox, const struct store_row *row)
{
	struct mailbox_command *command = mailbox_add(mailbox, row);
	int64_t now_us = loop_now_us(mailbox->loop), wall_us = mailbox_wall_us(mailbox);

	if (!command)
		return NULL;
	command->state = MAILBOX_READY;
	command->saved = true;
	command->pushed_us = now_us;
	if (wall_us > row->message->time_wall_us)
		command->pushed_us -= wall_us - row->message->time_wall_us;
	command->expires_us = now_us + (row->expires_wall_us - wall_us);
	if (command->expires_us <= 0)
		command->expires_us = 1;
	return command;
}

/* The command has ended in an earlier life, and nobody may have been told. Its own row comes first, where it can be read. */
static bool take_outcome(struct mailbox *mailbox, const struct store_row *row)
{
	struct mailbox_command *command = find_command(mailbox, row);

	if (command) {
		command->answer = command->row;
		command->answer.seq = row->seq;
		ledger_withdraw(mailbox->account); /* two rows, one command */
	} else {
		command = add_command(mailbox, row);
		if (!command)
			return false;
	}
	command->answer.message = message_ref(row->message);
	mailbox->answer_bytes += message_size(row->message);
	mailbox_end_again(command, row->message);
	return true;
}

static bool take_row(struct mailbox *mailbox, const struct store_row *row)
{
	if (is_outcome(row->message) ? !take_outcome(mailbox, row) : !add_command(mailbox, row))
		return false;
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
	struct mailbox_refusal *refusal = mailbox->refusals, *next;

	lose(mailbox, mailbox->expected);
	mailbox->expected = 0;
	mailbox->reading = false;
	mailbox->refusals = NULL;
	for (; refusal; refusal = next) {
		next = refusal->next;
		mailbox_refuse(mailbox, refusal->device, refusal->reason);
		free(refusal);
	}
	mailbox_arm(mailbox, loop_now_us(mailbox->loop));
}

static void take_bad(struct mailbox *mailbox, const struct store_load *load)
{
	for (uint32_t i = 0; i < load->bad_count; i++) {
		const struct store_gone gone = {load->bad[i], 0, LEDGER_UNREADABLE};

		(void)mailbox_remove(mailbox, &gone, 1);
		if (load->bad[i] > mailbox->cursor)
			mailbox->cursor = load->bad[i];
	}
	lose(mailbox, load->bad_count);
	mailbox->expected -= load->bad_count;
}

static void on_loaded(struct store_op *op, int result)
{
	struct mailbox *mailbox = (struct mailbox *)((char *)op - offsetof(struct mailbox, load_op));
	struct store_load load = mailbox->load;
	bool whole = result >= 0, last = load.count == 0 && load.bad_count == 0;

	if (mailbox_settled(mailbox)) {
		store_load_done(&load);
		return;
	}
	for (uint32_t i = 0; i < load.count && whole; i++)
		whole = take_row(mailbox, &load.rows[i]);
	if (whole)
		take_bad(mailbox, &load);
	store_load_done(&load);
	if (!whole) { /* what was taken is not read again */
		mailbox->load_again = true;
		mailbox_arm(mailbox, loop_now_us(mailbox->loop) + CLOCK_S_US);
	} else if (last) {
		finish_load(mailbox);
	} else {
		mailbox_load(mailbox);
	}
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

void mailbox_refuse_later(struct mailbox *mailbox, struct tg_bytes device, const char *reason)
{
	struct mailbox_refusal *refusal = malloc(sizeof(*refusal) + device.size + strlen(reason) + 1);
	char *text;

	if (!refusal)
		return; /* they expire */
	text = (char *)(refusal + 1);
	memcpy(text, reason, strlen(reason) + 1);
	refusal->reason = text;
	text += strlen(reason) + 1;
	if (device.size)
		memcpy(text, device.data, device.size);
	refusal->device = bytes_of(text, device.size);
	refusal->next = mailbox->refusals;
	mailbox->refusals = refusal;
}

void mailbox_load_done(struct mailbox *mailbox)
{
	while (mailbox->refusals) {
		struct mailbox_refusal *refusal = mailbox->refusals;

		mailbox->refusals = refusal->next;
		free(refusal);
	}
}
