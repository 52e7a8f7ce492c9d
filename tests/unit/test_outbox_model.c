/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/log.h"
#include "core/outbox.h"
#include "fake_store.h"
#include "message_fixture.h"
#include "suite.h"

/*
 * Random lives of an outbox beside a model that is too simple to be wrong: a list of all messages in the order of acceptance, and for
 * each what was promised of it. TG_SEED runs one seed, TG_SEEDS so many of them.
 */

enum { MESSAGES_MAX = 4000, STEPS = 700 };

struct known {
	bool held; /* accepted, and not finished by what the outbox was told */
	bool in_flight;
	bool must_keep; /* its source was told that it is safe, and it is not finished */
	bool owes;      /* a receipt is due */
	bool once;      /* has been delivered, rejected or expired: it may come again after a crash */
	enum outbox_ack ack;
	uint64_t ticket;
	int64_t expires_us;
};

static struct {
	uint32_t seed;
	struct known all[MESSAGES_MAX];
	unsigned count;
	unsigned first; /* none before is held */
	unsigned in_flight[64];
	unsigned flying;
	unsigned window;
	bool up;
	bool refuse; /* deliver says no */
	bool flushed;
	int flush_result;
	unsigned delivered, refused, lives;
	struct outbox *outbox;
	struct ledger *ledger;
} model;

#define EXPECT(what)                                                                                                   \
	do {                                                                                                           \
		if (!(what))                                                                                           \
			ck_abort_msg("seed %u: %s", model.seed, #what);                                                \
	} while (0)

/* The heart: whatever is handed over, everything accepted before it is finished or in flight. */
static int deliver(void *arg, const struct outbox_item *item)
{
	unsigned number = fixture_number(item->message);
	struct known *known = &model.all[number];

	(void)arg;
	EXPECT(model.up && number < model.count);
	EXPECT(!known->in_flight && model.flying < model.window);
	EXPECT(known->held);
	EXPECT(known->expires_us == 0 || clock_now_us() < known->expires_us);
	EXPECT(bytes_equal(item->address, bytes_text("plant/7")) && bytes_equal(item->route, bytes_text("telemetry")));
	for (unsigned i = model.first; i < number; i++)
		EXPECT(!model.all[i].held || model.all[i].in_flight ||
		       (model.all[i].expires_us && model.all[i].expires_us <= clock_now_us()));
	if (model.refuse)
		return -EAGAIN;
	known->in_flight = true;
	known->ticket = item->ticket;
	model.in_flight[model.flying++] = number;
	return 0;
}

static void finish(struct known *known)
{
	known->held = false;
	known->must_keep = false;
	known->once = true;
}

static void receipt(void *arg, enum outbox_receipt what, struct tg_bytes reason)
{
	struct known *known = arg;

	(void)reason;
	EXPECT(known->owes);
	known->owes = false;
	if (what == OUTBOX_TAKEN && known->held && known->ack == OUTBOX_SAFE) {
		EXPECT(fake_row((unsigned)(known - model.all)));
		known->must_keep = true;
	}
	if (what == OUTBOX_TAKEN && known->ack == OUTBOX_DELIVERED)
		EXPECT(!known->held);
	if (what == OUTBOX_EXPIRED) {
		EXPECT(known->held && known->expires_us && known->expires_us <= clock_now_us());
		finish(known);
	}
	if (what == OUTBOX_FULL) {
		EXPECT(known->held && !known->in_flight && !known->must_keep);
		known->held = false;
		model.refused++;
	}
	EXPECT(what != OUTBOX_LOST);
}

static const struct outbox_ops ops = {.deliver = deliver};

static struct outbox_settings settings = {.hold_us = 250 * CLOCK_MS_US,
					  .memory_messages = 32,
					  .memory_bytes = 1024 * 1024,
					  .disk_bytes = 1024 * 1024,
					  .window = 8};

static void begin_life(void)
{
	EXPECT(ledger_new(NULL, &model.ledger) == 0);
	EXPECT(outbox_new(NULL, NULL, model.ledger, "cloud", &settings, &ops, NULL, &model.outbox) == 0);
	model.up = false;
	model.flying = 0;
}

static void push(void)
{
	unsigned number = model.count;
	struct known *known = &model.all[number];
	struct message *message = fixture_message(number, fake_random(20) ? 20 : 5000);
	struct outbox_options options = {
		.route = bytes_text("telemetry"), .qos = 1, .ack = (enum outbox_ack)fake_random(3)};
	int r;

	if (fake_random(10) == 0)
		options.expiry_s = 1 + fake_random(5);
	*known = (struct known){.held = true, .owes = true, .ack = options.ack};
	if (options.expiry_s)
		known->expires_us = clock_now_us() + options.expiry_s * CLOCK_S_US;
	model.count++;
	r = outbox_push(model.outbox, message, bytes_text("plant/7"), &options, receipt, known);
	message_unref(message);
	if (r < 0) {
		EXPECT(r == -ENOSPC && known->owes);
		*known = (struct known){.held = false};
	}
}

static void answer(void)
{
	unsigned at = fake_random(model.flying), number = model.in_flight[at], how = fake_random(20);
	struct known *known = &model.all[number];
	enum tg_delivery_result result = how == 0 ? TG_RETRY : how == 1 ? TG_REJECTED : TG_CONFIRMED;

	model.in_flight[at] = model.in_flight[--model.flying];
	known->in_flight = false;
	if (result != TG_RETRY)
		finish(known);
	if (result == TG_CONFIRMED)
		model.delivered++;
	EXPECT(outbox_answer(model.outbox, known->ticket, result, bytes_text("because")));
	EXPECT(result == TG_RETRY || !known->owes);
	EXPECT(!outbox_answer(model.outbox, known->ticket, TG_CONFIRMED, bytes_text(""))); /* a ticket works once */
}

static void sink_down(void)
{
	uint64_t late = model.flying ? model.all[model.in_flight[0]].ticket : 0;

	model.up = false;
	while (model.flying)
		model.all[model.in_flight[--model.flying]].in_flight = false;
	outbox_sink_down(model.outbox);
	EXPECT(!outbox_answer(model.outbox, late, TG_CONFIRMED, bytes_text("")));
}

static void sink_up(void)
{
	model.up = true;
	model.window = 1 + fake_random(8);
	if (model.window < model.flying)
		model.window = model.flying;
	outbox_sink_up(model.outbox, model.window);
}

/* What is held is somebody's, to the last message. */
static void check_shares(const struct outbox_stats *stats)
{
	struct share_held sum = {.messages = 0};
	char device[32];

	for (unsigned i = 0; i < 7; i++) {
		struct share_held held;

		snprintf(device, sizeof(device), "device-%u", i);
		held = outbox_held_of(model.outbox, bytes_text(device));
		EXPECT(held.messages >= 0 && held.memory_bytes >= 0 && held.cost_bytes >= held.messages);
		sum.messages += held.messages;
		sum.memory_bytes += held.memory_bytes;
		sum.cost_bytes += held.cost_bytes;
	}
	EXPECT(sum.messages == stats->held);
	EXPECT(sum.memory_bytes <= stats->memory_bytes);
	EXPECT(stats->held > 0 || (sum.memory_bytes == 0 && sum.cost_bytes == 0));
}

static void check(void)
{
	struct outbox_stats stats;
	int64_t held = 0;

	while (model.first < model.count && !model.all[model.first].held)
		model.first++;
	for (unsigned i = model.first; i < model.count; i++)
		held += model.all[i].held;
	outbox_stats(model.outbox, &stats);
	/* Those that have expired without a receipt to say so are found when their turn comes. */
	EXPECT(stats.held <= held);
	EXPECT(ledger_balanced(outbox_account(model.outbox)));
	EXPECT(stats.in_flight == model.flying);
	EXPECT(stats.memory_bytes <= (int64_t)settings.memory_bytes);
	check_shares(&stats);
	EXPECT(fake_balanced());
}

/* The outbox drops what is past its expiry without anybody being told, when its receipt was given already. */
static void settle_expired(void)
{
	for (unsigned i = model.first; i < model.count; i++) {
		struct known *known = &model.all[i];

		if (known->held && !known->in_flight && known->expires_us && known->expires_us <= clock_now_us())
			known->must_keep = false;
	}
}

/* The process is gone: what is on disk now is held again; of what was promised nothing may be missing. */
static void end_life(bool graceful, int error)
{
	outbox_free(model.outbox);
	fake_end(error);
	ledger_free(model.ledger);
	EXPECT(fake_balanced());
	settle_expired();
	for (unsigned i = 0; i < model.count; i++) {
		struct known *known = &model.all[i];
		const struct store_row *row = fake_row(i);

		EXPECT(row || !known->must_keep);
		EXPECT(row || !graceful || !known->held || known->expires_us);
		EXPECT(!row || known->held || known->once);
		known->held = row != NULL;
		known->must_keep = known->held;
		known->in_flight = known->owes = false;
	}
	model.first = 0;
	model.flying = 0;
	model.lives++;
}

static void crash(void)
{
	end_life(false, fake_random(2) ? 0 : -EIO);
	fake_begin_life();
	begin_life();
}

static void on_flushed(void *arg, int result)
{
	(void)arg;
	model.flushed = true;
	model.flush_result = result;
}

static void stop_gracefully(void)
{
	int64_t totals[LEDGER_ITEMS];

	if (model.up)
		sink_down();
	fake_set_room(-1);
	model.flushed = false;
	EXPECT(outbox_flush(model.outbox, on_flushed, NULL) == 0);
	EXPECT(outbox_flush(model.outbox, on_flushed, NULL) == -EBUSY);
	fake_run();
	EXPECT(model.flushed && model.flush_result == 0);
	check();
	for (int item = 0; item < LEDGER_ITEMS; item++) {
		totals[item] = ledger_get(outbox_account(model.outbox), (enum ledger_item)item);
		EXPECT(totals[item] == fake_number((enum ledger_item)item));
	}
	end_life(true, 0);
	fake_begin_life();
	begin_life();
}

static void step(void)
{
	switch (fake_random(16)) {
	case 0 ... 4:
		push();
		break;
	case 5 ... 8:
		if (model.flying)
			answer();
		break;
	case 9:
		fake_pass(fake_random(400) * CLOCK_MS_US);
		break;
	case 10:
		fake_begin(fake_random(20));
		break;
	case 11 ... 12:
		fake_finish(fake_random(6) ? 0 : -ENOSPC);
		break;
	case 13:
		if (fake_random(3))
			sink_up();
		else if (fake_random(2))
			sink_down();
		break;
	case 14:
		model.refuse = fake_random(4) == 0;
		if (!model.refuse)
			outbox_more(model.outbox);
		break;
	default:
		if (fake_random(20) == 0)
			stop_gracefully();
		else if (fake_random(20) == 0)
			crash();
		else if (fake_random(30) == 0)
			fake_set_room(fake_random(2) ? -1 : (int64_t)fake_random(40));
	}
	check();
}

/* The sink is well, time goes on: everything must leave. */
static void drain(void)
{
	model.refuse = false;
	fake_set_room(-1);
	sink_up();
	for (unsigned rounds = 0; rounds < 5000; rounds++) {
		struct outbox_stats stats;

		fake_run();
		while (model.flying)
			answer();
		fake_pass(CLOCK_S_US);
		fake_run();
		outbox_stats(model.outbox, &stats);
		if (stats.held == 0)
			return;
	}
	EXPECT(false);
}

static void run(uint32_t seed)
{
	memset(&model, 0, sizeof(model));
	model.seed = seed;
	fake_init(seed);
	begin_life();
	for (unsigned i = 0; i < STEPS; i++)
		step();
	drain();
	check();
	stop_gracefully();
	EXPECT(fake_rows() == 0);
	for (unsigned i = 0; i < model.count; i++)
		EXPECT(!model.all[i].owes);
	end_life(true, 0);
	fake_done();
}

START_TEST(test_random_lives)
{
	const char *one = getenv("TG_SEED"), *many = getenv("TG_SEEDS");
	uint32_t first = one ? (uint32_t)strtoul(one, NULL, 10) : 1;
	uint32_t count = one ? 1 : many ? (uint32_t)strtoul(many, NULL, 10) : 100;
	unsigned delivered = 0, refused = 0, lives = 0;

	log_set_level(LOG_LEVEL_ERROR);
	for (uint32_t seed = first; seed < first + count; seed++) {
		run(seed);
		delivered += model.delivered;
		refused += model.refused;
		lives += model.lives;
	}
	printf("outbox: %u lives of %u seeds, %u delivered, %u refused after custody\n", lives, count, delivered,
	       refused);
	ck_assert_uint_gt(delivered, count * 20);
}
END_TEST

SUITE_MAIN("outbox_model", test_random_lives)
