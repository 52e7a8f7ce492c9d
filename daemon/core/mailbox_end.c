/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "core/mailbox_private.h"

static void count(struct mailbox_stats *stats, enum tg_outcome outcome)
{
	stats->delivered += outcome == TG_OUTCOME_DELIVERED;
	stats->refused += outcome == TG_OUTCOME_REFUSED;
	stats->expired += outcome == TG_OUTCOME_EXPIRED;
}

/* Cuts between characters, not in one. */
static void set_text(struct mailbox_command *command, struct tg_bytes reason)
{
	size_t size;

	snprintf(command->text, sizeof(command->text), "%.*s", BYTES_ARG(reason));
	size = strlen(command->text);
	for (int i = 0; i < 3 && size > 0 && !bytes_is_utf8(bytes_text(command->text)); i++)
		command->text[--size] = '\0';
}

/* What is to be written of a command that has ended. Returns whether there is memory for it. */
static bool make_answer(struct mailbox_command *command, int32_t content_format, struct tg_bytes payload)
{
	struct mailbox *mailbox = command->box->mailbox;
	struct message parts = *command->row.message;
	const struct message *message;

	parts.kind = TG_RESPONSE;
	parts.content_format = content_format;
	parts.payload = payload;
	parts.outcome = (uint8_t)command->outcome;
	parts.code = (uint16_t)command->code;
	memcpy(parts.command, parts.id, sizeof(parts.command));
	message = message_new(&parts);
	if (!message)
		return false;
	command->answer = command->row;
	command->answer.message = message;
	command->answer.seq = store_next_seq(mailbox->store);
	command->answer.expires_wall_us = 0;
	mailbox->answer_bytes += message_size(message);
	return true;
}

void mailbox_end(struct mailbox_command *command)
{
	struct mailbox *mailbox = command->box->mailbox;

	if (command->ticket)
		mailbox_take_ticket(command);
	count(&mailbox->stats, command->outcome);
	mailbox_ended_add(&mailbox->ended, &command->row, loop_now_us(mailbox->loop));
	mailbox_record(command);
}

void mailbox_end_answered(struct mailbox_command *command, const struct tg_response *response)
{
	const struct mailbox *mailbox = command->box->mailbox;
	struct tg_bytes payload = response ? response->payload : bytes_of(NULL, 0);

	command->outcome = TG_OUTCOME_DELIVERED;
	command->code = response ? response->code : 0;
	/* Without room for what the device said, the outcome counts all the same. */
	if (mailbox->answer_bytes + payload.size <= mailbox->settings.bytes)
		(void)make_answer(command, response ? response->content_format : TG_FORMAT_NONE, payload);
	mailbox_end(command);
}

void mailbox_end_unanswered(struct mailbox_command *command, enum tg_outcome outcome, struct tg_bytes reason)
{
	command->outcome = outcome;
	set_text(command, reason);
	if (command->state != MAILBOX_SAVING)
		mailbox_end(command);
}

static void on_recorded(struct store_op *op, int result)
{
	static const enum mailbox_receipt receipts[] = {[TG_OUTCOME_DELIVERED] = MAILBOX_TAKEN,
							[TG_OUTCOME_REFUSED] = MAILBOX_REFUSED,
							[TG_OUTCOME_EXPIRED] = MAILBOX_EXPIRED};
	struct mailbox_command *command = (struct mailbox_command *)((char *)op - offsetof(struct mailbox_command, op));
	struct mailbox *mailbox = command->box->mailbox;
	enum mailbox_receipt receipt = receipts[command->outcome];

	if (mailbox_settled(mailbox))
		return;
	if (result < 0) {
		command->state = MAILBOX_UNRECORDED;
		mailbox_retry(command);
		return;
	}
	if (command->outcome == TG_OUTCOME_DELIVERED && command->code >= 400)
		receipt = MAILBOX_REFUSED;
	mailbox_receipt(command, receipt, bytes_text(command->text));
	mailbox_tell(command);
}

void mailbox_record(struct mailbox_command *command)
{
	struct mailbox *mailbox = command->box->mailbox;

	if (!command->answer.message && !make_answer(command, TG_FORMAT_NONE, bytes_text(command->text))) {
		command->state = MAILBOX_UNRECORDED;
		mailbox_retry(command);
		return;
	}
	command->state = MAILBOX_RECORDING;
	mailbox->pending++;
	store_insert(mailbox->store, &command->op, &command->answer, on_recorded);
}

void mailbox_end_again(struct mailbox_command *command, const struct message *answer)
{
	command->outcome = (enum tg_outcome)answer->outcome;
	command->code = answer->code;
	if (command->outcome != TG_OUTCOME_DELIVERED)
		set_text(command, answer->payload);
	command->state = MAILBOX_ENDING;
	count(&command->box->mailbox->stats, command->outcome);
	mailbox_ended_add(&command->box->mailbox->ended, &command->row, loop_now_us(command->box->mailbox->loop));
}

void mailbox_tell(struct mailbox_command *command)
{
	struct mailbox *mailbox = command->box->mailbox;
	const struct message *answer = command->answer.message;
	const struct mailbox_outcome outcome = {.message = command->row.message,
						.address = command->row.address,
						.route = command->row.route,
						.outcome = command->outcome,
						.code = command->code,
						.content_format = answer->content_format,
						.payload = *command->text ? bytes_of(NULL, 0) : answer->payload,
						.reason = *command->text ? command->text : NULL};
	uint64_t number;

	command->state = MAILBOX_ENDING;
	if (!mailbox_give_ticket(command)) {
		mailbox_retry(command);
		return;
	}
	number = command->ticket;
	command->state = MAILBOX_TELLING;
	if (mailbox->ops->ended(mailbox->arg, &outcome, number) < 0)
		mailbox_told(mailbox, number, false);
}

void mailbox_told(struct mailbox *mailbox, uint64_t number, bool safe)
{
	struct mailbox_command *command = mailbox_find(mailbox, number, MAILBOX_TELLING);

	if (!command)
		return;
	if (safe) {
		mailbox_erase(command);
		return;
	}
	mailbox_take_ticket(command);
	command->state = MAILBOX_ENDING;
	mailbox_retry(command);
}
