/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/log.h"
#include "core/mailbox.h"
#include "store_fixture.h"
#include "suite.h"

/* A mailbox on real files. */

enum { NAME_BYTES = 255, COMMANDS = 60, HOUR_S = 3600 };

static struct {
	struct fixture fixture;
	struct ledger *ledger;
	struct mailbox *mailbox;
	unsigned given, told, receipts;
	bool reachable, take, done;
	bool seen[COMMANDS]; /* handed over, in this life */
	unsigned wanted;     /* done is set when so many were handed over or told */
} bench;

static uint8_t text[TG_PATH_MAX + TG_REPLY_MAX];

/* Command `number`, with everything as long as it may be. */
static struct message *make(unsigned number)
{
	char device[TG_DEVICE_MAX + 1];
	struct message parts = {.kind = TG_COMMAND,
				.method = TG_METHOD_PATCH,
				.content_format = 65535,
				.time_wall_us = 1700000000000000 + number,
				.path = bytes_of(text, TG_PATH_MAX),
				.payload = bytes_of(text, number * 37),
				.reply_to = bytes_of(text, TG_REPLY_MAX),
				.reply_endpoint = bytes_of(text, NAME_BYTES),
				.correlation = bytes_of(text + 7, TG_CORRELATION_MAX)};

	memset(device, 'd', sizeof(device));
	snprintf(device, sizeof(device), "%u", number);
	device[strlen(device)] = '-';
	parts.device = bytes_of(device, TG_DEVICE_MAX);
	memcpy(parts.id, &number, sizeof(number));
	parts.id[TG_ID_SIZE - 1] = 0xff;
	return message_new(&parts);
}

static unsigned check_message(const struct message *message, struct tg_bytes address)
{
	struct message *same;
	unsigned number;

	memcpy(&number, message->id, sizeof(number));
	ck_assert_uint_lt(number, COMMANDS);
	same = make(number);
	ck_assert_int_eq(memcmp(same->id, message->id, TG_ID_SIZE), 0);
	ck_assert_uint_eq(message->method, same->method);
	ck_assert_int_eq(message->time_wall_us, same->time_wall_us);
	ck_assert(bytes_equal(message->device, same->device));
	ck_assert(bytes_equal(message->path, same->path));
	ck_assert(bytes_equal(message->reply_to, same->reply_to));
	ck_assert(bytes_equal(message->reply_endpoint, same->reply_endpoint));
	ck_assert(bytes_equal(message->correlation, same->correlation));
	ck_assert(bytes_equal(address, bytes_of(text, TG_ADDRESS_MAX)));
	if (message->kind == TG_COMMAND) {
		ck_assert(bytes_equal(message->payload, same->payload));
		ck_assert_int_eq(message->content_format, same->content_format);
	}
	message_unref(same);
	return number;
}

static void count(unsigned *counter)
{
	if (++*counter == bench.wanted)
		bench.done = true;
}

static int deliver(void *arg, const struct mailbox_item *item, uint32_t *ret_carrier)
{
	unsigned number = check_message(item->message, item->address);

	ck_assert_ptr_eq(arg, &bench);
	if (!bench.reachable)
		return -ENOTCONN;
	ck_assert(!bench.seen[number]);
	ck_assert_uint_le(item->expiry_s, HOUR_S);
	ck_assert_uint_gt(item->expiry_s, HOUR_S - 60);
	bench.seen[number] = true;
	*ret_carrier = (uint32_t)item->ticket;
	count(&bench.given);
	return 0;
}

static int ended(void *arg, const struct mailbox_outcome *outcome, uint64_t number)
{
	(void)check_message(outcome->message, outcome->address);
	ck_assert_ptr_eq(arg, &bench);
	ck_assert_int_eq(outcome->outcome, TG_OUTCOME_DELIVERED);
	ck_assert_uint_eq(outcome->code, 205);
	ck_assert_int_eq(outcome->content_format, 112);
	ck_assert(bytes_equal(outcome->payload, bytes_of(text + 1, 3000)));
	ck_assert(bytes_equal(outcome->route, bytes_of(text, STORE_NAME_MAX)));
	count(&bench.told);
	if (bench.take)
		mailbox_told(bench.mailbox, number, true);
	return bench.take ? 0 : -EAGAIN;
}

static int64_t now_wall_us(void *arg)
{
	(void)arg;
	return clock_wall_us();
}

static const struct mailbox_ops ops = {deliver, ended, now_wall_us};

static void begin(const struct store_settings *settings)
{
	const struct mailbox_settings limits = {COMMANDS, COMMANDS, 16 * 1024 * 1024};

	fixture_open(&bench.fixture, settings);
	ck_assert_int_eq(ledger_new(bench.fixture.store, &bench.ledger), 0);
	bench.given = bench.told = bench.receipts = 0;
	memset(bench.seen, 0, sizeof(bench.seen));
	ck_assert_int_eq(mailbox_new(bench.fixture.loop, bench.fixture.store, bench.ledger, "box", &limits, &ops,
				     &bench, &bench.mailbox),
			 0);
}

static void end(void)
{
	ck_assert(ledger_balanced(mailbox_account(bench.mailbox)));
	mailbox_free(bench.mailbox);
	store_stop(bench.fixture.store);
	ledger_free(bench.ledger);
	fixture_close(&bench.fixture);
}

static void until(unsigned wanted)
{
	bench.wanted = wanted;
	bench.done = false;
	fixture_until(bench.fixture.loop, &bench.done);
}

static void receipt(void *arg, enum mailbox_receipt what, struct tg_bytes reason)
{
	ck_assert_ptr_eq(arg, &bench);
	ck_assert_int_eq(what, MAILBOX_TAKEN);
	ck_assert_uint_eq(reason.size, 0);
	count(&bench.receipts);
}

static void put_all(void)
{
	const struct mailbox_options options = {.address = bytes_of(text, TG_ADDRESS_MAX),
						.route = bytes_of(text, STORE_NAME_MAX),
						.expiry_s = HOUR_S,
						.ack = MAILBOX_SAFE};

	for (unsigned i = 0; i < COMMANDS; i++) {
		struct message *message = make(i);

		ck_assert_int_eq(mailbox_push(bench.mailbox, message, &options, receipt, &bench), 0);
		message_unref(message);
	}
	until(COMMANDS);
}

static void setup(const struct store_settings *settings)
{
	log_set_level(LOG_LEVEL_ERROR);
	memset(&bench, 0, sizeof(bench));
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (uint8_t)('a' + i * 11 % 26);
	fixture_init(&bench.fixture);
	begin(settings);
	put_all();
}

static void take_in(void *arg, const struct mailbox_item *item, const char *state)
{
	uint64_t *tickets = arg;

	(void)check_message(item->message, item->address);
	ck_assert_str_eq(state, "under way");
	tickets[++tickets[0]] = item->ticket;
}

static void answer_all(void)
{
	const struct tg_response response = {
		.size = sizeof(response), .code = 205, .content_format = 112, .payload = bytes_of(text + 1, 3000)};
	uint64_t tickets[COMMANDS + 1] = {0};

	mailbox_show(bench.mailbox, bytes_of(NULL, 0), take_in, tickets);
	ck_assert_uint_eq(tickets[0], bench.given);
	for (uint64_t i = 1; i <= tickets[0]; i++)
		ck_assert(mailbox_answered(bench.mailbox, (uint32_t)tickets[i], tickets[i], &response));
}

START_TEST(test_everything_comes_back)
{
	setup(&fixture_both);
	end();
	bench.reachable = true;
	begin(&fixture_both);
	until(COMMANDS);
	answer_all();
	until(COMMANDS); /* told, and not taken over */
	end();
	bench.reachable = false;
	bench.take = true;
	begin(&fixture_both);
	until(COMMANDS);
	ck_assert_uint_eq(bench.given, 0);
	end();
	fixture_open(&bench.fixture, &fixture_both);
	ck_assert_int_eq(fixture_found(&bench.fixture, "box", LEDGER_ACCEPTED), COMMANDS);
	ck_assert_int_eq(fixture_found(&bench.fixture, "box", LEDGER_DELIVERED), COMMANDS);
	fixture_assert_balanced(&bench.fixture, "box");
	ck_assert_int_eq(fixture_stats(&bench.fixture).used_bytes, 0);
	fixture_done(&bench.fixture);
}
END_TEST

/* One file, a part of it garbage: what can be read comes back whole, the rest is counted. */
START_TEST(test_salvaged)
{
	unsigned lost;

	setup(&fixture_single);
	end();
	fixture_spoil(&bench.fixture, "outbox.db", 40 * 4096, 3 * 4096);
	bench.reachable = true;
	begin(&fixture_single);
	ck_assert_int_eq(fixture_stats(&bench.fixture).set_aside, 1);
	lost = (unsigned)fixture_stats(&bench.fixture).unreadable;
	ck_assert_uint_gt(lost, 0);
	ck_assert_uint_lt(lost, COMMANDS / 4);
	until(COMMANDS - lost);
	ck_assert_int_eq(ledger_held(mailbox_account(bench.mailbox)), COMMANDS - lost);
	end();
	fixture_done(&bench.fixture);
}
END_TEST

SUITE_MAIN("mailbox_store", test_everything_comes_back, test_salvaged)
