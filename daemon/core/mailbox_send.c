/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "core/mailbox_private.h"

#define RETRY_US CLOCK_S_US

void mailbox_arm(struct mailbox *mailbox, int64_t at_us)
{
	if (mailbox->timer_at_us && mailbox->timer_at_us <= at_us)
		return;
	mailbox->timer_at_us = at_us;
	loop_timer_set(mailbox->timer, at_us);
}

/* Returns whether the command can be found by its new ticket. */
static bool give_ticket(struct mailbox_command *command)
{
	struct mailbox *mailbox = command->box->mailbox;

	command->ticket = ++mailbox->last_ticket ? mailbox->last_ticket : ++mailbox->last_ticket;
	HASH_ADD(hh, mailbox->tickets, ticket, sizeof(command->ticket), command);
	if (!command->lost)
		return true;
	command->lost = false;
	command->ticket = 0;
	return false;
}

static void take_ticket(struct mailbox_command *command)
{
	HASH_DEL(command->box->mailbox->tickets, command);
	command->ticket = 0;
}

static struct mailbox_command *find(const struct mailbox *mailbox, uint64_t ticket, enum mailbox_state state)
{
	struct mailbox_command *command;

	HASH_FIND(hh, mailbox->tickets, &ticket, sizeof(ticket), command);
	return command && command->state == state ? command : NULL;
}

static void tell(struct mailbox_command *command)
{
	struct mailbox *mailbox = command->box->mailbox;
	const struct mailbox_outcome outcome = {.message = command->row.message,
						.address = command->row.address,
						.route = command->row.route,
						.outcome = command->outcome,
						.code = command->code,
						.content_format = command->content_format,
						.payload = bytes_of(command->payload, command->payload_size),
						.reason = command->reason};
	uint64_t number;

	command->state = MAILBOX_ENDING;
	if (!give_ticket(command)) {
		mailbox_arm(mailbox, loop_now_us(mailbox->loop) + RETRY_US);
		return;
	}
	number = command->ticket;
	command->state = MAILBOX_TELLING;
	if (mailbox->ops->ended(mailbox->arg, &outcome, number) < 0)
		mailbox_told(mailbox, number, false);
}

void mailbox_told(struct mailbox *mailbox, uint64_t number, bool safe)
{
	struct mailbox_command *command = find(mailbox, number, MAILBOX_TELLING);

	if (!command)
		return;
	if (safe) {
		mailbox_erase(command);
		return;
	}
	take_ticket(command);
	command->state = MAILBOX_ENDING;
	mailbox_arm(mailbox, loop_now_us(mailbox->loop) + RETRY_US);
}

static void count(struct mailbox_stats *stats, enum tg_outcome outcome)
{
	stats->delivered += outcome == TG_OUTCOME_DELIVERED;
	stats->refused += outcome == TG_OUTCOME_REFUSED;
	stats->expired += outcome == TG_OUTCOME_EXPIRED;
}

void mailbox_end(struct mailbox_command *command)
{
	static const enum mailbox_receipt receipts[] = {[TG_OUTCOME_DELIVERED] = MAILBOX_TAKEN,
							[TG_OUTCOME_REFUSED] = MAILBOX_REFUSED,
							[TG_OUTCOME_EXPIRED] = MAILBOX_EXPIRED};
	struct mailbox *mailbox = command->box->mailbox;
	enum mailbox_receipt receipt = receipts[command->outcome];

	if (command->state == MAILBOX_SAVING) /* goes on when it is written */
		return;
	if (command->outcome == TG_OUTCOME_DELIVERED && command->code >= 400)
		receipt = MAILBOX_REFUSED;
	if (command->ticket)
		take_ticket(command);
	count(&mailbox->stats, command->outcome);
	mailbox_ended_add(&mailbox->ended, &command->row, loop_now_us(mailbox->loop));
	mailbox_receipt(command, receipt, bytes_text(command->reason));
	tell(command);
}

static void end_without_answer(struct mailbox_command *command, enum tg_outcome outcome, struct tg_bytes reason)
{
	command->outcome = outcome;
	snprintf(command->text, sizeof(command->text), "%.*s", BYTES_ARG(reason));
	command->reason = command->text;
	mailbox_end(command);
}

static bool is_over(const struct mailbox_command *command)
{
	return command->expires_us <= loop_now_us(command->box->mailbox->loop);
}

/* The first that has not ended. */
static struct mailbox_command *head(const struct mailbox_box *box)
{
	struct mailbox_command *command = box->commands;

	while (command && command->state >= MAILBOX_ENDING)
		command = command->next;
	return command;
}

static void hand_over(struct mailbox_command *command)
{
	struct mailbox_box *box = command->box;
	struct mailbox *mailbox = box->mailbox;
	int64_t left_us = command->expires_us - loop_now_us(mailbox->loop);
	struct mailbox_item item = {.message = command->row.message,
				    .address = command->row.address,
				    .expiry_s = (uint32_t)((left_us + CLOCK_S_US - 1) / CLOCK_S_US)};
	int r = give_ticket(command) ? 0 : -ENOMEM;

	item.ticket = command->ticket;
	if (r >= 0)
		r = mailbox->ops->deliver(mailbox->arg, &item, &command->carrier);
	if (r >= 0) {
		command->state = MAILBOX_FLYING;
		box->heard = false;
		return;
	}
	if (command->ticket)
		take_ticket(command);
	if (r == -ENOTCONN)
		box->asleep = true;
	else
		mailbox_arm(mailbox, loop_now_us(mailbox->loop) + RETRY_US);
}

void mailbox_go(struct mailbox_box *box)
{
	struct mailbox_command *command = head(box);

	if (command && command->state == MAILBOX_READY && !box->asleep && !box->mailbox->reading && !is_over(command))
		hand_over(command);
}

/* The box of the device may be gone by now. */
static void go_on(struct mailbox *mailbox, const struct message *message)
{
	struct mailbox_box *box = mailbox_box_find(mailbox, message->device);

	if (box)
		mailbox_go(box);
	message_unref(message);
}

void mailbox_awake(struct mailbox *mailbox, struct tg_bytes device)
{
	struct mailbox_box *box = mailbox_box_find(mailbox, device);

	if (!box)
		return;
	box->asleep = false;
	box->heard = true;
	mailbox_go(box);
}

void mailbox_awake_all(struct mailbox *mailbox)
{
	struct mailbox_box *box, *next;

	HASH_ITER (hh, mailbox->boxes, box, next) {
		box->asleep = false;
		mailbox_go(box);
	}
}

/* The device was not reached. Whoever was heard in the meantime is tried again at once. */
static void come_back(struct mailbox_command *command)
{
	struct mailbox_box *box = command->box;

	take_ticket(command);
	command->state = MAILBOX_READY;
	box->mailbox->stats.retried++;
	box->asleep = !box->heard;
	box->heard = false;
	if (is_over(command))
		end_without_answer(command, TG_OUTCOME_EXPIRED, bytes_text("the device did not answer in time"));
	else
		mailbox_arm(box->mailbox, command->expires_us);
}

void mailbox_carrier_gone(struct mailbox *mailbox, uint32_t carrier)
{
	struct mailbox_command *command, *next;

	HASH_ITER (hh, mailbox->tickets, command, next) {
		const struct message *message;

		if (command->state != MAILBOX_FLYING || command->carrier != carrier)
			continue;
		message = message_ref(command->row.message);
		come_back(command);
		go_on(mailbox, message);
	}
}

void mailbox_refuse(struct mailbox *mailbox, struct tg_bytes device, const char *reason)
{
	struct mailbox_box *box = mailbox_box_find(mailbox, device);
	struct mailbox_command *command, *next;

	if (!box)
		return;
	DL_FOREACH_SAFE (box->commands, command, next) {
		if (command->state < MAILBOX_ENDING && !command->outcome)
			end_without_answer(command, TG_OUTCOME_REFUSED, bytes_text(reason));
	}
}

bool mailbox_answer(struct mailbox *mailbox, uint32_t carrier, uint64_t ticket, enum tg_delivery_result result,
		    struct tg_bytes reason)
{
	struct mailbox_command *command = find(mailbox, ticket, MAILBOX_FLYING);
	const struct message *message;

	if (!command || command->carrier != carrier)
		return false;
	message = message_ref(command->row.message);
	if (result == TG_RETRY) {
		come_back(command);
	} else if (result == TG_REJECTED) {
		end_without_answer(command, TG_OUTCOME_REFUSED, reason);
	} else {
		command->outcome = TG_OUTCOME_DELIVERED;
		mailbox_end(command);
	}
	go_on(mailbox, message);
	return true;
}

bool mailbox_answered(struct mailbox *mailbox, uint32_t carrier, uint64_t ticket, const struct tg_response *response)
{
	struct mailbox_command *command = find(mailbox, ticket, MAILBOX_FLYING);
	const struct message *message;

	if (!command || command->carrier != carrier)
		return false;
	message = message_ref(command->row.message);
	command->outcome = TG_OUTCOME_DELIVERED;
	command->code = response->code;
	command->content_format = response->content_format;
	command->payload = response->payload.size ? malloc(response->payload.size) : NULL;
	if (command->payload) { /* without memory for it the outcome counts all the same */
		memcpy(command->payload, response->payload.data, response->payload.size);
		command->payload_size = response->payload.size;
	}
	mailbox_end(command);
	go_on(mailbox, message);
	return true;
}

/* What is due of one command. May free it. Returns when it has to be looked at again. */
static int64_t look_after(struct mailbox_command *command)
{
	if (command->state == MAILBOX_UNSAVED)
		mailbox_save(command);
	else if (command->state == MAILBOX_ENDING)
		tell(command);
	else if (command->state == MAILBOX_READY && is_over(command))
		end_without_answer(command, TG_OUTCOME_EXPIRED, bytes_text("its time was over"));
	else if (command->state == MAILBOX_READY)
		return command->expires_us;
	else
		return INT64_MAX; /* an event ends that */
	return INT64_MAX;
}

void mailbox_on_timer(void *arg)
{
	struct mailbox *mailbox = arg;
	struct mailbox_box *box, *next_box;
	int64_t next_us = INT64_MAX;

	mailbox->timer_at_us = 0;
	if (mailbox->load_again)
		mailbox_load(mailbox);
	HASH_ITER (hh, mailbox->boxes, box, next_box) {
		struct mailbox_command *command, *next;
		size_t left = box->count;

		for (command = box->commands; left > 0; command = next, left--) {
			int64_t at_us;

			next = command->next;
			at_us = look_after(command);
			next_us = at_us < next_us ? at_us : next_us;
		}
	}
	HASH_ITER (hh, mailbox->boxes, box, next_box)
		mailbox_go(box);
	if (next_us < INT64_MAX)
		mailbox_arm(mailbox, next_us);
}
