/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/random.h"
#include "core/mailbox_private.h"

int mailbox_new(struct loop *loop, struct store *store, struct ledger *ledger, const char *endpoint,
		const struct mailbox_settings *settings, const struct mailbox_ops *ops, void *arg,
		struct mailbox **ret_mailbox)
{
	struct mailbox *mailbox = calloc(1, sizeof(*mailbox));
	int r;

	if (!mailbox)
		return -ENOMEM;
	mailbox->loop = loop;
	mailbox->store = store;
	mailbox->name = endpoint;
	mailbox->settings = *settings;
	mailbox->ops = ops;
	mailbox->arg = arg;
	random_bytes(&mailbox->last_ticket, sizeof(mailbox->last_ticket));
	r = store_endpoint(store, endpoint, &mailbox->endpoint);
	if (r >= 0)
		r = ledger_account(ledger, endpoint, &mailbox->account);
	if (r >= 0)
		r = loop_timer_new(loop, mailbox_on_timer, mailbox, &mailbox->timer);
	if (r < 0) {
		mailbox_free(mailbox);
		return r;
	}
	mailbox->expected = ledger_held(mailbox->account);
	if (mailbox->expected > 0)
		mailbox_load(mailbox);
	*ret_mailbox = mailbox;
	return 0;
}

static void free_all(struct mailbox *mailbox)
{
	struct mailbox_box *box, *next;

	HASH_ITER (hh, mailbox->boxes, box, next) {
		for (size_t left = box->count; left > 0; left--)
			mailbox_drop(box->commands);
	}
	mailbox_ended_done(&mailbox->ended);
	mailbox_load_done(mailbox);
	free(mailbox);
}

bool mailbox_settled(struct mailbox *mailbox)
{
	mailbox->pending--;
	if (!mailbox->closing)
		return false;
	if (mailbox->pending == 0)
		free_all(mailbox);
	return true;
}

void mailbox_free(struct mailbox *mailbox)
{
	if (!mailbox)
		return;
	loop_timer_free(mailbox->timer);
	mailbox->timer = NULL;
	mailbox->closing = true;
	mailbox->pending++;
	mailbox_remove_all(mailbox);
	mailbox_settled(mailbox);
}

void mailbox_set_settings(struct mailbox *mailbox, const struct mailbox_settings *settings)
{
	mailbox->settings = *settings;
}

struct mailbox_box *mailbox_box_find(const struct mailbox *mailbox, struct tg_bytes device)
{
	struct mailbox_box *box;

	HASH_FIND(hh, mailbox->boxes, device.size ? device.data : "", device.size, box);
	return box;
}

static struct mailbox_box *box_get(struct mailbox *mailbox, struct tg_bytes device)
{
	struct mailbox_box *box = mailbox_box_find(mailbox, device);

	if (box)
		return box;
	box = calloc(1, sizeof(*box) + device.size + 1);
	if (!box)
		return NULL;
	box->mailbox = mailbox;
	box->device_size = device.size;
	if (device.size)
		memcpy(box->device, device.data, device.size);
	HASH_ADD_KEYPTR(hh, mailbox->boxes, box->device, box->device_size, box);
	if (!box->lost)
		return box;
	free(box);
	return NULL;
}

static void box_free_empty(struct mailbox_box *box)
{
	if (box->count > 0)
		return;
	HASH_DEL(box->mailbox->boxes, box);
	free(box);
}

static struct tg_bytes append(uint8_t **to, struct tg_bytes bytes)
{
	struct tg_bytes copy = {*to, bytes.size};

	if (bytes.size)
		memcpy(*to, bytes.data, bytes.size);
	*to += bytes.size;
	return copy;
}

struct mailbox_command *mailbox_add(struct mailbox *mailbox, const struct store_row *row)
{
	struct mailbox_box *box = box_get(mailbox, row->message->device);
	struct mailbox_command *command;
	uint8_t *to;

	if (!box)
		return NULL;
	command = calloc(1, sizeof(*command) + row->address.size + row->route.size);
	if (!command) {
		box_free_empty(box);
		return NULL;
	}
	to = (uint8_t *)(command + 1);
	command->box = box;
	command->row = *row;
	command->row.message = message_ref(row->message);
	command->row.address = append(&to, row->address);
	command->row.route = append(&to, row->route);
	command->bytes = sizeof(*command) + row->address.size + row->route.size + message_size(row->message);
	command->cost = (uint32_t)store_row_cost(row);
	DL_APPEND(box->commands, command);
	box->count++;
	mailbox->count++;
	mailbox->bytes += command->bytes;
	return command;
}

void mailbox_drop(struct mailbox_command *command)
{
	struct mailbox_box *box = command->box;
	struct mailbox *mailbox = box->mailbox;

	if (command->ticket)
		HASH_DEL(mailbox->tickets, command);
	DL_DELETE(box->commands, command);
	box->count--;
	mailbox->count--;
	mailbox->bytes -= command->bytes;
	if (command->answer.message)
		mailbox->answer_bytes -= message_size(command->answer.message);
	message_unref(command->answer.message);
	message_unref(command->row.message);
	free(command);
	box_free_empty(box);
}

void mailbox_receipt(struct mailbox_command *command, enum mailbox_receipt receipt, struct tg_bytes reason)
{
	mailbox_receipt_fn *fn = command->receipt;

	command->receipt = NULL;
	if (fn)
		fn(command->receipt_arg, receipt, reason);
}

/* Why there is no room for one more, or 0. */
static int check_room(const struct mailbox *mailbox, const struct mailbox_box *box, const struct store_row *row)
{
	size_t bytes =
		sizeof(struct mailbox_command) + row->address.size + row->route.size + message_size(row->message);

	if (box && box->count >= mailbox->settings.device_commands)
		return -EDQUOT;
	if (mailbox->count >= mailbox->settings.commands || mailbox->bytes + bytes > mailbox->settings.bytes ||
	    !store_has_room(mailbox->store, store_row_cost(row)))
		return -ENOSPC;
	return 0;
}

/* On disk, in one row or the other. */
static bool is_safe(const struct mailbox_command *command)
{
	return command->saved || command->state >= MAILBOX_ENDING;
}

/* 0: no. -EEXIST: it is here, as safe as `ack` asks, or has ended. -EAGAIN: it is here and not on disk yet: nobody may be told that it
 * is. */
static int find_known(struct mailbox *mailbox, const struct mailbox_box *box, const struct message *message,
		      const struct mailbox_options *options)
{
	const struct mailbox_command *command;

	DL_FOREACH (box ? box->commands : NULL, command) {
		if (mailbox_is_same(command->row.message, command->row.address, message, options->address))
			return is_safe(command) || options->ack == MAILBOX_RECEIVED ? -EEXIST : -EAGAIN;
	}
	return mailbox_ended_has(&mailbox->ended, message, options->address, loop_now_us(mailbox->loop)) ? -EEXIST : 0;
}

int mailbox_push(struct mailbox *mailbox, const struct message *message, const struct mailbox_options *options,
		 mailbox_receipt_fn *receipt, void *receipt_arg)
{
	struct store_row row = {.endpoint = mailbox->endpoint,
				.ack = (uint8_t)options->ack,
				.message = message,
				.address = options->address,
				.route = options->route};
	const struct mailbox_box *box = mailbox_box_find(mailbox, message->device);
	struct mailbox_command *command;
	int r;

	if (options->address.size > TG_ADDRESS_MAX || options->route.size > STORE_NAME_MAX)
		return -EMSGSIZE;
	if (mailbox->reading)
		return -EAGAIN;
	r = find_known(mailbox, box, message, options);
	if (r >= 0)
		r = check_room(mailbox, box, &row);
	if (r < 0)
		return r;
	row.seq = store_next_seq(mailbox->store);
	row.expires_wall_us = mailbox_wall_us(mailbox) + options->expiry_s * CLOCK_S_US;
	command = mailbox_add(mailbox, &row);
	if (!command)
		return -ENOMEM;
	command->pushed_us = loop_now_us(mailbox->loop);
	command->expires_us = command->pushed_us + options->expiry_s * CLOCK_S_US;
	command->receipt = receipt;
	command->receipt_arg = receipt_arg;
	ledger_accept(mailbox->account);
	if (options->ack == MAILBOX_RECEIVED)
		mailbox_receipt(command, MAILBOX_TAKEN, bytes_of(NULL, 0));
	mailbox_arm(mailbox, command->expires_us);
	mailbox_save(command); /* a store that has stopped says so from within */
	return 0;
}

void mailbox_stats(const struct mailbox *mailbox, struct mailbox_stats *ret_stats)
{
	int64_t now_us = loop_now_us(mailbox->loop);
	const struct mailbox_box *box, *next;
	const struct mailbox_command *command;

	*ret_stats = mailbox->stats;
	ret_stats->held = ledger_held(mailbox->account);
	ret_stats->bytes = (int64_t)(mailbox->bytes + mailbox->answer_bytes);
	ret_stats->reading = mailbox->reading;
	HASH_ITER (hh, mailbox->boxes, box, next) {
		ret_stats->devices++;
		DL_FOREACH (box->commands, command) {
			ret_stats->in_flight += command->state == MAILBOX_FLYING;
			ret_stats->telling += command->state >= MAILBOX_RECORDING;
			if (now_us - command->pushed_us > ret_stats->oldest_age_us)
				ret_stats->oldest_age_us = now_us - command->pushed_us;
		}
	}
}

struct ledger_account *mailbox_account(const struct mailbox *mailbox)
{
	return mailbox->account;
}

static void show_box(const struct mailbox_box *box, mailbox_show_fn *fn, void *arg)
{
	static const char *const states[] = {
		[MAILBOX_SAVING] = "being written", [MAILBOX_UNSAVED] = "not written", [MAILBOX_READY] = "waiting",
		[MAILBOX_FLYING] = "under way",     [MAILBOX_RECORDING] = "ended",     [MAILBOX_UNRECORDED] = "ended",
		[MAILBOX_ENDING] = "ended",         [MAILBOX_TELLING] = "ended"};
	const struct mailbox_command *command;

	DL_FOREACH (box->commands, command) {
		const struct mailbox_item item = {.ticket = command->ticket,
						  .message = command->row.message,
						  .address = command->row.address,
						  .expiry_s = mailbox_seconds_left(command)};

		fn(arg, &item, command->state == MAILBOX_READY && box->asleep ? "asleep" : states[command->state]);
	}
}

void mailbox_show(const struct mailbox *mailbox, struct tg_bytes device, mailbox_show_fn *fn, void *arg)
{
	const struct mailbox_box *box, *next;

	if (device.size) {
		box = mailbox_box_find(mailbox, device);
		if (box)
			show_box(box, fn, arg);
		return;
	}
	HASH_ITER (hh, mailbox->boxes, box, next)
		show_box(box, fn, arg);
}
