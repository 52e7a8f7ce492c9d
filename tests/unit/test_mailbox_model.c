/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/log.h"
#include "mailbox_model.h"
#include "suite.h"

/* Random lives of a mailbox beside its model. TG_SEED runs one seed, TG_SEEDS so many of them. */

enum { STEPS = 900 };

static void push(void)
{
	struct known *known = &model.all[model.count];
	int r;

	if (model.count == COMMANDS_MAX)
		return;
	*known = (struct known){.device = fake_random(DEVICES),
				.ack = (enum mailbox_ack)fake_random(3),
				.here = true,
				.owes = true,
				.expires_us =
					clock_now_us() + (1 + fake_random(fake_random(2) ? 10 : 1000)) * CLOCK_S_US};
	r = model_push(model.count++, false);
	if (r < 0) {
		EXPECT(r == -ENOSPC || r == -EDQUOT || r == -EAGAIN);
		EXPECT(known->owes);
		*known = (struct known){.here = false};
	}
}

/* Its sender has not heard that it was taken, and sends it again. */
static void push_again(void)
{
	unsigned number = model.count ? fake_random(model.count) : 0;
	int r;

	if (number < model.count && model.all[number].here) {
		r = model_push(number, true);
		EXPECT(r == -EEXIST || r == -EAGAIN);
	}
}

/* One of those, at random, for which `is` says yes; NULL where there is none. */
static struct known *pick(bool (*is)(const struct known *known))
{
	struct known *picked = NULL;
	unsigned found = 0;

	for (unsigned i = 0; i < model.count; i++)
		if (is(&model.all[i]) && fake_random(++found) == 0)
			picked = &model.all[i];
	return picked;
}

static bool is_flying(const struct known *known)
{
	return known->flying;
}

static bool is_telling(const struct known *known)
{
	return known->telling;
}

static void answer(void)
{
	static const uint32_t codes[] = {204, 205, 404, 500};
	struct known *known = pick(is_flying);
	struct tg_response response = {.size = sizeof(response), .code = codes[fake_random(4)], .content_format = 50};
	unsigned how = fake_random(10);

	if (!known)
		return;
	response.payload = bytes_text("said");
	EXPECT(!mailbox_answered(model.mailbox, known->carrier + 1, known->ticket, &response));
	known->flying = model.busy[known->device] = false;
	if (how < 3) {
		EXPECT(mailbox_answer(model.mailbox, known->carrier, known->ticket, TG_RETRY, bytes_text("")));
	} else if (how < 4) {
		known->closed = true;
		known->answered = TG_OUTCOME_REFUSED;
		known->answered_code = 0;
		EXPECT(mailbox_answer(model.mailbox, known->carrier, known->ticket, TG_REJECTED, bytes_text("no")));
	} else if (how < 5) {
		known->closed = true;
		known->answered = TG_OUTCOME_DELIVERED;
		known->answered_code = 0;
		EXPECT(mailbox_answer(model.mailbox, known->carrier, known->ticket, TG_CONFIRMED, bytes_text("")));
	} else {
		known->closed = true;
		known->answered = TG_OUTCOME_DELIVERED;
		known->answered_code = response.code;
		EXPECT(mailbox_answered(model.mailbox, known->carrier, known->ticket, &response));
	}
}

static void told(bool safe)
{
	struct known *known = pick(is_telling);

	if (!known)
		return;
	if (safe)
		model_take_over(known);
	known->telling = false;
	mailbox_told(model.mailbox, known->name, safe);
}

static void reach(unsigned device, bool reachable)
{
	model.reachable[device] = reachable;
	if (reachable)
		mailbox_awake(model.mailbox, bytes_text(model_device(device)));
}

static void refuse(unsigned device)
{
	for (unsigned i = 0; i < model.count; i++) {
		struct known *known = &model.all[i];

		if (known->device != device || !known->here || known->closed)
			continue;
		known->revoked = true;
		known->flying = false;
	}
	model.busy[device] = false;
	mailbox_refuse(model.mailbox, bytes_text(model_device(device)), "revoked");
}

static void lose_carrier(uint32_t carrier)
{
	for (unsigned i = 0; i < model.count; i++) {
		struct known *known = &model.all[i];

		if (known->flying && known->carrier == carrier)
			known->flying = model.busy[known->device] = false;
	}
	mailbox_carrier_gone(model.mailbox, carrier);
}

static void crash(void)
{
	model_end_life(fake_random(2) ? 0 : -EIO);
	fake_begin_life();
	model_begin_life();
}

static void step(void)
{
	switch (fake_random(16)) {
	case 0 ... 2:
		push();
		break;
	case 3:
		push_again();
		break;
	case 4 ... 5:
		answer();
		break;
	case 6:
		fake_pass(fake_random(3000) * CLOCK_MS_US);
		break;
	case 7 ... 8:
		fake_begin(fake_random(12));
		break;
	case 9 ... 10:
		fake_finish(fake_random(5) ? 0 : -ENOSPC);
		break;
	case 11 ... 12:
		told(fake_random(4) > 0);
		break;
	case 13:
		reach(fake_random(DEVICES), fake_random(3) > 0);
		break;
	case 14:
		model.ended_result = fake_random(4) ? 0 : -ENOSPC;
		model.safe_at_once = fake_random(3) == 0;
		break;
	default:
		if (fake_random(12) == 0)
			crash();
		else if (fake_random(12) == 0)
			refuse(fake_random(DEVICES));
		else if (fake_random(5) == 0)
			lose_carrier(fake_random(CARRIERS));
		else if (fake_random(20) == 0)
			fake_pass(fake_random(1000) * CLOCK_S_US);
		else if (fake_random(10) == 0)
			fake_set_room(fake_random(2) ? -1 : (int64_t)fake_random(40));
	}
	model_check();
}

/* Everybody is well: everything must come to its end. */
static void drain(void)
{
	model.ended_result = 0;
	fake_set_room(-1);
	for (unsigned rounds = 0; rounds < 3000; rounds++) {
		struct mailbox_stats stats;

		for (unsigned i = 0; i < DEVICES; i++)
			reach(i, true);
		fake_run();
		answer();
		told(true);
		fake_pass(CLOCK_S_US);
		model_check();
		mailbox_stats(model.mailbox, &stats);
		if (stats.held == 0 && !stats.reading)
			return;
	}
	EXPECT(false);
}

static void run(uint32_t seed)
{
	int64_t ends[TG_OUTCOME_EXPIRED + 1] = {0};

	memset(&model, 0, sizeof(model));
	model.seed = seed;
	fake_init(seed);
	model_begin_life();
	for (unsigned i = 0; i < STEPS; i++)
		step();
	drain();
	fake_run();
	EXPECT(fake_rows() == 0);
	for (unsigned i = 0; i < model.count; i++) {
		EXPECT(!model.all[i].owes && !model.all[i].must_keep);
		ends[model.all[i].over ? model.all[i].told : TG_OUTCOME_NONE]++;
	}
	/* What the disk has counted over all lives is what was heard, each command once. */
	EXPECT(fake_number(LEDGER_DELIVERED) == ends[TG_OUTCOME_DELIVERED]);
	EXPECT(fake_number(LEDGER_REJECTED) == ends[TG_OUTCOME_REFUSED]);
	EXPECT(fake_number(LEDGER_EXPIRED) == ends[TG_OUTCOME_EXPIRED]);
	EXPECT(fake_number(LEDGER_ACCEPTED) == model.finished);
	model_end_life(0);
	fake_done();
}

START_TEST(test_random_lives)
{
	const char *one = getenv("TG_SEED"), *many = getenv("TG_SEEDS");
	uint32_t first = one ? (uint32_t)strtoul(one, NULL, 10) : 1;
	uint32_t count = one ? 1 : many ? (uint32_t)strtoul(many, NULL, 10) : 200;
	unsigned finished = 0, lives = 0, repeats = 0;

	log_set_level(LOG_LEVEL_ERROR);
	for (uint32_t seed = first; seed < first + count; seed++) {
		run(seed);
		finished += model.finished;
		lives += model.lives;
		repeats += model.repeats;
	}
	printf("mailbox: %u lives of %u seeds, %u commands came to their end, %u outcomes were told again\n", lives,
	       count, finished, repeats);
	ck_assert_uint_gt(finished, count * 20);
}
END_TEST

SUITE_MAIN("mailbox_model", test_random_lives)
