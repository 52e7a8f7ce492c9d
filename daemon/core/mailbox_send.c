/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

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

void mailbox_retry(struct mailbox_command *command)
{
	struct mailbox *mailbox = command->box->mailbox;

	command->retry_us = loop_now_us(mailbox->loop) + RETRY_US;
	mailbox_arm(mailbox, command->retry_us);
}

bool mailbox_give_ticket(struct mailbox_command *command)
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

void mailbox_take_ticket(struct mailbox_command *command)
{
	HASH_DEL(command->box->mailbox->tickets, command);
	command->ticket = 0;
}

struct mailbox_command *mailbox_find(const struct mailbox *mailbox, uint64_t ticket, enum mailbox_state state)
{
	struct mailbox_command *command;

	HASH_FIND(hh, mailbox->tickets, &ticket, sizeof(ticket), command);
	return command && command->state == state ? command : NULL;
}

static bool is_over(const struct mailbox_command *command)
{
	return command->expires_us <= loop_now_us(command->box->mailbox->loop);
}

/* The first that has not ended. */
static struct mailbox_command *head(const struct mailbox_box *box)
{
	struct mailbox_command *command = box->commands;

	while (command && command->state >= MAILBOX_RECORDING)
		command = command->next;
	return command;
}

uint32_t mailbox_seconds_left(const struct mailbox_command *command)
{
	int64_t left_us = command->expires_us - loop_now_us(command->box->mailbox->loop);

	return left_us > CLOCK_S_US ? (uint32_t)((left_us + CLOCK_S_US - 1) / CLOCK_S_US) : 1;
}

static void hand_over(struct mailbox_command *command)
{
	struct mailbox_box *box = command->box;
	struct mailbox *mailbox = box->mailbox;
	struct mailbox_item item = {.message = command->row.message,
				    .address = command->row.address,
				    .expiry_s = mailbox_seconds_left(command)};
	uint32_t carrier = 0;
	int r = mailbox_give_ticket(command) ? 0 : -ENOMEM;

	item.ticket = command->ticket;
	if (r >= 0) {
		command->state = MAILBOX_FLYING;
		r = mailbox->ops->deliver(mailbox->arg, &item, &carrier);
	}
	if (r >= 0) {
		command->carrier = carrier;
		box->heard = false;
		return;
	}
	if (item.ticket)
		mailbox_take_ticket(command);
	command->state = MAILBOX_READY;
	if (r == -ENOTCONN)
		box->asleep = true;
	else
		mailbox_retry(command);
}

void mailbox_go(struct mailbox_box *box)
{
	struct mailbox_command *command = head(box);

	if (command && command->state == MAILBOX_READY && !box->asleep && !box->mailbox->reading && !is_over(command) &&
	    command->retry_us <= loop_now_us(box->mailbox->loop))
		hand_over(command);
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

	mailbox_take_ticket(command);
	command->state = MAILBOX_READY;
	box->mailbox->stats.retried++;
	box->asleep = !box->heard;
	box->heard = false;
	if (is_over(command))
		mailbox_end_unanswered(command, TG_OUTCOME_EXPIRED, bytes_text("the device did not answer in time"));
	else
		mailbox_arm(box->mailbox, command->expires_us);
}

void mailbox_carrier_gone(struct mailbox *mailbox, uint32_t carrier)
{
	struct mailbox_command *command, *next;
	struct mailbox_box *box, *next_box;

	HASH_ITER (hh, mailbox->tickets, command, next) {
		if (command->state == MAILBOX_FLYING && command->carrier == carrier)
			come_back(command);
	}
	HASH_ITER (hh, mailbox->boxes, box, next_box)
		mailbox_go(box);
}

void mailbox_refuse(struct mailbox *mailbox, struct tg_bytes device, const char *reason)
{
	struct mailbox_box *box = mailbox_box_find(mailbox, device);
	struct mailbox_command *command;

	if (mailbox->reading) {
		mailbox_refuse_later(mailbox, device, reason);
		return;
	}
	if (!box)
		return;
	DL_FOREACH (box->commands, command) {
		if (command->state < MAILBOX_RECORDING && !command->outcome)
			mailbox_end_unanswered(command, TG_OUTCOME_REFUSED, bytes_text(reason));
	}
}

bool mailbox_answer(struct mailbox *mailbox, uint32_t carrier, uint64_t ticket, enum tg_delivery_result result,
		    struct tg_bytes reason)
{
	struct mailbox_command *command = mailbox_find(mailbox, ticket, MAILBOX_FLYING);

	if (!command || command->carrier != carrier)
		return false;
	if (result == TG_RETRY)
		come_back(command);
	else if (result == TG_REJECTED)
		mailbox_end_unanswered(command, TG_OUTCOME_REFUSED,
				       reason.size ? reason : bytes_text("the endpoint refused it"));
	else
		mailbox_end_answered(command, NULL);
	mailbox_go(command->box);
	return true;
}

bool mailbox_answered(struct mailbox *mailbox, uint32_t carrier, uint64_t ticket, const struct tg_response *response)
{
	struct mailbox_command *command = mailbox_find(mailbox, ticket, MAILBOX_FLYING);

	if (!command || command->carrier != carrier)
		return false;
	mailbox_end_answered(command, response);
	mailbox_go(command->box);
	return true;
}

/* What is due of one command. May free it. Returns when it has to be looked at again. */
static int64_t look_after(struct mailbox_command *command)
{
	bool waits = command->state == MAILBOX_READY || command->state == MAILBOX_UNSAVED ||
		     command->state == MAILBOX_UNRECORDED || command->state == MAILBOX_ENDING;
	bool early = command->retry_us > loop_now_us(command->box->mailbox->loop);

	if (!waits)
		return INT64_MAX; /* an event ends that */
	if (command->state <= MAILBOX_READY && is_over(command))
		mailbox_end_unanswered(command, TG_OUTCOME_EXPIRED, bytes_text("its time was over"));
	else if (early)
		return command->retry_us;
	else if (command->state == MAILBOX_READY)
		return command->expires_us;
	else if (command->state == MAILBOX_UNSAVED)
		mailbox_save(command);
	else if (command->state == MAILBOX_UNRECORDED)
		mailbox_record(command);
	else
		mailbox_tell(command);
	return INT64_MAX;
}

static int64_t look_after_all(struct mailbox *mailbox)
{
	struct mailbox_box *box, *next_box;
	int64_t next_us = INT64_MAX;

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
	return next_us;
}

void mailbox_on_timer(void *arg)
{
	struct mailbox *mailbox = arg;
	struct mailbox_box *box, *next_box;
	int64_t next_us;

	mailbox->timer_at_us = 0;
	mailbox_remove_again(mailbox);
	if (mailbox->load_again)
		mailbox_load(mailbox);
	if (mailbox->reading) /* what looks ready may turn out to have ended */
		return;
	next_us = look_after_all(mailbox);
	HASH_ITER (hh, mailbox->boxes, box, next_box)
		mailbox_go(box);
	if (next_us < INT64_MAX)
		mailbox_arm(mailbox, next_us);
}
