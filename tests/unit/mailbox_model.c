/* SPDX-License-Identifier: Apache-2.0 */
#include "mailbox_model.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"

struct mailbox_model model;

const char *model_device(unsigned device)
{
	static const char *const names[DEVICES] = {"pump", "pump-1", "a/+#", "\xc3\xa4", "z"};

	return names[device];
}

static unsigned number_of(const struct message *message)
{
	unsigned number;

	memcpy(&number, message->id, sizeof(number));
	EXPECT(number < model.count);
	return number;
}

/* How the command ended stands on disk, beside the command or, where that could not be written, alone. */
static bool is_written(unsigned number)
{
	const struct store_row *row = fake_row(number);

	return fake_rows_of(number) == 2 || (row && row->message->kind == TG_RESPONSE);
}

/* The heart: whatever is handed over, nobody has heard that it ended; and all before it, for that device, have. */
static int deliver(void *arg, const struct mailbox_item *item, uint32_t *ret_carrier)
{
	unsigned number = number_of(item->message);
	struct known *known = &model.all[number];

	EXPECT(arg == &model && item->message->kind == TG_COMMAND);
	EXPECT(known->here && !known->told && !known->over && !known->closed && !known->flying);
	EXPECT(bytes_equal(item->message->device, bytes_text(model_device(known->device))));
	EXPECT(clock_now_us() < known->expires_us && !known->revoked);
	EXPECT(item->expiry_s == (uint32_t)((known->expires_us - clock_now_us() + CLOCK_S_US - 1) / CLOCK_S_US));
	EXPECT(fake_row(number) && !model.busy[known->device]);
	for (unsigned i = 0; i < number; i++) {
		const struct known *other = &model.all[i];

		EXPECT(other->device != known->device || !other->here || other->closed || other->revoked ||
		       other->expires_us <= clock_now_us() || is_written(i));
	}
	if (!model.reachable[known->device])
		return -ENOTCONN;
	if (fake_random(20) == 0)
		return -EAGAIN;
	known->flying = model.busy[known->device] = true;
	known->carrier = *ret_carrier = fake_random(CARRIERS);
	known->ticket = item->ticket;
	return 0;
}

void model_take_over(struct known *known)
{
	model.finished += !known->over;
	known->over = known->over_now = true;
	known->here = known->telling = known->must_keep = false;
}

static int ended(void *arg, const struct mailbox_outcome *outcome, uint64_t name)
{
	unsigned number = number_of(outcome->message);
	struct known *known = &model.all[number];

	EXPECT(arg == &model && known->here && !known->flying && !known->telling && !known->over_now);
	EXPECT(fake_row(number));
	EXPECT(bytes_equal(outcome->address, bytes_text("/a")) && bytes_equal(outcome->route, bytes_text("r")));
	if (known->told)
		EXPECT(known->told == outcome->outcome && known->told_code == outcome->code);
	else
		EXPECT((outcome->outcome == known->answered && outcome->code == known->answered_code) ||
		       (outcome->outcome == TG_OUTCOME_EXPIRED && clock_now_us() >= known->expires_us &&
			!known->closed) ||
		       (outcome->outcome == TG_OUTCOME_REFUSED && known->revoked));
	EXPECT(outcome->outcome != TG_OUTCOME_DELIVERED || !outcome->code ||
	       bytes_equal(outcome->payload, bytes_text("said")));
	model.repeats += known->told != 0;
	known->told = outcome->outcome;
	known->told_code = outcome->code;
	known->closed = true;
	if (model.ended_result < 0)
		return model.ended_result;
	known->telling = true;
	known->name = name;
	if (model.safe_at_once) {
		model_take_over(known);
		mailbox_told(model.mailbox, name, true);
	}
	return 0;
}

static int64_t now_wall_us(void *arg)
{
	EXPECT(arg == &model);
	return clock_now_us();
}

static const struct mailbox_ops ops = {deliver, ended, now_wall_us};

static void receipt(void *arg, enum mailbox_receipt what, struct tg_bytes reason)
{
	struct known *known = arg;
	unsigned number = (unsigned)(known - model.all);

	(void)reason;
	EXPECT(known->owes && known->here);
	known->owes = false;
	if (what == MAILBOX_FULL) {
		EXPECT(!known->told && !known->must_keep && !fake_row(number));
		known->here = false;
	} else if (known->ack == MAILBOX_SAFE) {
		EXPECT(what == MAILBOX_TAKEN && fake_row(number));
		known->must_keep = true;
	} else if (known->ack == MAILBOX_DELIVERED && what == MAILBOX_TAKEN) {
		EXPECT(known->answered == TG_OUTCOME_DELIVERED && known->answered_code < 400);
	}
	EXPECT(what != MAILBOX_EXPIRED || clock_now_us() >= known->expires_us);
}

static const struct mailbox_settings settings = {.device_commands = 8, .commands = 30, .bytes = 1024 * 1024};

void model_begin_life(void)
{
	EXPECT(ledger_new(NULL, &model.ledger) == 0);
	EXPECT(mailbox_new(NULL, NULL, model.ledger, "cloud", &settings, &ops, &model, &model.mailbox) == 0);
	memset(model.busy, 0, sizeof(model.busy));
}

int model_push(unsigned number, bool again)
{
	struct known *known = &model.all[number];
	struct message parts = {.kind = TG_COMMAND,
				.content_format = 50,
				.method = TG_METHOD_PUT,
				.time_wall_us = clock_now_us(),
				.device = bytes_text(model_device(known->device)),
				.path = bytes_text("p"),
				.payload = bytes_text("do"),
				.reply_to = bytes_text("answers")};
	int64_t left_us = known->expires_us - clock_now_us();
	const struct mailbox_options options = {.address = bytes_text("/a"),
						.route = bytes_text("r"),
						.ack = known->ack,
						.expiry_s = again ? 1 : (uint32_t)(left_us / CLOCK_S_US)};
	struct message *message;
	int r;

	memcpy(parts.id, &number, sizeof(number));
	message = message_new(&parts);
	r = mailbox_push(model.mailbox, message, &options, receipt, known);
	message_unref(message);
	return r;
}

void model_check(void)
{
	struct mailbox_stats stats;
	int64_t here = 0, flying = 0;

	mailbox_stats(model.mailbox, &stats);
	EXPECT(ledger_balanced(mailbox_account(model.mailbox)));
	EXPECT(fake_balanced());
	for (unsigned i = 0; i < model.count; i++) {
		here += model.all[i].here;
		flying += model.all[i].flying;
	}
	EXPECT(stats.reading || stats.held == here);
	EXPECT(stats.in_flight == flying);
}

/* The process is gone: of what was promised nothing may be missing. Who was revoked may be asked again where that was not written. */
void model_end_life(int error)
{
	if (fake_random(3) == 0)
		fake_stop();
	mailbox_free(model.mailbox);
	fake_end(error);
	ledger_free(model.ledger);
	EXPECT(fake_balanced());
	for (unsigned i = 0; i < model.count; i++) {
		struct known *known = &model.all[i];
		const struct store_row *row = fake_row(i);

		EXPECT(row || !known->must_keep);
		EXPECT(!row || known->here || known->over);
		known->here = row != NULL;
		known->must_keep = row && !known->over;
		known->flying = known->owes = known->telling = known->over_now = false;
		known->closed = known->told != 0;
		if (!is_written(i)) {
			EXPECT(!row || !known->told);
			known->revoked = false;
			known->answered = TG_OUTCOME_NONE;
		}
	}
	model.lives++;
}
