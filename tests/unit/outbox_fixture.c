/* SPDX-License-Identifier: Apache-2.0 */
#include "outbox_fixture.h"

#include <check.h>
#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/log.h"
#include "message_fixture.h"

struct sink sink;

const struct outbox_settings sink_settings = {.hold_us = 250 * CLOCK_MS_US,
					      .memory_messages = 64,
					      .memory_bytes = 1024 * 1024,
					      .disk_bytes = 1024 * 1024,
					      .window = 16};

static int deliver(void *arg, const struct outbox_item *item)
{
	unsigned number = fixture_number(item->message);

	ck_assert_ptr_eq(arg, &sink);
	if (sink.room == 0)
		return -EAGAIN;
	sink.room--;
	sink.tickets[number] = item->ticket;
	sink.given[sink.count++] = number;
	sink.expiry_s = item->expiry_s;
	sink.round = item->round;
	return 0;
}

static void receipt(void *arg, enum outbox_receipt what, struct tg_bytes reason)
{
	int *place = arg;

	ck_assert_int_eq(*place, NEVER); /* exactly once */
	ck_assert((what == OUTBOX_REFUSED) == (reason.size > 0));
	*place = (int)what;
}

static int64_t now_wall_us(void *arg)
{
	(void)arg;
	return sink.wall_us ? sink.wall_us : clock_now_us();
}

static const struct outbox_ops ops = {.deliver = deliver, .now_wall_us = now_wall_us};

void sink_begin(const struct outbox_settings *settings)
{
	sink.count = 0;
	sink.room = UINT32_MAX;
	ck_assert_int_eq(ledger_new(NULL, &sink.ledger), 0);
	ck_assert_int_eq(outbox_new(NULL, NULL, sink.ledger, "cloud", settings, &ops, &sink, &sink.outbox), 0);
}

void sink_setup(const struct outbox_settings *settings)
{
	log_set_level(LOG_LEVEL_ERROR);
	memset(&sink, 0, sizeof(sink));
	fake_init(1);
	sink_begin(settings);
}

void sink_end(void)
{
	ck_assert(ledger_balanced(outbox_account(sink.outbox)));
	ck_assert(fake_balanced());
	outbox_free(sink.outbox);
	fake_end(0);
	ledger_free(sink.ledger);
}

void sink_teardown(void)
{
	sink_end();
	fake_done();
}

static int push(unsigned number, const struct outbox_options *options)
{
	struct message *message = fixture_message(number, 20);
	int r;

	sink.receipts[number] = NEVER;
	r = outbox_push(sink.outbox, message, bytes_text("plant/7"), options, receipt, &sink.receipts[number]);
	message_unref(message);
	return r;
}

int sink_push_with(unsigned number, enum outbox_ack ack, uint32_t expiry_s)
{
	const struct outbox_options options = {.route = bytes_text("telemetry"), .ack = ack, .expiry_s = expiry_s};

	return push(number, &options);
}

int sink_push_share(unsigned number, uint8_t percent)
{
	const struct outbox_options options = {
		.route = bytes_text("telemetry"), .ack = OUTBOX_SAFE, .share_percent = percent};

	return push(number, &options);
}

int sink_push(unsigned number, enum outbox_ack ack)
{
	return sink_push_with(number, ack, 0);
}

void sink_answer(unsigned number, enum tg_delivery_result result)
{
	ck_assert(outbox_answer(sink.outbox, sink.tickets[number], result,
				result == TG_REJECTED ? bytes_text("bad topic") : bytes_text("")));
}

struct outbox_stats sink_stats(void)
{
	struct outbox_stats stats;

	outbox_stats(sink.outbox, &stats);
	return stats;
}
