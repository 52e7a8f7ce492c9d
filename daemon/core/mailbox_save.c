/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "core/mailbox_private.h"

/* Rows on their way out. One of these is with the store at a time; what comes meanwhile is collected in the others. */
struct mailbox_removal {
	struct mailbox_removal *prev, *next;
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
		command->saved = true;
		command->state = MAILBOX_READY;
		if (command->row.ack == MAILBOX_SAFE)
			mailbox_receipt(command, MAILBOX_TAKEN, bytes_of(NULL, 0));
		if (command->outcome)
			mailbox_end(command);
		else
			mailbox_arm(mailbox, command->expires_us);
		mailbox_go(command->box);
		return;
	}
	if (!command->receipt) { /* whoever sent it was told that it is taken */
		command->state = MAILBOX_UNSAVED;
		mailbox_retry(command);
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
	struct mailbox_removal *removal = (struct mailbox_removal *)((char *)op - offsetof(struct mailbox_removal, op));
	struct mailbox *mailbox = removal->mailbox;

	if (mailbox->closing || result >= 0) {
		DL_DELETE(mailbox->removals, removal);
		free(removal);
	}
	if (mailbox_settled(mailbox))
		return;
	mailbox->removing = false;
	if (result < 0)
		mailbox_arm(mailbox, loop_now_us(mailbox->loop) + CLOCK_S_US);
	else
		mailbox_remove_again(mailbox);
}

static void submit(struct mailbox_removal *removal)
{
	removal->mailbox->removing = true;
	removal->mailbox->pending++;
	store_delete(removal->mailbox->store, &removal->op, &removal->deletion, on_removed);
}

void mailbox_remove_again(struct mailbox *mailbox)
{
	if (mailbox->removals && !mailbox->removing)
		submit(mailbox->removals);
}

void mailbox_remove_all(struct mailbox *mailbox)
{
	struct mailbox_removal *removal = mailbox->removals, *next;

	if (removal && mailbox->removing)
		removal = removal->next;
	for (; removal; removal = next) {
		next = removal->next;
		submit(removal);
	}
}

/* The last one, where it is not with the store and has room. */
static struct mailbox_removal *collecting(const struct mailbox *mailbox, uint32_t rows)
{
	struct mailbox_removal *last = mailbox->removals ? mailbox->removals->prev : NULL;

	if (!last || (last == mailbox->removals && mailbox->removing) || last->deletion.count + rows > STORE_DELETE_MAX)
		return NULL;
	return last;
}

bool mailbox_remove(struct mailbox *mailbox, const struct store_gone *gone, uint32_t count)
{
	struct mailbox_removal *removal = collecting(mailbox, count);

	if (!removal) {
		removal = malloc(sizeof(*removal));
		if (!removal)
			return false;
		removal->mailbox = mailbox;
		removal->deletion.endpoint = mailbox->endpoint;
		removal->deletion.count = 0;
		DL_APPEND(mailbox->removals, removal);
	}
	for (uint32_t i = 0; i < count; i++)
		removal->deletion.gone[removal->deletion.count++] = gone[i];
	mailbox_remove_again(mailbox);
	return true;
}

/* One of its rows is counted, the other one is withdrawn; both go in one transaction. */
void mailbox_erase(struct mailbox_command *command)
{
	static const enum ledger_item items[] = {[TG_OUTCOME_NONE] = LEDGER_PURGED,
						 [TG_OUTCOME_DELIVERED] = LEDGER_DELIVERED,
						 [TG_OUTCOME_REFUSED] = LEDGER_REJECTED,
						 [TG_OUTCOME_EXPIRED] = LEDGER_EXPIRED};
	struct mailbox *mailbox = command->box->mailbox;
	uint8_t item = (uint8_t)items[command->outcome];
	const struct store_gone gone[] = {{command->row.seq, command->cost, command->saved ? item : LEDGER_ACCEPTED},
					  {command->answer.seq, (uint32_t)store_row_cost(&command->answer),
					   command->saved ? LEDGER_ACCEPTED : item}};
	bool removed = mailbox_remove(mailbox, gone, command->answer.seq ? 2 : 1);

	ledger_finish(mailbox->account, items[command->outcome], removed);
	mailbox_drop(command);
}
